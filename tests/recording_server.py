"""An HTTP/1.1 server on loopback that gives canned answers and remembers what it was asked; and two proxies.

Real sockets, so that what the tests see is what an API server would see.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import select
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    import ssl

Json = dict[str, Any]


@dataclass(frozen=True)
class Request:
    """One request as it arrived; ``connection`` numbers the TCP connections from 0.

    ``waited`` is False where it was there before the answer to the request before it on its connection.
    """

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    connection: int
    waited: bool = True

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        return {key: values[-1] for key, values in parse_qs(urlsplit(self.target).query).items()}

    @property
    def line(self) -> str:
        """``GET /path``, what a test compares first."""
        return f"{self.method} {self.path}"

    def header(self, name: str) -> str | None:
        """The value of the first field of this name."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    def all_headers(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Answer:
    """What the server says; ``close`` ends the connection after it, without a word to the client before."""

    body: Any = field(default_factory=dict)
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    compressed: bool = False
    close: bool = False

    def payload(self) -> bytes:
        raw = self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()
        return gzip.compress(raw) if self.compressed else raw


NO_ANSWER = Answer(close=True, status=0)
"""The server closes the connection in place of an answer."""

Canned = Answer | Callable[[Request], Answer] | list[Answer]


def status(code: int, message: str = "", reason: str = "", **details: Any) -> Answer:
    """A ``metav1.Status`` failure."""
    body = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code}
    return Answer({**body, "message": message, "reason": reason, "details": details}, code)


class RecordingServer:
    """Answers by ``"METHOD /path"``; a list gives its answers in turn and then its last one again and again."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.answers: dict[str, Canned] = {}
        self.requests: list[Request] = []
        self.connections = 0
        self.lock = threading.Lock()
        self._http = _Server(self, context)
        self.port = int(self._http.server_address[1])
        self.url = f"{'https' if context else 'http'}://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()

    @property
    def rounds(self) -> list[list[str]]:
        """``GET /path`` of each request, those that waited for no answer in one list with the one before them."""
        rounds: list[list[str]] = []
        for request in self.requests:
            if request.waited:
                rounds.append([])
            rounds[-1].append(request.line)
        return rounds

    @property
    def lines(self) -> list[str]:
        """``GET /path`` of each request in the order of arrival."""
        return [request.line for request in self.requests]

    def answer(self, request: Request) -> Answer:
        with self.lock:
            self.requests.append(request)
            canned = self.answers.get(request.line)
            if isinstance(canned, list):
                return canned.pop(0) if len(canned) > 1 else canned[0]
        if canned is None:
            return status(404, f"{request.line} is not canned", "NotFound")
        return canned if isinstance(canned, Answer) else canned(request)


@contextlib.contextmanager
def recording_server(context: ssl.SSLContext | None = None) -> Iterator[RecordingServer]:
    server = RecordingServer(context)
    try:
        yield server
    finally:
        server.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, owner: RecordingServer, context: ssl.SSLContext | None) -> None:
        self.owner = owner
        self.context = context
        super().__init__(("127.0.0.1", 0), _Handler)

    def finish_request(self, request: Any, client_address: Any) -> None:
        # In the connection's own thread: a handshake that hangs must not hold up the others.
        with self.owner.lock:
            number = self.owner.connections
            self.owner.connections += 1
        if not self.context:
            _Handler(request, (client_address, number), self)
            return
        with self.context.wrap_socket(request, server_side=True) as secured:
            _Handler(secured, (client_address, number), self)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away, or that does not like the certificate, is what some tests want."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Header and body in one packet: apart, Nagle's algorithm and a delayed ACK would cost 40 ms an answer.
    wbufsize = -1
    disable_nagle_algorithm = True
    server: _Server
    client_address: Any
    follows = False

    def handle_any(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        fields = tuple(self.headers.items())
        request = Request(self.command, self.path, fields, body, self.client_address[1], not self.follows)
        self.follows = self._has_more()
        self.send(self.server.owner.answer(request))

    do_GET = do_PATCH = do_POST = do_PUT = handle_any  # noqa: N815  http.server's names

    def send(self, answer: Answer) -> None:
        self.close_connection = self.close_connection or answer.close
        if not answer.status:
            return
        payload = answer.payload()
        # Without a Date: the server's time is the client's unless an answer says otherwise.
        self.send_response_only(answer.status)
        headers = {"Content-Type": "application/json", "Content-Length": str(len(payload)), **answer.headers}
        if answer.compressed:
            headers["Content-Encoding"] = "gzip"
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(payload)

    def _has_more(self) -> bool:
        """Whether the client has sent more than the request that is being answered."""
        self.connection.setblocking(False)
        try:
            return bool(self.rfile.peek())  # type: ignore[attr-defined]  # a BufferedReader
        except OSError:
            return False
        finally:
            self.connection.setblocking(True)

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


class TunnelProxy:
    """A proxy for CONNECT: remembers each request's head and tunnels to the port ``upstream``, or refuses."""

    def __init__(self, upstream: int, status: str = "200 Connection established") -> None:
        self.heads: list[str] = []
        self._upstream = upstream
        self._status = status
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._tunnel, args=(client,), daemon=True).start()

    def _tunnel(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            head = b""
            while b"\r\n\r\n" not in head:
                head += client.recv(4096)
            self.heads.append(head.decode())
            client.sendall(f"HTTP/1.1 {self._status}\r\n\r\n".encode())
            if self._status.startswith("200"):
                with socket.create_connection(("127.0.0.1", self._upstream)) as upstream:
                    _copy_both_ways(client, upstream)


def _copy_both_ways(one: socket.socket, other: socket.socket) -> None:
    while True:
        readable, _, _ = select.select([one, other], [], [], 10)
        for source in readable:
            piece = source.recv(65536)
            if not piece:
                return
            (other if source is one else one).sendall(piece)
