"""From what was recorded of each pod's containers to the history of each workload."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mlscale.usage.model import ContainerUse, FloatArray, Grid, History, Row, Series

if TYPE_CHECKING:
    from mlscale.usage.workloads import Resources, Workload

BRIDGED = 300.0
"""Seconds without a sample, between two samples of the same container, over which its use is taken to run straight.

As long as Prometheus itself holds on to the last sample of a series (its lookback delta).
"""

Rows = Mapping[str, Mapping[str, Row]]
"""By pod and container."""
Counts = Mapping[str, Mapping[str, float]]
"""By pod and container."""
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Recorded:
    """The samples of one namespace, or of one workload; those of pods of other workloads may be among them."""

    source: str
    fine: Grid
    """Of ``cpu`` and ``signals``."""
    cpu: Rows
    """Cores."""
    coarse: Grid
    """Of ``memory`` and ``throttled``; a sample stands for the step before it."""
    memory: Rows
    """Bytes."""
    throttled: Rows = field(default_factory=dict)
    coarsest: Grid | None = None
    """Of the requests; a sample stands for the step before it."""
    cpu_requests: Rows = field(default_factory=dict)
    """Cores."""
    memory_requests: Rows = field(default_factory=dict)
    """Bytes."""
    restarts: Counts = field(default_factory=dict)
    oom_kills: Counts = field(default_factory=dict)
    signals: Mapping[str, SignalRows] = field(default_factory=dict)
    """By canonical name."""

    @cached_property
    def fine_times(self) -> FloatArray:
        """The times of ``fine``; one array for all histories, since it is as large as the rest of a history."""
        return self.fine.times()


@dataclass(frozen=True)
class SignalRows:
    """One signal of each pod, and how those of several pods make one."""

    over_pods: str
    """``sum``, ``max`` or ``mean``."""
    rows: Mapping[str, Row]
    """By pod, on the fine grid."""


def assemble(workload: Workload, pods: Sequence[str], recorded: Recorded) -> History:
    """The history of ``workload``, whose pods over the whole time were ``pods``.

    It may be empty; whether it is long enough to judge by is the caller's to say.
    """
    by_pod = _bridged_rows(recorded, pods)
    total, counted = _over_pods(by_pod, recorded.fine)
    measured = counted > 0
    times = _chosen(recorded.fine_times, measured)
    return History(
        source=recorded.source,
        step=recorded.fine.step,
        cpu=Series(times, _chosen(total, measured)),
        pods=Series(times, _chosen(counted, measured)),
        containers=_container_uses(workload, pods, recorded, by_pod),
        signals=_signals(recorded, pods),
        gaps=_gaps(times, recorded.fine.step),
        pods_seen=len(by_pod),
    )


def _bridged_rows(recorded: Recorded, pods: Sequence[str]) -> dict[str, dict[str, Row]]:
    """The CPU rows by pod and container, without holes of less than BRIDGED."""
    steps = int(BRIDGED // recorded.fine.step)
    return {
        pod: {name: Row(row.first, _bridged(row.values, steps)) for name, row in recorded.cpu[pod].items()}
        for pod in pods
        if pod in recorded.cpu
    }


def _over_pods(by_pod: Mapping[str, Mapping[str, Row]], grid: Grid) -> tuple[FloatArray, FloatArray]:
    """Shape (size,) each: cores of all containers together, and pods of which any container was measured."""
    total, counted = np.zeros(grid.size), np.zeros(grid.size)
    for containers in by_pod.values():
        measured = np.zeros(grid.size, dtype=np.bool_)
        for row in containers.values():
            part = _part(row)
            total[part] += np.nan_to_num(row.values)
            measured[part] |= np.isfinite(row.values)
        counted += measured
    return total, counted


def _container_uses(
    workload: Workload, pods: Sequence[str], recorded: Recorded, by_pod: Mapping[str, Mapping[str, Row]]
) -> dict[str, ContainerUse]:
    """The use of each container that was measured; those of the present template first, in its order."""
    seen = {container for containers in by_pod.values() for container in containers}
    names = [name for name in workload.containers if name in seen]
    return {
        name: _container_use(
            name,
            workload.containers.get(name),
            pods,
            recorded,
            [containers[name] for containers in by_pod.values() if name in containers],
        )
        for name in [*names, *sorted(seen.difference(names))]
    }


def _container_use(
    name: str, now: Resources | None, pods: Sequence[str], recorded: Recorded, cpu: Iterable[Row]
) -> ContainerUse:
    return ContainerUse(
        cpu=_series(_highest(cpu, recorded.fine), recorded.fine_times),
        memory=_highest_of(recorded.memory, recorded.coarse, pods, name),
        cpu_request=_requested(recorded, recorded.cpu_requests, pods, name, now.cpu_request if now else None),
        memory_request=_requested(recorded, recorded.memory_requests, pods, name, now.memory_request if now else None),
        cpu_limit=now.cpu_limit if now else None,
        memory_limit=now.memory_limit if now else None,
        throttled=_none_if_empty(_highest_of(recorded.throttled, recorded.coarse, pods, name)),
        restarts=_summed(recorded.restarts, pods, name),
        oom_kills=_summed(recorded.oom_kills, pods, name),
    )


def _highest_of(rows: Rows, grid: Grid, pods: Sequence[str], container: str) -> Series:
    """Of ``container``, the value of the pod that has the highest at each time."""
    return _series(_highest(_of_container(rows, pods, container), grid), grid.times())


def _highest(rows: Iterable[Row], grid: Grid) -> FloatArray:
    highest = np.full(grid.size, np.nan)
    for row in rows:
        part = _part(row)
        highest[part] = np.fmax(highest[part], row.values)
    return highest


def _requested(
    recorded: Recorded, requests: Rows, pods: Sequence[str], container: str, now: float | None
) -> Series | None:
    """The request of a pod over time, at its changes; what it is now where nothing was recorded of it."""
    known = _of_container(requests, pods, container)
    grid = recorded.coarsest
    if grid is None or not known:
        return None if now is None else Series(np.array([recorded.fine.start]), np.array([now]))
    mean = _mean(known, grid)
    # A sample stands for the step before it, a value of the result for the time after it.
    series = _series(mean, grid.times() - grid.step)
    changed = np.append(True, np.diff(series.values) != 0)
    return Series(series.times[changed], series.values[changed])


def _mean(rows: Iterable[Row], grid: Grid) -> FloatArray:
    """Over the pods that have a value at each time; NaN where none has."""
    total, counted = np.zeros(grid.size), np.zeros(grid.size)
    for row in rows:
        part = _part(row)
        total[part] += np.nan_to_num(row.values)
        counted[part] += np.isfinite(row.values)
    mean = np.full(grid.size, np.nan)
    np.divide(total, counted, out=mean, where=counted > 0)
    return mean


def _signals(recorded: Recorded, pods: Sequence[str]) -> dict[str, Series]:
    signals = {}
    for name, signal in recorded.signals.items():
        rows = [signal.rows[pod] for pod in pods if pod in signal.rows]
        if rows:
            signals[name] = _series(_made_one(signal.over_pods, rows, recorded.fine), recorded.fine_times)
    return signals


def _made_one(over_pods: str, rows: list[Row], grid: Grid) -> FloatArray:
    if over_pods == "max":
        return _highest(rows, grid)
    mean = _mean(rows, grid)
    if over_pods == "mean":
        return mean
    counted = np.zeros(grid.size)
    for row in rows:
        counted[_part(row)] += np.isfinite(row.values)
    return mean * counted


def _bridged(values: NDArray[np.floating], steps: int) -> NDArray[np.floating]:
    """``values`` with each run of at most ``steps`` missing ones between two samples filled by a straight line."""
    at = np.flatnonzero(np.isfinite(values))
    if at.size in (0, values.size):
        return values
    filled: FloatArray = np.interp(np.arange(values.size), at, values[at])
    lengths = np.diff(at) - 1
    for before, length in zip(at[:-1][lengths > steps], lengths[lengths > steps], strict=True):
        filled[before + 1 : before + 1 + length] = np.nan
    filled[: at[0]] = filled[at[-1] + 1 :] = np.nan
    return filled


def _gaps(times: FloatArray, step: float) -> tuple[tuple[float, float], ...]:
    """The stretches between two samples that are more than a step apart."""
    (before,) = np.nonzero(np.diff(times) > 1.5 * step)
    return tuple((float(times[i]), float(times[i + 1])) for i in before)


def _series(values: FloatArray, times: FloatArray) -> Series:
    measured = np.isfinite(values)
    return Series(_chosen(times, measured), _chosen(values, measured))


def _chosen(values: FloatArray, chosen: Mask) -> FloatArray:
    """``values[chosen]``, without a copy where that is all of them."""
    return values if chosen.all() else values[chosen]


def _none_if_empty(series: Series) -> Series | None:
    return series if series.times.size else None


def _summed(counts: Counts, pods: Sequence[str], container: str) -> float:
    return sum((counts[pod].get(container, 0.0) for pod in pods if pod in counts), 0.0)


def _part(row: Row) -> slice:
    return slice(row.first, row.first + row.values.size)


def _of_container(rows: Rows, pods: Sequence[str], container: str) -> list[Row]:
    return [rows[pod][container] for pod in pods if container in rows.get(pod, ())]
