"""Workloads, clusters and histories for the tests of recommend."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from mlscale.kube.kinds import DEPLOYMENT
from mlscale.kube.targets import Found, Target
from mlscale.recommend.evidence import ClusterFacts, NamespaceFacts, WorkloadFacts, workload_facts
from mlscale.usage.model import ContainerUse, FloatArray, History, Series

if TYPE_CHECKING:
    from collections.abc import Mapping

Json = dict[str, Any]

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
START = 1_700_000_000.0
STEP = 60.0
DAY = 86400.0
MI = 2.0**20
TARGET = Target(DEPLOYMENT, "shop", "web")
LABELS = {"app": "web"}


def container(name: str = "model", **amounts: str) -> Json:
    """``cpu`` and ``memory`` are requests, ``cpu_limit`` and ``memory_limit`` limits, any other a device."""
    requests = {key: value for key, value in amounts.items() if key in ("cpu", "memory")}
    limits = {key.removesuffix("_limit"): value for key, value in amounts.items() if key.endswith("_limit")}
    if "gpu" in amounts:
        requests["nvidia.com/gpu"] = limits["nvidia.com/gpu"] = amounts["gpu"]
    return {"name": name, "image": "x", "resources": {"requests": requests, "limits": limits}}


def deployment(*containers: Json, replicas: int = 3, annotations: Json | None = None, **status: Any) -> Json:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "shop", "annotations": annotations or {}},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": LABELS},
            "template": {"metadata": {"labels": LABELS}, "spec": {"containers": list(containers)}},
        },
        "status": {"replicas": replicas, "updatedReplicas": replicas, **status},
    }


def hpa(
    low: int = 1, high: int = 10, target: int = 80, *, name: str = "web", metrics: list[Json] | None = None, **spec: Any
) -> Json:
    resource = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": target}}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
            "minReplicas": low,
            "maxReplicas": high,
            "metrics": metrics or [{"type": "Resource", "resource": resource}],
            **spec,
        },
    }


def node(name: str = "node-0", cpu: str = "16", memory: str = "64Gi", **more: str) -> Json:
    offered = {
        "cpu": cpu,
        "memory": memory,
        "pods": "110",
        **{k.replace("gpu", "nvidia.com/gpu"): v for k, v in more.items()},
    }
    return {"metadata": {"name": name, "labels": {}}, "spec": {}, "status": {"allocatable": offered}}


def pod(index: int, workload: Json, *, node_name: str = "node-0", pending: str = "") -> Json:
    conditions: list[Json] = [{"type": "Ready", "status": "True", "lastTransitionTime": "2026-11-20T10:00:40Z"}]
    if pending:
        conditions = [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": pending}]
    return {
        "metadata": {
            "name": f"web-{index}",
            "namespace": "shop",
            "labels": LABELS,
            "creationTimestamp": "2026-11-20T10:00:00Z",
        },
        "spec": {**workload["spec"]["template"]["spec"], **({} if pending else {"nodeName": node_name})},
        "status": {"phase": "Pending" if pending else "Running", "conditions": conditions},
    }


def facts(workload: Json, **known: Any) -> WorkloadFacts:
    """The facts of ``workload`` with one pod a replica, on one node of 16 cores unless ``known`` says else."""
    pods = tuple(known.get("pods", [pod(index, workload) for index in range(workload["spec"]["replicas"])]))
    cluster = ClusterFacts(
        nodes=tuple(known.get("nodes", [node()])), pods=pods, custom_metrics=known.get("custom_metrics")
    )
    namespace = NamespaceFacts(
        name="shop",
        pods=pods,
        hpas=tuple(known.get("hpas", ())),
        scaled_objects=tuple(known.get("scaled_objects", ())),
        vpas=tuple(known.get("vpas", ())),
        pdbs=tuple(known.get("pdbs", ())),
        quotas=tuple(known.get("quotas", ())),
        limit_ranges=tuple(known.get("limit_ranges", ())),
    )
    return workload_facts(Found(TARGET, workload), namespace, cluster, NOW)


def minutes(days: float = 2.0) -> FloatArray:
    return START + STEP * np.arange(int(days * DAY / STEP), dtype=np.float64)


def flat(level: float, days: float = 2.0, noise: float = 0.02) -> FloatArray:
    times = minutes(days)
    return level * (1 + noise * np.random.default_rng(7).standard_normal(times.size))


def daily(low: float, high: float, days: float = 2.0) -> FloatArray:
    """A smooth course over each day, between ``low`` and ``high``."""
    wave = (1 - np.cos(2 * np.pi * (minutes(days) - START) / DAY)) / 2
    return low + (high - low) * wave


def history(
    cpu: FloatArray,
    pods: float = 3.0,
    *,
    memory: float = 200 * MI,
    signals: Mapping[str, FloatArray] | None = None,
    names: tuple[str, ...] = ("model",),
    **use: Any,
) -> History:
    """``cpu`` in cores of all pods, shared evenly by ``pods`` pods and by the containers ``names``."""
    times = START + STEP * np.arange(cpu.size, dtype=np.float64)

    def series(values: FloatArray) -> Series:
        return Series(times, np.broadcast_to(values, times.shape).astype(np.float64))

    throttled = use.pop("throttled", None)
    each = ContainerUse(
        cpu=series(cpu / pods / len(names)),
        memory=series(np.array(memory)),
        throttled=None if throttled is None else series(np.array(throttled)),
        **use,
    )
    return History(
        source="Prometheus at http://prometheus",
        step=STEP,
        cpu=series(cpu),
        pods=series(np.array(pods)),
        containers=dict.fromkeys(names, each),
        signals={name: series(values) for name, values in (signals or {}).items()},
    )
