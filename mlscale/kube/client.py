"""The API server in the words of its API: objects in, objects out, its refusals raised as errors."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlencode

from mlscale import __version__
from mlscale.errors import MlscaleError
from mlscale.kube.api_errors import ApiError, api_error, shortened
from mlscale.kube.connection_errors import ConnectionFailedError

if TYPE_CHECKING:
    from mlscale.kube.access import Access
    from mlscale.kube.transport import Headers, Response, Transport

Json = dict[str, Any]
T = TypeVar("T")

FIELD_MANAGER = "mlscale"
PARALLEL = 16
"""Connections used side by side at most."""
RETRIES = 5
"""How often a request that the server put off (429, or 5xx with Retry-After) is sent again."""
LONGEST_RETRY_AFTER = 30.0
SAME_TIME = timedelta(seconds=2)
"""How far a server's clock may seem to be off: its Date header has whole seconds, and an answer takes its time."""

ACCEPT_JSON = "application/json"
ACCEPT_TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
ACCEPT_DISCOVERY = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"

Call = Callable[[], T]


class Client:
    """One API server, one user. Safe to use from several threads.

    Every method raises ``ApiError`` (by its status an ``ApiNotFoundError``, ``ApiNotAllowedError`` or
    ``ApiConflictError``) when the server refuses, and ``ConnectionFailedError`` when it cannot be asked.
    ``warn`` gets each Warning header of the server once.
    """

    def __init__(
        self,
        access: Access,
        transport: Transport,
        *,
        warn: Callable[[str], None] | None = None,
        compress: bool = True,
        sleep: Callable[[float], None] = time.sleep,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.access = access
        self.namespace = access.namespace
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
        return self._understood(ask, self._settled(ask))

    def in_one_round(self, asks: Sequence[Ask]) -> list[Json | MlscaleError]:
        """Send all without waiting for an answer between them, one round trip on one connection.

        Each answer, or the MlscaleError that it is, in the order of ``asks``, in which the server also carries them out.
        Only the last may be a write.
        """
        responses = self._round(asks)
        if all(isinstance(r, Response) and r.status == 401 for r in responses) and self._renewed():
            responses = self._round(asks)
        return [_outcome(partial(self._said, ask, r)) for ask, r in zip(asks, responses, strict=True)]

    def list_all(self, path: str, *, first: Json | None = None, **query: str) -> list[Json]:
        """The items of a list, page by page; a page whose token expired (410) restarts without pages.

        ``first`` is the first page (``ask_page``) where it was read already.
        """
        page = self.ask(ask_page(path, **query)) if first is None else first
        items = list(page.get("items") or [])
        while token := (page.get("metadata") or {}).get("continue"):
            try:
                page = self.ask(ask_page(path, **query, **{"continue": token}))
            except ApiError as error:
                if error.status.code != 410:
                    raise
                return list(self.get(path, **query).get("items") or [])
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

    def _round(self, asks: Sequence[Ask]) -> list[Response | ConnectionFailedError]:
        self._rest()
        with self._throttle.turn():
            return self._transport.in_one_round([self._request(ask) for ask in asks])

    def _said(self, ask: Ask, response: Response | ConnectionFailedError) -> Json:
        if isinstance(response, ConnectionFailedError):
            raise response
        return self._understood(ask, self._settled(ask, response))

    def _settled(self, ask: Ask, response: Response | None = None) -> Response:
        """The answer, ``response`` or that to ``ask`` if None; the request sent again where the server puts us off,
        and once where the credentials can be renewed after a 401."""
        renewed = False
        for attempt in range(RETRIES + 1):
            if response is None:
                if not attempt:
                    self._rest()
                with self._throttle.turn():
                    response = self._transport.in_one_round([self._request(ask)])
            if response.status == 401 and not renewed and self._renewed():
                renewed, response = True, None
                continue
            wait = _retry_after(response)
            self._throttle.heed(wait)
            if wait is None or attempt == RETRIES:
                break
            self._sleep(wait)
            response = None
        return response

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
            ahead = parsedate_to_datetime(response.headers.get("date", "")) - self._wall()
        except (TypeError, ValueError):
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
