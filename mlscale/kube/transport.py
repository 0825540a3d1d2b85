"""HTTP to the API server: keep-alive, verified TLS, a deadline on every call, proxies and gzip.

It stands on http.client rather than on urllib3 or the official client because start-up is most of a
run: importing them costs 30 ms and 250 ms where kubectl's whole run takes 50 ms.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from mlscale.errors import ConfigError
from mlscale.kube.connection_errors import (
    ConnectionFailedError,
    StaleConnectionError,
    connection_failure,
    too_late,
)
from mlscale.kube.credentials import certificate_files
from mlscale.kube.proxy import Proxy, proxy_for

if TYPE_CHECKING:
    from mlscale.kube.access import Access

CONNECT_TIMEOUT = 10.0
"""Seconds for TCP and TLS each, as client-go's transport has for TLS."""


@dataclass(frozen=True)
class Response:
    """An HTTP answer, its body whole and decompressed."""

    status: int
    headers: Mapping[str, str]
    body: bytes


Debug = Callable[[str], None]
Headers = Sequence[tuple[str, str]]
"""Header fields in order; a name may come again (Impersonate-Group)."""


class Transport:
    """Connections to one API server; safe to use from several threads.

    ``access.server`` must be a valid URL, which ``read_access`` sees to.
    ``timeout`` is the deadline of one request in seconds, from the connection to the last byte.
    ``debug`` gets a line for each request, never a header or a body.
    """

    def __init__(self, access: Access, *, timeout: float, debug: Debug | None = None) -> None:
        self._access = access
        self._timeout = timeout
        self._debug = debug
        parts = urlsplit(access.server)
        self._tls = parts.scheme == "https"
        self._host = parts.hostname or ""
        self._port = parts.port or (443 if self._tls else 80)
        self._prefix = parts.path.rstrip("/")
        self._proxy = proxy_for(parts.scheme, self._host, self._port, access.proxy_url, os.environ)
        self._context: ssl.SSLContext | None = None
        self._idle: list[http.client.HTTPConnection] = []
        self._lock = threading.Lock()

    def request(self, method: str, path: str, headers: Headers, body: bytes | None) -> Response:
        """Send one request and read its whole answer.

        Raises ConnectionFailedError when no whole answer comes within the deadline. A GET on a kept-alive
        connection that the server had closed is sent once more; a write never is.
        """
        started = time.monotonic()
        connection, reused = self._take()
        try:
            response = self._exchange(connection, method, path, headers, body)
        except StaleConnectionError:
            if not (reused and method == "GET"):
                raise
            response = self._exchange(self._new(), method, path, headers, body)
        self._say(f"{method} {path} {response.status} {len(response.body)} B", started)
        return response

    @contextlib.contextmanager
    def stream(self, path: str, headers: Headers, *, seconds: float) -> Iterator[http.client.HTTPResponse]:
        """GET ``path`` and give the answer unread; the deadline is ``seconds`` plus the request's own."""
        started = time.monotonic()
        connection = self._new()
        try:
            with self._within(seconds + self._timeout, connection, "GET", path) as deadline:
                deadline.connect()
                self._send(connection, "GET", path, headers, None)
                response = connection.getresponse()
                self._say(f"GET {path} {response.status} (stream)", started)
                yield response
        finally:
            connection.close()

    def close(self) -> None:
        """Close the idle connections; the next request reads the client certificate anew."""
        with self._lock:
            self._context = None
            for connection in self._idle:
                connection.close()
            self._idle.clear()

    def _take(self) -> tuple[http.client.HTTPConnection, bool]:
        with self._lock:
            if self._idle:
                return self._idle.pop(), True
        return self._new(), False

    def _new(self) -> http.client.HTTPConnection:
        host, port = (self._proxy.host, self._proxy.port) if self._proxy else (self._host, self._port)
        timeout = min(CONNECT_TIMEOUT, self._timeout)
        if not self._tls:
            return _PlainConnection(host, port, timeout=timeout)
        name = self._access.tls_server_name or self._host
        connection = _TlsConnection(host, port, timeout, self._ssl_context(), name)
        if self._proxy:
            connection.set_tunnel(self._host, self._port, _proxy_headers(self._proxy))
        return connection

    def _exchange(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        path: str,
        headers: Headers,
        body: bytes | None,
    ) -> Response:
        with self._within(self._timeout, connection, method, path) as deadline:
            deadline.connect()
            self._send(connection, method, path, headers, body)
            answer = connection.getresponse()
            raw = answer.read()
        fields = _joined(answer.getheaders())
        response = Response(answer.status, fields, _decompressed(raw, fields, self._where()))
        self._give_back(connection, answer)
        return response

    def _send(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        path: str,
        headers: Headers,
        body: bytes | None,
    ) -> None:
        target = self._prefix + path
        if self._proxy and not self._tls:
            target = f"http://{_netloc(self._host, self._port)}{target}"
            headers = [*headers, *_proxy_headers(self._proxy).items()]
        connection.putrequest(method, target, skip_accept_encoding=True)
        for name, value in headers:
            # As UTF-8, which Go sends too: http.client alone would refuse a user's name outside of Latin-1.
            connection.putheader(name, value.encode())
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)

    def _give_back(self, connection: http.client.HTTPConnection, answer: http.client.HTTPResponse) -> None:
        if answer.will_close or connection.sock is None:
            connection.close()
            return
        with self._lock:
            self._idle.append(connection)

    @contextlib.contextmanager
    def _within(
        self, seconds: float, connection: http.client.HTTPConnection, method: str, path: str
    ) -> Iterator[_Deadline]:
        """Turn what the network can do into one error, and cut the connection after ``seconds``."""
        deadline = _Deadline(connection, seconds)
        started = time.monotonic()
        try:
            yield deadline
            # A body that ends with the connection looks whole where it was cut.
            deadline.check()
        except (OSError, http.client.HTTPException, ValueError) as error:
            connection.close()
            self._say(f"{method} {path} no answer", started)
            unknown = deadline.connected and method != "GET"
            if deadline.expired or isinstance(error, TimeoutError):
                limit = seconds if deadline.expired else min(seconds, CONNECT_TIMEOUT)
                raise too_late(self._where(), f"{method} {path.partition('?')[0]}", limit, unknown=unknown) from error
            raise connection_failure(error, self._where(), self._access, unknown=unknown) from error
        finally:
            deadline.cancel()

    def _where(self) -> str:
        through = f" (through the proxy {self._proxy.host}:{self._proxy.port})" if self._proxy else ""
        return f"the server {_netloc(self._host, self._port)}{through}"

    def _ssl_context(self) -> ssl.SSLContext:
        with self._lock:
            if self._context is None:
                self._context = _ssl_context(self._access)
            return self._context

    def _say(self, line: str, started: float) -> None:
        if self._debug:
            self._debug(f"{line} {(time.monotonic() - started) * 1000:.0f} ms")


