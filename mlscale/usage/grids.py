"""Samples taken at any times, put on evenly spaced ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlscale.errors import NotEnoughDataError
from mlscale.usage.model import Grid, Row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlscale.usage.model import FloatArray


def plan_grid(series: Sequence[FloatArray], source: str) -> Grid:
    """The grid for samples at the times of ``series``, each of shape (N,), ascending and unique.

    Its step is the usual time between two samples of one series (the median), so that pods that were measured at
    different moments share a step. Raises NotEnoughDataError, naming ``source``, where no series has two samples.
    """
    between = [np.diff(times) for times in series]
    if not any(part.size for part in between):
        raise NotEnoughDataError(
            f"{source} has no two samples of the same container", "give samples of at least two times"
        )
    step = float(np.percentile(np.concatenate(between), 50, method="lower"))
    start, end = min(float(times[0]) for times in series), max(float(times[-1]) for times in series)
    return Grid(start, step, round((end - start) / step) + 1)


def row_on(grid: Grid, times: FloatArray, values: FloatArray) -> Row:
    """The row of ``values``, taken at ``times`` (ascending, not empty), each at the nearest time of ``grid``.

    Of two that are nearest to the same, the larger.
    """
    at = np.rint((times - grid.start) / grid.step).astype(np.int64)
    row = np.full(int(at[-1] - at[0]) + 1, np.nan)
    np.fmax.at(row, at - at[0], values)
    return Row(int(at[0]), row)
