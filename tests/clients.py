"""Access and clients for a server of a test."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mlscale.kube.access import Access, ClientCertificate
from mlscale.kube.client import Client
from mlscale.kube.credentials import StaticCredentials
from mlscale.kube.transport import Transport

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.recording_server import RecordingServer


def access(
    server: str, *, authorization: str | None = None, certificate: ClientCertificate | None = None, **more: Any
) -> Access:
    known: dict[str, Any] = {
        "namespace": "default",
        "context": "lab",
        "cluster": "lab",
        "user": "admin",
        "kubeconfig": "~/.kube/config",
    }
    return Access(server=server, credentials=StaticCredentials(authorization, certificate), **known | more)


def client(
    server: RecordingServer,
    *,
    warn: Callable[[str], None] | None = None,
    sleep: Callable[[float], None] = lambda _: None,
    compress: bool = True,
    wall: Callable[[], datetime] = lambda: datetime.now(UTC),
    parallel: int = 16,
    **more: Any,
) -> Client:
    """A client whose requests may take 5 s; its retries do not sleep."""
    known = access(server.url, **more)
    transport = Transport(known, timeout=5, connections=parallel)
    return Client(known, transport, warn=warn, sleep=sleep, compress=compress, wall=wall, parallel=parallel)
