"""How replicas and capacity went over time, small enough to be kept for each of a thousand workloads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlscale.usage.model import FloatArray


@dataclass(frozen=True)
class Course:
    """A quantity over time, kept by its changes: some hundred numbers where a day has thousands of syncs."""

    starts: NDArray[np.intp]
    """Where a new value begins, of T places; the first is 0."""
    values: FloatArray
    size: int
    """T."""

    def over_time(self) -> FloatArray:
        """Shape (T,)."""
        return np.repeat(self.values, np.diff(np.append(self.starts, self.size)))

    def tolist(self) -> list[float]:
        """As ``over_time``."""
        return list(self.over_time().tolist())


def course_of(values: FloatArray) -> Course:
    """The course of ``values``, of shape (T,), at least one."""
    starts = np.flatnonzero(np.append(True, values[1:] != values[:-1]))
    return Course(starts, values[starts], len(values))
