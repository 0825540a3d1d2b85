"""Ask a real API server for the rows of many objects and write them down for the tests of tables.

``python -m tests.unit.sandbox.record_table_rows KUBECONFIG`` renews table_rows.json, after comparing each row
with the one that is rendered here. It works in a namespace of its own, and what is not namespaced is only tried
(dryRun), but for one CustomResourceDefinition. The kubeconfig must hold its client certificate inline.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mlscale.kube.kinds import Kind
from mlscale.sandbox import resources
from mlscale.sandbox.resources import DEFINITIONS, SERVED, Resource
from mlscale.sandbox.tables import render_table
from tests.contract.api import Api
from tests.unit.sandbox import table_autoscalers, table_objects, table_pods

Json = dict[str, Any]

ROWS = Path(__file__).with_name("table_rows.json")
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
TRIED = "dryRun=All"
NOISE = frozenset(
    {
        *("managedFields", "uid", "resourceVersion", "generation", "annotations", "selfLink", "observedGeneration"),
        *(
            "terminationMessagePath",
            "terminationMessagePolicy",
            "imagePullPolicy",
            "resources",
            "containerID",
            "imageID",
        ),
        *("dnsPolicy", "securityContext", "schedulerName", "tolerations", "terminationGracePeriodSeconds", "qosClass"),
        *("automountServiceAccountToken", "enableServiceLinks", "preemptionPolicy", "priority", "serviceAccount"),
        *("serviceAccountName", "sessionAffinity", "internalTrafficPolicy", "ipFamilies", "ipFamilyPolicy", "strategy"),
        *("updateStrategy", "behavior", "lastTransitionTime", "lastProbeTime", "daemonEndpoints", "targetPort"),
    }
)
"""Fields that no row is made of; left out to keep the file small."""
BY_RESOURCE = {resource.key: resource for resource in SERVED}


class TableApi(Api):
    """One connection that can ask for tables."""

    def table(self, method: str, path: str, body: Json | None = None) -> Json:
        """The table that the answer is."""
        table: Json = json.loads(self._read(method, path, body))
        return table

    def events(self, path: str) -> list[Json]:
        """The events of a watch, as tables, until the server ends it."""
        return [json.loads(line) for line in self._read("GET", path).splitlines()]

    def _read(self, method: str, path: str, body: Json | None = None) -> bytes:
        kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
        headers = {"Content-Type": kind, "Accept": TABLE}
        self._connection.request(method, path, json.dumps(body) if body else None, headers)
        response = self._connection.getresponse()
        text = response.read()
        if response.status >= 400:
            raise AssertionError(f"{method} {path}: {response.status} {text.decode()}")
        return text


class Recorder:
    """What has been compared so far."""

    def __init__(self, api: TableApi) -> None:
        self.api = api
        self.namespace = f"tables-{random.SystemRandom().randrange(16**6):06x}"
        self.columns: dict[str, Json] = {}
        self.rows: list[Json] = []
        self.differences = 0

    def ask(self, resource: Resource, method: str, path: str, body: Json | None = None) -> None:
        """Have the server answer with a table that holds the objects, and note its rows."""
        separator = "&" if "?" in path else "?"
        before = datetime.now(UTC)
        table = self.api.table(method, f"{path}{separator}includeObject=Object", body)
        self.note(resource, table, before, datetime.now(UTC))

    def note(self, resource: Resource, table: Json, before: datetime, after: datetime) -> None:
        for row in table["rows"] or []:
            row["object"] = _quiet(row["object"])
            now = next((at for at in (before, after) if _rendered(resource, row["object"], at) == _told(row)), None)
            if now is None:
                self.differences += 1
                mine = _rendered(resource, row["object"], before)
                print(f"DIFFERENT {resource.key} {row['cells']}\n  {_told(row)}\n  {mine}")
            self.rows.append({"resource": resource.key, "now": (now or before).isoformat(), **row})

    def create(self, resource: Resource, objects: list[Json], query: str = "") -> None:
        """Create each, and where it has a status and may have one, write that; the last answer is noted."""
        path = resource.kind.path(self.namespace)
        for obj in objects:
            body = {"apiVersion": resource.kind.api_version, "kind": resource.kind.kind, **obj}
            if query or "status" not in obj:
                self.ask(resource, "POST", f"{path}?{query}", body)
                continue
            self.api.call("POST", path, body)
            self.status(resource, obj["metadata"]["name"], obj["status"])

    def status(self, resource: Resource, name: str, status: Json) -> None:
        """Try a status on an object, over what a controller may have written, and note its row."""
        self.ask(resource, "PATCH", f"{resource.kind.path(self.namespace, name, 'status')}?{TRIED}", {"status": status})


def _quiet(value: Any) -> Any:
    """``value`` without the noise, at any depth."""
    if isinstance(value, dict):
        return {key: _quiet(each) for key, each in value.items() if key not in NOISE}
    return [_quiet(each) for each in value] if isinstance(value, list) else value


def _told(row: Json) -> Json:
    return {key: row.get(key) for key in ("cells", "conditions")}


def _rendered(resource: Resource, obj: Json, now: datetime) -> Json:
    return _told(render_table(resource, [obj], now)["rows"][0])


def record(recorder: Recorder) -> None:
    clock = table_objects.Clock(datetime.now(UTC))
    served, namespace = BY_RESOURCE, recorder.namespace
    api = recorder.api
    for resource in SERVED:
        _columns(recorder, resource)
    api.call("POST", "/api/v1/namespaces", {"metadata": {"name": namespace}})
    time.sleep(1)
    pods = served["pods"]
    recorder.create(pods, table_pods.pods(clock))
    _deleted(recorder, pods, table_pods.deleted_pods())
    for key, make in table_objects.BY_RESOURCE.items():
        recorder.create(served[key], make(clock))
    recorder.create(served["horizontalpodautoscalers.autoscaling"], table_autoscalers.autoscalers())
    tried = {
        "nodes": table_objects.nodes(),
        "events": table_objects.events(clock, namespace),
        "configmaps": table_objects.configmaps(),
        "serviceaccounts": [{"metadata": {"name": "plain"}}],
        "limitranges": [{"metadata": {"name": "plain"}, "spec": {"limits": []}}],
        "roles.rbac.authorization.k8s.io": [{"metadata": {"name": "plain"}, "rules": []}],
        "clusterroles.rbac.authorization.k8s.io": [{"metadata": {"name": "tables-plain"}, "rules": []}],
        "rolebindings.rbac.authorization.k8s.io": table_objects.bindings("Role"),
        "clusterrolebindings.rbac.authorization.k8s.io": table_objects.bindings("ClusterRole"),
    }
    for key, objects in tried.items():
        recorder.create(served[key], objects, TRIED)
    recorder.ask(served["namespaces"], "GET", f"/api/v1/namespaces/{namespace}")
    for key in ("pods.metrics.k8s.io", "nodes.metrics.k8s.io"):
        recorder.ask(served[key], "GET", f"{served[key].kind.path(None)}?limit=2")
    _custom(recorder)
    for resource in SERVED:
        if "watch" in resource.verbs:
            _bookmark(recorder, resource)


def _columns(recorder: Recorder, resource: Resource) -> None:
    """The columns of an empty list, or of any where the kind has the columns of what is in it."""
    path = resource.kind.path(None)
    measured = resource.kind.group == resources.PODMETRICS.group
    table = recorder.api.table("GET", path if measured else f"{path}?labelSelector=nothing%3Dthis")
    kept = ("name", "type", "format", "priority")
    columns = [{key: column[key] for key in kept} for column in table["columnDefinitions"]]
    recorder.columns[resource.key] = {"columns": columns, "rows": "of objects" if measured else table["rows"]}


def _deleted(recorder: Recorder, pods: Resource, objects: list[Json]) -> None:
    for obj in objects:
        path = pods.kind.path(recorder.namespace, obj["metadata"]["name"])
        recorder.api.call("POST", pods.kind.path(recorder.namespace), obj)
        recorder.api.call("DELETE", path)
        recorder.status(pods, obj["metadata"]["name"], obj["status"])
        recorder.api.merge(path, {"metadata": {"finalizers": None}})


def _custom(recorder: Recorder) -> None:
    """A custom resource without columns of its own, of a definition that is there for a moment only."""
    group = f"{recorder.namespace}.example.com"
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    version = {"name": "v1", "served": True, "storage": True, "schema": schema}
    names = {"kind": "Model", "plural": "models", "singular": "model", "listKind": "ModelList"}
    spec = {"group": group, "names": names, "scope": "Namespaced", "versions": [version]}
    body = {"metadata": {"name": f"models.{group}"}, "spec": spec}
    path = DEFINITIONS.kind.path(None)
    models = Resource(Kind(group, "v1", "Model", "models"))
    recorder.ask(
        DEFINITIONS, "POST", path, {"apiVersion": "apiextensions.k8s.io/v1", "kind": DEFINITIONS.kind.kind, **body}
    )
    try:
        _wait_until_served(recorder, models)
        _columns(recorder, models)
        recorder.create(models, [{"metadata": {"name": "plain"}, "spec": {"a": 1}}], TRIED)
    finally:
        recorder.api.call("DELETE", f"{path}/models.{group}")


def _wait_until_served(recorder: Recorder, resource: Resource) -> None:
    """The server answers 404, then 429, until it has taken the definition in."""
    path = resource.kind.path(recorder.namespace)
    for _ in range(30):
        try:
            recorder.api.table("GET", path)
        except AssertionError:
            time.sleep(1)
        else:
            return
    raise TimeoutError(path)


def _bookmark(recorder: Recorder, resource: Resource) -> None:
    """The row of the bookmark that ends the first events of a watch: of an object with nothing in it."""
    query = "watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
    path = f"{resource.kind.path(None)}?{query}&labelSelector=nothing%3Dthis&timeoutSeconds=1&includeObject=Object"
    before = datetime.now(UTC)
    events = recorder.api.events(path)
    tables = [event["object"] for event in events if event["type"] == "BOOKMARK"]
    recorder.note(resource, tables[0], before, datetime.now(UTC))


def write(recorder: Recorder) -> None:
    """One row a line."""
    columns = ",\n".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in recorder.columns.items())
    rows = ",\n".join(json.dumps(row) for row in recorder.rows)
    text = f'{{"columns": {{\n{columns}\n}},\n"rows": [\n{rows}\n]}}\n'
    ROWS.write_text(text.replace(recorder.namespace, "tables"), encoding="utf-8")


def main(kubeconfig: Path) -> int:
    with tempfile.TemporaryDirectory() as folder:
        api = TableApi(kubeconfig, Path(folder))
        recorder = Recorder(api)
        try:
            record(recorder)
        finally:
            api.call("DELETE", f"/api/v1/namespaces/{recorder.namespace}")
        recorder.ask(BY_RESOURCE["namespaces"], "GET", f"/api/v1/namespaces/{recorder.namespace}")
    write(recorder)
    print(f"{len(recorder.rows)} rows, {recorder.differences} different")
    return 1 if recorder.differences else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
