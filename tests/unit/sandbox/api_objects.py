"""An Api on an empty store with one namespace, and the objects that its tests write."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import Any

from mlscale.sandbox.agenda import Agenda
from mlscale.sandbox.patching import MERGE_PATCH
from mlscale.sandbox.store import Store
from mlscale.sandbox.verbs import Api, Caller

Json = dict[str, Any]

START = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
ME = Caller("admin", "me")
NAMESPACE = "lab"
DEPLOYMENTS = "deployments.apps"
MODIFIED = "the object has been modified; please apply your changes to the latest version and try again"


def new_api(seed: int = 1) -> Api:
    """An Api whose namespace ``lab`` has its default service account."""
    api = Api(Store(), Agenda(START), random.Random(seed))
    api.create(api.resources["namespaces"], "", {"metadata": {"name": NAMESPACE}}, ME)
    api.create(api.resources["serviceaccounts"], NAMESPACE, {"metadata": {"name": "default"}}, ME)
    return api


def config_map(name: str, **metadata: Any) -> Json:
    """A ConfigMap with one entry."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, **metadata}, "data": {"a": "1"}}


def deployment(name: str, replicas: int = 1) -> Json:
    """A Deployment of one container."""
    template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    spec = {"replicas": replicas, "selector": {"matchLabels": {"app": name}}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}


def pod(name: str, **spec: Any) -> Json:
    """A Pod of one container."""
    containers = [{"name": "c", "image": "i"}]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {"containers": containers, **spec}}


def definition(*, status: bool = False) -> Json:
    """The CustomResourceDefinition of ``things.a1.example.com``, which scale."""
    scale = {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas",
             "labelSelectorPath": ".status.selector"}  # fmt: skip
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
        "subresources": {"scale": scale, **({"status": {}} if status else {})},
    }
    names = {"kind": "Thing", "plural": "things"}
    spec = {"group": "a1.example.com", "scope": "Namespaced", "names": names, "versions": [version]}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "things.a1.example.com"},
        "spec": spec,
    }


def thing(name: str, **spec: Any) -> Json:
    """A custom resource."""
    return {"apiVersion": "a1.example.com/v1", "kind": "Thing", "metadata": {"name": name}, "spec": spec}


def create(api: Api, key: str, body: Json, **rest: Any) -> Json:
    """Create ``body`` in the namespace."""
    return api.create(api.resources[key], NAMESPACE, body, ME, **rest)


def get(api: Api, key: str, name: str, subresource: str = "") -> Json:
    """An object of the namespace."""
    return api.get(api.resources[key], NAMESPACE, name, subresource)


def merge(api: Api, key: str, name: str, patch: Json, **rest: Any) -> Json:
    """Merge-patch an object of the namespace."""
    return api.patch(api.resources[key], NAMESPACE, name, patch, MERGE_PATCH, ME, **rest)


def update(api: Api, key: str, name: str, body: Json, **rest: Any) -> Json:
    """Replace an object of the namespace."""
    return api.update(api.resources[key], NAMESPACE, name, body, ME, **rest)


def delete(api: Api, key: str, name: str, options: Json | None = None, **rest: Any) -> Json:
    """Delete an object of the namespace."""
    return api.delete(api.resources[key], NAMESPACE, name, options or {}, ME, **rest)
