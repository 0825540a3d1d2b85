"""The range queries that histories are read by, each over one grid, large ones about fewer namespaces or pods."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from mlscale.usage.assemble import BRIDGED
from mlscale.usage.queries import cpu_series, duration, of_pods, query_text
from mlscale.usage.rates import ANSWER_SAMPLES, plan_namespaces, plan_pods

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from mlscale.usage.model import Grid
    from mlscale.usage.prometheus_api import Prometheus
    from mlscale.usage.prometheus_signals import Signal
    from mlscale.usage.rates import Resolution

_OF_CONTAINERS = (("cpu",), ("memory",))
"""Which questions can be put about some pods."""


@dataclass(frozen=True)
class Question:
    """One range query over one grid; ``into`` says where its rows belong."""

    name: str
    """Of QUERIES."""
    series: Mapping[str, int]
    """How many it is expected to give of each namespace that it is about."""
    grid: Grid
    into: tuple[str, ...]
    parameters: Mapping[str, str] = field(default_factory=dict)
    pods: Sequence[str] = ()
    """The only ones that it is about, if any are named."""

    @property
    def text(self) -> str:
        """Raises ValueError where one of ``pods`` can be none."""
        text = query_text(self.name, list(self.series), **self.parameters)
        return of_pods(text, self.pods) if self.pods else text

    @property
    def expected(self) -> int:
        """Series of all its namespaces."""
        return sum(self.series.values())

    @property
    def size(self) -> int:
        """Samples that it is expected to give."""
        return self.expected * self.grid.size

    def of(self, namespaces: Iterable[str]) -> Question:
        """The same about some of its namespaces."""
        return replace(self, series={name: self.series[name] for name in namespaces})


def plan_questions(
    containers: Mapping[str, int], resolution: Resolution, signals: Mapping[tuple[Signal, str], Sequence[str]]
) -> list[Question]:
    """Every range query about the namespaces of ``containers``, which says how many each has; still to be cut to size.

    ``signals`` are, by the query that reads them, the namespaces that have them.
    """

    def question(name: str, grid: Grid, series: Mapping[str, int], into: tuple[str, ...], **more: str) -> Question:
        parameters = {"window": duration(resolution.window), "step": duration(grid.step), **more}
        return Question(name, series, grid, into, parameters)

    fine, coarse, coarsest = resolution.fine, resolution.memory, resolution.requests
    twice = {name: 2 * count for name, count in containers.items()}
    # Not over each whole step, which would read every sample: a pod that lived for less than an hour asked for what
    # its siblings did.
    looked_back = max(BRIDGED, resolution.window)
    return [
        question("cpu", fine, containers, ("cpu",)),
        question("memory", coarse, containers, ("memory",)),
        question("throttled", coarse, containers, ("throttled",)),
        question("requests", coarsest, twice, ("requests",), step=duration(min(looked_back, coarsest.step))),
        *(
            question(query, fine, containers, ("signal", signal.metric), **signal.parameters).of(having)
            for (signal, query), having in signals.items()
        ),
    ]


def cut_to_size(source: Prometheus, questions: Iterable[Question]) -> list[Question]:
    """``questions``, those with large answers cut by namespaces; what one namespace has too many of, by pods."""
    pods: dict[str, list[str]] = {}
    return [
        part
        for question in questions
        for some in plan_namespaces(question.series, ANSWER_SAMPLES // max(1, question.grid.size))
        for part in _cut_by_pods(source, question.of(some), pods)
    ]


def _cut_by_pods(source: Prometheus, question: Question, known: dict[str, list[str]]) -> list[Question]:
    """Parts of a large ``question`` about one namespace; ``known`` keeps its pods for the next one."""
    if question.into not in _OF_CONTAINERS or question.size <= ANSWER_SAMPLES:
        return [question]
    (namespace,) = question.series
    if namespace not in known:
        grid = question.grid
        known[namespace] = sorted(source.label_values("pod", cpu_series(namespace), grid.start, grid.end))
    some = plan_pods(known[namespace], question.grid, question.expected)
    parts = [replace(question, series={namespace: len(part)}, pods=part) for part in some]
    return parts if parts and all(map(_can_be_asked, parts)) else [question]


def _can_be_asked(question: Question) -> bool:
    try:
        return bool(question.text)
    except ValueError:
        return False
