"""Simulations for the tests of what lives in a cluster, and what they are asked."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from mlscale.sandbox.scenario import NodePool, Scenario, Workload
from mlscale.sandbox.scenario_file import load_scenario
from mlscale.sandbox.simulation import Simulation
from mlscale.sandbox.verbs import Caller

if TYPE_CHECKING:
    from collections.abc import Sequence

Json = dict[str, Any]

START = datetime(2026, 11, 25, 8, 0, tzinfo=UTC)
USER = Caller("kubernetes-admin", "kubectl-create")
NODE = NodePool("node-{index}", 1, {"cpu": "8", "memory": "32Gi", "pods": "110"})
WEB = Workload("web", "default", {"app": "web"})


class Living:
    """A simulation, with short ways to ask it."""

    def __init__(self, scenario: Scenario, seed: int = 1) -> None:
        self.simulation = Simulation(scenario, seed, START)
        self.api = self.simulation.api

    def after(self, seconds: float) -> None:
        """Go to ``seconds`` after the scenario's start."""
        self.simulation.advance(START + timedelta(seconds=seconds))

    def all(self, resource: str) -> list[Json]:
        """All objects of a resource: ``deployments.apps``."""
        items: list[Json] = self.api.list(self.api.resources[resource], None)["items"]
        return items

    def one(self, resource: str, name: str = "my-ml-model", namespace: str = "default") -> Json:
        """One object."""
        return self.api.get(self.api.resources[resource], namespace, name)

    def create(self, pod: Json) -> None:
        """Create a pod and let everybody react."""
        self.api.create(self.api.resources["pods"], "default", pod, USER)
        self.simulation.settle()

    def delete(self, name: str, **options: object) -> None:
        """Delete a pod and let everybody react."""
        self.api.delete(self.api.resources["pods"], "default", name, options, USER)
        self.simulation.settle()

    def container(self, name: str) -> Json:
        """The status of the first container of a pod in default."""
        status: Json = self.one("pods", name)["status"]["containerStatuses"][0]
        return status

    def events(self, name: str, component: str = "kubelet") -> list[tuple[str, str]]:
        """Reason and message of each event of an object that a component has recorded, in their order."""
        found = [
            event
            for event in self.all("events")
            if event["involvedObject"]["name"] == name and event["source"].get("component") == component
        ]
        return [(event["reason"], event["message"]) for event in sorted(found, key=lambda e: e["metadata"]["name"])]

    def condition(self, kind: str) -> Json:
        """A condition of the HPA of the scenario."""
        (hpa,) = self.all("horizontalpodautoscalers.autoscaling")
        return next(each for each in hpa["status"]["conditions"] if each["type"] == kind)


def living(name: str) -> Living:
    """A scenario that comes with mlscale, at its start."""
    return Living(load_scenario(name))


def small(workload: Workload | None = None, registry: Sequence[str] = (), **changes: Any) -> Living:
    """One node, and how ``web`` pods behave: ``WEB`` with ``changes`` unless ``workload`` says."""
    described = replace(workload or WEB, **changes)
    return Living(Scenario("small", "For a test.", (NODE,), workloads=(described,), registry=tuple(registry)))


def pod(name: str = "web", app: str = "web", image: str = "registry.example.com/web:1", **spec: Any) -> Json:
    """A pod of one container, ``c``; ``container`` and ``annotations`` add to it."""
    container = {"name": "c", "image": image, **spec.pop("container", {})}
    metadata = {"name": name, "labels": {"app": app}, "annotations": spec.pop("annotations", {})}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": [container], **spec}}
