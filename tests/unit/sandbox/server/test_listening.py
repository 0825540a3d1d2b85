"""What a connection gets that does not begin with TLS; answers are those of Kubernetes 1.37.2, byte for byte."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.sandbox.server.conftest import Client

TOLD = b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n"


def said_to(address: str, request: bytes) -> bytes:
    """All that comes back until the connection is closed."""
    host, port = address.split(":")
    answer = b""
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(request)
        while more := connection.recv(4096):
            answer += more
    return answer


@pytest.mark.parametrize(
    ("request_line", "answer"),
    [
        (b"GET /version HTTP/1.1\r\nHost: x\r\n\r\n", TOLD),
        (b"HEAD / HTTP/1.1\r\n\r\n", TOLD),
        (b"POST /a", TOLD),
        (b"OPTIONS * HTTP/1.0\r\n\r\n", TOLD),
        (b"PUT /a HTTP/1.1\r\nContent-Length: 40000\r\n\r\n" + 40_000 * b"x", TOLD),
        # What Go does not take for HTTP.
        (b"PATCH /x HTTP/1.1\r\n\r\n", b""),
        (b"DELETE / HTTP/1.1\r\n\r\n", b""),
        (b"get / HTTP/1.1\r\n\r\n", b""),
        (b"HELLO WORLD\r\n\r\n", b""),
    ],
    ids=lambda value: value[:6].decode(),
)
def test_plain_http_is_told_that_this_is_https(call: Client, request_line: bytes, answer: bytes) -> None:
    assert said_to(call.address, request_line) == answer
    assert call("GET", "/version").status == 200


def test_a_connection_that_says_nothing_keeps_nobody_waiting(call: Client) -> None:
    host, port = call.address.split(":")
    with socket.create_connection((host, int(port)), timeout=10):
        assert call("GET", "/version").status == 200
