"""What is wrong with a ResourceQuota or a LimitRange (pkg/apis/core/validation/validation.go, v1.37.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlscale.kube.quantity import NANO, nano_of
from mlscale.sandbox import formats
from mlscale.sandbox.causes import IMMUTABLE, duplicate, each_invalid, forbidden, invalid, required
from mlscale.sandbox.validation_resources import (
    QUOTA_NAMES,
    amount_causes,
    container_resource_name_causes,
    may_overcommit,
    quota_resource_name_causes,
    resource_name_causes,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlscale.sandbox.statuses import Cause

Json = dict[str, Any]

_ALWAYS_EXISTS = ("BestEffort", "NotBestEffort", "Terminating", "NotTerminating", "CrossNamespacePodAffinity")
_SCOPES = (*_ALWAYS_EXISTS, "PriorityClass", "VolumeAttributesClass")
_COMPUTE = frozenset({"cpu", "memory", "limits.cpu", "limits.memory", "requests.cpu", "requests.memory"})
_CONFLICTING = (("BestEffort", "NotBestEffort"), ("Terminating", "NotTerminating"))
_EXISTS_ONLY = (
    "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, "
    "ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity"
)
_LIMIT_TYPES = ("Pod", "Container", "PersistentVolumeClaim")
_OVER_LIMIT = "default request value {} is greater than default limit value {}"
_BOUNDS = ("max", "min", "default", "defaultRequest", "maxLimitRequestRatio")


def quota_causes(spec: Json, before: Json | None) -> Iterator[Cause]:
    """A ResourceQuota's spec: names, amounts, scopes; the scopes of a stored one do not change."""
    hard = spec.get("hard") or {}
    for name, amount in sorted(hard.items()):
        yield from quota_resource_name_causes(f"spec.hard[{name}]", name)
        yield from amount_causes(f"spec.hard[{name}]", name, amount)
    scopes = spec.get("scopes") or []
    for scope in scopes:
        if scope not in _SCOPES:
            yield invalid("spec.scopes", scopes, "unsupported scope")
        for _ in range(_unscoped(scope, hard)):
            yield invalid("spec.scopes", scopes, "unsupported scope applied to resource")
    yield from _conflicts("spec.scopes", set(scopes), scopes)
    if spec.get("scopeSelector") is not None:
        yield from _scope_selector("spec.scopeSelector.matchExpressions", spec, hard)
    if before is not None and set(scopes) != set(before.get("scopes") or []):
        yield invalid("spec.scopes", scopes, IMMUTABLE)


def limit_range_causes(spec: Json) -> Iterator[Cause]:
    """A LimitRange's spec: one item for each type, bounds that leave room."""
    seen: set[str] = set()
    for index, item in enumerate(spec.get("limits") or []):
        path, kind = f"spec.limits[{index}]", item.get("type") or ""
        yield from _limit_type(f"{path}.type", kind)
        if kind in seen:
            yield duplicate(f"{path}.type", kind)
        seen.add(kind)
        yield from _bound_names(path, kind, item)
        yield from _bound_amounts(path, item)


def _unscoped(scope: str, hard: Json) -> int:
    """How many of the bounded resources the scope does not apply to."""
    if scope not in _SCOPES:
        return 0
    allowed = {"pods"} if scope == "BestEffort" else {"pods", *_COMPUTE}
    if scope == "VolumeAttributesClass":
        allowed = {"persistentvolumeclaims", "requests.storage"}
    return sum(name in QUOTA_NAMES and name not in allowed for name in hard)


def _conflicts(path: str, present: set[str], shown: list[str] | None) -> Iterator[Cause]:
    for pair in _CONFLICTING:
        if present.issuperset(pair):
            yield invalid(path, shown, "conflicting scopes")


def _scope_selector(path: str, spec: Json, hard: Json) -> Iterator[Cause]:
    selector = spec["scopeSelector"]
    present = set()
    for requirement in selector.get("matchExpressions") or []:
        scope = requirement.get("scopeName") or ""
        present.add(scope)
        if scope not in _SCOPES:
            yield invalid(f"{path}.scopeName", scope, "unsupported scope")
        for _ in range(_unscoped(scope, hard)):
            yield invalid(path, _internal(selector), "unsupported scope applied to resource")
        yield from _operator(path, scope, requirement)
    yield from _conflicts(path, present, spec.get("scopes"))


