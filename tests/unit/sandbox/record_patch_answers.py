"""Send the patches of patch_cases to a real API server and write its answers down for the tests.

``python -m tests.unit.sandbox.record_patch_answers KUBECONFIG`` renews patch_answers.json. It works in a namespace of
its own. The kubeconfig must hold its client certificate inline.
"""

from __future__ import annotations

import json
import secrets
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.contract.api import Api
from tests.unit.sandbox.patch_cases import CASES, CREATED, PAST, PLURALS

Json = dict[str, Any]

ANSWERS = Path(__file__).with_name("patch_answers.json")


class Server(Api):
    """One connection whose refusals are answers too."""

    def ask(self, method: str, path: str, body: Any, kind: str = "application/json") -> tuple[int, Json]:
        """Status code and body."""
        reply = self.exchange(method, path, json.dumps(body), {"Content-Type": kind, "Accept": "application/json"})
        return reply.status, json.loads(reply.text)


def timeless(entries: list[Json]) -> list[Json]:
    """managedFields without times, in an order that does not hang on them."""
    plain = [{key: value for key, value in entry.items() if key != "time"} for entry in entries]
    return sorted(plain, key=lambda entry: json.dumps(entry, sort_keys=True))


def essence(answer: Json, live: Json) -> Json:
    """Of an object what a patch may change; managedFields that it did not change only by their place in ``live``."""
    metadata = answer["metadata"]
    known = timeless(live["metadata"]["managedFields"])
    entries = timeless(metadata.get("managedFields", []))
    kept = {key: metadata[key] for key in ("annotations", "finalizers", "labels") if metadata.get(key)}
    owners = [known.index(entry) if entry in known else entry for entry in entries]
    return {"metadata": kept, "spec": answer["spec"], "owners": owners}


def record(server: Server, namespace: str) -> Json:
    """The objects as they were, and the answer to each case."""
    paths = {name: f"/{plural.format(namespace)}" for name, plural in PLURALS.items()}
    for name, body in CREATED.items():
        server.call("POST", f"{paths[name]}?fieldManager=creator", body)
    for past in PAST:
        server.ask("PATCH", f"{paths[past.target]}/{past.target}?fieldManager={past.manager}", past.body, past.type)
    # The controllers have then written their statuses.
    time.sleep(2)
    live = {name: server.call("GET", f"{path}/{name}") for name, path in paths.items()}
    answers = {}
    for case in CASES:
        query = f"dryRun=All&fieldManager={case.manager}{'&force=true' if case.force else ''}"
        code, answer = server.ask("PATCH", f"{paths[case.target]}/{case.target}?{query}", case.body, case.type)
        answers[case.name] = {"code": code, **(essence(answer, live[case.target]) if code < 300 else {"body": answer})}
    return {"live": live, "answers": answers}


def rendered(found: Json) -> str:
    """One answer a line."""
    lines = [f"  {json.dumps(name)}: {json.dumps(answer)}" for name, answer in found["answers"].items()]
    live = [f"  {json.dumps(name)}: {json.dumps(obj)}" for name, obj in found["live"].items()]
    return '{\n "live": {\n' + ",\n".join(live) + '\n },\n "answers": {\n' + ",\n".join(lines) + "\n }\n}\n"


def main(kubeconfig: Path) -> None:
    """Record all anew."""
    with tempfile.TemporaryDirectory() as folder:
        server, namespace = Server(kubeconfig, Path(folder)), f"patches-{secrets.token_hex(3)}"
        server.call("POST", "/api/v1/namespaces", {"metadata": {"name": namespace}})
        try:
            ANSWERS.write_text(rendered(record(server, namespace)), encoding="utf-8")
        finally:
            web = f"/{PLURALS['web'].format(namespace)}/web"
            server.merge(web, {"metadata": {"finalizers": None}})
            server.call("DELETE", f"/api/v1/namespaces/{namespace}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
