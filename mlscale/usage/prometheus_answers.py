"""Answers of the Prometheus HTTP API (prometheus.io/docs/prometheus/latest/querying/api) as arrays."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mlscale.usage.model import Row
from mlscale.usage.prometheus_samples import read_samples

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlscale.usage.model import FloatArray, Grid

Labels = Mapping[str, str]

_OPENING = b'"values":[['
"""Where the numbers of a series begin. It can stand in no label: JSON writes a quote inside a string as ``\\"``."""


class AnswerError(ValueError):
    """The body is not what the API answers."""


@dataclass(frozen=True)
class Answer:
    """The envelope of every answer."""

    succeeded: bool
    error_type: str
    error: str
    kind: str
    """``matrix``, ``vector`` or ``scalar``."""
    result: list[Any]
    blocks: list[memoryview]
    """The numbers of a matrix, taken out before the JSON was read: ``values`` of the result is the index here."""


def read_answer(body: bytes) -> Answer:
    """The envelope of ``body``; raises AnswerError for anything else, such as the page of a login."""
    skeleton, blocks = _without_numbers(body)
    try:
        envelope = json.loads(skeleton)
    except (ValueError, RecursionError):
        raise AnswerError from None
    if not isinstance(envelope, dict) or envelope.get("status") not in ("success", "error"):
        raise AnswerError
    found = envelope.get("data")
    content = found if isinstance(found, dict) else {}
    result = content.get("result")
    return Answer(
        succeeded=envelope["status"] == "success",
        error_type=str(envelope.get("errorType") or ""),
        error=str(envelope.get("error") or ""),
        kind=str(content.get("resultType") or ""),
        result=result if isinstance(result, list) else [],
        blocks=blocks,
    )


def vector_of(answer: Answer) -> list[tuple[Labels, float]]:
    """Labels and value of each sample that is a finite number. Raises AnswerError."""
    if answer.kind == "scalar":
        return [({}, _number(answer.result))]
    if answer.kind != "vector":
        raise AnswerError
    samples = [(_labels(entry), _number(entry.get("value"))) for entry in answer.result]
    return [(labels, value) for labels, value in samples if np.isfinite(value)]


def rows_of(answer: Answer, grid: Grid) -> Iterator[tuple[Labels, Row]]:
    """Each series of a matrix that was asked for at the times of ``grid``. Raises AnswerError.

    NaN and infinite samples are missing samples, and so is a sample at a time that was not asked for.
    """
    if answer.kind != "matrix":
        raise AnswerError
    for entry in answer.result:
        labels = _labels(entry)
        try:
            row = _row(entry.get("values"), answer.blocks, grid)
        except (ValueError, TypeError, IndexError):
            raise AnswerError from None
        if row is not None:
            yield labels, row


def _without_numbers(body: bytes) -> tuple[bytes, list[memoryview]]:
    """``body`` with an index in place of each series' numbers: they are nearly all of it, and JSON reads them slowly.

    A body that is laid out otherwise stays whole.
    """
    view, at = memoryview(body), 0
    pieces: list[bytes | memoryview] = []
    blocks: list[memoryview] = []
    while (opening := body.find(_OPENING, at)) >= 0:
        closing = body.find(b"]]", opening)
        if closing < 0:
            raise AnswerError
        pieces += [view[at:opening], b'"values":%d' % len(blocks)]
        blocks.append(view[opening + len(_OPENING) : closing])
        at = closing + 2
    return b"".join([*pieces, view[at:]]), blocks


def _row(values: object, blocks: list[memoryview], grid: Grid) -> Row | None:
    if isinstance(values, int):
        times, numbers = read_samples(blocks[values], grid.step)
    elif isinstance(values, list):
        numbers = np.array([float(value) for _, value in values])
        times = np.array([float(time) for time, _ in values])
    else:
        raise TypeError
    return _on_grid(times, numbers, grid)


def _on_grid(times: FloatArray, numbers: FloatArray, grid: Grid) -> Row | None:
    """The numbers placed by time; of two samples at one time the greater one, as ``max by`` would have it."""
    if times.shape != numbers.shape:
        raise ValueError
    positions = np.rint((times - grid.start) / grid.step).astype(np.int64)
    kept = np.isfinite(numbers) & (positions >= 0) & (positions < grid.size)
    if not kept.any():
        return None
    if not kept.all():
        positions, numbers = positions[kept], numbers[kept]
    first = int(positions[0])
    if (np.diff(positions) == 1).all():
        return Row(first, numbers)
    first = int(positions.min())
    values = np.full(int(positions.max()) - first + 1, np.nan)
    np.fmax.at(values, positions - first, numbers)
    return Row(first, values)


def _labels(entry: object) -> Labels:
    metric = entry.get("metric") if isinstance(entry, dict) else None
    if not isinstance(metric, dict):
        raise AnswerError
    return {str(name): str(value) for name, value in metric.items()}


def _number(sample: object) -> float:
    try:
        return float(sample[1])  # type: ignore[index]  # of what is no pair of time and value, this raises
    except (TypeError, ValueError, IndexError, KeyError):
        raise AnswerError from None
