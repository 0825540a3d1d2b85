"""A watch as it travels: one JSON object a line, until its time is over or the server ends."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from mlscale.sandbox.store import Change, Store
    from mlscale.sandbox.verbs import Watch

Json = dict[str, Any]

BOOKMARK_EVERY = 60.0
"""Real seconds between the bookmarks of an idle watch (apiserver cacher defaultBookmarkFrequency)."""
LAST_BOOKMARK = 2.0
"""Real seconds before its end at which a watch is told for the last time how far it has come."""
DEFAULT_TIMEOUT = 1800.0
"""Real seconds that a watch lasts which does not say (apiserver --min-request-timeout)."""


class Bell:
    """Wakes the watches when an object of the store has changed, and when the server ends."""

    def __init__(self, store: Store) -> None:
        self._sleepers: set[asyncio.Event] = set()
        self.closing = False
        """Set, by any thread, when the server is to end."""
        store.subscribe(self._ring)

    @contextmanager
    def sleeper(self) -> Iterator[asyncio.Event]:
        """An event that is set at each change."""
        event = asyncio.Event()
        self._sleepers.add(event)
        try:
            yield event
        finally:
            self._sleepers.discard(event)

    def wake(self) -> None:
        """Wake every watch; those that find ``closing`` set end."""
        for event in self._sleepers:
            event.set()

    def _ring(self, _: Change) -> None:
        self.wake()


async def stream(
    watch: Watch, bell: Bell, timeout: float, write: Callable[[Json], bytes], seconds: Callable[[], float]
) -> AsyncIterator[bytes]:
    """The events of ``watch`` as ``write`` puts them, for ``timeout`` real seconds of the clock ``seconds``."""
    ends = seconds() + timeout
    bookmark_at = _next_bookmark(seconds(), ends)
    with bell.sleeper() as changed:
        while not bell.closing:
            changed.clear()
            for event in watch.take():
                yield write(event)
            now = seconds()
            if watch.ended or now >= ends:
                return
            if now >= bookmark_at:
                bookmark_at = _next_bookmark(now, ends)
                for event in watch.bookmark():
                    yield write(event)
            await _sleep(changed, min(ends, bookmark_at) - now)


def _next_bookmark(now: float, ends: float) -> float:
    """Each minute, and shortly before the end (cacher cacheWatcher.nextBookmarkTime)."""
    last = ends - LAST_BOOKMARK
    return last if now < last < now + BOOKMARK_EVERY else now + BOOKMARK_EVERY


async def _sleep(changed: asyncio.Event, longest: float) -> None:
    try:
        await asyncio.wait_for(changed.wait(), longest)
    except TimeoutError:
        return
