"""The API server in the words of its API: objects in, objects out, its refusals raised as errors."""

from __future__ import annotations

import json
import sys
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from mlscale import __version__
from mlscale.errors import MlscaleError
from mlscale.kube.api_errors import ApiError, api_error, shortened
from mlscale.kube.asks import (
    ACCEPT_JSON,
    ACCEPT_TABLE,
    FIELD_MANAGER,
    Ask,
    ask_apply,
    ask_create,
    ask_get,
    ask_json_patch,
    ask_merge_patch,
    ask_page,
    ask_table,
)
from mlscale.kube.connection_errors import ConnectionFailedError
from mlscale.kube.parallel import side_by_side
from mlscale.kube.throttle import Throttle
from mlscale.kube.transport import CONNECTIONS, Request, Response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from mlscale.kube.access import Access
    from mlscale.kube.parallel import Call, Stop
    from mlscale.kube.transport import Headers, Transport

__all__ = ["ACCEPT_TABLE", "FIELD_MANAGER", "Client", "Json", "side_by_side"]

Json = dict[str, Any]
T = TypeVar("T")

RETRIES = 10
"""How often a request that the server put off (429, or 5xx with Retry-After) is sent again, as client-go does
(rest/request.go, v0.37.2)."""
LONGEST_RETRY_AFTER = 30.0
SAME_TIME = timedelta(seconds=2)
"""How far a server's clock may seem to be off: its Date header has whole seconds, and an answer takes its time."""
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

ACCEPT_DISCOVERY = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"


