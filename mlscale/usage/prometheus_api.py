"""One Prometheus, or what speaks its API: questions in PromQL, answers as rows on a grid, refusals as clear errors."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, TypeVar

from mlscale.errors import MlscaleError, NotAllowedError
from mlscale.kube.api_errors import shortened
from mlscale.kube.connection_errors import ConnectionFailedError
from mlscale.usage.prometheus_answers import Answer, AnswerError, Labels, read_answer, rows_of, vector_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mlscale.kube.transport import Response
    from mlscale.kube.web import Web
    from mlscale.usage.model import Grid, Row

ENVIRONMENT = "MLSCALE_PROMETHEUS"
"""How the names of its environment variables begin: …_TOKEN, …_USERNAME, …_PASSWORD, …_HEADERS, each also …_FILE."""

DEADLINE = 60.0
"""Seconds for one request, which the ``Web`` of a Prometheus is to have."""

_WAITS = (1.0, 4.0)
"""Seconds before each further attempt."""
_LONGEST_WAIT = 30.0
_EVALUATION = "50s"
"""What the server may take, so that it says that it is too slow before DEADLINE does."""
_LATER = frozenset({429, 500, 502, 503, 504})
"""Statuses that another attempt may change."""
_TOO_MUCH = (
    *("too many samples", "maximum resolution", "limit", "maxsamples", "too large", "err-mimir-max"),
    *("timed out", "deadline exceeded"),
)
"""What messages of Prometheus, Thanos, Mimir and VictoriaMetrics hold where a question asks for too much at once."""

Item = TypeVar("Item")


class PrometheusError(MlscaleError):
    """The Prometheus answered with an error, or with what is no answer."""


class QuestionError(PrometheusError):
    """It refused one question; it may answer others."""


class TooMuchError(QuestionError):
    """It would not load so many samples at once; a smaller question may do."""


class Prometheus:
    """Safe to use from several threads.

    ``where`` names it for people (``Prometheus at https://…``). Once it has failed for good it is not asked again:
    each further question raises the same error.
    """

    def __init__(self, web: Web, where: str, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self.where = where
        self._web = web
        self._sleep = sleep
        self._failure: MlscaleError | None = None

    def instant(self, text: str, at: float | None = None) -> list[tuple[Labels, float]]:
        """The vector (or scalar) that ``text`` is at ``at`` seconds since the epoch, or at the server's own time.

        Raises QuestionError where the server refuses this question; another PrometheusError, NotAllowedError or
        ConnectionFailedError where it is no use to ask more.
        """
        query = {"query": text} if at is None else {"query": text, "time": _timestamp(at)}
        return self._read("/api/v1/query", query, vector_of)

    def ranged(self, text: str, grid: Grid) -> list[tuple[Labels, Row]]:
        """The series that ``text`` is at the times of ``grid``, which has at least one. Raises as ``instant``."""
        query = {
            "query": text,
            "start": _timestamp(grid.start),
            "end": _timestamp(grid.end),
            "step": _timestamp(grid.step),
        }
        return self._read("/api/v1/query_range", query, lambda answer: list(rows_of(answer, grid)))

    def label_values(self, label: str, text: str, start: float, end: float) -> list[str]:
        """The values of ``label`` among the series of the selector ``text``; none where the server does not say.

        It costs the server a look at its index, and no sample.
        """
        query = {"match[]": text, "start": _timestamp(start), "end": _timestamp(end)}
        try:
            response = self._web.get(f"/api/v1/label/{label}/values", query)
            decoded = json.loads(response.body) if response.status == 200 else {}
        except (ConnectionFailedError, ValueError, RecursionError):
            return []
        found = decoded.get("data") if isinstance(decoded, dict) else None
        return [one for one in found if isinstance(one, str)] if isinstance(found, list) else []

    def _read(self, path: str, query: Mapping[str, str], read: Callable[[Answer], list[Item]]) -> list[Item]:
        if self._failure:
            raise self._failure
        try:
            response = self._send(path, {**query, "timeout": _EVALUATION})
            return read(self._accepted(response))
        except AnswerError:
            self._failure = self._no_answer(response)
            raise self._failure from None
        except QuestionError:
            raise
        except MlscaleError as error:
            self._failure = error
            raise

    def _send(self, path: str, query: Mapping[str, str]) -> Response:
        """The first answer that another attempt would not change, or the last one."""
        for wait in _WAITS:
            try:
                response = self._web.get(path, query)
            except ConnectionFailedError:
                self._sleep(wait)
                continue
            if response.status not in _LATER or _asks_too_much(response):
                return response
            self._sleep(_retry_after(response, wait))
        return self._web.get(path, query)

    def _accepted(self, response: Response) -> Answer:
        """The answer if it is a success. Raises AnswerError for what is none of this API's."""
        if response.status in (401, 403):
            raise self._not_allowed(response)
        if 300 <= response.status < 400:
            raise PrometheusError(
                f"{self.where} redirects elsewhere ({response.status})",
                "give the address that it redirects to, or the credentials that it asks for",
            )
        if response.status in _LATER and not _asks_too_much(response):
            raise PrometheusError(
                f"{self.where} answered {response.status} to {len(_WAITS) + 1} attempts{self._words(response)}",
                "try again when it is well",
            )
        answer = read_answer(response.body)
        if not answer.succeeded:
            raise self._refusal(response)
        return answer

    def _refusal(self, response: Response) -> QuestionError:
        if _asks_too_much(response):
            return TooMuchError(
                f"{self.where} cannot answer for so much at once{self._words(response)}",
                "give a shorter --history, or raise its limits",
            )
        return QuestionError(f"{self.where} refused a query ({response.status}){self._words(response)}")

    def _not_allowed(self, response: Response) -> NotAllowedError:
        said = self._words(response)
        if response.status == 401:
            hint = f"set {ENVIRONMENT}_TOKEN, or {ENVIRONMENT}_USERNAME and {ENVIRONMENT}_PASSWORD"
            return NotAllowedError(f"{self.where} does not accept the credentials (401){said}", hint)
        return NotAllowedError(
            f"{self.where} does not allow this (403){said}", "ask for the right to query it (get on services/proxy)"
        )

    def _no_answer(self, response: Response) -> PrometheusError:
        sort = shortened(response.headers.get("content-type", "").partition(";")[0]) or "something unnamed"
        return PrometheusError(
            f"{self.where} does not answer as the Prometheus API does, but {response.status} with {sort}"
            f"{self._words(response)}",
            "give the address that has /api/v1/query below it (of Mimir it ends in /prometheus), past any login page",
        )

    def _words(self, response: Response) -> str:
        """What the server says of itself, to be put behind a colon."""
        text = self._web.without_secrets(shortened(_message(response.body)))
        return f": {text}" if text else ""


def _message(body: bytes) -> str:
    """``error`` of the Prometheus API, or ``message`` of a Status of the API server that passes questions on."""
    try:
        decoded = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(decoded, dict):
        return ""
    return str(decoded.get("error") or decoded.get("message") or "")


def _asks_too_much(response: Response) -> bool:
    """Whether a smaller question may do; a 429 asks for fewer of them instead."""
    message = _message(response.body).lower() if response.status != 429 else ""
    return any(words in message for words in _TOO_MUCH)


def _retry_after(response: Response, otherwise: float) -> float:
    header = response.headers.get("retry-after", "")
    return min(float(header), _LONGEST_WAIT) if header.isdecimal() else otherwise


def _timestamp(seconds: float) -> str:
    return f"{seconds:.3f}".rstrip("0").rstrip(".")
