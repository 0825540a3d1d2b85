"""Role-based access control: who may do what, by the roles and bindings that are stored.

From plugin/pkg/auth/authorizer/rbac/rbac.go and pkg/apis/rbac/v1/evaluation_helpers.go, v1.37.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlscale.sandbox.resources import CLUSTERROLE, CLUSTERROLEBINDING, ROLE, ROLEBINDING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mlscale.sandbox.store import Store

Json = dict[str, Any]

MASTERS = "system:masters"
"""The group that may do everything, whatever is stored."""
_RBAC = "rbac.authorization.k8s.io"


@dataclass(frozen=True)
class User:
    """Who asks."""

    name: str
    groups: tuple[str, ...] = ()
    uid: str = ""


@dataclass(frozen=True)
class Attributes:
    """What is asked for: a resource, or else a ``path`` that is none."""

    verb: str
    group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""


@dataclass(frozen=True)
class Decision:
    """Whether it is allowed, and by which binding; the reason is empty where nothing allows it."""

    allowed: bool
    reason: str = ""


def decide(store: Store, user: User, asked: Attributes) -> Decision:
    """What the stored roles and bindings say. The bindings of the cluster come first, as upstream."""
    if MASTERS in user.groups:
        return Decision(True)
    for rule, reason in _rules_of(store, user, asked.namespace):
        if allows(rule, asked):
            return Decision(True, reason)
    return Decision(False)


def rules_for(store: Store, user: User, namespace: str) -> list[Json]:
    """Every rule that holds for ``user`` in ``namespace``."""
    return [rule for rule, _ in _rules_of(store, user, namespace)]


def allows(rule: Json, asked: Attributes) -> bool:
    """Whether one PolicyRule allows it."""
    if not _has(rule.get("verbs"), asked.verb):
        return False
    if not asked.resource:
        return any(_path_matches(path, asked.path) for path in rule.get("nonResourceURLs") or ())
    names = rule.get("resourceNames")
    return (
        _has(rule.get("apiGroups"), asked.group)
        and _resource_matches(rule.get("resources") or (), asked)
        and (not names or asked.name in names)
    )


def _has(values: Sequence[str] | None, wanted: str) -> bool:
    return bool(values) and ("*" in values or wanted in values)


def _resource_matches(resources: Sequence[str], asked: Attributes) -> bool:
    combined = f"{asked.resource}/{asked.subresource}" if asked.subresource else asked.resource
    if "*" in resources or combined in resources:
        return True
    return bool(asked.subresource) and f"*/{asked.subresource}" in resources


def _path_matches(pattern: str, path: str) -> bool:
    if pattern.endswith("*"):
        return path.startswith(pattern.rstrip("*"))
    return pattern == path


def _rules_of(store: Store, user: User, namespace: str) -> Iterator[tuple[Json, str]]:
    """The rules that hold for ``user``, each with the words for the binding that gives it."""
    bindings = [(binding, "") for binding in store.list(CLUSTERROLEBINDING.resource)]
    if namespace:
        bindings += [(binding, namespace) for binding in store.list(ROLEBINDING.resource, namespace)]
    for binding, scope in bindings:
        subject = next((one for one in binding.get("subjects") or () if _is_subject(one, user, scope)), None)
        if subject is None:
            continue
        reason = _reason(binding, subject, scope)
        for rule in _role_rules(store, binding["roleRef"], scope):
            yield rule, reason


def _is_subject(subject: Json, user: User, namespace: str) -> bool:
    if subject["kind"] == "User":
        return bool(subject["name"] == user.name)
    if subject["kind"] == "Group":
        return subject["name"] in user.groups
    return user.name == f"system:serviceaccount:{subject.get('namespace') or namespace}:{subject['name']}"


def _role_rules(store: Store, role_ref: Json, namespace: str) -> list[Json]:
    if role_ref["kind"] == "ClusterRole":
        role = store.get(CLUSTERROLE.resource, "", role_ref["name"])
    else:
        role = store.get(ROLE.resource, namespace, role_ref["name"])
    return list((role or {}).get("rules") or ())


def _reason(binding: Json, subject: Json, namespace: str) -> str:
    """``RBAC: allowed by RoleBinding "b/ns" of Role "r" to User "jane"``."""
    kind = "RoleBinding" if namespace else "ClusterRoleBinding"
    name = binding["metadata"]["name"] + (f"/{namespace}" if namespace else "")
    of = binding["roleRef"]
    whom = subject["name"]
    if subject["kind"] == "ServiceAccount":
        whom = f"{whom}/{subject.get('namespace') or namespace}"
    return f'RBAC: allowed by {kind} "{name}" of {of["kind"]} "{of["name"]}" to {subject["kind"]} "{whom}"'


def first_roles() -> list[tuple[Json, Json | None]]:
    """The ClusterRoles that every cluster has, each with its binding if it has one, cut to what the sandbox serves.

    From plugin/pkg/auth/authorizer/rbac/bootstrappolicy/policy.go, v1.37.2.
    """
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
