"""A Prometheus's data directory with weeks of a fleet: Deployments of 2 pods each, one namespace a fleet.

Its series are those that cAdvisor and kube-state-metrics would have written of it under kube-prometheus-stack, each
with a sample every STEP seconds: what is constant (owners, requests, phases) too, as a scraped one has it. The blocks
are written by a small Go program on Prometheus's own storage (benchmarks/fleet_blocks), and kept in the cache for the
AHEAD seconds that they reach beyond the time of their making.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.cluster.binaries import cache_root, file_lock, require_go

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

SOURCES = Path(__file__).parent / "fleet_blocks"
STEP = 30
"""Seconds between samples: the scrape interval of kube-prometheus-stack."""
AHEAD = 12 * 3600
DAY = 86400
PODS = 2
"""Of each Deployment."""
CONTAINER = "app"
CPU_REQUEST, MEMORY_REQUEST, MEMORY_LIMIT = 0.5, 2**28, 2**29
"""Cores and bytes of each pod."""

_RANDOM = "bcdfghjklmnpqrstvwxz2456789"
"""Characters of generated names (kubernetes staging/src/k8s.io/apimachinery/pkg/util/rand/rand.go)."""


@dataclass(frozen=True)
class Fleet:
    """``size`` Deployments in ``namespace``; their history goes back ``days``."""

    namespace: str
    size: int
    days: int = 7

    def deployments(self) -> list[str]:
        """Their names."""
        return [f"app-{number:04}" for number in range(self.size)]


def ensure_data(fleets: Sequence[Fleet], say: Callable[[str], None]) -> Path:
    """The data directory of a Prometheus that knows ``fleets``, made unless one is there that reaches beyond now."""
    lines = [json.dumps(one) for fleet in fleets for one in series_of(fleet)]
    days = max(fleet.days for fleet in fleets)
    digest = hashlib.sha256("\n".join([*lines, str(days), str(STEP)]).encode())
    digest.update((SOURCES / "main.go").read_bytes())
    folder = cache_root() / f"fleet-{digest.hexdigest()[:12]}"
    with file_lock(folder.with_suffix(".lock"), say):
        if _reaches_beyond_now(folder):
            return folder
        say(f"writing {len(lines)} series of {days} days at {STEP} s into {folder}")
        _write(folder, lines, days)
    return folder


def _reaches_beyond_now(folder: Path) -> bool:
    try:
        return float((folder / "until").read_text()) > time.time() + 1800
    except (OSError, ValueError):
        return False


def _write(folder: Path, lines: Sequence[str], days: int) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    program = _program()
    now = int(time.time()) // STEP * STEP
    start, end = now - days * DAY - 3600, now + AHEAD
    command = [str(program), "-folder", str(folder), "-start", str(start), "-end", str(end), "-step", str(STEP)]
    folder.mkdir()
    subprocess.run(command, input="\n".join(lines), text=True, check=True, stdout=subprocess.DEVNULL)
    (folder / "until").write_text(str(end))


def _program() -> Path:
    require_go()
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in sorted(SOURCES.iterdir())))
    program = cache_root() / f"fleet-blocks-{digest.hexdigest()[:12]}"
    if not program.exists():
        environment = os.environ | {"CGO_ENABLED": "0", "GOWORK": "off"}
        command = ["go", "build", "-trimpath", "-o", str(program), "."]
        subprocess.run(command, cwd=SOURCES, env=environment, check=True)
    return program


def series_of(fleet: Fleet) -> Iterator[dict[str, Any]]:
    """What the Go program makes values of."""
    draw = random.Random(f"{fleet.namespace} {fleet.size}")
    for name in fleet.deployments():
        replicaset = f"{name}-{''.join(draw.choices(_RANDOM, k=9))}"
        yield _kube("kube_replicaset_owner", 1, fleet, replicaset=replicaset, owner_kind="Deployment", owner_name=name)
        mean, swing = 0.02 + 0.4 * draw.random(), 0.9 * draw.random()
        for _ in range(PODS):
            pod = f"{replicaset}-{''.join(draw.choices(_RANDOM, k=5))}"
            yield from _measured(fleet, pod, mean, swing)
            yield from _described(fleet, pod, replicaset)


def _measured(fleet: Fleet, pod: str, mean: float, swing: float) -> Iterator[dict[str, Any]]:
    """What the kubelet's cAdvisor says of a pod, with the labels that it has there."""
    labels = {
        "namespace": fleet.namespace,
        "pod": pod,
        "container": CONTAINER,
        "image": "registry.example/models/server:1.4.2",
        "id": f"/kubepods/burstable/pod{hashlib.md5(pod.encode(), usedforsecurity=False).hexdigest()}",
        "name": hashlib.sha256(pod.encode()).hexdigest(),
        "job": "kubelet",
        "service": "kube-prometheus-stack-kubelet",
        "endpoint": "https-metrics",
        "metrics_path": "/metrics/cadvisor",
        "node": f"node-{len(pod) % 7}",
        "instance": "10.0.0.1:10250",
    }
    cpu = {**labels, "__name__": "container_cpu_usage_seconds_total", "cpu": "total"}
    yield {"labels": cpu, "mean": mean, "swing": swing, "noise": 0.2, "counter": True}
    memory = {**labels, "__name__": "container_memory_working_set_bytes"}
    yield {"labels": memory, "mean": 2e8, "swing": 0.2, "noise": 0.05, "whole": True}


def _described(fleet: Fleet, pod: str, replicaset: str) -> Iterator[dict[str, Any]]:
    """What kube-state-metrics says of a pod."""
    yield _kube("kube_pod_owner", 1, fleet, pod=pod, owner_kind="ReplicaSet", owner_name=replicaset)
    yield _kube("kube_pod_status_phase", 1, fleet, pod=pod, phase="Running")
    yield _kube("kube_pod_container_status_restarts_total", 0, fleet, pod=pod, container=CONTAINER)
    for resource, unit, value in (("cpu", "core", CPU_REQUEST), ("memory", "byte", MEMORY_REQUEST)):
        about = {"pod": pod, "container": CONTAINER, "resource": resource, "unit": unit}
        yield _kube("kube_pod_container_resource_requests", value, fleet, **about)


def _kube(metric: str, value: float, fleet: Fleet, **labels: str) -> dict[str, Any]:
    scraped = {"job": "kube-state-metrics", "instance": "10.0.0.2:8080", "endpoint": "http"}
    return {"labels": {"__name__": metric, "namespace": fleet.namespace, **scraped, **labels}, "mean": value}
