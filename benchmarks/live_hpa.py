"""Drive two real HPAs side by side with a varying load, record what their controller saw, and replay the record.

    python -m benchmarks.live_hpa [--load decline] [--record FILE]    # on the control plane of the tests
    python -m benchmarks.live_hpa --replay FILE                          # a record made before

One HPA has no ``spec.behavior``, the other one has. A demand is shared over the ready pods by the usage annotations
of the simulated nodes, metrics-server measures it, the controller decides; benchmarks/live_hpa_replay.py compares.
"""

from __future__ import annotations

import argparse
import gzip
import json
import math
import os
import secrets
import subprocess
import sys
import threading
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.live_hpa_replay import render_comparison
from mlscale.kube.access import Overrides
from mlscale.kube.api_errors import ApiNotFoundError
from mlscale.kube.client import Client
from mlscale.kube.kubeconfig import read_access
from mlscale.kube.transport import Transport
from tests.cluster.control_plane import kubectl_path
from tests.cluster.manifests import deployment, hpa

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Json = dict[str, Any]

SHARE_EVERY = 2.0
"""Seconds between two divisions of the demand over the pods."""
POLL_EVERY = 0.2
"""Seconds between two looks at metrics.k8s.io, which cannot be watched."""
REQUEST, TARGET, LEAST, MOST = "200m", 50, 2, 12
BEHAVIOR: Json = {
    "scaleUp": {
        "stabilizationWindowSeconds": 10,
        "policies": [
            {"type": "Pods", "value": 2, "periodSeconds": 20},
            {"type": "Percent", "value": 50, "periodSeconds": 20},
        ],
    },
    "scaleDown": {
        "stabilizationWindowSeconds": 30,
        "policies": [{"type": "Pods", "value": 1, "periodSeconds": 10}],
        "tolerance": "0.05",
    },
}
WATCHED = {
    "hpas": "/apis/autoscaling/v2/namespaces/{}/horizontalpodautoscalers",
    "deployments": "/apis/apps/v1/namespaces/{}/deployments",
    "pods": "/api/v1/namespaces/{}/pods",
}


@dataclass
class Recording:
    """What was seen, each with the moment at which it arrived here, in seconds since the epoch."""

    entries: list[Json] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, kind: str, type_: str, seen: Any) -> None:
        """Keep ``seen``: an object, or all PodMetrics."""
        with self.lock:
            self.entries.append({"at": time.time(), "kind": kind, "type": type_, "seen": seen})


def waves(elapsed: float) -> float:
    """Millicores: high waves for 4 minutes, then 6 of low ones, so that a window of 300 s passes, then high again."""
    high = not 240 <= elapsed < 600
    middle, swing = (650.0, 350.0) if high else (330.0, 150.0)
    return middle + swing * math.sin(2 * math.pi * elapsed / 110) + 40 * math.sin(2 * math.pi * elapsed / 23)


def decline(elapsed: float) -> float:
    """Millicores: falling for 5 minutes, so that a window of 300 s lets one recommendation after the other go."""
    left = min(max((340 - elapsed) / 300, 0.0), 1.0)
    return 250 + 750 * left + 20 * math.sin(2 * math.pi * elapsed / 23)


LOADS: dict[str, Callable[[float], float]] = {"waves": waves, "decline": decline}
"""Millicores of all pods together by the seconds since the start."""


def main() -> None:
    """Record, or read a record, and print the comparison."""
    parser = argparse.ArgumentParser(prog="live_hpa", description="Compare mlscale's HPA rules with a real controller.")
    parser.add_argument("--seconds", type=float, default=720.0, help="how long to drive the HPAs")
    parser.add_argument("--load", choices=sorted(LOADS), default="waves", help="the course of the demand")
    parser.add_argument("--record", type=Path, default=None, help="where to keep the record (.json.gz)")
    parser.add_argument("--replay", type=Path, default=None, help="a record to compare instead of driving HPAs")
    options = parser.parse_args()
    if options.replay is not None:
        entries = json.loads(gzip.decompress(options.replay.read_bytes()))
    else:
        entries = record(options.seconds, LOADS[options.load])
    if options.record is not None:
        options.record.write_bytes(gzip.compress(json.dumps(entries).encode()))
    agreed = render_comparison(entries, print)
    sys.exit(0 if agreed else 1)


