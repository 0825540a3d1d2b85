"""The looks back that a query takes at many tracks, all at once: a week of short-lived pods is thousands of tracks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlscale.sandbox.history_tracks import FloatArray

IntArray = NDArray[np.intp]

_TICKS = 1e6
"""A moment is as good as its microsecond: whole numbers keep apart what each track has."""


@dataclass(frozen=True)
class Looks:
    """Ranges of ``length`` seconds, open to the left and closed to the right, over the samples of several tracks."""

    samples: FloatArray
    """When they were taken, one track after the other, in seconds."""
    times: FloatArray
    """Where each range ends."""
    length: float
    first: IntArray
    """Of each range, the first sample in it."""
    end: IntArray
    """And the one after its last."""

    @property
    def counts(self) -> IntArray:
        """Samples in each range."""
        return self.end - self.first


@dataclass(frozen=True)
class Sights:
    """The looks at each track from those times that may see a sample of it, one track after the other."""

    looks: Looks
    track: IntArray
    """Of each look, by number."""
    time: IntArray
    """Of each look, which of the times that were asked for."""
    bounds: IntArray
    """Where the looks at each track begin, and where the last ones end."""
    born: FloatArray
    """The first sample of each track, and ..."""
    died: FloatArray
    """... its last."""


def sights_of(tracks: Sequence[FloatArray], times: FloatArray, length: float) -> Sights:
    """Look from ``times`` (ascending) at tracks whose samples were taken at ``tracks``; one sample each at least."""
    if not tracks:
        return _nothing(times, length)
    sizes = np.array([track.size for track in tracks])
    ends = np.cumsum(sizes)
    samples = np.concatenate(tracks)
    born, died = samples[ends - sizes], samples[ends - 1]
    earliest = np.searchsorted(times, born)
    counts = np.searchsorted(times, died + length) - earliest
    bounds = np.concatenate([[0], np.cumsum(counts)])
    track = np.repeat(np.arange(sizes.size), counts)
    time = np.arange(bounds[-1]) - np.repeat(bounds[:-1] - earliest, counts)
    keys = _Keys(float(born.min()), float(max(died.max(), times[-1])))
    known, asked = keys.of(np.repeat(np.arange(sizes.size), sizes), samples), times[time]
    first = np.searchsorted(known, keys.of(track, asked - length), side="right")
    end = np.searchsorted(known, keys.of(track, asked), side="right")
    return Sights(Looks(samples, asked, length, first, end), track, time, bounds, born, died)


@dataclass(frozen=True)
class _Keys:
    """Whole numbers that sort by track, and within it by time from ``start`` to ``end``, in seconds."""

    start: float
    end: float

    def of(self, track: IntArray, times: FloatArray) -> NDArray[np.int64]:
        """One for each pair; all times before the start are one."""
        span = round((self.end - self.start) * _TICKS) + 2
        ticks = np.maximum(np.rint((times - self.start) * _TICKS).astype(np.int64) + 1, 0)
        return track.astype(np.int64) * span + ticks


def _nothing(times: FloatArray, length: float) -> Sights:
    none, nowhere = np.zeros(0), np.zeros(0, dtype=np.intp)
    looks = Looks(none, times[:0], length, nowhere, nowhere)
    return Sights(looks, nowhere, nowhere, np.zeros(1, dtype=np.intp), none, none)
