"""What is wrong with nodes, events, config maps and disruption budgets.

The rules are those of pkg/apis/core/validation/{validation,events}.go and pkg/apis/policy/validation, v1.37.2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlscale.sandbox import formats
from mlscale.sandbox.causes import duplicate, each_invalid, forbidden, invalid, not_supported, required
from mlscale.sandbox.validation_metadata import selector_causes
from mlscale.sandbox.validation_placement import EFFECTS
from mlscale.sandbox.validation_resources import amount_causes
from mlscale.sandbox.validation_workloads import count_or_percent_causes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlscale.sandbox.statuses import Cause

Json = dict[str, Any]

_FIXED = "field is immutable when `immutable` is set"
_EVICTION_POLICIES = ("AlwaysAllow", "IfHealthyBudget")


def node_causes(node: Json, _before: Json | None) -> Iterator[Cause]:
    """Taints and amounts of a node."""
    seen: set[tuple[str, str]] = set()
    for index, taint in enumerate((node.get("spec") or {}).get("taints") or []):
        path = f"metadata.taints[{index}]"
        key, value, effect = (taint.get(name) or "" for name in ("key", "value", "effect"))
        yield from each_invalid(f"{path}.key", key, formats.label_key(key))
        errors = formats.label_value(value)
        if errors:
            yield invalid(f"{path}.value", value, ";".join(errors))
        if not effect:
            yield required(f"{path}.effect")
        elif effect not in EFFECTS:
            yield not_supported(f"{path}.effect", effect, EFFECTS)
        if (key, effect) in seen:
            shown = {"Key": key, "Value": value, "Effect": effect, "TimeAdded": taint.get("timeAdded")}
            yield duplicate(path, shown, "taints must be unique by key and effect pair")
        seen.add((key, effect))
    for kind in ("capacity", "allocatable"):
        for name, amount in sorted(((node.get("status") or {}).get(kind) or {}).items()):
            yield from amount_causes(f"status.{kind}.{name}", name, amount)


def event_causes(event: Json, _before: Json | None) -> Iterator[Cause]:
    """An event stands in the namespace of the object that it is about."""
    involved = (event.get("involvedObject") or {}).get("namespace") or ""
    namespace = (event.get("metadata") or {}).get("namespace") or ""
    if involved != namespace and (involved or namespace != "default"):
        yield invalid("involvedObject.namespace", involved, "does not match event.namespace")


def config_map_causes(config_map: Json, before: Json | None) -> Iterator[Cause]:
    """The keys of a ConfigMap; one that is immutable stays as it is."""
    if before is not None and before.get("immutable"):
        if not config_map.get("immutable"):
            yield forbidden("immutable", _FIXED)
        for key in ("data", "binaryData"):
            if (config_map.get(key) or {}) != (before.get(key) or {}):
                yield forbidden(key, _FIXED)
    for field in ("data", "binaryData"):
        for key in sorted(config_map.get(field) or {}):
            yield from each_invalid(f"{field}[{key}]", key, formats.config_key(key))
            if field == "data" and key in (config_map.get("binaryData") or {}):
                yield invalid(f"data[{key}]", key, "duplicate of key present in binaryData")


def budget_causes(spec: Json) -> Iterator[Cause]:
    """A PodDisruptionBudget says what must stay or what may go, not both."""
    least, most = spec.get("minAvailable"), spec.get("maxUnavailable")
    policy = spec.get("unhealthyPodEvictionPolicy")
    if least is not None and most is not None:
        shown = {"MinAvailable": least, "Selector": spec.get("selector"), "MaxUnavailable": most}
        shown["UnhealthyPodEvictionPolicy"] = policy
        yield invalid("spec", shown, "minAvailable and maxUnavailable cannot be both set")
    for key, value in (("minAvailable", least), ("maxUnavailable", most)):
        if value is not None:
            yield from count_or_percent_causes(f"spec.{key}", value)
    yield from selector_causes("spec.selector", spec.get("selector"))
    if policy is not None and policy not in _EVICTION_POLICIES:
        yield not_supported("spec.unhealthyPodEvictionPolicy", policy, _EVICTION_POLICIES)
