"""At which resolution a history is read: rate windows from the scrape interval, steps, and answers of bounded size."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlscale.usage.model import Grid

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

ANSWER_POINTS = 11_000
"""Points of one series in one answer, at most (Prometheus web/api/v1/api.go, v3: 11,000 points per timeseries)."""
ANSWER_SAMPLES = 250_000
"""Points of all series in one answer, at most: about 9 MB of JSON."""
HISTORY_SAMPLES = 24_000_000
"""Points of all series that are read in full resolution, at most: 1,000 workloads of 4 pods for 7 days at 120 s."""
SCRAPE_INTERVAL = 60.0
"""Seconds; what is taken where it cannot be seen (the default of Prometheus, scrape_interval)."""

_FINEST_STEP = 15.0
"""Seconds: the HPA syncs no more often (kube-controller-manager, --horizontal-pod-autoscaler-sync-period)."""
_LONG = 2 * 86_400.0
"""Seconds of history from which on half as many points, read in half the time, say as much."""
_COUNTED = 1800.0
"""Seconds over which the query ``scrapes`` counts."""
_MEMORY_STEP, _REQUEST_STEP = 600.0, 3600.0
_COARSE_POINTS = 100
_NAMED = 100
"""Pods that one query names, at most: a URL of more than 8 kB is refused on its way."""
_NAMES_LENGTH = 2000
"""Characters of the names of namespaces in one query, at most: some queries name them twice."""
_MOST_NAMED = 8
"""Times as many answers, at most, as would be needed without naming pods."""


@dataclass(frozen=True)
class Resolution:
    """How one history is read; the grids begin together."""

    window: float
    """Seconds that a rate looks back."""
    fine: Grid
    """Of the CPU and of signals."""
    memory: Grid
    """Coarser: a point stands for the peak since the one before."""
    requests: Grid
    """Coarser still: requests change with pods."""


def scrape_interval(counted: float | None) -> float:
    """Seconds between scrapes, from the samples that ``scrapes`` counted in 30 minutes; a default for None.

    Prometheus 2 counts both ends (61 samples at 30 s), Prometheus 3 one of them (60): both give 30.
    """
    if counted is None or counted < 2:
        return SCRAPE_INTERVAL
    exact = _COUNTED / counted
    nice = 5.0 if exact >= 12 else 1.0
    return max(1.0, round(exact / nice) * nice)


def rate_window(interval: float) -> float:
    """Seconds: four scrapes, so that a rate survives a missed one and is never of fewer than two samples.

    The usual rule of Prometheus's authors (Brian Brazil, "What range should I use with rate()?", robustperception.io).
    """
    return 4 * interval


def plan_resolution(start: float, end: float, interval: float, series: int) -> Resolution:
    """How to read ``start`` to ``end`` (seconds since the epoch) of ``series`` series scraped every ``interval`` s.

    The step is half the rate window, since points nearer than that tell nothing new; of more than 2 days it is the
    whole window, in which each scrape still counts, once. It is doubled until all series together stay under
    HISTORY_SAMPLES.
    """
    span = max(0.0, end - start)
    step = max(_FINEST_STEP, rate_window(interval) / (2 if span <= _LONG else 1))
    while span / step * max(1, series) > HISTORY_SAMPLES:
        step *= 2
    return Resolution(
        window=max(rate_window(interval), step),
        fine=_grid(start, end, step),
        memory=_grid(start, end, _coarse(step, span, _MEMORY_STEP)),
        requests=_grid(start, end, _coarse(step, span, _REQUEST_STEP)),
    )


def plan_answers(grid: Grid, series: int) -> Iterator[Grid]:
    """The parts of ``grid`` that one answer each may hold, in order."""
    size = max(1, min(ANSWER_POINTS, ANSWER_SAMPLES // max(1, series)))
    for first in range(0, grid.size, size):
        yield grid.part(first, min(size, grid.size - first))


def plan_namespaces(sizes: Mapping[str, int], most: int) -> Iterator[list[str]]:
    """Namespaces to ask about together, from those that have least of what ``sizes`` counts on.

    Each group has at most ``most`` of it, unless it is one namespace, and names that fit into one query.
    """
    group: list[str] = []
    count = length = 0
    for name in sorted(sizes, key=lambda name: (sizes[name], name)):
        # As it stands in a URL, with the "|" before it.
        needed = len(name) + len("%7C")
        if group and (count + sizes[name] > most or length + needed > _NAMES_LENGTH):
            yield group
            group, count, length = [], 0, 0
        group.append(name)
        count, length = count + sizes[name], length + needed
    if group:
        yield group


def plan_pods(pods: Sequence[str], grid: Grid, series: int) -> list[Sequence[str]]:
    """Pods to ask for together, so that one answer each holds the whole grid of ``series`` series of ``pods``.

    That is less work than all series for a part of the grid, whose labels come again with each part. Empty where one
    answer holds everything, and where the pods of so long a time are too many to be named.
    """
    answers = math.ceil(grid.size * series / ANSWER_SAMPLES)
    named = math.ceil(len(pods) / _NAMED)
    if answers < 2 or not pods or named > _MOST_NAMED * answers:
        return []
    size = math.ceil(len(pods) / max(answers, named))
    return [pods[first : first + size] for first in range(0, len(pods), size)]


def _coarse(step: float, span: float, wanted: float) -> float:
    """A multiple of ``step``: ``wanted`` seconds, or less where that would leave too few points."""
    return step * max(1, math.floor(min(wanted, span / _COARSE_POINTS) / step))


def _grid(start: float, end: float, step: float) -> Grid:
    # Aligned to multiples of the step, as caches of range queries are (Mimir, Thanos query frontend).
    first = math.ceil(start / step) * step
    return Grid(first, step, max(0, math.floor((end - first) / step) + 1))
