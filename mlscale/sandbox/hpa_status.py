"""An HPA's status as JSON, and what its controller reads back of it.

Source: setStatus and updateStatusIfNeeded in kubernetes pkg/controller/podautoscaler/horizontal.go, v1.37.2.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mlscale.hpa.conditions import Condition
from mlscale.sandbox.agenda import moment_of, timestamp

if TYPE_CHECKING:
    from mlscale.hpa.reconcile import Decision

Json = dict[str, Any]


def conditions_of(hpa: Json) -> tuple[Condition, ...]:
    """The conditions in the status of ``hpa``."""
    listed = (hpa.get("status") or {}).get("conditions") or []
    return tuple(
        Condition(
            type=one["type"],
            status=one["status"],
            reason=one.get("reason") or "",
            message=one.get("message") or "",
            since=moment_of(one["lastTransitionTime"]).timestamp() if one.get("lastTransitionTime") else 0.0,
        )
        for one in listed
    )


def status_of(hpa: Json, conditions: tuple[Condition, ...], decision: Decision | None = None, now: float = 0.0) -> Json:
    """The status after a run; without a decision only the conditions change. Zero counts are left out."""
    before = {"currentMetrics": None, "desiredReplicas": 0, **(hpa.get("status") or {})}
    status = {**before, "conditions": [_condition(one) for one in conditions]}
    if decision is None:
        return status
    status["currentReplicas"] = decision.current
    status["currentMetrics"] = list(decision.metrics) or None
    status["observedGeneration"] = hpa["metadata"].get("generation") or 0
    if decision.desired is not None:
        status["desiredReplicas"] = decision.desired
    if decision.rescale:
        status["lastScaleTime"] = _text(now)
    return {name: value for name, value in status.items() if name != "currentReplicas" or value}


def equal_statuses(one: Json, other: Json) -> bool:
    """Whether a write would change nothing: an empty field is as good as none."""
    return _filled(one) == _filled(other)


def _filled(status: Json) -> Json:
    return {name: value for name, value in status.items() if value}


def _condition(condition: Condition) -> Json:
    return {
        "type": condition.type,
        "status": condition.status,
        "lastTransitionTime": _text(condition.since),
        "reason": condition.reason,
        "message": condition.message,
    }


def _text(seconds: float) -> str:
    return timestamp(datetime.fromtimestamp(seconds, UTC))