def record(seconds: float, load: Callable[[float], float]) -> list[Json]:
    """Drive the HPAs in a namespace of their own, which is deleted afterwards."""
    access = read_access(Overrides(), os.environ)
    client = Client(access, Transport(access, timeout=30.0))
    namespace = f"live-hpa-{secrets.token_hex(4)}"
    client.create("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
    try:
        return _recorded(client, namespace, seconds, load)
    finally:
        delete = [str(kubectl_path()), "delete", "namespace", namespace, "--wait=false"]
        subprocess.run(delete, check=True, timeout=60, stdout=subprocess.DEVNULL)


def _recorded(client: Client, namespace: str, seconds: float, load: Callable[[float], float]) -> list[Json]:
    recording, ends = Recording(), time.monotonic() + seconds
    with ThreadPoolExecutor(len(WATCHED) + 1) as pool:
        running = [pool.submit(_watch, client, kind, namespace, seconds, recording) for kind in WATCHED]
        running.append(pool.submit(_poll, client, namespace, ends, recording))
        for path, body in _objects():
            client.create(path.format(namespace), body)
        for _ in _beats(SHARE_EVERY, ends):
            _share(client, namespace, load(seconds - (ends - time.monotonic())))
        for one in running:
            one.result()
    return sorted(recording.entries, key=lambda entry: float(entry["at"]))


def _objects() -> Iterator[tuple[str, Json]]:
    for name in ("plain", "shaped"):
        yield WATCHED["deployments"], deployment(name, replicas=3, requests={"cpu": REQUEST}, usage_cpu="100m")
        body = hpa(name, least=LEAST, most=MOST, cpu_percent=TARGET)
        if name == "shaped":
            body["spec"]["behavior"] = BEHAVIOR
        yield WATCHED["hpas"], body


def _watch(client: Client, kind: str, namespace: str, seconds: float, recording: Recording) -> None:
    for event in client.watch(WATCHED[kind].format(namespace), seconds=seconds):
        event["object"]["metadata"].pop("managedFields", None)
        recording.add(kind, event["type"], event["object"])


def _poll(client: Client, namespace: str, ends: float, recording: Recording) -> None:
    """Keep the PodMetrics whenever they differ from those before."""
    before: list[Json] | None = None
    for _ in _beats(POLL_EVERY, ends):
        now = client.list_all(f"/apis/metrics.k8s.io/v1beta1/namespaces/{namespace}/pods")
        if before is None or _measured(now) != _measured(before):
            recording.add("metrics", "POLLED", now)
        before = now


def _measured(pod_metrics: list[Json]) -> list[tuple[str, str, str]]:
    return sorted((pod["metadata"]["name"], pod["timestamp"], str(pod["containers"])) for pod in pod_metrics)


def _share(client: Client, namespace: str, demand: float) -> None:
    """Divide ``demand`` over the ready pods of each Deployment, none quite like another (at most 10 % off)."""
    pods = client.list_all(f"/api/v1/namespaces/{namespace}/pods")
    for name in ("plain", "shaped"):
        ready = [pod["metadata"]["name"] for pod in pods if pod["metadata"]["labels"]["app"] == name and _ready(pod)]
        for pod in ready:
            uneven = 0.9 + 0.2 * (zlib.crc32(pod.encode()) % 1000) / 1000
            usage = {"kwok.x-k8s.io/usage-cpu": f"{round(uneven * demand / len(ready))}m"}
            try:
                path = f"/api/v1/namespaces/{namespace}/pods/{pod}"
                client.merge_patch(path, {"metadata": {"annotations": usage}})
            except ApiNotFoundError:
                continue


def _ready(pod: Json) -> bool:
    conditions = pod["status"].get("conditions") or []
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def _beats(every: float, ends: float) -> Iterator[None]:
    """One at each ``every`` seconds, until ``ends`` by the monotonic clock."""
    while time.monotonic() < ends:
        yield
        time.sleep(every)


if __name__ == "__main__":
    main()
