"""How a workload has gone before the scenario's start: its requests, its queue and its pods, step by step.

As the live simulation has it (traffic.py, serving.py, container_life.py), but with pods that are all alike and steps
of 15 s, so that a week takes a second.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import ceil
from typing import TYPE_CHECKING

from mlscale.sandbox.container_life import BACKOFF_FORGOTTEN, FIRST_BACKOFF, LONGEST_BACKOFF, SHOWN
from mlscale.sandbox.serving import capacity_of, worked_on

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlscale.sandbox.history_autoscaler import PastAutoscaler
    from mlscale.sandbox.scenario import GitOps, Service
    from mlscale.sandbox.serving import ServingPod

STEP = 15.0
"""Seconds: the HPA controller's sync period."""


@dataclass(frozen=True)
class Setup:
    """What the past of one workload follows from."""

    service: Service
    pod: ServingPod
    memory_limit: float
    """Bytes; infinite without one."""
    startup: float
    """Seconds from a container's start until its pod is Ready."""
    replicas: int
    """Wanted at first."""
    room: int | None
    """The most pods that the cluster has a place for."""
    autoscaler: PastAutoscaler | None = None
    load_cpu: float = 0.0
    """Cores in use meanwhile."""
    gitops: tuple[GitOps, ...] = ()


@dataclass
class Slot:
    """The place of one pod; the newest pod of a workload is in the last one."""

    ready: int
    """The step from which it serves."""
    started: int = 0
    """Step of its container's start."""
    backoff: float = 0.0
    backoff_set: float | None = None
    """Seconds."""


@dataclass(frozen=True)
class Interval:
    """The steps from ``first`` on, before ``end``, of the pod in a slot."""

    slot: int
    first: int
    end: int


@dataclass
class Course:
    """What happened; lists have one value a step, rates are per second and for all pods together."""

    served: list[float] = field(default_factory=list)
    waiting: list[float] = field(default_factory=list)
    """Requests, at the end of the step."""
    serving: list[int] = field(default_factory=list)
    """Pods."""
    pods: list[Interval] = field(default_factory=list)
    """From creation to deletion, each a pod of its own."""
    loading: list[Interval] = field(default_factory=list)
    """In which a container runs but does not serve yet."""
    down: list[Interval] = field(default_factory=list)
    """In which a container does not run."""
    kills: list[tuple[int, int]] = field(default_factory=list)
    """Slot, and the step at which its container ran out of memory."""


def take_course(setup: Setup, rates: Sequence[float]) -> Course:
    """The course of a workload whose requests come at ``rates``, one a step."""
    return _Run(setup, len(rates)).course_of(rates)


class _Run:
    def __init__(self, setup: Setup, steps: int) -> None:
        self._setup = setup
        self._capacity = capacity_of(setup.service, setup.pod)
        self._startup = max(1, ceil(setup.startup / STEP))
        self._steps = steps
        self._wanted = setup.replicas
        self._slots = [Slot(0) for _ in range(self._fitting(setup.replicas))]
        self._born = [0] * len(self._slots)
        self._settled = 0
        """The step from which every pod serves."""
        self._course = Course()
        self._used = 0
        """Millicores of each pod that served in the step before, and how many those were."""
        self._measured = 0

    def course_of(self, rates: Sequence[float]) -> Course:
        waiting = 0.0
        for step, rate in enumerate(rates):
            self._scale(step)
            waiting = self._serve(step, rate, waiting)
        while self._slots:
            self._remove(len(rates))
        return self._course

    def _serve(self, step: int, rate: float, before: float) -> float:
        service, pods = self._setup.service, self._serving(step)
        whole = min(pods * self._capacity, service.downstream_rate)
        offered = rate + before / STEP
        served = min(whole, offered)
        waiting = min((offered - served) * STEP, whole * service.timeout) if pods else 0.0
        course = self._course
        course.served.append(served)
        course.waiting.append(waiting)
        course.serving.append(pods)
        if pods:
            cpu = min(service.idle_cpu + served / pods * service.cpu_seconds, self._setup.pod.cpu_limit)
            self._used = ceil(round(1000 * cpu, 6))
            self._check_memory(step, served / pods, waiting / pods)
        self._measured = pods
        return waiting

    def _serving(self, step: int) -> int:
        if step >= self._settled:
            return len(self._slots)
        return sum(slot.ready <= step for slot in self._slots)

    def _check_memory(self, step: int, rate: float, queued: float) -> None:
        service, limit = self._setup.service, self._setup.memory_limit
        requests = (worked_on(service, rate, rate / self._capacity) + queued) * service.memory_per_request
        oldest = service.memory_growth * STEP * step
        if service.memory + requests + oldest <= limit:
            return
        for index, slot in enumerate(self._slots):
            age = STEP * (step - slot.started)
            if slot.ready <= step and service.memory + requests + service.memory_growth * age > limit:
                self._kill(index, slot, step)

    def _kill(self, index: int, slot: Slot, step: int) -> None:
        """Start the container again, with the kubelet's back-off."""
        now = step * STEP
        remembered = slot.backoff_set is not None and now - slot.backoff_set <= BACKOFF_FORGOTTEN
        up = now + SHOWN + (slot.backoff if remembered else 0.0)
        slot.backoff = min(2 * slot.backoff, LONGEST_BACKOFF) if remembered else FIRST_BACKOFF
        slot.backoff_set = up
        slot.started = ceil(up / STEP)
        slot.ready = slot.started + self._startup
        self._settled = max(self._settled, slot.ready)
        self._course.kills.append((index, step))
        self._course.down.append(Interval(index, step + 1, slot.started))
        self._course.loading.append(Interval(index, slot.started, slot.ready))

    def _scale(self, step: int) -> None:
        """Let whoever sets the replicas set them, and pods come and go for it."""
        now, before = step * STEP, self._wanted
        if self._setup.autoscaler is not None and step:
            counted = min(self._measured, self._serving(step))
            self._wanted = self._setup.autoscaler.desired(now, self._wanted, counted, self._used)
        for gitops in self._setup.gitops:
            if step and now % gitops.every < STEP:
                self._wanted = gitops.replicas
        if self._wanted != before:
            self._have(self._fitting(self._wanted), step)

    def _have(self, pods: int, step: int) -> None:
        while len(self._slots) > pods:
            self._remove(step)
        while len(self._slots) < pods:
            ready = step + self._startup
            self._course.loading.append(Interval(len(self._slots), step, ready))
            self._slots.append(Slot(ready, step))
            self._born.append(step)
            self._settled = max(self._settled, ready)

    def _remove(self, step: int) -> None:
        index, gone = len(self._slots) - 1, self._slots.pop()
        if gone.ready > step:
            # Else the next pod in the slot would seem to load, or to be down, for what is left of it.
            self._course.loading = [_cut(interval, index, step) for interval in self._course.loading]
            self._course.down = [_cut(interval, index, step) for interval in self._course.down]
        self._course.pods.append(Interval(index, self._born.pop(), step))

    def _fitting(self, wanted: int) -> int:
        return wanted if self._setup.room is None else min(wanted, self._setup.room)


def _cut(interval: Interval, slot: int, end: int) -> Interval:
    return replace(interval, end=min(interval.end, end)) if interval.slot == slot else interval
