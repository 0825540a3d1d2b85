"""The workloads whose use is read: their containers' resources, and which pods are theirs."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mlscale.kube.pod_resources import amounts, containers_of
from mlscale.kube.quantity import NANO

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from mlscale.kube.targets import Target

Json = dict[str, Any]
Owner = tuple[str, str]
"""Kind and name."""

_RANDOM = "[bcdfghjklmnpqrstvwxz2456789]"
"""Characters of generated names (kubernetes staging/src/k8s.io/apimachinery/pkg/util/rand/rand.go, v1.37.2)."""
_SUFFIXES = {
    "Deployment": re.compile(f"{_RANDOM}{{1,10}}-{_RANDOM}{{5}}"),
    "StatefulSet": re.compile("[0-9]+"),
    "Rollout": re.compile(f"{_RANDOM}{{1,10}}-{_RANDOM}{{5}}"),
}
"""Of one or two parts, between dashes."""
_SUFFIX = re.compile(f"{_RANDOM}{{5}}")
"""Of the pods of every other kind."""


@dataclass(frozen=True)
class Resources:
    """What a container asks for now, cores and bytes; None for what it does not."""

    cpu_request: float | None = None
    memory_request: float | None = None
    cpu_limit: float | None = None
    memory_limit: float | None = None


@dataclass(frozen=True)
class Workload:
    """One workload as its template is now."""

    target: Target
    containers: Mapping[str, Resources] = field(default_factory=dict)


def read_workload(target: Target, pod_spec: Json) -> Workload:
    """The workload of ``pod_spec``, the ``spec`` of its pod template; raises InvalidQuantityError."""
    return Workload(target, {str(each["name"]): _resources(each) for each in containers_of(pod_spec)})


def owners_of_pods(
    workloads: Sequence[Workload],
    pods: Iterable[str],
    pod_owners: Mapping[str, Owner],
    replicaset_owners: Mapping[str, Owner],
) -> dict[str, Target]:
    """Which of ``workloads`` (of one namespace) each pod belongs to; pods of none of them are left out.

    A recorded owner counts; a pod without one goes by its name, which its controller built from the workload's.
    """
    by_owner = {(workload.target.kind.kind, workload.target.name): workload.target for workload in workloads}
    by_name: dict[str, list[Target]] = defaultdict(list)
    for workload in workloads:
        by_name[workload.target.name].append(workload.target)
    found = {}
    for pod in pods:
        owner = pod_owners.get(pod)
        target = by_owner.get(_top(owner, replicaset_owners)) if owner else _named(pod, by_name)
        if target is None and owner:
            target = by_owner.get(owner)
        if target is not None:
            found[pod] = target
    return found


def _resources(container: Json) -> Resources:
    resources = container.get("resources") or {}
    limits = amounts(resources.get("limits"))
    # The server fills a request that is missing beside a limit (kubernetes pkg/apis/core/v1/defaults.go, v1.37.2).
    requests = limits | amounts(resources.get("requests"))
    values = [amount.get(name) for amount in (requests, limits) for name in ("cpu", "memory")]
    return Resources(*(value / NANO if value is not None else None for value in values))


def _top(owner: Owner, replicaset_owners: Mapping[str, Owner]) -> Owner:
    """The owner, or who made it where it is a ReplicaSet that something made."""
    kind, name = owner
    return replicaset_owners.get(name, owner) if kind == "ReplicaSet" else owner


def _named(pod: str, by_name: Mapping[str, Sequence[Target]]) -> Target | None:
    """Of several names that fit, the longest: ``web-x2`` may have made ``web-x2-bcdfg``, and so may ``web``."""
    for parts in (1, 2):
        name = pod.rsplit("-", parts)[0]
        for target in by_name.get(name, ()):
            if _SUFFIXES.get(target.kind.kind, _SUFFIX).fullmatch(pod[len(name) + 1 :]):
                return target
    return None
