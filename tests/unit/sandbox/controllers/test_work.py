"""The queue of work: when an object is looked at, and how often."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest

from mlscale.sandbox.agenda import Agenda
from mlscale.sandbox.controllers.work import MOST_AT_ONCE, WorkQueue
from mlscale.sandbox.statuses import StatusError

START = datetime(2026, 11, 25, 8, 0, tzinfo=UTC)
KEY = ("default", "web")


class Looks:
    """A queue whose controller notes when it looked at what."""

    def __init__(self) -> None:
        self.agenda = Agenda(START)
        self.queue = WorkQueue(self.agenda)
        self.seen: list[float] = []
        self.failures = 0
        self.queue.register("c", self._sync)

    def _sync(self, key: tuple[str, str]) -> None:
        assert key == KEY
        self.seen.append((self.agenda.now - START).total_seconds())
        if self.failures:
            self.failures -= 1
            raise StatusError(403, "Forbidden", "no")

    def until(self, seconds: float) -> list[float]:
        self.agenda.advance(START + timedelta(seconds=seconds))
        return self.seen


@pytest.fixture
def looks() -> Looks:
    return Looks()


def test_what_changes_several_times_is_looked_at_once(looks: Looks) -> None:
    looks.queue.add("c", KEY)
    looks.queue.add("c", KEY)
    assert looks.until(10) == [0]


def test_it_is_looked_at_in_the_moment_of_the_change_as_often_as_it_changes_then(looks: Looks) -> None:
    looks.queue.add("c", KEY)
    assert looks.until(0) == [0]
    looks.queue.add("c", KEY)
    assert looks.until(0) == [0, 0]


def test_a_steady_stream_of_changes_is_looked_at_ten_times_a_second(looks: Looks) -> None:
    for hundredth in range(100):
        looks.agenda.after(hundredth / 100, lambda: looks.queue.add("c", KEY))
    assert looks.until(2) == pytest.approx([step / 10 for step in range(11)])


def test_two_controllers_that_disagree_for_ever_cannot_stop_the_time(looks: Looks) -> None:
    def look(key: tuple[str, str]) -> None:
        looks.seen.append(0)
        looks.queue.add("endless", key)

    looks.queue.register("endless", look)
    looks.queue.add("endless", KEY)
    assert len(looks.until(0.05)) == MOST_AT_ONCE


def test_failures_come_again_ever_later_until_one_succeeds(looks: Looks) -> None:
    looks.failures = 3
    looks.queue.add("c", KEY)
    assert looks.until(100) == pytest.approx([0, 0.005, 0.015, 0.035])
    looks.failures = 1
    looks.queue.add("c", KEY)
    assert looks.until(200)[4:] == pytest.approx([100, 100.005])


def test_the_longest_wait_is_a_thousand_seconds(looks: Looks) -> None:
    looks.failures = 30
    looks.queue.add("c", KEY)
    seen = looks.until(20_000)
    assert max(later - earlier for earlier, later in itertools.pairwise(seen)) == pytest.approx(1000)


def test_of_two_later_looks_the_earlier_counts(looks: Looks) -> None:
    looks.queue.add_after("c", KEY, 50)
    looks.queue.add_after("c", KEY, 5)
    looks.queue.add_after("c", KEY, 20)
    assert looks.until(100) == [5]
