"""A few raw requests to the API server, to set up and to read what is stored without the programs under test."""

from __future__ import annotations

import http.client
import json
import ssl
from base64 import b64decode
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

Json = dict[str, Any]


@dataclass(frozen=True)
class Reply:
    """What the server answered to one request."""

    status: int
    headers: tuple[tuple[str, str], ...]
    """Names in lower case."""
    text: str

    def header(self, name: str) -> list[str]:
        """The values of a header, whose name is in lower case."""
        return [value for key, value in self.headers if key == name]


class Api:
    """One connection with the client certificate or the token of a kubeconfig that holds it inline."""

    def __init__(self, kubeconfig: Path, folder: Path, *, anonymous: bool = False) -> None:
        """With ``anonymous`` it shows no credentials."""
        config = yaml.safe_load(kubeconfig.read_text(encoding="utf-8"))
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        user = {} if anonymous else user
        context = ssl.create_default_context(cadata=b64decode(cluster["certificate-authority-data"]).decode())
        if "client-certificate-data" in user:
            context.load_cert_chain(
                _written(folder / "client.crt", user["client-certificate-data"]),
                _written(folder / "client.key", user["client-key-data"]),
            )
        self._credentials = {"Authorization": f"Bearer {user['token']}"} if "token" in user else {}
        server = urlsplit(cluster["server"])
        self._host, self._port, self._context = server.hostname or "", server.port, context
        self._connection = http.client.HTTPSConnection(self._host, self._port, context=context, timeout=60)

    def call(self, method: str, path: str, body: Json | None = None, kind: str = "application/json") -> Json:
        """The answer as JSON; an answer of 400 or more fails the test with the server's words."""
        text = None if body is None else json.dumps(body)
        reply = self.exchange(method, path, text, {"Content-Type": kind, "Accept": "application/json"})
        answer: Json = json.loads(reply.text)
        if reply.status >= 400:
            raise AssertionError(f"{method} {path}: {reply.status} {answer.get('message')}")
        return answer

    def exchange(self, method: str, path: str, text: str | None, headers: Mapping[str, str]) -> Reply:
        """One request as it stands, and the whole answer."""
        try:
            return self._send(method, path, text, headers)
        except (ConnectionError, http.client.BadStatusLine):
            # The server has closed it while other tests ran.
            self._connection.close()
            return self._send(method, path, text, headers)

    def _send(self, method: str, path: str, text: str | None, headers: Mapping[str, str]) -> Reply:
        self._connection.request(method, path, text, {**self._credentials, **headers})
        response = self._connection.getresponse()
        answered = tuple((name.lower(), value) for name, value in response.getheaders())
        return Reply(response.status, answered, response.read().decode())

    @contextmanager
    def opened(self, path: str, headers: Mapping[str, str]) -> Iterator[Iterator[str]]:
        """The lines of an answer that goes on, on a connection of its own; at most 60 s pass between two."""
        connection = http.client.HTTPSConnection(self._host, self._port, context=self._context, timeout=60)
        try:
            connection.request("GET", path, headers={**self._credentials, **headers})
            response = connection.getresponse()
            assert response.status == 200, response.read()
            yield (line.decode() for line in response)
        finally:
            connection.close()

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
