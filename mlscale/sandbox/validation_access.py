"""What is wrong with roles and their bindings (pkg/apis/rbac/validation/validation.go, v1.37.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlscale.sandbox import formats
from mlscale.sandbox.causes import IMMUTABLE, each_invalid, invalid, not_supported, required

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlscale.sandbox.statuses import Cause

Json = dict[str, Any]

_GROUP = "rbac.authorization.k8s.io"
_SUBJECTS = ("ServiceAccount", "User", "Group")


def role_causes(role: Json, _before: Json | None) -> Iterator[Cause]:
    """The rules of a Role or a ClusterRole; missing verbs are judged last, as upstream does declaratively."""
    namespaced = role.get("kind") == "Role"
    rules = role.get("rules") or []
    for index, rule in enumerate(rules):
        yield from _rule(f"rules[{index}]", rule, namespaced)
    for index, rule in enumerate(rules):
        if not rule.get("verbs"):
            yield required(f"rules[{index}].verbs")


def binding_causes(binding: Json, before: Json | None) -> Iterator[Cause]:
    """Role and subjects of a binding; the role of a stored one does not change.

    Missing names are judged last, as upstream does declaratively.
    """
    namespaced = binding.get("kind") == "RoleBinding"
    reference = binding.get("roleRef") or {}
    group, kind, name = (reference.get(key) or "" for key in ("apiGroup", "kind", "name"))
    if group != _GROUP:
        yield not_supported("roleRef.apiGroup", group, (_GROUP,))
    kinds = ("Role", "ClusterRole") if namespaced else ("ClusterRole",)
    if kind not in kinds:
        yield not_supported("roleRef.kind", kind, kinds)
    yield from each_invalid("roleRef.name", name, formats.path_segment(name))
    for index, subject in enumerate(binding.get("subjects") or []):
        yield from _subject(f"subjects[{index}]", subject, namespaced)
    if before is not None and reference != (before.get("roleRef") or {}):
        yield invalid("roleRef", {"APIGroup": group, "Kind": kind, "Name": name}, IMMUTABLE)
    if not name:
        yield required("roleRef.name")
    for index, subject in enumerate(binding.get("subjects") or []):
        if not subject.get("name"):
            yield required(f"subjects[{index}].name")


def _rule(path: str, rule: Json, namespaced: bool) -> Iterator[Cause]:
    urls = rule.get("nonResourceURLs")
    if urls:
        if namespaced:
            yield invalid(f"{path}.nonResourceURLs", urls, "namespaced rules cannot apply to non-resource URLs")
        if rule.get("apiGroups") or rule.get("resources") or rule.get("resourceNames"):
            words = "rules cannot apply to both regular resources and non-resource URLs"
            yield invalid(f"{path}.nonResourceURLs", urls, words)
        return
    if not rule.get("apiGroups"):
        yield required(f"{path}.apiGroups", "resource rules must supply at least one api group")
    if not rule.get("resources"):
        yield required(f"{path}.resources", "resource rules must supply at least one resource")


def _subject(path: str, subject: Json, namespaced: bool) -> Iterator[Cause]:
    kind, name, group = (subject.get(key) or "" for key in ("kind", "name", "apiGroup"))
    if kind not in _SUBJECTS:
        yield not_supported(f"{path}.kind", kind, _SUBJECTS)
    elif kind == "ServiceAccount":
        if name:
            yield from each_invalid(f"{path}.name", name, formats.dns_subdomain(name))
        if group:
            yield not_supported(f"{path}.apiGroup", group, ("",))
        if not namespaced and not subject.get("namespace"):
            yield required(f"{path}.namespace")
    elif group != _GROUP:
        yield not_supported(f"{path}.apiGroup", group, (_GROUP,))
