"""Whether an HPA goes up and down again in quick succession, from its events."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from mlscale.frozen import frozen
from mlscale.kube.pods import timestamp

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Json = dict[str, Any]

WITHIN = timedelta(minutes=15)
"""The span in which changes count as one commotion."""
CHANGES = 4
"""Fewer changes in that span are ordinary: up in two steps and down again, say."""
REVERSALS = 2
"""Up, down, up: one reversal alone is load that came and went."""
_SIZE = "New size: "


@frozen
class Rescale:
    """One change of the replicas by the HPA controller."""

    time: datetime
    size: int


@frozen
class Flapping:
    """The changes of one commotion, oldest first."""

    changes: tuple[Rescale, ...]
    reversals: int

    @property
    def span(self) -> timedelta:
        """From the first change to the last."""
        return self.changes[-1].time - self.changes[0].time


def rescales(events: Iterable[Json]) -> list[Rescale]:
    """The changes that an HPA's ``SuccessfulRescale`` events tell of, oldest first.

    An event that was counted up has lost the times between its first and its last; they are spread evenly.
    """
    return sorted((change for event in events for change in _changes(event)), key=lambda change: change.time)


def find_flapping(changes: list[Rescale]) -> Flapping | None:
    """The latest span of 15 minutes with at least four changes and two reversals of direction."""
    for start in range(len(changes) - CHANGES, -1, -1):
        within = [change for change in changes[start:] if change.time - changes[start].time <= WITHIN]
        reversals = _reversals([change.size for change in within])
        if len(within) >= CHANGES and reversals >= REVERSALS:
            return Flapping(tuple(within), reversals)
    return None


def _reversals(sizes: list[int]) -> int:
    """How often the direction changes: 2, 5, 2, 5 goes up, down, up, so twice."""
    directions = [after > before for before, after in pairwise(sizes) if after != before]
    return sum(1 for before, after in pairwise(directions) if before != after)


def _changes(event: Json) -> Iterator[Rescale]:
    # "New size: 5; reason: cpu resource utilization (percentage of request) above target"
    message = str(event.get("message") or "")
    number = message.removeprefix(_SIZE).partition(";")[0]
    last = timestamp(event.get("lastTimestamp")) or timestamp(event.get("eventTime"))
    if not message.startswith(_SIZE) or not number.isdigit() or last is None:
        return
    first = timestamp(event.get("firstTimestamp")) or last
    count = max(1, int(event.get("count") or 1))
    step = (last - first) / (count - 1) if count > 1 else timedelta(0)
    for index in range(count):
        yield Rescale(last - step * index, int(number))
