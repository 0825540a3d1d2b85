"""A replay the long way round: pods, samples and metrics as objects, through the whole of ``decide``."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from mlscale.hpa.flags import ControllerFlags
from mlscale.hpa.memory import Memory
from mlscale.hpa.metric_results import Reading, Workload
from mlscale.hpa.pod_groups import PodFacts, Sample
from mlscale.hpa.reconcile import Seen, decide, rescaled
from mlscale.hpa.scaling_spec import read_scaling_spec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlscale.hpa.conditions import Condition
    from mlscale.hpa.replay_model import CountArray, World
    from mlscale.hpa.scaling_spec import ScalingSpec

LONG_AGO = -1e9


def hpa_spec(low: int, high: int, target: int, behavior: dict[str, object] | None = None) -> ScalingSpec:
    """An HPA with one CPU utilization target."""
    metric = {
        "type": "Resource",
        "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": target}},
    }
    spec: dict[str, object] = {"minReplicas": low, "maxReplicas": high, "metrics": [metric]}
    return read_scaling_spec(spec if behavior is None else {**spec, "behavior": behavior})


def decided(demand: Sequence[float], spec: ScalingSpec, request_milli: int, world: World, first: int) -> CountArray:
    """The replicas after each sync; the newest pods are deleted first."""
    flags = ControllerFlags(cpu_initialization_period=world.cpu_initialization_period, keeps_edge=False)
    births = dict.fromkeys(range(first), LONG_AGO)
    before_the_first = dict.fromkeys(births, _use(demand[0], first, world))
    uses: list[dict[int, int]] = []
    memory = Memory()
    conditions: tuple[Condition, ...] = ()
    replicas: list[int] = []
    for sync, cores in enumerate(demand):
        now, seen = sync * world.sync_period, sync - 1 - world.lag_syncs
        used = uses[seen] if seen >= 0 else before_the_first
        found = _seen(births, used, request_milli, world, now)
        decision = decide(spec, found, conditions, memory, now, flags)
        if decision.rescale:
            decision = rescaled(decision, spec, now)
        memory, conditions = decision.memory, decision.conditions
        wanted = len(births) if decision.desired is None else decision.desired
        births = _scaled(births, wanted, now, sync)
        serving = [pod for pod, born in births.items() if born + world.startup <= now]
        uses.append(dict.fromkeys(serving, _use(cores, len(serving), world)))
        replicas.append(wanted)
    return np.array(replicas, dtype=np.int32)


def _seen(births: dict[int, float], used: dict[int, int], request: int, world: World, now: float) -> Seen:
    stamp = now - world.lag_syncs * world.sync_period
    samples = {str(pod): Sample(used.get(pod, 0), stamp, world.metric_window) for pod in births}
    reading = Reading(samples=samples, requests=dict.fromkeys(samples, request))
    pods = tuple(_pod(pod, born, now, world) for pod, born in births.items())
    return Seen(Workload("default", len(pods), len(pods), pods), (reading,))


def _scaled(births: dict[int, float], wanted: int, now: float, sync: int) -> dict[int, float]:
    """The oldest stay; a new pod has a number that no other had."""
    kept = dict(list(births.items())[:wanted])
    return kept | {(sync + 1) * 100_000 + place: now for place in range(len(kept), wanted)}


def _use(cores: float, serving: int, world: World) -> int:
    return math.ceil(min(cores * 1000.0 / serving, world.limit_milli))


def _pod(number: int, born: float, now: float, world: World) -> PodFacts:
    ready = born + world.startup <= now
    since = born + world.startup if ready else born
    return PodFacts(str(number), ready="True" if ready else "False", ready_since=since, started=born)
