"""One HPA of any ``spec.behavior`` replayed on recorded demand, sync by sync.

The arithmetic of mlscale/hpa/calculator.py for pods that are all alike, then the controller's own stabilization,
limits and memory. For many settings with the default policies there is mlscale/hpa/replay.py, which agrees.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from mlscale.hpa.flags import ControllerFlags
from mlscale.hpa.limits import limited, limited_by
from mlscale.hpa.memory import Memory, seeded, with_scale_event
from mlscale.hpa.replay_model import Trajectory
from mlscale.hpa.stabilization import stabilized, stabilized_by

if TYPE_CHECKING:
    from mlscale.hpa.replay_model import CountArray, FloatArray, World
    from mlscale.hpa.scaling_spec import ScalingSpec

_FLAGS = ControllerFlags(keeps_edge=False)


def replay_spec(demand: FloatArray, spec: ScalingSpec, request: float, world: World, first_replicas: int) -> Trajectory:
    """The replicas, of shape (T, 1), of an HPA with one CPU utilization target.

    ``demand`` is in cores of all pods together, one value a sync; ``request`` in cores a pod. ``world.tolerance``
    is not looked at: ``spec`` has its own. Raises ValueError for any other metric and for no replicas at first.
    """
    metric = spec.metrics[0]
    if len(spec.metrics) != 1 or metric.utilization is None or metric.name != "cpu":
        raise ValueError("only an HPA with one CPU utilization target can be replayed on CPU use")
    if first_replicas < 1:
        raise ValueError("a replay starts with at least 1 replica")
    pods = _Pods((np.asarray(demand) * 1000.0).tolist(), world, first_replicas, math.ceil(round(request * 1000, 6)))
    memory = Memory()
    for sync in range(len(demand)):
        now = sync * world.sync_period
        current = pods.replicas[sync]
        memory = seeded(memory, current, now)
        desired, memory = _desired(spec, metric.utilization, pods, memory, sync, now)
        if desired != current:
            memory = with_scale_event(memory, spec.behavior, current, desired, now)
        pods.scale(sync, desired)
    return Trajectory(_column(pods.replicas[1:]), _column(pods.ready))


def _desired(spec: ScalingSpec, target: int, pods: _Pods, memory: Memory, sync: int, now: float) -> tuple[int, Memory]:
    current, least, most = pods.replicas[sync], spec.min_replicas, spec.max_replicas
    if not least <= current <= most:
        return (most if current > most else least), memory
    raw = pods.proposed(sync, target, 1.0 - spec.tolerance.down, 1.0 + spec.tolerance.up)
    if spec.behavior is None:
        stable, memory = stabilized(raw, memory, now, _FLAGS)
        return limited(stable, current, least, most).replicas, memory
    stable, memory = stabilized_by(spec.behavior, raw, current, memory, now)
    return limited_by(spec.behavior, stable, current, least, most, memory, now).replicas, memory


def _column(counts: list[int]) -> CountArray:
    return np.array(counts, dtype=np.int32)[:, None]


class _Pods:
    """Pods by age. The newest go first, so those of age a or more are the least count of the last a syncs.

    In lists: single values of arrays, and the least of a few, take numpy five times as long.
    """

    def __init__(self, demand_milli: list[float], world: World, first: int, request: int) -> None:
        self.replicas = [first] * (len(demand_milli) + 1)
        """Before each sync, and after the last."""
        self.ready = [first] * len(demand_milli)
        self._demand, self._world, self._request = demand_milli, world, request

    def scale(self, sync: int, desired: int) -> None:
        """Let ``desired`` pods exist from ``sync`` on."""
        self.replicas[sync + 1] = desired
        self.ready[sync] = self._older(sync + 1, self._world.ready_syncs)

    def proposed(self, sync: int, target: int, low: float, high: float) -> int:
        """As GetResourceReplicas with every unready pod counted as idle when scaling up."""
        current, counted = self.replicas[sync], self._older(sync, self._world.counted_syncs - 1)
        used = min(counted, self._older(sync, self._world.measured_syncs - 1)) * self._use(sync)
        if 100 * used // (counted * self._request) > target:
            ratio = 100 * used // (current * self._request) / target
            return math.ceil(ratio * current) if ratio > high else current
        ratio = 100 * used // (counted * self._request) / target
        return math.ceil(ratio * counted) if ratio < low else current

    def _use(self, sync: int) -> int:
        """Of one pod, in millicores, as the sample shows it that the controller reads at ``sync``."""
        seen = sync - 1 - self._world.lag_syncs
        ready = self.ready[seen] if seen >= 0 else self.replicas[0]
        return math.ceil(min(self._demand[max(seen, 0)] / ready, self._world.limit_milli))

    def _older(self, row: int, syncs: int) -> int:
        """The least of the replicas at ``row`` and the ``syncs`` rows before it."""
        return min(self.replicas[max(0, row - syncs) : row + 1])
