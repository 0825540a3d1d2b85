"""What a workload used over time, from whatever source it was read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Mapping

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Series:
    """Samples of one quantity: a gap is a time that is missing, never a NaN."""

    times: FloatArray
    """Shape (N,): seconds since the epoch, ascending and unique."""
    values: FloatArray
    """Shape (N,)."""


@dataclass(frozen=True)
class Grid:
    """Evenly spaced times: ``start``, ``start + step``, … in seconds since the epoch, ``size`` of them."""

    start: float
    step: float
    size: int

    @property
    def end(self) -> float:
        """The last of the times."""
        return self.start + (self.size - 1) * self.step

    def times(self) -> FloatArray:
        """Shape (size,)."""
        return self.start + self.step * np.arange(self.size, dtype=np.float64)

    def part(self, first: int, size: int) -> Grid:
        """``size`` of the times from index ``first`` on."""
        return Grid(self.start + first * self.step, self.step, size)


@dataclass(frozen=True)
class Row:
    """Samples of one pod's container that lie on a grid."""

    first: int
    """Index on the grid of the first value."""
    values: NDArray[np.floating]
    """Shape (N,); NaN where there is no sample. Of single precision where there are many."""


@dataclass(frozen=True)
class ContainerUse:
    """One container's use over all pods of a workload."""

    cpu: Series
    """Cores, of the pod that used most at each time."""
    memory: Series
    """Bytes of working set, of the pod that used most at each time."""
    cpu_request: Series | None = None
    """Cores a pod, each value until the next; the mean where pods differ, None if there never was a request."""
    memory_request: Series | None = None
    """Bytes a pod, likewise."""
    cpu_limit: float | None = None
    """Cores, of the workload's present template."""
    memory_limit: float | None = None
    """Bytes, likewise."""
    throttled: Series | None = None
    """Share of the CFS periods in which it was throttled, 0 to 1."""
    restarts: float = 0.0
    oom_kills: float = 0.0


@dataclass(frozen=True)
class History:
    """What one workload used."""

    source: str
    """For people: ``Prometheus at https://…``, ``samples.csv``."""
    step: float
    """Seconds between samples."""
    cpu: Series
    """Cores, all pods together: the demand, as far as limits let it show."""
    pods: Series
    """Pods that were measured."""
    containers: Mapping[str, ContainerUse]
    signals: Mapping[str, Series] = field(default_factory=dict)
    """By canonical name, such as ``queue_length``."""
    gaps: tuple[tuple[float, float], ...] = ()
    """Start and end of each stretch without samples, in seconds since the epoch."""
    pods_seen: int = 0
    """How many pods there were over the whole time; 0 where the source does not tell them apart."""

    @property
    def span(self) -> float:
        """Seconds from the first sample to the last."""
        times = self.cpu.times
        return float(times[-1] - times[0]) if times.size else 0.0
