"""Deployments: rollouts and scaling by way of ReplicaSets.

The order of steps is that of kubernetes pkg/controller/deployment/deployment_controller.go, sync.go, rolling.go
and recreate.go, v1.37.2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlscale.kube.kinds import DEPLOYMENT, REPLICASET
from mlscale.sandbox.controllers import revisions
from mlscale.sandbox.controllers.conditions import condition_of, status_with, with_condition
from mlscale.sandbox.controllers.deployment_status import (
    counted_status,
    new_condition,
    paused_condition,
    rollout_status,
    seconds_until_check,
)
from mlscale.sandbox.controllers.ownership import OwnerEvents, claim, controller_of, own_selector
from mlscale.sandbox.controllers.pod_facts import has_ended
from mlscale.sandbox.controllers.pod_template import same_template
from mlscale.sandbox.controllers.rollout import (
    DESIRED,
    goal_of,
    has_deadline,
    is_complete,
    new_replicas,
    rescaled,
    scaled_down,
)
from mlscale.sandbox.statuses import StatusError
from mlscale.sandbox.verbs import CONTROLLER

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mlscale.sandbox.controllers.cluster import Cluster
    from mlscale.sandbox.controllers.rollout import Step
    from mlscale.sandbox.store import Key

Json = dict[str, Any]

_KEY = DEPLOYMENT.resource


class DeploymentController:
    """Keeps the ReplicaSets of each Deployment, and its status."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._api = cluster.api
        self._deployments = cluster.api.resources[_KEY]
        self._replicasets = cluster.api.resources[REPLICASET.resource]
        self._events = cluster.recorder("deployment-controller")
        cluster.queue.register(_KEY, self.sync)
        OwnerEvents(cluster, DEPLOYMENT, REPLICASET.resource)

    def sync(self, key: Key) -> None:
        """Take the next step of one Deployment. Raises StatusError when a write was refused."""
        stored = self._cluster.store.get(_KEY, *key)
        if stored is None:
            return
        children = claim(self._api, self._replicasets, stored, self._cluster.replicasets, own_selector(stored))
        rollout = _Rollout(self, stored, children)
        if stored["metadata"].get("deletionTimestamp"):
            rollout.write_counts()
            return
        rollout.note_pause()
        if stored["spec"].get("paused") or rollout.is_rescaled():
            rollout.rescale()
        elif goal_of(stored).rolling:
            rollout.roll()
        else:
            rollout.recreate()


