"""What the workload controllers ask of a pod.

The rules are those of kubernetes pkg/controller/controller_utils.go and pkg/api/v1/pod/util.go, v1.37.2.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cmp_to_key
from typing import TYPE_CHECKING, Any

from mlscale.sandbox.agenda import moment_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

Json = dict[str, Any]

_PHASES = {"Pending": 0, "Unknown": 1, "Running": 2}
DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"


def has_ended(pod: Json) -> bool:
    """Whether all of its containers have ended for good."""
    return (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")


def is_active(pod: Json) -> bool:
    """Whether a controller counts it among its replicas."""
    return not pod["metadata"].get("deletionTimestamp") and not has_ended(pod)


def is_terminating(pod: Json) -> bool:
    """Whether it was told to end and has not yet."""
    return bool(pod["metadata"].get("deletionTimestamp")) and not has_ended(pod)


def ready_since(pod: Json) -> str | None:
    """When its Ready condition became True, or None while it is not."""
    for condition in (pod.get("status") or {}).get("conditions") or ():
        if condition.get("type") == "Ready":
            return str(condition.get("lastTransitionTime")) if condition.get("status") == "True" else None
    return None


def is_available(pod: Json, min_ready_seconds: int, now: datetime) -> bool:
    """Whether it has been ready for ``min_ready_seconds``."""
    return seconds_until_available(pod, min_ready_seconds, now) == 0


def seconds_until_available(pod: Json, min_ready_seconds: int, now: datetime) -> float | None:
    """How long a ready pod still has to stay so, 0 when it is available, None while it is not ready."""
    since = ready_since(pod)
    if since is None:
        return None
    if not min_ready_seconds:
        return 0.0
    return max(0.0, min_ready_seconds - (now - moment_of(since)).total_seconds())


@dataclass(frozen=True, slots=True)
class PodState:
    """What a controller counts of a pod; the same for most of its pods."""

    active: bool
    terminating: bool
    ready: bool
    labels: frozenset[tuple[str, str]]


def state_of(pod: Json) -> PodState:
    """The state of a pod."""
    labels = frozenset((pod["metadata"].get("labels") or {}).items())
    return PodState(is_active(pod), is_terminating(pod), ready_since(pod) is not None, labels)


def pods_to_delete(pods: Sequence[Json], related: Iterable[Json], count: int, now: datetime) -> list[Json]:
    """The ``count`` of ``pods`` that a controller that has too many ends first.

    Unassigned before assigned, pending before running, not ready before ready, lower deletion cost, more of
    ``related`` (the pods of the same workload) on the node, ready for less time, more restarts, younger; times
    are compared by their binary logarithm, and equals by uid.
    """
    if count >= len(pods):
        return list(pods)
    on_node: dict[str, int] = {}
    for pod in related:
        if is_active(pod):
            node = pod["spec"].get("nodeName") or ""
            on_node[node] = on_node.get(node, 0) + 1
    ranked = sorted((_rank(pod, on_node, now) for pod in pods), key=cmp_to_key(_compare))
    return [rank.pod for rank in ranked[:count]]


@dataclass(frozen=True, slots=True)
class _Rank:
    pod: Json
    first: tuple[int, ...]
    """What decides before any time does."""
    ready_at: str | None
    ready_rank: int
    restarts: int
    created_at: str
    created_rank: int
    uid: str


def _rank(pod: Json, on_node: dict[str, int], now: datetime) -> _Rank:
    node, metadata, since = pod["spec"].get("nodeName") or "", pod["metadata"], ready_since(pod)
    phase = _PHASES.get((pod.get("status") or {}).get("phase", ""), 0)
    first = (int(bool(node)), phase, int(since is not None), _deletion_cost(pod), -on_node.get(node, 0))
    created = metadata.get("creationTimestamp") or ""
    return _Rank(
        pod, first, since, _age_rank(since, now), _restarts(pod), created, _age_rank(created, now), metadata["uid"]
    )


def _compare(one: _Rank, other: _Rank) -> int:
    if one.first != other.first:
        return -1 if one.first < other.first else 1
    if one.ready_at != other.ready_at:
        return (one.ready_rank - other.ready_rank) or _order(one.uid, other.uid)
    if one.restarts != other.restarts:
        return other.restarts - one.restarts
    if one.created_at != other.created_at:
        return (one.created_rank - other.created_rank) or _order(one.uid, other.uid)
    return 0


def _order(one: str, other: str) -> int:
    return (one > other) - (one < other)


def _deletion_cost(pod: Json) -> int:
    text = (pod["metadata"].get("annotations") or {}).get(DELETION_COST, "0")
    try:
        return int(text)
    except ValueError:
        return 0


def _age_rank(since: str | None, now: datetime) -> int:
    nanoseconds = (now - moment_of(since)).total_seconds() * 1e9 if since else 0
    return int(math.log2(nanoseconds)) if nanoseconds > 0 else -1


def _restarts(pod: Json) -> int:
    statuses = (pod.get("status") or {}).get("containerStatuses") or ()
    return max((int(status.get("restartCount") or 0) for status in statuses), default=0)
