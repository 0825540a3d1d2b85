"""Connections as a Go server takes them: one that speaks plain HTTP to the port of HTTPS is told so.

The answer, and what counts as plain HTTP, are those of Go's net/http server.go and crypto/tls
(tlsRecordHeaderLooksLikeHTTP).
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import TYPE_CHECKING

import uvicorn

if TYPE_CHECKING:
    from collections.abc import Callable

PLAIN_HTTP = (b"GET /", b"HEAD ", b"POST ", b"PUT /", b"OPTIO")
"""How a request begins that comes without TLS."""
ANSWER = b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n"
_PATIENCE = 32.0
"""Seconds that a connection may say nothing (apiserver pkg/server/secure_serving.go, ReadHeaderTimeout)."""
_UNREAD = 64 * 1024
"""Bytes of a request that are read before its connection is closed: closed on unread ones, it would be reset."""


class TlsServer(uvicorn.Server):
    """uvicorn on listening sockets, with a look at the first bytes of each connection before TLS begins."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._silent: set[_Newcomer] = set()
        self._handshakes: set[asyncio.Task[object]] = set()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and take connections from ``sockets``, which do not block."""
        await super().startup(sockets=[])
        for listener in sockets or ():
            asyncio.get_running_loop().add_reader(listener, self._accept, listener)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no connections any more, and end those that there are."""
        for listener in sockets or ():
            asyncio.get_running_loop().remove_reader(listener)
        for newcomer in list(self._silent):
            newcomer.end()
        await super().shutdown(sockets)

    def _accept(self, listener: socket.socket) -> None:
        # Whoever has called may be gone again.
        with contextlib.suppress(OSError):
            connection, _ = listener.accept()
            self._silent.add(_Newcomer(connection, self._take))

    def _take(self, newcomer: _Newcomer, first: bytes) -> None:
        """Take what ``newcomer`` says; nothing means that it is to be forgotten."""
        self._silent.discard(newcomer)
        connection = newcomer.connection
        if first and first not in PLAIN_HTTP:
            self._shake_hands(connection)
            return
        with connection, contextlib.suppress(OSError):
            if first:
                connection.recv(_UNREAD)
                connection.send(ANSWER)

    def _shake_hands(self, connection: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        started = loop.connect_accepted_socket(self._protocol, connection, ssl=self.config.ssl)
        task: asyncio.Task[object] = loop.create_task(started)
        self._handshakes.add(task)
        task.add_done_callback(self._shaken)

    def _shaken(self, task: asyncio.Task[object]) -> None:
        self._handshakes.discard(task)
        if not task.cancelled():
            # One that failed has closed its connection; there is nobody to tell.
            task.exception()

    def _protocol(self) -> asyncio.Protocol:
        make: Callable[..., asyncio.Protocol] = self.config.http_protocol_class
        return make(config=self.config, server_state=self.server_state, app_state=self.lifespan.state)


class _Newcomer:
    """A connection that has not said anything yet."""

    def __init__(self, connection: socket.socket, take: Callable[[_Newcomer, bytes], None]) -> None:
        connection.setblocking(False)
        self.connection = connection
        self._take = take
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(connection, self._look)
        self._deadline = self._loop.call_later(_PATIENCE, self.end)

    def end(self) -> None:
        """Wait no longer."""
        self._heard(b"")

    def _look(self) -> None:
        try:
            self._heard(self.connection.recv(len(PLAIN_HTTP[0]), socket.MSG_PEEK))
        except BlockingIOError:
            return
        except OSError:
            self.end()

    def _heard(self, first: bytes) -> None:
        self._deadline.cancel()
        self._loop.remove_reader(self.connection)
        self._take(self, first)
