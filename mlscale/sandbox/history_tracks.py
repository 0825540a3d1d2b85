"""The samples of one container, from whichever part of the history they are."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mlscale.sandbox.history_record import COLUMNS, SCRAPE_INTERVAL

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mlscale.sandbox.history_record import Recorded, Scraped

FloatArray = NDArray[np.float64]

_COUNTERS = ("cpu_seconds", "periods", "throttled_periods", "requests", "latency_seconds")
"""The count of restarts is the container's own, so that it goes on where it was."""


@dataclass(frozen=True)
class Track:
    """The scrapes of one container; at least one."""

    scraped: Scraped
    columns: Mapping[str, FloatArray]
    """By COLUMNS, of one length; a container that does not run has no sample. Counters never fall."""

    @property
    def times(self) -> FloatArray:
        """Seconds since the epoch, ascending."""
        return self.columns["times"]


def recorded_track(recorded: Recorded) -> Track:
    """What has been recorded of one container."""
    return Track(recorded.scraped, {name: np.array(column) for name, column in recorded.columns.items()})


def joined_tracks(tracks: Iterable[Track]) -> list[Track]:
    """One track for each container of each pod, from its parts in the order of time."""
    parts: dict[tuple[str, str, str], list[Track]] = defaultdict(list)
    for track in tracks:
        scraped = track.scraped
        parts[scraped.namespace, scraped.pod, scraped.container].append(track)
    return [own[0] if len(own) == 1 else _joined(own) for own in parts.values()]


def _joined(parts: list[Track]) -> Track:
    raised = [parts[0]]
    for part in parts[1:]:
        raised.append(_raised(part, raised[-1]))
    columns = {name: np.concatenate([part.columns[name] for part in raised]) for name in COLUMNS}
    return Track(parts[-1].scraped, columns)


def _raised(part: Track, before: Track) -> Track:
    """``part`` with its counters going on where ``before`` ends, as if it had gone on as it begins."""
    columns = dict(part.columns)
    gap = min(part.times[0] - before.times[-1], SCRAPE_INTERVAL)
    for name in _COUNTERS:
        own = columns[name]
        pace = (own[1] - own[0]) / (part.times[1] - part.times[0]) if own.size > 1 else 0.0
        columns[name] = own - own[0] + before.columns[name][-1] + pace * gap
    columns["restarts"] = columns["restarts"] - columns["restarts"][0] + before.columns["restarts"][-1]
    columns["oom_killed"] = np.fmax(columns["oom_killed"], before.columns["oom_killed"][-1])
    return replace(part, columns=columns)
