"""A control plane without kubelets: tests say when pods run and end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any

from mlscale.sandbox.agenda import Agenda, timestamp
from mlscale.sandbox.controllers.control_plane import start_control_plane
from mlscale.sandbox.controllers.namespaces import create_first_namespaces
from mlscale.sandbox.store import Store
from mlscale.sandbox.verbs import KUBELET, Api, Caller

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlscale.sandbox.resources import Resource

Json = dict[str, Any]

START = datetime(2026, 11, 25, 8, 0, tzinfo=UTC)
USER = Caller("kubernetes-admin", "kubectl-create")


class SimulatedCluster:
    """A cluster with some nodes of 32 CPUs, 256 GiB and 110 pods, in which nothing happens by itself."""

    def __init__(self, nodes: int = 3, seed: int = 1) -> None:
        self.agenda = Agenda(START)
        self.store = Store()
        self.api = Api(self.store, self.agenda, Random(f"{seed}/api"))
        self.cluster = start_control_plane(self.api, self.store, self.agenda, Random(f"{seed}/control plane"))
        create_first_namespaces(self.api)
        self.settle()
        for index in range(nodes):
            self.create(node(f"node-{index}"))

    def resource(self, kind: str) -> Resource:
        """By kind: ``Deployment``."""
        return next(one for one in self.api.resources.values() if one.kind.kind == kind)

    def create(self, body: Json) -> Json:
        """Create an object, in namespace default unless it says another, and let the controllers react."""
        resource = self.resource(body["kind"])
        namespace = body["metadata"].get("namespace", "default") if resource.kind.namespaced else ""
        created = self.api.create(resource, namespace, body, USER)
        self.settle()
        return created

    def merge(self, kind: str, name: str, patch: Json, namespace: str = "default") -> None:
        """Change an object by a merge patch and let the controllers react."""
        resource = self.resource(kind)
        place = namespace if resource.kind.namespaced else ""
        self.api.patch(resource, place, name, patch, "application/merge-patch+json", USER)
        self.settle()

    def delete(self, kind: str, name: str, policy: str = "Background", **options: object) -> None:
        """Delete an object and let the controllers react."""
        resource = self.resource(kind)
        place = "default" if resource.kind.namespaced else ""
        self.api.delete(resource, place, name, {"propagationPolicy": policy, **options}, USER)
        self.settle()

    def settle(self) -> None:
        """Let the controllers react."""
        self.agenda.advance(self.agenda.now)

    def pass_time(self, seconds: float) -> None:
        """Let simulated time pass."""
        self.agenda.advance(self.agenda.now + timedelta(seconds=seconds))

    def get(self, kind: str, name: str, namespace: str = "default") -> Json:
        """One object."""
        resource = self.resource(kind)
        return self.api.get(resource, namespace if resource.kind.namespaced else "", name)

    def all(self, kind: str) -> list[Json]:
        """All objects of a kind, by name."""
        return self.store.list(self.resource(kind).key)

    def names(self, kind: str) -> list[str]:
        """Their names."""
        return [obj["metadata"]["name"] for obj in self.all(kind)]

    def pods_of(self, prefix: str) -> list[Json]:
        """The pods whose names begin so."""
        return [pod for pod in self.all("Pod") if pod["metadata"]["name"].startswith(prefix)]

    def run(self, pods: Iterable[Json] | None = None) -> None:
        """Have pods with a node run and be ready, a second from now."""
        self.pass_time(1)
        for pod in self.all("Pod") if pods is None else list(pods):
            if pod["spec"].get("nodeName") and pod["status"].get("phase") == "Pending":
                self._report(pod, {"phase": "Running", "conditions": self._ready(pod)})
        self.pass_time(1)

    def finish(self, pod: Json, phase: str) -> None:
        """Have a pod's containers end for good."""
        self._report(pod, {"phase": phase, "conditions": []})
        self.settle()

    def end_pods(self) -> None:
        """Have the pods that were told to end be gone, a second from now."""
        self.pass_time(1)
        for pod in self.all("Pod"):
            if pod["metadata"].get("deletionTimestamp"):
                place = (pod["metadata"]["namespace"], pod["metadata"]["name"])
                self.api.delete(self.resource("Pod"), *place, {"gracePeriodSeconds": 0}, KUBELET)
        self.pass_time(1)

    def _ready(self, pod: Json) -> list[Json]:
        now = timestamp(self.agenda.now)
        ready = {"type": "Ready", "status": "True", "lastProbeTime": None, "lastTransitionTime": now}
        return [*(pod["status"].get("conditions") or []), ready]

    def _report(self, pod: Json, status: Json) -> None:
        metadata, body = pod["metadata"], {**pod, "status": {**pod["status"], **status}}
        place = (metadata["namespace"], metadata["name"])
        self.api.update(self.resource("Pod"), *place, body, KUBELET, subresource="status")

    def said(self, name: str) -> list[str]:
        """The events about objects of a name, as ``Reason: message``, in the order in which they were first seen."""
        events = [event for event in self.all("Event") if event["involvedObject"]["name"] == name]
        events.sort(key=lambda event: int(event["metadata"]["name"].rpartition(".")[2], 16))
        return [f"{event['reason']}: {event['message']}" for event in events]


def node(name: str, cpu: str = "32", **spec: object) -> Json:
    """A node."""
    room = {"cpu": cpu, "memory": "256Gi", "pods": "110"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name}},
        "spec": spec,
        "status": {"allocatable": room, "capacity": room},
    }


def template(app: str, image: str = "web:1", cpu: str = "100m", **spec: object) -> Json:
    """A pod template."""
    container = {"name": "web", "image": image, "resources": {"requests": {"cpu": cpu}}}
    return {"metadata": {"labels": {"app": app}}, "spec": {"containers": [container], **spec}}


def workload(kind: str, name: str, replicas: int, pod: Json | None = None, **spec: object) -> Json:
    """A Deployment, ReplicaSet or StatefulSet."""
    body = {"replicas": replicas, "selector": {"matchLabels": {"app": name}}, "template": pod or template(name)}
    if kind == "StatefulSet":
        body["serviceName"] = name
    metadata = {"name": name, "namespace": "default"}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": metadata, "spec": {**body, **spec}}


def bare_pod(name: str, cpu: str = "100m", labels: Json | None = None, **spec: object) -> Json:
    """A pod that nobody controls."""
    container = {"name": "web", "image": "web:1", "resources": {"requests": {"cpu": cpu}}}
    metadata = {"name": name, "namespace": "default", "labels": labels or {}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": [container], **spec}}
