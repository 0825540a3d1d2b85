"""Nodes: the taint of a cordon, and the pods of a node that is gone.

The rules are those of kubernetes pkg/controller/nodelifecycle/node_lifecycle_controller.go and
pkg/controller/podgc/gc_controller.go, v1.37.2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlscale.sandbox.agenda import timestamp
from mlscale.sandbox.statuses import StatusError
from mlscale.sandbox.verbs import CONTROLLER, KUBELET

if TYPE_CHECKING:
    from datetime import datetime

    from mlscale.sandbox.controllers.cluster import Cluster
    from mlscale.sandbox.scenario import NodePool
    from mlscale.sandbox.store import Change, Key

Json = dict[str, Any]

HEARTBEAT = 300.0
"""Seconds between two reports of a node on which nothing has changed (kubelet nodeStatusReportFrequency)."""
_KUBELET_VERSION = "v1.37.2"
_CONDITIONS = (
    ("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    ("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
)
CORDON = "node.kubernetes.io/unschedulable"
_QUARANTINE = 40.0
"""So long after a node's removal its pods are removed, in seconds."""


class NodeController:
    """Keeps the taint that a cordon stands for, and removes pods of nodes that are gone."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._nodes = cluster.api.resources["nodes"]
        self._pods = cluster.api.resources["pods"]
        cluster.queue.register("nodes", self._sync)
        cluster.queue.register("podgc", self._collect)
        cluster.watch("nodes", self._observe)
        cluster.agenda.every(HEARTBEAT, self._beat)

    def _observe(self, change: Change) -> None:
        key = ("", change.object["metadata"]["name"])
        if change.type == "DELETED":
            self._cluster.queue.add_after("podgc", key, _QUARANTINE)
        else:
            self._cluster.queue.add("nodes", key)

    def _sync(self, key: Key) -> None:
        node = self._cluster.store.get("nodes", *key)
        if node is None:
            return
        spec = node.get("spec") or {}
        taints = spec.get("taints") or []
        others = [taint for taint in taints if taint["key"] != CORDON]
        tainted, cordoned = len(others) < len(taints), bool(spec.get("unschedulable"))
        if tainted == cordoned:
            return
        if cordoned:
            others.append({"key": CORDON, "effect": "NoSchedule", "timeAdded": timestamp(self._cluster.agenda.now)})
        spec = {name: value for name, value in spec.items() if name != "taints"}
        body = {**node, "spec": spec | ({"taints": others} if others else {})}
        self._cluster.api.update(self._nodes, "", key[1], body, CONTROLLER)

    def _beat(self) -> None:
        """Have the kubelets say that their nodes are still there."""
        now = timestamp(self._cluster.agenda.now)
        for node in self._cluster.store.list("nodes"):
            status = node.get("status") or {}
            conditions = [{**condition, "lastHeartbeatTime": now} for condition in status.get("conditions") or ()]
            if conditions:
                body = {**node, "status": {**status, "conditions": conditions}}
                name = node["metadata"]["name"]
                self._cluster.api.update(self._nodes, "", name, body, KUBELET, subresource="status")

    def _collect(self, key: Key) -> None:
        """Remove the pods of a node that has stayed away."""
        if self._cluster.store.get("nodes", *key) is not None:
            return
        for pod in self._cluster.store.list("pods"):
            if pod["spec"].get("nodeName") != key[1]:
                continue
            metadata = pod["metadata"]
            options = {"gracePeriodSeconds": 0}
            try:
                self._cluster.api.delete(self._pods, metadata["namespace"], metadata["name"], options, CONTROLLER)
            except StatusError as error:
                if error.reason != "NotFound":
                    raise


def new_node(pool: NodePool, index: int, now: datetime) -> Json:
    """A node of ``pool`` whose kubelet has just reported that it is ready."""
    name = pool.name.format(index=index)
    moment = timestamp(now)
    conditions = [
        {
            "type": kind,
            "status": status,
            "lastHeartbeatTime": moment,
            "lastTransitionTime": moment,
            "reason": reason,
            "message": message,
        }
        for kind, status, reason, message in _CONDITIONS
    ]
    system = {"kubernetes.io/arch": "amd64", "kubernetes.io/hostname": name, "kubernetes.io/os": "linux"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": {**system, **pool.labels}},
        "spec": {"taints": list(pool.taints)} if pool.taints else {},
        "status": {
            "addresses": [{"type": "Hostname", "address": name}],
            "allocatable": pool.allocatable,
            "capacity": pool.allocatable,
            "conditions": conditions,
            "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
            "nodeInfo": _NODE_INFO,
        },
    }


_NODE_INFO = {
    "architecture": "amd64",
    "bootID": "",
    "containerRuntimeVersion": "simulated://",
    "kernelVersion": "",
    "kubeProxyVersion": "",
    "kubeletVersion": _KUBELET_VERSION,
    "machineID": "",
    "operatingSystem": "linux",
    "osImage": "mlscale sandbox (simulated)",
    "systemUUID": "",
}
