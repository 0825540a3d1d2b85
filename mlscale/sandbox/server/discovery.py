"""Which groups, versions and resources there are, in the old and the aggregated form of discovery."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Any

from mlscale.kube.kinds import HPA, Kind
from mlscale.sandbox.resources import Resource

if TYPE_CHECKING:
    from collections.abc import Iterable

Json = dict[str, Any]
Catalogue = dict[str, dict[str, list[Resource]]]
"""Resources by group and version, in the order in which they are told."""

METRICS_GROUP = "metrics.k8s.io"
_CREATE = ("create",)
REVIEWS: tuple[Resource, ...] = (
    Resource(
        Kind("authentication.k8s.io", "v1", "SelfSubjectReview", "selfsubjectreviews", namespaced=False), verbs=_CREATE
    ),
    Resource(
        Kind("authorization.k8s.io", "v1", "LocalSubjectAccessReview", "localsubjectaccessreviews"), verbs=_CREATE
    ),
    Resource(
        Kind("authorization.k8s.io", "v1", "SelfSubjectAccessReview", "selfsubjectaccessreviews", namespaced=False),
        verbs=_CREATE,
    ),
    Resource(
        Kind("authorization.k8s.io", "v1", "SelfSubjectRulesReview", "selfsubjectrulesreviews", namespaced=False),
        verbs=_CREATE,
    ),
    Resource(
        Kind("authorization.k8s.io", "v1", "SubjectAccessReview", "subjectaccessreviews", namespaced=False),
        verbs=_CREATE,
    ),
)
"""Questions that are answered and not stored."""
_GROUPS = (
    "", "apps", "authentication.k8s.io", "authorization.k8s.io", "autoscaling", "batch", "policy",
    "rbac.authorization.k8s.io", "apiextensions.k8s.io",
)  # fmt: skip
_SUBRESOURCE_VERBS = ("get", "patch", "update")
_SUBRESOURCE_KINDS = {
    "scale": ("autoscaling", "v1", "Scale", _SUBRESOURCE_VERBS),
    "token": ("authentication.k8s.io", "v1", "TokenRequest", _CREATE),
}


def catalogue(resources: Iterable[Resource]) -> Catalogue:
    """The served ``resources`` and the reviews; HPAs in v1 too, to which kubectl turns when v2 refuses."""
    by_group: Catalogue = {group: {} for group in _GROUPS}
    for resource in [*resources, *REVIEWS]:
        by_group.setdefault(resource.kind.group, {}).setdefault(resource.kind.version, []).append(resource)
    if HPA.group in by_group and HPA.version in by_group[HPA.group]:
        by_group[HPA.group]["v1"] = by_group[HPA.group][HPA.version]
    # The metrics come from a server of their own, behind all that the API server has itself.
    by_group[METRICS_GROUP] = by_group.pop(METRICS_GROUP, {})
    return {group: versions for group, versions in by_group.items() if versions}


def api_versions(address: str) -> Json:
    """``/api``; ``address`` is the server's host and port."""
    where = [{"clientCIDR": "0.0.0.0/0", "serverAddress": address}]
    return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": where}


def group_list(known: Catalogue) -> Json:
    """``/apis``."""
    groups = [_group(group, versions) for group, versions in known.items() if group]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}


def group_document(known: Catalogue, group: str) -> Json:
    """``/apis/GROUP``. Raises KeyError."""
    return {"kind": "APIGroup", "apiVersion": "v1", **_group(group, known[group])}


def resource_list(known: Catalogue, group: str, version: str) -> Json:
    """``/apis/GROUP/VERSION``, or ``/api/v1``. Raises KeyError."""
    document: Json = {"kind": "APIResourceList"}
    if group:
        document["apiVersion"] = "v1"
    entries = [entry for resource in known[group][version] for entry in _entries(resource)]
    return {**document, "groupVersion": _group_version(group, version), "resources": entries}


def aggregated(known: Catalogue, *, core: bool) -> Json:
    """``/api`` or ``/apis`` as APIGroupDiscoveryList v2."""
    items = [_aggregated_group(group, versions) for group, versions in known.items() if (group == "") == core]
    return {"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items}


def _group(group: str, versions: dict[str, list[Resource]]) -> Json:
    told = [{"groupVersion": _group_version(group, version), "version": version} for version in versions]
    return {"name": group, "versions": told, "preferredVersion": told[0]}


def _group_version(group: str, version: str) -> str:
    return f"{group}/{version}" if group else version


def _subresources(resource: Resource) -> tuple[str, ...]:
    """In the order of their names; a ServiceAccount's tokens are made by the server itself."""
    own = (*resource.subresources, "token") if resource.kind.kind == "ServiceAccount" else resource.subresources
    return tuple(sorted(own))


def _singular(kind: Kind) -> str:
    return "" if kind.group == METRICS_GROUP else kind.singular


def _words(resource: Resource) -> Json:
    words: Json = {}
    if resource.kind.short_names:
        words["shortNames"] = list(resource.kind.short_names)
    if resource.categories:
        words["categories"] = list(resource.categories)
    return words


def _entries(resource: Resource) -> list[Json]:
    kind = resource.kind
    own: Json = {"name": kind.plural, "singularName": _singular(kind), "namespaced": kind.namespaced}
    own |= {"kind": kind.kind, "verbs": list(resource.verbs), **_words(resource)}
    if "create" in resource.verbs and "get" in resource.verbs:
        own["storageVersionHash"] = _storage_version_hash(kind)
    return [own, *(_subresource_entry(resource, name) for name in _subresources(resource))]


def _subresource_entry(resource: Resource, subresource: str) -> Json:
    kind = resource.kind
    entry: Json = {"name": f"{kind.plural}/{subresource}", "singularName": "", "namespaced": kind.namespaced}
    if subresource not in _SUBRESOURCE_KINDS:
        return {**entry, "kind": kind.kind, "verbs": list(_SUBRESOURCE_VERBS)}
    group, version, name, verbs = _SUBRESOURCE_KINDS[subresource]
    return {**entry, "group": group, "version": version, "kind": name, "verbs": list(verbs)}


def _storage_version_hash(kind: Kind) -> str:
    """As apiserver pkg/endpoints/discovery StorageVersionHash: of ``apps/v1/Deployment``, ``/v1/Pod``."""
    named = f"{kind.group}/{kind.version}/{kind.kind}".encode()
    return base64.b64encode(hashlib.sha256(named).digest()[:8]).decode()


def _aggregated_group(group: str, versions: dict[str, list[Resource]]) -> Json:
    told = [
        {"version": version, "resources": [_aggregated_entry(one) for one in resources], "freshness": "Current"}
        for version, resources in versions.items()
    ]
    return {"metadata": {"name": group} if group else {}, "versions": told}


def _aggregated_entry(resource: Resource) -> Json:
    kind = resource.kind
    entry: Json = {
        "resource": kind.plural,
        "responseKind": {"group": "", "version": "", "kind": kind.kind},
        "scope": "Namespaced" if kind.namespaced else "Cluster",
        "singularResource": _singular(kind),
        "verbs": list(resource.verbs),
        **_words(resource),
    }
    if subresources := _subresources(resource):
        entry["subresources"] = [_aggregated_subresource(kind, name) for name in subresources]
    return entry


def _aggregated_subresource(kind: Kind, subresource: str) -> Json:
    group, version, name, verbs = _SUBRESOURCE_KINDS.get(subresource, ("", "", kind.kind, _SUBRESOURCE_VERBS))
    response_kind = {"group": group, "version": version, "kind": name}
    return {"subresource": subresource, "responseKind": response_kind, "verbs": list(verbs)}
