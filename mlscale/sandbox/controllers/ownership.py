"""Who owns what: controllers' references, adoption and release.

The rules are those of kubernetes pkg/controller/controller_ref_manager.go, v1.37.2.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from mlscale.kube.placement import matches_labels
from mlscale.sandbox.controllers.pod_facts import PodState, state_of
from mlscale.sandbox.statuses import StatusError
from mlscale.sandbox.verbs import CONTROLLER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from mlscale.kube.kinds import Kind
    from mlscale.sandbox.controllers.cluster import Cluster
    from mlscale.sandbox.resources import Resource
    from mlscale.sandbox.store import Change
    from mlscale.sandbox.verbs import Api

Json = dict[str, Any]


def controller_of(obj: Json) -> Json | None:
    """The owner reference of the controller of ``obj``, or None."""
    references = obj["metadata"].get("ownerReferences") or ()
    return next((reference for reference in references if reference.get("controller")), None)


def controller_reference(owner: Json) -> Json:
    """The reference by which ``owner`` controls what it creates."""
    metadata = owner["metadata"]
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": metadata["name"],
        "uid": metadata["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


class Children:
    """The objects of one resource by the uid of their controller; those without one by namespace."""

    def __init__(self) -> None:
        self._by_owner: dict[str, dict[str, Json]] = {}
        self._orphans: dict[str, dict[str, Json]] = {}

    def observe(self, change: Change) -> None:
        """Take note of a write."""
        name = change.object["metadata"]["name"]
        if change.before is not None and change.type == "DELETED":
            self._group(change.before).pop(name, None)
            self._tidy(change.before)
            return
        if change.before is not None and controller_of(change.before) != controller_of(change.object):
            self._group(change.before).pop(name, None)
        self._group(change.object)[name] = change.object

    def of(self, owner: Json) -> list[Json]:
        """The objects that ``owner`` controls, the oldest first."""
        return list(self._by_owner.get(owner["metadata"]["uid"], {}).values())

    def orphans(self, namespace: str) -> list[Json]:
        """The objects of a namespace that nobody controls."""
        return list(self._orphans.get(namespace, {}).values())

    def _group(self, obj: Json) -> dict[str, Json]:
        reference = controller_of(obj)
        if reference is None:
            return self._orphans.setdefault(obj["metadata"].get("namespace") or "", {})
        return self._by_owner.setdefault(reference["uid"], {})

    def _tidy(self, obj: Json) -> None:
        reference = controller_of(obj)
        if reference is not None and not self._by_owner.get(reference["uid"]):
            self._by_owner.pop(reference["uid"], None)


class ChildPods(Children):
    """Pods by controller, and how many of each controller's are in which state.

    So a controller of thousands of pods need not look at each of them when one changes.
    """

    def __init__(self) -> None:
        super().__init__()
        self._states: dict[str, Counter[PodState]] = {}

    def observe(self, change: Change) -> None:
        """Take note of a write to a pod."""
        super().observe(change)
        if change.before is not None:
            self._count(change.before, -1)
        if change.type != "DELETED":
            self._count(change.object, 1)

    def states(self, owner: Json) -> list[tuple[PodState, int]]:
        """The states that the pods of ``owner`` are in, with the number in each."""
        return list(self._states.get(owner["metadata"]["uid"], {}).items())

    def _count(self, pod: Json, number: int) -> None:
        reference = controller_of(pod)
        if reference is None:
            return
        counted = self._states.setdefault(reference["uid"], Counter())
        state = state_of(pod)
        counted[state] += number
        if not counted[state]:
            del counted[state]
            if not counted:
                del self._states[reference["uid"]]


def owner_keys(change: Change) -> Iterator[tuple[str, str, str]]:
    """Kind, namespace and name of the controllers of an object before and after a change."""
    seen = None
    for obj in (change.object, change.before):
        reference = controller_of(obj) if obj else None
        if obj and reference and reference != seen:
            seen = reference
            yield reference["kind"], obj["metadata"].get("namespace") or "", reference["name"]


def selects(selector: Json | None, labels: Json) -> bool:
    """Whether a controller's ``selector`` (a LabelSelector) takes an object; an empty one takes nothing."""
    if not selector:
        return False
    if not selector.get("matchExpressions"):
        wanted = selector.get("matchLabels") or {}
        return bool(wanted) and labels.items() >= wanted.items()
    return matches_labels(selector, labels)


