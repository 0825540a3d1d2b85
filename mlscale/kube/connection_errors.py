"""What the network and TLS can do to a request, in one sentence each; api_errors.py is for what the server answers."""

from __future__ import annotations

import socket
import ssl
from typing import TYPE_CHECKING

from mlscale.errors import MlscaleError
from mlscale.kube.http1 import BadAnswerError, ClosedError, CutShortError
from mlscale.kube.text import printable

if TYPE_CHECKING:
    from mlscale.kube.access import Access


class ConnectionFailedError(MlscaleError):
    """The server could not be reached, or what came back was no whole HTTP answer."""


CLOSED = (ClosedError, ConnectionResetError, BrokenPipeError, ssl.SSLEOFError, ssl.SSLZeroReturnError)
"""What reading from a connection raises that the server has closed."""
# X509_V_ERR_HOSTNAME_MISMATCH and …IP_ADDRESS_MISMATCH; …CERT_NOT_YET_VALID and …CERT_HAS_EXPIRED (x509_vfy.h).
_OTHER_NAME = (62, 64)
_OTHER_TIME = (9, 10)
_UNKNOWN = "; whether the change was made is not known"
_TLS_REASONS = {
    "WRONG_VERSION_NUMBER": "it does not speak TLS",
    "HTTP_REQUEST": "it speaks plain HTTP",
    "TLSV1_ALERT_UNKNOWN_CA": "it does not accept the client certificate",
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": "it asks for a client certificate",
}


def too_late(where: str, request: str, seconds: float, *, unknown: bool) -> ConnectionFailedError:
    """The error for a ``request`` (``GET /apis/…``) that was cut after ``seconds``.

    ``where`` names the server in words; ``unknown`` says that a change may have been made.
    """
    return ConnectionFailedError(
        f"{where} did not answer {request} within {seconds:g} s{_UNKNOWN if unknown else ''}",
        "check that it is up and reachable, or give --request-timeout",
    )


def connection_failure(error: Exception, where: str, access: Access, *, unknown: bool) -> ConnectionFailedError:
    """The error for what http1, ssl or a socket raised; ``where`` and ``unknown`` as for ``too_late``."""
    also = _UNKNOWN if unknown else ""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _untrusted(error, where, access)
    if isinstance(error, CLOSED):
        return ConnectionFailedError(f"{where} closed the connection without an answer{also}", "try again")
    if isinstance(error, CutShortError):
        return cut_short(where, unknown=unknown)
    if isinstance(error, BadAnswerError):
        return ConnectionFailedError(f"{where} does not answer in HTTP{also}", "check the server's address and port")
    return _unreachable(error, where)


def cut_short(where: str, *, unknown: bool) -> ConnectionFailedError:
    """The error for an answer that ended before it was whole; ``where`` and ``unknown`` as for ``too_late``."""
    return ConnectionFailedError(f"the answer of {where} was cut short{_UNKNOWN if unknown else ''}", "try again")


def _unreachable(error: Exception, where: str) -> ConnectionFailedError:
    if isinstance(error, ssl.SSLError):
        code = error.reason or "the handshake failed"
        reason = _TLS_REASONS.get(code, code.replace("_", " ").lower())
        return ConnectionFailedError(f"no TLS connection to {where}: {reason}", "check the server's address and port")
    # UnicodeError: a label of the name is longer than 63 characters, so that IDNA cannot write it.
    if isinstance(error, (socket.gaierror, UnicodeError)):
        return ConnectionFailedError(f"no such host: {where}", "check the server's address in the kubeconfig")
    if isinstance(error, ConnectionRefusedError):
        return ConnectionFailedError(
            f"{where} refused the connection", "check that the cluster is up, and the address in the kubeconfig"
        )
    if isinstance(error, ValueError):
        # Its text quotes the header's value.
        return ConnectionFailedError("a header of the request holds a line break", "check --as and --as-group")
    reason = printable(getattr(error, "strerror", None) or str(error) or type(error).__name__)
    return ConnectionFailedError(f"no connection to {where}: {reason}", "check the server's address and the network")


def _untrusted(error: ssl.SSLCertVerificationError, where: str, access: Access) -> ConnectionFailedError:
    hint = f"check certificate-authority of cluster {access.cluster!r} in {access.kubeconfig}"
    if error.verify_code in _OTHER_NAME:
        hint = "check the server's address, or give --tls-server-name"
    elif error.verify_code in _OTHER_TIME:
        hint = "renew the server's certificate, or set this machine's clock"
    reason = error.verify_message.rstrip(".")
    return ConnectionFailedError(f"the certificate of {where} is not trusted: {reason}", hint)
