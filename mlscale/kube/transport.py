"""HTTP to the API server: keep-alive, verified TLS, a deadline on every call, proxies and gzip.

It stands on a reader of its own (http1.py) rather than on http.client, urllib3 or the official client because start-up
is most of a run: importing them costs 10, 30 and 250 ms where kubectl's whole run takes 50 ms.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from mlscale.frozen import field, frozen
from mlscale.kube.connection_errors import CLOSED, ConnectionFailedError, connection_failure, cut_short, too_late
from mlscale.kube.http1 import Answer, BadAnswerError, ClosedError, Deadline, Wire, read_answer, request_head
from mlscale.kube.proxy import Proxy, proxy_for
from mlscale.kube.sockets import CONNECT_TIMEOUT, as_ascii, opened, ssl_context

if TYPE_CHECKING:
    import ssl

    from mlscale.kube.access import Access

CONNECTIONS = 16
"""Open at most, beside those of streams."""
FRESH = 5.0
"""Seconds for which a connection that was made ahead may wait for its first request: load balancers end idle ones."""


@frozen
class Response:
    """An HTTP answer, its body whole and decompressed."""

    status: int
    headers: Mapping[str, str]
    body: bytes


Debug = Callable[[str], None]
Headers = Sequence[tuple[str, str]]
"""Header fields in order; a name may come again (Impersonate-Group)."""


@frozen
class Request:
    """What is sent: ``path`` with its query, and header fields that hold no secret in a repr."""

    method: str
    path: str
    headers: Headers = field(repr=False)
    body: bytes | None = None

    @property
    def line(self) -> str:
        """``GET /api/v1/pods``, for messages."""
        return f"{self.method} {self.path.partition('?')[0]}"

    @property
    def only_reads(self) -> bool:
        """Whether it may be sent again without a thought."""
        return self.method == "GET"


class Transport:
    """Connections to one API server; safe to use from several threads.

    ``access.server`` must be a valid URL, which ``read_access`` sees to.
    ``timeout`` is the deadline of one request in seconds, from the connection to the last byte.
    ``debug`` gets a line for each request, never a header or a body.
    At most ``connections`` are open at a time, beside those of streams: a request waits for one that is free.
    """

    def __init__(
        self, access: Access, *, timeout: float, debug: Debug | None = None, connections: int = CONNECTIONS
    ) -> None:
        self._access = access
        self._timeout = timeout
        self._debug = debug
        parts = urlsplit(access.server)
        self._tls = parts.scheme == "https"
        self._host = parts.hostname or ""
        self._port = parts.port or (443 if self._tls else 80)
        self._prefix = quote(parts.path.rstrip("/"), safe="/%~!$&'()*+,;=:@")
        self._proxy = proxy_for(parts.scheme, self._host, self._port, access.proxy_url, os.environ)
        self._context: ssl.SSLContext | None = None
        self._idle: list[Wire] = []
        self._free = connections
        self._ahead: _Ahead | None = None
        self._lock = threading.Condition()

    def connect_ahead(self) -> None:
        """Begin to connect, beside what the caller does next: the first request takes the connection, or its failure.

        Raises ConfigError for a certificate that cannot be used.
        """
        if self._tls:
            self._ssl_context()
        with self._lock:
            self._free -= 1
        self._ahead = _Ahead(self._connected, _Sent(self._timeout))

    def request(self, method: str, path: str, headers: Headers, body: bytes | None) -> Response:
        """Send one request and read its whole answer.

        Raises ConnectionFailedError when no whole answer comes within the deadline. A GET on a kept-alive
        connection that the server had closed is sent once more; a write never is.
        """
        (answer,) = self.in_one_round([Request(method, path, headers, body)])
        if isinstance(answer, ConnectionFailedError):
            raise answer
        return answer

    def in_one_round(self, requests: Sequence[Request]) -> list[Response | ConnectionFailedError]:
        """Send all requests on one connection before the first answer, and read the answers in their order.

        Only the last may be a write (RFC 9112, 9.3.2). A server that ends the connection on the way gets the reads
        that it has not answered once more, each by itself, and the write only where it said that it would read no more.
        """
        if not all(request.only_reads for request in requests[:-1]):
            raise ValueError("only the last request of a round may be a write")
        sent = self._exchange(requests)
        left = requests[len(sent.answers) :]
        return [*sent.answers, *(self._unanswered(request, sent) for request in left)]

    @contextlib.contextmanager
    def stream(self, path: str, headers: Headers, *, seconds: float) -> Iterator[Answer]:
        """GET ``path`` and give the answer unread; the deadline is ``seconds`` plus the request's own."""
        request = Request("GET", path, headers)
        sent = _Sent(seconds + self._timeout)
        wire: Wire | None = None
        try:
            wire = self._connected(sent)
            wire.send(self._encoded(request))
            answer = read_answer(wire)
            self._say(f"GET {path} {answer.status} (stream)", sent)
            yield answer
        except (OSError, BadAnswerError, ValueError) as error:
            sent.error = error
            raise self._failure(request, sent) from error
        finally:
            if wire:
                wire.close()

    def close(self) -> None:
        """Close the idle connections; the next request reads the client certificate anew."""
        with self._lock:
            self._context = None
            for wire in self._idle:
                wire.close()
            self._free += len(self._idle)
            self._idle.clear()
            self._lock.notify_all()

    def _exchange(self, requests: Sequence[Request], *, anew: bool = False) -> _Sent:
        sent, wire = self._begun(anew=anew)
        try:
            if sent.error:
                raise sent.error
            message = b"".join(map(self._encoded, requests))
            wire = wire or self._connected(sent)
            wire.deadline = sent.deadline
            wire.send(message)
            for request in requests:
                if sent.said_close:
                    break
                self._read(wire, request, sent)
        except (OSError, BadAnswerError, ValueError) as error:
            sent.error = error
        finally:
            self._give_back(wire, keep=len(sent.answers) == len(requests) and not sent.said_close)
        return sent

    def _begun(self, *, anew: bool) -> tuple[_Sent, Wire | None]:
        """An exchange with the connection to use; None where one is still to be opened."""
        with self._lock:
            ahead, self._ahead = self._ahead, None
        if ahead:
            return ahead.outcome() or (_Sent(self._timeout), None)
        wire = self._take(anew=anew)
        return _Sent(self._timeout, reused=wire is not None), wire

    def _read(self, wire: Wire, request: Request, sent: _Sent) -> None:
        answer = read_answer(wire)
        raw = answer.read()
        sent.said_close = not answer.keeps_alive
        self._say(f"{request.method} {request.path} {answer.status} {len(raw)} B", sent)
        try:
            body = _decompressed(raw, answer.headers)
        except zlib.error:
            sent.answers.append(cut_short(self._where(), unknown=not request.only_reads))
        else:
            sent.answers.append(Response(answer.status, answer.headers, body))

    def _unanswered(self, request: Request, sent: _Sent) -> Response | ConnectionFailedError:
        """Send ``request`` by itself where that is safe and may help, else say why it has no answer."""
        went_stale = isinstance(sent.error, CLOSED) and (sent.reused or sent.answers)
        if sent.said_close or (went_stale and request.only_reads):
            sent = self._exchange([request], anew=True)
            if sent.answers:
                return sent.answers[0]
        return self._failure(request, sent)

    def _failure(self, request: Request, sent: _Sent) -> ConnectionFailedError:
        self._say(f"{request.method} {request.path} no answer", sent)
        unknown = sent.connected and not request.only_reads
        if isinstance(sent.error, TimeoutError):
            limit = sent.seconds if sent.connected else min(sent.seconds, CONNECT_TIMEOUT)
            failure = too_late(self._where(), request.line, limit, unknown=unknown)
        else:
            failure = connection_failure(sent.error or ClosedError(), self._where(), self._access, unknown=unknown)
        failure.__cause__ = sent.error
        return failure

    def _take(self, *, anew: bool) -> Wire | None:
        """An idle connection, or None with leave to open one, once there is room."""
        with self._lock:
            while not self._idle and self._free <= 0:
                self._lock.wait()
            if self._idle and not anew:
                return self._idle.pop()
            if self._free <= 0:
                self._idle.pop().close()
                self._free += 1
            self._free -= 1
            return None

    def _give_back(self, wire: Wire | None, *, keep: bool) -> None:
        with self._lock:
            # Bytes that nobody asked for would be taken for the next answer.
            if wire and keep and wire.is_clean:
                self._idle.append(wire)
            else:
                self._free += 1
                if wire:
                    wire.close()
            self._lock.notify()

    def _connected(self, sent: _Sent) -> Wire:
        host, port = (self._proxy.host, self._proxy.port) if self._proxy else (self._host, self._port)
        context = self._ssl_context() if self._tls else None
        wire = Wire(opened(host, port, sent.deadline), sent.deadline)
        try:
            if context:
                if self._proxy:
                    self._tunnel(wire, self._proxy)
                self._secure(wire, context)
        except BaseException:
            wire.close()
            raise
        sent.connected = True
        return wire

    def _secure(self, wire: Wire, context: ssl.SSLContext) -> None:
        name = as_ascii(self._access.tls_server_name or self._host)
        wire.sock = secured = context.wrap_socket(wire.sock, server_hostname=name, do_handshake_on_connect=False)
        secured.settimeout(min(CONNECT_TIMEOUT, wire.deadline.left()))
        secured.do_handshake()

    def _tunnel(self, wire: Wire, proxy: Proxy) -> None:
        target = _netloc(self._host, self._port)
        wire.send(request_head("CONNECT", target, target, _proxy_fields(proxy)))
        status = read_answer(wire).status
        if status != 200:
            raise OSError(f"Tunnel connection failed: {status}")
        if not wire.is_clean:
            raise BadAnswerError

    def _encoded(self, request: Request) -> bytes:
        target, fields = self._prefix + request.path, [*request.headers]
        if self._proxy and not self._tls:
            target = f"http://{_netloc(self._host, self._port)}{target}"
            fields += _proxy_fields(self._proxy)
        if request.body is not None:
            fields.append(("Content-Length", str(len(request.body))))
        default = self._port == (443 if self._tls else 80)
        host = _netloc(self._host, None if default else self._port)
        return request_head(request.method, target, host, fields) + (request.body or b"")

    def _where(self) -> str:
        through = f" (through the proxy {self._proxy.host}:{self._proxy.port})" if self._proxy else ""
        return f"the server {_netloc(self._host, self._port)}{through}"

    def _ssl_context(self) -> ssl.SSLContext:
        with self._lock:
            if self._context is None:
                self._context = ssl_context(self._access)
            return self._context

    def _say(self, line: str, sent: _Sent) -> None:
        if self._debug:
            self._debug(f"{line} {(time.monotonic() - sent.started) * 1000:.0f} ms")


