"""StatefulSets: pods with names that stay, made and ended in order.

The rules are those of kubernetes pkg/controller/statefulset, v1.37.2. The revisions are remembered here rather
than stored as ControllerRevision objects, and no volumes are claimed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlscale.kube.kinds import STATEFULSET
from mlscale.sandbox.controllers.ownership import OwnerEvents, claim, own_selector
from mlscale.sandbox.controllers.pod_facts import has_ended, ready_since, seconds_until_available
from mlscale.sandbox.controllers.pod_template import pod_of, template_hash
from mlscale.sandbox.controllers.rollout import resolved
from mlscale.sandbox.controllers.stateful_steps import Replica, Rules, next_steps
from mlscale.sandbox.statuses import StatusError
from mlscale.sandbox.verbs import CONTROLLER

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlscale.sandbox.controllers.cluster import Cluster
    from mlscale.sandbox.store import Change, Key

Json = dict[str, Any]

REVISION_LABEL = "controller-revision-hash"
_KEY = STATEFULSET.resource
_REQUIRED = ("replicas", "availableReplicas", "collisionCount")


class StatefulSetController:
    """Creates and deletes the pods of StatefulSets, and keeps their status."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._sets = cluster.api.resources[_KEY]
        self._pods = cluster.api.resources["pods"]
        self._events = cluster.recorder("statefulset-controller")
        self._templates: dict[str, dict[str, Json]] = {}
        cluster.queue.register(_KEY, self._sync)
        cluster.watch(_KEY, self._forget_templates)
        OwnerEvents(cluster, STATEFULSET, "pods")

    def _forget_templates(self, change: Change) -> None:
        if change.type == "DELETED":
            self._templates.pop(change.object["metadata"]["uid"], None)

    def _sync(self, key: Key) -> None:
        stateful = self._cluster.store.get(_KEY, *key)
        if stateful is None:
            return
        claimed = claim(self._cluster.api, self._pods, stateful, self._cluster.pods, own_selector(stateful))
        pods = {ordinal: pod for pod in claimed if (ordinal := _ordinal(stateful, pod)) is not None}
        current, update = self._revisions(stateful)
        failure = None
        deleted = 0
        if not stateful["metadata"].get("deletionTimestamp"):
            try:
                deleted = self._step(stateful, pods, current, update)
            except StatusError as error:
                failure = error
        self._write_status(stateful, pods, current, update, deleted)
        if failure is not None:
            raise failure
        self._look_again(stateful, pods)

    def _revisions(self, stateful: Json) -> tuple[str, str]:
        """The names of the current and of the update revision; the template is kept under the latter."""
        metadata, template = stateful["metadata"], stateful["spec"]["template"]
        update = f"{metadata['name']}-{template_hash(template)}"
        known = self._templates.setdefault(metadata["uid"], {})
        known[update] = template
        current = (stateful.get("status") or {}).get("currentRevision", "")
        return (current if current in known else update), update

    def _step(self, stateful: Json, pods: Mapping[int, Json], current: str, update: str) -> int:
        """Create and delete what is next. The number of pods of the current revision that were deleted."""
        first = _first_ordinal(stateful)
        places = range(first, first + stateful["spec"].get("replicas", 1))
        wanted = [self._replica(stateful, ordinal, pods.get(ordinal)) for ordinal in places]
        beyond = sorted((ordinal for ordinal in pods if ordinal not in places), reverse=True)
        condemned = [self._replica(stateful, ordinal, pods[ordinal]) for ordinal in beyond]
        rules = rules_of(stateful, update)
        steps = next_steps(rules, wanted, condemned)
        for ordinal in steps.create:
            revision = current if ordinal < first + rules.partition else update
            self._create(stateful, ordinal, revision)
        for ordinal in steps.delete:
            self._delete(stateful, pods[ordinal])
        return sum(pods[ordinal]["metadata"]["labels"].get(REVISION_LABEL) == current for ordinal in steps.delete)

    def _replica(self, stateful: Json, ordinal: int, pod: Json | None) -> Replica:
        if pod is None:
            return Replica(ordinal)
        wait, now = stateful["spec"].get("minReadySeconds", 0), self._cluster.agenda.now
        ready = ready_since(pod) is not None and pod["status"].get("phase") == "Running"
        return Replica(
            ordinal,
            revision=(pod["metadata"].get("labels") or {}).get(REVISION_LABEL, ""),
            created=True,
            ended=has_ended(pod),
            terminating=bool(pod["metadata"].get("deletionTimestamp")),
            ready=ready,
            available=ready and seconds_until_available(pod, wait, now) == 0,
        )

    def _create(self, stateful: Json, ordinal: int, revision: str) -> None:
        template = self._templates[stateful["metadata"]["uid"]][revision]
        pod = stateful_pod(stateful, template, ordinal, revision)
        name = pod["metadata"]["name"]
        try:
            self._cluster.api.create(self._pods, stateful["metadata"]["namespace"], pod, CONTROLLER)
        except StatusError as error:
            self._record(stateful, "Create", name, error)
            raise
        self._record(stateful, "Create", name, None)

    def _delete(self, stateful: Json, pod: Json) -> None:
        name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
        self._cluster.api.delete(self._pods, namespace, name, {}, CONTROLLER)
        self._record(stateful, "Delete", name, None)

    def _record(self, stateful: Json, verb: str, pod: str, error: StatusError | None) -> None:
        subject = f"{verb} Pod {pod} in StatefulSet {stateful['metadata']['name']}"
        if error is None:
            self._events.record(stateful, "Normal", f"Successful{verb}", f"{subject} successful")
        else:
            self._events.record(stateful, "Warning", f"Failed{verb}", f"{subject} failed error: {error.message}")

    def _write_status(self, stateful: Json, pods: Mapping[int, Json], current: str, update: str, deleted: int) -> None:
        before = stateful.get("status") or {}
        replicas = [self._replica(stateful, ordinal, pod) for ordinal, pod in pods.items()]
        status = {
            **({"conditions": before["conditions"]} if before.get("conditions") else {}),
            **counts_of(replicas, current, update, deleted),
            "observedGeneration": stateful["metadata"].get("generation", 0),
            "currentRevision": current,
            "updateRevision": update,
            "collisionCount": before.get("collisionCount", 0),
        }
        wanted = stateful["spec"].get("replicas", 1)
        if all(status[name] == wanted for name in ("updatedReplicas", "readyReplicas", "replicas")):
            status |= {"currentReplicas": status["updatedReplicas"], "currentRevision": update}
        status = {name: value for name, value in status.items() if value or name in _REQUIRED}
        if status != before:
            metadata, body = stateful["metadata"], {**stateful, "status": status}
            self._cluster.api.update(
                self._sets, metadata["namespace"], metadata["name"], body, CONTROLLER, subresource="status"
            )

    def _look_again(self, stateful: Json, pods: Mapping[int, Json]) -> None:
        wait, now = stateful["spec"].get("minReadySeconds", 0), self._cluster.agenda.now
        ahead = [left for pod in pods.values() if (left := seconds_until_available(pod, wait, now))]
        if ahead:
            metadata = stateful["metadata"]
            self._cluster.queue.add_after(_KEY, (metadata["namespace"], metadata["name"]), min(ahead))


