"""The arithmetic of thresholds: upstream's figures, and laws held against a search by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlscale.hpa.reach import (
    highest_use_down,
    lowest_use_up,
    proposed_replicas,
    read_reach,
    resting_replicas,
)
from mlscale.hpa.tolerance import Tolerance

DEFAULT = Tolerance()

targets = st.integers(1, 250)
counts = st.integers(1, 60)
shares = st.sampled_from([0.0, 0.01, 0.05, 0.1, 0.2, 0.3, 0.5, 0.9, 0.99, 1.0, 1.5])
tolerances = st.builds(Tolerance, down=shares, up=shares)


@pytest.mark.parametrize(
    ("use", "target", "replicas", "proposed"),
    [
        (90, 60, 4, 6),
        (55, 50, 4, 4),  # the upper bound belongs to the tolerance
        (45, 50, 4, 4),  # so does the lower one
        (56, 50, 4, 5),
        (44, 50, 10, 9),
        (0, 50, 4, 0),
        (56, 50, 25, 29),  # exact arithmetic would give 28
    ],
)
def test_proposed_replicas(use: int, target: int, replicas: int, proposed: int) -> None:
    """Figures of the upstream calculator (k8s.io/kubernetes pkg/controller/podautoscaler, v1.37.2)."""
    assert proposed_replicas(use, target, replicas, DEFAULT) == proposed


def test_each_side_has_its_own_tolerance() -> None:
    wide_down = Tolerance(down=0.5, up=0.0)
    assert proposed_replicas(51, 50, 4, wide_down) == 5
    assert proposed_replicas(25, 50, 4, wide_down) == 4
    assert proposed_replicas(25, 50, 4, DEFAULT) == 2


@pytest.mark.parametrize(
    ("target", "replicas", "down", "up"),
    [
        (50, 3, 33, 56),  # 33 / 50 * 3 is 1.98; 34 would be 2.04
        (50, 2, 25, 56),
        (50, 20, 44, 56),  # the tolerance ends at 45, before 47.5 does
        (80, 2, 40, 89),
        (91, 2, 45, 101),
        (90, 2, 45, 100),
        (1, 2, 0, 2),
    ],
)
def test_thresholds(target: int, replicas: int, down: int, up: int) -> None:
    assert highest_use_down(target, replicas, DEFAULT) == down
    assert lowest_use_up(target, replicas, DEFAULT) == up


def test_no_use_goes_down_where_the_tolerance_reaches_zero() -> None:
    assert highest_use_down(50, 5, Tolerance(down=1.0)) is None


@given(targets, counts, tolerances)
def test_thresholds_are_what_a_search_of_every_use_finds(target: int, replicas: int, tolerance: Tolerance) -> None:
    uses = range(target * 4 + 3)
    downs = [use for use in uses if proposed_replicas(use, target, replicas, tolerance) < replicas]
    ups = [use for use in uses if proposed_replicas(use, target, replicas, tolerance) > replicas]
    assert highest_use_down(target, replicas, tolerance) == (downs[-1] if downs else None)
    assert lowest_use_up(target, replicas, tolerance) == ups[0]
    assert downs == list(range(len(downs)))
    assert ups == list(range(ups[0], uses.stop))


@given(targets, counts, tolerances)
def test_the_use_that_goes_up_is_the_same_from_any_count(target: int, replicas: int, tolerance: Tolerance) -> None:
    assert lowest_use_up(target, replicas, tolerance) == lowest_use_up(target, 1, tolerance)


@given(targets, st.integers(2, 40), tolerances)
def test_the_last_step_down_needs_the_lowest_use(target: int, replicas: int, tolerance: Tolerance) -> None:
    """So min + 1 -> min decides. Float noise can cost a whole per cent elsewhere, but never the last step more."""
    last, earlier = highest_use_down(target, replicas, tolerance), highest_use_down(target, replicas + 1, tolerance)
    assert (last is None) == (earlier is None)
    if last is not None and earlier is not None:
        assert last <= earlier + 1


@given(targets, st.integers(1, 6), st.integers(1, 12), tolerances)
def test_returns_to_min_is_what_walking_down_finds(target: int, low: int, more: int, tolerance: Tolerance) -> None:
    """By hand: from each count, try every use a running pod can have (1 % and more) and take the lowest proposal."""
    high = low + more
    stuck = [
        replicas
        for replicas in range(low + 1, high + 1)
        if all(proposed_replicas(use, target, replicas, tolerance) >= replicas for use in range(1, target + 1))
    ]
    reach = read_reach(target, low, high, tolerance)
    assert reach.returns_to_min == (not stuck)
    if stuck:
        assert reach.rests_at > low


@given(targets, st.integers(1, 6), st.integers(1, 12), tolerances, st.integers(0, 300))
def test_resting_replicas_stay_where_they_are(
    target: int, low: int, more: int, tolerance: Tolerance, idle: int
) -> None:
    rests = resting_replicas(target, low, low + more, tolerance, idle_use=idle)
    assert low <= rests <= low + more
    assert rests == low or proposed_replicas(idle, target, rests, tolerance) >= rests


@pytest.mark.parametrize(
    ("idle", "rests"),
    [
        (33, 2),  # 5 -> 4 -> 3 -> 2
        (34, 3),  # 34 / 50 * 3 is 2.04, and so 3 again
        (45, 5),  # within the tolerance from the start
    ],
)
def test_a_base_load_keeps_replicas(idle: int, rests: int) -> None:
    assert resting_replicas(50, 2, 5, DEFAULT, idle_use=idle) == rests


@pytest.mark.parametrize(
    ("target", "cap", "scales_up"),
    [
        (90, 100, True),  # 100 / 90 is 1.11
        (91, 100, False),  # 100 / 91 is 1.0989: within the tolerance
        (150, 200, True),
        (95, None, True),
    ],
)
def test_limits_cap_the_use(target: int, cap: int | None, scales_up: bool) -> None:
    assert read_reach(target, 1, 5, DEFAULT, cap=cap).scales_up is scales_up


def test_min_zero_steps_to_one() -> None:
    """The step from 1 to 0 takes an External or Object metric at 0, which is no average use."""
    reach = read_reach(50, 0, 5, DEFAULT)
    assert reach.down is not None
    assert (reach.down.replicas, reach.down.to, reach.down.use) == (2, 1, 25)


def test_min_equal_to_max_has_no_steps() -> None:
    reach = read_reach(50, 3, 3, DEFAULT)
    assert reach.up is None
    assert reach.down is None
    assert reach.returns_to_min


def test_the_largest_numbers_of_the_api_are_quick() -> None:
    largest = 2**31 - 1
    reach = read_reach(largest, 1, largest, Tolerance(up=9e18))
    assert reach.returns_to_min
    assert lowest_use_up(10**18, largest, DEFAULT) > 10**18
