"""A cluster in which only the HPA controller runs, and pods use what the test says."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from mlscale.sandbox.agenda import Agenda, timestamp
from mlscale.sandbox.controllers.cluster import Cluster
from mlscale.sandbox.hpa_controller import HpaController
from mlscale.sandbox.resources import PODMETRICS
from mlscale.sandbox.store import Store
from mlscale.sandbox.verbs import Api

Json = dict[str, Any]
START = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
LONG_AGO = timestamp(START - timedelta(hours=1))
HPAS = "horizontalpodautoscalers.autoscaling"
CPU = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}}}


@dataclass
class Bench:
    """A cluster in which only the HPA controller runs, and pods use what the test says."""

    store: Store = field(default_factory=Store)
    agenda: Agenda = field(default_factory=lambda: Agenda(START))
    use: dict[str, str] = field(default_factory=dict)
    """The CPU of each pod of a workload; a workload that is not in it has no metrics."""

    def __post_init__(self) -> None:
        self.api = Api(self.store, self.agenda, random.Random(1))
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop", "uid": "shop"}}
        self.store.put("namespaces", {**namespace, "status": {"phase": "Active"}})
        self.api.sources[PODMETRICS.resource] = self._pod_metrics
        HpaController(Cluster(self.api, self.store, self.agenda, random.Random(2)))

    def workload(self, name: str, replicas: int, request: str = "500m") -> None:
        """A deployment whose pods are all there, Ready for an hour."""
        labels = {"app": name}
        requests = {"requests": {"cpu": request}} if request else {}
        spec = {"containers": [{"name": "c", "image": "x", "resources": requests}]}
        ready = {"type": "Ready", "status": "True", "lastTransitionTime": LONG_AGO}
        for number in range(replicas):
            metadata = {"name": f"{name}-{number}", "namespace": "shop", "labels": labels}
            status = {"phase": "Running", "startTime": LONG_AGO, "conditions": [ready]}
            pod = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec, "status": status}
            self.store.put("pods", pod)
        deployment = {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": name, "namespace": "shop", "uid": name, "generation": 1},
            "spec": {
                "replicas": replicas,
                "selector": {"matchLabels": labels},
                "strategy": {"type": "Recreate"},
                "template": {"metadata": {"labels": labels}, "spec": spec},
            },
            "status": {"replicas": replicas},
        }
        self.store.put("deployments.apps", deployment)

    def hpa(self, name: str, target: Json | None = None, **spec: Any) -> None:
        reference = target or {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}
        hpa = {
            "apiVersion": "autoscaling/v2",
            "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": name, "namespace": "shop", "uid": f"hpa-{name}", "generation": 1},
            "spec": {"scaleTargetRef": reference, "minReplicas": 1, "maxReplicas": 6, "metrics": [CPU], **spec},
        }
        self.store.put(HPAS, hpa)

    def run(self, seconds: float = 0) -> None:
        self.agenda.advance(self.agenda.now + timedelta(seconds=seconds))

    def replicas(self, name: str) -> int:
        return int(self._stored("deployments.apps", name)["spec"]["replicas"])

    def status(self, name: str) -> Json:
        return dict(self._stored(HPAS, name)["status"])

    def conditions(self, name: str) -> dict[str, str]:
        """``False FailedGetScale: the HPA …`` by type."""
        found = self.status(name)["conditions"]
        return {one["type"]: f"{one['status']} {one['reason']}: {one['message']}" for one in found}

    def events(self, name: str) -> list[str]:
        found = [one for one in self.store.list("events", "shop") if one["involvedObject"]["name"] == name]
        return [f"{one['type']} {one['reason']} {one['message']} x{one['count']}" for one in found]

    def change(self, resource: str, name: str, **spec: Any) -> None:
        """Change a spec as the API would: under a new generation."""
        obj = self._stored(resource, name)
        metadata = {**obj["metadata"], "generation": obj["metadata"]["generation"] + 1}
        self.store.put(resource, {**obj, "metadata": metadata, "spec": {**obj["spec"], **spec}})

    def _stored(self, resource: str, name: str) -> Json:
        obj = self.store.get(resource, "shop", name)
        assert obj is not None
        return obj

    def _pod_metrics(self, namespace: str | None) -> list[Json]:
        moment = timestamp(self.agenda.now)
        return [
            {
                "metadata": pod["metadata"],
                "timestamp": moment,
                "window": "15s",
                "containers": [{"name": "c", "usage": {"cpu": self.use[app]}}],
            }
            for pod in self.store.list("pods", namespace)
            if (app := pod["metadata"]["labels"]["app"]) in self.use
        ]
