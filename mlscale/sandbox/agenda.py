"""What is still to happen in the simulated cluster, in the order of simulated time."""

from __future__ import annotations

import heapq
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Agenda:
    """Actions with the simulated moment at which each is due; of the same moment, first come, first served."""

    def __init__(self, start: datetime) -> None:
        self.now = start
        self._due: list[tuple[datetime, int, Callable[[], None]]] = []
        self._count = 0

    def after(self, seconds: float, action: Callable[[], None]) -> None:
        """Have ``action`` done ``seconds`` of simulated time from now."""
        self._count += 1
        heapq.heappush(self._due, (self.now + timedelta(seconds=seconds), self._count, action))

    def every(self, seconds: float, action: Callable[[], None]) -> None:
        """Have ``action`` done each ``seconds``, the first time ``seconds`` from now."""

        def again() -> None:
            action()
            self.after(seconds, again)

        self.after(seconds, again)

    def advance(self, to: datetime) -> None:
        """Do what is due until ``to``, each at its own moment; then it is ``to``."""
        while self._due and self._due[0][0] <= to:
            moment, _, action = heapq.heappop(self._due)
            self.now = max(self.now, moment)
            action()
        self.now = max(self.now, to)


def timestamp(moment: datetime) -> str:
    """As the API writes a time: ``2026-11-24T08:00:00Z``."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment_of(text: str) -> datetime:
    """The time that the API wrote as ``text``."""
    return datetime.fromisoformat(text)
