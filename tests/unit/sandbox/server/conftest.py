"""A served cluster that has no controllers: only what is written is there."""

from __future__ import annotations

import http.client
import json
import ssl
import time
from base64 import b64decode
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import pytest

from mlscale.sandbox.server.serving import serving
from tests.unit.sandbox.api_objects import new_api

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from mlscale.sandbox.simulation import Simulation
    from mlscale.sandbox.verbs import Api

Json = dict[str, Any]


class Still:
    """What the server needs of a simulation, with an API and nothing that acts."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.store = api.store
        self.agenda = api.agenda
        self.settled = 0

    def advance(self, to: datetime) -> None:
        self.agenda.advance(to)

    def settle(self) -> None:
        self.settled += 1


@dataclass(frozen=True)
class Reply:
    status: int
    headers: http.client.HTTPMessage
    raw: bytes

    @property
    def body(self) -> Json:
        body: Json = json.loads(self.raw)
        return body


class Client:
    """Requests to the served cluster, each on a connection of its own."""

    def __init__(self, kubeconfig: Path) -> None:
        config = json.loads(kubeconfig.read_text(encoding="utf-8"))
        cluster = config["clusters"][0]["cluster"]
        authority = b64decode(cluster["certificate-authority-data"]).decode()
        self.kubeconfig = kubeconfig
        self.context = ssl.create_default_context(cadata=authority)
        self.address = cluster["server"].removeprefix("https://")
        self.token = config["users"][0]["user"]["token"]

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        with self.opened(method, path, body, **headers) as response:
            return Reply(response.status, response.headers, response.read())

    @contextmanager
    def opened(self, method: str, path: str, body: Any = None, **headers: str) -> Iterator[http.client.HTTPResponse]:
        """The response with its body unread. Header names have ``_`` for ``-``; ``Authorization=""`` sends none."""
        connection = http.client.HTTPSConnection(self.address, context=self.context, timeout=10)
        sent = {"Authorization": f"Bearer {self.token}", "User-Agent": "probe/1"}
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body)
            sent["Content-Type"] = "application/json"
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            connection.request(method, path, body, {name: value for name, value in sent.items() if value})
            yield connection.getresponse()
        finally:
            connection.close()


@pytest.fixture(scope="module")
def still() -> Still:
    return Still(new_api())


@pytest.fixture(scope="module")
def call(still: Still) -> Iterator[Client]:
    with serving(cast("Simulation", still), 1, time.monotonic) as kubeconfig:
        yield Client(kubeconfig)