class _Sent:
    """How far the requests of one round have come, which have ``seconds`` for it."""

    def __init__(self, seconds: float, *, reused: bool = False) -> None:
        self.seconds = seconds
        self.deadline = Deadline(seconds)
        self.started = time.monotonic()
        self.reused = reused
        self.connected = reused
        self.answers: list[Response | ConnectionFailedError] = []
        self.error: Exception | None = None
        self.said_close = False
        """Whether the last answer was the connection's last, so that what was sent after it was not read."""


class _Ahead:
    """A connection that is being made in a thread of its own."""

    def __init__(self, connect: Callable[[_Sent], Wire], sent: _Sent) -> None:
        self._connect = connect
        self._sent = sent
        self._wire: Wire | None = None
        self._ended = 0.0
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def outcome(self) -> tuple[_Sent, Wire | None] | None:
        """The connection, or the error in its place, once it is there; None where it has waited too long since."""
        self._thread.join()
        if self._wire and time.monotonic() - self._ended > FRESH:
            self._wire.close()
            return None
        return self._sent, self._wire

    def _run(self) -> None:
        try:
            self._wire = self._connect(self._sent)
        except (OSError, BadAnswerError, ValueError) as error:
            self._sent.error = error
        self._ended = time.monotonic()


def _netloc(host: str, port: int | None) -> str:
    bracketed = f"[{host}]" if ":" in host else host
    return bracketed if port is None else f"{bracketed}:{port}"


def _proxy_fields(proxy: Proxy) -> list[tuple[str, str]]:
    return [("Proxy-Authorization", proxy.authorization)] if proxy.authorization else []


def _decompressed(raw: bytes, headers: Mapping[str, str]) -> bytes:
    return zlib.decompress(raw, wbits=31) if headers.get("content-encoding") == "gzip" else raw
