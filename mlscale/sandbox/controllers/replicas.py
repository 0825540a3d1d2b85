"""ReplicaSets and ReplicationControllers: as many pods as asked for.

The rules are those of kubernetes pkg/controller/replicaset/replica_set.go and replica_set_utils.go, v1.37.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlscale.kube.kinds import REPLICASET, REPLICATIONCONTROLLER, Kind
from mlscale.sandbox.agenda import timestamp
from mlscale.sandbox.controllers.conditions import condition_of, status_with, with_condition, without_condition
from mlscale.sandbox.controllers.ownership import OwnerEvents, claim, controller_of, own_selector, selects
from mlscale.sandbox.controllers.pod_facts import (
    is_active,
    pods_to_delete,
    seconds_until_available,
)
from mlscale.sandbox.controllers.pod_template import pod_of
from mlscale.sandbox.statuses import StatusError
from mlscale.sandbox.verbs import CONTROLLER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlscale.sandbox.controllers.cluster import Cluster
    from mlscale.sandbox.controllers.pod_facts import PodState
    from mlscale.sandbox.store import Key

Json = dict[str, Any]

BURST = 500
"""Pods that one look creates or deletes at most."""
_COUNTED = ("replicas", "fullyLabeledReplicas", "readyReplicas", "availableReplicas", "terminatingReplicas")


@dataclass(frozen=True)
class Flavour:
    """What differs between the two kinds."""

    kind: Kind
    component: str
    counts_terminating: bool


REPLICASETS = Flavour(REPLICASET, "replicaset-controller", counts_terminating=True)
REPLICATIONCONTROLLERS = Flavour(REPLICATIONCONTROLLER, "replication-controller", counts_terminating=False)


class ReplicaController:
    """Creates and deletes the pods of one of the two kinds, and keeps its status."""

    def __init__(self, cluster: Cluster, flavour: Flavour) -> None:
        self._cluster = cluster
        self._flavour = flavour
        self._key = flavour.kind.resource
        self._resource = cluster.api.resources[self._key]
        self._pods = cluster.api.resources["pods"]
        self._events = cluster.recorder(flavour.component)
        cluster.queue.register(self._key, self.sync)
        OwnerEvents(cluster, flavour.kind, "pods", self._selector)

    def _selector(self, owner: Json) -> Json | None:
        selector = own_selector(owner)
        return {"matchLabels": selector} if self._flavour is REPLICATIONCONTROLLERS and selector else selector

    def sync(self, key: Key) -> None:
        """Bring the pods of one object to their number. Raises StatusError when some could not be written."""
        owner = self._cluster.store.get(self._key, *key)
        if owner is None:
            return
        self._claim(owner)
        selector = self._selector(owner)
        states = [(one, n) for one, n in self._cluster.pods.states(owner) if selects(selector, dict(one.labels))]
        failure = None
        if not owner["metadata"].get("deletionTimestamp"):
            failure = self._manage(owner, _number(states, "active"))
        self._write_status(owner, states, failure)
        if failure is not None:
            raise failure
        self._look_again(owner)

    def _claim(self, owner: Json) -> None:
        """Adopt and let go of pods, if there are any to."""
        selector, pods = self._selector(owner), self._cluster.pods
        strays = any(not selects(selector, dict(state.labels)) for state, _ in pods.states(owner))
        if strays or pods.orphans(owner["metadata"]["namespace"]):
            claim(self._cluster.api, self._pods, owner, pods, selector)

    def _active(self, owner: Json) -> list[Json]:
        selector = self._selector(owner)
        pods = self._cluster.pods.of(owner)
        return [pod for pod in pods if is_active(pod) and selects(selector, pod["metadata"].get("labels") or {})]

    def _manage(self, owner: Json, active: int) -> StatusError | None:
        missing = owner["spec"].get("replicas", 1) - active
        try:
            if missing > 0:
                self._create(owner, min(missing, BURST))
            elif missing < 0:
                self._delete(owner, min(-missing, BURST))
        except StatusError as error:
            return error
        return None

    def _create(self, owner: Json, count: int) -> None:
        """Create pods in batches of 1, 2, 4 …; after one that cannot be created, no further batch is begun."""
        batch = 1
        while count:
            failures = [failure for _ in range(batch) if (failure := self._create_one(owner)) is not None]
            if failures:
                raise failures[0]
            count -= batch
            batch = min(2 * batch, count)

    def _create_one(self, owner: Json) -> StatusError | None:
        namespace = owner["metadata"]["namespace"]
        try:
            pod = self._cluster.api.create(self._pods, namespace, pod_of(owner), CONTROLLER)
        except StatusError as error:
            if _namespace_ends(error):
                return None
            self._events.record(owner, "Warning", "FailedCreate", f"Error creating: {error.message}")
            return error
        self._events.record(owner, "Normal", "SuccessfulCreate", f"Created pod: {pod['metadata']['name']}")
        return None

    def _delete(self, owner: Json, count: int) -> None:
        now = self._cluster.agenda.now
        for pod in pods_to_delete(self._active(owner), self._related(owner), count, now):
            name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
            try:
                self._cluster.api.delete(self._pods, namespace, name, {}, CONTROLLER)
            except StatusError as error:
                if error.reason == "NotFound":
                    continue
                self._events.record(owner, "Warning", "FailedDelete", f"Error deleting: {error.message}")
                raise
            self._events.record(owner, "Normal", "SuccessfulDelete", f"Deleted pod: {name}")

    def _related(self, owner: Json) -> list[Json]:
        """The pods of the objects with the same controller, so of all ReplicaSets of a Deployment."""
        reference = controller_of(owner)
        siblings = [
            other
            for other in self._cluster.store.list(self._key, owner["metadata"]["namespace"])
            if reference is not None and (controller_of(other) or {}).get("uid") == reference["uid"]
        ]
        return [pod for sibling in siblings or [owner] for pod in self._cluster.pods.of(sibling)]

    def _write_status(self, owner: Json, states: Sequence[tuple[PodState, int]], failure: StatusError | None) -> None:
        before, active = owner.get("status") or {}, _number(states, "active")
        status = self._with_failure(before, owner["spec"].get("replicas", 1) - active, failure)
        status = {name: value for name, value in status.items() if name not in _COUNTED}
        status |= {"observedGeneration": owner["metadata"].get("generation", 0)}
        counts = self._counts(owner, states)
        status |= {name: value for name, value in counts.items() if value or name in _ALWAYS_THERE}
        if status != before:
            metadata = owner["metadata"]
            body = {**owner, "status": status}
            self._cluster.api.update(
                self._resource, metadata["namespace"], metadata["name"], body, CONTROLLER, subresource="status"
            )

    def _counts(self, owner: Json, states: Sequence[tuple[PodState, int]]) -> dict[str, int]:
        labels = ((owner["spec"].get("template") or {}).get("metadata") or {}).get("labels") or {}
        full = labels.items()
        counts = {
            "replicas": _number(states, "active"),
            "fullyLabeledReplicas": sum(n for state, n in states if state.active and full <= state.labels),
            "readyReplicas": sum(n for state, n in states if state.active and state.ready),
        }
        counts["availableReplicas"] = counts["readyReplicas"]
        if owner["spec"].get("minReadySeconds"):
            counts["availableReplicas"] = self._waits(owner).count(0)
        if self._flavour.counts_terminating:
            counts["terminatingReplicas"] = _number(states, "terminating")
        return counts

    def _waits(self, owner: Json) -> list[float]:
        """How many seconds each ready pod still has to stay so until it is available."""
        wait, now = owner["spec"]["minReadySeconds"], self._cluster.agenda.now
        left = (seconds_until_available(pod, wait, now) for pod in self._active(owner))
        return [seconds for seconds in left if seconds is not None]

    def _with_failure(self, before: Json, missing: int, failure: StatusError | None) -> Json:
        conditions = before.get("conditions") or []
        if failure is None:
            return status_with(before, without_condition(conditions, "ReplicaFailure"))
        if condition_of(before, "ReplicaFailure"):
            return dict(before)
        condition = {
            "type": "ReplicaFailure",
            "status": "True",
            "lastTransitionTime": timestamp(self._cluster.agenda.now),
            "reason": "FailedCreate" if missing > 0 else "FailedDelete",
            "message": failure.message,
        }
        return status_with(before, with_condition(conditions, condition))

    def _look_again(self, owner: Json) -> None:
        """Come back when the next ready pod becomes available."""
        ahead = [left for left in self._waits(owner) if left] if owner["spec"].get("minReadySeconds") else []
        if ahead:
            metadata = owner["metadata"]
            self._cluster.queue.add_after(self._key, (metadata["namespace"], metadata["name"]), min(ahead))


def _number(states: Sequence[tuple[PodState, int]], field: str) -> int:
    return sum(number for state, number in states if getattr(state, field))


_ALWAYS_THERE = ("replicas", "terminatingReplicas")
"""The other numbers are left out while they are 0."""


def _namespace_ends(error: StatusError) -> bool:
    causes = error.details.get("causes") or ()
    return any(cause.get("reason") == "NamespaceTerminating" for cause in causes)
