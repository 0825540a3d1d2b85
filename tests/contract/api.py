"""A few raw requests to the API server, to set up and to read what is stored without the programs under test."""

from __future__ import annotations

import http.client
import json
import ssl
from base64 import b64decode
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import yaml

if TYPE_CHECKING:
    from pathlib import Path

Json = dict[str, Any]


class Api:
    """One connection with the client certificate of a kubeconfig that holds it inline."""

    def __init__(self, kubeconfig: Path, folder: Path) -> None:
        config = yaml.safe_load(kubeconfig.read_text(encoding="utf-8"))
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        context = ssl.create_default_context(cadata=b64decode(cluster["certificate-authority-data"]).decode())
        context.load_cert_chain(
            _written(folder / "client.crt", user["client-certificate-data"]),
            _written(folder / "client.key", user["client-key-data"]),
        )
        server = urlsplit(cluster["server"])
        self._connection = http.client.HTTPSConnection(server.hostname or "", server.port, context=context, timeout=60)

    def call(self, method: str, path: str, body: Json | None = None, kind: str = "application/json") -> Json:
        """The answer as JSON; an answer of 400 or more fails the test with the server's words."""
        text = None if body is None else json.dumps(body)
        try:
            response = self._send(method, path, text, kind)
        except ConnectionError:
            # The server has closed it while other tests ran.
            self._connection.close()
            response = self._send(method, path, text, kind)
        answer: Json = json.loads(response.read())
        if response.status >= 400:
            raise AssertionError(f"{method} {path}: {response.status} {answer.get('message')}")
        return answer

    def _send(self, method: str, path: str, text: str | None, kind: str) -> http.client.HTTPResponse:
        self._connection.request(method, path, text, {"Content-Type": kind, "Accept": "application/json"})
        return self._connection.getresponse()

    def items(self, path: str) -> list[Json]:
        """The items of a list."""
        found: list[Json] = self.call("GET", path)["items"]
        return found

    def merge(self, path: str, body: Json) -> Json:
        """Merge-patch one object."""
        return self.call("PATCH", path, body, "application/merge-patch+json")


def _written(path: Path, encoded: str) -> str:
    path.touch(mode=0o600)
    path.write_bytes(b64decode(encoded))
    return str(path)
