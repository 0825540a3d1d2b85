"""Connections as the socket and ssl modules open them: TCP within a deadline, and what TLS is to trust and to show."""

from __future__ import annotations

import socket
import ssl
from typing import TYPE_CHECKING

from mlscale.errors import ConfigError
from mlscale.kube.credentials import certificate_files

if TYPE_CHECKING:
    from mlscale.kube.access import Access
    from mlscale.kube.http1 import Deadline

CONNECT_TIMEOUT = 10.0
"""Seconds for TCP and TLS each, as client-go's transport has for TLS."""


def opened(host: str, port: int, deadline: Deadline) -> socket.socket:
    """A TCP connection to the first address of ``host`` that takes one. Raises OSError of the last that did not."""
    failure: OSError | None = None
    for family, kind, protocol, _, address in socket.getaddrinfo(as_ascii(host), port, type=socket.SOCK_STREAM):
        connection = socket.socket(family, kind, protocol)
        try:
            connection.settimeout(min(CONNECT_TIMEOUT, deadline.left()))
            connection.connect(address)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as error:
            connection.close()
            failure = error
        else:
            return connection
    raise failure or OSError("its name has no address")


def as_ascii(host: str) -> str | bytes:
    """``host`` as bytes where it is ASCII: with a str, socket and ssl would import the tables of IDNA."""
    return host.encode() if host.isascii() else host


def ssl_context(access: Access) -> ssl.SSLContext:
    """What TLS to the server of ``access`` trusts and shows. Raises ConfigError for what cannot be used."""
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
