"""Garbage collection: what goes with its owner, before it or stays.

The rules are those of kubernetes pkg/controller/garbagecollector/garbagecollector.go, v1.37.2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlscale.sandbox.statuses import StatusError
from mlscale.sandbox.verbs import Caller

if TYPE_CHECKING:
    from mlscale.sandbox.controllers.cluster import Cluster
    from mlscale.sandbox.store import Change, Key

Json = dict[str, Any]
Place = tuple[str, str, str]
"""Resource, namespace and name."""

GARBAGE_COLLECTOR = Caller("system:serviceaccount:kube-system:generic-garbage-collector", "kube-controller-manager")
ORPHAN = "orphan"
FOREGROUND = "foregroundDeletion"
_QUEUE = "garbage"


class GarbageCollector:
    """Deletes objects whose owners are gone; lets owners go that wait for their dependents."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._alive: dict[str, Place] = {}
        self._dependents: dict[str, dict[str, Place]] = {}
        cluster.queue.register(_QUEUE, self._sync)
        cluster.watch("*", self._observe)

    def _observe(self, change: Change) -> None:
        if change.resource == "events":
            return
        metadata = change.object["metadata"]
        uid, place = metadata["uid"], (change.resource, metadata.get("namespace") or "", metadata["name"])
        owners = _owners(change.object)
        if change.type == "DELETED":
            self._gone(uid, owners)
            return
        self._alive[uid] = place
        for owner in _owners(change.before) - owners if change.before else ():
            self._forget_dependent(owner, uid)
        for owner in owners:
            self._dependents.setdefault(owner, {})[uid] = place
        if not owners <= self._alive.keys() or _is_waiting(metadata):
            self._look_at(uid)

    def _gone(self, uid: str, owners: set[str]) -> None:
        self._alive.pop(uid, None)
        self._cluster.queue.forget(_QUEUE, ("", uid))
        for owner in owners:
            self._forget_dependent(owner, uid)
            if owner in self._alive:
                self._look_at(owner)
        for dependent in self._dependents.get(uid, ()):
            self._look_at(dependent)

    def _forget_dependent(self, owner: str, uid: str) -> None:
        dependents = self._dependents.get(owner, {})
        dependents.pop(uid, None)
        if not dependents:
            self._dependents.pop(owner, None)

    def _look_at(self, uid: str) -> None:
        self._cluster.queue.add(_QUEUE, ("", uid))

    def _sync(self, key: Key) -> None:
        uid = key[1]
        place = self._alive.get(uid)
        obj = self._cluster.store.get(*place) if place else None
        if place is None or obj is None:
            self._cluster.queue.forget(_QUEUE, key)
            return
        finalizers = obj["metadata"].get("finalizers") or ()
        if obj["metadata"].get("deletionTimestamp"):
            if ORPHAN in finalizers:
                self._orphan_dependents(uid)
                self._drop_finalizer(place, obj, ORPHAN)
            elif FOREGROUND in finalizers:
                self._delete_dependents(uid, place, obj)
            return
        self._collect(place, obj)

    def _orphan_dependents(self, uid: str) -> None:
        for place in list(self._dependents.get(uid, {}).values()):
            dependent = self._cluster.store.get(*place)
            if dependent is not None:
                self._drop_owners(place, dependent, {uid})

    def _delete_dependents(self, uid: str, place: Place, owner: Json) -> None:
        """Delete what blocks ``owner``; once nothing does, let it go."""
        blocking = 0
        for dependent_place in list(self._dependents.get(uid, {}).values()):
            dependent = self._cluster.store.get(*dependent_place)
            if dependent is None:
                continue
            blocking += any(
                reference["uid"] == uid and reference.get("blockOwnerDeletion")
                for reference in dependent["metadata"]["ownerReferences"]
            )
            if not dependent["metadata"].get("deletionTimestamp"):
                self._look_at(dependent["metadata"]["uid"])
        if not blocking:
            self._drop_finalizer(place, owner, FOREGROUND)

    def _collect(self, place: Place, obj: Json) -> None:
        """Delete ``obj`` if its owners are gone or wait for it; drop the references to those that are gone."""
        owners = _owners(obj)
        waiting = {uid for uid in owners if self._waits_for_dependents(uid)}
        gone = {uid for uid in owners if uid not in self._alive}
        if owners - waiting - gone:
            if waiting or gone:
                self._drop_owners(place, obj, waiting | gone)
            return
        if waiting and self._dependents.get(obj["metadata"]["uid"]):
            self._delete(place, obj, "Foreground")
        elif owners:
            self._delete(place, obj, _policy_of(obj))

    def _waits_for_dependents(self, uid: str) -> bool:
        place = self._alive.get(uid)
        owner = self._cluster.store.get(*place) if place else None
        metadata = owner["metadata"] if owner else {}
        return bool(metadata.get("deletionTimestamp")) and FOREGROUND in (metadata.get("finalizers") or ())

    def _delete(self, place: Place, obj: Json, policy: str) -> None:
        resource, namespace, name = place
        options = {"preconditions": {"uid": obj["metadata"]["uid"]}, "propagationPolicy": policy}
        api = self._cluster.api
        try:
            api.delete(api.resources[resource], namespace, name, options, GARBAGE_COLLECTOR)
        except StatusError as error:
            if error.reason != "NotFound":
                raise

    def _drop_owners(self, place: Place, obj: Json, owners: set[str]) -> None:
        references = [one for one in obj["metadata"].get("ownerReferences") or () if one["uid"] not in owners]
        self._write(place, obj, "ownerReferences", references)

    def _drop_finalizer(self, place: Place, obj: Json, finalizer: str) -> None:
        self._write(place, obj, "finalizers", [one for one in obj["metadata"]["finalizers"] if one != finalizer])

    def _write(self, place: Place, obj: Json, field: str, value: list[Any]) -> None:
        resource, namespace, name = place
        metadata = {key: kept for key, kept in obj["metadata"].items() if key != field}
        if value:
            metadata[field] = value
        api = self._cluster.api
        api.update(api.resources[resource], namespace, name, {**obj, "metadata": metadata}, GARBAGE_COLLECTOR)


def _owners(obj: Json) -> set[str]:
    return {reference["uid"] for reference in obj["metadata"].get("ownerReferences") or ()}


def _is_waiting(metadata: Json) -> bool:
    finalizers = metadata.get("finalizers") or ()
    return bool(metadata.get("deletionTimestamp")) and (ORPHAN in finalizers or FOREGROUND in finalizers)


def _policy_of(obj: Json) -> str:
    finalizers = obj["metadata"].get("finalizers") or ()
    if ORPHAN in finalizers:
        return "Orphan"
    return "Foreground" if FOREGROUND in finalizers else "Background"
