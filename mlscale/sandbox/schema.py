"""The types of the API's objects: what merges by key, what is replaced whole, which fields there are.

schema.json holds them as the OpenAPI v3 documents of Kubernetes v1.37.2 state them (x-kubernetes-list-type,
-list-map-keys, -map-type, -patch-merge-key and -patch-strategy). What a zero looks like they do not state: that is with
the field numbers in server/protobuf.json, which come from types.go.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Type:
    """What a value may be."""

    shape: Literal["scalar", "struct", "map", "list", "untyped"]
    name: str = ""
    """Of a scalar its format (``int32``, ``Quantity``), of a struct its name (``apps.v1.DeploymentSpec``)."""
    atomic: bool = False
    """Replaced, and owned, as a whole."""
    element: Type | None = None
    """Of each item of a list, each value of a map."""
    keys: tuple[str, ...] = ()
    """The fields that name an item of a list in server-side apply."""
    merge_key: str = ""
    """The field that names an item of a list in a strategic merge patch."""
    strategies: tuple[str, ...] = ()
    """Of a strategic merge patch: ``merge``, ``replace``, ``retainKeys``."""
    default: str = ""

    def field(self, name: str) -> Type | None:
        """The type under one key of an object; None where the schema does not know the key."""
        if self.shape == "struct":
            return fields_of(self.name).get(name, None if self.name else UNTYPED)
        return UNTYPED if self.element is None else self.element


_GO_SCALARS = ("string", "int32", "int64", "bool", "bytes", "double")
_SHOWN_IF_EMPTY = frozenset(
    (
        ("autoscaling.v2.HPAScalingRules", "policies"),
        ("autoscaling.v2.HorizontalPodAutoscalerStatus", "currentMetrics"),
        ("batch.v1.PodFailurePolicy", "rules"),
        ("batch.v1.PodFailurePolicyOnExitCodesRequirement", "values"),
        ("batch.v1.SuccessPolicy", "rules"),
        ("core.v1.CephFSVolumeSource", "monitors"),
        ("core.v1.ContainerImage", "names"),
        ("core.v1.LimitRangeSpec", "limits"),
        ("core.v1.NodeSelector", "nodeSelectorTerms"),
        ("core.v1.PodExtendedResourceClaimStatus", "requestMappings"),
        ("core.v1.PodSpec", "containers"),
        ("core.v1.ProjectedVolumeSource", "sources"),
        ("core.v1.RBDVolumeSource", "monitors"),
        ("meta.v1.ObjectMeta", "managedFields"),
        ("rbac.v1.ClusterRole", "rules"),
        ("rbac.v1.PolicyRule", "verbs"),
        ("rbac.v1.Role", "rules"),
    )
)
"""The lists whose tag in types.go has no omitempty, and two that mean something else if empty than if left out."""

UNTYPED = Type("untyped")
CUSTOM = Type("struct")
"""Of an object whose kind a CustomResourceDefinition has added: of its metadata only the type is known."""


@cache
def fields_of(struct: str) -> dict[str, Type]:
    """The fields of a struct by name; of the nameless one those that all objects have."""
    if not struct:
        shared = fields_of("core.v1.ConfigMap")
        return {name: shared[name] for name in ("apiVersion", "kind", "metadata")}
    return {name: _type(field) for name, field in _document()["types"][struct]["fields"].items()}


@cache
def omitted_if_empty(struct: str) -> frozenset[str]:
    """The fields of a struct that are left out where they are zero, false or empty: Go's omitempty on no pointer."""
    found: set[str] = set()
    for name, type_, mark in _messages().get(struct, {}).values():
        if mark == ".":
            found |= omitted_if_empty(type_)
        elif (mark == "[]" and (struct, name) not in _SHOWN_IF_EMPTY) or (mark == "" and _has_zero(type_)):
            found.add(name)
    return frozenset(found)


@cache
def object_type(api_version: str, kind: str) -> Type:
    """The type of an object; CUSTOM for a kind that is not in the schema."""
    name = _document()["kinds"].get(f"{api_version} {kind}")
    return CUSTOM if name is None else Type("struct", name)


def type_of(obj: Json) -> Type:
    """The type that the object's apiVersion and kind say."""
    return object_type(str(obj.get("apiVersion")), str(obj.get("kind")))


def child_type(parent: Type, name: str) -> Type:
    """As ``Type.field``, but what the schema does not know counts as untyped."""
    return parent.field(name) or UNTYPED


def _has_zero(type_: str) -> bool:
    """Whether omitempty is heeded: Go never takes a struct for empty."""
    return type_ in _GO_SCALARS or type_.startswith("map<")


@cache
def _messages() -> dict[str, dict[str, list[str]]]:
    path = Path(__file__).parent / "server" / "protobuf.json"
    messages: dict[str, dict[str, list[str]]] = json.loads(path.read_text(encoding="utf-8"))["messages"]
    return messages


@cache
def _document() -> Json:
    document: Json = json.loads(Path(__file__).with_name("schema.json").read_text(encoding="utf-8"))
    return document


def _type(field: str | Json) -> Type:
    if isinstance(field, str):
        return _plain(field, {})
    if "list" in field:
        return _list(field)
    if "map" in field:
        return Type("map", atomic=field["map"] == "atomic", element=_type(field["of"]), strategies=_strategies(field))
    return _plain(field["of"], field)


def _list(field: Json) -> Type:
    return Type(
        "list",
        atomic=field["list"] == "atomic",
        element=_type(field["of"]),
        keys=tuple(field.get("keys", ())),
        merge_key=field.get("merge", ""),
        strategies=_strategies(field),
    )


def _plain(of: str, field: Json) -> Type:
    if of == "any":
        return UNTYPED
    if not of.startswith("#"):
        return Type("scalar", of, default=field.get("default", ""))
    atomic = field.get("atomic", False) or _document()["types"][of[1:]].get("atomic", False)
    return Type("struct", of[1:], atomic=atomic, strategies=_strategies(field))


def _strategies(field: Json) -> tuple[str, ...]:
    return tuple(field["strategy"].split(",")) if "strategy" in field else ()
