"""How pods share the requests of a workload: what each uses for it, what waits, how long it takes.

A model of queues, not of a machine: a pod answers at most so many requests per second, by its CPU limit, its GPUs
or the requests that it works on at once, whichever is least; what comes in beyond that waits there until it times out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlscale.sandbox.usage import Usage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlscale.sandbox.scenario import Service

BUSIEST = 0.98
"""Beyond this share of its capacity a pod's latency no longer grows by the formula, but by the queue."""
THROTTLED_FROM = 0.7
"""The share of its CPU limit from which on a container is throttled in some of the scheduler's periods."""


@dataclass(frozen=True, slots=True)
class ServingPod:
    """A pod that requests are sent to."""

    cpu_limit: float
    """Cores; infinite where there is no limit."""
    gpus: int
    age: float
    """Seconds since its container's start."""
    weight: float = 1.0
    """How much of the requests it gets, relative to the others."""


@dataclass(frozen=True, slots=True)
class Load:
    """What happened to a workload's requests in one step. Rates are per second, for all pods together."""

    arriving: float
    served: float
    waiting: float
    """Requests in the queue at the end."""
    dropped: float
    latency: float
    """Seconds from arrival to answer."""
    busy: float
    """Share of the pods' capacity that is in use, 0 to 1."""
    gpu: float
    """Utilisation of their GPUs, 0 to 1."""
    throttled: float
    """Share of the CPU scheduler's periods in which a pod was throttled, 0 to 1."""
    usages: tuple[Usage, ...]
    """Of each pod's main container."""


def capacity_of(service: Service, pod: ServingPod) -> float:
    """The requests per second that a pod can answer."""
    rates = [service.concurrency / service.seconds if service.seconds else float("inf")]
    if service.cpu_seconds:
        rates.append(max(pod.cpu_limit - service.idle_cpu, 0.0) / service.cpu_seconds)
    if service.gpu_seconds:
        rates.append(pod.gpus / service.gpu_seconds)
    return min(rates)


def serve(service: Service, pods: Sequence[ServingPod], arriving: float, waiting: float, step: float) -> Load:
    """One step of ``step`` seconds: ``arriving`` requests per second on top of the ``waiting`` ones.

    Requests wait inside the pods: without any they are refused at once.
    """
    capacities = [capacity_of(service, pod) for pod in pods]
    whole = min(sum(capacities), service.downstream_rate)
    offered = arriving + waiting / step
    shares = _shares(min(whole, offered), capacities, [pod.weight for pod in pods])
    served = sum(shares)
    left = max(0.0, (offered - served) * step)
    kept = min(left, whole * service.timeout) if pods else 0.0
    busy = min(1.0, served / whole) if whole else 0.0
    latency = service.seconds / (1 - min(busy, BUSIEST)) + (kept / whole if whole else service.timeout)
    usages = tuple(
        _usage(service, pod, rate, capacity, kept / len(pods))
        for pod, rate, capacity in zip(pods, shares, capacities, strict=True)
    )
    return Load(
        arriving=arriving,
        served=served,
        waiting=kept,
        dropped=(left - kept) / step,
        latency=min(latency, service.timeout),
        busy=busy,
        gpu=_gpu_utilisation(service, pods, served),
        throttled=max(
            (throttled_share(usage.cpu / pod.cpu_limit) for usage, pod in zip(usages, pods, strict=True)), default=0.0
        ),
        usages=usages,
    )


def _shares(whole: float, capacities: Sequence[float], weights: Sequence[float]) -> list[float]:
    """What each pod serves: by weight, none more than it can, ``whole`` in all as far as that goes."""
    total = sum(weights)
    shares = [min(most, whole * weight / total) for most, weight in zip(capacities, weights, strict=True)]
    missing = whole - sum(shares)
    if missing <= 0:
        return shares
    room = [most - share for most, share in zip(capacities, shares, strict=True)]
    filled = min(1.0, missing / sum(room)) if sum(room) else 0.0
    return [share + free * filled for share, free in zip(shares, room, strict=True)]


def _usage(service: Service, pod: ServingPod, rate: float, capacity: float, queued: float) -> Usage:
    cpu = min(service.idle_cpu + rate * service.cpu_seconds, pod.cpu_limit)
    working = worked_on(service, rate, rate / capacity if capacity else 0.0)
    requests = (working + queued) * service.memory_per_request
    return Usage(cpu, round(service.memory + requests + service.memory_growth * pod.age))


def _gpu_utilisation(service: Service, pods: Sequence[ServingPod], served: float) -> float:
    gpus = sum(pod.gpus for pod in pods)
    return min(1.0, served * service.gpu_seconds / gpus) if gpus else 0.0


def worked_on(service: Service, rate: float, busy: float) -> float:
    """Requests that a pod works on at once while it answers ``rate`` a second at ``busy`` of its capacity."""
    return min(rate * service.seconds / (1 - min(busy, BUSIEST)), float(service.concurrency))


def throttled_share(share: float) -> float:
    """The share of the CFS periods in which a container is throttled that uses ``share`` of its CPU limit."""
    return min(1.0, max(0.0, (share - THROTTLED_FROM) / (1 - THROTTLED_FROM))) ** 2
