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

from mlscale.errors import ConfigError, MlscaleError
from mlscale.kube.credentials import certificate_files
from mlscale.kube.proxy import Proxy, proxy_for
from mlscale.kube.text import printable

if TYPE_CHECKING:
    from mlscale.kube.access import Access

CONNECT_TIMEOUT = 10.0
"""Seconds for TCP and TLS each, as client-go's transport has for TLS."""


class ConnectionFailedError(MlscaleError):
    """The server could not be reached, or what came back was no HTTP answer."""


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
        except _StaleConnectionError:
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
        deadline = seconds + self._timeout
        try:
            with self._failures(connection, "GET", path, deadline) as arm:
                arm()
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
        if not self._tls:
            return _PlainConnection(host, port, timeout=CONNECT_TIMEOUT)
        name = self._access.tls_server_name or self._host
        connection = _TlsConnection(host, port, self._ssl_context(), name)
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
        with self._failures(connection, method, path, self._timeout) as arm:
            arm()
            self._send(connection, method, path, headers, body)
            answer = connection.getresponse()
            raw = answer.read()
        fields = {name.lower(): value for name, value in answer.getheaders()}
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
            target = f"http://{self._host}:{self._port}{target}"
            headers = [*headers, *_proxy_headers(self._proxy).items()]
        connection.putrequest(method, target, skip_accept_encoding=True)
        for name, value in headers:
            connection.putheader(name, value)
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
    def _failures(
        self, connection: http.client.HTTPConnection, method: str, path: str, seconds: float
    ) -> Iterator[Callable[[], None]]:
        """Turn what the network can do into one error, and cut the connection at the deadline.

        A socket's own timeout starts anew at each byte, so a server that drips would hold us for ever.
        """
        expired = threading.Event()

        def cut() -> None:
            expired.set()
            if connection.sock is not None:
                with contextlib.suppress(OSError):
                    connection.sock.shutdown(socket.SHUT_RDWR)

        watchdog = threading.Timer(seconds, cut)
        watchdog.daemon = True
        try:
            yield watchdog.start
        except (OSError, http.client.HTTPException, ValueError) as error:
            connection.close()
            if expired.is_set() or isinstance(error, TimeoutError):
                sent = "" if method == "GET" else "; whether the change was made is not known"
                raise ConnectionFailedError(
                    f"{self._where()} did not answer {method} {path.partition('?')[0]} within {seconds:g} s{sent}",
                    "check that it is up and reachable, or give --request-timeout",
                ) from error
            raise self._failure(error, method) from error
        finally:
            watchdog.cancel()

    def _failure(self, error: Exception, method: str) -> ConnectionFailedError:
        where = self._where()
        if isinstance(error, ssl.SSLCertVerificationError):
            return ConnectionFailedError(
                f"the certificate of {where} is not trusted: {error.verify_message}",
                f"check certificate-authority of cluster {self._access.cluster!r} in {self._access.kubeconfig}",
            )
        if isinstance(error, ssl.SSLError):
            return ConnectionFailedError(
                f"no TLS connection to {where}: {_tls_reason(error)}", "check the server's address and port"
            )
        if isinstance(error, socket.gaierror):
            return ConnectionFailedError(f"no such host: {where}", "check the server's address in the kubeconfig")
        if isinstance(error, ConnectionRefusedError):
            return ConnectionFailedError(
                f"{where} refused the connection",
                "check that the cluster is up, and the address in the kubeconfig",
            )
        if isinstance(error, (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError)):
            unknown = "" if method == "GET" else "; whether the change was made is not known"
            return _StaleConnectionError(f"{where} closed the connection without an answer{unknown}", "try again")
        if isinstance(error, http.client.IncompleteRead):
            return ConnectionFailedError(f"the answer of {where} was cut short", "try again")
        if isinstance(error, http.client.BadStatusLine):
            return ConnectionFailedError(f"{where} does not answer in HTTP", "check the server's address and port")
        reason = printable(getattr(error, "strerror", None) or str(error) or type(error).__name__)
        return ConnectionFailedError(
            f"no connection to {where}: {reason}", "check the server's address and the network"
        )

    def _where(self) -> str:
        through = f" (through the proxy {self._proxy.host}:{self._proxy.port})" if self._proxy else ""
        return f"the server {self._host}:{self._port}{through}"

    def _ssl_context(self) -> ssl.SSLContext:
        with self._lock:
            if self._context is None:
                self._context = _ssl_context(self._access)
            return self._context

    def _say(self, line: str, started: float) -> None:
        if self._debug:
            self._debug(f"{line} {(time.monotonic() - started) * 1000:.0f} ms")


class _StaleConnectionError(ConnectionFailedError):
    """The server closed the connection before it sent a byte of the answer."""


class _PlainConnection(http.client.HTTPConnection):
    """Its timeout is for connecting; from there the request's deadline bounds it."""

    def connect(self) -> None:
        super().connect()
        self.sock.settimeout(None)


class _TlsConnection(http.client.HTTPSConnection):
    """TLS with a server name of its own, which http.client cannot be told."""

    def __init__(self, host: str, port: int, context: ssl.SSLContext, server_name: str) -> None:
        super().__init__(host, port, timeout=CONNECT_TIMEOUT, context=context)
        self._tls_context = context
        self._server_name = server_name

    def connect(self) -> None:
        http.client.HTTPConnection.connect(self)
        self.sock = self._tls_context.wrap_socket(self.sock, server_hostname=self._server_name)
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


def _proxy_headers(proxy: Proxy) -> dict[str, str]:
    return {"Proxy-Authorization": proxy.authorization} if proxy.authorization else {}


def _decompressed(raw: bytes, headers: Mapping[str, str], where: str) -> bytes:
    if headers.get("content-encoding") != "gzip":
        return raw
    try:
        return zlib.decompress(raw, wbits=31)
    except zlib.error as error:
        raise ConnectionFailedError(f"the answer of {where} was cut short", "try again") from error


def _tls_reason(error: ssl.SSLError) -> str:
    reasons = {
        "WRONG_VERSION_NUMBER": "it does not speak TLS",
        "HTTP_REQUEST": "it speaks plain HTTP",
        "TLSV1_ALERT_UNKNOWN_CA": "it does not accept the client certificate",
        "TLSV13_ALERT_CERTIFICATE_REQUIRED": "it asks for a client certificate",
    }
    return reasons.get(error.reason or "", (error.reason or "the handshake failed").replace("_", " ").lower())