def counts_of(replicas: list[Replica], current: str, update: str, deleted: int) -> dict[str, int]:
    """The numbers of a status; ``deleted`` pods of the current revision are no longer counted as such."""
    staying = [replica for replica in replicas if not replica.terminating]
    return {
        "replicas": len(replicas),
        "readyReplicas": sum(replica.ready for replica in replicas),
        "availableReplicas": sum(replica.available for replica in replicas),
        "currentReplicas": sum(replica.revision == current for replica in staying) - deleted,
        "updatedReplicas": sum(replica.revision == update for replica in staying),
    }


def rules_of(stateful: Json, update: str) -> Rules:
    """What a StatefulSet's spec says of order and updates."""
    spec = stateful["spec"]
    strategy = spec.get("updateStrategy") or {}
    rolling = strategy.get("rollingUpdate") or {}
    most = resolved(rolling.get("maxUnavailable", 1), spec.get("replicas", 1), up=False)
    return Rules(
        ordered=spec.get("podManagementPolicy", "OrderedReady") != "Parallel",
        rolling=strategy.get("type", "RollingUpdate") == "RollingUpdate",
        partition=rolling.get("partition", 0),
        max_unavailable=max(1, most),
        update_revision=update,
    )


def stateful_pod(stateful: Json, template: Json, ordinal: int, revision: str) -> Json:
    """The pod of one place, as ``template`` says."""
    pod = pod_of({**stateful, "spec": {**stateful["spec"], "template": template}})
    name = f"{stateful['metadata']['name']}-{ordinal}"
    labels = {
        **(pod["metadata"].get("labels") or {}),
        "apps.kubernetes.io/pod-index": str(ordinal),
        REVISION_LABEL: revision,
        "statefulset.kubernetes.io/pod-name": name,
    }
    pod["metadata"] |= {"name": name, "labels": labels}
    service = stateful["spec"].get("serviceName")
    identity = {"hostname": name} | ({"subdomain": service} if service else {})
    return {**pod, "spec": {**pod["spec"], **identity}}


def _first_ordinal(stateful: Json) -> int:
    return int((stateful["spec"].get("ordinals") or {}).get("start", 0))


def _ordinal(stateful: Json, pod: Json) -> int | None:
    parent, _, number = pod["metadata"]["name"].rpartition("-")
    return int(number) if parent == stateful["metadata"]["name"] and number.isdigit() else None
