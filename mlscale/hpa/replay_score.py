"""What replayed replicas cost and what they leave unserved."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mlscale.hpa.replay_model import Score

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlscale.hpa.replay_model import CountArray, FloatArray, World

_AT_ONCE = 2**17
"""Counts looked at together, which keeps the arrays between two steps small."""
_FEWEST = 256
"""Syncs of them at least."""
_DAY = 86400.0


def ready_replicas(replicas: CountArray, world: World, first_replicas: int) -> CountArray:
    """The pods that serve after each sync, of shape (T, K): the least count since the youngest of them began.

    ``first_replicas`` pods were there long before.
    """
    return _least(_since(replicas, 0, len(replicas), world.ready_syncs, first_replicas), world.ready_syncs).T


def score_parts(
    demand: FloatArray, replicas: CountArray, request: FloatArray, world: World, first_replicas: int, parts: int
) -> list[Score]:
    """Score K settings on each of ``parts`` equal parts of the time, at most as many as there are syncs.

    ``demand`` of shape (T,) in cores, ``replicas`` of shape (T, K) after each sync, ``request`` of shape (K,) in
    cores a pod. ``first_replicas`` stood ahead of the first sync, so that its change counts.
    """
    edges = np.linspace(0, len(demand), parts + 1).round().astype(int).tolist()
    sums = _Sums(*(np.zeros((parts, len(request))) for _ in range(5)))
    capacity, back = world.capacity_of(request), max(1, world.ready_syncs)
    for part, (start, end) in enumerate(itertools.pairwise(edges)):
        for rows in _chunks(start, end, len(request)):
            counts = _since(replicas, rows.start, rows.stop, back, first_replicas)
            ready = _least(counts, world.ready_syncs)[:, -len(demand[rows]) :]
            sums.take(part, counts[:, back - 1 :], _missing(demand[rows], ready, capacity))
    lengths, totals = np.diff(edges).tolist(), np.add.reduceat(demand, edges[:-1]).tolist()
    return [_score(sums, part, request, world, lengths[part], totals[part]) for part in range(parts)]


@dataclass(frozen=True)
class _Sums:
    """Over the syncs of B parts, for K settings, arrays of shape (B, K)."""

    unmet: FloatArray
    saturated: FloatArray
    pods: FloatArray
    changes: FloatArray
    peak: FloatArray

    def take(self, part: int, counts: CountArray, missing: FloatArray) -> None:
        """Add some syncs of ``part``: what they miss, (K, T), and the counts from one sync earlier on."""
        now = counts[:, 1:]
        self.unmet[part] += missing.sum(axis=1)
        self.saturated[part] += np.count_nonzero(missing, axis=1)
        self.pods[part] += now.sum(axis=1)
        self.changes[part] += np.count_nonzero(now != counts[:, :-1], axis=1)
        np.maximum(self.peak[part], now.max(axis=1), out=self.peak[part])


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


def _chunks(start: int, end: int, count: int) -> Iterator[slice]:
    step = max(_FEWEST, _AT_ONCE // max(count, 1))
    return (slice(row, min(row + step, end)) for row in range(start, end, step))


def _since(replicas: CountArray, start: int, end: int, back: int, first: int) -> CountArray:
    """Rows ``start`` less ``back`` to ``end`` as columns; what lies before the first is ``first``."""
    rows = replicas[max(0, start - back) : end].T
    if start >= back:
        return np.ascontiguousarray(rows)
    return np.concatenate([np.full((len(rows), back - start), first, dtype=np.int32), rows], axis=1)


def _least(counts: CountArray, syncs: int) -> CountArray:
    """The least of the last ``syncs`` + 1 of ``counts``, (K, T), where there are so many."""
    least, width = counts, 1
    while width <= syncs:
        step = min(width, syncs + 1 - width)
        least = np.minimum(least[:, step:], least[:, :-step])
        width += step
    return least
