"""Which objects wait for their controller, worked off at the simulated moment at which they changed.

The retries are those of k8s.io/client-go util/workqueue default_rate_limiters.go, v0.37.2.
"""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from mlscale.sandbox.statuses import StatusError

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlscale.sandbox.agenda import Agenda
    from mlscale.sandbox.store import Key

Item = tuple[str, tuple[str, str]]
"""The controller's name and the object's key."""

REST = timedelta(seconds=0.1)
"""An object is looked at once in so long, however often it changes meanwhile."""
MOST_AT_ONCE = 1_000
"""So often one object is looked at in one moment before it has to rest as well: two controllers may disagree."""
FIRST_RETRY = 0.005
LONGEST_RETRY = 1_000.0


class WorkQueue:
    """Each waiting object once, first come, first served; one whose sync failed comes again, ever later."""

    def __init__(self, agenda: Agenda) -> None:
        self._agenda = agenda
        self._syncs: dict[str, Callable[[Key], None]] = {}
        self._items: deque[Item] = deque()
        self._queued: set[Item] = set()
        self._waiting: dict[Item, datetime] = {}
        self._failures: dict[Item, int] = {}
        self._last: dict[Item, tuple[datetime, int]] = {}
        self._awake = False

    def register(self, controller: str, sync: Callable[[Key], None]) -> None:
        """Have the keys of ``controller`` looked at by ``sync``."""
        self._syncs[controller] = sync

    def add(self, controller: str, key: Key) -> None:
        """Have one object looked at now, or after its rest."""
        item = (controller, key)
        now = self._agenda.now
        moment, times = self._last.get(item, (now, 0))
        if moment + REST <= now or (moment == now and times < MOST_AT_ONCE):
            self._enqueue(item)
        else:
            self._enqueue_at(item, moment + REST)

    def add_after(self, controller: str, key: Key, seconds: float) -> None:
        """Have one object looked at in ``seconds`` of simulated time, if it is not sooner anyway."""
        self._enqueue_at((controller, key), self._agenda.now + timedelta(seconds=seconds))

    def work(self) -> None:
        """Work off what waits for this moment."""
        while self._items:
            item = self._items.popleft()
            self._queued.discard(item)
            self._sync(item)
        self._awake = False

    def _sync(self, item: Item) -> None:
        now = self._agenda.now
        moment, times = self._last.get(item, (now, 0))
        self._last[item] = (now, times + 1 if moment == now else 1)
        controller, key = item
        try:
            self._syncs[controller](key)
        except StatusError:
            failures = self._failures.get(item, 0)
            self._failures[item] = failures + 1
            self.add_after(controller, key, min(FIRST_RETRY * 2.0 ** min(failures, 30), LONGEST_RETRY))
        else:
            self._failures.pop(item, None)

    def forget(self, controller: str, key: Key) -> None:
        """Drop what is remembered of an object that is gone."""
        self._last.pop((controller, key), None)
        self._failures.pop((controller, key), None)

    def _enqueue(self, item: Item) -> None:
        if item in self._queued:
            return
        self._queued.add(item)
        self._items.append(item)
        if not self._awake:
            self._awake = True
            self._agenda.after(0, self.work)

    def _enqueue_at(self, item: Item, moment: datetime) -> None:
        known = self._waiting.get(item)
        if known is not None and known <= moment:
            return
        self._waiting[item] = moment

        def due() -> None:
            if self._waiting.get(item) == moment:
                del self._waiting[item]
                self._enqueue(item)

        self._agenda.after((moment - self._agenda.now).total_seconds(), due)
