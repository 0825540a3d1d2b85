"""Which HPA setting serves recorded demand at least cost: candidates tried on the first part of the history.

All are estimated (mlscale/recommend/estimate.py), and the few that may be the best are replayed; what is chosen is
chosen by replays alone.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from mlscale.hpa.replay import replay_runs_parts
from mlscale.hpa.replay_model import Candidates, Run, Score, Setting, World
from mlscale.recommend.estimate import STRIDE, estimate
from mlscale.recommend.score import block_count
from mlscale.recommend.shortlist import Outlook, first_picks, next_picks, pick, within

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

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
_DIRECT = 1_000_000
"""So many syncs and candidates are all replayed, more are sorted out first."""
_ROUNDS = 4
"""Replays of a few more candidates each, at most."""


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


@dataclass(frozen=True)
class Question:
    """What to search."""

    demand: FloatArray
    """Cores of all pods, one value a sync."""
    world: World
    bounds: Bounds
    aim: Aim
    first_replicas: int
    margin: float = MARGIN
    """Below 1 the unmet share to reckon with has to stay within that share of the budget; with 1 the unmet share as it
    was has to."""


def search(question: Question) -> Found:
    """The cheapest setting whose unmet share of the demand stays in budget; of equally cheap ones the calmest.

    Raises ValueError for bounds that leave no candidate.
    """
    return search_together([question])[0]


def search_together(questions: Sequence[Question]) -> list[Found]:
    """As ``search`` for each, with the same answers; what all of them have to replay advances in step."""
    hunts = [_Hunt(question) for question in questions]
    while open_ones := [hunt for hunt in hunts if hunt.wanted.size]:
        scored = replay_runs_parts([hunt.run() for hunt in open_ones], [hunt.blocks for hunt in open_ones])
        for hunt, parts in zip(open_ones, scored, strict=True):
            hunt.learn(parts)
    return [hunt.found() for hunt in hunts]


class _Hunt:
    """One search under way: which candidates to replay next, and what is known of those that were."""

    def __init__(self, question: Question) -> None:
        self._question, demand = question, question.demand
        self._candidates = plan_candidates(demand, question.world, question.bounds)
        count = len(self._candidates)
        self.blocks = block_count(len(demand), question.world.sync_period)
        self._weights = _block_demand(demand, self.blocks)
        # What a pod costs an hour, as in cost_of.
        self._price = np.full(count, question.world.gpus) if question.world.gpus else self._candidates.request
        self._budget = question.aim.unmet * question.margin
        self._known = np.zeros(count, dtype=bool)
        self._score = Score(**{name: np.full(count, np.inf) for name in Score.__dataclass_fields__})
        self._feared = np.full(count, np.inf)
        self._rounds = 0 if count * len(demand) <= _DIRECT or len(demand) < STRIDE * self.blocks else _ROUNDS
        self.wanted = self._first() if self._rounds else np.arange(count)
        """The candidates to replay next; empty at the end."""

    def run(self) -> Run:
        """The replay of what is wanted."""
        asked = self._question
        return Run(asked.demand, self._candidates.chosen(self.wanted), asked.world, asked.first_replicas)

    def learn(self, parts: list[Score]) -> None:
        """Take in what the replay came to, block by block."""
        whole = _whole(parts, self._weights)
        for name in Score.__dataclass_fields__:
            getattr(self._score, name)[self.wanted] = getattr(whole, name)
        self._feared[self.wanted] = self._reckoned(np.stack([part.unmet for part in parts]))
        self._known[self.wanted] = True
        self._rounds -= 1
        if self._rounds > 0:
            self.wanted = next_picks(self._candidates, self._estimated, self._replayed(), self._known, self._budget)
        else:
            self.wanted = self.wanted[:0]

    def found(self) -> Found:
        """The best of what was replayed."""
        (known,) = np.nonzero(self._known)
        tried, score = self._candidates.chosen(known), self._score.chosen(known)
        outlook = Outlook(score.pod_hours * self._price[known], score.changes_per_day, self._feared[known])
        best = pick(tried, outlook, within(outlook, self._budget))
        chosen = score.chosen(np.array([best]))
        is_within = bool(chosen.unmet[0] <= self._question.aim.unmet)
        return Found(tried[best], chosen, is_within, len(self._candidates))

    def _first(self) -> NDArray[np.intp]:
        """What to replay first, by an estimate of all."""
        asked = self._question
        estimated = estimate(asked.demand, self._candidates, asked.world, self.blocks)
        feared = self._reckoned(estimated.unmet)
        self._estimated = Outlook(estimated.pod_hours * self._price, estimated.changes, feared)
        return first_picks(self._candidates, self._estimated, self._budget)

    def _replayed(self) -> Outlook:
        return Outlook(self._score.pod_hours * self._price, self._score.changes_per_day, self._feared)

    def _reckoned(self, unmet: FloatArray) -> FloatArray:
        """The unmet share to reckon with, from that of each block."""
        return self._weights @ unmet if self._question.margin == 1 else feared_unmet(unmet, self._weights)


def plan_candidates(demand: FloatArray, world: World, bounds: Bounds) -> Candidates:
    """Every target, window and request of ``bounds`` with some mins between the least and the most that help."""
    if bounds.least_replicas > bounds.most_replicas or not (bounds.requests and bounds.targets and bounds.windows):
        raise ValueError("no setting lies within these bounds")
    request, target = np.array(list(itertools.product(bounds.requests, bounds.targets)), dtype=np.float64).T
    serves = np.minimum(request * target / 100.0, world.capacity_of(request))
    least = max(bounds.least_replicas, 1)
    most = np.maximum(np.minimum(bounds.most_replicas, np.ceil(_PEAK_ROOM * demand.max() / serves)), least)
    floors = np.append(0.0, np.quantile(demand, _MIN_SHARES))
    lows = np.clip(np.ceil(floors / serves[:, None]), least, most[:, None])
    # Of demand that hardly varies, several quantiles take as many pods.
    group, place = np.nonzero(np.diff(lows, axis=1, prepend=0.0))
    count = len(bounds.windows)
    index = np.repeat(group, count)
    return Candidates(
        min_replicas=np.repeat(lows[group, place], count),
        max_replicas=most[index],
        target=target[index],
        request=request[index],
        down_window=np.tile(np.array(bounds.windows), len(group)),
        up_window=np.zeros(len(index)),
    )


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
