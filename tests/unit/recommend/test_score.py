"""What settings come to, and when two of them differ by more than chance."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mlscale.hpa.replay_model import FloatArray, Setting, World
from mlscale.recommend.score import (
    block_count,
    demand_at_syncs,
    differs,
    fixed,
    score_replicas,
    score_setting,
    standard_error,
)
from mlscale.usage.model import Series
from tests.unit.hpa.replayed import hpa_spec

DAY = 5760


def noisy(days: int, spread: float) -> FloatArray:
    rng = np.random.default_rng(5)
    return np.repeat(10 * (1 + spread * rng.standard_normal(days * 24)), DAY // 24).clip(0.1)


def test_between_samples_the_earlier_one_holds() -> None:
    series = Series(np.array([100.0, 130.0, 220.0]), np.array([1.0, 2.0, 3.0]))
    times, demand = demand_at_syncs(series, 15.0)
    assert times.tolist() == [100, 115, 130, 145, 160, 175, 190, 205, 220]
    assert demand.tolist() == [1, 1, 2, 2, 2, 2, 2, 2, 3]


def test_one_sample_is_one_sync() -> None:
    assert demand_at_syncs(Series(np.array([7.0]), np.array([2.0])), 15.0)[1].tolist() == [2.0]


@pytest.mark.parametrize(
    ("syncs", "blocks"), [(1, 1), (3, 3), (240, 4), (3 * DAY, 4), (5 * DAY, 5), (5 * DAY + 100, 5)]
)
def test_blocks_are_days_or_quarters(syncs: int, blocks: int) -> None:
    assert block_count(syncs, 15.0) == blocks


def test_a_spec_is_scored_as_the_setting_that_it_is() -> None:
    demand = noisy(1, 0.2)
    behavior: dict[str, object] = {"scaleDown": {"stabilizationWindowSeconds": 60}}
    ours = score_setting(demand, Setting(1, 40, 60, 0.5, 60.0), 9.9, World(), 20)
    theirs = score_setting(demand, hpa_spec(1, 40, 60, behavior), 0.5, World(), 20)
    np.testing.assert_array_equal(ours.replicas, theirs.replicas)
    np.testing.assert_array_equal(ours.capacity, theirs.capacity)
    assert ours.request == theirs.request == 0.5
    assert ours.score.unmet == pytest.approx(theirs.score.unmet)


def test_what_was_recorded_is_scored_likewise() -> None:
    demand = noisy(1, 0.2)
    replayed = score_setting(demand, Setting(1, 40, 60, 0.5), 0.5, World(), 20)
    recorded = score_replicas(demand, replayed.replicas.astype(np.int32)[:, None], 0.5, World(), 20)
    assert recorded.score.pod_hours == pytest.approx(replayed.score.pod_hours)
    np.testing.assert_array_equal(recorded.capacity, replayed.capacity)


def test_blocks_add_up_to_the_score() -> None:
    scored = score_setting(noisy(5, 0.2), Setting(1, 40, 60, 1.0), 1.0, World(), 20)
    assert len(scored.blocks.pod_hours) == 5
    assert scored.blocks.pod_hours.sum() == pytest.approx(float(scored.score.pod_hours[0]))


@pytest.mark.parametrize(
    ("now", "then", "budget", "expected"),
    [
        # The same thing is no gain.
        (fixed(20, 1.0), fixed(20, 1.0), 0.01, False),
        # Half the pods serve it too.
        (fixed(40, 1.0), fixed(20, 1.0), 0.01, True),
        # 1 of 100 pods less is below what is worth a change.
        (fixed(100, 1.0), fixed(99, 1.0), 0.01, False),
        # Cheaper, but over budget where what runs is not.
        (fixed(20, 1.0), fixed(8, 1.0), 0.01, False),
        # Dearer, but what runs loses far more than the budget allows, every day.
        (fixed(5, 1.0), fixed(20, 1.0), 0.01, True),
        # Both lose more than the budget, the new one no more than now: cheaper is better.
        (fixed(5, 1.0), fixed(5, 0.9), 0.001, False),
    ],
)
def test_better_by_more_than_noise(now: Setting, then: Setting, budget: float, expected: bool) -> None:
    demand = noisy(6, 0.1)
    scores = [score_setting(demand, one, one.request, World(), one.max_replicas) for one in (now, then)]
    assert differs(scores[0], scores[1], budget) is expected


def test_a_loss_on_one_day_of_six_is_chance() -> None:
    """5 pods lose half of one bad day in six: the mean is above the budget, and within two of its errors."""
    demand = np.full(6 * DAY, 4.0)
    demand[:DAY] = 10.0
    now, then = (score_setting(demand, fixed(count, 1.0), 1.0, World(), count) for count in (5, 12))
    assert now.score.unmet[0] > 0.01
    assert not differs(now, then, 0.01)


def test_standard_error() -> None:
    assert standard_error(np.array([1.0, 3.0])) == pytest.approx(1.0)
    assert standard_error(np.array([1.0])) == math.inf


def test_a_fixed_count_never_changes() -> None:
    """From the 3 pods that were recorded before, 5 would be one change, and the first pods short."""
    scored = score_setting(noisy(2, 0.2), fixed(5, 1.0), 1.0, World(), 3)
    assert float(scored.score.changes_per_day[0]) == 0
    assert set(scored.replicas.tolist()) == {5.0}
