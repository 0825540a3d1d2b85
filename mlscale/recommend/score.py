"""What one setting comes to on demand that was recorded, and whether two settings differ by more than chance."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mlscale.hpa.replay import replay_runs
from mlscale.hpa.replay_model import Run, Score, Setting, World, candidates_of
from mlscale.hpa.replay_plain import replay_spec
from mlscale.hpa.replay_score import ready_replicas, score_parts
from mlscale.hpa.scaling_spec import ScalingSpec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlscale.hpa.replay_model import CountArray
    from mlscale.usage.model import FloatArray, Series

_DAY = 86400.0
_FEWEST_BLOCKS = 4
"""With fewer blocks their spread says nothing: a block is then shorter than a day."""
_NOISE_ERRORS = 2.0
"""A difference of two standard errors or less is taken as chance."""
_LEAST_GAIN = 0.02
"""A saving below this share is not worth a change, however sure it is."""


@dataclass(frozen=True)
class Scored:
    """One setting on one stretch of demand."""

    request: float
    """Cores a pod."""
    score: Score
    """Arrays of shape (1,)."""
    blocks: Score
    """The same by day (by part of a day in a short history), arrays of shape (B,)."""
    replicas: FloatArray
    """Shape (T,): pods that exist from each sync on."""
    capacity: FloatArray
    """Shape (T,): cores that the ready pods could serve."""


def demand_at_syncs(series: Series, sync_period: float) -> tuple[FloatArray, FloatArray]:
    """Times and values every ``sync_period`` seconds from the first sample to the last.

    Between samples the earlier one holds, through gaps too, as it does for the controller, which knows no sample
    that is too old.
    """
    count = int((series.times[-1] - series.times[0]) // sync_period) + 1
    times = series.times[0] + sync_period * np.arange(count)
    return times, series.values[np.searchsorted(series.times, times, side="right") - 1]


def score_setting(
    demand: FloatArray, setting: Setting | ScalingSpec, request: float, world: World, first_replicas: int
) -> Scored:
    """Replay ``setting`` on ``demand`` (cores, one value a sync); a ScalingSpec may have any ``spec.behavior``.

    ``request`` is in cores a pod; that of a Setting counts instead. Raises ValueError for what cannot be replayed:
    a ScalingSpec on another metric than one CPU utilization, no demand, no replicas at first.
    """
    if isinstance(setting, ScalingSpec):
        trajectory = replay_spec(demand, setting, request, world, first_replicas)
        return score_replicas(demand, trajectory.replicas, request, world, first_replicas)
    return score_settings([Stretch(demand, (setting,), world, first_replicas)])[0][0]


@dataclass(frozen=True)
class Stretch:
    """Settings to score on one workload's demand."""

    demand: FloatArray
    """Cores, one value a sync."""
    settings: tuple[Setting, ...]
    world: World
    first_replicas: int


def score_settings(stretches: Sequence[Stretch]) -> list[list[Scored]]:
    """The settings of each of ``stretches``; what has to be replayed advances in step. Raises as ``score_setting``."""
    moving = [tuple(dict.fromkeys(one for one in stretch.settings if not is_fixed(one))) for stretch in stretches]
    runs = [
        Run(stretch.demand, candidates_of(settings), stretch.world, stretch.first_replicas)
        for stretch, settings in zip(stretches, moving, strict=True)
        if settings
    ]
    replayed = iter(replay_runs(runs))
    return [
        _scored(stretch, dict(zip(settings, next(replayed).T, strict=True)) if settings else {})
        for stretch, settings in zip(stretches, moving, strict=True)
    ]


def is_fixed(setting: Setting) -> bool:
    """Whether it is a count that nothing moves."""
    return setting.min_replicas == setting.max_replicas


def _scored(stretch: Stretch, moving: dict[Setting, CountArray]) -> list[Scored]:
    """Each setting of ``stretch``, the replicas over time of those that are not fixed in ``moving``."""

    def one(setting: Setting) -> Scored:
        if is_fixed(setting):
            # Nothing moves a fixed count, so it is there from the start.
            count = setting.max_replicas
            replicas = np.full((len(stretch.demand), 1), count, dtype=np.int32)
            return score_replicas(stretch.demand, replicas, setting.request, stretch.world, count)
        replicas = np.ascontiguousarray(moving[setting])[:, None]
        return score_replicas(stretch.demand, replicas, setting.request, stretch.world, stretch.first_replicas)

    return [one(setting) for setting in stretch.settings]


def score_replicas(
    demand: FloatArray, replicas: CountArray, request: float, world: World, first_replicas: int
) -> Scored:
    """Score ``replicas``, of shape (T, 1), replayed or as recorded; ``request`` in cores a pod."""
    requests, count = np.array([request]), block_count(len(demand), world.sync_period)
    parts = score_parts(demand, replicas, requests, world, first_replicas, count)
    blocks = {name: np.concatenate([getattr(part, name) for part in parts]) for name in Score.__dataclass_fields__}
    return Scored(
        request=request,
        score=score_parts(demand, replicas, requests, world, first_replicas, 1)[0],
        blocks=Score(**blocks),
        replicas=replicas[:, 0].astype(np.float64),
        capacity=ready_replicas(replicas, world, first_replicas)[:, 0] * world.capacity_of(requests)[0],
    )


def fixed(replicas: int, request: float) -> Setting:
    """A count that nothing changes, as a setting."""
    return Setting(replicas, replicas, 80, request)


def block_count(syncs: int, sync_period: float) -> int:
    """Into how many blocks to cut a stretch: days, or quarters where there are fewer than four days."""
    return min(syncs, max(_FEWEST_BLOCKS, int(syncs * sync_period // _DAY)))


def cost_of(score: Score) -> FloatArray:
    """What a setting costs: GPU-hours where the pods have GPUs, core-hours requested otherwise."""
    return score.gpu_hours if score.gpu_hours.any() else score.core_hours


def differs(now: Scored, then: Scored, budget: float) -> bool:
    """Whether ``then`` is better than ``now`` by more than noise, on the same stretch of demand.

    Better is: within ``budget`` (a share of demand) where ``now`` is not, or cheaper by at least 2 % where ``then``
    leaves no more unmet than ``budget`` and ``now`` do. Noise is judged by the differences block by block.
    """
    worse_now = now.blocks.unmet - np.maximum(then.blocks.unmet, budget)
    if float(now.score.unmet[0]) > budget and _beyond_noise(worse_now):
        return True
    if float(then.score.unmet[0]) > max(budget, float(now.score.unmet[0])):
        return False
    saved = cost_of(now.blocks) - cost_of(then.blocks)
    return bool(saved.sum() >= _LEAST_GAIN * cost_of(now.blocks).sum()) and _beyond_noise(saved)


def _beyond_noise(differences: FloatArray) -> bool:
    mean = float(differences.mean())
    return mean > _NOISE_ERRORS * standard_error(differences) and mean > 0


def standard_error(blocks: FloatArray) -> float:
    """Of the mean of ``blocks``; infinite for one block, which has no spread."""
    return float(blocks.std(ddof=1)) / math.sqrt(len(blocks)) if len(blocks) > 1 else math.inf