def own_selector(owner: Json) -> Json | None:
    """The LabelSelector of a workload of the group apps."""
    selector: Json | None = owner["spec"].get("selector")
    return selector


class OwnerEvents:
    """Has each controller of one kind looked at when it, an object that it controls, or an orphan for it changes."""

    def __init__(
        self,
        cluster: Cluster,
        kind: Kind,
        children: str,
        selector_of: Callable[[Json], Json | None] = own_selector,
    ) -> None:
        """``children`` is the resource that objects of ``kind`` control, and adopt by ``selector_of`` them."""
        self._kind = kind
        self._queue = cluster.queue
        self._store = cluster.store
        self._selector_of = selector_of
        cluster.watch(kind.resource, self._on_own)
        cluster.watch(children, self._on_child)

    def _on_own(self, change: Change) -> None:
        key = (change.object["metadata"]["namespace"], change.object["metadata"]["name"])
        if change.type == "DELETED":
            self._queue.forget(self._kind.resource, key)
        else:
            self._queue.add(self._kind.resource, key)

    def _on_child(self, change: Change) -> None:
        for kind, namespace, name in owner_keys(change):
            if kind == self._kind.kind:
                self._queue.add(self._kind.resource, (namespace, name))
        if change.type != "DELETED" and controller_of(change.object) is None:
            self._offer(change.object)

    def _offer(self, orphan: Json) -> None:
        namespace, labels = orphan["metadata"]["namespace"], orphan["metadata"].get("labels") or {}
        for owner in self._store.list(self._kind.resource, namespace):
            if selects(self._selector_of(owner), labels):
                self._queue.add(self._kind.resource, (namespace, owner["metadata"]["name"]))


def claim(api: Api, resource: Resource, owner: Json, children: Children, selector: Json | None) -> list[Json]:
    """The objects of ``resource`` that ``owner`` controls, after adopting orphans that its selector takes and
    letting go of those that it no longer takes."""
    kept = []
    ending = bool(owner["metadata"].get("deletionTimestamp"))
    for child in children.of(owner):
        if selects(selector, child["metadata"].get("labels") or {}):
            kept.append(child)
        elif not ending and not child["metadata"].get("deletionTimestamp"):
            _write_references(api, resource, child, _without(child, owner))
    if ending:
        return kept
    return kept + list(_adopt(api, resource, owner, children, selector))


def _adopt(api: Api, resource: Resource, owner: Json, children: Children, selector: Json | None) -> Iterator[Json]:
    for orphan in children.orphans(owner["metadata"]["namespace"]):
        metadata = orphan["metadata"]
        ended = (orphan.get("status") or {}).get("phase") in ("Succeeded", "Failed")
        if ended or metadata.get("deletionTimestamp") or not selects(selector, metadata.get("labels") or {}):
            continue
        references = [*(metadata.get("ownerReferences") or ()), controller_reference(owner)]
        adopted = _write_references(api, resource, orphan, references)
        if adopted is not None:
            yield adopted


def _without(child: Json, owner: Json) -> list[Json]:
    uid = owner["metadata"]["uid"]
    return [reference for reference in child["metadata"].get("ownerReferences") or () if reference["uid"] != uid]


def _write_references(api: Api, resource: Resource, child: Json, references: Iterable[Json]) -> Json | None:
    metadata = {name: value for name, value in child["metadata"].items() if name != "ownerReferences"}
    listed = list(references)
    if listed:
        metadata["ownerReferences"] = listed
    body = {**child, "metadata": metadata}
    try:
        return api.update(resource, metadata.get("namespace") or "", metadata["name"], body, CONTROLLER)
    except StatusError:
        return None
