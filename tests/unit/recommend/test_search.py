"""Which setting a search takes, and what it may not depend on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mlscale.hpa.replay import replay
from mlscale.hpa.replay_model import FloatArray, Setting, World, candidates_of
from mlscale.recommend import search as searching
from mlscale.recommend.search import (
    BUDGETS,
    Aim,
    Bounds,
    Question,
    default_setting,
    feared_unmet,
    plan_candidates,
    search,
    split_demand,
)

DAY = 5760
BOUNDS = Bounds(most_replicas=60, requests=(1.0,), targets=(30, 50, 70, 90), windows=(60.0, 300.0))


def daily(days: int, seed: int = 1) -> FloatArray:
    """4 to 16 cores in a day, with noise of 5 %."""
    cycle = 10 + 6 * np.sin(2 * np.pi * np.arange(days * DAY) / DAY)
    return np.asarray(cycle * (1 + 0.05 * np.random.default_rng(seed).standard_normal(len(cycle)))).clip(0)


def test_split_holds_the_last_part_back() -> None:
    seen, unseen = split_demand(np.arange(100.0))
    assert (seen[-1], unseen[0], len(unseen)) == (69.0, 70.0, 30)


def test_no_cheaper_candidate_would_have_done() -> None:
    """The law of the search, checked by brute force where nothing is sorted out first."""
    demand, aim = daily(2), Aim("cost", budget=0.01)
    found = search(Question(demand, World(), BOUNDS, aim, 10, margin=1.0))
    candidates = plan_candidates(demand, World(), BOUNDS)
    score = replay(demand, candidates, World(), 10)
    cheapest = score.core_hours[score.unmet <= 0.01].min()
    assert found.within_budget
    assert found.score.unmet[0] <= 0.01
    assert found.score.core_hours[0] <= cheapest * 1.02
    assert found.tried == len(candidates)


def test_a_tighter_aim_costs_more_and_leaves_less() -> None:
    demand = daily(3)
    found = [
        search(Question(demand, World(), BOUNDS, Aim(objective), 10))
        for objective in ("cost", "balanced", "reliability")
    ]
    unmet = [float(one.score.unmet[0]) for one in found]
    assert unmet == sorted(unmet, reverse=True)
    assert found[0].score.core_hours[0] < found[2].score.core_hours[0]


def test_sorting_out_first_finds_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    demand = daily(4)
    sorted_out = search(Question(demand, World(), BOUNDS, Aim(), 10))
    monkeypatch.setattr(searching, "_DIRECT", 10**12)
    assert search(Question(demand, World(), BOUNDS, Aim(), 10)).setting == sorted_out.setting
    assert sorted_out.tried * len(demand) > 10**6


def test_held_out_demand_stays_within_budget() -> None:
    seen, unseen = split_demand(daily(6))
    found = search(Question(seen, World(), BOUNDS, Aim("balanced"), 10))
    score = replay(unseen, candidates_of([found.setting]), World(), 10)
    assert score.unmet[0] <= BUDGETS["balanced"]


def test_beyond_every_bound_it_says_so() -> None:
    found = search(Question(daily(1), World(), replace(BOUNDS, most_replicas=5), Aim(), 5))
    assert not found.within_budget
    assert found.setting.max_replicas == 5
    # 5 pods of 1 core do not serve 10 cores: all of them, all of the time.
    assert found.score.pod_hours[0] == pytest.approx(5 * 24)


def test_min_and_max_stay_within_bounds() -> None:
    candidates = plan_candidates(daily(1), World(), replace(BOUNDS, most_replicas=12, least_replicas=2))
    assert candidates.min_replicas.min() >= 2
    assert candidates.max_replicas.max() <= 12
    assert (candidates.min_replicas <= candidates.max_replicas).all()


def test_a_limit_below_the_target_bounds_what_a_pod_serves() -> None:
    """Of 10 cores at 90 % of 1 core a min of 12 is enough, unless a limit lets a pod use half a core only."""
    free = plan_candidates(np.full(10, 10.0), World(), replace(BOUNDS, targets=(90,)))
    limited = plan_candidates(np.full(10, 10.0), World(limit=0.5), replace(BOUNDS, targets=(90,)))
    assert free.min_replicas.max() == 12
    assert limited.min_replicas.max() == 20


@pytest.mark.parametrize("bounds", [replace(BOUNDS, targets=()), replace(BOUNDS, least_replicas=61)])
def test_bounds_that_leave_nothing(bounds: Bounds) -> None:
    with pytest.raises(ValueError, match="no setting lies within"):
        search(Question(daily(1), World(), bounds, Aim(), 5))


def test_the_past_is_not_trusted_beyond_its_spread() -> None:
    even, weights = np.full((4, 1), 0.01), np.full(4, 0.25)
    assert feared_unmet(even, weights) == pytest.approx([0.01])
    # The same mean, all of it on one day: 0.01 + 2 * 0.02 / 2, and two days in a row had 0.02 at most.
    uneven = np.array([[0.04], [0.0], [0.0], [0.0]])
    assert feared_unmet(uneven, weights) == pytest.approx([0.03])
    assert feared_unmet(np.array([[0.01]]), np.ones(1)) == pytest.approx([0.01])


def test_bad_days_that_come_together_count_as_such() -> None:
    """Of 20 days 6 in a row lose 10 %: 3 % on the mean, up to 5 with its errors; but 7 of 9 days may be like them."""
    unmet = np.zeros((20, 1))
    unmet[5:11] = 0.1
    assert feared_unmet(unmet, np.full(20, 0.05)) == pytest.approx([6 / 9 * 0.1])


def test_default_is_what_the_api_gives() -> None:
    assert default_setting(Setting(3, 9, 40, 0.5, 60.0, 30.0)) == Setting(1, 9, 80, 0.5, 300.0, 0.0)


def test_a_given_budget_counts() -> None:
    assert Aim("cost").unmet == BUDGETS["cost"]
    assert Aim("cost", budget=0.0).unmet == 0.0
