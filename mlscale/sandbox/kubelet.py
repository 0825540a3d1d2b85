"""The kubelets of all nodes: they run the pods that are bound to them and write their statuses and events.

A pod of a workload that the scenario describes lives as the scenario says. Any other is Running and Ready the
moment it is bound and leaves no events, as on a cluster of kwok's simulated nodes.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from mlscale.kube.placement import matches_labels
from mlscale.sandbox import container_life
from mlscale.sandbox.container_life import ContainerLife, ContainerPlan, Happening, Probe
from mlscale.sandbox.controllers.pod_facts import has_ended
from mlscale.sandbox.pod_status import pod_status, pod_title
from mlscale.sandbox.statuses import StatusError
from mlscale.sandbox.verbs import KUBELET

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from mlscale.sandbox.controllers.cluster import Cluster
    from mlscale.sandbox.controllers.events import EventRecorder
    from mlscale.sandbox.scenario import Scenario, Workload
    from mlscale.sandbox.store import Change, Key

Json = dict[str, Any]

NAME = "kubelet"


@dataclass
class RunningPod:
    """A pod on a node."""

    pod: Json
    """As it was last stored."""
    workload: Workload | None
    ip: str
    started: datetime
    containers: tuple[ContainerLife, ...]
    ends_at: datetime | None = None
    """When its containers will have ended, once it was told to."""

    @property
    def main(self) -> ContainerLife:
        """The container that serves, and that crashes or grows."""
        wanted = self.workload.container if self.workload else ""
        return next((life for life in self.containers if life.plan.name == wanted), self.containers[0])

    def serves(self, now: datetime) -> bool:
        """Whether requests are sent to it and answered."""
        ready = all(life.ready for life in self.containers)
        return ready and self.ends_at is None and self.main.loaded(now)


class Kubelet:
    """Runs pods."""

    def __init__(self, cluster: Cluster, scenario: Scenario) -> None:
        self._cluster = cluster
        self._scenario = scenario
        self._pods: dict[Key, RunningPod] = {}
        self._images: set[tuple[str, str]] = set()
        self._recorders: dict[str, EventRecorder] = {}
        self._addresses = 0
        cluster.queue.register(NAME, self._sync)
        cluster.watch("pods", self._observe)

    def pods(self, workload: Workload | None = None, namespace: str | None = None) -> Iterator[RunningPod]:
        """The pods on the nodes: all, or those of a workload or of a namespace."""
        for key, running in self._pods.items():
            if (workload is None or running.workload is workload) and namespace in (None, key[0]):
                yield running

    def kill(self, running: RunningPod, reason: str, exit_code: int) -> None:
        """End the process of a pod's main container from outside; what follows is as after a crash."""
        now, main = self._cluster.agenda.now, running.main
        running.containers = tuple(
            container_life.killed(life, now, reason, exit_code) if life is main else life
            for life in running.containers
        )
        self._report(running, [])

    def _observe(self, change: Change) -> None:
        pod = change.object
        key = (pod["metadata"]["namespace"], pod["metadata"]["name"])
        if change.type == "DELETED":
            self._pods.pop(key, None)
            self._cluster.queue.forget(NAME, key)
            return
        running = self._pods.get(key)
        if running is not None:
            running.pod = pod
        is_new = running is None and bool(pod["spec"].get("nodeName"))
        if (is_new and not has_ended(pod)) or (running and self._is_to_end(running)):
            self._cluster.queue.add(NAME, key)

    @staticmethod
    def _is_to_end(running: RunningPod) -> bool:
        return "deletionTimestamp" in running.pod["metadata"] and running.ends_at is None

    def _sync(self, key: Key) -> None:
        pod = self._cluster.store.get("pods", *key)
        if pod is None or self._cluster.store.get("nodes", "", pod["spec"].get("nodeName", "")) is None:
            return
        running = self._pods.get(key)
        if running is None:
            self._begin(key, pod)
        elif "deletionTimestamp" in pod["metadata"]:
            self._end(key, running)
        else:
            self._continue(running)
