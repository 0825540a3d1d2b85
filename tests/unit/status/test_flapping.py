"""When changes of an HPA are flapping."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlscale.status.flapping import CHANGES, REVERSALS, WITHIN, Rescale, find_flapping, rescales
from tests.unit.status.objects import NOW, ago

Json = dict[str, Any]


def changes(*steps: tuple[float, int]) -> list[Rescale]:
    return [Rescale(NOW + timedelta(minutes=minute), size) for minute, size in steps]


CASES = [
    ("up, down, up, down within 9 minutes", [(0, 5), (3, 2), (6, 5), (9, 2)], True),
    ("only three changes", [(0, 5), (3, 2), (6, 5)], False),
    ("the same over 45 minutes", [(0, 5), (15, 2), (30, 5), (45, 2)], False),
    ("a long way up", [(0, 2), (1, 4), (2, 8), (3, 16), (4, 20)], False),
    ("up and down once", [(0, 4), (1, 8), (8, 4), (9, 2)], False),
    ("calm, then a commotion", [(-50, 4), (0, 5), (4, 2), (8, 5), (12, 2)], True),
    ("none", [], False),
]


@pytest.mark.parametrize(("name", "steps", "flaps"), CASES, ids=[name for name, _, _ in CASES])
def test_four_changes_with_two_reversals_in_15_minutes(name: str, steps: list[tuple[float, int]], flaps: bool) -> None:
    assert (find_flapping(changes(*steps)) is not None) == flaps


def test_what_is_told_are_the_changes_of_the_commotion() -> None:
    found = find_flapping(changes((-50, 4), (0, 5), (4, 2), (8, 5), (12, 2)))
    assert found is not None
    assert ([change.size for change in found.changes], found.reversals, found.span) == (
        [5, 2, 5, 2],
        2,
        timedelta(minutes=12),
    )


def event(size: int, first: float, last: float, count: int = 1) -> Json:
    return {
        "message": f"New size: {size}; reason: All metrics below target",
        "firstTimestamp": ago(minutes=first),
        "lastTimestamp": ago(minutes=last),
        "count": count,
    }


def test_events_that_were_counted_up_stand_for_several_changes() -> None:
    """The server merges equal events: 5, 2, 5, 2, 5, 2 is kept as two events with a count of three."""
    found = rescales([event(5, first=12, last=4, count=3), event(2, first=10, last=2, count=3)])
    assert [change.size for change in found] == [5, 2, 5, 2, 5, 2]
    assert find_flapping(found) is not None


def test_events_that_tell_of_no_size_or_time_are_left_out() -> None:
    nameless = {"message": "New size: many; reason: x", "lastTimestamp": ago(minutes=1)}
    timeless = {"message": "New size: 5; reason: x", "lastTimestamp": None}
    newer = {"message": "New size: 5; reason: x", "eventTime": "2026-11-24T11:59:00.000000Z", "lastTimestamp": None}
    assert [change.size for change in rescales([nameless, timeless, {"message": "other"}, newer])] == [5]


@given(st.lists(st.tuples(st.floats(0, 60), st.integers(0, 9)), max_size=25))
def test_a_commotion_is_never_shorter_calmer_or_longer_than_the_rule(steps: list[tuple[float, int]]) -> None:
    found = find_flapping(sorted(changes(*steps), key=lambda change: change.time))
    assert found is None or (len(found.changes) >= CHANGES and found.reversals >= REVERSALS and found.span <= WITHIN)


@given(st.lists(st.integers(1, 1000), unique=True, min_size=4, max_size=20).map(sorted))
def test_a_way_in_one_direction_is_never_flapping(sizes: list[int]) -> None:
    assert find_flapping(changes(*enumerate(sizes))) is None
