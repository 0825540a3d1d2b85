"""The ReplicaSets of a Deployment: which is the new one, what their annotations say, which are superfluous.

The rules are those of kubernetes pkg/controller/deployment/util/deployment_util.go and sync.go, v1.37.2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlscale.sandbox.controllers.ownership import controller_reference
from mlscale.sandbox.controllers.pod_template import HASH_LABEL, same_template, template_hash
from mlscale.sandbox.controllers.rollout import DESIRED, MOST, Copies, Goal

if TYPE_CHECKING:
    from collections.abc import Sequence

Json = dict[str, Any]

REVISION = "deployment.kubernetes.io/revision"
HISTORY = "deployment.kubernetes.io/revision-history"
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_NOT_COPIED = (_LAST_APPLIED, REVISION, HISTORY, DESIRED, MOST, "deprecated.deployment.rollback.to")
_NO_LIMIT = 2**31 - 1
_LONGEST_HISTORY = 2_000
_LONGEST_NAME = 253


def by_age(replicaset: Json) -> tuple[str, str]:
    """A sort key: the oldest first."""
    return replicaset["metadata"].get("creationTimestamp") or "", replicaset["metadata"]["name"]


def split(deployment: Json, replicasets: Sequence[Json]) -> tuple[Json | None, list[Json]]:
    """The oldest ReplicaSet that has the Deployment's template, and all others, the oldest first."""
    ordered = sorted(replicasets, key=by_age)
    template = deployment["spec"]["template"]
    new = next((one for one in ordered if same_template(one["spec"]["template"], template)), None)
    return new, [one for one in ordered if one is not new]


def revision(obj: Json) -> int:
    """Its revision, 0 when it says none."""
    text = (obj["metadata"].get("annotations") or {}).get(REVISION, "0")
    return int(text) if text.isdigit() else 0


def next_revision(old: Sequence[Json]) -> int:
    """The number after those of the old ReplicaSets."""
    return max((revision(one) for one in old), default=0) + 1


def copies_of(replicaset: Json) -> Copies:
    """The numbers of a ReplicaSet."""
    metadata = replicaset["metadata"]
    annotations = metadata.get("annotations") or {}
    return Copies(
        metadata["name"],
        replicaset["spec"].get("replicas", 1),
        (replicaset.get("status") or {}).get("availableReplicas", 0),
        metadata.get("creationTimestamp") or "",
        _number(annotations.get(DESIRED)),
        _number(annotations.get(MOST)),
    )


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isdigit() else None


def new_replicaset(deployment: Json, number: int, replicas: int, goal: Goal) -> Json:
    """The ReplicaSet of a template that has none yet."""
    spec, metadata = deployment["spec"], deployment["metadata"]
    name_hash = template_hash(spec["template"], (deployment.get("status") or {}).get("collisionCount"))
    template_metadata = spec["template"].get("metadata") or {}
    labels = {**(template_metadata.get("labels") or {}), HASH_LABEL: name_hash}
    selector = spec["selector"]
    annotations = _copied(deployment) | {REVISION: str(number)} | size_annotations(goal)
    wait = {"minReadySeconds": spec["minReadySeconds"]} if spec.get("minReadySeconds") else {}
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": f"{metadata['name'][: _LONGEST_NAME - 1 - len(name_hash)]}-{name_hash}",
            "namespace": metadata["namespace"],
            "labels": labels,
            "annotations": annotations,
            "ownerReferences": [controller_reference(deployment)],
        },
        "spec": {
            "replicas": replicas,
            **wait,
            "selector": {**selector, "matchLabels": {**(selector.get("matchLabels") or {}), HASH_LABEL: name_hash}},
            "template": {**spec["template"], "metadata": {**template_metadata, "labels": labels}},
        },
    }


def size_annotations(goal: Goal) -> dict[str, str]:
    """What a ReplicaSet notes of its Deployment's size."""
    return {DESIRED: str(goal.replicas), MOST: str(goal.most)}


def _copied(deployment: Json) -> dict[str, str]:
    annotations = deployment["metadata"].get("annotations") or {}
    return {name: value for name, value in annotations.items() if name not in _NOT_COPIED}


def renewed(deployment: Json, replicaset: Json, number: int) -> Json:
    """The new ReplicaSet with what its Deployment says now; the same one when nothing differs.

    Going back to a template makes its ReplicaSet the newest revision; the earlier one is noted in its history.
    """
    before: dict[str, str] = replicaset["metadata"].get("annotations") or {}
    annotations = {**before, **_copied(deployment)}
    earlier = revision(replicaset)
    if earlier < number:
        annotations[REVISION] = str(number)
        if REVISION in before:
            annotations[HISTORY] = _longer_history(before.get(HISTORY, ""), before[REVISION])
    wait = deployment["spec"].get("minReadySeconds", 0)
    if annotations == before and replicaset["spec"].get("minReadySeconds", 0) == wait:
        return replicaset
    spec = {**replicaset["spec"], "minReadySeconds": wait}
    return {**replicaset, "metadata": {**replicaset["metadata"], "annotations": annotations}, "spec": spec}


def _longer_history(history: str, earlier: str) -> str:
    listed = [*history.split(","), earlier] if history else [earlier]
    while len(",".join(listed)) > _LONGEST_HISTORY:
        listed.pop(0)
    return ",".join(listed)


def superfluous(deployment: Json, old: Sequence[Json]) -> list[Json]:
    """The old ReplicaSets without pods beyond revisionHistoryLimit, the oldest revisions first."""
    limit = deployment["spec"].get("revisionHistoryLimit", _NO_LIMIT)
    alive = [one for one in old if not one["metadata"].get("deletionTimestamp")]
    beyond = len(alive) - limit
    if limit == _NO_LIMIT or beyond <= 0:
        return []
    ordered = sorted(alive, key=lambda one: (revision(one), *by_age(one)))
    return [one for one in ordered[:beyond] if _is_empty(one)]


def _is_empty(replicaset: Json) -> bool:
    status = replicaset.get("status") or {}
    observed = replicaset["metadata"].get("generation", 0) <= status.get("observedGeneration", 0)
    return observed and not status.get("replicas") and not replicaset["spec"].get("replicas", 1)
