"""Which nodes a pod may go to: cordons, taints, nodeSelector, required affinity. Pods there: neighbours.py.

The rules are those of kube-scheduler's filters, kubernetes v1.37.2 pkg/scheduler/framework/plugins:
nodeunschedulable, tainttoleration, nodeaffinity and nodename.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

Json = dict[str, Any]

HOSTNAME = "kubernetes.io/hostname"
_CORDON: Json = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}


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


def hostname_terms(spec: Json) -> list[Json]:
    """Return the required anti-affinity terms of a pod that can be judged: a hostname, and names of namespaces."""
    return [
        term
        for term in _required_terms(spec, "podAntiAffinity")
        if term.get("topologyKey") == HOSTNAME
        and not (term.get("matchLabelKeys") or term.get("mismatchLabelKeys"))
        and not term.get("namespaceSelector")
    ]


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
        "podAntiAffinity": len(hostname_terms(spec)) < len(_required_terms(spec, "podAntiAffinity")),
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
