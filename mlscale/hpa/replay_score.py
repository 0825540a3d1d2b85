"""What replayed replicas cost and what they leave unserved."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np

from mlscale.hpa.replay_model import Score

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlscale.hpa.replay_model import CountArray, FloatArray, World

_ROWS = 512
"""Syncs looked at together, which keeps the arrays between two steps small."""
_DAY = 86400.0


def ready_replicas(replicas: CountArray, world: World, first_replicas: int) -> CountArray:
    """The pods that serve after each sync, of shape (T, K): the least count since the youngest of them began.

    ``first_replicas`` pods were there long before.
    """
    return _ready(replicas, 0, len(replicas), world.ready_syncs, first_replicas)


def score_parts(
    demand: FloatArray, replicas: CountArray, request: FloatArray, world: World, first_replicas: int, parts: int
) -> list[Score]:
    """Score K settings on each of ``parts`` equal parts of the time, at most as many as there are syncs.

    ``demand`` of shape (T,) in cores, ``replicas`` of shape (T, K) after each sync, ``request`` of shape (K,) in
    cores a pod. ``first_replicas`` stood ahead of the first sync, so that its change counts.
    """
    edges = np.linspace(0, len(demand), parts + 1).round().astype(int).tolist()
    return [
        _score(demand, replicas, request, world, first_replicas, start, end) for start, end in itertools.pairwise(edges)
    ]


def _score(
    demand: FloatArray,
    replicas: CountArray,
    request: FloatArray,
    world: World,
    first: int,
    start: int,
    end: int,
) -> Score:
    """Of the syncs from ``start`` to ``end``."""
    unmet, saturated, pods, changes, peak = (np.zeros(len(request)) for _ in range(5))
    capacity = world.capacity_of(request)
    for rows in _chunks(start, end):
        missing = _ready(replicas, rows.start, rows.stop, world.ready_syncs, first) * -capacity
        np.add(missing, demand[rows, None], out=missing)
        np.maximum(missing, 0.0, out=missing)
        unmet += missing.sum(axis=0)
        saturated += np.count_nonzero(missing, axis=0)
        pods += replicas[rows].sum(axis=0)
        changes += np.count_nonzero(np.diff(_behind(replicas, rows.start, 1, rows.stop, first), axis=0), axis=0)
        np.maximum(peak, replicas[rows].max(axis=0), out=peak)
    hours, total = pods * world.sync_period / 3600.0, float(demand[start:end].sum())
    return Score(
        pod_hours=hours,
        core_hours=hours * request,
        gpu_hours=hours * world.gpus,
        unmet=unmet / total if total else unmet,
        saturated_minutes=saturated * world.sync_period / 60.0,
        changes_per_day=changes * _DAY / ((end - start) * world.sync_period),
        peak_replicas=peak,
    )


def _chunks(start: int, end: int) -> Iterator[slice]:
    return (slice(row, min(row + _ROWS, end)) for row in range(start, end, _ROWS))


def _ready(replicas: CountArray, start: int, end: int, syncs: int, first: int) -> CountArray:
    """The least over ``syncs`` + 1 rows, window after window of twice the width."""
    least, width = _behind(replicas, start, syncs, end, first), 1
    while width <= syncs:
        step = min(width, syncs + 1 - width)
        least = np.minimum(least[step:], least[:-step])
        width += step
    return least


def _behind(replicas: CountArray, start: int, back: int, end: int, first: int) -> CountArray:
    """The rows from ``start`` less ``back`` to ``end``; what lies before the first is ``first``."""
    if start >= back:
        return replicas[start - back : end]
    before = np.full((back - start, replicas.shape[1]), first, dtype=np.int32)
    return np.concatenate([before, replicas[:end]])
