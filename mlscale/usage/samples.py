"""``--samples``: the history of a workload from a file, where nothing else has recorded it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import IO, TYPE_CHECKING, TypeVar

import numpy as np

from mlscale.errors import UsageError
from mlscale.kube.text import printable
from mlscale.usage.assemble import Recorded, SignalRows, assemble
from mlscale.usage.grids import plan_grid, row_on
from mlscale.usage.model import Grid, Series
from mlscale.usage.prometheus_signals import SIGNALS
from mlscale.usage.samples_table import SIGNAL_NAMES, read_table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from mlscale.usage.model import History, Row
    from mlscale.usage.samples_table import Key, SampleTable
    from mlscale.usage.workloads import Workload

    Indices = NDArray[np.int64]

MOST_CELLS = 20_000_000
"""Places on the grid of all rows together: 160 MB. A single time of another decade would need more."""

Value = TypeVar("Value")
_OVER_PODS = {signal.name: signal.over_pods for signal in SIGNALS}


@dataclass(frozen=True)
class _Sorted:
    """A table with the rows of each pod's container in the order of time, none twice."""

    table: SampleTable
    rows: Mapping[Key, Indices]


def read_samples(path: str, stdin: IO[str], workload: Workload) -> History:
    """The history in the file at ``path``, or for ``-`` in ``stdin``; ``workload`` is whose it is.

    Without a column ``container``, what a pod used is its one container's; of several nothing is known then but the
    sum. Without a column ``pod``, the mean over the pods stands for the pod that used most.

    Raises UsageError for a file that cannot be read, and NotEnoughDataError for fewer than two samples.
    """
    source = "standard input" if path == "-" else printable(path)
    table = read_table(_text(path, source, stdin), source)
    samples = _sorted(table)
    grid = plan_grid([table.times[rows] for rows in samples.rows.values()], source)
    _check_size(samples, grid)
    only = _only_container(table, workload)
    pods = sorted({pod for pod, _ in table.keys})
    history = assemble(workload, pods, _recorded(samples, grid, only))
    if "pods" in table.columns:
        history = _per_pod(history, samples, grid)
    return history if only is None or only else replace(history, containers={})


def _text(path: str, source: str, stdin: IO[str]) -> str:
    try:
        if path == "-":
            return stdin.read()
        with open(path, encoding="utf-8", newline="") as file:
            return file.read()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "it is not UTF-8 text"
        raise UsageError(f"cannot read {source}: {reason}", "give a CSV or JSON file, or - for stdin") from error


def _sorted(table: SampleTable) -> _Sorted:
    """Raises UsageError for two samples of the same time that differ."""
    order = np.lexsort((table.times, table.key_of))
    same = (np.diff(table.key_of[order]) == 0) & (np.diff(table.times[order]) == 0)
    (twice,) = np.nonzero(same)
    for before, after in zip(order[twice], order[twice + 1], strict=True):
        _check_same(table, int(before), int(after))
    once = order[np.append(True, ~same)]
    parts = np.split(once, np.flatnonzero(np.diff(table.key_of[once])) + 1)
    return _Sorted(table, {table.keys[table.key_of[part[0]]]: part for part in parts})


def _check_same(table: SampleTable, before: int, after: int) -> None:
    for name, values in table.numbers.items():
        if values[before] != values[after] and not (np.isnan(values[before]) and np.isnan(values[after])):
            first, second = sorted((before, after), key=lambda row: table.places[row])
            about = " ".join(printable(part) for part in table.keys[table.key_of[after]] if part)
            raise UsageError(
                f"{table.source}, {table.place(second)}: the same time{f' of {about}' if about else ''} as "
                f"{table.place(first)} with another {name}",
                "give each time once",
            )


def _check_size(samples: _Sorted, grid: Grid) -> None:
    table = samples.table
    spans = [float(np.ptp(table.times[rows])) / grid.step for rows in samples.rows.values()]
    if sum(spans, float(grid.size)) > MOST_CELLS:
        first, last = int(np.argmin(table.times)), int(np.argmax(table.times))
        raise UsageError(
            f"{table.source}: from {table.place(first)} to {table.place(last)} it is "
            f"{float(np.ptp(table.times)) / 86400:.0f} days at a step of {grid.step:.3g} s",
            "check these two times, or give fewer samples",
        )


def _only_container(table: SampleTable, workload: Workload) -> str | None:
    """Whose the samples are where they have no column ``container``; empty where the workload has several."""
    if "container" in table.columns:
        _check_containers(table, workload)
        return None
    return next(iter(workload.containers)) if len(workload.containers) == 1 else ""


