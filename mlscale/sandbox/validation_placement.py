"""What is wrong with where a pod wants to run: tolerations, affinity, spread constraints.

The rules are those of pkg/apis/core/validation/validation.go, v1.37.2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlscale.sandbox import formats
from mlscale.sandbox.causes import duplicate, each_invalid, forbidden, invalid, not_supported, required
from mlscale.sandbox.validation_metadata import selector_causes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlscale.sandbox.statuses import Cause

Json = dict[str, Any]

EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
_NOT_POSITIVE = "must be greater than zero"
_KEYLESS = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
_MOST_WEIGHT = 100


def toleration_causes(path: str, tolerations: list[Json]) -> Iterator[Cause]:
    """Each toleration on its own."""
    for index, toleration in enumerate(tolerations):
        yield from _toleration(f"{path}[{index}]", toleration)


def affinity_causes(path: str, affinity: Json) -> Iterator[Cause]:
    """Node affinity, pod affinity and anti-affinity."""
    node = affinity.get("nodeAffinity") or {}
    if node.get(_REQUIRED) is not None:
        yield from _node_selector(f"{path}.nodeAffinity.{_REQUIRED}", node[_REQUIRED])
    for index, term in enumerate(node.get(_PREFERRED) or []):
        at = f"{path}.nodeAffinity.{_PREFERRED}[{index}]"
        yield from _weight(f"{at}.weight", term.get("weight") or 0)
        yield from _node_term(f"{at}.preference", term.get("preference") or {})
    for key in ("podAffinity", "podAntiAffinity"):
        yield from _pod_affinity(f"{path}.{key}", affinity.get(key) or {})


def spread_causes(path: str, constraints: list[Json]) -> Iterator[Cause]:
    """Topology spread constraints; no two of the same key and action."""
    for index, constraint in enumerate(constraints):
        at, skew = f"{path}[{index}]", constraint.get("maxSkew") or 0
        if skew <= 0:
            yield invalid(f"{at}.maxSkew", skew, _NOT_POSITIVE)
        if not constraint.get("topologyKey"):
            yield required(f"{at}.topologyKey", "can not be empty")
        action = constraint.get("whenUnsatisfiable") or ""
        if action not in ("DoNotSchedule", "ScheduleAnyway"):
            yield not_supported(f"{at}.whenUnsatisfiable", action, ("DoNotSchedule", "ScheduleAnyway"))
        if any(_kind_of_spread(other) == _kind_of_spread(constraint) for other in constraints[index + 1 :]):
            named = f"{{{constraint.get('topologyKey') or ''}, {action}}}"
            yield duplicate(f"{at}.{{topologyKey, whenUnsatisfiable}}", named)
        yield from _least_domains(f"{at}.minDomains", constraint.get("minDomains"), action)
        yield from selector_causes(f"{at}.labelSelector", constraint.get("labelSelector"))


def added_only(path: str, tolerations: list[Json], before: list[Json]) -> Iterator[Cause]:
    """A pod may get more tolerations, and its old ones other ``tolerationSeconds``."""
    kept = [_untimed(toleration) for toleration in tolerations]
    if any(_untimed(toleration) not in kept for toleration in before):
        yield forbidden(path, "existing toleration can not be modified except its tolerationSeconds")


def _untimed(toleration: Json) -> Json:
    return {key: value for key, value in toleration.items() if key != "tolerationSeconds"}


def _kind_of_spread(constraint: Json) -> tuple[Any, Any]:
    return constraint.get("topologyKey"), constraint.get("whenUnsatisfiable")


def _least_domains(path: str, least: int | None, action: str) -> Iterator[Cause]:
    if least is None:
        return
    if least <= 0:
        yield invalid(path, least, _NOT_POSITIVE)
    if action != "DoNotSchedule":
        words = f"can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {action}"
        yield invalid(path, least, words)


def _toleration(path: str, toleration: Json) -> Iterator[Cause]:
    key, operator = toleration.get("key") or "", toleration.get("operator") or ""
    value, effect = toleration.get("value") or "", toleration.get("effect") or ""
    if key:
        yield from each_invalid(f"{path}.key", key, formats.label_key(key))
    elif operator != "Exists":
        yield invalid(f"{path}.operator", operator, _KEYLESS)
    if toleration.get("tolerationSeconds") is not None and effect != "NoExecute":
        yield invalid(f"{path}.effect", effect, "effect must be 'NoExecute' when `tolerationSeconds` is set")
    if operator in ("Equal", ""):
        errors = formats.label_value(value)
        if errors:
            yield invalid(f"{path}.operator", value, ";".join(errors))
    elif operator == "Exists":
        if value:
            yield invalid(f"{path}.operator", value, "value must be empty when `operator` is 'Exists'")
    elif operator not in ("Lt", "Gt"):
        yield not_supported(f"{path}.operator", operator, ("Equal", "Exists"))
    if effect and effect not in EFFECTS:
        yield not_supported(f"{path}.effect", effect, EFFECTS)


def _node_selector(path: str, selector: Json) -> Iterator[Cause]:
    terms = selector.get("nodeSelectorTerms") or []
    if not terms:
        yield required(f"{path}.nodeSelectorTerms", "must have at least one node selector term")
    for index, term in enumerate(terms):
        yield from _node_term(f"{path}.nodeSelectorTerms[{index}]", term)


def _node_term(path: str, term: Json) -> Iterator[Cause]:
    for index, expression in enumerate(term.get("matchExpressions") or []):
        yield from _node_expression(f"{path}.matchExpressions[{index}]", expression)


def _node_expression(path: str, expression: Json) -> Iterator[Cause]:
    operator, values = expression.get("operator") or "", expression.get("values") or []
    if operator in ("In", "NotIn"):
        if not values:
            yield required(f"{path}.values", "must be specified when `operator` is 'In' or 'NotIn'")
    elif operator in ("Exists", "DoesNotExist"):
        if values:
            yield forbidden(f"{path}.values", "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")
    elif operator in ("Gt", "Lt"):
        if len(values) != 1:
            yield required(f"{path}.values", "must be specified single value when `operator` is 'Lt' or 'Gt'")
    else:
        yield invalid(f"{path}.operator", operator, "not a valid selector operator")
    key = expression.get("key") or ""
    yield from each_invalid(f"{path}.key", key, formats.label_key(key))
    for index, value in enumerate(values):
        yield from each_invalid(f"{path}.values[{index}]", value, formats.label_value(value))


def _pod_affinity(path: str, affinity: Json) -> Iterator[Cause]:
    for index, term in enumerate(affinity.get(_REQUIRED) or []):
        yield from _pod_term(f"{path}.{_REQUIRED}[{index}]", term)
    for index, weighted in enumerate(affinity.get(_PREFERRED) or []):
        at = f"{path}.{_PREFERRED}[{index}]"
        yield from _weight(f"{at}.weight", weighted.get("weight") or 0)
        yield from _pod_term(f"{at}.podAffinityTerm", weighted.get("podAffinityTerm") or {})


def _pod_term(path: str, term: Json) -> Iterator[Cause]:
    yield from selector_causes(f"{path}.labelSelector", term.get("labelSelector"))
    yield from selector_causes(f"{path}.namespaceSelector", term.get("namespaceSelector"))
    for name in term.get("namespaces") or []:
        yield from each_invalid(f"{path}.namespace", name, formats.dns_label(name))
    key = term.get("topologyKey") or ""
    if not key:
        yield required(f"{path}.topologyKey", "can not be empty")
    yield from each_invalid(f"{path}.topologyKey", key, formats.label_key(key))


def _weight(path: str, weight: int) -> Iterator[Cause]:
    if not 0 < weight <= _MOST_WEIGHT:
        yield invalid(path, weight, "must be in the range 1-100")
