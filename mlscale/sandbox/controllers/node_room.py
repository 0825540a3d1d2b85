"""How much room each node has left, and which nodes take a pod: the scheduler's filters.

The rules and words are those of kubernetes pkg/scheduler/framework/plugins (nodeunschedulable, nodename,
tainttoleration, nodeaffinity, nodeports, noderesources, interpodaffinity) and framework/types.go (FitError), v1.37.2.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mlscale.kube.neighbours import one_per_node
from mlscale.kube.placement import matches_node_affinity, tolerates
from mlscale.kube.pod_resources import Amounts, amounts, pod_requests
from mlscale.kube.quantity import NANO

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Json = dict[str, Any]

_CORDON: Json = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}
_NO_HELP = "Preemption is not helpful for scheduling"
_NO_VICTIMS = "No preemption victims found for incoming pod"


@dataclass(frozen=True)
class Asked:
    """What a pod asks of a node."""

    namespace: str
    pod: Json
    requests: Amounts

    @property
    def shape(self) -> str:
        """The same for pods that the same nodes take."""
        spec = self.pod["spec"]
        fixed = [spec.get(name) for name in ("nodeSelector", "affinity", "tolerations")]
        exclusive = self.pod["metadata"].get("labels") if one_per_node(self.namespace, self.pod) else None
        return f"{fixed}{sorted(self.requests.items())}{exclusive}"


def asked_by(pod: Json) -> Asked:
    """What ``pod`` asks of a node."""
    return Asked(pod["metadata"]["namespace"], pod, pod_requests(pod["spec"]))


@dataclass
class Room:
    """A node with what its pods leave free, in nano-units."""

    node: Json
    allocatable: Amounts
    used: Amounts = field(default_factory=dict)
    pods: int = 0

    def take(self, requests: Amounts, sign: int = 1) -> None:
        """Count a pod in, or out with ``sign`` -1."""
        self.pods += sign
        for name, nano in requests.items():
            self.used[name] = self.used.get(name, 0) + sign * nano

    def short_of(self, requests: Amounts) -> list[str]:
        """The reasons for which a pod does not fit, none when it does."""
        short = []
        if self.pods + 1 > self.allocatable.get("pods", 0) // NANO:
            short.append("Too many pods")
        for name, nano in requests.items():
            if nano and nano > self.allocatable.get(name, 0) - self.used.get(name, 0):
                short.append(f"Insufficient {name}")
        return short

    def can_never_hold(self, requests: Amounts) -> bool:
        """Whether a pod would not fit even if the node were empty."""
        return any(nano > self.allocatable.get(name, 0) for name, nano in requests.items())

    def share_used(self, requests: Amounts) -> float:
        """The mean share of its cpu and memory that would be requested with a pod more, from 0."""
        shares = 0.0
        for name in ("cpu", "memory"):
            allocatable = self.allocatable.get(name, 0)
            if allocatable:
                shares += (self.used.get(name, 0) + requests.get(name, 0)) / allocatable
        return shares / 2


def room_of(node: Json) -> Room:
    """The room of an empty node."""
    status = node.get("status") or {}
    return Room(node, amounts(status.get("allocatable") or status.get("capacity")))


def fixed_rejection(spec: Json, node: Json) -> str:
    """Why a node does not take a pod however empty it is, empty when it may."""
    tolerations = spec.get("tolerations") or []
    if (node.get("spec") or {}).get("unschedulable") and not tolerates(tolerations, _CORDON):
        return "node(s) were unschedulable"
    taints = (node.get("spec") or {}).get("taints") or []
    hard = [taint for taint in taints if taint.get("effect") in ("NoSchedule", "NoExecute")]
    if any(not tolerates(tolerations, taint) for taint in hard):
        return "node(s) had untolerated taint(s)"
    labels = node["metadata"].get("labels") or {}
    wanted = spec.get("nodeSelector") or {}
    if not wanted.items() <= labels.items() or not matches_node_affinity(spec, node):
        return "node(s) didn't match Pod's node affinity/selector"
    return ""


def soft_taints(spec: Json, node: Json) -> int:
    """How many PreferNoSchedule taints a pod does not tolerate."""
    taints = (node.get("spec") or {}).get("taints") or []
    tolerations = spec.get("tolerations") or []
    return sum(taint.get("effect") == "PreferNoSchedule" and not tolerates(tolerations, taint) for taint in taints)


def rejections(asked: Asked, room: Room, fixed: str, blocked: Iterable[str]) -> tuple[list[str], bool]:
    """Why a node does not take a pod, none when it does, and whether ending other pods could help."""
    if fixed:
        return [fixed], False
    exclusive = one_per_node(asked.namespace, asked.pod) if room.node["metadata"]["name"] in blocked else ""
    if exclusive.startswith("hostPort"):
        return ["node(s) didn't have free ports for the requested pod ports"], True
    short = room.short_of(asked.requests)
    if short:
        return short, not room.can_never_hold(asked.requests)
    if room.node["metadata"]["name"] in blocked:
        own = exclusive == "podAntiAffinity"
        return [f"node(s) didn't {'match pod' if own else 'satisfy existing pods'} anti-affinity rules"], True
    return [], True


def fit_message(by_node: Mapping[str, tuple[list[str], bool]]) -> str:
    """The scheduler's sentence on a pod that no node takes, from each node's reasons."""
    total = len(by_node)
    if not total:
        return "no nodes available to schedule pods"
    reasons = Counter(reason for listed, _ in by_node.values() for reason in listed)
    preemption = Counter(_NO_VICTIMS if helps else _NO_HELP for _, helps in by_node.values())
    head = f"0/{total} nodes are available:"
    return f"{head} {_counted(reasons)}. preemption: {head} {_counted(preemption)}."


def _counted(reasons: Counter[str]) -> str:
    return ", ".join(sorted(f"{count} {reason}" for reason, count in reasons.items()))
