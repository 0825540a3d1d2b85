"""What admission would say to new copies of a pod: LimitRanges and ResourceQuotas of the namespace.

The rules are those of kubernetes plugin/pkg/admission/limitranger/admission.go, pkg/quota/v1/evaluator/core/pods.go
and k8s.io/apiserver pkg/admission/plugin/resourcequota/controller.go, v1.37.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlscale.kube.fit import Shortage, copies
from mlscale.kube.pod_resources import (
    Amounts,
    amounts,
    containers_of,
    has_pod_level_resources,
    is_best_effort,
    pod_limits,
    pod_requests,
)
from mlscale.kube.quantity import NANO, format_amount, nano_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Json = dict[str, Any]

_MUST_BE_SET = (
    "cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory",
)  # fmt: skip
"""A quota on one of these refuses pods with a container that does not set it."""


@dataclass(frozen=True)
class QuotaVerdict:
    """What the quotas of a namespace admit."""

    shortages: tuple[Shortage, ...]
    unmodelled: tuple[str, ...]
    """Quotas whose scope or usage cannot be judged."""


def limit_range_refusals(spec: Json, limit_ranges: Iterable[Json], wanted: int) -> list[Shortage]:
    """Return the bounds of ``limit_ranges`` that pods of ``spec``, as ``admitted_spec`` returns it, break."""
    return [
        Shortage("LimitRange", resource, "", "", 0, f"0 of {copies(wanted)} fit: LimitRange {name} {clause}")
        for limit_range in limit_ranges
        for name in [limit_range["metadata"]["name"]]
        for item in limit_range["spec"].get("limits") or []
        for resource, clause in _violations(item, spec)
    ]


def quota_verdict(spec: Json, quotas: Iterable[Json], wanted: int) -> QuotaVerdict:
    """Return how many of ``wanted`` pods of ``spec``, as ``admitted_spec`` returns it, each quota admits."""
    usage = pod_usage(spec)
    shortages: list[Shortage] = []
    unmodelled: list[str] = []
    for quota in quotas:
        name, status = quota["metadata"]["name"], quota.get("status") or {}
        hard, used = status.get("hard") or {}, status.get("used") or {}
        unjudged = _unjudged_scope(quota, spec)
        if unjudged:
            unmodelled.append(f"quota {name} ({unjudged})")
        elif any(resource in usage and resource not in used for resource in hard):
            unmodelled.append(f"quota {name} (its usage is not counted yet)")
        elif _in_scope(quota, spec):
            shortages += _constraint(name, hard, spec, wanted)
            shortages += _exceeded(name, amounts(hard), amounts(used), usage, wanted)
    return QuotaVerdict(tuple(shortages), tuple(unmodelled))


def pod_usage(spec: Json) -> Amounts:
    """Return what one pod of ``spec`` adds to a quota's usage, in nano-units by quota resource."""
    usage = {"pods": NANO, "count/pods": NANO}
    for name, nano in pod_requests(spec).items():
        usage[f"requests.{name}"] = nano
        if "/" not in name:
            usage[name] = nano
    for name, nano in pod_limits(spec).items():
        if name in ("cpu", "memory", "ephemeral-storage"):
            usage[f"limits.{name}"] = nano
    return usage


def _violations(item: Json, spec: Json) -> Iterator[tuple[str, str]]:
    """Yield resource and clause for each bound of one item of a LimitRange that ``spec`` breaks."""
    if item.get("type") == "Container":
        for container in containers_of(spec):
            resources = container["resources"]
            asked = amounts(resources["requests"]), amounts(resources["limits"])
            yield from _broken_bounds(item, f"container {container['name']}", *asked)
    elif item.get("type") == "Pod":
        asked = pod_requests(spec, overhead=False), pod_limits(spec, overhead=False)
        yield from _broken_bounds(item, "the pod", *asked)


def _broken_bounds(item: Json, owner: str, requests: Amounts, limits: Amounts) -> Iterator[tuple[str, str]]:
    for resource, least in amounts(item.get("min")).items():
        yield from _below(resource, least, owner, {"request": requests, "limit": limits})
    for resource, most in amounts(item.get("max")).items():
        yield from _above(resource, most, owner, {"limit": limits, "request": requests})
    for resource, ratio in (item.get("maxLimitRequestRatio") or {}).items():
        request, limit = requests.get(resource, 0), limits.get(resource, 0)
        if not request or not limit:
            clause = f"needs a {resource} request and limit on {owner} (limit at most {ratio} times the request)"
            yield resource, clause
        elif limit * NANO > nano_of(ratio) * request:
            clause = f"allows a {resource} limit of at most {ratio} times the request; {owner} has "
            yield resource, clause + f"{format_amount(resource, limit)} over {format_amount(resource, request)}"


