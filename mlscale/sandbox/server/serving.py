"""The server at work: TLS on a free port of 127.0.0.1, in a thread of its own, and the kubeconfig that leads there."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import socket
import tempfile
import threading
from base64 import b64encode
from pathlib import Path
from typing import TYPE_CHECKING, Any

import trustme
import uvicorn

from mlscale.sandbox.first_roles import first_roles
from mlscale.sandbox.resources import CLUSTERROLE, CLUSTERROLEBINDING
from mlscale.sandbox.server.app import ApiServer, application
from mlscale.sandbox.server.clock import SimulatedClock
from mlscale.sandbox.server.listening import TlsServer
from mlscale.sandbox.tokens import Tokens
from mlscale.sandbox.verbs import Caller

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mlscale.sandbox.simulation import Simulation

Json = dict[str, Any]

NAME = "mlscale-sandbox"
"""Of the cluster, the context and the user in the kubeconfig."""
_HOST = "127.0.0.1"
_LONGEST_IDLE = 3600
"""Seconds that an idle connection is kept: kubectl does not repeat a PATCH on one that has just gone."""
_LONGEST_END = 5.0
"""Seconds that the end of the server is waited for."""
_SERVER = Caller("system:apiserver", "kube-apiserver", ("system:masters",))


@contextlib.contextmanager
def serving(simulation: Simulation, speed: float, seconds: Callable[[], float]) -> Iterator[Path]:
    """Serve ``simulation``, its time ``speed`` times as fast as the clock ``seconds``; the kubeconfig's path.

    Nothing is left of it afterwards: neither the file nor the thread.
    """
    add_first_roles(simulation)
    admin = secrets.token_urlsafe(32)
    tokens = Tokens(simulation.store, admin, secrets.token_bytes(32))
    clock = SimulatedClock(simulation.agenda.now, speed, seconds)
    with tempfile.TemporaryDirectory(prefix=f"{NAME}-") as folder, _listening() as listener:
        address = f"{_HOST}:{listener.getsockname()[1]}"
        authority = trustme.CA(organization_name=NAME)
        api = ApiServer(simulation, tokens, clock, seconds, address)
        server = TlsServer(_config(api, authority, Path(folder)))
        thread = threading.Thread(target=server.run, args=([listener],), name=NAME, daemon=True)
        path = Path(folder) / "kubeconfig"
        _write_private(path, json.dumps(kubeconfig(address, authority.cert_pem.bytes(), admin), indent=2))
        thread.start()
        try:
            yield path
        finally:
            api.bell.closing = True
            server.should_exit = True
            thread.join(_LONGEST_END)


def add_first_roles(simulation: Simulation) -> None:
    """Store the ClusterRoles that every cluster has, and their bindings."""
    resources = simulation.api.resources
    for role, binding in first_roles():
        simulation.api.create(resources[CLUSTERROLE.resource], "", role, _SERVER)
        if binding is not None:
            simulation.api.create(resources[CLUSTERROLEBINDING.resource], "", binding, _SERVER)


def kubeconfig(address: str, authority: bytes, token: str) -> Json:
    """The kubeconfig of the administrator; ``authority`` is the CA's certificate as PEM."""
    cluster = {"server": f"https://{address}", "certificate-authority-data": b64encode(authority).decode()}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": NAME, "cluster": cluster}],
        "users": [{"name": NAME, "user": {"token": token}}],
        "contexts": [{"name": NAME, "context": {"cluster": NAME, "user": NAME, "namespace": "default"}}],
        "current-context": NAME,
    }


def _listening() -> socket.socket:
    """A free port that takes connections at once, before the server has started."""
    # asyncio sends without delay only where the socket names its protocol: else each answer waits 40 ms for an ACK.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind((_HOST, 0))
    listener.listen(2048)
    listener.setblocking(False)
    return listener


def _config(api: ApiServer, authority: trustme.CA, folder: Path) -> uvicorn.Config:
    certificate = authority.issue_cert(_HOST, "localhost")
    key = folder / "tls.key"
    _write_private(key, certificate.private_key_and_cert_chain_pem.bytes().decode())
    return uvicorn.Config(
        application(api),
        ssl_certfile=key,
        ssl_keyfile=key,
        http="h11",
        ws="none",
        loop="asyncio",
        lifespan="on",
        log_config=None,
        log_level="critical",
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=_LONGEST_IDLE,
        timeout_graceful_shutdown=1,
    )


def _write_private(path: Path, text: str) -> None:
    """A file that only its owner may read, from the first byte on."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
