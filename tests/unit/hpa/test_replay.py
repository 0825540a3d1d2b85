"""Many settings replayed side by side equal each one replayed alone, and the controller itself."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlscale.hpa import replay_repair
from mlscale.hpa.replay import replay, replay_parts, replay_replicas, replay_runs, replay_runs_parts
from mlscale.hpa.replay_model import Candidates, FloatArray, Run, Setting, World, candidates_of
from mlscale.hpa.replay_plain import replay_spec
from mlscale.hpa.replay_windows import Sliding
from mlscale.hpa.tolerance import Tolerance
from tests.unit.hpa.replayed import decided, hpa_spec
from tests.unit.hpa.test_replay_plain import demands, worlds

if TYPE_CHECKING:
    from mlscale.hpa.scaling_spec import ScalingSpec

windows = st.sampled_from([0.0, 10.0, 15.0, 60.0, 300.0, 900.0])
one_setting = st.builds(
    lambda low, room, *rest: Setting(low, low + room, *rest),
    st.integers(1, 4),
    st.integers(0, 20),
    st.sampled_from([10, 50, 73, 80, 150]),
    st.sampled_from([0.1, 0.333, 1.0]),
    windows,
    st.sampled_from([0.0, 30.0, 300.0]),
)


def spec_of(setting: Setting) -> ScalingSpec:
    behavior: dict[str, object] | None = None
    if setting.has_behavior:
        behavior = {
            "scaleDown": {"stabilizationWindowSeconds": int(setting.down_window)},
            "scaleUp": {"stabilizationWindowSeconds": int(setting.up_window)},
        }
    return hpa_spec(setting.min_replicas, setting.max_replicas, setting.target, behavior)


def load(kind: str, syncs: int) -> FloatArray:
    """Demand in cores that rises and falls, that stays, or that jumps."""
    rng, hours = np.random.default_rng(7), np.arange(syncs) * 15 / 3600
    if kind == "steady":
        return 10 * (1 + 0.02 * rng.standard_normal(syncs))
    if kind == "flat with steps":
        return np.asarray(np.repeat(rng.uniform(0, 20, syncs // 700 + 1), 700)[:syncs])
    walk = np.cumsum(rng.standard_normal(syncs)) * 0.05
    return np.asarray((10 + 6 * np.sin(hours * 2) + walk - walk.mean()).clip(0))


SIDE_BY_SIDE = candidates_of(
    [
        Setting(low, high, target, 0.5, down, up)
        for low, high in ((1, 8), (2, 60))
        for target in (30, 65, 90)
        for down, up in ((300.0, 0.0), (0.0, 0.0), (120.0, 60.0), (900.0, 0.0))
    ]
)


@settings(max_examples=100, deadline=None)
@given(demand=demands(), world=worlds, chosen=st.lists(one_setting, min_size=1, max_size=4), first=st.integers(1, 12))
def test_each_setting_moves_as_the_controller_moves_it(
    demand: list[float], world: World, chosen: list[Setting], first: int
) -> None:
    ours = replay_replicas(np.array(demand), candidates_of(chosen), world, first).replicas
    for column, setting in enumerate(chosen):
        request = math.ceil(round(setting.request * 1000, 6))
        theirs = decided(demand, spec_of(setting), request, world, first)
        np.testing.assert_array_equal(ours[:, column], theirs, err_msg=str(setting))


@pytest.mark.parametrize("kind", ["daily", "steady", "flat with steps"])
@pytest.mark.parametrize("world", [World(), World(startup=600.0, metric_lag=60.0, limit=0.7)])
def test_cut_into_segments_it_is_the_same(kind: str, world: World) -> None:
    demand = load(kind, 4000)
    ours = replay_replicas(demand, SIDE_BY_SIDE, world, 30)
    for column in range(0, len(SIDE_BY_SIDE), 5):
        setting = SIDE_BY_SIDE[column]
        alone = replay_spec(demand, spec_of(setting), setting.request, world, 30)
        np.testing.assert_array_equal(ours.replicas[:, column], alone.replicas[:, 0], err_msg=str(setting))
        np.testing.assert_array_equal(ours.ready[:, column], alone.ready[:, 0], err_msg=str(setting))


def test_loads_that_advance_in_step_move_as_each_alone() -> None:
    """Of different lengths, limits and tolerances, one of them with pods that start more slowly than the others'."""
    worlds_of = [World(), World(limit=0.6), World(tolerance=Tolerance(0.05, 0.3)), World(startup=200.0)]
    loads = [load(kind, syncs) for kind, syncs in (("daily", 3000), ("steady", 3300), ("flat with steps", 2900))]
    runs = [
        Run(demand, SIDE_BY_SIDE.chosen(np.arange(first, 24, 3)), world, first)
        for first, (demand, world) in enumerate(zip([*loads, loads[0]], worlds_of, strict=True), 1)
    ]
    for run, together in zip(runs, replay_runs(runs), strict=True):
        alone = replay_replicas(run.demand, run.candidates, run.world, run.first_replicas)
        np.testing.assert_array_equal(together, alone.replicas)
    scores = replay_runs_parts(runs, [1, 2, 3, 4])
    assert [len(parts) for parts in scores] == [1, 2, 3, 4]
    for run, parts in zip(runs, scores, strict=True):
        alone_parts = replay_parts(run.demand, run.candidates, run.world, run.first_replicas, len(parts))
        np.testing.assert_array_equal([part.unmet for part in parts], [part.unmet for part in alone_parts])


