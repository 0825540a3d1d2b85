"""The requests that come in meet the pods that are there: what each pod uses, and which run out of memory."""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from mlscale.kube.quantity import NANO, nano_of
from mlscale.sandbox.demand import request_rate
from mlscale.sandbox.serving import Load, ServingPod, serve, throttled_share
from mlscale.sandbox.usage import Usage

if TYPE_CHECKING:
    from datetime import datetime

    from mlscale.sandbox.controllers.cluster import Cluster
    from mlscale.sandbox.kubelet import Kubelet, RunningPod
    from mlscale.sandbox.scenario import Scenario, Workload

Json = dict[str, Any]

STEP = 5.0
"""Seconds of simulated time between two looks at a workload."""
GPU = "nvidia.com/gpu"
SPREAD = 0.1
"""Load balancers are not fair: pods get up to this share more or less than the mean."""
OUT_OF_MEMORY = ("OOMKilled", 137)


@dataclass(frozen=True, slots=True)
class Gauge:
    """What the main container of a pod has used."""

    started: datetime
    """Of the container's present run."""
    usage: Usage
    cpu_seconds: float
    """Core-seconds since its start."""
    throttled: float = 0.0
    """Seconds' worth of CFS periods since its start in which it was throttled."""
    requests: float = 0.0
    """Answered since its start."""
    latency: float = 0.0
    """Seconds that those took, all together."""


class Traffic:
    """Goes through the workloads step by step."""

    def __init__(self, cluster: Cluster, scenario: Scenario, kubelet: Kubelet, seed: int, start: datetime) -> None:
        """``start`` is the scenario's, after its warm-up; ``seed`` decides the noise."""
        self._cluster = cluster
        self._scenario = scenario
        self._kubelet = kubelet
        self._seed = seed
        self._start = start
        self._gauges: dict[str, Gauge] = {}
        self.loads: dict[str, Load] = {}
        """What happened to the requests of each workload in the last step, by its name."""
        if scenario.workloads:
            cluster.agenda.every(STEP, self._step)

    def gauge(self, running: RunningPod) -> Gauge | None:
        """What the main container of a pod uses; None while it does not run, or not long enough."""
        gauge = self._gauges.get(running.pod["metadata"]["uid"])
        return gauge if gauge and running.main.running and gauge.started == running.main.since else None

    def _step(self) -> None:
        seen: dict[str, Gauge] = {}
        for workload in self._scenario.workloads:
            self._serve(workload, seen)
        self._gauges = seen

    def _serve(self, workload: Workload, seen: dict[str, Gauge]) -> None:
        now = self._cluster.agenda.now
        running = [pod for pod in self._kubelet.pods(workload) if pod.main.running]
        serving = [pod for pod in running if pod.serves(now)]
        before = self.loads.get(workload.name)
        load = serve(
            workload.service,
            [self._serving_pod(pod, now) for pod in serving],
            self._arriving(workload, now),
            before.waiting if before else 0.0,
            STEP,
        )
        self.loads[workload.name] = load
        usages = {id(pod): usage for pod, usage in zip(serving, load.usages, strict=True)}
        for pod in running:
            usage = usages.get(id(pod))
            if usage is None:
                self._take(pod, _usage_without_requests(workload, pod, now), 0.0, load, seen)
            else:
                self._take(pod, usage, STEP * load.served / len(serving), load, seen)

    def _arriving(self, workload: Workload, now: datetime) -> float:
        seconds = (now - self._start).total_seconds()
        noise = f"{self._seed}/{workload.namespace}/{workload.name}"
        return request_rate(workload.demand, seconds, self._scenario.clock, noise)

    def _serving_pod(self, running: RunningPod, now: datetime) -> ServingPod:
        limits = _limits(running)
        return ServingPod(
            cpu_limit=_cpu_limit(limits),
            gpus=int(_amount(limits, GPU)),
            age=(now - running.main.since).total_seconds(),
            weight=_weight(self._seed, running.pod["metadata"]["uid"]),
        )

    def _take(self, running: RunningPod, usage: Usage, requests: float, load: Load, seen: dict[str, Gauge]) -> None:
        """Count what the pod has used, and the requests that it has answered, in the last step."""
        uid, started, limits = running.pod["metadata"]["uid"], running.main.since, _limits(running)
        limit = _amount(limits, "memory")
        if limit and usage.memory > limit:
            self._kubelet.kill(running, *OUT_OF_MEMORY)
            return
        before = self._gauges.get(uid)
        if before is None or before.started != started:
            before = Gauge(started, usage, 0.0)
        seen[uid] = Gauge(
            started,
            usage,
            before.cpu_seconds + usage.cpu * STEP,
            before.throttled + throttled_share(usage.cpu / _cpu_limit(limits)) * STEP,
            before.requests + requests,
            before.latency + requests * load.latency,
        )


def _usage_without_requests(workload: Workload, running: RunningPod, now: datetime) -> Usage:
    """While it loads, and when it is loaded but not ready."""
    startup, service = workload.startup, workload.service
    age = (now - running.main.since).total_seconds()
    if age >= startup.load:
        return Usage(service.idle_cpu, service.memory)
    cpu = min(startup.load_cpu or service.idle_cpu, _cpu_limit(_limits(running)))
    return Usage(cpu, round(service.memory * age / startup.load))


def _limits(running: RunningPod) -> Json:
    return running.resizing.actual[running.main.plan.name].get("limits") or {}


def _cpu_limit(limits: Json) -> float:
    return _amount(limits, "cpu") or float("inf")


def _amount(limits: Json, name: str) -> float:
    return nano_of(limits.get(name, 0)) / NANO


@lru_cache(maxsize=16_384)
def _weight(seed: int, uid: str) -> float:
    return 1 + random.Random(f"{seed}/{uid}").uniform(-SPREAD, SPREAD)
