"""Where the axes of a plot have their marks, and the curves thinned out to what a screen can show."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

COLUMNS = 600
"""Buckets that a curve is thinned out to."""
_MARKS = 8
"""At most on the axis of time."""
_TIME_STEPS = (60, 300, 900, 1800, 3600, 3 * 3600, 6 * 3600, 12 * 3600, 86400, 2 * 86400, 7 * 86400)
_DAY = 86400


def value_marks(highest: float) -> list[float]:
    """Round numbers from 0 up to the first that is not below ``highest``: 0, 2, 4, 6, 8 for 7.1."""
    if highest <= 0:
        return [0.0, 1.0]
    rough = highest / 4
    magnitude = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * magnitude for factor in (1, 2, 5, 10) if factor * magnitude >= rough * (1 - 1e-9))
    return [round(step * count, 12) for count in range(math.ceil(highest / step * (1 - 1e-9)) + 1)]


def time_marks(start: float, end: float) -> list[tuple[float, str]]:
    """Seconds since the epoch and their text in UTC, on full hours or days; a day is named where it begins."""
    fitting = (step for step in _TIME_STEPS if (end - start) / step <= _MARKS)
    step = next(fitting, _DAY * max(1, math.ceil((end - start) / _DAY / _MARKS)))
    first = math.ceil(start / step)
    times = [float(step * count) for count in range(first, math.floor(end / step) + 1)]
    return [(time, _time_text(time)) for time in times]


def _time_text(time: float) -> str:
    return datetime.fromtimestamp(time, UTC).strftime("%d %b" if time % _DAY == 0 else "%H:%M")


def thinned(values: Sequence[float], columns: int = COLUMNS) -> list[tuple[int, float]]:
    """Index and value of what is drawn: of each bucket its lowest and its highest, so that no peak is lost."""
    if len(values) <= 2 * columns:
        return list(enumerate(values))
    kept: set[int] = {0, len(values) - 1}
    for column in range(columns):
        bucket = range(column * len(values) // columns, (column + 1) * len(values) // columns)
        kept |= {min(bucket, key=values.__getitem__), max(bucket, key=values.__getitem__)}
    return [(index, values[index]) for index in sorted(kept)]
