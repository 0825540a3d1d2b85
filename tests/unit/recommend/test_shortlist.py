"""Which settings are replayed, from what an estimate says and what replays have shown."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mlscale.hpa.replay_model import Setting, candidates_of
from mlscale.recommend.shortlist import Outlook, first_picks, next_picks, pick, within

TARGETS = (40, 50, 60, 70, 80, 90)
LADDER = candidates_of([Setting(1, 20, target, 1.0) for target in TARGETS])
"""The higher the target, the cheaper, and the more goes unmet."""
BUDGET = 0.002


def outlook(cost: list[float], feared: list[float], changes: list[float] | None = None) -> Outlook:
    return Outlook(np.array(cost), np.array(changes or [10.0] * len(cost)), np.array(feared))


ESTIMATED = outlook([100, 90, 80, 70, 60, 50], [0, 0.0001, 0.0003, 0.0018, 0.006, 0.02])


def test_the_calmest_of_the_equally_cheap_is_picked() -> None:
    even = outlook([100, 99, 98.5, 98, 120, 97.5], [0.0] * 6, [9, 3, 4, 5, 1, 6])
    assert pick(LADDER, even, np.ones(6, dtype=bool)) == 1
    assert pick(LADDER, even, np.array([1, 0, 1, 1, 1, 0], dtype=bool)) == 2


def test_a_window_of_its_own_has_to_save_a_fifth_of_the_changes() -> None:
    windows = candidates_of([Setting(1, 9, 60, 1.0, 900.0), Setting(1, 9, 60, 1.0)])
    assert pick(windows, outlook([10, 10], [0, 0], [82, 100]), np.ones(2, dtype=bool)) == 1
    assert pick(windows, outlook([10, 10], [0, 0], [78, 100]), np.ones(2, dtype=bool)) == 0


def test_where_none_is_within_budget_those_that_leave_the_least_are() -> None:
    assert within(ESTIMATED, BUDGET).tolist() == [True, True, True, True, False, False]
    assert within(outlook([1, 2], [0.5, 0.505]), BUDGET).tolist() == [True, True]
    assert within(outlook([1, 2], [0.5, 0.6]), BUDGET).tolist() == [True, False]


def test_first_come_the_cheapest_within_some_shares_of_the_budget() -> None:
    chosen = first_picks(LADDER, ESTIMATED, BUDGET).tolist()
    assert 3 in chosen, "the cheapest within it"
    assert 2 in chosen, "the cheapest within a quarter of it, if the estimate is too low"
    assert 0 in chosen, "the safest"
    assert 5 not in chosen, "ten times the budget"


def test_what_is_worse_than_a_bad_one_or_dearer_than_a_good_one_is_not_tried() -> None:
    known = np.array([0, 0, 1, 1, 0, 0], dtype=bool)
    replayed = outlook([np.inf, np.inf, 82, 71, np.inf, np.inf], [np.inf, np.inf, 0.001, 0.004, np.inf, np.inf])
    assert next_picks(LADDER, ESTIMATED, replayed, known, BUDGET).tolist() == []


def test_an_estimate_that_was_too_high_opens_cheaper_ones() -> None:
    """Replays leave a tenth of what was feared: 0.6 % stands for 0.06 % then, 2 % for the budget."""
    known = np.array([0, 0, 1, 1, 0, 0], dtype=bool)
    replayed = outlook([np.inf, np.inf, 82, 71, np.inf, np.inf], [np.inf, np.inf, 0.00003, 0.00018, np.inf, np.inf])
    assert 4 in next_picks(LADDER, ESTIMATED, replayed, known, BUDGET)


def test_without_a_good_one_safer_ones_are_tried() -> None:
    known = np.array([0, 0, 0, 1, 0, 0], dtype=bool)
    replayed = outlook([np.inf, np.inf, np.inf, 70, np.inf, np.inf], [np.inf] * 3 + [0.01] + [np.inf] * 2)
    assert 0 in next_picks(LADDER, ESTIMATED, replayed, known, BUDGET)


@given(ratio=st.lists(st.floats(0.01, 30), min_size=6, max_size=6), budget=st.sampled_from([0.01, 0.002, 0.0002, 0.0]))
def test_nothing_is_replayed_twice_and_it_ends(ratio: list[float], budget: float) -> None:
    truth = outlook(ESTIMATED.cost.tolist(), (np.sort(ratio) * ESTIMATED.feared + 1e-9).tolist())
    known, wanted = np.zeros(6, dtype=bool), first_picks(LADDER, ESTIMATED, budget)
    while wanted.size:
        assert not known[wanted].any()
        known[wanted] = True
        wanted = next_picks(LADDER, ESTIMATED, truth, known, budget)
    assert known.any()
