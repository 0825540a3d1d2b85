"""The range queries that a history is read by, each over one grid, large ones about some pods at a time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mlscale.usage.assemble import BRIDGED
from mlscale.usage.queries import cpu_series, duration, of_pods, query_text
from mlscale.usage.rates import ANSWER_SAMPLES, plan_pods

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mlscale.usage.model import Grid
    from mlscale.usage.prometheus_api import Prometheus
    from mlscale.usage.prometheus_signals import Signal
    from mlscale.usage.rates import Resolution

_OF_CONTAINERS = (("cpu",), ("memory",))
"""Which questions can be put about some pods."""


@dataclass(frozen=True)
class Question:
    """One query over one grid; ``series`` is how many it is expected to give, ``into`` where its rows belong."""

    text: str
    grid: Grid
    series: int
    into: tuple[str, ...]

    @property
    def size(self) -> int:
        """Samples that it is expected to give."""
        return self.series * self.grid.size


def plan_questions(
    namespace: str, resolution: Resolution, containers: int, signals: Iterable[tuple[Signal, str]]
) -> list[Question]:
    """Every range query, its answers still to be cut to size."""

    def question(name: str, grid: Grid, series: int, into: tuple[str, ...], **more: str) -> Question:
        parameters = {"window": duration(resolution.window), "step": duration(grid.step), **more}
        return Question(query_text(name, namespace=namespace, **parameters), grid, series, into)

    fine, coarse, coarsest = resolution.fine, resolution.memory, resolution.requests
    # Not over each whole step, which would read every sample: a pod that lived for less than an hour asked for what
    # its siblings did.
    looked_back = max(BRIDGED, resolution.window)
    return [
        question("cpu", fine, containers, ("cpu",)),
        question("memory", coarse, containers, ("memory",)),
        question("throttled", coarse, containers, ("throttled",)),
        question("requests", coarsest, 2 * containers, ("requests",), step=duration(min(looked_back, coarsest.step))),
        *(
            question(query, fine, containers, ("signal", signal.metric), **signal.parameters)
            for signal, query in signals
        ),
    ]


def cut_by_pods(source: Prometheus, namespace: str, questions: Sequence[Question]) -> list[Question]:
    """``questions``, those of containers with large answers cut by pods."""
    large = [question for question in questions if question.into in _OF_CONTAINERS and question.size > ANSWER_SAMPLES]
    if not large:
        return list(questions)
    grid = large[0].grid
    pods = sorted(source.label_values("pod", cpu_series(namespace), grid.start, grid.end))
    return [part for question in questions for part in (_cut(question, pods) if question in large else [question])]


def _cut(question: Question, pods: Sequence[str]) -> list[Question]:
    try:
        return [
            replace(question, text=of_pods(question.text, some), series=len(some))
            for some in plan_pods(pods, question.grid, question.series)
        ] or [question]
    except ValueError:
        return [question]
