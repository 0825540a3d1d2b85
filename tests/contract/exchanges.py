"""Raw exchanges with the API: the same requests to a real control plane and to the sandbox, and both answers compared.

What no two runs have alike (uid, times, versions, ages, random names) is masked; everything else has to be equal:
the status code, the headers that clients read, and the whole body.
"""

from __future__ import annotations

import difflib
import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from tests.contract.masks import masked, parsed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.contract.api import Api, Reply

Json = dict[str, Any]

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
METADATA = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"
METADATA_LIST = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"
JSON, YAML = "application/json", "application/yaml"
MERGE, STRATEGIC = "application/merge-patch+json", "application/strategic-merge-patch+json"
JSON_PATCH, APPLY = "application/json-patch+json", "application/apply-patch+yaml"
PATIENCE = 30.0
"""Seconds that an answer is waited for which controllers bring about."""
_READ_HEADERS = ("content-type", "warning", "retry-after")


@dataclass(frozen=True)
class Send:
    """One request.

    In ``path`` and ``body``, {ns} is the namespace, and {version}, {uid} and {token} are the resourceVersion, uid and
    continue token of the last answer that had one.
    """

    method: str
    path: str
    body: Any = None
    """Sent as JSON; a text as it stands."""
    kind: str = JSON
    """Its media type."""
    accept: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)
    until: str = ""
    """Asked again until the answer holds this text, at most 30 s: of what controllers bring about."""


@dataclass(frozen=True)
class Case:
    """Requests in order; without ``differs`` both sides answer each of them alike."""

    name: str
    sends: tuple[Send, ...]
    differs: str = ""
    """The heading of docs/reference/sandbox.md, as an anchor, that says how the sandbox differs here."""


def case(name: str, *sends: Send, differs: str = "") -> Case:
    """A case, briefly."""
    return Case(name, sends, differs)


def get(path: str, accept: str = JSON, **more: Any) -> Send:
    """A GET."""
    return Send("GET", path, accept=accept, **more)


def post(path: str, body: Any, **more: Any) -> Send:
    """A POST."""
    return Send("POST", path, body, **more)


def put(path: str, body: Any, **more: Any) -> Send:
    """A PUT."""
    return Send("PUT", path, body, **more)


def patch(path: str, body: Any, kind: str = MERGE, **more: Any) -> Send:
    """A PATCH."""
    return Send("PATCH", path, body, kind, **more)


def delete(path: str, body: Any = None, **more: Any) -> Send:
    """A DELETE."""
    return Send("DELETE", path, body, **more)


class Player:
    """Sends the requests of cases to one side."""

    def __init__(self, api: Api, namespace: str) -> None:
        self._api = api
        self._known = {"ns": namespace}

    def play(self, one: Case) -> list[Reply]:
        """The replies. What was created is deleted again, as if nobody held it."""
        made: list[str] = []
        try:
            return [self._reply(send, made) for send in one.sends]
        finally:
            for path in reversed(made):
                self._sent(Send("DELETE", path, {"gracePeriodSeconds": 0, "propagationPolicy": "Background"}))

    def send(self, send: Send, seconds: float = PATIENCE) -> Reply:
        """The reply to one request, whatever it leaves behind; ``seconds`` that its ``until`` may take."""
        return self._reply(send, [], seconds)

    def filled(self, text: str) -> str:
        """``text`` of a path with what the answers so far have told."""
        return self._filled(text, escaped=True)

    def _reply(self, send: Send, made: list[str], seconds: float = PATIENCE) -> Reply:
        reply = self._sent(send)
        deadline = time.monotonic() + seconds
        while send.until and send.until not in reply.text and time.monotonic() < deadline:
            time.sleep(0.02)
            reply = self._sent(send)
        answer = parsed(reply)
        if isinstance(answer, dict):
            self._learn(answer)
            if reply.status == 201 and "dryRun" not in send.path and "reviews" not in send.path:
                made.append(self._path_of(send, answer))
        return reply

    def _path_of(self, send: Send, answer: Json) -> str:
        """Of what ``send`` has created: the answer may be a Table."""
        path = self._filled(send.path.partition("?")[0])
        name = answer.get("metadata", {}).get("name") or send.body["metadata"]["name"]
        return path if send.method != "POST" else f"{path}/{name}"

    def _learn(self, answer: Json) -> None:
        metadata = answer.get("metadata") or {}
        names = {"resourceVersion": "version", "uid": "uid", "continue": "token"}
        self._known |= {short: metadata[name] for name, short in names.items() if metadata.get(name)}

    def _sent(self, send: Send) -> Reply:
        text = send.body if isinstance(send.body, str) or send.body is None else json.dumps(send.body)
        headers = {"Accept": send.accept, **({"Content-Type": send.kind} if text is not None else {}), **send.headers}
        path = self._filled(send.path, escaped=True)
        return self._api.exchange(send.method, path, text and self._filled(text), headers)

    def _filled(self, text: str, *, escaped: bool = False) -> str:
        for name, value in self._known.items():
            text = text.replace(f"{{{name}}}", quote(value) if escaped else value)
        return text


def told(reply: Reply, namespace: str) -> Json:
    """What of a reply has to be alike on both sides."""
    headers = {name: reply.header(name) for name in _READ_HEADERS if reply.header(name)}
    return {"status": reply.status, "headers": headers, "body": masked(parsed(reply), namespace)}


def difference(sends: Sequence[Send], sides: Sequence[Sequence[Json]]) -> str:
    """Each request whose answers are not alike, with the lines in which they differ; empty where all are."""
    said = []
    for send, theirs, ours in zip(sends, *sides, strict=True):
        if theirs != ours:
            texts = [json.dumps(one, indent=1, sort_keys=True).splitlines() for one in (theirs, ours)]
            lines = difflib.unified_diff(texts[0], texts[1], "control plane", "sandbox", lineterm="")
            said.append("\n".join([f"{send.method} {send.path} {json.dumps(send.body)}", *lines]))
    return "\n\n".join(said)
