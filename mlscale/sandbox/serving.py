"""How pods share the requests of a workload: what each uses for it, what waits, how long it takes.

A model of queues, not of a machine: a pod answers at most so many requests per second, by its CPU limit, its GPUs
or the requests that it works on at once, whichever is least; what comes in beyond that waits, until its time is out.
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
class Capacity:
    """What one pod can do."""

    rate: float
    """Requests per second."""
    cpu_limit: float
    """Cores; infinite where there is no limit."""
    gpus: int


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


def capacity_of(service: Service, cpu_limit: float, gpus: int) -> Capacity:
    """The capacity of a pod with ``cpu_limit`` cores (infinite: none) and ``gpus``."""
    rates = [service.concurrency / service.seconds if service.seconds else float("inf")]
    if service.cpu_seconds:
        rates.append(max(cpu_limit - service.idle_cpu, 0.0) / service.cpu_seconds)
    if service.gpu_seconds:
        rates.append(gpus / service.gpu_seconds)
    return Capacity(min(rates), cpu_limit, gpus)


def serve(
    service: Service, capacity: Capacity, arriving: float, waiting: float, ages: Sequence[float],
    weights: Sequence[float], step: float,
) -> Load:  # fmt: skip
    """One step of ``step`` seconds: ``arriving`` requests per second on top of the ``waiting`` ones.

    ``ages`` (seconds since each pod's start) and ``weights`` (around 1: how much of the requests it gets) are of the
    pods that serve. A step with none leaves everything waiting.
    """
    whole = min(capacity.rate * len(ages), service.downstream_rate) if ages else 0.0
    offered = arriving + waiting / step
    shares = _shares(min(whole, offered), capacity.rate, weights)
    served = sum(shares)
    left = max(0.0, (offered - served) * step)
    kept = min(left, (whole or arriving) * service.timeout)
    busy = min(1.0, served / whole) if whole else 0.0
    latency = service.seconds / (1 - min(busy, BUSIEST)) + (kept / whole if whole else service.timeout)
    usages = [
        _usage(service, capacity, rate, kept * weight / sum(weights), age)
        for rate, weight, age in zip(shares, weights, ages, strict=True)
    ]
    mean = served / len(ages) if ages else 0.0
    gpu = min(1.0, mean * service.gpu_seconds / capacity.gpus) if capacity.gpus else 0.0
    throttled = _throttled(max((usage.cpu for usage in usages), default=0.0) / capacity.cpu_limit)
    dropped = (left - kept) / step
    return Load(arriving, served, kept, dropped, min(latency, service.timeout), busy, gpu, throttled, tuple(usages))


def _shares(whole: float, most: float, weights: Sequence[float]) -> list[float]:
    """What each pod serves: by weight, none more than ``most``, ``whole`` in all as far as that goes."""
    if not weights:
        return []
    total = sum(weights)
    shares = [min(most, whole * weight / total) for weight in weights]
    missing = whole - sum(shares)
    room = [most - share for share in shares]
    if missing <= 0 or not sum(room):
        return shares
    return [share + free * min(1.0, missing / sum(room)) for share, free in zip(shares, room, strict=True)]


def _usage(service: Service, capacity: Capacity, rate: float, queued: float, age: float) -> Usage:
    cpu = min(service.idle_cpu + rate * service.cpu_seconds, capacity.cpu_limit)
    busy = min(rate / capacity.rate, BUSIEST) if capacity.rate else 0.0
    working = min(rate * service.seconds / (1 - busy), float(service.concurrency))
    requests = (working + queued) * service.memory_per_request
    return Usage(cpu, round(service.memory + requests + service.memory_growth * age))


def _throttled(share: float) -> float:
    return min(1.0, max(0.0, (share - THROTTLED_FROM) / (1 - THROTTLED_FROM))) ** 2
