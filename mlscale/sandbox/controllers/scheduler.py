"""kube-scheduler: a node for each pod that has none.

Filters and messages are upstream's (node_room.py). Of the nodes that take a pod, one with the fewest pods of
the same controller and the least requested is chosen, a simplification of upstream's weighted scores; nobody is
preempted. Retries: kubernetes pkg/scheduler/backend/queue/scheduling_queue.go, v1.37.2.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from mlscale.kube.neighbours import Neighbours, one_per_node
from mlscale.kube.pod_resources import Amounts, amounts, occupied_by
from mlscale.sandbox.agenda import timestamp
from mlscale.sandbox.controllers.conditions import condition_of
from mlscale.sandbox.controllers.events import SeriesRecorder
from mlscale.sandbox.controllers.node_room import (
    Asked,
    Room,
    asked_by,
    fit_message,
    fixed_rejection,
    rejections,
    room_of,
    soft_taints,
)
from mlscale.sandbox.controllers.ownership import controller_of
from mlscale.sandbox.controllers.pod_facts import has_ended
from mlscale.sandbox.verbs import SCHEDULER

if TYPE_CHECKING:
    from mlscale.sandbox.controllers.cluster import Cluster
    from mlscale.sandbox.store import Change, Key

Json = dict[str, Any]

NAME = "default-scheduler"
FIRST_BACKOFF = 1.0
LONGEST_BACKOFF = 10.0
LEFTOVER = 300.0
"""A pod that nothing gave another chance gets one after so many seconds."""
_QUEUE = "scheduler"


class Scheduler:
    """Binds pods to nodes."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._rooms: dict[str, Room] = {}
        self._placed: dict[Key, tuple[str, Amounts, str]] = {}
        self._siblings: dict[str, Counter[str]] = {}
        self._repelling: set[Key] = set()
        self._fixed: dict[str, dict[str, str]] = {}
        self._attempts: dict[Key, int] = {}
        self._hopeless: dict[str, str] = {}
        self._events = SeriesRecorder(
            cluster.api, cluster.event_names, cluster.agenda, SCHEDULER, NAME, f"{NAME}-sandbox"
        )
        cluster.queue.register(_QUEUE, self._schedule)
        cluster.watch("nodes", self._on_node)
        cluster.watch("pods", self._on_pod)

    def _on_node(self, change: Change) -> None:
        name = change.object["metadata"]["name"]
        if change.type == "DELETED":
            self._rooms.pop(name, None)
            self._fixed.clear()
        elif change.before is None or _offers(change.before) != _offers(change.object):
            room = room_of(change.object)
            for node, held, _ in self._placed.values():
                if node == name:
                    room.take(held)
            self._rooms[name] = room
            self._fixed.clear()
            self._give_another_chance()

    def _on_pod(self, change: Change) -> None:
        pod = change.object
        key = (pod["metadata"]["namespace"], pod["metadata"]["name"])
        gone = change.type == "DELETED"
        node = pod["spec"].get("nodeName")
        if gone or node or pod["metadata"].get("deletionTimestamp"):
            self._attempts.pop(key, None)
        if node:
            self._count(key, pod, held=not gone and not has_ended(pod), changed=_resized(change))
        elif not gone:
            self._consider(key, change)
        if gone:
            self._cluster.queue.forget(_QUEUE, key)

    def _consider(self, key: Key, change: Change) -> None:
        pod = change.object
        if pod["metadata"].get("deletionTimestamp") or pod["spec"].get("schedulerName", NAME) != NAME:
            return
        if change.before is None or change.before["spec"] != pod["spec"]:
            self._cluster.queue.add(_QUEUE, key)

    def _count(self, key: Key, pod: Json, *, held: bool, changed: bool) -> None:
        """Count a pod in at its node, or out."""
        placed = self._placed.get(key)
        if placed is not None and (not held or changed):
            self._release(key, *placed)
            placed = None
        if held and placed is None:
            owner = (controller_of(pod) or {}).get("uid", "")
            self._place(key, pod["spec"]["nodeName"], occupied_by(pod), owner)
            if (pod["spec"].get("affinity") or {}).get("podAntiAffinity"):
                self._repelling.add(key)

    def _place(self, key: Key, node: str, held: Amounts, owner: str) -> None:
        self._placed[key] = (node, held, owner)
        if node in self._rooms:
            self._rooms[node].take(held)
        if owner:
            self._siblings.setdefault(owner, Counter())[node] += 1

    def _release(self, key: Key, node: str, held: Amounts, owner: str) -> None:
        del self._placed[key]
        self._repelling.discard(key)
        if node in self._rooms:
            self._rooms[node].take(held, -1)
        if owner:
            self._siblings[owner][node] -= 1
        self._give_another_chance()

    def _give_another_chance(self) -> None:
        """Room has appeared: look at the pods that found none again, each after its back-off."""
        self._hopeless.clear()
        for key, attempts in self._attempts.items():
            self._cluster.queue.add_after(_QUEUE, key, min(FIRST_BACKOFF * 2.0 ** (attempts - 1), LONGEST_BACKOFF))

    def _schedule(self, key: Key) -> None:
        pod = self._cluster.store.get("pods", *key)
        if pod is None or pod["spec"].get("nodeName") or pod["metadata"].get("deletionTimestamp"):
            self._attempts.pop(key, None)
            return
        if pod["spec"].get("schedulingGates"):
            self._report(pod, "SchedulingGated", "Scheduling is blocked due to non-empty scheduling gates")
            return
        asked = asked_by(pod)
        shape = asked.shape
        if shape in self._hopeless:
            self._fail(key, pod, self._hopeless[shape])
            return
        found = self._judge(asked, shape)
        fitting = [self._rooms[name] for name, (reasons, _) in found.items() if not reasons]
        if fitting:
            self._bind(pod, self._best(asked, fitting).node["metadata"]["name"])
            return
        self._hopeless[shape] = fit_message(found)
        self._fail(key, pod, self._hopeless[shape])

    def _judge(self, asked: Asked, shape: str) -> dict[str, tuple[list[str], bool]]:
        spec = asked.pod["spec"]
        fixed = self._fixed.get(shape)
        if fixed is None:
            fixed = {name: fixed_rejection(spec, room.node) for name, room in self._rooms.items()}
            self._fixed[shape] = fixed
        blocked = self._blocked(asked)
        return {name: rejections(asked, room, fixed[name], blocked) for name, room in self._rooms.items()}

    def _blocked(self, asked: Asked) -> frozenset[str]:
        keys = self._placed if one_per_node(asked.namespace, asked.pod) else self._repelling
        if not keys:
            return frozenset()
        pods = (self._cluster.store.get("pods", *key) for key in keys)
        return Neighbours(pod for pod in pods if pod is not None).blocked_nodes(asked.namespace, asked.pod)

    def _best(self, asked: Asked, fitting: list[Room]) -> Room:
        owner = (controller_of(asked.pod) or {}).get("uid", "")
        siblings = self._siblings.get(owner, Counter())
        spec = asked.pod["spec"]

        def rank(room: Room) -> tuple[int, int, float]:
            used = round(room.share_used(asked.requests), 2)
            return soft_taints(spec, room.node), siblings[room.node["metadata"]["name"]], used

        ranks = [rank(room) for room in fitting]
        best = min(ranks)
        return self._cluster.random.choice([room for room, its in zip(fitting, ranks, strict=True) if its == best])

    def _bind(self, pod: Json, node: str) -> None:
        metadata = pod["metadata"]
        self._cluster.api.bind(metadata["namespace"], metadata["name"], node, SCHEDULER)
        message = f"Successfully assigned {metadata['namespace']}/{metadata['name']} to {node}"
        self._events.record(pod, "Normal", "Scheduled", "Binding", message)

    def _fail(self, key: Key, pod: Json, message: str) -> None:
        self._attempts[key] = self._attempts.get(key, 0) + 1
        self._events.record(pod, "Warning", "FailedScheduling", "Scheduling", message)
        self._report(pod, "Unschedulable", message)
        self._cluster.queue.add_after(_QUEUE, key, LEFTOVER)

    def _report(self, pod: Json, reason: str, message: str) -> None:
        """Set PodScheduled to False, if that says anything new."""
        metadata, status = pod["metadata"], pod.get("status") or {}
        current = condition_of(status, "PodScheduled") or {}
        if (current.get("reason"), current.get("message")) == (reason, message):
            return
        same = current.get("status") == "False"
        condition = {
            "type": "PodScheduled",
            "status": "False",
            "lastProbeTime": None,
            "lastTransitionTime": current["lastTransitionTime"] if same else timestamp(self._cluster.agenda.now),
            "observedGeneration": metadata.get("generation", 0),
            "reason": reason,
            "message": message,
        }
        api = self._cluster.api
        body = {**pod, "status": _with_condition(status, condition)}
        api.update(
            api.resources["pods"], metadata["namespace"], metadata["name"], body, SCHEDULER, subresource="status"
        )


def _with_condition(status: Json, condition: Json) -> Json:
    """``status`` with a condition in place of the one of its type, or behind the others."""
    conditions = status.get("conditions") or []
    if condition_of(status, condition["type"]):
        return {**status, "conditions": [condition if c["type"] == condition["type"] else c for c in conditions]}
    return {**status, "conditions": [*conditions, condition]}


def _offers(node: Json) -> tuple[object, ...]:
    """What of a node decides which pods it takes."""
    status = node.get("status") or {}
    allocatable = amounts(status.get("allocatable") or status.get("capacity"))
    return allocatable, node["metadata"].get("labels"), node.get("spec")


def _resized(change: Change) -> bool:
    """Whether what a pod asks for, or its node, has changed."""
    if change.before is None:
        return False
    before, after = change.before["spec"], change.object["spec"]
    same = before is after or (
        before.get("nodeName") == after.get("nodeName") and before["containers"] == after["containers"]
    )
    return not same
