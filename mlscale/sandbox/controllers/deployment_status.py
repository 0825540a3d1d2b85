"""What a Deployment's status says: pure functions from its ReplicaSets to the status.

The rules are those of kubernetes pkg/controller/deployment/sync.go (calculateStatus) and progress.go, v1.37.2.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from mlscale.sandbox.agenda import moment_of, timestamp
from mlscale.sandbox.controllers.conditions import condition_of, status_with, with_condition, without_condition
from mlscale.sandbox.controllers.rollout import goal_of, has_deadline, has_progressed, is_complete

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

Json = dict[str, Any]

AVAILABLE = "NewReplicaSetAvailable"
TIMED_OUT = "ProgressDeadlineExceeded"
PAUSED = "DeploymentPaused"


def new_condition(name: str, status: str, reason: str, message: str, now: datetime) -> Json:
    """A condition of a Deployment that changed ``now``."""
    moment = timestamp(now)
    return {
        "type": name,
        "status": status,
        "lastUpdateTime": moment,
        "lastTransitionTime": moment,
        "reason": reason,
        "message": message,
    }


def counted_status(deployment: Json, new: Json | None, old: Sequence[Json], now: datetime) -> Json:
    """The numbers and the Available condition; the other conditions as they are."""
    every = [*old, *([new] if new else [])]
    before = deployment.get("status") or {}
    available = _sum(every, "availableReplicas")
    numbers = {
        "observedGeneration": deployment["metadata"].get("generation", 0),
        "replicas": _sum(every, "replicas"),
        "updatedReplicas": _sum([new] if new else [], "replicas"),
        "readyReplicas": _sum(every, "readyReplicas"),
        "availableReplicas": available,
        "unavailableReplicas": max(0, sum(one["spec"].get("replicas", 1) for one in every) - available),
        "collisionCount": before.get("collisionCount", 0),
    }
    status = {name: number for name, number in numbers.items() if number}
    status["terminatingReplicas"] = _sum(every, "terminatingReplicas")
    conditions = with_condition(before.get("conditions") or [], _availability(deployment, available, now))
    return status_with(status, conditions)


def _sum(replicasets: Sequence[Json], field: str) -> int:
    return sum((one.get("status") or {}).get(field, 0) for one in replicasets)


def _availability(deployment: Json, available: int, now: datetime) -> Json:
    if available >= goal_of(deployment).least_available:
        message = "Deployment has minimum availability."
        return new_condition("Available", "True", "MinimumReplicasAvailable", message, now)
    message = "Deployment does not have minimum availability."
    return new_condition("Available", "False", "MinimumReplicasUnavailable", message, now)


def rollout_status(deployment: Json, new: Json | None, old: Sequence[Json], now: datetime) -> Json:
    """The status during and after a rollout: numbers, Available, Progressing and ReplicaFailure."""
    status = counted_status(deployment, new, old, now)
    conditions = status.get("conditions") or []
    if not has_deadline(deployment):
        conditions = without_condition(conditions, "Progressing")
    else:
        conditions = _with_progress(deployment, status, new, now)
    failure = _replica_failure(new, old)
    conditions = with_condition(conditions, failure) if failure else without_condition(conditions, "ReplicaFailure")
    return status_with(status, conditions)


def _with_progress(deployment: Json, status: Json, new: Json | None, now: datetime) -> list[Json]:
    conditions: list[Json] = status.get("conditions") or []
    current = condition_of(deployment.get("status") or {}, "Progressing")
    all_new = status.get("replicas", 0) == status.get("updatedReplicas", 0)
    if all_new and current and current["reason"] == AVAILABLE:
        return conditions
    subject = f'ReplicaSet "{new["metadata"]["name"]}"' if new else f'Deployment "{deployment["metadata"]["name"]}"'
    if is_complete(deployment, status):
        message = f"{subject} has successfully progressed."
        return with_condition(conditions, new_condition("Progressing", "True", AVAILABLE, message, now))
    if has_progressed(deployment.get("status") or {}, status):
        message = f"{subject} is progressing."
        condition = new_condition("Progressing", "True", "ReplicaSetUpdated", message, now)
        if current and current["status"] == "True":
            condition["lastTransitionTime"] = current["lastTransitionTime"]
        return [*without_condition(conditions, "Progressing"), condition]
    if _timed_out(deployment, current, now):
        message = f"{subject} has timed out progressing."
        return with_condition(conditions, new_condition("Progressing", "False", TIMED_OUT, message, now))
    return conditions


def _timed_out(deployment: Json, current: Json | None, now: datetime) -> bool:
    if current is None or current["reason"] == AVAILABLE:
        return False
    if current["reason"] == TIMED_OUT:
        return True
    deadline = timedelta(seconds=deployment["spec"]["progressDeadlineSeconds"])
    return moment_of(current["lastUpdateTime"]) + deadline < now


def seconds_until_check(deployment: Json, status: Json, now: datetime) -> float | None:
    """When to see whether the rollout has timed out, or None when it cannot."""
    current = condition_of(status, "Progressing")
    if not has_deadline(deployment) or current is None:
        return None
    if is_complete(deployment, status) or current["reason"] in (TIMED_OUT, AVAILABLE):
        return None
    deadline = moment_of(current["lastUpdateTime"]) + timedelta(seconds=deployment["spec"]["progressDeadlineSeconds"])
    return max(0.0, (deadline - now).total_seconds()) + 1.0


def _replica_failure(new: Json | None, old: Sequence[Json]) -> Json | None:
    """The ReplicaFailure of the new ReplicaSet, or else of an old one, as a Deployment's condition."""
    for replicaset in [*([new] if new else []), *old]:
        condition = condition_of(replicaset.get("status") or {}, "ReplicaFailure")
        if condition:
            return {**condition, "lastUpdateTime": condition["lastTransitionTime"]}
    return None


def paused_condition(deployment: Json, now: datetime) -> Json | None:
    """The Progressing condition to set because the Deployment was paused or resumed, or None."""
    current = condition_of(deployment.get("status") or {}, "Progressing")
    if not has_deadline(deployment) or (current and current["reason"] == TIMED_OUT):
        return None
    was_paused = bool(current and current["reason"] == PAUSED)
    paused = bool(deployment["spec"].get("paused"))
    if paused and not was_paused:
        return new_condition("Progressing", "Unknown", PAUSED, "Deployment is paused", now)
    if was_paused and not paused:
        return new_condition("Progressing", "Unknown", "DeploymentResumed", "Deployment is resumed", now)
    return None
