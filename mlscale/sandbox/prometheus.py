"""The HTTP API of the Prometheus of the simulated cluster, for the queries that mlscale sends.

The forms are those of prometheus.io/docs/prometheus/latest/querying/api and of prometheus util/jsonutil/marshal.go.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlscale.sandbox.history import History
from mlscale.sandbox.history_text import number_text, sample_texts
from mlscale.sandbox.prometheus_parameters import QueryError, check_timeout, read_range, read_time
from mlscale.sandbox.prometheus_queries import recognised

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from mlscale.sandbox.history_answers import Found, Labels
    from mlscale.sandbox.history_record import Recorder
    from mlscale.sandbox.prometheus_queries import Recognised

_JSON = "application/json"
_TEXT = "text/plain; charset=utf-8"
_UNKNOWN = "the sandbox answers only the queries that mlscale itself sends; for others use a real Prometheus"


@dataclass(frozen=True)
class Page:
    """What one request is answered with."""

    status: int
    content_type: str
    body: bytes


class SimulatedPrometheus:
    """Answers from the history of one cluster."""

    def __init__(self, recorder: Recorder) -> None:
        self._history = History(recorder)

    def page(self, method: str, path: str, query: Mapping[str, str]) -> Page:
        """The answer to ``method`` of ``path`` (``/api/v1/query``)."""
        if path == "/-/healthy":
            return Page(200, _TEXT, b"Prometheus Server is Healthy.\n")
        asked = {"/api/v1/query": self._instant, "/api/v1/query_range": self._range}.get(path)
        if asked is None:
            return Page(404, _TEXT, b"404 page not found\n")
        if method != "GET":
            return Page(405, _TEXT, b"Method Not Allowed\n")
        try:
            return Page(200, _JSON, b'{"status":"success","data":' + asked(query) + b"}")
        except QueryError as error:
            envelope = {"status": "error", "errorType": error.error_type, "error": error.message}
            return Page(error.status, _JSON, json.dumps(envelope, separators=(",", ":")).encode())

    def _instant(self, query: Mapping[str, str]) -> bytes:
        at = read_time(query, self._history.now())
        asked = _asked(query)
        if asked.name == "time":
            return f'{{"resultType":"scalar","result":[{_moment(at)},"{number_text(at / 1000)}"]}}'.encode()
        return _result("vector", "value", self._history.answer(asked, [at]), [_moment(at)])

    def _range(self, query: Mapping[str, str]) -> bytes:
        wanted = read_range(query)
        asked = _asked(query)
        times = range(wanted.start, wanted.start + wanted.count * wanted.step, wanted.step)
        found = self._history.answer(asked, times)
        return _result("matrix", "values", found, [_moment(time) for time in times])


def _asked(query: Mapping[str, str]) -> Recognised:
    """Which of mlscale's queries it is. Raises QueryError."""
    check_timeout(query)
    text = query.get("query", "")
    if not text.strip():
        why = 'invalid parameter "query": 1:1: parse error: no expression found in input'
        raise QueryError(400, "bad_data", why)
    found = recognised(text)
    if found is None:
        raise QueryError(422, "execution", _UNKNOWN)
    return found


def _result(kind: str, field: str, found: Iterable[Found], moments: Sequence[str]) -> bytes:
    listed = []
    for series in found:
        samples = sample_texts(series.values, moments[series.first : series.first + series.values.size])
        text = samples[0] if field == "value" else f"[{','.join(samples)}]"
        listed.append(f'{{"metric":{_labels(series.labels)},"{field}":{text}}}')
    return f'{{"resultType":"{kind}","result":[{",".join(listed)}]}}'.encode()


def _labels(labels: Labels) -> str:
    return json.dumps(dict(sorted(labels.items())), separators=(",", ":"), ensure_ascii=False)


def _moment(milliseconds: int) -> str:
    """In seconds; a fraction has three digits (0.500)."""
    sign = "-" if milliseconds < 0 else ""
    whole, rest = divmod(abs(milliseconds), 1000)
    return f"{sign}{whole}.{rest:03}" if rest else f"{sign}{whole}"
