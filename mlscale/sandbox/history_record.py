"""What a Prometheus of the simulated cluster scrapes from the scenario's start on, and what it finds there.

Only pods of the scenario's workloads are scraped, each 30 s as kube-prometheus does (its values of scrapeInterval).
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mlscale.kube.kinds import HPA
from mlscale.kube.pod_resources import amounts
from mlscale.kube.quantity import NANO
from mlscale.sandbox.serving import worked_on
from mlscale.sandbox.traffic import GPU, OUT_OF_MEMORY
from mlscale.sandbox.usage import IDLE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from mlscale.sandbox.container_life import ContainerLife
    from mlscale.sandbox.controllers.cluster import Cluster
    from mlscale.sandbox.kubelet import Kubelet, RunningPod
    from mlscale.sandbox.scenario import Scenario, Workload
    from mlscale.sandbox.serving import Load
    from mlscale.sandbox.store import Key
    from mlscale.sandbox.traffic import Gauge, Traffic

Json = dict[str, Any]
Owner = tuple[str, str]
"""Kind and name."""

SCRAPE_INTERVAL = 30.0
"""Seconds."""
PERIODS = 10.0
"""CFS periods in a second (kernel, sched_cfs_bandwidth: 100 ms)."""
COLUMNS = (
    "times", "cpu_seconds", "memory", "periods", "throttled_periods", "restarts", "oom_killed",
    "requests", "latency_seconds", "waiting", "running", "cache", "gpu",
)  # fmt: skip
"""Of each scrape of a container: seconds since the epoch; counters and gauges in seconds, bytes, counts and shares."""
_NO_SIGNALS = (0.0, 0.0, 0.0, 0.0)
_IDLE_RISE = (IDLE.cpu * SCRAPE_INTERVAL, 0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Scraped:
    """What the samples of one container are labelled with, and what it asks for: cores and bytes, None for nothing."""

    namespace: str
    pod: str
    container: str
    node: str
    owner: Owner
    """Who controls the pod; empty texts for nobody."""
    serves: bool
    """Whether it is the one that answers requests."""
    cpu_request: float | None
    memory_request: float | None
    cpu_limit: float | None
    memory_limit: float | None
    gpus: int


@dataclass(frozen=True)
class Present:
    """One workload as it is at the scenario's start, which is where its past has led to."""

    workload: Workload
    pods: tuple[Json, ...]
    """Those on nodes, the oldest first; one at least."""
    wanted: int
    """Replicas that its controller is asked for."""
    owner: Owner
    """Who owns the controller of its pods, or that controller itself."""
    hpa: Json | None


@dataclass
class Recorded:
    """The samples of one container."""

    scraped: Scraped
    columns: Mapping[str, array[float]] = field(default_factory=lambda: {name: array("d") for name in COLUMNS})
    gauge: Gauge | None = None
    """The last one that was counted."""

    def last(self, name: str) -> float:
        """The newest value of a column; 0 before the first."""
        column = self.columns[name]
        return column[-1] if column else 0.0


