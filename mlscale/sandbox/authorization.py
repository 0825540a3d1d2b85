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
    return values is not None and ("*" in values or wanted in values)


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
