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
        return self._call("GET", path, query, accept=accept)

    def table(self, path: str, include_object: str = "None", **query: str) -> Json:
        """GET a ``meta.k8s.io/v1`` Table; ``include_object`` is None, Metadata or Object (the row's object)."""
        return self._call("GET", path, {"includeObject": include_object, **query}, accept=ACCEPT_TABLE)

    def merge_patch(self, path: str, body: Json, **query: str) -> Json:
        """PATCH with a JSON merge patch (RFC 7386)."""
        return self._patch(path, body, "application/merge-patch+json", query)

    def json_patch(self, path: str, operations: list[Json], **query: str) -> Json:
        """PATCH with a JSON patch (RFC 6902); a ``test`` that fails is a 422."""
        return self._patch(path, operations, "application/json-patch+json", query)

    def apply(self, path: str, body: Json, *, force: bool = False, dry_run: bool = False) -> Json:
        """Server-side apply as field manager ``mlscale``; a conflict is an ApiConflictError with its causes."""
        query = {"force": "true"} if force else {}
        if dry_run:
            query["dryRun"] = "All"
        return self._patch(path, body, "application/apply-patch+yaml", query)

    def create(self, path: str, body: Json, **query: str) -> Json:
        """POST an object."""
        query = {"fieldManager": FIELD_MANAGER, **query}
        return self._call("POST", path, query, body=body, content_type="application/json")

    def list_all(self, path: str, **query: str) -> list[Json]:
        """The items of a list, page by page; a page whose token expired (410) restarts without pages."""
        items: list[Json] = []
        query = {"limit": "500", **query}
        while True:
            try:
                page = self.get(path, **query)
            except ApiError as error:
                if error.status.code != 410 or "continue" not in query:
                    raise
                whole = {k: v for k, v in query.items() if k not in ("limit", "continue")}
                return list(self.get(path, **whole).get("items") or [])
            items += page.get("items") or []
            token = (page.get("metadata") or {}).get("continue")
            if not token:
                return items
            query["continue"] = token

    def watch(self, path: str, *, seconds: float, table: bool = False, **query: str) -> Iterator[Json]:
        """The events ``{"type": …, "object": …}`` of a watch, for ``seconds`` at most.

        Raises ApiError for an ERROR event too (410 when the resourceVersion is too old).
        """
        query = {"watch": "true", "timeoutSeconds": str(max(1, int(seconds))), **query}
        url = _url(path, query)
        fields = [("Accept", ACCEPT_TABLE if table else ACCEPT_JSON), *self._identity()]
        with self._transport.stream(url, fields, seconds=seconds) as answer:
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

    def in_order(self, calls: Sequence[Call[T]], *, parallel: int = PARALLEL) -> Iterator[T | MlscaleError]:
        """As ``together``, each result given as soon as it and those before it are there."""
        if len(calls) <= 1:
            yield from (_outcome(call) for call in calls)
            return
        yield from side_by_side(calls, parallel)

    def _patch(self, path: str, body: object, content_type: str, query: dict[str, str]) -> Json:
        query = {"fieldManager": FIELD_MANAGER, **query}
        return self._call("PATCH", path, query, body=body, content_type=content_type)

    def _call(
        self,
        method: str,
        path: str,
        query: dict[str, str],
        *,
        accept: str = ACCEPT_JSON,
        body: object = None,
        content_type: str = "",
    ) -> Json:
        fields = [
            ("Accept", accept),
            ("Accept-Encoding", self._encoding),
        ]
        encoded = None
        if body is not None:
            encoded = json.dumps(body, separators=(",", ":")).encode()
            fields.append(("Content-Type", content_type))
        response = self._send(method, _url(path, query), fields, encoded)
        self._say_warnings(response)
        self._heed_date(response)
        decoded = _decoded(response.body)
        if response.status >= 300:
            raise self._error(response.status, decoded, f"{method} {path}")
        if not isinstance(decoded, dict):
            raise ConnectionFailedError(
                f"the answer to {method} {path} is not a JSON object",
                "check that the address is that of an API server",
            )
        return decoded

    def _send(self, method: str, url: str, fields: Headers, body: bytes | None) -> Response:
        """Send; again where the server puts us off, and once where the credentials can be renewed after a 401."""
        renewed = False
        for attempt in range(RETRIES + 1):
            response = self._transport.request(method, url, [*fields, *self._identity()], body)
            if response.status == 401 and not renewed and self.access.credentials.refresh():
                renewed = True
                self._transport.close()
                continue
            wait = _retry_after(response)
            if wait is None or attempt == RETRIES:
                return response
            self._sleep(wait)
        return response

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


def side_by_side(calls: Sequence[Call[T]], parallel: int) -> Iterator[T | MlscaleError]:
    """Threads take the next call from a shared counter; the caller waits for each result in turn."""
    results: list[T | MlscaleError | BaseException | None] = [None] * len(calls)
    done = [threading.Event() for _ in calls]
    remaining = iter(range(len(calls)))
    lock = threading.Lock()

    def work() -> None:
        while True:
            with lock:
                index = next(remaining, None)
            if index is None:
                return
            try:
                results[index] = _outcome(calls[index])
            except BaseException as error:  # noqa: BLE001  handed to the caller's thread, which raises it
                results[index] = error
            done[index].set()

    for _ in range(min(parallel, len(calls))):
        threading.Thread(target=work, daemon=True).start()
    for index, event in enumerate(done):
        event.wait()
        result = results[index]
        if isinstance(result, BaseException) and not isinstance(result, MlscaleError):
            raise result
        yield result  # type: ignore[misc]  # None only where T is None


def _url(path: str, query: dict[str, str]) -> str:
    return f"{path}?{urlencode(query)}" if query else path


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
