"""What is tried on a history, within what bounds, and what is said of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlscale.hpa.replay_model import Setting
from mlscale.hpa.scaling_spec import ScalingSpec
from mlscale.recommend.search import Aim
from mlscale.recommend.signs import held, read_signs
from mlscale.recommend.trial import Asked, fixed_count, run_trial, run_trials, running_setting, setting_words
from mlscale.recommend.trial_plan import Plan, least_replicas, plan_trial, startup_seconds
from mlscale.usage.model import Series
from tests.unit.recommend.objects import container, daily, deployment, facts, flat, history, hpa, node, pod

Json = dict[str, Any]

MODEL = container(cpu="500m", memory="512Mi", cpu_limit="1", memory_limit="1Gi")
PDB = {"metadata": {"name": "p"}, "spec": {"selector": {"matchLabels": {"app": "web"}}}, "status": {}}


def planned(aim: Aim | None = None, cpu: Any = None, **known: Any) -> Plan:
    seen = facts(deployment(MODEL), **known)
    used = history(flat(1.2) if cpu is None else cpu)
    return plan_trial(seen, read_signs(seen, used), 0.5, 1.0, aim or Aim())


@pytest.mark.parametrize(
    ("replicas", "known", "objective", "expected"),
    [
        (3, {}, "balanced", 2),
        (3, {}, "cost", 1),
        (1, {}, "balanced", 1),
        (1, {}, "reliability", 2),
        (1, {"pdbs": [PDB]}, "cost", 2),
        (5, {"hpas": [hpa(1, 8)]}, "balanced", 1),
        (5, {"hpas": [hpa(3, 8)]}, "balanced", 2),
    ],
)
def test_two_are_kept_where_two_are_wanted(replicas: int, known: Json, objective: Any, expected: int) -> None:
    assert least_replicas(facts(deployment(MODEL, replicas=replicas), **known), Aim(objective)) == expected


def test_bounds_are_what_nodes_hold() -> None:
    assert planned(nodes=[node(cpu="4")]).bounds.most_replicas == 8


def test_targets_that_the_limit_hides_are_not_tried() -> None:
    """95 % of a limit of 525m is 99.75 % of 500m: a target of 90 % adds pods from 100 % on, one of 85 % from 94 %."""
    seen = facts(deployment(container(cpu="500m", cpu_limit="525m")))
    signs = read_signs(seen, history(flat(1.2)))
    plan = plan_trial(seen, signs, 0.5, 0.525, Aim())
    assert max(plan.bounds.targets) == 90 - 5
    assert max(planned().bounds.targets) == 95


def test_startup_is_measured_on_the_pods() -> None:
    seen = facts(deployment(MODEL))
    assert startup_seconds(seen) == 40.0
    pending = pod(0, seen.object, pending="0/1 nodes are available")
    assert startup_seconds(facts(deployment(MODEL), pods=[pending])) == 30.0


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ({}, Setting(3, 3, 80, 0.5)),
        ({"hpas": [hpa(2, 8, 60)]}, Setting(2, 8, 60, 0.5)),
        ({"hpas": [hpa(), hpa(name="b")]}, None),
    ],
    ids=["count", "HPA", "two HPAs"],
)
def test_what_runs_is_replayed_as_it_runs(known: Json, expected: Setting | None) -> None:
    assert running_setting(facts(deployment(MODEL), **known), 0.5) == expected


def test_an_hpa_with_behavior_is_replayed_with_it() -> None:
    behaving = hpa(2, 8, 60, behavior={"scaleDown": {"stabilizationWindowSeconds": 60}})
    running = running_setting(facts(deployment(MODEL), hpas=[behaving]), 0.5)
    assert isinstance(running, ScalingSpec)
    assert running.behavior is not None


@given(level=st.floats(0.05, 20))
def test_a_fixed_count_serves_its_demand_and_one_less_would_not(level: float) -> None:
    demand = np.full(5760, level)
    plan = planned(Aim("cost"), nodes=[node(cpu="64")], cpu=flat(5.0))
    count = fixed_count(demand, plan)
    most_at_once = 0.85 * count * 1.0
    assert level <= most_at_once + 1e-6
    assert level <= 0.5 * count + 1e-6, "what is used all the time is asked for"
    if count > 1:
        assert level > 0.5 * (count - 1) - 1e-6 or level > 0.85 * (count - 1) - 1e-6


@settings(max_examples=8, deadline=None)
@given(low=st.floats(0.1, 1.0), swing=st.floats(0.1, 3.0), replicas=st.integers(1, 6))
def test_a_trial_stays_in_bounds_and_its_gain_is_its_rows(low: float, swing: float, replicas: int) -> None:
    seen = facts(deployment(MODEL, replicas=replicas), hpas=[hpa(1, 12, 50)], nodes=[node(cpu="8")])
    used = history(daily(low, low + swing), replicas)
    plan = plan_trial(seen, read_signs(seen, used), 0.5, 1.0, Aim())
    trial = run_trial(Asked(seen, used, plan))
    assert 1 <= trial.setting.min_replicas <= trial.setting.max_replicas <= plan.bounds.most_replicas
    now, then, _ = trial.rows
    days = trial.held_out.demand.size * 15.0 / 86400.0
    assert trial.saved_core_hours == pytest.approx((now.core_hours - then.core_hours) / days)
    if not trial.better:
        assert (now.pod_hours, now.unmet) == (then.pod_hours, then.unmet)


def test_trials_together_come_out_as_each_alone() -> None:
    """Loads, sizes and start-up times differ, so that some advance in step and some cannot."""
    asked = []
    for replicas, days, hpas in ((2, 2.0, ()), (3, 3.0, (hpa(1, 12, 50),)), (4, 2.0, (hpa(2, 9, 80),)), (3, 3.0, ())):
        seen = facts(deployment(MODEL, replicas=replicas), hpas=hpas)
        used = history(daily(0.2 * replicas, 0.9 * replicas, days), replicas)
        plan = plan_trial(seen, read_signs(seen, used), 0.3 + 0.1 * replicas, 1.0 if hpas else None, Aim())
        asked.append(Asked(seen, used, replace(plan, world=replace(plan.world, startup=20.0 * replicas))))
    for together, alone in zip(run_trials(asked), map(run_trial, asked), strict=True):
        assert (together.setting, together.better, together.tried) == (alone.setting, alone.better, alone.tried)
        for ours, theirs in zip(together.rows, alone.rows, strict=True):
            assert (ours.setting, ours.pod_hours, ours.unmet) == (theirs.setting, theirs.pod_hours, theirs.unmet)
            assert ours.capacity is not None
            assert theirs.capacity is not None
            assert ours.capacity.tolist() == theirs.capacity.tolist()


def test_the_search_never_saw_what_it_is_scored_on() -> None:
    """A spike in the last part changes the score and not the setting."""
    calm, spiked = daily(0.3, 1.2, days=3), daily(0.3, 1.2, days=3)
    spiked[-300:-200] = 12.0
    seen = facts(deployment(MODEL), hpas=[hpa(1, 12, 50)])
    plan = planned(hpas=[hpa(1, 12, 50)], cpu=calm)
    before, after = run_trial(Asked(seen, history(calm), plan)), run_trial(Asked(seen, history(spiked), plan))
    assert before.setting == after.setting
    assert after.rows[1].unmet > before.rows[1].unmet


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        (Setting(1, 1, 80, 0.5), "1 replica"),
        (Setting(4, 4, 80, 0.5), "4 replicas"),
        (Setting(2, 9, 65, 0.5), "2..9 at 65 %"),
        (Setting(2, 9, 65, 0.5, 900.0), "2..9 at 65 %, window 900 s"),
    ],
)
def test_settings_in_words(setting: Setting, words: str) -> None:
    assert setting_words(setting) == words


def test_a_value_holds_until_the_next() -> None:
    series = Series(np.array([10.0, 20.0]), np.array([1.0, 2.0]))
    assert held(series, np.array([5.0, 10.0, 19.0, 20.0, 99.0])).tolist() == [1.0, 1.0, 1.0, 2.0, 2.0]
    assert held(Series(np.array([]), np.array([])), np.array([1.0])).tolist() == [0.0]
