"""A Prometheus of a test on loopback: rows by the query's text, and a client that does not sleep."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mlscale.kube.web import Web, web_access
from mlscale.usage.prometheus_api import Prometheus
from tests.recording_server import Answer, RecordingServer, Request

INSTANT, RANGE = "GET /api/v1/query", "GET /api/v1/query_range"

Labels = Mapping[str, str]
ValueAt = Callable[[float], float | None]


def success(kind: str, result: Any) -> Answer:
    return Answer({"status": "success", "data": {"resultType": kind, "result": result}})


def failure(code: int, error: str, error_type: str = "execution") -> Answer:
    return Answer({"status": "error", "errorType": error_type, "error": error}, code)


@dataclass
class Known:
    """What the server knows: by the beginning of a query's text, labels and the value at each time."""

    ranges: dict[str, list[tuple[Labels, ValueAt]]] = field(default_factory=dict)
    instants: dict[str, list[tuple[Labels, float]]] = field(default_factory=dict)
    most_points: int = 11_000

    def serve(self, server: RecordingServer) -> None:
        server.answers[INSTANT] = self.instant
        server.answers[RANGE] = self.range

    def instant(self, request: Request) -> Answer:
        samples = _of(self.instants, request.query["query"])
        return success("vector", [{"metric": dict(labels), "value": [0, str(value)]} for labels, value in samples])

    def range(self, request: Request) -> Answer:
        start, end, step = (float(request.query[name]) for name in ("start", "end", "step"))
        times = [start + i * step for i in range(round((end - start) / step) + 1)]
        series = _of(self.ranges, request.query["query"])
        if len(times) * len(series) > self.most_points:
            return failure(422, "query processing would load too many samples into memory in query execution")
        result = [{"metric": dict(labels), "values": _values(value, times)} for labels, value in series]
        return success("matrix", [entry for entry in result if entry["values"]])


def prometheus(server: RecordingServer, sleeps: list[float] | None = None, **more: Any) -> Prometheus:
    """A client of ``server``; what it would sleep is added to ``sleeps``."""
    access = web_access(server.url, more.pop("authorization", None), option="--prometheus")
    waited = [] if sleeps is None else sleeps
    return Prometheus(Web(access, timeout=5, **more), "Prometheus at URL", sleep=waited.append)


def _of(known: Mapping[str, list[Any]], text: str) -> list[Any]:
    return next((found for beginning, found in known.items() if text.startswith(beginning)), [])


def _values(value: ValueAt, times: list[float]) -> list[list[Any]]:
    found = [(time, value(time)) for time in times]
    return [[time, repr(float(at))] for time, at in found if at is not None]
