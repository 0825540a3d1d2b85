"""What settings come to on the workload's own history: searched on its first part, scored on its last."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from mlscale.hpa.reach import read_reach
from mlscale.hpa.replay_model import Setting, World
from mlscale.hpa.scaling_spec import read_scaling_spec
from mlscale.recommend.course import course_of
from mlscale.recommend.model import HeldOut, ScoreRow
from mlscale.recommend.score import (
    Scored,
    Stretch,
    cost_of,
    demand_at_syncs,
    differs,
    fixed,
    score_replicas,
    score_setting,
    score_settings,
)
from mlscale.recommend.search import Question, default_setting, search_together, split_demand
from mlscale.recommend.signs import held

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlscale.hpa.scaling_spec import ScalingSpec
    from mlscale.recommend.evidence import WorkloadFacts
    from mlscale.recommend.model import RowName
    from mlscale.recommend.search import Found
    from mlscale.recommend.trial_plan import Plan
    from mlscale.usage.model import FloatArray, History

BUSIEST = 0.85
"""Share of what the pods can serve that a fixed count may use at its 99th percentile: queues grow without end at 1."""
AT_LIMIT = 0.97
"""Share of what the pods can use from which use is what they were granted, not what was needed."""
TOO_LONG = 0.02
"""Share of the time at the limit from which a count is too small: half an hour a day."""
STEADY_COST = 0.05
"""An HPA has to save more than this share of a fixed count's cost to be worth its changes."""


@dataclass(frozen=True)
class Trial:
    """The outcome; scores are of the held-out last part."""

    setting: Setting
    """Of an HPA, or with min equal to max a fixed count."""
    rows: tuple[ScoreRow, ...]
    held_out: HeldOut
    better: bool
    """Whether ``setting`` beats what runs by more than noise."""
    outgrown: bool
    """Whether ``setting`` is for use that has outgrown what the pods ask for, whatever it costs."""
    within_budget: bool
    tried: int
    returns_to_min: bool
    saved_core_hours: float
    """A day; negative where more has to be spent."""
    served: float
    """The share of demand that is not served now and would be."""
    now_recorded: bool = False
    """Whether ``now`` is what was recorded, its HPA's metric not being CPU."""

    @property
    def is_fixed(self) -> bool:
        """Whether a fixed count does as well as an HPA."""
        return self.setting.min_replicas == self.setting.max_replicas


@dataclass(frozen=True)
class Asked:
    """One workload, and what is to be tried for it."""

    facts: WorkloadFacts
    history: History
    plan: Plan


def run_trial(asked: Asked) -> Trial:
    """Search on the first part of the history, score what was found, what runs, and the default on its last.

    Raises ValueError for bounds that leave no candidate.
    """
    return run_trials([asked])[0]


def run_trials(asked: Sequence[Asked]) -> list[Trial]:
    """As ``run_trial`` for each, with the same outcomes; the replays of all advance in step."""
    split = [_split(one) for one in asked]
    found = search_together([_question(one, parts) for one, parts in zip(asked, split, strict=True)])
    chosen = [_chosen(*each) for each in zip(asked, split, found, strict=True)]
    scored = score_settings([_stretch(*each) for each in zip(asked, split, chosen, strict=True)])
    return [_outcome(*each) for each in zip(asked, split, found, chosen, scored, strict=True)]


@dataclass(frozen=True)
class _Split:
    """The demand of one workload, in cores at each sync."""

    times: FloatArray
    """Of the last part."""
    first: FloatArray
    last: FloatArray
    whole: FloatArray
    at_start: int
    """Replicas."""
    at_edge: int
    """Replicas where the last part begins."""


@dataclass(frozen=True)
class _Chosen:
    """What is scored on the last part."""

    setting: Setting
    is_constant: bool
    default: Setting
    running: Setting | ScalingSpec | None
    """With the sizes that are recommended; None where what scales it now cannot be replayed."""


def _split(asked: Asked) -> _Split:
    times, demand = demand_at_syncs(asked.history.cpu, asked.plan.world.sync_period)
    first, last = split_demand(demand)
    pods = asked.history.pods
    at_start, at_edge = (max(1, round(float(held(pods, times[edge : edge + 1])[0]))) for edge in (0, len(first)))
    shared = _times(float(times[len(first)]), asked.plan.world.sync_period, len(last))
    return _Split(shared, first, last, demand, at_start, at_edge)


