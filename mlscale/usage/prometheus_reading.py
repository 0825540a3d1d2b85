"""Questions put to a Prometheus: a few at a time, smaller ones where one is too much; answers by namespace."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np

from mlscale.errors import MlscaleError
from mlscale.kube.parallel import Stop, side_by_side
from mlscale.usage.model import Row
from mlscale.usage.prometheus_api import QuestionError, TooMuchError
from mlscale.usage.queries import duration, query_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from mlscale.usage.prometheus_answers import Labels
    from mlscale.usage.prometheus_api import Prometheus
    from mlscale.usage.prometheus_questions import Question

PARALLEL = 4
"""Questions that are under way at once, at most."""
_SHORTEST = 3600.0
"""Seconds; a question over a shorter range is not cut further."""

Result = TypeVar("Result")


class FoundRow(NamedTuple):
    """One series of a range query, on the question's grid."""

    namespace: str
    labels: Labels
    row: Row


class FoundValue(NamedTuple):
    """One sample of an instant query."""

    namespace: str
    labels: Labels
    value: float


def read_rows(source: Prometheus, question: Question) -> list[FoundRow]:
    """The rows of ``question``, asked in halves where that is too much at once: first of its namespaces, then of time.

    Raises as ``Prometheus.instant``.
    """
    namespaces, grid = list(question.series), question.grid
    try:
        found = source.ranged(question.text, grid)
        # In single precision: 20 million samples are 80 MB.
        return [
            FoundRow(_namespace_of(labels, namespaces), labels, Row(row.first, row.values.astype(np.float32)))
            for labels, row in found
        ]
    except TooMuchError:
        if len(namespaces) < 2 and grid.size < 2:
            raise
    if len(namespaces) > 1:
        return [row for half in halves(namespaces) for row in read_rows(source, question.of(half))]
    half = grid.size // 2
    later = read_rows(source, replace(question, grid=grid.part(half, grid.size - half)))
    return [
        *read_rows(source, replace(question, grid=grid.part(0, half))),
        *(found._replace(row=Row(half + found.row.first, found.row.values)) for found in later),
    ]


def read_values(
    source: Prometheus, namespaces: Sequence[str], name: str, at: float, span: float = 0.0, **parameters: str
) -> list[FoundValue]:
    """The samples of an instant query ``at`` a time, over ``span`` seconds before it; asked in halves likewise."""
    text = query_text(name, namespaces, range=duration(span), **parameters)
    try:
        return [
            FoundValue(_namespace_of(labels, namespaces), labels, value) for labels, value in source.instant(text, at)
        ]
    except TooMuchError:
        if len(namespaces) < 2 and span < 2 * _SHORTEST:
            raise
    if len(namespaces) > 1:
        parts = [(half, at, span) for half in halves(namespaces)]
    else:
        parts = [(namespaces, moment, span / 2) for moment in (at - span / 2, at)]
    return [
        value
        for some, moment, length in parts
        for value in read_values(source, some, name, moment, length, **parameters)
    ]


def apart_where_refused(
    read: Callable[[Sequence[str]], Result], namespaces: Sequence[str]
) -> Iterator[tuple[Sequence[str], Result | QuestionError]]:
    """What ``read`` says of all ``namespaces``; of halves where a question is refused, so that few fail by it."""
    try:
        found = read(namespaces)
    except QuestionError as error:
        if len(namespaces) == 1:
            yield namespaces, error
            return
    else:
        yield namespaces, found
        return
    for half in halves(namespaces):
        yield from apart_where_refused(read, half)


def all_of(calls: Sequence[Callable[[], Result]]) -> Iterator[Result]:
    """The results of ``calls``, PARALLEL at a time; raises the first error, after which none is begun."""
    for result in side_by_side(calls, PARALLEL, Stop(on_failure=True)):
        if isinstance(result, MlscaleError):
            raise result
        yield result


def halves(names: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    """The first half of ``names``, and the others."""
    half = len(names) // 2
    return names[:half], names[half:]


def _namespace_of(labels: Labels, namespaces: Sequence[str]) -> str:
    """The one that was asked about; of several, the one that the series names."""
    if len(namespaces) == 1:
        return namespaces[0]
    return labels.get("namespace") or labels.get("exported_namespace", "")