def _check_containers(table: SampleTable, workload: Workload) -> None:
    named = dict.fromkeys(container for _, container in table.keys)
    if workload.containers and not any(name in workload.containers for name in named):
        raise UsageError(
            f"{table.source} has samples of container {printable(next(iter(named)))}, which {workload.target.printed} "
            "does not have",
            f"its containers are {', '.join(map(printable, workload.containers))}",
        )


def _recorded(samples: _Sorted, grid: Grid, only: str | None) -> Recorded:
    def rows(name: str) -> dict[str, dict[str, Row]]:
        return _by_pod(samples, only, lambda at: _row(samples.table, name, at, grid))

    def counts(name: str) -> dict[str, dict[str, float]]:
        return _by_pod(samples, only, lambda at: _grown(samples.table, name, at))

    return Recorded(
        source=samples.table.source,
        fine=grid,
        cpu=rows("cpu"),
        coarse=grid,
        memory=rows("memory"),
        throttled=rows("throttled"),
        # A request is that of its own time, where the assembly takes it for that of the step before.
        coarsest=Grid(grid.start + grid.step, grid.step, grid.size),
        cpu_requests=rows("cpu_request"),
        memory_requests=rows("memory_request"),
        restarts=counts("restarts"),
        oom_kills=counts("oom_kills"),
        signals=_signals(samples, grid),
    )


def _by_pod(samples: _Sorted, only: str | None, read: Callable[[Indices], Value | None]) -> dict[str, dict[str, Value]]:
    found: dict[str, dict[str, Value]] = {}
    for (pod, container), at in samples.rows.items():
        value = read(at)
        if value is not None:
            found.setdefault(pod, {})[container if only is None else only] = value
    return found


def _row(table: SampleTable, name: str, at: Indices, grid: Grid) -> Row | None:
    """The samples of ``name`` in the rows ``at``, which are in the order of time; None if there are none."""
    if name not in table.numbers:
        return None
    given = at[np.isfinite(table.numbers[name][at])]
    return row_on(grid, table.times[given], table.numbers[name][given]) if given.size else None


def _grown(table: SampleTable, name: str, at: Indices) -> float | None:
    """By how much a count grew."""
    if name not in table.numbers:
        return None
    given = at[np.isfinite(table.numbers[name][at])]
    return float(np.ptp(table.numbers[name][given])) if given.size else None


def _signals(samples: _Sorted, grid: Grid) -> dict[str, SignalRows]:
    """A signal is a pod's: where rows of several containers give it, the largest of them counts."""
    signals = {}
    by_pod = _rows_of_pods(samples)
    for name in SIGNAL_NAMES:
        rows = {pod: row for pod, at in by_pod.items() if (row := _row(samples.table, name, at, grid))}
        if rows:
            signals[name] = SignalRows(_OVER_PODS[name], rows)
    return signals


def _rows_of_pods(samples: _Sorted) -> dict[str, Indices]:
    parts: dict[str, list[Indices]] = {}
    for (pod, _), at in samples.rows.items():
        parts.setdefault(pod, []).append(at)
    return {pod: _in_time(samples.table, np.concatenate(rows)) for pod, rows in parts.items()}


def _in_time(table: SampleTable, rows: Indices) -> Indices:
    return rows[np.argsort(table.times[rows], kind="stable")]


def _per_pod(history: History, samples: _Sorted, grid: Grid) -> History:
    """The history of sums over pods, made one of pods by their number at each time."""
    table = samples.table
    at = _in_time(table, np.concatenate(list(samples.rows.values())))
    used = at[np.isfinite(table.numbers["cpu"][at])]
    unknown = used[np.isnan(table.numbers["pods"][used])]
    if unknown.size:
        raise UsageError(f"{table.source}, {table.place(int(unknown[0]))}: no number of pods", "give it beside cpu")
    row = row_on(grid, table.times[used], table.numbers["pods"][used])
    known = np.flatnonzero(np.isfinite(row.values))
    times, counts = grid.times()[row.first + known], row.values[known]

    def mean(use: Series) -> Series:
        pods = np.interp(use.times, times, counts)
        return Series(use.times, np.divide(use.values, pods, out=np.zeros(use.values.shape), where=pods > 0))

    return replace(
        history,
        pods=Series(history.cpu.times, np.interp(history.cpu.times, times, counts)),
        containers={name: replace(use, cpu=mean(use.cpu)) for name, use in history.containers.items()},
    )
