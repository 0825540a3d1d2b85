"""The kubelets of all nodes: they run the pods that are bound to them and write their statuses and events.

A pod of a workload that the scenario describes lives as the scenario says. Any other is Running and Ready the
moment it is bound and leaves no events, as on a cluster of kwok's simulated nodes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from mlscale.sandbox import container_life
from mlscale.sandbox.container_life import ContainerLife, Happening
from mlscale.sandbox.container_plans import container_plans
from mlscale.sandbox.controllers.pod_facts import has_ended
from mlscale.sandbox.pod_resize import Resizing, sizes_of, with_sizes
from mlscale.sandbox.pod_status import pod_status, pod_title
from mlscale.sandbox.usage import is_annotated
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
    host_ip: str
    started: datetime
    containers: tuple[ContainerLife, ...]
    resizing: Resizing
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
            container_life.killed(life, now, reason, exit_code) if life is main else life for life in running.containers
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
        if (is_new and not has_ended(pod)) or (running and self._is_to_act(running)):
            self._cluster.queue.add(NAME, key)

    @staticmethod
    def _is_to_act(running: RunningPod) -> bool:
        if "deletionTimestamp" in running.pod["metadata"]:
            return running.ends_at is None
        return running.resizing.is_behind(running.pod)

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

    def _begin(self, key: Key, pod: Json) -> None:
        now, workload = self._cluster.agenda.now, self._workload_of(pod)
        self._addresses += 1
        on_node = {image for node, image in self._images if node == _node(pod)}
        plans = container_plans(pod["spec"], workload, on_node, self._scenario.registry)
        started = [container_life.begin(plan, now) for plan in plans]
        lives = tuple(life for life, _ in started)
        sizes = sizes_of(pod["spec"])
        resizing = Resizing(sizes, sizes)
        running = RunningPod(pod, workload, address(self._addresses), self._host_ip(pod), now, lives, resizing)
        self._pods[key] = running
        self._record(running, [happened for _, happened in started])
        if "deletionTimestamp" in pod["metadata"]:
            self._end(key, running)
        else:
            self._continue(running)

    def _continue(self, running: RunningPod) -> None:
        """Let what is due happen, write the status, and come back when the next is due."""
        now, title = self._cluster.agenda.now, pod_title(running.pod)
        steps = [container_life.advance(life, now, title) for life in running.containers]
        running.containers = tuple(life for life, _ in steps)
        self._resize(running)
        self._images.update((_node(running.pod), life.plan.image) for life in running.containers if life.running)
        self._report(running, [happened for _, happened in steps])

    def _resize(self, running: RunningPod) -> None:
        pod, node = running.pod, self._cluster.store.get("nodes", "", _node(running.pod))
        others = (
            each.pod for each in self._pods.values() if each is not running and _node(each.pod) == _node(running.pod)
        )
        running.resizing.advance(pod, node or {}, others, self._cluster.agenda.now)

    def _report(self, running: RunningPod, happened: Sequence[list[Happening]]) -> None:
        now, pods = self._cluster.agenda.now, self._cluster.api.resources["pods"]
        pod, metadata = running.pod, running.pod["metadata"]
        self._record(running, happened)
        status = pod_status(pod, running.containers, running.ip, running.host_ip, running.started, now)
        body = {**pod, "status": with_sizes(status, running.resizing)}
        namespace, name = metadata["namespace"], metadata["name"]
        self._cluster.api.update(pods, namespace, name, body, KUBELET, subresource="status")
        moments = [*(life.due for life in running.containers), running.resizing.due]
        due = [moment for moment in moments if moment is not None]
        if due:
            self._cluster.queue.add_after(NAME, (namespace, name), (min(due) - now).total_seconds())

    def _end(self, key: Key, running: RunningPod) -> None:
        """Have the containers stop; the pod goes when they have."""
        now, workload = self._cluster.agenda.now, running.workload
        if running.ends_at is None:
            grace = running.pod["metadata"].get("deletionGracePeriodSeconds") or 0
            stop = min(workload.startup.stop if workload else 0.0, grace)
            running.ends_at = now + timedelta(seconds=stop)
            if workload is not None:
                self._record(running, [_stopping(life) for life in running.containers])
        if running.ends_at > now:
            self._cluster.queue.add_after(NAME, key, (running.ends_at - now).total_seconds())
            return
        options = {"gracePeriodSeconds": 0, "preconditions": {"uid": running.pod["metadata"]["uid"]}}
        self._cluster.api.delete(self._cluster.api.resources["pods"], *key, options, KUBELET)

    def _record(self, running: RunningPod, happened: Sequence[list[Happening]]) -> None:
        if not self._is_told_of(running):
            return
        recorder = self._recorder(_node(running.pod))
        for life, events in zip(running.containers, happened, strict=False):
            for event in events:
                path = f"spec.containers{{{life.plan.name}}}"
                recorder.record(running.pod, event.type, event.reason, event.message, path)

    def _host_ip(self, pod: Json) -> str:
        node = self._cluster.store.get("nodes", "", _node(pod)) or {}
        addresses = (node.get("status") or {}).get("addresses") or ()
        return next((each["address"] for each in addresses if each["type"] == "InternalIP"), "")

    @staticmethod
    def _is_told_of(running: RunningPod) -> bool:
        return running.workload is not None or any(life.plan.missing for life in running.containers)

    def _recorder(self, node: str) -> EventRecorder:
        if node not in self._recorders:
            self._recorders[node] = self._cluster.recorder(NAME, node, KUBELET)
        return self._recorders[node]

    def _workload_of(self, pod: Json) -> Workload | None:
        """The first of the scenario whose namespace and labels fit, unless annotations say what the pod uses."""
        metadata = pod["metadata"]
        if is_annotated(pod):
            return None
        labels = metadata.get("labels") or {}
        for workload in self._scenario.workloads:
            if workload.namespace == metadata["namespace"] and workload.labels.items() <= labels.items():
                return workload
        return None


def address(count: int) -> str:
    """The address of the ``count``-th pod: 10.0.0.1, 10.0.0.2, …"""
    return f"10.{count >> 16 & 255}.{count >> 8 & 255}.{count & 255}"


def _node(pod: Json) -> str:
    return str(pod["spec"]["nodeName"])


def _stopping(life: ContainerLife) -> list[Happening]:
    if not life.running:
        return []
    return [Happening("Normal", "Killing", f"Stopping container {life.plan.name}")]
