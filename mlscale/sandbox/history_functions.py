"""PromQL's functions over the samples of tracks, at many times at once.

As prometheus/prometheus promql/functions.go (v3) has them: a range is open to the left, closed to the right. NaN
stands where a function has no result.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlscale.sandbox.history_record import SCRAPE_INTERVAL

if TYPE_CHECKING:
    from mlscale.sandbox.history_looks import Looks
    from mlscale.sandbox.history_tracks import FloatArray

LOOKBACK = 300.0
"""Seconds for which an instant selector holds on to the last sample of a series that nothing ended."""


def rate(looks: Looks, values: FloatArray) -> FloatArray:
    """Per second, of a counter that never falls, extrapolated to the ends of each range (extrapolatedRate)."""
    samples, length = looks.samples, looks.length
    known = looks.counts > 1
    first, last, times = looks.first[known], looks.end[known] - 1, looks.times[known]
    sampled = samples[last] - samples[first]
    rise = values[last] - values[first]
    between = sampled / (last - first)
    to_start = samples[first] - (times - length)
    to_end = times - samples[last]
    # Not further back than where the counter would have been 0.
    to_zero = np.divide(sampled * values[first], rise, out=np.full_like(rise, np.inf), where=rise > 0)
    to_start = np.minimum(np.where(to_start >= 1.1 * between, between / 2, to_start), to_zero)
    to_end = np.where(to_end >= 1.1 * between, between / 2, to_end)
    result = np.full(looks.times.size, np.nan)
    result[known] = rise * (sampled + to_start + to_end) / sampled / length
    return result


def max_over_time(looks: Looks, values: FloatArray) -> FloatArray:
    """The greatest value in each range."""
    known = looks.counts > 0
    result = np.full(looks.times.size, np.nan)
    if known.any():
        edges = np.column_stack([looks.first[known], looks.end[known]]).ravel()
        result[known] = np.maximum.reduceat(np.append(values, -np.inf), edges)[::2]
    return result


def instant(looks: Looks, values: FloatArray, newest: float) -> FloatArray:
    """The last sample at each time, unless the scrape after it has found the series gone.

    ``looks`` are over LOOKBACK; ``newest`` is when the last scrape of all was.
    """
    known = looks.counts > 0
    last = looks.end[known] - 1
    taken = looks.samples[last]
    holds = np.where(taken >= newest, LOOKBACK, SCRAPE_INTERVAL)
    result = np.full(looks.times.size, np.nan)
    result[known] = np.where(looks.times[known] - taken < holds, values[last], np.nan)
    return result


def rise(looks: Looks, values: FloatArray) -> FloatArray:
    """The greatest value less the least in each range, of a counter that never falls."""
    known = looks.counts > 0
    result = np.full(looks.times.size, np.nan)
    result[known] = values[looks.end[known] - 1] - values[looks.first[known]]
    return result


def counted(looks: Looks) -> FloatArray:
    """The samples in each range."""
    counts = looks.counts.astype(np.float64)
    return np.where(counts > 0, counts, np.nan)
