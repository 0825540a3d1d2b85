"""PromQL's functions over the samples of one track, at many times at once.

As prometheus/prometheus promql/functions.go (v3) has them: a range is open to the left, closed to the right. NaN
stands where a function has no result.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mlscale.sandbox.history_record import SCRAPE_INTERVAL

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlscale.sandbox.history_tracks import FloatArray

LOOKBACK = 300.0
"""Seconds for which an instant selector holds on to the last sample of a series that nothing ended."""


@dataclass(frozen=True)
class Windows:
    """Which samples each range holds: those from index ``first`` on, before ``end``."""

    first: NDArray[np.intp]
    end: NDArray[np.intp]

    @property
    def counts(self) -> NDArray[np.intp]:
        """Samples in each."""
        return self.end - self.first


def windows(samples: FloatArray, times: FloatArray, length: float) -> Windows:
    """The ranges of ``length`` seconds that end at ``times``, over samples that were taken at ``samples``."""
    first = np.searchsorted(samples, times - length, side="right")
    return Windows(first, np.searchsorted(samples, times, side="right"))


def rate(samples: FloatArray, values: FloatArray, times: FloatArray, length: float) -> FloatArray:
    """Per second, of a counter that never falls, extrapolated to the ends of each range (extrapolatedRate)."""
    spans = windows(samples, times, length)
    known = spans.counts > 1
    first, last = spans.first[known], spans.end[known] - 1
    sampled = samples[last] - samples[first]
    rise = values[last] - values[first]
    between = sampled / (last - first)
    to_start = samples[first] - (times[known] - length)
    to_end = times[known] - samples[last]
    # Not further back than where the counter would have been 0.
    to_zero = np.divide(sampled * values[first], rise, out=np.full_like(rise, np.inf), where=rise > 0)
    to_start = np.minimum(np.where(to_start >= 1.1 * between, between / 2, to_start), to_zero)
    to_end = np.where(to_end >= 1.1 * between, between / 2, to_end)
    result = np.full(times.size, np.nan)
    result[known] = rise * (sampled + to_start + to_end) / sampled / length
    return result


def max_over_time(samples: FloatArray, values: FloatArray, times: FloatArray, length: float) -> FloatArray:
    """The greatest value in each range."""
    spans = windows(samples, times, length)
    known = spans.counts > 0
    result = np.full(times.size, np.nan)
    if known.any():
        edges = np.column_stack([spans.first[known], spans.end[known]]).ravel()
        result[known] = np.maximum.reduceat(np.append(values, -np.inf), edges)[::2]
    return result


def instant(samples: FloatArray, values: FloatArray, times: FloatArray, newest: float) -> FloatArray:
    """The last sample at each time, unless the scrape after it has found the series gone.

    ``newest`` is when the last scrape of all was.
    """
    last = np.searchsorted(samples, times, side="right") - 1
    age = times - samples[last]
    holds = np.where(samples[last] >= newest, LOOKBACK, SCRAPE_INTERVAL)
    return np.where((last >= 0) & (age < holds), values[last], np.nan)


def rise(samples: FloatArray, values: FloatArray, times: FloatArray, length: float) -> FloatArray:
    """The greatest value less the least in each range, of a counter that never falls."""
    spans = windows(samples, times, length)
    known = spans.counts > 0
    result = np.full(times.size, np.nan)
    result[known] = values[spans.end[known] - 1] - values[spans.first[known]]
    return result


def counted(samples: FloatArray, times: FloatArray, length: float) -> FloatArray:
    """The samples in each range."""
    counts = windows(samples, times, length).counts.astype(np.float64)
    return np.where(counts > 0, counts, np.nan)


def existed(samples: FloatArray, times: FloatArray, length: float) -> NDArray[np.bool_]:
    """Whether each range reaches into the time between the first sample and the last."""
    there: NDArray[np.bool_] = (times >= samples[0]) & (times - length < samples[-1])
    return there
