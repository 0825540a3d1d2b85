"""The numbers that tell which part limits: spreads of use, shares of requests and limits, and what is short."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from mlscale.hpa.requests import counted_containers, milli_limit, milli_request
from mlscale.kube.capacity import plan_fit
from mlscale.kube.fit import Unknown
from mlscale.kube.placement import eligible_nodes
from mlscale.kube.pod_resources import amounts, has_pod_level_resources
from mlscale.kube.quantity import NANO
from mlscale.kube.text import printable
from mlscale.recommend.governors import cpu_target, find_rivals, time_at_max, why_blind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlscale.kube.fit import Fit
    from mlscale.recommend.evidence import WorkloadFacts
    from mlscale.usage.model import ContainerUse, FloatArray, History, Series

Json = dict[str, Any]

MOST_COPIES = 1000
REST = 0.02
SMOOTHED = 300.0
"""Seconds over which demand is averaged before its variation is taken: minutes of noise are no load curve."""


@dataclass(frozen=True)
class Spread:
    """How one quantity is distributed over the history."""

    low: float
    """The 5th percentile."""
    median: float
    high: float
    """The 95th percentile."""
    peak: float


@dataclass(frozen=True)
class ContainerSigns:
    """One container: what its template says, and what the pod that used most used."""

    name: str
    cpu: Spread | None = None
    """Cores; None where it was not measured."""
    memory: Spread | None = None
    """Bytes."""
    cpu_request: float | None = None
    """Cores; None where the template sets none, as with the others."""
    cpu_limit: float | None = None
    memory_request: float | None = None
    memory_limit: float | None = None
    throttled: float | None = None
    """The 95th percentile of the share of CFS periods in which it was throttled; None where that is not known."""
    throttled_usually: float | None = None
    """The median of that share."""
    restarts: float = 0.0
    oom_kills: float = 0.0


@dataclass(frozen=True)
class Signs:
    """What ``find_limits`` judges."""

    containers: tuple[ContainerSigns, ...]
    demand: Spread
    """Cores of all pods together."""
    variation: float
    """The 99th percentile of smoothed demand over its 5th."""
    replicas: int
    cpu_request: float | None = None
    """Cores that one pod requests; None where a request is missing that an HPA would divide by."""
    cpu_limit: float | None = None
    """Cores that one pod can use; None where a container has no limit."""
    utilization: Spread | None = None
    """Use over what was requested at the time, of all pods; None where a request is missing."""
    pods: Spread | None = None
    """Pods that were measured."""
    gpus: float = 0.0
    """A pod."""
    accelerator: str = ""
    signals: Mapping[str, Spread] = field(default_factory=dict)
    """By canonical name, as in ``History``."""
    held_back: tuple[str, ...] = ()
    """Why pods that should be there are not: sentences about quotas, nodes and GPUs."""
    room: int | None = None
    """How many more copies fit, up to four times what demand ever needed; None where that could not be checked."""
    room_why: str = ""
    """What is short for more copies."""
    node_cpu: float | None = None
    """Cores allocatable on the largest node that may take a pod; None where nodes could not be read."""
    node_memory: float | None = None
    """Bytes, likewise."""
    rivals: tuple[str, ...] = ()
    """Clauses about autoscalers and tools that fight over the replicas."""
    hpa_at_max: float = 0.0
    """The share of the history in which there were at least maxReplicas pods, 0 to 1."""
    hpa_target: float | None = None
    """The share of the requested CPU that the HPA on it keeps to; None where none scales on that."""
    at_rest: float = 0.0
    """The share of the history in which next to nothing was used and no request ran or waited, 0 to 1."""
    days: float = 7.0
    """Of history."""
    hpa_blind: str = ""
    """Why the HPA on it cannot scale (``container proxy has no cpu request``); empty if it can."""

    @property
    def unrequested(self) -> tuple[str, ...]:
        """Containers without a CPU request."""
        return tuple(container.name for container in self.containers if container.cpu_request is None)

    def signal(self, name: str) -> Spread | None:
        """The spread of a signal; None where it was not found."""
        return self.signals.get(name)


def read_signs(facts: WorkloadFacts, history: History) -> Signs:
    """The numbers of one workload, from what the cluster says now and what it used."""
    containers = tuple(
        _container(container, history.containers.get(container["name"]), facts)
        for container in counted_containers(facts.pod_spec)
    )
    fit = plan_fit(facts.capacity, _most_wanted(facts, history))
    node_cpu, node_memory = _largest_node(facts)
    varies = variation(history)
    return Signs(
        containers=containers,
        demand=spread(history.cpu.values) or Spread(0.0, 0.0, 0.0, 0.0),
        variation=varies,
        replicas=facts.replicas,
        cpu_request=_cores(milli_request(facts.pod_spec, "cpu")),
        cpu_limit=_cores(milli_limit(facts.pod_spec, "cpu")),
        utilization=_utilization(history, containers, facts),
        pods=spread(history.pods.values),
        gpus=facts.gpus,
        accelerator=facts.accelerator,
        signals={name: found for name, series in history.signals.items() if (found := spread(series.values))},
        held_back=_held_back(facts),
        room=None if isinstance(fit.fits, Unknown) else fit.fits,
        room_why=_room_why(facts, fit),
        node_cpu=node_cpu,
        node_memory=node_memory,
        rivals=find_rivals(facts, history, varies),
        hpa_at_max=time_at_max(facts, history),
        hpa_target=cpu_target(facts),
        at_rest=_at_rest(history),
        days=history.span / 86400.0,
        hpa_blind=why_blind(facts),
    )


def spread(values: FloatArray) -> Spread | None:
    """The spread of ``values``; None of none."""
    if not values.size:
        return None
    low, median, high, peak = (float(value) for value in np.percentile(values, (5, 50, 95, 100)))
    return Spread(low, median, high, peak)


def variation(history: History) -> float:
    """The 99th percentile of demand averaged over 5 minutes, over its 5th; 1 for too little of it.

    Office hours against nights give 3 and more, steady load with 5 % of noise 1.1.
    """
    width = max(1, round(SMOOTHED / history.step)) if history.step > 0 else 1
    values = history.cpu.values
    if values.size < 2 * width:
        return 1.0
    sums = np.cumsum(np.concatenate([[0.0], values]))
    smooth = (sums[width:] - sums[:-width]) / width
    low, high = (float(value) for value in np.percentile(smooth, (5, 99)))
    # A load that comes to rest has no finite ratio: a hundredth of its peak stands for rest.
    return high / max(low, high / 100.0) if high > 0 else 1.0


def _most_wanted(facts: WorkloadFacts, history: History) -> int:
    """So many copies that nothing will be recommended beyond them: four times the highest demand, in requests."""
    request = _cores(milli_request(facts.pod_spec, "cpu"))
    peak = float(history.cpu.values.max()) if history.cpu.values.size else 0.0
    needed = math.ceil(4 * peak / request) if request else 0
    present = int(facts.hpa["spec"]["maxReplicas"]) if facts.hpa else 0
    return max(1, 4 * facts.replicas, present, min(needed, MOST_COPIES))


def _container(container: Json, use: ContainerUse | None, facts: WorkloadFacts) -> ContainerSigns:
    resources = container.get("resources") or {}
    requests, limits = amounts(resources.get("requests")), amounts(resources.get("limits"))
    throttled = spread(use.throttled.values) if use and use.throttled is not None else None
    return ContainerSigns(
        name=str(container["name"]),
        cpu=spread(use.cpu.values) if use else None,
        memory=spread(use.memory.values) if use else None,
        cpu_request=_units(requests, "cpu"),
        cpu_limit=_units(limits, "cpu"),
        memory_request=_units(requests, "memory"),
        memory_limit=_units(limits, "memory"),
        throttled=throttled.high if throttled else None,
        throttled_usually=throttled.median if throttled else None,
        restarts=use.restarts if use else 0.0,
        oom_kills=max(use.oom_kills if use else 0.0, _oom_kills(facts, container["name"])),
    )


def _oom_kills(facts: WorkloadFacts, container: str) -> float:
    """Restarts of ``container`` in the pods that run, where the last was for memory: a history may not tell."""
    entries = [
        entry
        for pod in facts.pods
        for key in ("containerStatuses", "initContainerStatuses")
        for entry in (pod.get("status") or {}).get(key) or ()
        if entry.get("name") == container
    ]
    ends = (((entry.get("lastState") or {}).get("terminated") or {}).get("reason") for entry in entries)
    killed = zip(entries, ends, strict=True)
    return float(sum(int(entry.get("restartCount") or 0) for entry, reason in killed if reason == "OOMKilled"))


def _units(listed: Mapping[str, int], name: str) -> float | None:
    return listed[name] / NANO if listed.get(name) else None


def _cores(milli: int | None) -> float | None:
    return milli / 1000.0 if milli else None


def _utilization(history: History, containers: tuple[ContainerSigns, ...], facts: WorkloadFacts) -> Spread | None:
    """The requests of the time count; where their history is not known, those of the template do."""
    whole = _cores(milli_request(facts.pod_spec, "cpu")) if has_pod_level_resources(facts.pod_spec) else None
    requested = _requested(history, containers) if whole is None else np.full(history.cpu.times.shape, whole)
    if requested is None:
        return None
    total = requested * held(history.pods, history.cpu.times)
    known = total > 0
    return spread(history.cpu.values[known] / total[known])


def _requested(history: History, containers: tuple[ContainerSigns, ...]) -> FloatArray | None:
    """Cores a pod at each time; None where a container has never had a request."""
    times, total = history.cpu.times, np.zeros(history.cpu.times.shape)
    for container in containers:
        use = history.containers.get(container.name)
        recorded = use.cpu_request if use else None
        if recorded is not None and recorded.times.size:
            total += held(recorded, times)
        elif container.cpu_request is not None:
            total += container.cpu_request
        else:
            return None
    return total


def held(series: Series, times: FloatArray) -> FloatArray:
    """``series`` at ``times``, each value held until the next; the first one stands for the time before it too."""
    if not series.times.size:
        return np.zeros(times.shape)
    index = np.searchsorted(series.times, times, side="right") - 1
    return series.values[np.maximum(index, 0)]


def _held_back(facts: WorkloadFacts) -> tuple[str, ...]:
    """Pods that no node takes, and pods that the API server refused (condition ReplicaFailure)."""
    held_back = [
        f"{len(group.pods)} of {facts.replicas} pods {group.reason}: {group.message}"
        for group in facts.troubles
        if group.reason in ("Unschedulable", "Pending")
    ]
    for condition in (facts.object.get("status") or {}).get("conditions") or ():
        if condition.get("type") == "ReplicaFailure" and condition.get("status") == "True":
            message = printable(" ".join(str(condition.get("message") or "").split()))
            held_back.append(message.partition(" is forbidden: ")[2] or message)
    return tuple(held_back)


def _room_why(facts: WorkloadFacts, fit: Fit) -> str:
    """What is short for one more copy; where one fits, what is short for more."""
    binding = plan_fit(facts.capacity, 1) if fit.fits == 0 else fit
    return "; ".join(shortage.what for shortage in binding.limits)


def _largest_node(facts: WorkloadFacts) -> tuple[float | None, float | None]:
    nodes = facts.capacity.nodes
    if isinstance(nodes, Unknown):
        return None, None
    offers = [
        amounts((node.get("status") or {}).get("allocatable")) for node in eligible_nodes(facts.pod_spec, nodes).nodes
    ]
    largest = [max((offer.get(name, 0) for offer in offers), default=0) / NANO for name in ("cpu", "memory")]
    return largest[0], largest[1]


def _at_rest(history: History) -> float:
    """Use under a fiftieth of its peak is that of a process that waits."""
    use = history.cpu.values
    if not use.size:
        return 0.0
    rests = use <= REST * float(use.max())
    for name in ("running_requests", "queue_length", "request_rate"):
        signal = history.signals.get(name)
        if signal is not None:
            rests &= held(signal, history.cpu.times) == 0
    return float(np.mean(rests))
