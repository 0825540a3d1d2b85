"""Read the types of the kinds that the sandbox serves from a control plane's OpenAPI v3, in the form of schema.json.

``python -m tests.contract.api_types KUBECONFIG`` writes mlscale/sandbox/schema.json anew.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.contract.api import Api

Json = dict[str, Any]

SCHEMA_FILE = Path(__file__).parents[2] / "mlscale" / "sandbox" / "schema.json"

KINDS = {
    "v1": "ConfigMap Event LimitRange Namespace Node Pod ReplicationController ResourceQuota Service ServiceAccount",
    "apps/v1": "DaemonSet Deployment ReplicaSet StatefulSet",
    "autoscaling/v1": "Scale",
    "autoscaling/v2": "HorizontalPodAutoscaler",
    "batch/v1": "CronJob Job",
    "policy/v1": "PodDisruptionBudget",
    "rbac.authorization.k8s.io/v1": "ClusterRole ClusterRoleBinding Role RoleBinding",
}
_REFERENCE = "#/components/schemas/"
_SCALARS = {"Quantity", "IntOrString", "Time", "MicroTime"}
_UNTYPED = {"FieldsV1", "RawExtension"}


def read_types(api: Api) -> Json:
    """Every type that the kinds reach: ``{"kinds": {"apps/v1 Deployment": TYPE}, "types": {TYPE: {...}}}``."""
    schemas: Json = {}
    for version in KINDS:
        root = "api" if version == "v1" else "apis"
        schemas |= api.call("GET", f"/openapi/v3/{root}/{version}")["components"]["schemas"]
    kinds = {
        f"{group_version(entry)} {entry['kind']}": short(name)
        for name, schema in schemas.items()
        for entry in schema.get("x-kubernetes-group-version-kind", [])
        if entry["kind"] in KINDS.get(group_version(entry), "").split()
    }
    by_name = {short(name): schema for name, schema in schemas.items()}
    return {"kinds": dict(sorted(kinds.items())), "types": _reached(by_name, sorted(kinds.values()))}


def group_version(entry: Json) -> str:
    """``apps/v1``, or ``v1`` for the core group."""
    return "/".join(part for part in (entry["group"], entry["version"]) if part)


def short(name: str) -> str:
    """``apps.v1.Deployment`` for ``io.k8s.api.apps.v1.Deployment``."""
    return ".".join(name.removeprefix(_REFERENCE).split(".")[-3:])


def _reached(schemas: Json, wanted: list[str]) -> Json:
    types: Json = {}
    while wanted:
        name = wanted.pop()
        if name in types:
            continue
        schema = schemas[name]
        fields = {key: _field(field) for key, field in sorted(schema.get("properties", {}).items())}
        types[name] = {"fields": fields}
        if schema.get("x-kubernetes-map-type") == "atomic":
            types[name]["atomic"] = True
        wanted += [of[1:] for of in map(_of, fields.values()) if of.startswith("#")]
    return dict(sorted(types.items()))


def _of(field: Any) -> str:
    while isinstance(field, dict):
        field = field["of"]
    return str(field)


def _field(schema: Json) -> Any:
    extra = _annotations(schema)
    if schema.get("type") == "array":
        return {"of": _field(schema["items"]), "list": schema.get("x-kubernetes-list-type", "atomic"), **extra}
    if "additionalProperties" in schema:
        values = _field(schema["additionalProperties"])
        return {"of": values, "map": schema.get("x-kubernetes-map-type", "granular"), **extra}
    plain = _plain(schema)
    return {"of": plain, **extra} if extra else plain


def _plain(schema: Json) -> str:
    reference = schema.get("$ref") or next((part["$ref"] for part in schema.get("allOf", []) if "$ref" in part), None)
    if reference is None:
        return str(schema.get("format") or schema.get("type") or "any")
    name = short(reference)
    last = name.rsplit(".", 1)[-1]
    if last in _UNTYPED:
        return "any"
    return last if last in _SCALARS else f"#{name}"


def _annotations(schema: Json) -> Json:
    found = {
        "keys": schema.get("x-kubernetes-list-map-keys"),
        "merge": schema.get("x-kubernetes-patch-merge-key"),
        "strategy": schema.get("x-kubernetes-patch-strategy"),
        "default": schema.get("default") if isinstance(schema.get("default"), str) and schema["default"] else None,
    }
    if schema.get("x-kubernetes-map-type") == "atomic" and "additionalProperties" not in schema:
        found["atomic"] = True
    return {key: value for key, value in found.items() if value is not None}


def rendered(types: Json) -> str:
    """As the file has it: one type a line."""
    lines = [f"  {json.dumps(name)}: {json.dumps(fields)}" for name, fields in types["types"].items()]
    kinds = json.dumps(types["kinds"], indent=2).replace("\n", "\n ")
    return '{\n "kinds": ' + kinds + ',\n "types": {\n' + ",\n".join(lines) + "\n }\n}\n"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        SCHEMA_FILE.write_text(rendered(read_types(Api(Path(sys.argv[1]), Path(folder)))), encoding="utf-8")