def test_segments_that_start_wrong_are_needed_in_that_test(monkeypatch: pytest.MonkeyPatch) -> None:
    demand, right = load("steady", 4000), replay_replicas(load("steady", 4000), SIDE_BY_SIDE, World(), 30)
    monkeypatch.setattr("mlscale.hpa.replay_segments.repair", lambda *_: None)
    unrepaired = replay_replicas(demand, SIDE_BY_SIDE, World(), 30)
    assert (unrepaired.replicas != right.replicas).any()


def test_standing_still_is_leapt_over(monkeypatch: pytest.MonkeyPatch) -> None:
    blocks: list[int] = []
    go_on = replay_repair._Repairs.go_on

    def counted(self: replay_repair._Repairs) -> None:
        blocks.append(len(self.place))
        go_on(self)

    monkeypatch.setattr(replay_repair._Repairs, "go_on", counted)
    # From 30 pods down to within tolerance: 22 serve 10 cores at 91 %, a guess from nothing would be 20.
    replay_replicas(np.full(40_000, 10.0), candidates_of([Setting(1, 40, 100, 0.5)] * 20), World(), 22)
    assert 0 < len(blocks) < 5


def test_tolerance_is_the_worlds() -> None:
    demand = np.full(10, 5.4)
    replicas = replay_replicas(demand, candidates_of([Setting(1, 9, 50, 1.0)]), World(tolerance=Tolerance(0.1, 0.2)), 9)
    assert replicas.replicas[-1, 0] == 9  # 60 % of 50 % is 1.2, and 8 to 10 % below it nothing happens either
    up = replay_replicas(np.full(10, 5.4), candidates_of([Setting(1, 20, 50, 1.0)]), World(), 9)
    assert up.replicas[-1, 0] == 11  # 60 % by 50 % of 9 is 10.8


def test_score_of_a_fixed_count() -> None:
    """2 pods of 1 core for an hour: 1 core, then 3 cores of which one is lost."""
    demand = np.repeat([1.0, 3.0], 120)
    score = replay(demand, candidates_of([Setting(2, 2, 80, 1.0)]), World(gpus=2.0), 2)
    assert score.pod_hours == pytest.approx([2.0])
    assert score.core_hours == pytest.approx([2.0])
    assert score.gpu_hours == pytest.approx([4.0])
    assert score.unmet == pytest.approx([0.25])
    assert score.saturated_minutes == pytest.approx([30.0])
    assert score.changes_per_day == pytest.approx([0.0])
    assert score.peak_replicas == pytest.approx([2.0])


