"""Connections that are begun before the first request."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING

import pytest

import mlscale.kube.transport
from mlscale.kube.connection_errors import ConnectionFailedError
from mlscale.kube.transport import Transport
from tests.clients import access
from tests.recording_server import Answer, RecordingServer, recording_server

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with recording_server() as running:
        running.answers["GET /a"] = Answer(1)
        yield running


def wait_for_connection(server: RecordingServer) -> None:
    end = time.monotonic() + 5
    while not server.connections:
        assert time.monotonic() < end, "no connection was made ahead"
        time.sleep(0.001)


def get(transport: Transport) -> int:
    return transport.request("GET", "/a", [], None).status


def test_it_is_there_before_a_request_and_carries_the_first_ones(server: RecordingServer) -> None:
    transport = Transport(access(server.url), timeout=5, connections=1)
    transport.connect_ahead()
    wait_for_connection(server)
    assert not server.lines
    assert [get(transport), get(transport)] == [200, 200]
    assert server.connections == 1


def test_one_that_has_waited_too_long_is_replaced(server: RecordingServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mlscale.kube.transport, "FRESH", -1.0)
    transport = Transport(access(server.url), timeout=5, connections=1)
    transport.connect_ahead()
    wait_for_connection(server)
    assert [get(transport), get(transport)] == [200, 200]
    assert server.connections == 2


def test_its_failure_is_that_of_the_first_request_and_the_next_tries_anew() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    transport = Transport(access(f"http://127.0.0.1:{port}"), timeout=5, connections=1)
    transport.connect_ahead()
    with pytest.raises(ConnectionFailedError, match="refused"):
        get(transport)
    with pytest.raises(ConnectionFailedError, match="refused"):
        get(transport)
