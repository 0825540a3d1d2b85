"""A client of an API server with canned answers, which remembers what it was asked."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

from mlscale.errors import MlscaleError
from mlscale.kube.api_errors import ApiError, api_error
from mlscale.kube.client import Client
from mlscale.kube.transport import Transport
from tests.clients import access
from tests.recording_server import Answer as HttpAnswer
from tests.recording_server import RecordingServer, Request, status
from tests.unit.status.objects import NOW

Json = dict[str, Any]
Query = dict[str, str]
QUIET = 10.0
"""Seconds that a watch without events lasts."""
Answer = Json | MlscaleError | Callable[[Query], Json]


class _Http(RecordingServer):
    def __init__(self, owner: Server) -> None:
        self._owner = owner
        super().__init__()

    def answer(self, request: Request) -> HttpAnswer:
        with self.lock:
            self._owner.asked.append((request.path, request.query))
            self._owner.connections.add(request.connection)
        answer = self._owner.answers.get(request.path)
        try:
            if answer is None:
                return status(404, f"{request.path} not found", "NotFound")
            if isinstance(answer, MlscaleError):
                raise answer
            return HttpAnswer(answer(request.query) if callable(answer) else answer)
        except ApiError as error:
            refusal = status(error.status.code, error.message, error.status.reason, **error.status.details)
            token = {"metadata": {"continue": error.status.continue_token}}
            return HttpAnswer({**refusal.body, **token}, refusal.status)


class Server(Client):
    """A ``Client`` of a real server on loopback; a path without an answer is a 404. Only its watches are canned."""

    def __init__(
        self, answers: dict[str, Answer], watches: dict[str, list[list[Json] | MlscaleError]] | None = None
    ) -> None:
        self.answers = answers
        self.watches = watches or {}
        self.asked: list[tuple[str, Query]] = []
        self.connections: set[int] = set()
        self.closed = threading.Event()
        self.http = _Http(self)
        known = access(self.http.url)
        super().__init__(known, Transport(known, timeout=5), sleep=lambda _: None, wall=lambda: NOW)

    def watch(self, path: str, *, seconds: float, table: bool = False, **query: str) -> Iterator[Json]:  # noqa: ARG002
        """The next of the path's watches; after the last one nothing happens any more."""
        self.asked.append((path, {**query, "watch": "true"}))
        left = self.watches.get(path) or []
        if not left:
            self.closed.wait(QUIET)
            return
        events = left.pop(0)
        if isinstance(events, MlscaleError):
            raise events
        yield from events

    def paths(self) -> list[str]:
        """The paths asked for, in order."""
        return [path for path, _ in self.asked]


def forbidden(message: str = "forbidden") -> MlscaleError:
    """403."""
    return api_error(403, {"kind": "Status", "reason": "Forbidden", "message": message}, request="", credentials="")


def gone(token: str = "") -> MlscaleError:
    """410: the resourceVersion is too old; ``token`` goes on from there in the state of now."""
    body = {"kind": "Status", "reason": "Expired", "message": "too old", "metadata": {"continue": token}}
    return api_error(410, body, request="", credentials="")


def table(columns: str, *rows: tuple[str, Json | None], token: str = "", version: str = "1", **metadata: Any) -> Json:
    """A Table; ``columns`` and each row's cells are words, the first the name."""
    names = columns.split()
    definitions = [{"name": n, "type": "string", "format": "name" if n == "Name" else "", "priority": 0} for n in names]
    body = [{"cells": cells.split(), "object": obj} for cells, obj in rows]
    return {
        "columnDefinitions": definitions,
        "rows": body,
        "metadata": {"resourceVersion": version, "continue": token, **metadata},
    }
