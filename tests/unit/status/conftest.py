"""The servers that a test of status made are closed after it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.unit.status.server import Server

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _closed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    made: list[Server] = []
    start = Server.__init__

    def noted(server: Server, *args: object, **more: object) -> None:
        start(server, *args, **more)  # type: ignore[arg-type]  # handed on as they came
        made.append(server)

    monkeypatch.setattr(Server, "__init__", noted)
    yield
    for server in made:
        server.http.close()
