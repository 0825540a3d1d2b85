"""Servers are closed after each test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

from tests.unit.autoscale.flow_server import (
    Server,
)


@pytest.fixture(autouse=True)
def _closed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Close the servers that a test made."""
    made: list[Server] = []
    start = Server.__init__

    def noted(server: Server, *names: str) -> None:
        start(server, *names)
        made.append(server)

    monkeypatch.setattr(Server, "__init__", noted)
    yield
    for server in made:
        server.close()
