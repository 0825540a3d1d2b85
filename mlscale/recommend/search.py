"""Which HPA setting serves recorded demand at least cost: candidates replayed on the first part of the history."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from mlscale.hpa.replay import replay_parts
from mlscale.hpa.replay_model import Candidates, Score, Setting, World, candidates_of
from mlscale.recommend.score import block_count, cost_of

if TYPE_CHECKING:
    from mlscale.usage.model import FloatArray

Objective = Literal["cost", "balanced", "reliability"]

BUDGETS: dict[Objective, float] = {"cost": 0.01, "balanced": 0.002, "reliability": 0.0002}
"""The share of demand that may go unmet where no budget is given."""
ERRORS = 2.0
"""By how many standard errors of its days the unmet share is taken higher than it was: the future is not the past."""
HELD_OUT = 0.3
"""The share of the history that the search does not see."""
_TARGETS = tuple(range(25, 100, 5))
_WINDOWS = (60.0, 300.0, 900.0, 1800.0)
_MIN_SHARES = (0.0, 0.25, 0.5, 0.75, 0.95, 1.0)
"""Quantiles of demand that a min may be enough for."""
_PEAK_ROOM = 1.5
"""max is enough for so many times the highest demand known: it costs nothing until it is needed."""
_AS_CHEAP = 0.02
"""Settings within this share of the least cost are taken as equally cheap."""


@dataclass(frozen=True)
class Bounds:
    """What a setting must stay within."""

    most_replicas: int
    """That fit the cluster's allocatable and quota."""
    requests: tuple[float, ...]
    """The requests to try, cores a pod."""
    least_replicas: int = 1
    targets: tuple[int, ...] = _TARGETS
    """Per cent of the request."""
    windows: tuple[float, ...] = _WINDOWS
    """Stabilization windows down, in seconds."""


@dataclass(frozen=True)
class Aim:
    """What is wanted."""

    objective: Objective = "balanced"
    budget: float | None = None
    """The share of demand that may go unmet; None: what the objective allows."""

    @property
    def unmet(self) -> float:
        """The budget in force."""
        return BUDGETS[self.objective] if self.budget is None else self.budget


@dataclass(frozen=True)
class Found:
    """The setting chosen, and how it did where it was chosen."""

    setting: Setting
    score: Score
    """On the first part, arrays of shape (1,)."""
    within_budget: bool
    """False: no candidate was, and this one leaves the least unmet."""
    tried: int


def split_demand(demand: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The first part, to search on, and the last 30 %, to score on."""
    edge = max(1, round(len(demand) * (1 - HELD_OUT)))
    return demand[:edge], demand[edge:]


def search(
    demand: FloatArray,
    world: World,
    bounds: Bounds,
    aim: Aim,
    first_replicas: int,
    errors: float = ERRORS,
) -> Found:
    """The cheapest setting whose unmet share of ``demand`` stays in budget; of equally cheap ones the calmest.

    ``demand`` is in cores of all pods, one value a sync. ``errors``: by how many standard errors the unmet share is
    taken higher than it was. Raises ValueError for bounds that leave no candidate.
    """
    candidates = plan_candidates(demand, world, bounds)
    parts = replay_parts(demand, candidates, world, first_replicas, block_count(len(demand), world.sync_period))
    weights = _block_demand(demand, len(parts))
    unmet = np.stack([part.unmet for part in parts])
    whole = _whole(parts, weights)
    feared = feared_unmet(unmet, weights, errors)
    best, within = _best(whole, feared, aim.unmet)
    chosen = np.array([best])
    return Found(candidates[best], whole.chosen(chosen), within, len(candidates))


def plan_candidates(demand: FloatArray, world: World, bounds: Bounds) -> Candidates:
    """Every target, window and request of ``bounds`` with some mins between the least and the most that help."""
    settings: dict[Setting, None] = {}
    for request, target in itertools.product(bounds.requests, bounds.targets):
        serves = min(request * target / 100.0, float(world.capacity_of(np.array([request]))[0]))
        most = min(bounds.most_replicas, math.ceil(_PEAK_ROOM * float(demand.max()) / serves))
        most = max(most, bounds.least_replicas, 1)
        for share, window in itertools.product(_MIN_SHARES, bounds.windows):
            wanted = math.ceil(float(np.quantile(demand, share)) / serves) if share else 1
            least = min(max(wanted, bounds.least_replicas, 1), most)
            settings[Setting(least, most, target, request, window)] = None
    if not settings or bounds.least_replicas > bounds.most_replicas:
        raise ValueError("no setting lies within these bounds")
    return candidates_of(list(settings))


def default_setting(running: Setting) -> Setting:
    """What ``kubectl autoscale`` and the API give without a word: 80 % of the request, from 1."""
    return replace(running, min_replicas=1, target=80, down_window=300.0, up_window=0.0)


def feared_unmet(unmet: FloatArray, weights: FloatArray, errors: float) -> FloatArray:
    """The unmet share to reckon with, of shape (K,), from that of each block, (B, K), of ``weights`` of demand, (B,).

    The mean and ``errors`` standard errors of it, or what the worst stretch as long as the part held out had, where
    that is more: errors are small among many quiet days, and bad days come together. With no errors the mean alone.
    """
    mean = weights @ unmet
    if not errors or len(weights) < 2:
        return mean
    length = math.ceil(len(weights) * HELD_OUT / (1 - HELD_OUT))
    lost = np.lib.stride_tricks.sliding_window_view(weights[:, None] * unmet, length, axis=0).sum(axis=-1)
    share = np.lib.stride_tricks.sliding_window_view(weights, length).sum(axis=-1)[:, None]
    stretches = np.divide(lost, share, out=np.zeros_like(lost), where=share > 0)
    spread = errors * unmet.std(axis=0, ddof=1) / math.sqrt(len(weights))
    return np.maximum(mean + spread, stretches.max(axis=0))


def _block_demand(demand: FloatArray, parts: int) -> FloatArray:
    edges = np.linspace(0, len(demand), parts + 1).round().astype(int)
    sums = np.add.reduceat(demand, edges[:-1])
    total = sums.sum()
    return sums / total if total else np.full(parts, 1.0 / parts)


def _whole(parts: list[Score], weights: FloatArray) -> Score:
    """The parts as one score."""

    def total(name: str) -> FloatArray:
        return np.sum([getattr(part, name) for part in parts], axis=0)  # type: ignore[no-any-return]

    return Score(
        pod_hours=total("pod_hours"),
        core_hours=total("core_hours"),
        gpu_hours=total("gpu_hours"),
        unmet=weights @ np.stack([part.unmet for part in parts]),
        saturated_minutes=total("saturated_minutes"),
        changes_per_day=total("changes_per_day") / len(parts),
        peak_replicas=np.max([part.peak_replicas for part in parts], axis=0),
    )


def _best(score: Score, feared: FloatArray, budget: float) -> tuple[int, bool]:
    """The index of the best, and whether it is within ``budget``."""
    within = feared <= budget
    if not within.any():
        least = float(feared.min())
        within = feared <= least * (1 + _AS_CHEAP)
        return _calmest(score, within), False
    return _calmest(score, within), True


def _calmest(score: Score, among: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> int:
    cost = np.where(among, cost_of(score), np.inf)
    cheap = cost <= float(cost.min()) * (1 + _AS_CHEAP)
    changes = np.where(cheap, score.changes_per_day, np.inf)
    return int(np.lexsort((cost, changes))[0])