class Client:
    """One API server, one user. Safe to use from several threads.

    Every method raises ``ApiError`` (by its status an ``ApiNotFoundError``, ``ApiNotAllowedError`` or
    ``ApiConflictError``) when the server refuses, and ``ConnectionFailedError`` when it cannot be asked.
    ``warn`` gets each Warning header of the server once. ``parallel`` requests are under way at most.
    """

    def __init__(
        self,
        access: Access,
        transport: Transport,
        *,
        warn: Callable[[str], None] | None = None,
        compress: bool = True,
        parallel: int = CONNECTIONS,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], float] = time.monotonic,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.access = access
        self.namespace = access.namespace
        self.parallel = parallel
        self._throttle = Throttle(parallel, now)
        self._transport = transport
        self._warn = warn
        self._encoding = "gzip" if compress else "identity"
        self._warned: set[str] = set()
        self._sleep = sleep
        self._wall = wall
        self._ahead = timedelta()

    def now(self) -> datetime:
        """The server's time, which its objects' timestamps are to be held against.

        It is this machine's, moved by what the Date header of the last answer was ahead of it (or behind).
        """
        return self._wall() + self._ahead

    def get(self, path: str, *, accept: str = ACCEPT_JSON, **query: str) -> Json:
        """GET one object or list."""
        return self.ask(ask_get(path, accept=accept, **query))

    def table(self, path: str, include_object: str = "None", **query: str) -> Json:
        """GET a ``meta.k8s.io/v1`` Table; ``include_object`` is None, Metadata or Object (the row's object)."""
        return self.ask(ask_table(path, include_object, **query))

    def merge_patch(self, path: str, body: Json, **query: str) -> Json:
        """PATCH with a JSON merge patch (RFC 7386)."""
        return self.ask(ask_merge_patch(path, body, **query))

    def json_patch(self, path: str, operations: list[Json], **query: str) -> Json:
        """PATCH with a JSON patch (RFC 6902); a ``test`` that fails is a 422."""
        return self.ask(ask_json_patch(path, operations, **query))

    def apply(self, path: str, body: Json, *, force: bool = False, dry_run: bool = False) -> Json:
        """Server-side apply as field manager ``mlscale``; a conflict is an ApiConflictError with its causes."""
        return self.ask(ask_apply(path, body, force=force, dry_run=dry_run))

    def create(self, path: str, body: Json, **query: str) -> Json:
        """POST an object."""
        return self.ask(ask_create(path, body, **query))

    def ask(self, ask: Ask) -> Json:
        """The answer to one request."""
        self._rest()
        (response,), sent = self._round([ask])
        return self._said(ask, response, sent)

    def in_one_round(self, asks: Sequence[Ask]) -> list[Json | MlscaleError]:
        """Send all without waiting for an answer between them, one round trip on one connection.

        Each answer, or the MlscaleError that it is, in the order of ``asks``, in which the server carries them out.
        Only the last may be a write.
        """
        self._rest()
        responses, sent = self._round(asks)
        if all(isinstance(r, Response) and r.status == 401 for r in responses) and self._renewed():
            responses, sent = self._round(asks)
        return [_outcome(partial(self._said, ask, r, sent)) for ask, r in zip(asks, responses, strict=True)]

    def list_all(self, path: str, **query: str) -> list[Json]:
        """The items of a list, page by page; a page whose token expired (410) restarts without pages."""
        return self.items_from(self.ask(ask_page(path, **query)), path, **query)

    def items_from(self, page: Json, path: str, **query: str) -> list[Json]:
        """As ``list_all``, where the first ``page`` (``ask_page``) has been read."""
        items = list(page.get("items") or [])
        while token := (page.get("metadata") or {}).get("continue"):
            try:
                page = self.ask(ask_page(path, **query, **{"continue": token}))
            except ApiError as error:
                if error.status.code != 410:
                    raise
                whole = {key: value for key, value in query.items() if key != "limit"}
                return list(self.get(path, **whole).get("items") or [])
            items += page.get("items") or []
        return items

    def watch(self, path: str, *, seconds: float, table: bool = False, **query: str) -> Iterator[Json]:
        """The events ``{"type": …, "object": …}`` of a watch, for ``seconds`` at most.

        Raises ApiError for an ERROR event too (410 when the resourceVersion is too old).
        """
        query = {"watch": "true", "timeoutSeconds": str(max(1, int(seconds))), **query}
        ask = ask_get(path, accept=ACCEPT_TABLE if table else ACCEPT_JSON, **query)
        fields = [("Accept", ask.accept), *self._identity()]
        with self._transport.stream(ask.url, fields, seconds=seconds) as answer:
            if answer.status >= 300:
                raise self._error(answer.status, _decoded(answer.read()), f"GET {path}")
            for line in answer:
                event = _decoded(line)
                if not isinstance(event, dict):
                    raise ConnectionFailedError("the server sent an event that is not JSON", "try again")
                if event.get("type") == "ERROR":
                    status = event.get("object") or {}
                    raise self._error(int(status.get("code") or 500), status, f"watch {path}")
                yield event

    def together(self, *calls: Call[T]) -> list[T | MlscaleError]:
        """Run ``calls`` side by side; each result, or the MlscaleError it raised, in the order of the calls."""
        return list(self.in_order(calls))

    def in_order(self, calls: Sequence[Call[T]], *, stop: Stop | None = None) -> Iterator[T | MlscaleError]:
        """As ``together``, each result given as soon as it and those before it are there; ``stop`` ends it early."""
        return side_by_side(calls, self.parallel, stop)

    def _round(self, asks: Sequence[Ask]) -> tuple[list[Response | ConnectionFailedError], float]:
        """The answers, and when they were asked for."""
        with self._throttle.turn() as sent:
            return self._transport.in_one_round([self._request(ask) for ask in asks]), sent

    def _said(self, ask: Ask, response: Response | ConnectionFailedError, sent: float) -> Json:
        return self._understood(ask, self._settled(ask, response, sent))

    def _settled(self, ask: Ask, response: Response | ConnectionFailedError, sent: float) -> Response:
        """``response`` to ``ask``, or that to sending it again: where the server put us off, and once where the
        credentials can be renewed after a 401."""
        renewed, put_off = False, 0
        while True:
            if isinstance(response, ConnectionFailedError):
                raise response
            if response.status == 401 and not renewed and self._renewed():
                renewed = True
            else:
                wait = _retry_after(response)
                self._throttle.heed(wait, sent)
                if wait is None or put_off == RETRIES:
                    return response
                put_off += 1
                self._sleep(wait)
            (response,), sent = self._round([ask])

    def _rest(self) -> None:
        """Wait as long as the server put off another request."""
        pause = self._throttle.pause()
        if pause:
            self._sleep(pause)

    def _renewed(self) -> bool:
        if not self.access.credentials.refresh():
            return False
        self._transport.close()
        return True

    def _request(self, ask: Ask) -> Request:
        fields = [("Accept", ask.accept), ("Accept-Encoding", self._encoding)]
        body = None
        if ask.body is not None:
            body = json.dumps(ask.body, separators=(",", ":")).encode()
            fields.append(("Content-Type", ask.content_type))
        return Request(ask.method, ask.url, [*fields, *self._identity()], body)

    def _understood(self, ask: Ask, response: Response) -> Json:
        self._say_warnings(response)
        self._heed_date(response)
        decoded = _decoded(response.body)
        if response.status >= 300:
            raise self._error(response.status, decoded, ask.line)
        if not isinstance(decoded, dict):
            raise ConnectionFailedError(
                f"the answer to {ask.line} is not a JSON object", "check that the address is that of an API server"
            )
        return decoded

    def _identity(self) -> Headers:
        """Who asks: the program, the user's Authorization, and whom the user acts as."""
        access = self.access
        fields = [("User-Agent", f"mlscale/{__version__} ({sys.platform})")]
        authorization = access.credentials.authorization()
        if authorization:
            fields.append(("Authorization", authorization))
        return [*fields, *access.impersonation_headers()]

    def _error(self, code: int, body: object, request: str) -> ApiError:
        access = self.access
        return api_error(code, body, request=request, credentials=f"user {access.user!r} of context {access.context!r}")

    def _heed_date(self, response: Response) -> None:
        try:
            ahead = _http_date(response.headers.get("date", "")) - self._wall()
        except ValueError:
            return
        self._ahead = ahead if abs(ahead) > SAME_TIME else timedelta()

    def _say_warnings(self, response: Response) -> None:
        if not self._warn:
            return
        for message in _warnings(response.headers.get("warning", "")):
            if message not in self._warned:
                self._warned.add(message)
                self._warn(shortened(message))


