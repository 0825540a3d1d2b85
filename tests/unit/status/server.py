"""A stand-in for the API server below ``Client``: answers by path, and remembers what was asked."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

from mlscale.errors import MlscaleError
from mlscale.kube.api_errors import api_error
from mlscale.kube.client import Client

Json = dict[str, Any]
Query = dict[str, str]
QUIET = 10.0
"""Seconds that a watch without events lasts."""
Answer = Json | MlscaleError | Callable[[Query], Json]


class Server(Client):
    """A ``Client`` whose requests end here; a path without an answer is a 404."""

    def __init__(
        self, answers: dict[str, Answer], watches: dict[str, list[list[Json] | MlscaleError]] | None = None
    ) -> None:
        self.answers = answers
        self.watches = watches or {}
        self.asked: list[tuple[str, Query]] = []
        self.closed = threading.Event()

    def _call(self, method: str, path: str, query: Query, **_: Any) -> Json:  # noqa: ARG002
        self.asked.append((path, query))
        answer = self.answers.get(path)
        if answer is None:
            raise api_error(
                404,
                {"kind": "Status", "reason": "NotFound", "message": f"{path} not found"},
                request=path,
                credentials="",
            )
        if isinstance(answer, MlscaleError):
            raise answer
        return answer(query) if callable(answer) else answer

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


def gone() -> MlscaleError:
    """410: the resourceVersion is too old."""
    return api_error(410, {"kind": "Status", "reason": "Expired", "message": "too old"}, request="", credentials="")


def table(columns: str, *rows: tuple[str, Json | None], token: str = "", version: str = "1") -> Json:
    """A Table; ``columns`` and each row's cells are words, the first the name."""
    names = columns.split()
    definitions = [{"name": n, "type": "string", "format": "name" if n == "Name" else "", "priority": 0} for n in names]
    body = [{"cells": cells.split(), "object": obj} for cells, obj in rows]
    return {"columnDefinitions": definitions, "rows": body, "metadata": {"resourceVersion": version, "continue": token}}
