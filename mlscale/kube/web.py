"""Plain HTTP to a server beside the API server, such as a Prometheus: what it is asked, as whom, with what headers."""

from __future__ import annotations

import base64
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from mlscale import __version__
from mlscale.errors import ConfigError, UsageError
from mlscale.kube.access import Access
from mlscale.kube.connection_errors import ConnectionFailedError
from mlscale.kube.credentials import StaticCredentials
from mlscale.kube.text import printable
from mlscale.kube.transport import Transport

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlscale.kube.transport import Debug, Headers, Response

_TOKEN_CHARACTERS = frozenset("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
"""What a header's name is made of (RFC 9110, 5.6.2)."""


class Web:
    """GETs below one URL; safe to use from several threads.

    ``access`` says where and as whom; that of a Client serves to go through the API server's proxy, with ``prefix`` the
    path of the service's ``proxy`` subresource. ``headers`` are sent with each request. ``hint`` says what to check
    when the server cannot be reached. ``timeout`` is the deadline of one request in seconds.
    """

    def __init__(
        self,
        access: Access,
        *,
        timeout: float,
        prefix: str = "",
        headers: Headers = (),
        hint: str = "",
        debug: Debug | None = None,
    ) -> None:
        self._access = access
        self._transport = Transport(access, timeout=timeout, debug=debug)
        self._prefix = prefix
        self._headers = headers
        self._hint = hint

    def get(self, path: str, query: Mapping[str, str]) -> Response:
        """The answer to ``GET path?query``, whatever its status. Raises ConnectionFailedError where there is none.

        After a 401 the request is sent once more if the credentials can be renewed.
        """
        response = self._send(path, query)
        if response.status == 401 and self._access.credentials.refresh():
            self._transport.close()
            response = self._send(path, query)
        return response

    def without_secrets(self, text: str) -> str:
        """``text`` of the server with *** where it repeats the credentials or a header's value."""
        authorization = self._access.credentials.authorization() or ""
        for secret in (authorization.partition(" ")[2], *(value for _, value in self._headers)):
            text = text.replace(secret, "***") if secret else text
        return text

    def _send(self, path: str, query: Mapping[str, str]) -> Response:
        url = f"{self._prefix}{path}?{urlencode(query)}"
        try:
            return self._transport.request("GET", url, [*self._fields(), *self._identity()], None)
        except ConnectionFailedError as error:
            raise ConnectionFailedError(error.message, self._hint or error.hint) from error

    def _fields(self) -> Headers:
        # Packing an answer costs the server more than loopback costs the network.
        local = urlsplit(self._access.server).hostname in ("127.0.0.1", "::1", "localhost")
        encoding = "identity" if local or self._access.disable_compression else "gzip"
        return [("Accept", "application/json"), ("Accept-Encoding", encoding), *self._headers]

    def _identity(self) -> Headers:
        fields = [("User-Agent", f"mlscale/{__version__} ({sys.platform})")]
        authorization = self._access.credentials.authorization()
        if authorization:
            fields.append(("Authorization", authorization))
        return [*fields, *self._access.impersonation_headers()]


def web_access(url: str, authorization: str | None, *, option: str) -> Access:
    """How to reach ``url``; ``option`` names where it was given (``--prometheus``), for messages.

    Raises UsageError for a URL that cannot be asked, and for one that holds a user name: a command line is no place
    for a password.
    """
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        valid = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        valid = False
    if not valid or not url.isascii() or not url.isprintable() or " " in url:
        raise UsageError(f"{option} is not a URL that can be asked", "give one such as https://HOST:9090")
    if parts.username is not None:
        raise UsageError(f"{option} holds a user name", "leave it out, and give user and password by the environment")
    server = f"{parts.scheme}://{parts.netloc}{parts.path}".rstrip("/")
    return Access(
        server=server,
        namespace="",
        context="",
        cluster="",
        user="",
        kubeconfig="",
        credentials=StaticCredentials(authorization),
    )


def environment_authorization(environ: Mapping[str, str], stem: str) -> str | None:
    """The Authorization header of ``STEM_TOKEN``, or of ``STEM_USERNAME`` and ``STEM_PASSWORD``; None for neither.

    Each of token and password may be in a file instead, named by ``…_FILE``. Raises ConfigError where they cannot be
    used, with no word of what they hold.
    """
    token = _setting(environ, f"{stem}_TOKEN")
    username, password = environ.get(f"{stem}_USERNAME", ""), _setting(environ, f"{stem}_PASSWORD")
    if token and username:
        raise ConfigError(f"{stem}_TOKEN and {stem}_USERNAME are both set", "only one of them can be used")
    if password and not username:
        raise ConfigError(f"{stem}_PASSWORD needs a user name", f"set {stem}_USERNAME too")
    if username:
        return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()
    if not token:
        return None
    return "Bearer " + _header_value(token, f"{stem}_TOKEN")


def environment_headers(environ: Mapping[str, str], stem: str) -> Sequence[tuple[str, str]]:
    """The headers of ``STEM_HEADERS`` or of the file ``STEM_HEADERS_FILE``: one ``Name: value`` a line.

    Raises ConfigError for a line that is none.
    """
    about = f"{stem}_HEADERS"
    headers = []
    for number, line in enumerate(_setting(environ, about).splitlines(), 1):
        if not line.strip():
            continue
        name, colon, value = line.partition(":")
        if not colon or not name.strip() or not _TOKEN_CHARACTERS.issuperset(name.strip()):
            raise ConfigError(f"line {number} of {about} is not a header", "write it as in X-Scope-OrgID: tenant")
        headers.append((name.strip(), _header_value(value, f"line {number} of {about}")))
    return headers


def _setting(environ: Mapping[str, str], name: str) -> str:
    """The value of ``name``, or what the file ``NAME_FILE`` holds; "" for neither."""
    path = environ.get(f"{name}_FILE", "")
    if environ.get(name) and path:
        raise ConfigError(f"{name} and {name}_FILE are both set", "only one of them can be used")
    if not path:
        return environ.get(name, "").strip()
    try:
        return Path(path).read_text().strip()
    except (OSError, UnicodeDecodeError) as cause:
        reason = (getattr(cause, "strerror", None) or "it is no text").lower()
        raise ConfigError(f"cannot read {printable(path)}, the {name}_FILE: {reason}") from cause


def _header_value(value: str, about: str) -> str:
    value = value.strip()
    if not (value.isascii() and value.isprintable()):
        raise ConfigError(f"{about} holds a character that no HTTP header can carry", "check how it was pasted")
    return value