def _outcome(call: Call[T]) -> T | MlscaleError:
    try:
        return call()
    except MlscaleError as error:
        return error


def _http_date(text: str) -> datetime:
    """``Sun, 06 Nov 1994 08:49:37 GMT`` (RFC 9110, 5.6.7); raises ValueError for another form. strptime costs 5 ms."""
    _, day, month, year, clock, zone = text.split(" ")
    hour, minute, second = map(int, clock.split(":"))
    if zone != "GMT":
        raise ValueError(zone)
    return datetime(int(year), MONTHS.index(month) + 1, int(day), hour, minute, min(second, 59), tzinfo=UTC)


def _decoded(body: bytes) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _warnings(header: str) -> list[str]:
    r"""The texts of a Warning header such as ``299 - "unknown field \"spec.x\"", 299 - "…"`` (RFC 7234, 5.5)."""
    if not header:
        return []
    import re

    quoted = re.findall(r'\d{3} \S+ "((?:[^"\\]|\\.)*)"', header)
    return [re.sub(r"\\(.)", r"\1", text) for text in quoted]


def _retry_after(response: Response) -> float | None:
    """Seconds to wait before the same request again: 429, or 5xx with Retry-After (client-go rest/with_retry.go)."""
    header = response.headers.get("retry-after", "")
    if response.status != 429 and not (response.status >= 500 and header):
        return None
    return min(float(header), LONGEST_RETRY_AFTER) if header.isdecimal() else 1.0
