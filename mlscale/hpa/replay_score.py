"""What replayed replicas cost and what they leave unserved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mlscale.hpa.replay_model import Score

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlscale.hpa.replay_model import CountArray, FloatArray, World

_COLUMNS = 16
"""Settings looked at together: so many counts fill a line of the cache, whose rows are settings side by side."""
_DAY = 86400.0


def ready_replicas(replicas: CountArray, world: World, first_replicas: int) -> CountArray:
    """The pods that serve after each sync, of shape (T, K): the least count since the youngest of them began.

    ``first_replicas`` pods were there long before.
    """
    return _ready(replicas.T, world.ready_syncs, first_replicas).T


def score_parts(
    demand: FloatArray, replicas: CountArray, request: FloatArray, world: World, first_replicas: int, parts: int
) -> list[Score]:
    """Score K settings on each of ``parts`` equal parts of the time, at most as many as there are syncs.

    ``demand`` of shape (T,) in cores, ``replicas`` of shape (T, K) after each sync, ``request`` of shape (K,) in
    cores a pod. ``first_replicas`` stood ahead of the first sync, so that its change counts.
    """
    edges = np.linspace(0, len(demand), parts + 1).round().astype(int)
    sums = _Sums(*(np.empty((parts, len(request))) for _ in range(5)))
    capacity = world.capacity_of(request)
    for start in range(0, len(request), _COLUMNS):
        some = slice(start, start + _COLUMNS)
        counts = np.ascontiguousarray(replicas[:, some].T)
        ready = _ready(counts, world.ready_syncs, first_replicas)
        sums.take(some, edges[:-1], counts, _missing(demand, ready, capacity[some]), first_replicas)
    total = np.add.reduceat(demand, edges[:-1])
    return [
        _score(sums, part, request, world, int(edges[part + 1] - edges[part]), total[part]) for part in range(parts)
    ]


@dataclass(frozen=True)
class _Sums:
    """Over the syncs of B parts, for K settings, arrays of shape (B, K)."""

    unmet: FloatArray
    saturated: FloatArray
    pods: FloatArray
    changes: FloatArray
    peak: FloatArray

    def take(self, some: slice, starts: NDArray[np.int_], counts: CountArray, missing: FloatArray, first: int) -> None:
        """Those of the settings at ``some``, from their ``counts`` and what they miss of the demand, (K, T)."""

        def summed(values: NDArray[Any]) -> NDArray[Any]:
            return np.add.reduceat(values, starts, axis=1, dtype=np.float64).T

        changed = np.empty(counts.shape, dtype=bool)
        np.not_equal(counts[:, :1], first, out=changed[:, :1])
        np.not_equal(counts[:, 1:], counts[:, :-1], out=changed[:, 1:])
        self.unmet[:, some], self.saturated[:, some] = summed(missing), summed(missing > 0)
        self.pods[:, some], self.changes[:, some] = summed(counts), summed(changed)
        self.peak[:, some] = np.maximum.reduceat(counts, starts, axis=1).T


def _score(sums: _Sums, part: int, request: FloatArray, world: World, syncs: int, total: float) -> Score:
    """Of one part, of ``syncs`` syncs with demand that adds up to ``total``."""
    hours = sums.pods[part] * world.sync_period / 3600.0
    return Score(
        pod_hours=hours,
        core_hours=hours * request,
        gpu_hours=hours * world.gpus,
        unmet=sums.unmet[part] / total if total else sums.unmet[part],
        saturated_minutes=sums.saturated[part] * world.sync_period / 60.0,
        changes_per_day=sums.changes[part] * _DAY / (syncs * world.sync_period),
        peak_replicas=sums.peak[part],
    )


def _missing(demand: FloatArray, ready: CountArray, capacity: FloatArray) -> FloatArray:
    """The demand that ``ready`` pods, (K, T), cannot serve."""
    missing = ready * -capacity[:, None]
    np.add(missing, demand, out=missing)
    return np.maximum(missing, 0.0, out=missing)


def _ready(counts: CountArray, syncs: int, first: int) -> CountArray:
    """The least of the last ``syncs`` + 1 of ``counts``, (K, T), window after window of twice the width."""
    least, width = np.concatenate([np.full((len(counts), syncs), first, dtype=np.int32), counts], axis=1), 1
    while width <= syncs:
        step = min(width, syncs + 1 - width)
        least = np.minimum(least[:, step:], least[:, :-step])
        width += step
    return least
