"""Objects for the tests of ``status``."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

Json = dict[str, Any]
NOW = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)


def ago(**age: float) -> str:
    """The API's time so long before NOW."""
    return (NOW - timedelta(**age)).strftime("%Y-%m-%dT%H:%M:%SZ")


def utilization(resource: str = "cpu", percent: int = 50) -> Json:
    target = {"type": "Utilization", "averageUtilization": percent}
    return {"type": "Resource", "resource": {"name": resource, "target": target}}


def measured(resource: str = "cpu", percent: int = 50) -> Json:
    return {"type": "Resource", "resource": {"name": resource, "current": {"averageUtilization": percent}}}


def condition(kind: str, status: str, reason: str, message: str = "") -> Json:
    return {"type": kind, "status": status, "reason": reason, "message": message}


WORKS = [
    condition("AbleToScale", "True", "ReadyForNewScale"),
    condition("ScalingActive", "True", "ValidMetricFound"),
    condition("ScalingLimited", "False", "DesiredWithinRange"),
]


def hpa(
    name: str = "web",
    target: str = "web",
    *,
    conditions: list[Json] | None = None,
    metrics: list[Json] | None = None,
    current: list[Json] | None = None,
    namespace: str = "ml",
    kind: str = "Deployment",
    **more: Any,
) -> Json:
    """An HPA that works, unless its parts say otherwise."""
    reference = {"apiVersion": "apps/v1", "kind": kind, "name": target}
    status: Json = {"conditions": WORKS if conditions is None else conditions, **more.pop("status", {})}
    status["currentMetrics"] = [measured()] if current is None else current
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": name, "namespace": namespace, "creationTimestamp": ago(hours=1), **more},
        "spec": {
            "scaleTargetRef": reference,
            "minReplicas": 2,
            "maxReplicas": 5,
            "metrics": metrics or [utilization()],
        },
        "status": status,
    }


def deployment(
    name: str = "web", *, replicas: int = 3, ready: int = 3, conditions: list[Json] | None = None, **spec: Any
) -> Json:
    """A Deployment of the namespace ``ml`` whose pods exist, ``ready`` of them Ready."""
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "ml", "managedFields": [{"manager": "kubectl"}]},
        "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": name}}, **spec},
        "status": {"replicas": replicas, "readyReplicas": ready, "conditions": conditions or []},
    }


def pod(name: str = "web-1", **status: Any) -> Json:
    """A pod of the namespace ``ml``, an hour old."""
    metadata = {"name": name, "namespace": "ml", "creationTimestamp": ago(hours=1)}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": {"containers": [{"name": "server"}]},
        "status": status,
    }


def unschedulable(message: str) -> Json:
    """The status of a pod that the scheduler cannot place."""
    return {"phase": "Pending", "conditions": [condition("PodScheduled", "False", "Unschedulable", message)]}