@lru_cache(maxsize=8)
def _times(start: float, sync_period: float, count: int) -> FloatArray:
    """Kept, since the workloads of a fleet mostly share them."""
    times = start + sync_period * np.arange(count, dtype=np.float64)
    times.setflags(write=False)
    return times


def _question(asked: Asked, split: _Split) -> Question:
    plan = asked.plan
    return Question(split.first, plan.world, plan.bounds, plan.aim, split.at_start)


def _chosen(asked: Asked, split: _Split, found: Found) -> _Chosen:
    """What was found, or a fixed count where that is as cheap and nothing scales the workload now."""
    facts, plan, count = asked.facts, asked.plan, fixed_count(split.first, asked.plan)
    constant = fixed(count, plan.request)
    cost = _cost_of_fixed(constant, len(split.first), plan.world)
    unscaled = not facts.hpas and not facts.scaled_objects
    is_constant = unscaled and float(cost_of(found.score)[0]) >= (1 - STEADY_COST) * cost
    return _Chosen(
        setting=constant if is_constant else found.setting,
        is_constant=is_constant,
        default=default_setting(replace(found.setting, max_replicas=max(found.setting.max_replicas, count))),
        running=running_setting(facts, plan.request),
    )


def _stretch(asked: Asked, split: _Split, chosen: _Chosen) -> Stretch:
    """The setting, the default, then what runs, with the sizes that are recommended and those that it has."""
    settings = [chosen.setting, chosen.default]
    if isinstance(chosen.running, Setting):
        settings += [chosen.running, replace(chosen.running, request=asked.plan.request_now)]
    return Stretch(split.last, tuple(settings), asked.plan.world, split.at_edge)


def _outcome(asked: Asked, split: _Split, found: Found, chosen: _Chosen, scored: list[Scored]) -> Trial:
    facts, plan = asked.facts, asked.plan
    best, default, *running = scored
    now, shown = running or _unlike(asked, split, chosen)
    short = outgrown(facts, split.first, plan) and chosen.setting.max_replicas > facts.replicas
    better = short or differs(now, best, plan.aim.unmet)
    then, words = (best, setting_words(chosen.setting)) if better else (now, _now_words(facts))
    rows = (
        score_row("now", _now_words(facts), shown),
        score_row("recommended", words, then),
        score_row("default", setting_words(chosen.default), default),
    )
    days = max(len(split.last) * plan.world.sync_period / 86400.0, 1e-9)
    return Trial(
        setting=chosen.setting,
        rows=rows,
        # Drawn at most, for which single precision will do; not a part of the whole, which is not to be kept.
        held_out=HeldOut(split.times, split.last.astype(np.float32)),
        better=better,
        outgrown=short,
        within_budget=found.within_budget or chosen.is_constant,
        tried=found.tried,
        returns_to_min=_returns(chosen.setting, split.whole, plan),
        saved_core_hours=(rows[0].core_hours - rows[1].core_hours) / days,
        served=rows[0].unmet - rows[1].unmet,
        now_recorded=chosen.running is None,
    )


def fixed_count(demand: FloatArray, plan: Plan) -> int:
    """The least fixed count that serves ``demand`` within budget and stays under 85 % at its 99th percentile."""
    capacity = float(plan.world.capacity_of(np.array([plan.request]))[0])
    busy = float(np.quantile(demand, 0.99)) / BUSIEST
    # What is used half of the time has to be asked for: use above the request is granted only while nobody else asks.
    asked = float(np.median(demand)) / plan.request
    count = max(plan.bounds.least_replicas, math.ceil(round(busy / capacity, 6)), math.ceil(round(asked, 6)), 1)
    while count < plan.bounds.most_replicas and _unmet(demand, count * capacity) > plan.aim.unmet:
        count += 1
    return min(count, plan.bounds.most_replicas)


def outgrown(facts: WorkloadFacts, demand: FloatArray, plan: Plan) -> bool:
    """Whether a fixed count uses more than it asks for half of the time, which is granted while nobody else asks, or
    all that its limit grants for more than a moment now and then: demand is at least that."""
    if facts.hpas or facts.scaled_objects:
        return False
    count = max(1, facts.replicas)
    at_limit = float(np.mean(demand >= AT_LIMIT * count * plan.world.limit))
    return at_limit >= TOO_LONG or float(np.median(demand)) > count * plan.request_now