def _below(resource: str, least: int, owner: str, asked: dict[str, Amounts]) -> Iterator[tuple[str, str]]:
    bound = f"demands at least {format_amount(resource, least)} {resource}"
    if resource not in asked["request"]:
        yield resource, f"{bound}; {owner} has no request"
        return
    low = {kind: by_name[resource] for kind, by_name in asked.items() if by_name.get(resource, least) < least}
    for kind, nano in list(low.items())[:1]:
        yield resource, f"{bound}; {owner} has a {kind} of {format_amount(resource, nano)}"


def _above(resource: str, most: int, owner: str, asked: dict[str, Amounts]) -> Iterator[tuple[str, str]]:
    bound = f"allows at most {format_amount(resource, most)} {resource}"
    if resource not in asked["limit"]:
        yield resource, f"{bound}; {owner} has no limit"
        return
    high = {kind: by_name[resource] for kind, by_name in asked.items() if by_name.get(resource, most) > most}
    for kind, nano in list(high.items())[:1]:
        yield resource, f"{bound}; {owner} has a {kind} of {format_amount(resource, nano)}"


def _selectors(quota: Json) -> list[Json]:
    spec = quota.get("spec") or {}
    scopes = [{"scopeName": scope, "operator": "Exists"} for scope in spec.get("scopes") or []]
    return scopes + ((spec.get("scopeSelector") or {}).get("matchExpressions") or [])


def _unjudged_scope(quota: Json, spec: Json) -> str:
    """Return the scope that cannot be judged from a template, or an empty string.

    A template without priorityClassName may get the cluster's default class at admission.
    """
    for selector in _selectors(quota):
        scope = selector["scopeName"]
        if scope == "PriorityClass" and not spec.get("priorityClassName"):
            return "scope PriorityClass"
        if scope == "CrossNamespacePodAffinity" and _has_pod_affinity(spec):
            return "scope CrossNamespacePodAffinity"
    return ""


def _has_pod_affinity(spec: Json) -> bool:
    affinity = spec.get("affinity") or {}
    return bool(affinity.get("podAffinity") or affinity.get("podAntiAffinity"))


def _in_scope(quota: Json, spec: Json) -> bool:
    return all(_matches_scope(selector, spec) for selector in _selectors(quota))


def _matches_scope(selector: Json, spec: Json) -> bool:
    scope = selector["scopeName"]
    if scope == "PriorityClass":
        return _matches_class(selector, spec["priorityClassName"])
    terminating = spec.get("activeDeadlineSeconds") is not None
    return {
        "BestEffort": is_best_effort(spec),
        "NotBestEffort": not is_best_effort(spec),
        "Terminating": terminating,
        "NotTerminating": not terminating,
    }.get(scope, False)


def _matches_class(selector: Json, name: str) -> bool:
    listed = name in (selector.get("values") or [])
    return {"In": listed, "NotIn": not listed, "Exists": True}.get(selector.get("operator", ""), False)


def _constraint(quota: str, hard: Json, spec: Json, wanted: int) -> list[Shortage]:
    """Return a refusal for each resource that ``quota`` counts and a container leaves out."""
    if has_pod_level_resources(spec):
        return []
    found = []
    for resource in (name for name in _MUST_BE_SET if name in hard):
        kind, _, bare = resource.rpartition(".")
        lacking = [c["name"] for c in containers_of(spec) if bare not in c["resources"][kind or "requests"]]
        if lacking:
            clause = f"quota {quota} counts {resource}, which container {', '.join(lacking)} does not set"
            message = f"0 of {copies(wanted)} fit: {clause}"
            found.append(Shortage("QuotaConstraint", resource, "", "", 0, message))
    return found


def _exceeded(quota: str, hard: Amounts, used: Amounts, usage: Amounts, wanted: int) -> list[Shortage]:
    found = []
    for resource in (name for name in hard if usage.get(name, 0) > 0):
        left, each = max(hard[resource] - used[resource], 0), usage[resource]
        fits = left // each
        if fits < wanted:
            available, needed = format_amount(resource, left), format_amount(resource, each)
            counted = f"each needs {needed}; {available} left of {format_amount(resource, hard[resource])}"
            message = f"{fits} of {copies(wanted)} fit: quota {quota} on {resource} is short ({counted})"
            found.append(Shortage("QuotaExceeded", resource, available, needed, fits, message))
    return found
