"""The connection to the API server, begun while the modules of the command line are still being imported.

TCP and TLS take two round trips in which a process has nothing to do; reading the command line takes as long as they
do where the server is 40 ms away. So a run that will need the server begins with them.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from mlscale.cli.argv import normalised
from mlscale.cli.session import PARALLEL, REQUEST_TIMEOUT
from mlscale.errors import MlscaleError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlscale.kube.access import Access, Overrides
    from mlscale.kube.transport import Transport

_VERBS = frozenset({"scale", "autoscale", "status", "recommend"})
_OTHERWISE = ("-h", "--help", "--parallel")
"""No connection is needed, or not one among so many."""


class Ahead:
    """A connection under way to the server of ``access``, which ``overrides`` chose."""

    def __init__(self, overrides: Overrides, access: Access, transport: Transport) -> None:
        self.overrides = overrides
        self.access = access
        self.transport = transport


def connect_ahead(arguments: Sequence[str]) -> Ahead | None:
    """Begin to connect to the server that ``arguments`` will need; None where that is not clear beyond doubt.

    What is wrong with them, with the kubeconfig or with the server is left to be found, and said, in its turn.
    """
    try:
        words = normalised(arguments)
        namespace = words[1] if words[:1] in (["-n"], ["--namespace"]) else None
        rest = words[2:] if namespace is not None else words
        if not rest or rest[0] not in _VERBS or any(word.startswith(_OTHERWISE) for word in rest):
            return None
        return _begun(namespace)
    except MlscaleError:
        return None


def _begun(namespace: str | None) -> Ahead | None:
    from mlscale.kube.access import Overrides
    from mlscale.kube.credentials import ExecCredentials
    from mlscale.kube.kubeconfig import read_access
    from mlscale.kube.transport import Transport

    overrides = Overrides(namespace=namespace)
    access = read_access(overrides, os.environ)
    # A plugin is run for the certificate that it may give, and may ask the user: not before a request is due.
    if isinstance(access.credentials, ExecCredentials):
        return None
    transport = Transport(access, timeout=REQUEST_TIMEOUT, connections=PARALLEL)
    transport.connect_ahead()
    return Ahead(overrides, access, transport)
