"""Send the objects of rule_cases to a real API server and write its answers down for the tests.

``python -m tests.unit.sandbox.record_rule_answers KUBECONFIG`` renews rule_answers.json. It works in namespaces of
its own, with dry runs only but for the objects that are updated. The kubeconfig must hold its client certificate
inline.
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
from tests.unit.sandbox.rule_base import BOUNDED, GONE, LIMITED, PLAIN, Case
from tests.unit.sandbox.rule_cases import CASES
from tests.unit.sandbox.rule_objects import LIMIT_RANGES, QUOTAS

Json = dict[str, Any]

ANSWERS = Path(__file__).with_name("rule_answers.json")
_DRAWN = ("clusterIP", "clusterIPs", "nodePort")


class Server(Api):
    """One connection whose refusals are answers too."""

    def ask(self, method: str, path: str, body: Any) -> tuple[int, Json]:
        """Status code and body."""
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        reply = self.exchange(method, path, json.dumps(body), headers)
        return reply.status, json.loads(reply.text)


def essence(answer: Json) -> Json:
    """Of a refusal its code, message and causes; of an object what is in it but what was drawn for it alone."""
    if answer.get("kind") == "Status":
        refusal = {key: answer[key] for key in ("code", "reason", "message", "details") if key in answer}
        undiffed: Json = _without_difference(refusal)
        return undiffed
    metadata = answer["metadata"]
    kept = {key: metadata[key] for key in ("labels", "annotations") if metadata.get(key)}
    uid = metadata.get("uid") or "no uid"
    rest = {key: value for key, value in answer.items() if key not in ("metadata", "status", "kind", "apiVersion")}
    plain: Json = _undrawn({"metadata": kept, **rest}, uid)
    return plain


def _without_difference(value: Any) -> Any:
    """A refused change of a pod shows how Go's internal structs differ; the sandbox shows it in the API's names."""
    if isinstance(value, dict):
        return {key: _without_difference(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_difference(item) for item in value]
    return value.partition("\n@@")[0] if isinstance(value, str) else value


def _undrawn(value: Any, uid: str) -> Any:
    if isinstance(value, dict):
        return {key: "drawn" if key in _DRAWN else _undrawn(item, uid) for key, item in value.items()}
    if isinstance(value, list):
        return [_undrawn(item, uid) for item in value]
    if isinstance(value, str) and value.startswith("kube-api-access-"):
        return "kube-api-access"
    return value.replace(uid, "the-uid") if isinstance(value, str) else value


def settle(server: Server, names: dict[str, str]) -> None:
    """Create the namespaces with what is in them."""
    for key, name in names.items():
        if key != GONE:
            server.call("POST", "/api/v1/namespaces", {"metadata": {"name": name}})
    for limit_range in LIMIT_RANGES:
        server.call("POST", f"/api/v1/namespaces/{names[LIMITED]}/limitranges", limit_range)
    # The default service accounts and the root certificates, which a quota counts as config maps.
    time.sleep(2)
    for quota in QUOTAS:
        server.call("POST", f"/api/v1/namespaces/{names[BOUNDED]}/resourcequotas", quota)
    time.sleep(2)


def answer(server: Server, case: Case, namespace: str) -> Json:
    """What the server says to one case; an updated object is stored first, and gone afterwards."""
    path = case.kind.path(namespace)
    if case.before is None:
        return server.ask("POST", f"{path}?dryRun=All", case.body)[1]
    name = case.before["metadata"]["name"]
    server.call("POST", path, case.before)
    try:
        return server.ask("PUT", f"{path}/{name}?dryRun=All", case.body)[1]
    finally:
        server.ask("DELETE", f"{path}/{name}", {"gracePeriodSeconds": 0, "propagationPolicy": "Background"})


def record(server: Server) -> Json:
    """The answer to each case, with the namespaces called by their keys."""
    suffix = secrets.token_hex(3)
    names = {key: f"mlscale-rules-{key}-{suffix}" for key in (PLAIN, LIMITED, BOUNDED, GONE)}
    settle(server, names)
    try:
        answers = {case.name: essence(answer(server, case, names[case.namespace])) for case in CASES}
    finally:
        for key, name in names.items():
            if key != GONE:
                server.ask("DELETE", f"/api/v1/namespaces/{name}", {})
    text = json.dumps(answers)
    for key, name in names.items():
        text = text.replace(name, key)
    found: Json = json.loads(text)
    return found


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        answers = record(Server(Path(sys.argv[1]), Path(folder)))
    lines = [f"  {json.dumps(name)}: {json.dumps(found)}" for name, found in answers.items()]
    ANSWERS.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
