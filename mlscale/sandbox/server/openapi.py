"""As much of OpenAPI as kubectl reads before it writes: that PATCH takes dryRun and fieldValidation (version 3).

The schemas of the fields are left out: kubectl then takes the merge keys of built-in kinds from its own types, and
unknown fields are told by the server.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlscale.kube.kinds import Kind
    from mlscale.sandbox.server.discovery import Catalogue

Json = dict[str, Any]
V2_PROTOBUF = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
"""How kubectl asks for version 2, against which it holds what comes in a List."""
V2: Json = {"swagger": "2.0", "info": {"title": "Kubernetes", "version": "v1.37.2"}, "paths": {}}
"""Without definitions kubectl leaves the fields of a List's items to the server."""
V2_AS_PROTOBUF = b"\n\x032.0\x12\x15\n\nKubernetes\x12\x07v1.37.2"
"""``V2`` as openapi.v2.Document: 1 swagger, 2 info (1 title, 2 version)."""
_PARAMETERS = [
    {"name": name, "in": "query", "schema": {"type": kind, "uniqueItems": True}}
    for name, kind in (("dryRun", "string"), ("fieldManager", "string"), ("fieldValidation", "string"))
] + [{"name": "force", "in": "query", "schema": {"type": "boolean", "uniqueItems": True}}]


def openapi_index(known: Catalogue) -> Json:
    """``/openapi/v3``: where the document of each group and version is; its hash makes it cacheable."""
    paths = {}
    for group, versions in known.items():
        for version in versions:
            path = f"apis/{group}/{version}" if group else f"api/{version}"
            paths[path] = {"serverRelativeURL": f"/openapi/v3/{path}?hash={_hash(known, group, version)}"}
    return {"paths": paths}


def openapi_document(known: Catalogue, group: str, version: str) -> Json:
    """``/openapi/v3/apis/GROUP/VERSION``, or ``/openapi/v3/api/v1``. Raises KeyError."""
    paths = {
        _path(resource.kind, version): {"patch": _patch(resource.kind, version)}
        for resource in known[group][version]
        if "patch" in resource.verbs
    }
    info = {"title": "Kubernetes", "version": "1.37"}
    return {"openapi": "3.0.0", "info": info, "paths": paths, "components": {"schemas": {}}}


def _hash(known: Catalogue, group: str, version: str) -> str:
    text = json.dumps(openapi_document(known, group, version))
    return hashlib.sha512(text.encode()).hexdigest().upper()


def _path(kind: Kind, version: str) -> str:
    root = f"/apis/{kind.group}/{version}" if kind.group else f"/api/{version}"
    namespace = "/namespaces/{namespace}" if kind.namespaced else ""
    return f"{root}{namespace}/{kind.plural}/{{name}}"


def _patch(kind: Kind, version: str) -> Json:
    return {
        "parameters": _PARAMETERS,
        "responses": {"200": {"description": "OK"}},
        "x-kubernetes-action": "patch",
        "x-kubernetes-group-version-kind": {"group": kind.group, "version": version, "kind": kind.kind},
    }
