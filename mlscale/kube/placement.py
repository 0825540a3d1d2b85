"""Which nodes a pod may go to: cordons, taints, nodeSelector, required affinity, host ports.

The rules are those of kube-scheduler's filters, kubernetes v1.37.2 pkg/scheduler/framework/plugins:
nodeunschedulable, tainttoleration, nodeaffinity, nodename, nodeports and interpodaffinity (hostname only).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Json = dict[str, Any]

HOSTNAME = "kubernetes.io/hostname"
_CORDON: Json = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}
_ANY_ADDRESS = "0.0.0.0"  # noqa: S104 - what Kubernetes calls every address of the node


@dataclass(frozen=True)
class Eligibility:
    """The nodes that a pod may go to, and why the others are out."""

    nodes: tuple[Json, ...]
    rejected: tuple[tuple[str, int], ...]
    """Clauses such as ``cordoned`` with the number of nodes each rejects first, most nodes first."""


def eligible_nodes(spec: Json, nodes: Iterable[Json]) -> Eligibility:
    """Return the nodes whose labels, taints and cordon admit a pod of ``spec``.

    Free room is not looked at. A node that is not ready carries taints, so its condition is not read.
    """
    admitted: list[Json] = []
    rejected: Counter[str] = Counter()
    for node in nodes:
        clause = _rejection(spec, node)
        if clause is None:
            admitted.append(node)
        else:
            rejected[clause] += 1
    return Eligibility(tuple(admitted), tuple(rejected.most_common()))


def tolerates(tolerations: Iterable[Json], taint: Json) -> bool:
    """Return whether one of ``tolerations`` tolerates ``taint``.

    k8s.io/api core/v1 toleration.go, v0.37.2; ``Lt`` and ``Gt`` are behind a feature gate that is off.
    """
    return any(_tolerates(toleration, taint) for toleration in tolerations)


def matches_node_affinity(spec: Json, node: Json) -> bool:
    """Return whether ``node`` satisfies the required node affinity; the terms are ORed."""
    required = _affinity(spec, "nodeAffinity").get("requiredDuringSchedulingIgnoredDuringExecution")
    if required is None:
        return True
    return any(_matches_term(term, node) for term in required.get("nodeSelectorTerms") or [])


def matches_labels(selector: Json | None, labels: Json) -> bool:
    """Return whether ``labels`` satisfy a LabelSelector; none at all selects nothing, an empty one everything."""
    if selector is None:
        return False
    wanted = selector.get("matchLabels") or {}
    return all(labels.get(key) == value for key, value in wanted.items()) and all(
        _matches(expression, labels) for expression in selector.get("matchExpressions") or []
    )


def one_per_node(namespace: str, template: Json) -> str:
    """Return what keeps two copies off one node (``hostPort 8080``), or an empty string."""
    ports = sorted(port for _, _, port in _host_ports(template["spec"]))
    if ports:
        return f"hostPort {ports[0]}"
    repels = any(_covers(term, namespace, template, namespace) for term in _hostname_terms(template["spec"]))
    return "podAntiAffinity" if repels else ""


def blocked_nodes(namespace: str, template: Json, pods: Iterable[Json]) -> frozenset[str]:
    """Return the names of the nodes where a pod that is there already keeps a copy away.

    By a host port that is taken, or by required anti-affinity on the hostname, the copy's or the pod's own.
    """
    ports = _host_ports(template["spec"])
    terms = _hostname_terms(template["spec"])
    blocked = set()
    for pod in pods:
        spec, pod_namespace = pod["spec"], pod["metadata"]["namespace"]
        theirs = _hostname_terms(spec) if "affinity" in spec else []
        if (
            (ports and _ports_clash(ports, _host_ports(spec)))
            or any(_covers(term, namespace, pod, pod_namespace) for term in terms)
            or any(_covers(term, pod_namespace, template, namespace) for term in theirs)
        ):
            blocked.add(str(spec.get("nodeName")))
    return frozenset(blocked)


def unmodelled_rules(spec: Json) -> tuple[str, ...]:
    """Return the names of the fields of ``spec`` that may also decide but are not looked at here."""
    checks = {
        "topologySpreadConstraints": any(
            constraint.get("whenUnsatisfiable") != "ScheduleAnyway"
            for constraint in spec.get("topologySpreadConstraints") or []
        ),
        "volumes": any(
            "persistentVolumeClaim" in volume or "ephemeral" in volume for volume in spec.get("volumes") or []
        ),
        "podAffinity": bool(_required_terms(spec, "podAffinity")),
        "podAntiAffinity": len(_hostname_terms(spec)) < len(_required_terms(spec, "podAntiAffinity")),
        "resourceClaims": bool(spec.get("resourceClaims")),
        "schedulingGates": bool(spec.get("schedulingGates")),
        "runtimeClassName": bool(spec.get("runtimeClassName")) and not spec.get("overhead"),
        "preemption by priorityClassName": bool(spec.get("priorityClassName"))
        and spec.get("preemptionPolicy") != "Never",
        "schedulerName": spec.get("schedulerName", "default-scheduler") != "default-scheduler",
    }
    return tuple(name for name, present in checks.items() if present)


def _rejection(spec: Json, node: Json) -> str | None:
    """Return the first rule that keeps a pod of ``spec`` off ``node`` as a clause, or None."""
    node_name, pinned = node["metadata"]["name"], spec.get("nodeName")
    if pinned and pinned != node_name:
        return f"not the node {pinned} of nodeName"
    taint = None if pinned else _untolerated(spec, node)
    if taint is not None:
        return "cordoned" if taint["key"] == _CORDON["key"] else f"taint {_taint_text(taint)} is not tolerated"
    labels = node["metadata"].get("labels") or {}
    wanted = spec.get("nodeSelector") or {}
    if any(labels.get(key) != value for key, value in wanted.items()):
        return "nodeSelector " + ",".join(f"{key}={value}" for key, value in wanted.items()) + " does not match"
    if not matches_node_affinity(spec, node):
        return "required nodeAffinity does not match"
    return None


def _untolerated(spec: Json, node: Json) -> Json | None:
    node_spec = node.get("spec") or {}
    taints = node_spec.get("taints") or []
    if node_spec.get("unschedulable"):
        taints = [_CORDON, *taints]
    tolerations = spec.get("tolerations") or []
    hard = (taint for taint in taints if taint.get("effect") in ("NoSchedule", "NoExecute"))
    return next((taint for taint in hard if not tolerates(tolerations, taint)), None)


def _taint_text(taint: Json) -> str:
    value = f"={taint['value']}" if taint.get("value") else ""
    return f"{taint['key']}{value}:{taint['effect']}"


def _tolerates(toleration: Json, taint: Json) -> bool:
    effect, key = toleration.get("effect"), toleration.get("key")
    if (effect and effect != taint.get("effect")) or (key and key != taint.get("key")):
        return False
    operator = toleration.get("operator") or "Equal"
    if operator == "Equal":
        return bool(toleration.get("value", "") == taint.get("value", ""))
    return bool(operator == "Exists")


def _matches_term(term: Json, node: Json) -> bool:
    expressions, fields = term.get("matchExpressions") or [], term.get("matchFields") or []
    if not expressions and not fields:
        return False
    labels = node["metadata"].get("labels") or {}
    name = {"metadata.name": node["metadata"]["name"]}
    return all(_matches(item, labels) for item in expressions) and all(_matches(item, name) for item in fields)


def _matches(expression: Json, labels: Json) -> bool:
    operator, values = expression.get("operator"), expression.get("values") or []
    value = labels.get(expression["key"])
    if operator in ("NotIn", "DoesNotExist"):
        return value is None or (operator == "NotIn" and value not in values)
    if value is None or operator == "Exists":
        return value is not None and operator == "Exists"
    if operator == "In":
        return value in values
    return _compares(str(operator), value, values)


def _compares(operator: str, value: str, values: list[str]) -> bool:
    """Return the result of ``Gt`` or ``Lt``; what is no integer, and any other operator, matches nothing."""
    try:
        number, bound = int(value), int(values[0])
    except (ValueError, IndexError):
        return False
    return (operator == "Gt" and number > bound) or (operator == "Lt" and number < bound)


def _affinity(spec: Json, kind: str) -> Json:
    affinity: Json = (spec.get("affinity") or {}).get(kind) or {}
    return affinity


def _required_terms(spec: Json, kind: str) -> list[Json]:
    terms: list[Json] = _affinity(spec, kind).get("requiredDuringSchedulingIgnoredDuringExecution") or []
    return terms


def _hostname_terms(spec: Json) -> list[Json]:
    """Return the required anti-affinity terms that can be judged: a hostname, and names of namespaces."""
    return [
        term
        for term in _required_terms(spec, "podAntiAffinity")
        if term.get("topologyKey") == HOSTNAME
        and not (term.get("matchLabelKeys") or term.get("mismatchLabelKeys"))
        and not term.get("namespaceSelector")
    ]


def _covers(term: Json, owner_namespace: str, pod: Json, pod_namespace: str) -> bool:
    """Return whether the anti-affinity ``term`` of a pod in ``owner_namespace`` is about ``pod``."""
    namespaces = term.get("namespaces") or []
    everywhere = term.get("namespaceSelector") == {}
    if not everywhere and pod_namespace not in (namespaces or [owner_namespace]):
        return False
    return matches_labels(term.get("labelSelector"), (pod.get("metadata") or {}).get("labels") or {})


HostPort = tuple[str, str, int]


def _host_ports(spec: Json) -> frozenset[HostPort]:
    return frozenset(_each_host_port(spec))


def _each_host_port(spec: Json) -> Iterator[HostPort]:
    """Yield the host ports of the containers that run for the pod's whole life."""
    host_network = bool(spec.get("hostNetwork"))
    sidecars = [c for c in spec.get("initContainers") or () if c.get("restartPolicy") == "Always"]
    for container in [*(spec.get("containers") or ()), *sidecars]:
        for port in container.get("ports") or ():
            number = port.get("hostPort") or (port.get("containerPort") if host_network else None)
            if number:
                yield port.get("protocol") or "TCP", port.get("hostIP") or _ANY_ADDRESS, number


def _ports_clash(ours: frozenset[HostPort], theirs: frozenset[HostPort]) -> bool:
    return any(
        protocol == their_protocol
        and port == their_port
        and (address == their_address or _ANY_ADDRESS in (address, their_address))
        for protocol, address, port in ours
        for their_protocol, their_address, their_port in theirs
    )
