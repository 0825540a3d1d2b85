"""The rows of nodes, namespaces and what a namespace holds besides workloads.

The rules are those of pkg/printers/internalversion/printers.go, v1.37.2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlscale.kube.quantity import parse_quantity
from mlscale.sandbox.tables_layout import (
    AGE,
    NAME,
    Column,
    Layout,
    age,
    format_labels,
    has_condition,
    name_of,
    part,
    since,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from mlscale.sandbox.tables_layout import Cells

Json = dict[str, Any]

_ROLE_LABEL = "node-role.kubernetes.io/"
_NONE, _UNKNOWN = "<none>", "<unknown>"


def node_cells(node: Json, now: datetime) -> Cells:
    """The row of a Node."""
    info = part(node, "status", "nodeInfo")
    kernel = info.get("kernelVersion") or _UNKNOWN
    if info.get("architecture"):
        kernel += f" ({info['architecture']})"
    addresses = [_address(node, "InternalIP"), _address(node, "ExternalIP")]
    system = [info.get("osImage") or _UNKNOWN, kernel, info.get("containerRuntimeVersion") or _UNKNOWN]
    row = [name_of(node), _node_status(node), _node_roles(node), age(node, now), info.get("kubeletVersion") or ""]
    return [*row, *addresses, *system]


def event_cells(event: Json, now: datetime) -> Cells:
    """The row of an Event of the core group."""
    about = part(event, "involvedObject")
    first = since(event.get("firstTimestamp") or event.get("eventTime"), now)
    last = since(event["lastTimestamp"], now) if event.get("lastTimestamp") else first
    count = event.get("count") or 1
    series = event.get("series")
    if series is not None:
        last, count = since(series.get("lastObservedTime"), now), series.get("count") or 0
    row = [last, event.get("type") or "", event.get("reason") or "", _about(about), about.get("fieldPath") or ""]
    message = (event.get("message") or "").strip()
    return [*row, _event_source(event), message, first, count, name_of(event)]


def namespace_cells(namespace: Json, now: datetime) -> Cells:
    """The row of a Namespace."""
    return [name_of(namespace), part(namespace, "status").get("phase") or "", age(namespace, now)]


def plain_cells(obj: Json, now: datetime) -> Cells:
    """The row of an object of which no more is told than its age."""
    return [name_of(obj), age(obj, now)]


def created_cells(obj: Json, now: datetime) -> Cells:  # noqa: ARG001
    """The row of an object of a built-in kind without a layout of its own: when it was created, as a timestamp."""
    return [name_of(obj), part(obj, "metadata").get("creationTimestamp") or "0001-01-01T00:00:00Z"]


def definition_cells(definition: Json, now: datetime) -> Cells:
    """The row of a CustomResourceDefinition (apiextensions-apiserver, its own tableconvertor, v0.37.2)."""
    spec, names = part(definition, "spec"), part(definition, "spec", "names")
    served = [one for one in spec.get("versions") or () if one.get("served")]
    versions = sorted(one["name"] + ("(storage)" if one.get("storage") else "") for one in served)
    established = has_condition(part(definition, "status").get("conditions"), "Established")
    named = [spec.get("group") or "", names.get("kind") or "", ",".join(names.get("shortNames") or ())]
    name, created = created_cells(definition, now)
    return [name, spec.get("scope") or "", ",".join(versions), created, *named, established]


def configmap_cells(configmap: Json, now: datetime) -> Cells:
    """The row of a ConfigMap."""
    keys = len(part(configmap, "data")) + len(part(configmap, "binaryData"))
    return [name_of(configmap), keys, age(configmap, now)]


def quota_cells(quota: Json, now: datetime) -> Cells:
    """The row of a ResourceQuota: what of its limits on ``limits.…``, and on all else, is used."""
    hard, used = part(quota, "status", "hard"), part(quota, "status", "used")
    limits = [name for name in sorted(hard) if name.startswith("limits.")]
    requests = [name for name in sorted(hard) if not name.startswith("limits.")]
    return [name_of(quota), _used(requests, used, hard), _used(limits, used, hard), age(quota, now)]


def service_cells(service: Json, now: datetime) -> Cells:
    """The row of a Service."""
    spec = part(service, "spec")
    addresses = [(spec.get("clusterIPs") or [_NONE])[0], _external_address(service)]
    ports = ",".join(_port(one) for one in spec.get("ports") or ()) or _NONE
    row = [name_of(service), spec.get("type") or "", *addresses, ports, age(service, now)]
    return [*row, format_labels(spec.get("selector"))]


def binding_cells(binding: Json, now: datetime) -> Cells:
    """The row of a RoleBinding or ClusterRoleBinding."""
    role = part(binding, "roleRef")
    subjects = binding.get("subjects") or ()
    users = ", ".join(one["name"] for one in subjects if one["kind"] == "User")
    groups = ", ".join(one["name"] for one in subjects if one["kind"] == "Group")
    accounts = ", ".join(f"{one.get('namespace', '')}/{one['name']}" for one in _accounts(subjects))
    reference = f"{role.get('kind') or ''}/{role.get('name') or ''}"
    return [name_of(binding), reference, age(binding, now), users, groups, accounts]


def _node_status(node: Json) -> str:
    conditions = part(node, "status").get("conditions") or ()
    told = any(one.get("type") == "Ready" for one in conditions)
    word = ("Ready" if has_condition(conditions, "Ready") else "NotReady") if told else "Unknown"
    return f"{word},SchedulingDisabled" if part(node, "spec").get("unschedulable") else word


def _node_roles(node: Json) -> str:
    labels = part(node, "metadata", "labels")
    roles = {key.removeprefix(_ROLE_LABEL) for key in labels if key.startswith(_ROLE_LABEL)}
    roles.add(labels.get("kubernetes.io/role") or "")
    return ",".join(sorted(roles - {""})) or _NONE


def _address(node: Json, address_type: str) -> str:
    addresses = part(node, "status").get("addresses") or ()
    return next((one["address"] for one in addresses if one.get("type") == address_type), _NONE)


def _about(about: Json) -> str:
    kind = (about.get("kind") or "").lower()
    return f"{kind}/{about['name']}" if about.get("name") else kind


def _event_source(event: Json) -> str:
    source = part(event, "source")
    component = source.get("component") or event.get("reportingComponent") or ""
    instance = source.get("host") or event.get("reportingInstance")
    return f"{component}, {instance}" if instance else component


def _used(names: Sequence[str], used: Json, hard: Json) -> str:
    return ", ".join(f"{name}: {_amount(used, name)}/{_amount(hard, name)}" for name in names)


def _amount(amounts: Json, name: str) -> str:
    return str(parse_quantity(amounts.get(name, 0)))


def _external_address(service: Json) -> str:
    spec = part(service, "spec")
    service_type, addresses = spec.get("type"), spec.get("externalIPs") or []
    if service_type == "ExternalName":
        name: str = spec.get("externalName") or ""
        return name
    if service_type == "LoadBalancer":
        return ",".join([*_ingress(service), *addresses]) or "<pending>"
    return (",".join(addresses) or _NONE) if service_type in ("ClusterIP", "NodePort") else _UNKNOWN


def _ingress(service: Json) -> list[str]:
    found = part(service, "status", "loadBalancer").get("ingress") or ()
    return sorted({one.get("ip") or one.get("hostname") or "" for one in found} - {""})


def _port(port: Json) -> str:
    node_port = f":{port['nodePort']}" if port.get("nodePort") else ""
    return f"{port['port']}{node_port}/{port.get('protocol', 'TCP')}"


def _accounts(subjects: Sequence[Json]) -> list[Json]:
    return [one for one in subjects if one["kind"] == "ServiceAccount"]


NODES = Layout(
    (
        NAME,
        Column("Status", "Whether the node is ready, and takes pods."),
        Column("Roles", "Roles of the node, by its labels."),
        AGE,
        Column("Version", "Version of the kubelet."),
        Column("Internal-IP", "Address inside the cluster.", priority=1),
        Column("External-IP", "Address outside of the cluster.", priority=1),
        Column("OS-Image", "Operating system.", priority=1),
        Column("Kernel-Version", "Version of the kernel, and architecture.", priority=1),
        Column("Container-Runtime", "Name and version of the container runtime.", priority=1),
    ),
    node_cells,
)
EVENTS = Layout(
    (
        Column("Last Seen", "Time since it last happened."),
        Column("Type", "Normal or Warning."),
        Column("Reason", "Why the event was written, in one word."),
        Column("Object", "What it is about."),
        Column("Subobject", "Which part of the object it is about.", priority=1),
        Column("Source", "What wrote the event.", priority=1),
        Column("Message", "What happened."),
        Column("First Seen", "Time since it first happened.", priority=1),
        Column("Count", "How often it happened.", priority=1),
        Column("Name", "Name of the object.", format="name", priority=1),
    ),
    event_cells,
)
NAMESPACES = Layout((NAME, Column("Status", "Active, or Terminating."), AGE), namespace_cells)
CONFIGMAPS = Layout((NAME, Column("Data", "Number of keys."), AGE), configmap_cells)
QUOTAS = Layout(
    (NAME, Column("Request", "Used of each bound on requests."), Column("Limit", "Used of each bound on limits."), AGE),
    quota_cells,
)
SERVICES = Layout(
    (
        NAME,
        Column("Type", "How the service is reached."),
        Column("Cluster-IP", "Address inside the cluster."),
        Column("External-IP", "Addresses outside of the cluster."),
        Column("Port(s)", "Ports of the service, and of the nodes."),
        AGE,
        Column("Selector", "Labels of the pods that serve it.", priority=1),
    ),
    service_cells,
)
BINDINGS = Layout(
    (
        NAME,
        Column("Role", "Role that is granted."),
        AGE,
        Column("Users", "Users who are granted it.", priority=1),
        Column("Groups", "Groups who are granted it.", priority=1),
        Column("ServiceAccounts", "Service accounts that are granted it.", priority=1),
    ),
    binding_cells,
)
SERVICEACCOUNTS = Layout((NAME, AGE), plain_cells)
_CREATED_AT = Column("Created At", "When the object was created.", type="date")
CREATED = Layout((NAME, _CREATED_AT), created_cells, null_when_empty=True)
DEFINITIONS = Layout(
    (
        NAME,
        Column("Scope", "Namespaced, or Cluster."),
        Column("Versions", "Versions that are served."),
        _CREATED_AT,
        Column("Group", "Group of the resource.", priority=1),
        Column("Kind", "Kind of the resource.", priority=1),
        Column("ShortNames", "Short names of the resource.", priority=1),
        Column("Established", "Whether the resource is served.", type="boolean", priority=1),
    ),
    definition_cells,
    null_when_empty=True,
)
CUSTOM = Layout((NAME, Column("Age", "Time since the object was created.", type="date")), plain_cells)
"""Of a custom resource whose definition names no columns."""
