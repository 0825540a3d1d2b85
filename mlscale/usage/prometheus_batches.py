"""Which namespaces are asked about together: many small ones by one set of questions, a large one by its own."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from mlscale.usage.model import Grid
from mlscale.usage.prometheus_questions import Question
from mlscale.usage.prometheus_reading import all_of, apart_where_refused, read_rows, read_values
from mlscale.usage.rates import plan_namespaces, plan_resolution, scrape_interval

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from mlscale.usage.prometheus_api import Prometheus, QuestionError
    from mlscale.usage.rates import Resolution

BATCH_SAMPLES = 1_000_000
"""Points of the CPU of all namespaces of a batch of several, at most: 200 containers for 7 days at 120 s."""

_LOOKS: Mapping[str, tuple[float, ...]] = {"scrapes": (1.0, 0.5), "containers": (1.0, 0.75, 0.5, 0.25)}
"""At which parts of the history the scrapes and the containers are counted: a whole series costs 20 times a look."""
_FALLBACK_LOOKS = 48
"""Evenly spaced, where that finds nothing: what ran for a few hours only may lie between the looks."""

Counts = dict[str, dict[str, float]]
"""The greatest count by query and namespace, 0 where there was none."""


@dataclass(frozen=True)
class Batch:
    """Namespaces whose histories are read together."""

    containers: Mapping[str, int]
    """Side by side in each, at most."""
    resolution: Resolution
    """As each of them has it by itself."""


@dataclass(frozen=True)
class Looked:
    """What a look at each namespace showed."""

    batches: Sequence[Batch]
    empty: Sequence[str]
    """Namespaces without a container."""
    refused: Mapping[str, QuestionError]


def plan_batches(source: Prometheus, namespaces: Iterable[str], start: float, end: float) -> Looked:
    """Look at each of ``namespaces``, and plan which to read together; raises as ``Prometheus.instant``.

    A namespace is read at the resolution that it would have alone, so that no history depends on what else is read.
    """
    together: dict[Resolution, dict[str, int]] = defaultdict(dict)
    empty: list[str] = []
    refused: dict[str, QuestionError] = {}
    for names in plan_namespaces(dict.fromkeys(namespaces, 0), 0):
        for some, counts in apart_where_refused(partial(_looked, source, start, end), names):
            if not isinstance(counts, dict):
                refused |= dict.fromkeys(some, counts)
                continue
            for name in some:
                containers = int(counts["containers"][name])
                interval = scrape_interval(counts["scrapes"][name] or None)
                if containers:
                    together[plan_resolution(start, end, interval, containers)][name] = containers
                else:
                    empty.append(name)
    return Looked(list(_batches(together)), empty, refused)


def _batches(together: Mapping[Resolution, Mapping[str, int]]) -> Iterator[Batch]:
    for resolution, containers in together.items():
        for names in plan_namespaces(containers, BATCH_SAMPLES // max(1, resolution.fine.size)):
            yield Batch({name: containers[name] for name in names}, resolution)


def _looked(source: Prometheus, start: float, end: float, namespaces: Sequence[str]) -> Counts:
    """Samples of one container in 30 minutes, and containers side by side, of each of ``namespaces``."""
    looks = [(name, start + part * (end - start)) for name, parts in _LOOKS.items() for part in parts]
    counts: Counts = {name: dict.fromkeys(namespaces, 0.0) for name in _LOOKS}
    answers = all_of([partial(read_values, source, namespaces, name, at) for name, at in looks])
    for (name, _), values in zip(looks, answers, strict=True):
        _keep_greatest(counts[name], [(each.namespace, each.value) for each in values])
    grid = Grid(start, max(1.0, (end - start) / (_FALLBACK_LOOKS - 1)), _FALLBACK_LOOKS)
    unseen = {name: {each: 1 for each, count in found.items() if not count} for name, found in counts.items()}
    questions = [Question(name, series, grid, (name,)) for name, series in unseen.items() if series]
    rows = all_of([partial(read_rows, source, question) for question in questions])
    for question, found in zip(questions, rows, strict=True):
        _keep_greatest(counts[question.name], [(each.namespace, float(np.nanmax(each.row.values))) for each in found])
    return counts


def _keep_greatest(counts: dict[str, float], found: Iterable[tuple[str, float]]) -> None:
    """Take in what was counted of the namespaces of ``counts``."""
    for namespace, count in found:
        if namespace in counts:
            counts[namespace] = max(counts[namespace], count)
