"""What a replayed trajectory costs and what it leaves unserved."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlscale.hpa.replay_model import Score, Trajectory

if TYPE_CHECKING:
    from mlscale.hpa.replay_model import CountArray, FloatArray, World

_ROWS = 2048
"""Syncs looked at together, which keeps the arrays between two steps small."""
_DAY = 86400.0


def ready_replicas(replicas: CountArray, world: World, first_replicas: int) -> CountArray:
    """The pods that serve after each sync, of shape (T, K): the least count since the youngest of them began.

    ``first_replicas`` pods were there long before.
    """
    syncs = world.ready_syncs
    if not syncs:
        return replicas
    before = np.full((syncs, replicas.shape[1]), first_replicas, dtype=np.int32)
    least, width = np.concatenate([before, replicas]), 1
    while width <= syncs:
        step = min(width, syncs + 1 - width)
        least = np.minimum(least[step:], least[:-step])
        width += step
    return least


def score_replicas(
    demand: FloatArray, trajectory: Trajectory, request: FloatArray, world: World, before: int | CountArray
) -> Score:
    """Score K trajectories; ``request`` of shape (K,) in cores a pod.

    ``before`` replicas stood ahead of the first sync, so that its change counts.
    """
    syncs, count = trajectory.replicas.shape
    unmet, saturated, pods, changes, peak = (np.zeros(count) for _ in range(5))
    capacity = world.capacity_of(request)
    for start in range(0, syncs, _ROWS):
        rows = slice(start, start + _ROWS)
        replicas = trajectory.replicas[rows]
        missing = np.asarray(demand)[rows, None] - trajectory.ready[rows] * capacity
        np.maximum(missing, 0.0, out=missing)
        unmet += missing.sum(axis=0)
        saturated += np.count_nonzero(missing, axis=0)
        pods += replicas.sum(axis=0, dtype=np.float64)
        changes += (replicas[0] != before) + np.count_nonzero(replicas[1:] != replicas[:-1], axis=0)
        np.maximum(peak, replicas.max(axis=0), out=peak)
        before = replicas[-1]
    hours, total = pods * world.sync_period / 3600.0, float(np.sum(demand))
    return Score(
        pod_hours=hours,
        core_hours=hours * request,
        gpu_hours=hours * world.gpus,
        unmet=unmet / total if total else unmet,
        saturated_minutes=saturated * world.sync_period / 60.0,
        changes_per_day=changes * _DAY / (syncs * world.sync_period),
        peak_replicas=peak,
    )


def score_parts(
    demand: FloatArray, trajectory: Trajectory, request: FloatArray, world: World, first_replicas: int, parts: int
) -> list[Score]:
    """Score each of ``parts`` equal parts of the time; ``parts`` is at most the number of syncs."""
    edges = np.linspace(0, len(demand), parts + 1).round().astype(int)
    scores: list[Score] = []
    before = np.full(len(request), first_replicas, dtype=np.int32)
    for start, end in zip(edges[:-1], edges[1:], strict=True):
        part = Trajectory(trajectory.replicas[start:end], trajectory.ready[start:end])
        scores.append(score_replicas(demand[start:end], part, request, world, before))
        before = part.replicas[-1]
    return scores
