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
_ERRORS = 2.0
"""By how many standard errors of its days the unmet share is taken higher than it was: the future is not the past."""
MARGIN = 0.5
"""The share of the budget that the past may have used up: a load seldom stays what it was."""
HELD_OUT = 0.3
"""The share of the history that the search does not see."""
_TARGETS = tuple(range(25, 100, 5))
_WINDOWS = (60.0, 300.0, 900.0)
_MIN_SHARES = (0.25, 0.5, 0.75, 0.95, 1.0)
"""Quantiles of demand that a min may be enough for."""
_PEAK_ROOM = 1.5
"""max is enough for so many times the highest demand known: it costs nothing until it is needed."""
_AS_CHEAP = 0.02
"""Settings within this share of the least cost are taken as equally cheap."""
_WINDOW_PRICE = 1.25
_DIRECT = 1_000_000
"""So many syncs and candidates are replayed exactly at once, more are sorted out first."""
_COARSE = 4
_FINALISTS = 24


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
    """Whether the unmet share was; where no candidate's is, the one with the least is taken."""
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
    margin: float = MARGIN,
) -> Found:
    """The cheapest setting whose unmet share of ``demand`` stays in budget; of equally cheap ones the calmest.

    ``demand`` is in cores of all pods, one value a sync. With a ``margin`` below 1 the unmet share to reckon with has
    to stay within that share of the budget; with 1 the unmet share as it was has to. Raises ValueError for bounds that
    leave no candidate.
    """
    candidates = plan_candidates(demand, world, bounds)
    tried = len(candidates)
    if tried * len(demand) > _DIRECT:
        candidates = _finalists(demand, candidates, world, aim.unmet * margin, first_replicas)
    whole, feared = _replayed(demand, candidates, world, first_replicas)
    best = _best(candidates, whole, whole.unmet if margin == 1 else feared, aim.unmet * margin)
    score = whole.chosen(np.array([best]))
    return Found(candidates[best], score, bool(score.unmet[0] <= aim.unmet), tried)


def plan_candidates(demand: FloatArray, world: World, bounds: Bounds) -> Candidates:
    """Every target, window and request of ``bounds`` with some mins between the least and the most that help."""
    settings: dict[Setting, None] = {}
    floors = [0.0, *np.quantile(demand, _MIN_SHARES).tolist()]
    peak, least = float(demand.max()), max(bounds.least_replicas, 1)
    for request, target in itertools.product(bounds.requests, bounds.targets):
        serves = min(request * target / 100.0, float(world.capacity_of(np.array([request]))[0]))
        most = max(min(bounds.most_replicas, math.ceil(_PEAK_ROOM * peak / serves)), least)
        for floor, window in itertools.product(floors, bounds.windows):
            low = min(max(math.ceil(floor / serves), least), most)
            settings[Setting(low, most, target, request, window)] = None
    if not settings or bounds.least_replicas > bounds.most_replicas:
        raise ValueError("no setting lies within these bounds")
    return candidates_of(list(settings))


def default_setting(running: Setting) -> Setting:
    """What ``kubectl autoscale`` and the API give without a word: 80 % of the request, from 1."""
    return replace(running, min_replicas=1, target=80, down_window=300.0, up_window=0.0)


def feared_unmet(unmet: FloatArray, weights: FloatArray) -> FloatArray:
    """The unmet share to reckon with, of shape (K,), from that of each block, (B, K), of ``weights`` of demand, (B,).

    The mean and two standard errors of it, or what the worst stretch as long as the part held out had, where that is
    more: errors are small among many quiet days, and bad days come together.
    """
    mean = weights @ unmet
    if len(weights) < 2:
        return mean
    length = math.ceil(len(weights) * HELD_OUT / (1 - HELD_OUT))
    lost = np.lib.stride_tricks.sliding_window_view(weights[:, None] * unmet, length, axis=0).sum(axis=-1)
    share = np.lib.stride_tricks.sliding_window_view(weights, length).sum(axis=-1)[:, None]
    stretches = np.divide(lost, share, out=np.zeros_like(lost), where=share > 0)
    spread = _ERRORS * unmet.std(axis=0, ddof=1) / math.sqrt(len(weights))
    return np.asarray(np.maximum(mean + spread, stretches.max(axis=0)))


def _finalists(
    demand: FloatArray, candidates: Candidates, world: World, budget: float, first_replicas: int
) -> Candidates:
    """Those worth an exact replay: the cheapest that a replay of every fourth sync has near ``budget``.

    A controller that looks once a minute comes later, so that it leaves a little more unmet and ranks as the real one.
    """
    coarse = replace(world, sync_period=world.sync_period * _COARSE)
    rows = len(demand) // _COARSE
    means = demand[: rows * _COARSE].reshape(rows, _COARSE).mean(axis=1)
    whole, feared = _replayed(means, candidates, coarse, first_replicas)
    # Each bound of what is near the budget has its own cheapest: strictly within, twice, four times that.
    bounds = [limit for limit in (budget, 2 * budget, 4 * budget) if (feared <= limit).any()]
    if not bounds:
        return candidates.chosen(np.sort(np.argsort(feared, kind="stable")[:_FINALISTS]))
    cost, each = cost_of(whole), _FINALISTS // len(bounds)
    near = [np.argsort(np.where(feared <= limit, cost, np.inf), kind="stable")[:each] for limit in bounds]
    return candidates.chosen(np.unique(np.concatenate(near)))


def _replayed(
    demand: FloatArray, candidates: Candidates, world: World, first_replicas: int
) -> tuple[Score, FloatArray]:
    """The score of each candidate, and the unmet share to reckon with."""
    parts = replay_parts(demand, candidates, world, first_replicas, block_count(len(demand), world.sync_period))
    weights = _block_demand(demand, len(parts))
    return _whole(parts, weights), feared_unmet(np.stack([part.unmet for part in parts]), weights)


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


def _best(candidates: Candidates, score: Score, feared: FloatArray, budget: float) -> int:
    """The cheapest within ``budget``, or of those that leave the least unmet; of equally cheap ones the calmest."""
    among = feared <= max(budget, float(feared.min()) * (1 + _AS_CHEAP))
    cost = np.where(among, cost_of(score), np.inf)
    cheap = cost <= float(cost.min()) * (1 + _AS_CHEAP)
    # A window of its own has to save a fifth of the changes to be worth a spec.behavior.
    changes = score.changes_per_day * np.where(candidates.has_behavior, _WINDOW_PRICE, 1.0)
    return int(np.lexsort((cost, np.where(cheap, changes, np.inf)))[0])
