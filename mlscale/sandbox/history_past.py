"""The samples of a workload's pods from before the scenario's start, worked out from its demand."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mlscale.kube.quantity import NANO, nano_of
from mlscale.sandbox.demand import request_rate
from mlscale.sandbox.history_autoscaler import autoscaler_of
from mlscale.sandbox.history_course import STEP, Setup, take_course
from mlscale.sandbox.history_record import COLUMNS, PERIODS, SCRAPE_INTERVAL, owner_of, scraped_of
from mlscale.sandbox.history_tracks import Track
from mlscale.sandbox.serving import BUSIEST, THROTTLED_FROM, ServingPod, capacity_of
from mlscale.sandbox.traffic import GPU, SPREAD
from mlscale.sandbox.usage import IDLE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from mlscale.sandbox.history_course import Course, Interval
    from mlscale.sandbox.history_record import Present, Scraped
    from mlscale.sandbox.history_tracks import FloatArray
    from mlscale.sandbox.scenario import Demand, Scenario

    Json = dict[str, Any]

Mask = NDArray[np.bool_]

_EVERY = round(SCRAPE_INTERVAL / STEP)
"""Steps between two scrapes."""
_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
"""Of generated names (kubernetes staging/src/k8s.io/apimachinery/pkg/util/rand/rand.go, v1.37.2)."""


def past_tracks(present: Present, scenario: Scenario, seed: int, start: float) -> list[Track]:
    """What was scraped of the workload before ``start`` (seconds since the epoch), the scenario's own start.

    It reaches back as far as the scenario says; the last pods are those that are there at ``start``.
    """
    steps = math.floor(scenario.history / SCRAPE_INTERVAL) * _EVERY
    setup = setup_of(present, scenario)
    course = take_course(setup, _rates(present, scenario, seed, steps))
    weights = [_weight(seed, present, slot) for slot in range(1 + max(pod.slot for pod in course.pods))]
    happened = _happened(setup, course, np.array(weights))
    scrapes = np.arange(0, steps, _EVERY)
    times = start + STEP * (scrapes - steps).astype(np.float64)
    columns = {name: values[scrapes] for name, values in _columns(setup, happened).items()}
    namer = _Namer(present, seed)
    return [
        track
        for pod in sorted(course.pods, key=lambda pod: (pod.slot, pod.first))
        for track in _tracks_of(present, namer.name(pod, steps), pod, times, columns)
    ]


def setup_of(present: Present, scenario: Scenario) -> Setup:
    """What the past follows from. A workload of which not all pods run at the start never had room for more."""
    workload, pod = present.workload, present.pods[0]
    container = _serving_container(present)
    limits = (container.get("resources") or {}).get("limits") or {}
    probe = container.get("readinessProbe") or container.get("startupProbe")
    namespace = pod["metadata"]["namespace"]
    return Setup(
        service=workload.service,
        pod=ServingPod(_amount(limits, "cpu") or math.inf, int(_amount(limits, GPU)), age=0.0),
        memory_limit=_amount(limits, "memory") or math.inf,
        # On average a probe sees what it waits for half a period late.
        startup=workload.startup.load + (probe.get("periodSeconds") or 10) / 2 if probe else workload.startup.load,
        load_cpu=workload.startup.load_cpu or workload.service.idle_cpu,
        replicas=present.wanted,
        room=len(present.pods) if len(present.pods) < present.wanted else None,
        autoscaler=autoscaler_of(present.hpa, pod["spec"]),
        gitops=tuple(
            each for each in scenario.gitops if (each.namespace, each.name) == (namespace, present.owner[1])
        ),
    )  # fmt: skip


def _rates(present: Present, scenario: Scenario, seed: int, steps: int) -> list[float]:
    workload = present.workload
    noise = f"{seed}/{workload.namespace}/{workload.name}"
    demand = _recurring(workload.demand, steps * STEP)
    return [request_rate(demand, STEP * (step - steps), scenario.clock, noise) for step in range(steps)]


def _recurring(demand: Demand, span: float) -> Demand:
    """``demand`` with spikes that come again and again begun ``span`` seconds and more before the start."""
    spikes = (
        replace(spike, at=spike.at - math.ceil((span + spike.at) / spike.every) * spike.every) if spike.every else spike
        for spike in demand.spikes
    )
    return replace(demand, spikes=tuple(spikes))


@dataclass(frozen=True)
class _Happened:
    """One value a step and slot, shape (T, S), or one a step, shape (T, 1)."""

    cpu: FloatArray
    memory: FloatArray
    running: Mask
    served: FloatArray
    working: FloatArray
    waiting: FloatArray
    latency: FloatArray
    kills: FloatArray


def _happened(setup: Setup, course: Course, weights: FloatArray) -> _Happened:
    steps, slots, service = len(course.served), weights.size, setup.service
    exists, loading, down = (_mask(each, steps, slots) for each in (course.pods, course.loading, course.down))
    kills = np.zeros((steps, slots))
    for slot, step in course.kills:
        kills[step, slot] = 1.0
    serving = exists & ~loading & ~down
    capacity = capacity_of(service, setup.pod)
    pods = serving.sum(axis=1, keepdims=True)
    whole = np.minimum(pods * capacity, service.downstream_rate)
    served = _shares(_column(course.served), capacity, weights * serving)
    waiting = np.divide(_column(course.waiting), pods, out=np.zeros((steps, 1)), where=pods > 0)
    busy = np.minimum(np.divide(_column(course.served), whole, out=np.zeros((steps, 1)), where=whole > 0), BUSIEST)
    own = np.minimum(served / capacity, BUSIEST)
    working = np.minimum(served * service.seconds / (1 - own), service.concurrency)
    queued = np.divide(_column(course.waiting), whole, out=np.zeros((steps, 1)), where=whole > 0)
    usage = _Usage(setup, serving, loading)
    return _Happened(
        cpu=usage.cpu(served),
        memory=usage.memory((working + waiting) * service.memory_per_request, exists, kills),
        running=exists & ~down,
        served=served,
        working=working * serving,
        waiting=waiting * serving,
        latency=np.minimum(service.seconds / (1 - busy) + queued, service.timeout),
        kills=kills,
    )


def _shares(whole: FloatArray, capacity: float, weights: FloatArray) -> FloatArray:
    """What each pod serves: by weight, none more than it can, ``whole`` in all as far as that goes (serving.py)."""
    total = weights.sum(axis=1, keepdims=True)
    shares = np.divide(whole * weights, total, out=np.zeros_like(weights), where=total > 0)
    shares = np.minimum(shares, capacity)
    room = np.where(weights > 0, capacity - shares, 0.0)
    missing = whole - shares.sum(axis=1, keepdims=True)
    free = room.sum(axis=1, keepdims=True)
    filled = np.divide(missing, free, out=np.zeros_like(missing), where=free > 0)
    filled_up: FloatArray = shares + room * np.clip(filled, 0.0, 1.0)
    return filled_up


@dataclass(frozen=True)
class _Usage:
    """Of each pod; without requests while it loads."""

    setup: Setup
    serving: Mask
    loading: Mask

    def cpu(self, served: FloatArray) -> FloatArray:
        """Cores."""
        service, limit = self.setup.service, self.setup.pod.cpu_limit
        busy = np.minimum(service.idle_cpu + served * service.cpu_seconds, limit)
        return np.where(self.serving, busy, np.where(self.loading, min(self.setup.load_cpu, limit), 0.0))

    def memory(self, requests: FloatArray, exists: Mask, kills: FloatArray) -> FloatArray:
        """Bytes; at most the limit, at which the kernel stops."""
        service = self.setup.service
        memory = np.where(self.serving, service.memory + requests, service.memory / 2)
        if service.memory_growth:
            memory = memory + service.memory_growth * STEP * _steps_since(exists, kills)
        return np.minimum(memory, self.setup.memory_limit)


def _columns(setup: Setup, happened: _Happened) -> dict[str, FloatArray]:
    """By COLUMNS but ``times``, and ``running``; of shape (T, S)."""
    limit, service, pod = setup.pod.cpu_limit, setup.service, setup.pod
    over = np.clip((happened.cpu / limit - THROTTLED_FROM) / (1 - THROTTLED_FROM), 0.0, 1.0) ** 2
    return {
        "running": happened.running.astype(np.float64),
        "cpu_seconds": _counter(happened.cpu * STEP),
        "memory": happened.memory,
        "periods": _counter(np.where(happened.running, PERIODS * STEP, 0.0)),
        "throttled_periods": _counter(over * (PERIODS * STEP)),
        "restarts": _counter(happened.kills),
        "oom_killed": _counter(happened.kills),
        "requests": _counter(happened.served * STEP),
        "latency_seconds": _counter(happened.served * happened.latency * STEP),
        "waiting": happened.waiting,
        "running_requests": happened.working,
        "cache": happened.working / service.concurrency,
        "gpu": np.minimum(happened.served * service.gpu_seconds / max(1, pod.gpus), 1.0),
    }


def _tracks_of(
    present: Present, name: str, pod: Interval, times: FloatArray, columns: dict[str, FloatArray]
) -> Iterator[Track]:
    """Of each container of one pod."""
    lived = slice(-(-pod.first // _EVERY), -(-pod.end // _EVERY))
    own = {column: values[lived, pod.slot] for column, values in columns.items()}
    ran = own.pop("running") > 0
    if not ran.any():
        return
    for column in ("cpu_seconds", "periods", "throttled_periods", "restarts", "requests", "latency_seconds"):
        own[column] = own[column] - columns[column][lived.start, pod.slot]
    own["oom_killed"] = np.minimum(own["restarts"], 1.0)
    own["running"] = own.pop("running_requests")
    example = present.pods[min(pod.slot, len(present.pods) - 1)]
    main = _serving_container(present)["name"]
    for container in example["spec"]["containers"]:
        serves = container["name"] == main
        scraped = scraped_of(example, container["name"], serves=serves, name=name)
        if serves:
            yield Track(scraped, {"times": times[lived][ran], **{key: values[ran] for key, values in own.items()}})
        else:
            yield _idle_track(scraped, times[lived])


def _idle_track(scraped: Scraped, times: FloatArray) -> Track:
    since = times - times[0]
    nothing = np.zeros_like(times)
    columns = dict.fromkeys(COLUMNS, nothing)
    own = {"cpu_seconds": since * IDLE.cpu, "memory": nothing + IDLE.memory, "periods": since * PERIODS}
    return Track(scraped, {**columns, **own, "times": times})


class _Namer:
    """Names of pods: those that are there at the start keep theirs."""

    def __init__(self, present: Present, seed: int) -> None:
        self._present = present
        metadata = present.pods[0]["metadata"]
        self._kind, self._stem = owner_of(present.pods[0])
        self._stem = self._stem or metadata["name"]
        self._random = random.Random(f"{seed}/{metadata['namespace']}/{self._stem}/past")
        self._taken = {pod["metadata"]["name"] for pod in present.pods}

    def name(self, pod: Interval, steps: int) -> str:
        pods = self._present.pods
        if pod.slot < len(pods) and (pod.end == steps or self._kind == "StatefulSet"):
            return str(pods[pod.slot]["metadata"]["name"])
        if self._kind == "StatefulSet":
            return f"{self._stem}-{pod.slot}"
        return self._new_name()

    def _new_name(self) -> str:
        """One that no pod had before."""
        name = f"{self._stem}-{''.join(self._random.choice(_LETTERS) for _ in range(5))}"
        if name in self._taken:
            return self._new_name()
        self._taken.add(name)
        return name


def _mask(intervals: Sequence[Interval], steps: int, slots: int) -> Mask:
    mask = np.zeros((steps, slots), dtype=np.bool_)
    for interval in intervals:
        mask[interval.first : interval.end, interval.slot] = True
    return mask


def _steps_since(exists: Mask, kills: FloatArray) -> FloatArray:
    """Steps since the container's start: since its pod came, or since it was last killed."""
    steps = np.arange(len(exists))[:, None]
    born = exists & ~np.vstack([np.zeros((1, exists.shape[1]), dtype=np.bool_), exists[:-1]])
    began = np.maximum.accumulate(np.where(born | (kills > 0), steps, 0), axis=0)
    return (steps - began).astype(np.float64)


def _counter(steps: FloatArray) -> FloatArray:
    """What has come together before each step."""
    return np.vstack([np.zeros((1, steps.shape[1])), np.cumsum(steps, axis=0)[:-1]])


def _column(values: Sequence[float]) -> FloatArray:
    return np.array(values, dtype=np.float64)[:, None]


def _serving_container(present: Present) -> Json:
    containers: list[Json] = present.pods[0]["spec"]["containers"]
    wanted = present.workload.container
    return next((each for each in containers if each["name"] == wanted), containers[0])


def _weight(seed: int, present: Present, slot: int) -> float:
    """How much of the requests it gets, relative to the others."""
    return 1 + random.Random(f"{seed}/{present.workload.name}/{slot}").uniform(-SPREAD, SPREAD)


def _amount(limits: Json, name: str) -> float:
    return nano_of(limits.get(name, 0)) / NANO
