"""Namespaces: what each new one gets, and how one ends.

The rules are those of kubernetes pkg/controller/namespace/deletion, pkg/controller/serviceaccount and
pkg/controller/certificates/rootcacertpublisher, v1.37.2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlscale.sandbox.agenda import timestamp
from mlscale.sandbox.controllers.conditions import condition_of
from mlscale.sandbox.statuses import StatusError
from mlscale.sandbox.verbs import CONTROLLER, Caller

if TYPE_CHECKING:
    from mlscale.sandbox.controllers.cluster import Cluster
    from mlscale.sandbox.resources import Resource
    from mlscale.sandbox.store import Change, Key
    from mlscale.sandbox.verbs import Api

Json = dict[str, Any]

FIRST_NAMESPACES = ("default", "kube-node-lease", "kube-public", "kube-system")
_APISERVER = Caller("system:apiserver", "kube-apiserver")
_ROOT_CA = "kube-root-ca.crt"
_ROOT_CA_DESCRIPTION = (
    "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the "
    "internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes "
    "clusters."
)
_QUEUE = "namespaces"
_ENDING = (
    ("NamespaceDeletionDiscoveryFailure", "ResourcesDiscovered", "All resources successfully discovered"),
    ("NamespaceDeletionGroupVersionParsingFailure", "ParsedGroupVersions", "All legacy kube types successfully parsed"),
    (
        "NamespaceDeletionContentFailure",
        "ContentDeleted",
        "All content successfully deleted, may be waiting on finalization",
    ),
    ("NamespaceContentRemaining", "ContentRemoved", "All content successfully removed"),
    ("NamespaceFinalizersRemaining", "ContentHasNoFinalizers", "All content-preserving finalizers finished"),
)
"""The conditions of a namespace that ends: type, and reason and message while all is well."""


def create_first_namespaces(api: Api) -> None:
    """Create the namespaces that every cluster has."""
    for name in FIRST_NAMESPACES:
        body: Json = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        api.create(api.resources["namespaces"], "", body, _APISERVER)


class NamespaceController:
    """Gives each namespace its service account and root CA; empties and removes those that end."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._ending: set[str] = set()
        cluster.queue.register(_QUEUE, self._sync)
        cluster.watch("namespaces", self._observe)
        cluster.watch("serviceaccounts", self._on_content)
        cluster.watch("configmaps", self._on_content)
        cluster.watch("*", self._on_ending_content)

    def _observe(self, change: Change) -> None:
        name = change.object["metadata"]["name"]
        if change.type == "DELETED":
            self._ending.discard(name)
            self._cluster.queue.forget(_QUEUE, ("", name))
        elif change.before is None or change.object["metadata"].get("deletionTimestamp"):
            self._cluster.queue.add(_QUEUE, ("", name))

    def _on_content(self, change: Change) -> None:
        if change.type == "DELETED" and change.object["metadata"]["name"] in ("default", _ROOT_CA):
            self._cluster.queue.add(_QUEUE, ("", change.object["metadata"]["namespace"]))

    def _on_ending_content(self, change: Change) -> None:
        namespace = change.object["metadata"].get("namespace")
        if change.type == "DELETED" and namespace in self._ending:
            self._cluster.queue.add(_QUEUE, ("", namespace))

    def _sync(self, key: Key) -> None:
        namespace = self._cluster.store.get("namespaces", *key)
        if namespace is None:
            return
        if namespace["metadata"].get("deletionTimestamp"):
            self._end(namespace)
        else:
            self._furnish(key[1])

    def _furnish(self, name: str) -> None:
        account: Json = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}}
        description = {"kubernetes.io/description": _ROOT_CA_DESCRIPTION}
        root_ca: Json = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": _ROOT_CA, "annotations": description},
            "data": {"ca.crt": ""},
        }
        api = self._cluster.api
        for resource, body in (("configmaps", root_ca), ("serviceaccounts", account)):
            if self._cluster.store.get(resource, name, body["metadata"]["name"]) is None:
                api.create(api.resources[resource], name, body, CONTROLLER)

    def _end(self, namespace: Json) -> None:
        name = namespace["metadata"]["name"]
        self._ending.add(name)
        for resource in self._kept():
            for obj in self._cluster.store.list(resource.key, name):
                self._delete(resource, obj)
        left = {resource: count for resource in self._kept() if (count := self._count(resource, name))}
        if left:
            self._report(namespace, left)
            return
        body = {**namespace, "spec": {"finalizers": []}}
        api = self._cluster.api
        api.update(api.resources["namespaces"], "", name, body, CONTROLLER, subresource="finalize")

    def _kept(self) -> list[Resource]:
        """The namespaced resources whose objects are stored."""
        found = self._cluster.api.resources.values()
        return [one for one in found if one.kind.namespaced and "delete" in one.verbs]

    def _count(self, resource: Resource, namespace: str) -> int:
        return len(self._cluster.store.list(resource.key, namespace))

    def _delete(self, resource: Resource, obj: Json) -> None:
        metadata = obj["metadata"]
        if metadata.get("deletionTimestamp"):
            return
        options = {"propagationPolicy": "Background"}
        try:
            self._cluster.api.delete(resource, metadata["namespace"], metadata["name"], options, CONTROLLER)
        except StatusError as error:
            if error.reason != "NotFound":
                raise

    def _report(self, namespace: Json, left: dict[Resource, int]) -> None:
        """Write what still keeps the namespace."""
        listed = sorted(
            f"{one.kind.plural}.{one.kind.group} has {count} resource instances" for one, count in left.items()
        )
        finalizers = self._finalizers(namespace["metadata"]["name"], left)
        problems = {
            "NamespaceContentRemaining": ("SomeResourcesRemain", "Some resources are remaining: " + ", ".join(listed))
        }
        if finalizers:
            message = "Some content in the namespace has finalizers remaining: " + ", ".join(finalizers)
            problems["NamespaceFinalizersRemaining"] = ("SomeFinalizersRemain", message)
        before = namespace.get("status") or {}
        conditions = [self._condition(before, name, problems.get(name), ok) for name, *ok in _ENDING]
        if conditions != before.get("conditions"):
            body = {**namespace, "status": {**before, "conditions": conditions}}
            api = self._cluster.api
            name = namespace["metadata"]["name"]
            api.update(api.resources["namespaces"], "", name, body, CONTROLLER, subresource="status")

    def _condition(self, before: Json, name: str, problem: tuple[str, str] | None, ok: list[str]) -> Json:
        status = "True" if problem else "False"
        reason, message = problem or ok
        current = condition_of(before, name)
        same = current is not None and current["status"] == status
        moment = current["lastTransitionTime"] if current and same else timestamp(self._cluster.agenda.now)
        return {"type": name, "status": status, "lastTransitionTime": moment, "reason": reason, "message": message}

    def _finalizers(self, namespace: str, left: dict[Resource, int]) -> list[str]:
        counted: dict[str, int] = {}
        for resource in left:
            for obj in self._cluster.store.list(resource.key, namespace):
                for finalizer in obj["metadata"].get("finalizers") or ():
                    counted[finalizer] = counted.get(finalizer, 0) + 1
        return sorted(f"{name} in {count} resource instances" for name, count in counted.items())