def setting_words(setting: Setting) -> str:
    """``4 replicas`` or ``2..12 at 60 %``, with the window down where it is not the API's own."""
    if setting.min_replicas == setting.max_replicas:
        return f"{setting.max_replicas} replicas" if setting.max_replicas != 1 else "1 replica"
    window = f", window {setting.down_window:g} s" if setting.down_window != 300 else ""
    return f"{setting.min_replicas}..{setting.max_replicas} at {setting.target} %{window}"


def score_row(name: RowName, words: str, scored: Scored) -> ScoreRow:
    """One row of the table."""
    score = scored.score
    return ScoreRow(
        name=name,
        setting=words,
        pod_hours=float(score.pod_hours[0]),
        core_hours=float(score.core_hours[0]),
        gpu_hours=float(score.gpu_hours[0]),
        unmet=float(score.unmet[0]),
        saturated_minutes=float(score.saturated_minutes[0]),
        changes_per_day=float(score.changes_per_day[0]),
        peak_replicas=int(score.peak_replicas[0]),
        replicas=course_of(scored.replicas),
        capacity=course_of(scored.capacity),
    )


def _returns(setting: Setting, demand: FloatArray, plan: Plan) -> bool:
    """Whether the workload comes back from max to min at the least use that was recorded."""
    if setting.min_replicas == setting.max_replicas:
        return True
    rest = float(np.quantile(demand, 0.01)) / max(setting.min_replicas, 1)
    # What the pods of min use at rest is at most what they are there for: a lower use is spread over more pods.
    idle = min(math.ceil(100.0 * rest / plan.request / max(setting.max_replicas, 1)), setting.target)
    reach = read_reach(
        setting.target, setting.min_replicas, setting.max_replicas, plan.world.tolerance, idle_use=max(1, idle)
    )
    return reach.returns_to_min


def _cost_of_fixed(setting: Setting, syncs: int, world: World) -> float:
    hours = setting.max_replicas * syncs * world.sync_period / 3600.0
    return hours * (world.gpus or setting.request)


def _unmet(demand: FloatArray, capacity: float) -> float:
    total = float(demand.sum())
    return float(np.maximum(demand - capacity, 0.0).sum()) / total if total else 0.0


def _unlike(asked: Asked, split: _Split, chosen: _Chosen) -> tuple[Scored, Scored]:
    """What runs, of a kind of its own: an HPA with behavior, or the pods as recorded where CPU use alone does not
    drive them; with the sizes that are recommended, and with those that it has."""
    plan, demand, running = asked.plan, split.last, chosen.running

    def scored(request: float) -> Scored:
        if running is not None:
            return score_setting(demand, running, request, plan.world, split.at_edge)
        replicas = np.maximum(np.round(held(asked.history.pods, split.times)), 0).astype(np.int32)[:, None]
        return score_replicas(demand, replicas, request, plan.world, split.at_edge)

    resized = scored(plan.request)
    return resized, resized if plan.request == plan.request_now else scored(plan.request_now)


def running_setting(facts: WorkloadFacts, request: float) -> Setting | ScalingSpec | None:
    """What scales it now, as far as CPU use drives it: a fixed count, or an HPA with one CPU utilization target."""
    if not facts.hpas and not facts.scaled_objects:
        return fixed(max(1, facts.replicas), request)
    if facts.hpa is None:
        return None
    spec = read_scaling_spec(facts.hpa["spec"])
    metric = spec.metrics[0]
    if len(spec.metrics) != 1 or metric.type != "Resource" or metric.name != "cpu" or metric.utilization is None:
        return None
    if spec.behavior is not None or spec.min_replicas < 1:
        return spec
    return Setting(spec.min_replicas, spec.max_replicas, metric.utilization, request)


def _now_words(facts: WorkloadFacts) -> str:
    running = running_setting(facts, 1.0)
    if isinstance(running, Setting):
        return setting_words(running)
    if running is not None:
        return f"{running.min_replicas}..{running.max_replicas} at {running.metrics[0].utilization} %, with behavior"
    return "as recorded"
