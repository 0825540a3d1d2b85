"""How fast a client may ask: what a server that puts requests off is to be spared of, on all connections."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Throttle:
    """At most so many requests at a time; safe to use from several threads.

    A server with priority and fairness puts off what is too much with 429 and Retry-After. That speaks of its load, not
    of the one request, so all wait, and half as many go at a time from then on; with each second of answers after that
    one more goes, up to ``parallel`` again. ``now`` is in monotonic seconds.
    """

    def __init__(self, parallel: int, now: Callable[[], float] = time.monotonic) -> None:
        self._parallel = parallel
        self._allowed = parallel
        self._changed = 0.0
        self._halved = 0.0
        self._now = now
        self._resume = 0.0
        self._under_way = 0
        self._turns = threading.Condition()

    @property
    def allowed(self) -> int:
        """How many may go at a time."""
        return self._allowed

    def pause(self) -> float:
        """Seconds until a request may go at all."""
        return max(0.0, self._resume - self._now())

    @contextmanager
    def turn(self) -> Iterator[float]:
        """Wait until fewer are under way than may be, and be one of them; gives the time that it is since then."""
        with self._turns:
            while self._under_way >= self.allowed:
                self._turns.wait()
            self._under_way += 1
        try:
            yield self._now()
        finally:
            with self._turns:
                self._under_way -= 1
                self._turns.notify()

    def heed(self, put_off: float | None, sent: float) -> None:
        """Take note of the answer to a request of the time ``sent``: ``put_off`` is the seconds that the server asks to
        wait, None where it does not.

        Those that were under way when the first was put off are put off too, for the same reason: they count once.
        """
        with self._turns:
            now = self._now()
            if put_off is not None:
                if sent >= self._halved:
                    self._allowed = max(1, self._allowed // 2)
                    self._halved = now
                self._resume = self._changed = max(self._resume, now + put_off)
            elif self._allowed < self._parallel and now - self._changed >= 1:
                self._allowed += 1
                self._changed = now
                self._turns.notify()
