"""What to try for a workload: counts that fit, targets that its use can reach, in the world that its pods live in."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from mlscale.hpa.behavior import tolerance_of
from mlscale.hpa.reach import lowest_use_up
from mlscale.hpa.replay_model import World
from mlscale.kube.pods import timestamp
from mlscale.recommend.search import Aim, Bounds

if TYPE_CHECKING:
    from mlscale.hpa.tolerance import Tolerance
    from mlscale.recommend.evidence import WorkloadFacts
    from mlscale.recommend.signs import Signs

Json = dict[str, Any]

UNBOUNDED = 10_000
"""Replicas to stay under where nobody could say how many fit."""
_LONGEST_START = 1800.0
_USUAL_START = 30.0


@dataclass(frozen=True)
class Plan:
    """What is tried."""

    request: float
    """Cores a pod, with the sizes that are recommended."""
    request_now: float
    """Cores a pod as it runs; what is recommended where it has no request."""
    world: World
    bounds: Bounds
    aim: Aim


def plan_trial(facts: WorkloadFacts, signs: Signs, request: float, limit: float | None, aim: Aim) -> Plan:
    """What to try: ``request`` and ``limit`` in cores a pod; counts that fit; targets that the use can reach."""
    tolerance = tolerance_of(facts.hpa["spec"].get("behavior") if facts.hpa else None)
    scheduled = sum(bool((pod.get("spec") or {}).get("nodeName")) for pod in facts.pods)
    most = UNBOUNDED if signs.room is None else max(1, scheduled + signs.room)
    world = World(
        startup=startup_seconds(facts), limit=math.inf if limit is None else limit, gpus=signs.gpus, tolerance=tolerance
    )
    bounds = Bounds(most_replicas=most, requests=(request,), least_replicas=min(least_replicas(facts, aim), most))
    targets = tuple(target for target in bounds.targets if _reachable(target, request, limit, tolerance))
    return Plan(request, signs.cpu_request or request, world, replace(bounds, targets=targets), aim)


def least_replicas(facts: WorkloadFacts, aim: Aim) -> int:
    """Two where one pod's end may not be an outage: for reliability, where a PodDisruptionBudget says so, and, unless
    cost is all that counts, where two are kept now."""
    if aim.objective == "reliability" or facts.pdbs:
        return 2
    least = facts.hpa["spec"].get("minReplicas", 1) if facts.hpa else facts.replicas
    return 2 if least >= 2 and aim.objective != "cost" else 1


def startup_seconds(facts: WorkloadFacts) -> float:
    """The median time from a pod's creation to its present Ready; 30 s where no pod shows it.

    A pod that lost Ready and found it again shows a longer time: half an hour and more is left out.
    """
    times = [seconds for pod in facts.pods if (seconds := _ready_after(pod)) is not None]
    return statistics.median(times) if times else _USUAL_START


def _ready_after(pod: Json) -> float | None:
    created = timestamp((pod.get("metadata") or {}).get("creationTimestamp"))
    for condition in (pod.get("status") or {}).get("conditions") or ():
        if condition.get("type") == "Ready" and condition.get("status") == "True":
            ready = timestamp(condition.get("lastTransitionTime"))
            seconds = (ready - created).total_seconds() if ready and created else -1.0
            return seconds if 0 <= seconds < _LONGEST_START else None
    return None


def _reachable(target: int, request: float, limit: float | None, tolerance: Tolerance) -> bool:
    """Whether the limit lets the use reach what adds a replica: at 95 % of the limit at most, so that it is seen."""
    return limit is None or lowest_use_up(target, 1, tolerance) <= 0.95 * 100.0 * limit / request