class _Deadline:
    """The time of one request; the connection is cut when it is up.

    A socket's own timeout starts anew at each byte, so a server that drips would hold us for ever.
    """

    def __init__(self, connection: http.client.HTTPConnection, seconds: float) -> None:
        self.expired = False
        self.connected = False
        self._connection = connection
        self._socket: socket.socket | None = None
        self._timer = threading.Timer(min(seconds, threading.TIMEOUT_MAX), self._cut)
        self._timer.daemon = True

    def connect(self) -> None:
        """Start the time, and connect where that is still to do. Raises TimeoutError where it took too long."""
        self._timer.start()
        if self._connection.sock is None:
            self._connection.connect()
        # http.client lets go of the socket before it reads a body that ends with the connection.
        self._socket = self._connection.sock
        self.connected = True
        self.check()

    def check(self) -> None:
        """Raise TimeoutError if the time is up."""
        if self.expired:
            raise TimeoutError

    def cancel(self) -> None:
        """The request is over."""
        self._timer.cancel()

    def _cut(self) -> None:
        self.expired = True
        opened = self._socket or self._connection.sock
        if opened is not None:
            with contextlib.suppress(OSError):
                # Not SSLSocket.shutdown: it drops the TLS layer, and a write would go on in the clear.
                socket.socket.shutdown(opened, socket.SHUT_RDWR)


class _PlainConnection(http.client.HTTPConnection):
    """Its timeout is for connecting; from there the request's deadline bounds it."""

    def connect(self) -> None:
        super().connect()
        self.sock.settimeout(None)


class _TlsConnection(http.client.HTTPSConnection):
    """TLS with a server name of its own, which http.client cannot be told."""

    def __init__(self, host: str, port: int, timeout: float, context: ssl.SSLContext, server_name: str) -> None:
        super().__init__(host, port, timeout=timeout, context=context)
        self._tls_context = context
        self._server_name = server_name

    def connect(self) -> None:
        http.client.HTTPConnection.connect(self)
        # The handshake comes after the assignment, so that the deadline can cut it.
        self.sock = self._tls_context.wrap_socket(
            self.sock, server_hostname=self._server_name, do_handshake_on_connect=False
        )
        self.sock.do_handshake()
        self.sock.settimeout(None)


def _ssl_context(access: Access) -> ssl.SSLContext:
    authority = access.certificate_authority
    try:
        context = ssl.create_default_context(cadata=authority) if authority else ssl.create_default_context()
    except (ssl.SSLError, ValueError) as error:
        raise ConfigError(
            f"the certificate-authority of cluster {access.cluster!r} holds no certificate", "it must be PEM"
        ) from error
    # Python 3.13 turned this on; many clusters' CAs lack the key identifiers it asks for, and Go does not ask.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if access.insecure_skip_tls_verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    client_certificate = access.credentials.client_certificate()
    if client_certificate is not None:
        try:
            with certificate_files(client_certificate) as (certificate, key):
                context.load_cert_chain(certificate, key)
        except (ssl.SSLError, OSError) as error:
            raise ConfigError(
                f"the client certificate and key of user {access.user!r} cannot be used",
                "they must be PEM, belong together, and be readable",
            ) from error
    return context


def _netloc(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _joined(fields: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Header fields by lower-case name; the values of a name that comes again joined by commas (RFC 9110, 5.3)."""
    joined: dict[str, str] = {}
    for name, value in fields:
        key = name.lower()
        joined[key] = f"{joined[key]}, {value}" if key in joined else value
    return joined


def _proxy_headers(proxy: Proxy) -> dict[str, str]:
    return {"Proxy-Authorization": proxy.authorization} if proxy.authorization else {}


def _decompressed(raw: bytes, headers: Mapping[str, str], where: str) -> bytes:
    if headers.get("content-encoding") != "gzip":
        return raw
    try:
        return zlib.decompress(raw, wbits=31)
    except zlib.error as error:
        raise ConnectionFailedError(f"the answer of {where} was cut short", "try again") from error
