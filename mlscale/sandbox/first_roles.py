"""The ClusterRoles that every cluster has, cut to what the sandbox serves.

From plugin/pkg/auth/authorizer/rbac/bootstrappolicy/policy.go, v1.37.2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlscale.sandbox.authorization import MASTERS
from mlscale.sandbox.resources import CLUSTERROLE, CLUSTERROLEBINDING

if TYPE_CHECKING:
    from collections.abc import Sequence

Json = dict[str, Any]

_RBAC = CLUSTERROLE.group


def first_roles() -> list[tuple[Json, Json | None]]:
    """Each role with its binding, if it has one."""
    view = [_rule(group, resources, _READ) for group, resources in _VIEWED.items()]
    edit = [*(_rule(group, resources, _WRITE) for group, resources in _EDITED.items()), *_EDIT_TOO, *view]
    admin = [*edit, _rule(_RBAC, ("rolebindings", "roles"), (*_WRITE, *_READ))]
    authenticated = _group("system:authenticated")
    return [
        (_role("admin", admin), None),
        (_role("edit", edit), None),
        (_role("view", view), None),
        (_role("cluster-admin", _EVERYTHING), _binding("cluster-admin", [_group(MASTERS)])),
        (_role("system:basic-user", _SELF), _binding("system:basic-user", [authenticated])),
        (_role("system:discovery", [_paths(_DISCOVERY)]), _binding("system:discovery", [authenticated])),
        (
            _role("system:public-info-viewer", [_paths(_PUBLIC)]),
            _binding("system:public-info-viewer", [authenticated, _group("system:unauthenticated")]),
        ),
    ]


_READ = ("get", "list", "watch")
_WRITE = ("create", "delete", "deletecollection", "patch", "update")
_PUBLIC = ("/healthz", "/livez", "/readyz", "/version", "/version/")
_DISCOVERY = ("/api", "/api/*", "/apis", "/apis/*", "/openapi", "/openapi/*", *_PUBLIC)
_SCALABLE = (
    "deployments",
    "deployments/scale",
    "replicasets",
    "replicasets/scale",
    "statefulsets",
    "statefulsets/scale",
)
_STATUS = ("daemonsets/status", "deployments/status", "replicasets/status", "statefulsets/status")
_VIEWED = {
    "": (
        "configmaps", "events", "limitranges", "namespaces", "namespaces/status", "pods", "pods/status",
        "replicationcontrollers", "replicationcontrollers/scale", "replicationcontrollers/status", "resourcequotas",
        "resourcequotas/status", "serviceaccounts", "services", "services/status",
    ),
    "apps": ("daemonsets", *_SCALABLE, *_STATUS),
    "autoscaling": ("horizontalpodautoscalers", "horizontalpodautoscalers/status"),
    "batch": ("cronjobs", "cronjobs/status", "jobs", "jobs/status"),
    "policy": ("poddisruptionbudgets", "poddisruptionbudgets/status"),
    "metrics.k8s.io": ("pods", "nodes"),
}  # fmt: skip
_EDITED = {
    "": (
        "configmaps", "events", "pods", "replicationcontrollers", "replicationcontrollers/scale", "serviceaccounts",
        "services",
    ),
    "apps": ("daemonsets", *_SCALABLE),
    "autoscaling": ("horizontalpodautoscalers",),
    "batch": ("cronjobs", "jobs"),
    "policy": ("poddisruptionbudgets",),
}  # fmt: skip


def _rule(group: str, resources: Sequence[str], verbs: Sequence[str]) -> Json:
    return {"verbs": list(verbs), "apiGroups": [group], "resources": list(resources)}


_EDIT_TOO = [_rule("", ("serviceaccounts",), ("impersonate",)), _rule("", ("serviceaccounts/token",), ("create",))]
_SELF = [
    _rule("authorization.k8s.io", ("selfsubjectaccessreviews", "selfsubjectrulesreviews"), ("create",)),
    _rule("authentication.k8s.io", ("selfsubjectreviews",), ("create",)),
]
_EVERYTHING = [_rule("*", ("*",), ("*",)), {"verbs": ["*"], "nonResourceURLs": ["*"]}]


def _paths(paths: Sequence[str]) -> Json:
    return {"verbs": ["get"], "nonResourceURLs": list(paths)}


def _group(name: str) -> Json:
    return {"kind": "Group", "apiGroup": _RBAC, "name": name}


def _metadata(name: str) -> Json:
    return {
        "name": name,
        "labels": {"kubernetes.io/bootstrapping": "rbac-defaults"},
        "annotations": {"rbac.authorization.kubernetes.io/autoupdate": "true"},
    }


def _role(name: str, rules: list[Json]) -> Json:
    return {"kind": CLUSTERROLE.kind, "apiVersion": f"{_RBAC}/v1", "metadata": _metadata(name), "rules": rules}


def _binding(name: str, subjects: list[Json]) -> Json:
    role_ref = {"apiGroup": _RBAC, "kind": CLUSTERROLE.kind, "name": name}
    head = {"kind": CLUSTERROLEBINDING.kind, "apiVersion": f"{_RBAC}/v1", "metadata": _metadata(name)}
    return {**head, "subjects": subjects, "roleRef": role_ref}
