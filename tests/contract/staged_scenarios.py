"""Scenarios of the sandbox on the control plane: their objects on nodes of their own, and the past of their real pods.

The sandbox says what the workload has come to after the scenario's warm-up, and how its pods fared before; the pods,
ReplicaSets, HPAs and quotas that the past is of are the control plane's.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from mlscale.sandbox.history_past import past_tracks
from mlscale.sandbox.history_record import Present, owner_of
from mlscale.sandbox.simulation import Simulation
from tests.cluster import access
from tests.contract.openmetrics import exposition

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mlscale.sandbox.history_record import Owner
    from mlscale.sandbox.scenario import GitOps, NodePool, Scenario
    from tests.contract.api import Api

Json = dict[str, Any]

POOL = "mlscale.example.com/pool"
SEED = 0
_RUNNING_SECONDS = 120.0
_APPS = "/apis/apps/v1/namespaces/{namespace}"
_PATHS = {
    "Node": "/api/v1/nodes",
    "Pod": "/api/v1/namespaces/{namespace}/pods",
    "ResourceQuota": "/api/v1/namespaces/{namespace}/resourcequotas",
    "Deployment": f"{_APPS}/deployments",
    "ReplicaSet": f"{_APPS}/replicasets",
    "StatefulSet": f"{_APPS}/statefulsets",
    "HorizontalPodAutoscaler": "/apis/autoscaling/v2/namespaces/{namespace}/horizontalpodautoscalers",
}


@dataclass(frozen=True)
class Staged:
    """One scenario, of one workload, in one namespace of the control plane."""

    api: Api
    scenario: Scenario
    namespace: str

    @cached_property
    def ended(self) -> Present:
        """What the sandbox's own workload is after the warm-up."""
        (present,) = Simulation(self.scenario, SEED, datetime.now(UTC).replace(microsecond=0)).recorder.present
        return present

    def create(self) -> None:
        """Create nodes and objects, as many replicas as the sandbox came to; returns once as many pods run."""
        self._create(_node(pool, index, self.namespace) for pool in self.scenario.nodes for index in range(pool.count))
        objects = [self._own(obj) for obj in self.scenario.objects if obj["kind"] != "Namespace"]
        quotas = [obj for obj in objects if obj["kind"] == "ResourceQuota"]
        self._create(quotas)
        access.poll(self._quotas_count, _RUNNING_SECONDS, "use of the quotas in their status")
        self._create(obj for obj in objects if obj["kind"] != "ResourceQuota")
        access.poll(self._is_settled, _RUNNING_SECONDS, f"{len(self.ended.pods)} of {self.ended.wanted} pods that run")

    def history(self, end: float, seconds: float) -> str:
        """The past of its real pods before `end` (seconds since the epoch), as text in OpenMetrics format."""
        scenario = replace(self.scenario, history=seconds, gitops=tuple(self._gitops()))
        tracks = past_tracks(self._present(), scenario, SEED, end)
        return exposition(tracks, self._replicaset_owners())

    def delete_nodes(self) -> None:
        """Delete its nodes; its namespace is the test's."""
        self.api.call("DELETE", f"{_PATHS['Node']}?labelSelector={quote(POOL, safe='')}%3D{self.namespace}")

    def _own(self, obj: Json) -> Json:
        own = copy.deepcopy(obj)
        own["metadata"]["namespace"] = self.namespace
        if "template" in own["spec"]:
            own["spec"]["replicas"] = self.ended.wanted
            spec = own["spec"]["template"]["spec"]
            spec["nodeSelector"] = {POOL: self.namespace}
            spec["tolerations"] = [{"key": POOL, "operator": "Exists"}, *spec.get("tolerations", ())]
            spec["terminationGracePeriodSeconds"] = 0
        return own

    def _create(self, objects: Iterable[Json]) -> None:
        for obj in objects:
            self.api.call("POST", self._path(obj["kind"]), obj)

    def _path(self, kind: str) -> str:
        return _PATHS[kind].format(namespace=self.namespace)

    def _quotas_count(self) -> bool:
        return all((quota.get("status") or {}).get("used") for quota in self.api.items(self._path("ResourceQuota")))

    def _is_settled(self) -> bool:
        """Whether as many pods run as in the sandbox, the others are known to have no place, or to be refused, and the
        HPA has had its say."""
        pods = self.api.items(self._path("Pod"))
        ready = sum(_has_condition(pod, "Ready", "True") for pod in pods)
        placeless = sum(_has_condition(pod, "PodScheduled", "False") for pod in pods)
        kind, name = self.ended.owner
        refused = _has_condition(self.api.call("GET", f"{self._path(kind)}/{name}"), "ReplicaFailure", "True")
        expected, wanted = len(self.ended.pods), self.ended.wanted
        complete = ready + placeless == wanted or (ready < wanted and refused)
        return ready == expected and complete and self._is_judged()

    def _is_judged(self) -> bool:
        """Whether each HPA says if it can scale."""
        hpas = self.api.items(self._path("HorizontalPodAutoscaler"))
        return all(any(_has_condition(hpa, "ScalingActive", status) for status in ("True", "False")) for hpa in hpas)

    def _ready_pods(self) -> list[Json]:
        ready = [pod for pod in self.api.items(self._path("Pod")) if _has_condition(pod, "Ready", "True")]
        return sorted(ready, key=lambda pod: (pod["metadata"]["creationTimestamp"], pod["metadata"]["name"]))

    def _present(self) -> Present:
        hpas = self.api.items(self._path("HorizontalPodAutoscaler"))
        return Present(
            workload=replace(self.ended.workload, namespace=self.namespace),
            pods=tuple(self._ready_pods()),
            wanted=self.ended.wanted,
            owner=self.ended.owner,
            hpa=hpas[0] if hpas else None,
        )

    def _replicaset_owners(self) -> dict[str, Owner]:
        return {one["metadata"]["name"]: owner_of(one) for one in self.api.items(self._path("ReplicaSet"))}

    def _gitops(self) -> Iterator[GitOps]:
        return (replace(one, namespace=self.namespace) for one in self.scenario.gitops)


def _has_condition(obj: Json, kind: str, status: str) -> bool:
    conditions = (obj.get("status") or {}).get("conditions") or ()
    return any((condition["type"], condition["status"]) == (kind, status) for condition in conditions)


def _node(pool: NodePool, index: int, namespace: str) -> Json:
    """A simulated node that only pods of `namespace` tolerate."""
    name = f"{namespace}-{pool.name.format(index=index)}"
    labels = {**pool.labels, POOL: namespace, "kubernetes.io/hostname": name}
    taint = {"key": POOL, "value": namespace, "effect": "NoSchedule"}
    ready = {"type": "Ready", "status": "True", "reason": "KubeletReady", "message": ""}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels, "annotations": {"kwok.x-k8s.io/node": "fake"}},
        "spec": {"taints": [taint, *pool.taints]},
        "status": {"allocatable": pool.allocatable, "capacity": pool.allocatable, "conditions": [ready]},
    }
