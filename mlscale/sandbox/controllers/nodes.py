"""Nodes: the taint of a cordon, and the pods of a node that is gone.

The rules are those of kubernetes pkg/controller/nodelifecycle/node_lifecycle_controller.go and
pkg/controller/podgc/gc_controller.go, v1.37.2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlscale.sandbox.agenda import timestamp
from mlscale.sandbox.statuses import StatusError
from mlscale.sandbox.verbs import CONTROLLER

if TYPE_CHECKING:
    from mlscale.sandbox.controllers.cluster import Cluster
    from mlscale.sandbox.store import Change, Key

Json = dict[str, Any]

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
