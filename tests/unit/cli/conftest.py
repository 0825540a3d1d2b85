"""The command line in this process, and a server for it to ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.command_line import command_line
from tests.recording_server import RecordingServer, recording_server
from tests.unit.cli.recommend_server import serve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.command_line import CommandLine, Result

__all__ = ["command_line", "server"]


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with recording_server() as running:
        yield running


@pytest.fixture
def recommend(server: RecordingServer, command_line: Callable[..., CommandLine]) -> Callable[..., Result]:
    """``mlscale recommend`` with the server's a day of history."""
    serve(server)
    run = command_line(server.url)

    def recommended(*arguments: str, stdin: str = "") -> Result:
        return run("recommend", "--prometheus", server.url, "--history", "1d", *arguments, stdin=stdin)

    return recommended