class Recorder:
    """Scrapes, and keeps it all."""

    def __init__(
        self, cluster: Cluster, scenario: Scenario, kubelet: Kubelet, traffic: Traffic, seed: int, start: datetime
    ) -> None:
        """``start`` is the scenario's start, and the present moment."""
        self.scenario = scenario
        self.seed = seed
        self.start = start
        self.replicaset_owners: dict[Key, Owner] = {}
        """By the namespace and name of each ReplicaSet that had pods."""
        self.recorded: dict[tuple[str, str], Recorded] = {}
        """By the pod's uid and the container's name, in the order of appearance."""
        self.newest = start
        """When the last scrape was."""
        self._cluster = cluster
        self._kubelet = kubelet
        self._traffic = traffic
        self.present = tuple(filter(None, map(self._present, scenario.workloads)))
        self.scrape()
        cluster.agenda.every(SCRAPE_INTERVAL, self.scrape)

    @property
    def now(self) -> datetime:
        """The present moment of the simulation."""
        return self._cluster.agenda.now

    def scrape(self) -> None:
        """Take a sample of each container that runs."""
        self.newest = self.now
        for running in self._kubelet.pods():
            if running.workload is not None:
                for life in running.containers:
                    self._scrape(running, life)

    def _scrape(self, running: RunningPod, life: ContainerLife) -> None:
        key = (str(running.pod["metadata"]["uid"]), life.plan.name)
        serves = life is running.main
        gauge = self._traffic.gauge(running) if serves else None
        if not life.running or (serves and gauge is None):
            return
        recorded = self.recorded.get(key)
        if recorded is None:
            scraped = scraped_of(running.pod, life.plan.name, serves=serves)
            recorded = self.recorded[key] = Recorded(scraped)
            self._note_owner(running.pod)
        row = self._row(running, life, recorded, gauge)
        for name, value in zip(COLUMNS, row, strict=True):
            recorded.columns[name].append(value)
        recorded.gauge = gauge

    def _row(self, running: RunningPod, life: ContainerLife, recorded: Recorded, gauge: Gauge | None) -> list[float]:
        risen = _since(recorded.gauge, gauge) if gauge is not None else _IDLE_RISE
        cpu_seconds, throttled, requests, latency = risen
        killed = life.last is not None and life.last.reason == OUT_OF_MEMORY[0]
        return [
            self.now.timestamp(),
            recorded.last("cpu_seconds") + cpu_seconds,
            float(gauge.usage.memory if gauge is not None else IDLE.memory),
            recorded.last("periods") + PERIODS * SCRAPE_INTERVAL,
            recorded.last("throttled_periods") + PERIODS * throttled,
            float(life.restarts),
            float(killed),
            recorded.last("requests") + requests,
            recorded.last("latency_seconds") + latency,
            *(self._signals(running) if gauge is not None else _NO_SIGNALS),
        ]

    def _signals(self, running: RunningPod) -> tuple[float, float, float, float]:
        """Of one pod: requests that wait and that are worked on, and the shares of its cache and GPUs in use."""
        load = self._load(running)
        if load is None or running.workload is None or not load.usages or not running.serves(self.now):
            return _NO_SIGNALS
        service, pods = running.workload.service, len(load.usages)
        working = worked_on(service, load.served / pods, load.busy)
        return load.waiting / pods, working, working / service.concurrency, load.gpu

    def _load(self, running: RunningPod) -> Load | None:
        return self._traffic.loads.get(running.workload.name) if running.workload else None

    def _present(self, workload: Workload) -> Present | None:
        pods = tuple(running.pod for running in self._kubelet.pods(workload))
        if not pods:
            return None
        for pod in pods:
            self._note_owner(pod)
        namespace, controller = pods[0]["metadata"]["namespace"], owner_of(pods[0])
        owner = self.replicaset_owners.get((namespace, controller[1]), controller)
        found = self._object(namespace, owner)
        wanted = ((found or {}).get("spec") or {}).get("replicas")
        return Present(workload, pods, len(pods) if wanted is None else wanted, owner, self._hpa(namespace, owner))

    def _object(self, namespace: str, owner: Owner) -> Json | None:
        for resource in self._cluster.api.resources.values():
            if resource.kind.kind == owner[0] and "scale" in resource.subresources:
                return self._cluster.store.get(resource.key, namespace, owner[1])
        return None

    def _hpa(self, namespace: str, owner: Owner) -> Json | None:
        for hpa in self._cluster.store.list(HPA.resource, namespace):
            target = hpa["spec"]["scaleTargetRef"]
            if (target["kind"], target["name"]) == owner:
                return hpa
        return None

    def _note_owner(self, pod: Json) -> None:
        """Remember who owns the ReplicaSet that a pod is of: both may be gone when it is asked for."""
        namespace, (kind, name) = pod["metadata"]["namespace"], owner_of(pod)
        if kind == "ReplicaSet" and (namespace, name) not in self.replicaset_owners:
            made = self._cluster.store.get("replicasets.apps", namespace, name)
            if made is not None and owner_of(made)[1]:
                self.replicaset_owners[namespace, name] = owner_of(made)


def owner_of(obj: Json) -> Owner:
    """Its controller by kind and name; empty texts where it has none."""
    references = obj["metadata"].get("ownerReferences") or ()
    return next(((one["kind"], one["name"]) for one in references if one.get("controller")), ("", ""))


def scraped_of(pod: Json, container: str, *, serves: bool, name: str | None = None) -> Scraped:
    """What is scraped of one container of ``pod``, or of a pod like it that is called ``name``."""
    found = next(each for each in pod["spec"]["containers"] if each["name"] == container)
    resources = found.get("resources") or {}
    requests, limits = amounts(resources.get("requests")), amounts(resources.get("limits"))
    cpu_request, memory_request, cpu_limit, memory_limit = (
        amount[resource] / NANO if resource in amount else None
        for amount in (requests, limits)
        for resource in ("cpu", "memory")
    )
    return Scraped(
        namespace=pod["metadata"]["namespace"],
        pod=name or pod["metadata"]["name"],
        container=container,
        node=pod["spec"].get("nodeName", ""),
        owner=owner_of(pod),
        serves=serves,
        cpu_request=cpu_request,
        memory_request=memory_request,
        cpu_limit=cpu_limit,
        memory_limit=memory_limit,
        gpus=limits.get(GPU, 0) // NANO,
    )


def _since(before: Gauge | None, now: Gauge) -> tuple[float, float, float, float]:
    """How the counters of a gauge have risen since the last scrape; a container that has started again is at 0."""
    if before is None or before.started != now.started:
        return now.cpu_seconds, now.throttled, now.requests, now.latency
    return (
        now.cpu_seconds - before.cpu_seconds,
        now.throttled - before.throttled,
        now.requests - before.requests,
        now.latency - before.latency,
    )
