"""CustomResourceDefinitions: each makes a resource that is stored, scaled and listed like the others.

Its schema is kept but not enforced (apiextensions-apiserver, v1.37.2).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlscale.kube.kinds import Kind
from mlscale.sandbox.agenda import timestamp
from mlscale.sandbox.resources import DEFINITIONS, Resource
from mlscale.sandbox.scales import ScalePaths

if TYPE_CHECKING:
    from mlscale.sandbox.verbs import Api

Json = dict[str, Any]


def serve(api: Api, definition: Json) -> Json:
    """Have ``api`` serve what the definition describes; return the definition, established."""
    resource = resource_of(definition)
    api.resources[resource.key] = resource
    scale = _storage_version(definition).get("subresources", {}).get("scale")
    if scale:
        paths = ScalePaths(scale["specReplicasPath"], scale["statusReplicasPath"], scale.get("labelSelectorPath", ""))
        api.scale_paths[resource.key] = paths
    status = _established(definition, timestamp(api.agenda.now))
    if definition.get("status", {}).get("conditions"):
        return definition
    return api.store.put(DEFINITIONS.key, {**definition, "status": status})


def defaulted(definition: Json) -> Json:
    """A definition with the names and the conversion that it leaves to the server."""
    spec = definition.get("spec") or {}
    names = dict(spec.get("names") or {})
    names.setdefault("singular", names.get("kind", "").lower())
    names.setdefault("listKind", f"{names.get('kind', '')}List")
    spec = {**spec, "names": names, "conversion": spec.get("conversion") or {"strategy": "None"}}
    return {**definition, "spec": spec}


def withdraw(api: Api, definition: Json) -> None:
    """Serve it no longer, and remove its objects."""
    resource = resource_of(definition)
    api.resources.pop(resource.key, None)
    api.scale_paths.pop(resource.key, None)
    for obj in api.store.list(resource.key):
        api.store.remove(resource.key, obj["metadata"].get("namespace", ""), obj["metadata"]["name"])


def resource_of(definition: Json) -> Resource:
    """The resource that a definition describes, at its storage version."""
    spec, version = definition["spec"], _storage_version(definition)
    names, subresources = spec["names"], tuple(sorted(version.get("subresources") or {}))
    kind = Kind(
        spec["group"],
        version["name"],
        names["kind"],
        names["plural"],
        scalable="scale" in subresources,
        namespaced=spec["scope"] == "Namespaced",
        short_names=tuple(names.get("shortNames") or ()),
    )
    return Resource(kind, subresources=subresources, categories=tuple(names.get("categories") or ()))


def _storage_version(definition: Json) -> Json:
    version: Json = next(each for each in definition["spec"]["versions"] if each.get("storage"))
    return version


def _established(definition: Json, now: str) -> Json:
    conditions = [
        _condition("NamesAccepted", "NoConflicts", "no conflicts found", now),
        _condition("Established", "InitialNamesAccepted", "the initial names have been accepted", now),
    ]
    stored = [_storage_version(definition)["name"]]
    return {"conditions": conditions, "acceptedNames": definition["spec"]["names"], "storedVersions": stored}


def _condition(type_: str, reason: str, message: str, now: str) -> Json:
    return {"type": type_, "status": "True", "lastTransitionTime": now, "reason": reason, "message": message}
