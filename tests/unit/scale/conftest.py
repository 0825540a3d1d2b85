"""The command line in this process, and a server for it to ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.command_line import command_line
from tests.recording_server import RecordingServer, recording_server

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["command_line", "server"]


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with recording_server() as running:
        yield running
