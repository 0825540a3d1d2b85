"""A server on loopback that misbehaves as a test says, over plain TCP or TLS."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl

Behaviour = Callable[[socket.socket], None]
"""Gets a connection whose request has been read, and does what it likes."""


class BadServer:
    """Reads each request and then behaves; ``seen`` holds the requests' first lines."""

    def __init__(self, behaviour: Behaviour, context: ssl.SSLContext | None = None) -> None:
        self.seen: list[str] = []
        self._behaviour = behaviour
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.url = f"{'https' if context else 'http'}://127.0.0.1:{self.port}"
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            if self._context:
                connection = self._context.wrap_socket(connection, server_side=True)
            with connection:
                head = read_head(connection)
                if head:
                    self.seen.append(head.split(b"\r\n")[0].decode())
                    self._behaviour(connection)


def read_head(connection: socket.socket) -> bytes:
    """Read a whole request and return its head; what is left unread would reset the connection at its end."""
    with connection.makefile("rb") as stream:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            line = stream.readline()
            if not line:
                return b""
            head += line
        length = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        stream.read(int(length[0].partition(b":")[2]) if length else 0)
        return head


@contextlib.contextmanager
def bad_server(behaviour: Behaviour, context: ssl.SSLContext | None = None) -> Iterator[BadServer]:
    server = BadServer(behaviour, context)
    try:
        yield server
    finally:
        server.close()


def sends(answer: bytes) -> Behaviour:
    """Sends these bytes and closes."""
    return lambda connection: connection.sendall(answer)


def stays_silent(connection: socket.socket) -> None:
    """Holds the connection until the client gives up."""
    connection.recv(1)


def drips(start: bytes, drop: bytes = b" ") -> Behaviour:
    """Sends ``start`` and then one byte every 20 ms until the client gives up."""

    def behave(connection: socket.socket) -> None:
        connection.sendall(start)
        while True:
            connection.sendall(drop)
            time.sleep(0.02)

    return behave


def answer(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    """A whole HTTP answer."""
    lines = [f"HTTP/1.1 {status}", "Content-Type: application/json", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
