"""metrics.k8s.io: what metrics-server has measured of pods and nodes.

The rules are those of sigs.k8s.io/metrics-server pkg/storage/pod.go, node.go and types.go, v0.9.0, scraping each 15 s.
A container that uses the same all the time is not scraped: what two scrapes would have shown is worked out when asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from mlscale.kube.quantity import NANO, Quantity
from mlscale.sandbox.agenda import timestamp
from mlscale.sandbox.resources import NODEMETRICS, PODMETRICS
from mlscale.sandbox.usage import IDLE, Usage, annotated_usage, is_annotated

if TYPE_CHECKING:
    from mlscale.sandbox.container_life import ContainerLife
    from mlscale.sandbox.controllers.cluster import Cluster
    from mlscale.sandbox.kubelet import Kubelet, RunningPod
    from mlscale.sandbox.traffic import Gauge, Traffic

Json = dict[str, Any]

RESOLUTION = 15.0
"""Seconds between two scrapes."""
FRESH = 10.0
"""A container that has run for so long, but not yet for 15 s, is measured from its start."""
SYSTEM = Usage(0.1, 512 * 2**20)
"""What a node uses beside its pods."""


@dataclass(frozen=True, slots=True)
class _Measured:
    """The use of a container over ``window`` seconds."""

    usage: Usage
    window: float


class MetricsServer:
    """Scrapes, and answers for the last two scrapes."""

    def __init__(self, cluster: Cluster, kubelet: Kubelet, traffic: Traffic) -> None:
        self._cluster = cluster
        self._kubelet = kubelet
        self._traffic = traffic
        self._start = self._scraped = cluster.agenda.now
        self._last: dict[str, Gauge] = {}
        self._before: dict[str, Gauge] = {}
        cluster.agenda.every(RESOLUTION, self._scrape)
        cluster.api.sources[PODMETRICS.resource] = self.pod_metrics
        cluster.api.sources[NODEMETRICS.resource] = lambda _namespace: self.node_metrics()

    def pod_metrics(self, namespace: str | None) -> list[Json]:
        """The PodMetrics of a namespace, or of all, by namespace and name."""
        found = [self._of_pod(running) for running in self._kubelet.pods(namespace=namespace)]
        return sorted((each for each in found if each), key=_name)

    def node_metrics(self) -> list[Json]:
        """The NodeMetrics of all nodes, by name; none before the second scrape."""
        if (self._scraped - self._start).total_seconds() < 2 * RESOLUTION:
            return []
        totals: dict[str, list[Usage]] = {}
        for running in self._kubelet.pods():
            used = [measured.usage for _, measured in self._containers(running)]
            totals.setdefault(running.pod["spec"]["nodeName"], []).extend(used)
        return [
            self._metrics(NODEMETRICS.kind, node, RESOLUTION) | {"usage": _listed(_sum(totals.get(_name(node)[1], [])))}
            for node in self._cluster.store.list("nodes")
        ]

    def _scrape(self) -> None:
        self._scraped = self._cluster.agenda.now
        described = (running for running in self._kubelet.pods() if running.workload is not None)
        gauges = ((running, self._traffic.gauge(running)) for running in described)
        self._before, self._last = self._last, {_uid(running): gauge for running, gauge in gauges if gauge}

    def _of_pod(self, running: RunningPod) -> Json | None:
        """One pod; None while one of its running containers has not been measured yet, or none runs."""
        containers = self._containers(running)
        count = sum(life.running and life.since <= self._scraped for life in running.containers)
        if not containers or len(containers) < count:
            return None
        window = containers[0][1].window
        listed = [{"name": name, "usage": _listed(measured.usage)} for name, measured in containers]
        return self._metrics(PODMETRICS.kind, running.pod, window) | {"containers": listed}

    def _containers(self, running: RunningPod) -> list[tuple[str, _Measured]]:
        measured = ((life.plan.name, self._measure(running, life)) for life in running.containers)
        return [(name, each) for name, each in measured if each is not None]

    def _measure(self, running: RunningPod, life: ContainerLife) -> _Measured | None:
        window = self._window(life)
        if window is None:
            return None
        if running.workload is None or life is not running.main:
            usage = annotated_usage(running.pod) if is_annotated(running.pod) else IDLE
            return _Measured(usage, window)
        return self._measure_gauge(_uid(running), life, window)

    def _window(self, life: ContainerLife) -> float | None:
        """Over how long a container has been measured, or None."""
        ran = (self._scraped - life.since).total_seconds()
        if not life.running:
            return None
        if FRESH <= ran < RESOLUTION:
            return ran
        return RESOLUTION if ran > RESOLUTION else None

    def _measure_gauge(self, uid: str, life: ContainerLife, window: float) -> _Measured | None:
        last, before = self._last.get(uid), self._before.get(uid)
        if last is None or last.started != life.since:
            return None
        known = before.cpu_seconds if before and before.started == life.since else 0.0
        return _Measured(Usage((last.cpu_seconds - known) / window, last.usage.memory), window)

    def _metrics(self, kind: str, about: Json, window: float) -> Json:
        metadata = about["metadata"]
        head = {name: metadata[name] for name in ("name", "namespace") if metadata.get(name)}
        head["creationTimestamp"] = timestamp(self._cluster.agenda.now)
        if labels := metadata.get("labels"):
            head["labels"] = labels
        return {
            "kind": kind,
            "apiVersion": PODMETRICS.api_version,
            "metadata": head,
            "timestamp": timestamp(self._scraped),
            "window": f"{timedelta(seconds=window) / timedelta(seconds=1):g}s",
        }


def _listed(usage: Usage) -> Json:
    cpu = Quantity(round(usage.cpu * NANO))
    return {"cpu": str(cpu), "memory": str(Quantity(usage.memory * NANO, "BinarySI"))}


def _sum(usages: list[Usage]) -> Usage:
    return Usage(SYSTEM.cpu + sum(each.cpu for each in usages), SYSTEM.memory + sum(each.memory for each in usages))


def _uid(running: RunningPod) -> str:
    return str(running.pod["metadata"]["uid"])


def _name(obj: Json) -> tuple[str, str]:
    return obj["metadata"].get("namespace") or "", obj["metadata"]["name"]
