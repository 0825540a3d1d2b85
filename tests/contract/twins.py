"""Two namespaces with the same objects: one for kubectl, one for mlscale, brought back to equal state for each line."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.cluster import access, manifests
from tests.contract.api import Api

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

Json = dict[str, Any]

GROUP = "contract.example.com"
REPLICAS = {
    "deployment.apps/api": 1,
    "deployment.apps/huge": 0,
    "deployment.apps/noreq": 1,
    "deployment.apps/web": 2,
    "statefulset.apps/db": 1,
    "replicaset.apps/plainrs": 1,
    "replicationcontroller/oldrc": 1,
    f"served.{GROUP}/m1": 1,
}
"""What every line starts from, unless its case says otherwise."""

_PLURALS = {
    "deployment.apps": "/apis/apps/v1/namespaces/{}/deployments",
    "statefulset.apps": "/apis/apps/v1/namespaces/{}/statefulsets",
    "replicaset.apps": "/apis/apps/v1/namespaces/{}/replicasets",
    "replicationcontroller": "/api/v1/namespaces/{}/replicationcontrollers",
    f"served.{GROUP}": f"/apis/{GROUP}/v1/namespaces/{{}}/serveds",
}
_HPAS = "/apis/autoscaling/v2/namespaces/{}/horizontalpodautoscalers"


@dataclass(frozen=True)
class State:
    """What is stored in a namespace: replicas by printed name, the HPAs by name."""

    replicas: Mapping[str, int]
    hpas: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True)
class Ran:
    """What a program said and what is stored after it."""

    stdout: str
    stderr: str
    exit_code: int
    state: State


@dataclass(frozen=True)
class Twin:
    """One of the two namespaces, and the program that acts in it."""

    namespace: str
    program: tuple[str, ...]
    environment: Mapping[str, str]


class Twins:
    """Runs the same line with kubectl and with mlscale, each in its own namespace of equal content."""

    def __init__(self, cluster: access.Cluster, folder: Path, name: str) -> None:
        self.cluster = cluster
        self.folder = folder
        self.api = Api(cluster.kubeconfig, folder)
        programs = ((str(cluster.kubectl_path),), (sys.executable, "-m", "mlscale"))
        self.twins = tuple(self._twin(f"{name}-{side}", program) for side, program in zip("km", programs, strict=True))
        self._create()

    def close(self) -> None:
        """Delete both namespaces without waiting."""
        self.cluster.kubectl("delete", "namespace", *[twin.namespace for twin in self.twins], "--wait=false")

    def reset(self, replicas: Mapping[str, int], hpas: Sequence[Json] = ()) -> None:
        """Bring both namespaces to REPLICAS changed by ``replicas``, with ``hpas`` and no others."""
        wanted = {**REPLICAS, **replicas}
        for twin in self.twins:
            if self._hpas(twin.namespace):
                self.api.call("DELETE", _HPAS.format(twin.namespace))
            now = self._replicas(twin.namespace)
            for name, count in wanted.items():
                if now[name] != count:
                    kind, _, bare = name.partition("/")
                    self.api.merge(f"{_PLURALS[kind].format(twin.namespace)}/{bare}", {"spec": {"replicas": count}})
            for hpa in hpas:
                self.api.call("POST", f"{_HPAS.format(twin.namespace)}?fieldManager=kubectl-autoscale", hpa)

    def run(self, line: str, stdin: str | None = None, environment: Mapping[str, str] | None = None) -> list[Ran]:
        """``line`` by kubectl and by mlscale, side by side.

        ``{ns}`` in it is the program's own namespace, ``{version}`` the resource version of served/m1 there.
        """
        started = [self._started(twin, line, stdin is not None, environment or {}) for twin in self.twins]
        said = [process.communicate(stdin, timeout=60) for process in started]
        return [
            Ran(out, err, process.returncode, self.state(twin.namespace))
            for twin, process, (out, err) in zip(self.twins, started, said, strict=True)
        ]

    def state(self, namespace: str) -> State:
        """What is stored."""
        return State(self._replicas(namespace), self._hpas(namespace))

    def _twin(self, namespace: str, program: tuple[str, ...]) -> Twin:
        kubeconfig = access.kubeconfig_for_namespace(self.cluster, namespace, self.folder / f"{namespace}.yaml")
        return Twin(namespace, program, self.cluster.environment(kubeconfig))

    def _started(self, twin: Twin, line: str, reads: bool, environment: Mapping[str, str]) -> subprocess.Popen[str]:
        if "{version}" in line:
            served = self.api.call("GET", f"{_PLURALS[f'served.{GROUP}'].format(twin.namespace)}/m1")
            line = line.replace("{version}", served["metadata"]["resourceVersion"])
        words = shlex.split(line.replace("{ns}", twin.namespace))
        return subprocess.Popen(
            [*twin.program, *words],
            cwd=self.folder,
            env={**twin.environment, **environment},
            stdin=subprocess.PIPE if reads else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def _create(self) -> None:
        self.cluster.apply(served_definition())
        self.cluster.kubectl("wait", "--for=condition=Established", f"crd/serveds.{GROUP}", "--timeout=30s")
        for name, objects in files().items():
            body = {"apiVersion": "v1", "kind": "List", "items": objects}
            (self.folder / name).parent.mkdir(exist_ok=True)
            (self.folder / name).write_text(json.dumps(body if len(objects) > 1 else objects[0]), encoding="utf-8")
        namespaces = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": t.namespace}} for t in self.twins]
        self.cluster.apply(namespaces)
        access.kubeconfig_for_namespace(self.cluster, "default", self.folder / "admin.yaml")
        for twin in self.twins:
            own = {**workloads()[0], "metadata": {"name": "web", "namespace": twin.namespace}}
            (self.folder / f"{twin.namespace}.json").write_text(json.dumps(own), encoding="utf-8")
            wait = ("wait", "--for=create", "serviceaccount/default", "--timeout=30s")
            self.cluster.kubectl(*wait, "-n", twin.namespace)
            self.cluster.kubectl("create", "-n", twin.namespace, "-f", str(self.folder / "all.json"))
            self.cluster.kubectl("create", "-n", twin.namespace, "-f", str(self.folder / "served.json"))

    def _replicas(self, namespace: str) -> dict[str, int]:
        return {
            f"{kind}/{item['metadata']['name']}": item["spec"]["replicas"]
            for kind, path in _PLURALS.items()
            for item in self.api.items(path.format(namespace))
            if f"{kind}/{item['metadata']['name']}" in REPLICAS
        }

    def _hpas(self, namespace: str) -> dict[str, Json]:
        return {item["metadata"]["name"]: _stored(item) for item in self.api.items(_HPAS.format(namespace))}


def _stored(hpa: Json) -> Json:
    """An HPA without what every write makes anew, and without its owner: the field manager differs by design."""
    kept = ("labels", "annotations", "ownerReferences")
    return {"spec": hpa["spec"], **{key: hpa["metadata"][key] for key in kept if key in hpa["metadata"]}}


def served_definition() -> Json:
    """A custom resource with a scale subresource and a short name."""
    names = {"kind": "Served", "listKind": "ServedList", "plural": "serveds", "singular": "served"}
    definition = manifests.custom_resource_definition("Served")
    definition["metadata"]["name"] = f"serveds.{GROUP}"
    definition["spec"]["group"] = GROUP
    definition["spec"]["names"] = {**names, "shortNames": ["srvd"]}
    return definition


def workloads() -> list[Json]:
    """Workloads of every built-in kind that scales, and of some that do not; none of these needs a node of its own."""
    web = manifests.deployment("web", 2, requests={"cpu": "500m"})
    api = manifests.deployment("api", 1, requests={"cpu": "500m", "memory": "128Mi"})
    for one in (web, api):
        one["metadata"]["labels"] = {"app": one["metadata"]["name"], "tier": "front"}
    huge = manifests.deployment("huge", 0, requests={"cpu": "1000"})
    database = manifests.statefulset("db", requests={"cpu": "100m"})
    plain = {**manifests.deployment("plainrs", requests={"cpu": "100m"}), "kind": "ReplicaSet"}
    old = manifests.deployment("oldrc", requests={"cpu": "100m"})
    old = {**old, "apiVersion": "v1", "kind": "ReplicationController", "spec": {**old["spec"], "selector": None}}
    old["spec"]["selector"] = {"app": "oldrc"}
    scalable = [web, api, manifests.deployment("noreq"), huge, database, plain, old]
    return [*scalable, *_without_scale()]


def _without_scale() -> list[Json]:
    nowhere = manifests.pod_template("logd", node_selector={"nowhere": "true"})
    batch = manifests.pod_template("job1")
    batch["spec"]["restartPolicy"] = "Never"
    single = manifests.pod_template("lone")
    match = {"matchLabels": {"app": "logd"}}
    daemon = {"metadata": {"name": "logd"}, "spec": {"selector": match, "template": nowhere}}
    service = {"metadata": {"name": "web"}, "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]}}
    job = {"metadata": {"name": "job1"}, "spec": {"suspend": True, "template": batch}}
    return [
        {"apiVersion": "apps/v1", "kind": "DaemonSet", **daemon},
        {"apiVersion": "v1", "kind": "Service", **service},
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "lone", **single["metadata"]},
            "spec": single["spec"],
        },
        {"apiVersion": "batch/v1", "kind": "Job", **job},
    ]


def files() -> dict[str, list[Json]]:
    """The manifests that the lines name, by file name."""
    web, api, *_ = workloads()
    ghost = manifests.deployment("ghost")
    served = {"apiVersion": f"{GROUP}/v1", "kind": "Served", "metadata": {"name": "m1"}, "spec": {"replicas": 1}}
    return {
        "web.json": [web],
        "ghost.json": [ghost],
        "served.json": [served],
        "elsewhere.json": [{**ghost, "metadata": {"name": "ghost", "namespace": "default"}}],
        "two.json": [web, api],
        "mixed.json": [_without_scale()[0], web],
        "all.json": workloads(),
        "folder/web.json": [web],
        "folder/deeper/api.json": [api],
    }
