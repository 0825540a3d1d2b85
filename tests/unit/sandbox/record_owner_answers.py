"""Do the writes of owner_cases on a real API server and write down who owns what then.

``python -m tests.unit.sandbox.record_owner_answers KUBECONFIG`` renews owner_answers.json. It works in a namespace of
its own, and objects of each kind are only tried (dryRun). The kubeconfig must hold its client certificate inline.
"""

from __future__ import annotations

import json
import secrets
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.unit.sandbox.owner_cases import CREATED, HISTORY, METADATA
from tests.unit.sandbox.record_patch_answers import Server

Json = dict[str, Any]

ANSWERS = Path(__file__).with_name("owner_answers.json")
_WEB: Json = {
    "metadata": {"name": "web"},
    "spec": {
        "replicas": 0,
        "paused": True,
        "selector": {"matchLabels": {"app": "x"}},
        "template": {"metadata": {"labels": {"app": "x"}}, "spec": {"containers": [{"name": "a", "image": "a:1"}]}},
    },
}


def created(server: Server, namespace: str) -> list[Json]:
    """An object of each kind as it would be stored."""
    objects = []
    for path, body in CREATED:
        body = json.loads(json.dumps(body).replace('"{}"', json.dumps(namespace)))
        body["metadata"] = {"name": f"x-{namespace}", **METADATA}
        objects.append(server.call("POST", f"{path.format(namespace)}?dryRun=All&fieldManager=creator", body))
    return objects


def history(server: Server, namespace: str) -> list[Json]:
    """Before and after each write, and the refusal where it was refused."""
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments"
    server.call("POST", f"{path}?fieldManager=creator", _WEB)
    steps = []
    for step in HISTORY:
        before = settled(server, f"{path}/web")
        query = f"fieldManager={step.manager}{'&force=true' if step.force else ''}"
        target = "/".join(part for part in (f"{path}/web", step.subresource) if part)
        code, answer = server.ask("PATCH", f"{target}?{query}", step.body, step.type)
        stored = answer if not step.subresource else server.call("GET", f"{path}/web")
        found = {"code": code, "before": before, **({"after": stored} if code < 300 else {"refusal": answer})}
        steps.append(found)
    return steps


def settled(server: Server, path: str) -> Json:
    """The object once its controller has seen the last write."""
    for _ in range(100):
        found = server.call("GET", path)
        time.sleep(0.05)
        seen = found.get("status", {}).get("observedGeneration")
        if seen == found["metadata"]["generation"] and server.call("GET", path) == found:
            return found
    raise TimeoutError(path)


def main(kubeconfig: Path) -> None:
    """Record all anew."""
    with tempfile.TemporaryDirectory() as folder:
        server, namespace = Server(kubeconfig, Path(folder)), f"owners-{secrets.token_hex(3)}"
        server.call("POST", "/api/v1/namespaces", {"metadata": {"name": namespace}})
        time.sleep(1)
        try:
            found = {"created": created(server, namespace), "history": history(server, namespace)}
        finally:
            server.call("DELETE", f"/api/v1/namespaces/{namespace}")
    lines = {part: ",\n".join(f"  {json.dumps(item)}" for item in items) for part, items in found.items()}
    body = ",\n".join(f' "{part}": [\n{text}\n ]' for part, text in lines.items())
    ANSWERS.write_text(f"{{\n{body}\n}}\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
