"""What the benchmarks run on: namespaces with many deployments or pods, and their removal.

All is created by ``kubectl create``, which does not limit its own rate. Deployments are paused: such a one has no
ReplicaSet, so that its replicas can be set, and are stored, while no pod comes or goes and disturbs the next run.
Pods are bound to nodes of their own by ``nodeName``, which no scheduler gives to others; kwok makes them Running.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmarks.compare import nothing
from benchmarks.measure import BenchmarkError
from tests.cluster.control_plane import node
from tests.cluster.manifests import deployment, hpa, pod_template

if TYPE_CHECKING:
    from tests.cluster.access import Cluster

Json = dict[str, Any]
Say = Callable[[str], None]

AT_ONCE = 500
WRITERS = 3
NODES = 10
SECONDS = 900.0
"""How long pods may take to run, or to be gone."""


@dataclass(frozen=True)
class Fill:
    """A namespace of a benchmark's own."""

    cluster: Cluster
    namespace: str

    def kubectl(self, *arguments: str, input: str | None = None) -> str:
        """What kubectl prints; a failure ends the benchmark with kubectl's words."""
        done = self.cluster.kubectl("-n", self.namespace, *arguments, input=input, check=False)
        if done.returncode != 0:
            raise BenchmarkError(f"kubectl {' '.join(arguments)} failed: {done.stderr.strip()}")
        return done.stdout

    def create(self, objects: Sequence[Json]) -> None:
        """Create them, in lots, several writers side by side."""
        lots = [objects[start : start + AT_ONCE] for start in range(0, len(objects), AT_ONCE)]
        with ThreadPoolExecutor(WRITERS) as writers:
            list(writers.map(self._create, lots))

    def _create(self, objects: Sequence[Json]) -> None:
        self.kubectl("create", "-f", "-", input=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))

    def replicas(self) -> dict[str, int]:
        """The stored replicas of each deployment."""
        columns = "jsonpath={range .items[*]}{.metadata.name} {.spec.replicas}{'\\n'}{end}"
        lines = self.kubectl("get", "deployments", "-o", columns).splitlines()
        return {name: int(count) for name, count in (line.split() for line in lines)}

    def hpas(self) -> list[str]:
        """The names of the HPAs."""
        return self.kubectl("get", "hpa", "-o", "jsonpath={.items[*].metadata.name}").split()

    def delete_hpa(self, name: str) -> None:
        """One, if it is there."""
        self.kubectl("delete", "hpa", name, "--ignore-not-found")

    def delete_hpas(self) -> None:
        """All of them, by one request."""
        self.kubectl("delete", "--raw", f"/apis/autoscaling/v2/namespaces/{self.namespace}/horizontalpodautoscalers")


@contextmanager
def fresh_namespace(cluster: Cluster, prefix: str) -> Iterator[Fill]:
    """A namespace that is ready for pods; deleted afterwards with all that is in it, without waiting."""
    fill = Fill(cluster, f"{prefix}-{secrets.token_hex(3)}")
    cluster.kubectl("create", "namespace", fill.namespace)
    try:
        fill.kubectl("wait", "--for=create", "serviceaccount/default", "--timeout=60s")
        yield fill
    finally:
        cluster.kubectl("delete", "namespace", fill.namespace, "--wait=false")


def create_workload(fill: Fill, name: str) -> None:
    """A deployment with two running pods and an HPA that leaves them two: they use half of what they ask for."""
    fill.create([deployment(name, 2, requests={"cpu": "500m"}), hpa(name, least=2)])
    fill.kubectl("rollout", "status", f"deployment/{name}", "--timeout=110s")
    # Until its controller has looked, the HPA shows 0 replicas: the two programs would see different ones.
    fill.kubectl("wait", "--for=jsonpath={.status.currentReplicas}=2", f"hpa/{name}", "--timeout=110s")


def paused_deployment(name: str) -> Json:
    """A deployment that never has a pod, whatever its replicas."""
    body = deployment(name, 0, requests={"cpu": "500m"})
    body["spec"]["paused"] = True
    return body


def paused_deployments(count: int) -> list[Json]:
    """``count`` of them."""
    return [paused_deployment(f"model-{number:03}") for number in range(count)]


@contextmanager
def pod_nodes(cluster: Cluster, prefix: str) -> Iterator[list[str]]:
    """Simulated nodes that no scheduler uses, for pods bound to them; deleted afterwards."""
    mark = secrets.token_hex(3)
    names = [f"{prefix}-{mark}-{number}" for number in range(NODES)]
    nodes = [node(name) for name in names]
    for one in nodes:
        one["spec"] = {"unschedulable": True}
        # By this label the tests count the nodes of the control plane.
        del one["metadata"]["labels"]["type"]
        # Nothing reads their metrics: without the path, kwok does not work them out for thousands of pods.
        del one["metadata"]["annotations"]["metrics.k8s.io/resource-metrics-path"]
    cluster.kubectl("create", "-f", "-", input=json.dumps({"apiVersion": "v1", "kind": "List", "items": nodes}))
    try:
        yield names
    finally:
        cluster.kubectl("delete", "node", *names, "--wait=false")


def pods(numbers: range, nodes: Sequence[str]) -> list[Json]:
    """Pods named by their number, spread over ``nodes``."""
    return [_pod(number, nodes[number % len(nodes)]) for number in numbers]


def _pod(number: int, on_node: str) -> Json:
    body = pod_template("model", labels={"app": "model"}, requests={"cpu": "100m", "memory": "128Mi"})
    body["metadata"]["name"] = f"model-{number:05}"
    body["spec"]["nodeName"] = on_node
    return {"apiVersion": "v1", "kind": "Pod", **body}


def add_pods(fill: Fill, numbers: range, nodes: Sequence[str], say: Say) -> None:
    """Create them and wait until all of the namespace run. Raises BenchmarkError after SECONDS."""
    started = time.monotonic()
    fill.create(pods(numbers, nodes))
    _until_none(fill, ("--field-selector=status.phase!=Running",), "not running")
    say(f"{len(numbers)} pods more run after {time.monotonic() - started:.0f} s")


def remove_pods(fill: Fill) -> None:
    """Delete all pods of the namespace and wait until they are gone. Raises BenchmarkError after SECONDS."""

    def delete() -> None:
        # The server may cut off one request after 60 s: the next goes on with those that are left.
        fill.cluster.kubectl("delete", "--raw", f"/api/v1/namespaces/{fill.namespace}/pods", check=False)

    _until_none(fill, (), "not gone", delete)


def _until_none(fill: Fill, chosen: tuple[str, ...], what: str, again: Callable[[], None] = nothing) -> None:
    deadline = time.monotonic() + SECONDS
    again()
    while left := fill.kubectl("get", "pods", *chosen, "--no-headers", "--chunk-size=0").count("\n"):
        if time.monotonic() > deadline:
            raise BenchmarkError(f"{left} pods of {fill.namespace} are {what} after {SECONDS:g} s")
        time.sleep(1)
        again()
