"""Conditions of a status as the workload controllers set them.

The rules are those of kubernetes pkg/controller/deployment/util/deployment_util.go and
pkg/controller/replicaset/replica_set_utils.go, v1.37.2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

Json = dict[str, Any]


def condition_of(status: Json, name: str) -> Json | None:
    """The condition of one type, or None."""
    conditions = status.get("conditions") or ()
    return next((condition for condition in conditions if condition.get("type") == name), None)


def with_condition(conditions: Sequence[Json], condition: Json) -> list[Json]:
    """``conditions`` with ``condition`` last, unless one of its type has the same status and reason already.

    While the status stays the same, so does lastTransitionTime.
    """
    current = next((known for known in conditions if known["type"] == condition["type"]), None)
    if current and current["status"] == condition["status"] and current.get("reason") == condition.get("reason"):
        return list(conditions)
    if current and current["status"] == condition["status"]:
        condition = {**condition, "lastTransitionTime": current["lastTransitionTime"]}
    return [*without_condition(conditions, condition["type"]), condition]


def without_condition(conditions: Sequence[Json], name: str) -> list[Json]:
    """``conditions`` without those of one type."""
    return [condition for condition in conditions if condition["type"] != name]


def status_with(status: Json, conditions: Sequence[Json]) -> Json:
    """``status`` with these conditions, or without the field when there are none."""
    rest = {name: value for name, value in status.items() if name != "conditions"}
    return rest | ({"conditions": list(conditions)} if conditions else {})
