"""Write mlscale/sandbox/server/protobuf.json: the field numbers of the API's objects in Kubernetes' protobuf form.

Run with the folders of the modules k8s.io/api and k8s.io/apimachinery (``go list -m -f '{{.Dir}}' k8s.io/api``):
``python -m tests.contract.protobuf_types API APIMACHINERY``. Numbers and types come from generated.proto, the names
in JSON and what may be nil from the tags in types.go.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

OUTPUT = Path(__file__).parents[2] / "mlscale/sandbox/server/protobuf.json"
GROUPS = {
    "core": "", "apps": "apps", "autoscaling": "autoscaling", "batch": "batch", "policy": "policy",
    "rbac": "rbac.authorization.k8s.io", "authentication": "authentication.k8s.io",
    "authorization": "authorization.k8s.io",
}  # fmt: skip
KINDS = {
    "core.v1": ("ConfigMap", "Event", "LimitRange", "Namespace", "Node", "Pod", "ReplicationController",
                "ResourceQuota", "ServiceAccount", "Service"),
    "apps.v1": ("DaemonSet", "Deployment", "ReplicaSet", "StatefulSet"),
    "autoscaling.v1": ("HorizontalPodAutoscaler", "Scale"),
    "autoscaling.v2": ("HorizontalPodAutoscaler",),
    "batch.v1": ("CronJob", "Job"),
    "policy.v1": ("PodDisruptionBudget",),
    "rbac.v1": ("ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"),
    "authentication.v1": ("SelfSubjectReview", "TokenRequest"),
    "authorization.v1": ("LocalSubjectAccessReview", "SelfSubjectAccessReview", "SelfSubjectRulesReview",
                         "SubjectAccessReview"),
}  # fmt: skip
SPECIAL = {
    "meta.v1.Time", "meta.v1.MicroTime", "meta.v1.FieldsV1", "api.resource.Quantity", "util.intstr.IntOrString",
    "runtime.RawExtension",
}  # fmt: skip
"""Messages whose JSON form is not an object of their fields."""
SCALARS = {"string", "int32", "int64", "bool", "bytes", "double"}

_MESSAGE = re.compile(r"^message (\w+) \{\n(.*?)^\}", re.M | re.S)
_FIELD = re.compile(r"^  (?:(optional|repeated) )?(map<\w+, *[\w.]+>|[\w.]+) (\w+) = (\d+);", re.M)
_STRUCT = re.compile(r"^type (\w+) struct \{\n(.*?)^\}", re.M | re.S)
_TAG = re.compile(r"^\s*(?:\w+\s+)?(\S+)\s+`json:\"([^\"]*)\" protobuf:\"\w+,(\d+),", re.M)


def main(api: Path, machinery: Path) -> None:
    messages: dict[str, dict[str, list[str]]] = {}
    for folder, package in [
        *((api / group / version, f"{group}.{version}") for group in GROUPS for version in ("v1", "v2")),
        (machinery / "pkg/apis/meta/v1", "meta.v1"),
    ]:
        if (folder / "generated.proto").exists():
            messages |= read_package(folder, package)
    kinds = {
        f"{api_version(package)} {name}": f"{package}.{name}" for package, names in KINDS.items() for name in names
    }
    kinds["v1 DeleteOptions"] = kinds["meta.k8s.io/v1 DeleteOptions"] = "meta.v1.DeleteOptions"
    reached = reachable(messages, sorted(set(kinds.values())))
    document: Mapping[str, Mapping[str, object]] = {
        "kinds": dict(sorted(kinds.items())),
        "messages": {name: messages[name] for name in sorted(reached)},
    }
    OUTPUT.write_text(laid_out(document), encoding="utf-8")


def api_version(package: str) -> str:
    group, version = package.split(".")
    return f"{GROUPS[group]}/{version}" if GROUPS[group] else version


def read_package(folder: Path, package: str) -> dict[str, dict[str, list[str]]]:
    """Fields by number: name, type, and a mark: ``[]`` a list, ``*`` may be nil, ``=`` is there even if zero,
    ``.`` its fields stand in the parent's JSON."""
    tags: dict[str, dict[str, tuple[str, str]]] = {}
    for source in folder.glob("*types*.go"):
        for name, body in _STRUCT.findall(source.read_text(encoding="utf-8")):
            tags[name] = {number: (go, tag) for go, tag, number in _TAG.findall(body)}
    found = {}
    for name, body in _MESSAGE.findall((folder / "generated.proto").read_text(encoding="utf-8")):
        fields = {}
        for label, type_, field, number in _FIELD.findall(body):
            go, tag = tags.get(name, {}).get(number, ("", field))
            fields[number] = [tag.partition(",")[0] or field, full_name(type_, package), mark(label, go, tag)]
        found[f"{package}.{name}"] = fields
    return found


def mark(label: str, go: str, tag: str) -> str:
    if label == "repeated":
        return "[]"
    if go and not tag.partition(",")[0]:
        return "."
    if go.startswith("*"):
        return "*"
    return "" if "omitempty" in tag or "omitzero" in tag else "="


def full_name(type_: str, package: str) -> str:
    if type_.startswith("map<"):
        key, value = type_[4:-1].replace(" ", "").split(",")
        return f"map<{key},{full_name(value, package)}>"
    if type_ in SCALARS:
        return type_
    for prefix in (".k8s.io.api.", ".k8s.io.apimachinery.pkg.apis.", ".k8s.io.apimachinery.pkg."):
        if type_.startswith(prefix):
            return type_.removeprefix(prefix)
    return f"{package}.{type_}"


def reachable(messages: dict[str, dict[str, list[str]]], roots: list[str]) -> set[str]:
    reached: set[str] = set()
    waiting = list(roots)
    while waiting:
        name = waiting.pop()
        if name in reached or name not in messages or name in SPECIAL:
            continue
        reached.add(name)
        for _, type_, _ in messages[name].values():
            waiting.append(type_.removesuffix(">").rpartition(",")[2] if type_.startswith("map<") else type_)
    return reached


def laid_out(document: Mapping[str, Mapping[str, object]]) -> str:
    """A message to a line."""
    parts = []
    for section, entries in document.items():
        lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(entry)}" for name, entry in entries.items())
        parts.append(f" {json.dumps(section)}: {{\n{lines}\n }}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