class _Rollout:
    """One look at one Deployment: the objects as far as this look has changed them."""

    def __init__(self, controller: DeploymentController, deployment: Json, children: Sequence[Json]) -> None:
        self._cluster = controller._cluster
        self._api = controller._api
        self._events = controller._events
        self._deployments = controller._deployments
        self._replicasets = controller._replicasets
        self._deployment = deployment
        self._goal = goal_of(deployment)
        self._new, self._old = revisions.split(deployment, children)

    def write_counts(self) -> None:
        """Write the numbers and Available, nothing about progress."""
        self._adopt_revision(create=False)
        self._write_status(counted_status(self._deployment, self._new, self._old, self._cluster.agenda.now))

    def note_pause(self) -> None:
        """Say in the Progressing condition that the Deployment was paused or resumed."""
        condition = paused_condition(self._deployment, self._cluster.agenda.now)
        if condition:
            self._write_condition(condition)

    def is_rescaled(self) -> bool:
        """Whether the Deployment's number differs from the one that an active ReplicaSet was made for."""
        self._adopt_revision(create=False)
        wanted = str(self._goal.replicas)
        return any(
            one["spec"].get("replicas", 1) and _annotation(one, DESIRED, wanted) != wanted for one in self._every()
        )

    def rescale(self) -> None:
        """Bring the ReplicaSets to a new total, without going on with a rollout."""
        self._adopt_revision(create=False)
        new = revisions.copies_of(self._new) if self._new else None
        old = [revisions.copies_of(one) for one in self._old]
        several = sum(one.replicas > 0 for one in [*old, *([new] if new else [])]) > 1
        self._scale(rescaled(self._goal, new, old), force=several)
        if self._deployment["spec"].get("paused"):
            self._clean_up()
        self.write_counts()

    def roll(self) -> None:
        """Take the next step of a rolling update: more new pods if there is room, or else fewer old ones."""
        new = self._adopt_revision(create=True)
        if new is None:
            return
        current = new["spec"].get("replicas", 1)
        every = [revisions.copies_of(one) for one in self._every()]
        size = min(self._goal.replicas, new_replicas(self._goal, every, current))
        if not self._scale([(new["metadata"]["name"], size)]):
            old = [revisions.copies_of(one) for one in self._old]
            if not self._scale(scaled_down(self._goal, revisions.copies_of(new), old)):
                self._clean_up_if_complete()
        self._write_progress()

    def recreate(self) -> None:
        """Take the next step of a Recreate rollout: end all old pods, then start new ones."""
        self._adopt_revision(create=False)
        active = [(one["metadata"]["name"], 0) for one in self._old if one["spec"].get("replicas", 1)]
        if not self._scale(active) and not self._old_pods_run():
            new = self._adopt_revision(create=True)
            if new is None:
                return
            self._scale([(new["metadata"]["name"], self._goal.replicas)])
            self._clean_up_if_complete()
        self._write_progress()

    def _every(self) -> list[Json]:
        return [*self._old, *([self._new] if self._new else [])]

    def _old_pods_run(self) -> bool:
        pods = (pod for one in self._old for pod in self._cluster.pods.of(one))
        counted = any((one.get("status") or {}).get("replicas") for one in self._old)
        return counted or any(not has_ended(pod) for pod in pods)

    def _adopt_revision(self, *, create: bool) -> Json | None:
        """The new ReplicaSet, its annotations and the Deployment's revision brought up to date."""
        number = revisions.next_revision(self._old)
        if self._new is None:
            return self._create(number) if create else None
        renewed = revisions.renewed(self._deployment, self._new, number)
        if renewed is not self._new:
            self._new = self._update_replicaset(renewed)
            return self._new
        name = self._new["metadata"]["name"]
        found = None
        if has_deadline(self._deployment) and not condition_of(self._deployment.get("status") or {}, "Progressing"):
            message, now = f'Found new replica set "{name}"', self._cluster.agenda.now
            found = new_condition("Progressing", "True", "FoundNewReplicaSet", message, now)
        self._write_condition(found, revision=str(revisions.revision(self._new)))
        return self._new

    def _create(self, number: int) -> Json | None:
        body = revisions.new_replicaset(self._deployment, number, 0, self._goal)
        every = [revisions.copies_of(one) for one in self._old]
        size = new_replicas(self._goal, every, 0)
        body["spec"]["replicas"] = size
        name, namespace = body["metadata"]["name"], body["metadata"]["namespace"]
        try:
            self._new = self._api.create(self._replicasets, namespace, body, CONTROLLER)
        except StatusError as error:
            self._not_created(name, error)
            raise
        if size:
            self._record("ScalingReplicaSet", f"Scaled up replica set {name} from 0 to {size}")
        created = None
        if has_deadline(self._deployment):
            message, now = f'Created new replica set "{name}"', self._cluster.agenda.now
            created = new_condition("Progressing", "True", "NewReplicaSetCreated", message, now)
        self._write_condition(created, revision=str(number))
        return self._new

    def _not_created(self, name: str, error: StatusError) -> None:
        if error.reason == "AlreadyExists":
            self._collide(name)
            return
        message = f'Failed to create new replica set "{name}": {error.message}'
        if has_deadline(self._deployment):
            now = self._cluster.agenda.now
            self._write_condition(new_condition("Progressing", "False", "ReplicaSetCreateError", message, now))
        self._events.record(self._deployment, "Warning", "ReplicaSetCreateError", message)

    def _collide(self, name: str) -> None:
        there = self._cluster.store.get("replicasets.apps", self._deployment["metadata"]["namespace"], name)
        mine = there and (controller_of(there) or {}).get("uid") == self._deployment["metadata"]["uid"]
        template = self._deployment["spec"]["template"]
        if there and not (mine and same_template(there["spec"]["template"], template)):
            status = self._deployment.get("status") or {}
            self._write_status({**status, "collisionCount": status.get("collisionCount", 0) + 1})

    def _scale(self, steps: Iterable[Step], *, force: bool = False) -> bool:
        """Set sizes; with ``force`` what the annotations say of the Deployment too. Whether a size changed."""
        changed = False
        for name, size in steps:
            replicaset = next(one for one in self._every() if one["metadata"]["name"] == name)
            before = replicaset["spec"].get("replicas", 1)
            annotations = replicaset["metadata"].get("annotations") or {}
            noted = {**annotations, **revisions.size_annotations(self._goal)}
            if before == size and not (force and noted != annotations):
                continue
            metadata = {**replicaset["metadata"], "annotations": noted}
            body = {**replicaset, "metadata": metadata, "spec": {**replicaset["spec"], "replicas": size}}
            self._replace(replicaset, self._update_replicaset(body))
            if before != size:
                way = "up" if size > before else "down"
                self._record("ScalingReplicaSet", f"Scaled {way} replica set {name} from {before} to {size}")
                changed = True
        return changed

    def _replace(self, before: Json, after: Json) -> None:
        if before is self._new:
            self._new = after
        self._old = [after if one is before else one for one in self._old]

    def _update_replicaset(self, body: Json) -> Json:
        metadata = body["metadata"]
        return self._api.update(self._replicasets, metadata["namespace"], metadata["name"], body, CONTROLLER)

    def _clean_up_if_complete(self) -> None:
        if is_complete(self._deployment, self._deployment.get("status") or {}):
            self._clean_up()

    def _clean_up(self) -> None:
        for replicaset in revisions.superfluous(self._deployment, self._old):
            metadata = replicaset["metadata"]
            self._api.delete(self._replicasets, metadata["namespace"], metadata["name"], {}, CONTROLLER)

    def _write_progress(self) -> None:
        now = self._cluster.agenda.now
        status = rollout_status(self._deployment, self._new, self._old, now)
        self._write_status(status)
        wait = seconds_until_check(self._deployment, status, now)
        if wait is not None:
            metadata = self._deployment["metadata"]
            self._cluster.queue.add_after(_KEY, (metadata["namespace"], metadata["name"]), wait)

    def _write_condition(self, condition: Json | None, revision: str = "") -> None:
        """Set a condition and note the Deployment's revision, in one write if there is anything to write."""
        status = self._deployment.get("status") or {}
        if condition:
            status = status_with(status, with_condition(status.get("conditions") or [], condition))
        self._write_status(status, revision)

    def _write_status(self, status: Json, revision: str = "") -> None:
        noted = not revision or _annotation(self._deployment, revisions.REVISION, "") == revision
        if noted and status == (self._deployment.get("status") or {}):
            return
        metadata = self._deployment["metadata"]
        if not noted:
            annotations = {**(metadata.get("annotations") or {}), revisions.REVISION: revision}
            metadata = {**metadata, "annotations": annotations}
        body = {**self._deployment, "metadata": metadata, "status": status}
        self._deployment = self._api.update(
            self._deployments, metadata["namespace"], metadata["name"], body, CONTROLLER, subresource="status"
        )

    def _record(self, reason: str, message: str) -> None:
        self._events.record(self._deployment, "Normal", reason, message)


def _annotation(obj: Json, name: str, default: str) -> str:
    return str((obj["metadata"].get("annotations") or {}).get(name, default))