def _internal(selector: Json) -> Json:
    """As Go prints the internal struct, whose fields begin with a capital."""
    expressions = selector.get("matchExpressions") or []
    keys = (("ScopeName", "scopeName"), ("Operator", "operator"), ("Values", "values"))
    return {"MatchExpressions": [{shown: each.get(key) for shown, key in keys} for each in expressions]}


def _operator(path: str, scope: str, requirement: Json) -> Iterator[Cause]:
    operator, values = requirement.get("operator") or "", requirement.get("values") or []
    if scope in _ALWAYS_EXISTS and operator != "Exists":
        yield invalid(f"{path}.operator", operator, _EXISTS_ONLY)
    if operator in ("In", "NotIn"):
        if not values:
            words = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"
            yield required(f"{path}.values", words)
    elif operator in ("Exists", "DoesNotExist"):
        if values:
            words = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector"
            yield invalid(f"{path}.values", values, words)
    else:
        yield invalid(f"{path}.operator", operator, "not a valid selector operator")


def _limit_type(path: str, kind: str) -> Iterator[Cause]:
    errors = formats.label_key(kind)
    yield from each_invalid(path, kind, errors)
    if not errors and "/" not in kind and kind not in _LIMIT_TYPES:
        yield invalid(path, kind, "must be a standard limit type or fully qualified")


def _bound_names(path: str, kind: str, item: Json) -> Iterator[Cause]:
    check = container_resource_name_causes if kind in ("Pod", "Container") else resource_name_causes
    for bound in _BOUNDS:
        names = sorted(item.get(bound) or {})
        if kind == "Pod" and bound in ("default", "defaultRequest"):
            if names:
                yield forbidden(f"{path}.{bound}", "may not be specified when `type` is 'Pod'")
            continue
        if bound == "maxLimitRequestRatio" and kind == "PersistentVolumeClaim":
            yield from _storage(path, item)
        for name in names:
            yield from check(f"{path}.{bound}[{name}]", name)


def _storage(path: str, item: Json) -> Iterator[Cause]:
    if not any("storage" in (item.get(bound) or {}) for bound in ("min", "max")):
        words = "either minimum or maximum storage value is required, but neither was provided"
        yield required(f"{path}.limits", words)


def _bound_amounts(path: str, item: Json) -> Iterator[Cause]:
    used = _BOUNDS if item.get("type") != "Pod" else ("max", "min", "maxLimitRequestRatio")
    for name in sorted({name for bound in used for name in item.get(bound) or {}}):
        bounds = {bound: (item.get(bound) or {}).get(name) for bound in used}
        yield from _order(path, name, {bound: amount for bound, amount in bounds.items() if amount is not None})


def _order(path: str, name: str, bounds: dict[str, str]) -> Iterator[Cause]:
    """Each pair that must not be the other way round: the bound, its greater one, where it is said and how."""
    least, most = bounds.get("min"), bounds.get("max")
    default, request = bounds.get("default"), bounds.get("defaultRequest")
    pairs = (
        ("min", least, most, least, "min value {} is greater than max value {}"),
        ("defaultRequest", least, request, request, "min value {} is greater than default request value {}"),
        ("defaultRequest", request, most, request, "default request value {} is greater than max value {}"),
        ("defaultRequest", request, default, request, _OVER_LIMIT),
        ("default", least, default, least, "min value {} is greater than default value {}"),
        ("default", default, most, most, "default value {} is greater than max value {}"),
    )
    for field, lower, upper, shown, words in pairs:
        if lower is not None and upper is not None and nano_of(lower) > nano_of(upper):
            yield invalid(f"{path}.{field}[{name}]", shown, words.format(lower, upper))
    yield from _ratio(f"{path}.maxLimitRequestRatio[{name}]", bounds)
    both = default is not None and request is not None
    if both and not may_overcommit(name) and nano_of(str(default)) != nano_of(str(request)):
        words = f"default value {default} must equal to defaultRequest value {request} in {name}"
        yield invalid(f"{path}.defaultRequest[{name}]", request, words)


def _ratio(path: str, bounds: dict[str, str]) -> Iterator[Cause]:
    ratio = bounds.get("maxLimitRequestRatio")
    if ratio is None:
        return
    if nano_of(ratio) < NANO:
        yield invalid(path, ratio, f"ratio {ratio} is less than 1")
    if "min" in bounds and "max" in bounds and nano_of(bounds["min"]):
        room = nano_of(bounds["max"]) / nano_of(bounds["min"])
        if nano_of(ratio) / NANO > room:
            yield invalid(path, ratio, f"ratio {ratio} is greater than max/min = {room:.6f}")