@pytest.mark.parametrize(
    ("world", "unmet"),
    [
        (World(), 1 / 3),  # a pod serves what it requests
        (World(limit=1.2), 0.2),  # or up to its limit
        (World(limit=1.2, capacity=1.5), 0.0),  # or what is said
    ],
)
def test_what_a_pod_can_serve(world: World, unmet: float) -> None:
    score = replay(np.full(8, 3.0), candidates_of([Setting(2, 2, 80, 1.0)]), world, 2)
    assert score.unmet == pytest.approx([unmet])


def test_a_starting_pod_costs_and_does_not_serve() -> None:
    """From 1 to 2 pods, the second Ready 60 s later: it exists for all of the 2 minutes and serves half of them."""
    world = World(startup=60.0)
    score = replay(np.full(8, 2.0), candidates_of([Setting(2, 2, 80, 1.0)]), world, 1)
    assert score.pod_hours == pytest.approx([2 * 8 * 15 / 3600])
    assert score.unmet == pytest.approx([0.25])
    assert score.changes_per_day == pytest.approx([720.0])


def test_parts_add_up() -> None:
    demand = load("daily", 1000)
    whole, parts = (
        replay(demand, SIDE_BY_SIDE, World(), 5),
        replay_parts(demand, SIDE_BY_SIDE, World(), 5, 7),
    )
    np.testing.assert_allclose(sum(part.pod_hours for part in parts), whole.pod_hours)
    np.testing.assert_allclose(sum(part.saturated_minutes for part in parts), whole.saturated_minutes)
    np.testing.assert_array_equal(np.max([part.peak_replicas for part in parts], axis=0), whole.peak_replicas)
    edges = np.linspace(0, 1000, 8).round().astype(int)
    lost = sum(part.unmet * demand[a:b].sum() for part, a, b in zip(parts, edges[:-1], edges[1:], strict=True))
    np.testing.assert_allclose(lost / demand.sum(), whole.unmet)


def test_no_demand_is_all_met() -> None:
    score = replay(np.zeros(50), candidates_of([Setting(1, 5, 80, 1.0)]), World(), 3)
    assert score.unmet == pytest.approx([0.0])


@given(
    values=st.lists(st.lists(st.integers(0, 9), min_size=2, max_size=2), min_size=1, max_size=40),
    length=st.integers(1, 9),
)
def test_sliding_extreme(values: list[list[int]], length: int) -> None:
    rows = np.array(values, dtype=np.float32)
    window = Sliding(np.maximum, length, np.zeros(2, dtype=np.float32))
    for row in range(len(rows)):
        window.push(rows[row])
        np.testing.assert_array_equal(window.value, rows[max(0, row + 1 - length) : row + 1].max(axis=0))


GOOD = candidates_of([Setting(1, 5, 80, 1.0)])


@pytest.mark.parametrize(
    ("demand", "candidates", "world", "first", "why"),
    [
        ([], GOOD, World(), 1, "demand"),
        ([1.0, math.nan], GOOD, World(), 1, "demand"),
        ([-1.0], GOOD, World(), 1, "demand"),
        ([1.0], GOOD, World(), 0, "at least 1 replica"),
        ([1.0], candidates_of([Setting(0, 5, 80, 1.0)]), World(), 1, "min_replicas"),
        ([1.0], candidates_of([Setting(6, 5, 80, 1.0)]), World(), 1, "min_replicas"),
        ([1.0], candidates_of([Setting(1, 5, 0, 1.0)]), World(), 1, "target"),
        ([1.0], candidates_of([Setting(1, 5, 80, 0.0)]), World(), 1, "request"),
        ([1.0], candidates_of([Setting(1, 2**24, 80, 1.0)]), World(), 1, "max_replicas"),
        ([1.0], GOOD, World(sync_period=2.0), 1, "at least 15 s"),
    ],
)
def test_refused(demand: list[float], candidates: Candidates, world: World, first: int, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        replay(np.array(demand), candidates, world, first)
