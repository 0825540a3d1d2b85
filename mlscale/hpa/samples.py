"""Pods and their metrics as the API gives them, read into what the replica calculator takes.

Source: kubernetes pkg/controller/podautoscaler/metrics/client.go, v1.37.2. A sample is never too old.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from mlscale.hpa.pod_groups import PodFacts, Sample
from mlscale.kube.pods import timestamp
from mlscale.kube.quantity import parse_quantity

if TYPE_CHECKING:
    from collections.abc import Iterable

Json = dict[str, Any]

_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}


def resource_samples(pod_metrics: Iterable[Json], resource: str, container: str = "") -> dict[str, Sample]:
    """By pod, from PodMetrics (metrics.k8s.io); a pod without a value is left out.

    As getPodMetrics, and for a named container as getContainerMetrics.
    """
    samples: dict[str, Sample] = {}
    for pod in pod_metrics:
        used = milli_use(pod, resource, container)
        if used is not None:
            samples[pod["metadata"]["name"]] = Sample(used, _epoch(pod.get("timestamp")) or 0.0, _window(pod))
    return samples


def milli_use(pod: Json, resource: str, container: str = "") -> int | None:
    """What one PodMetrics says, in milli-units, each container's rounded up; None if a container has no value."""
    measured = [one for one in pod.get("containers") or [] if container in ("", one["name"])]
    usages = [one.get("usage") or {} for one in measured]
    if not usages or any(resource not in usage for usage in usages):
        return None
    return sum(parse_quantity(usage[resource]).milli_value for usage in usages)


def pod_facts(pod: Json) -> PodFacts:
    """What the calculator looks at of ``pod``."""
    status = pod.get("status") or {}
    ready = next((one for one in status.get("conditions") or [] if one["type"] == "Ready"), None)
    return PodFacts(
        name=pod["metadata"]["name"],
        phase=status.get("phase") or "",
        terminating=bool(pod["metadata"].get("deletionTimestamp")),
        ready=ready["status"] if ready else None,
        ready_since=_epoch((ready or {}).get("lastTransitionTime")) or 0.0,
        started=_epoch(status.get("startTime")),
    )


def _epoch(text: object) -> float | None:
    moment = timestamp(text)
    return moment.timestamp() if moment else None


def _window(pod: Json) -> float:
    """``15.034s`` or ``1m0.5s`` in seconds."""
    parts = re.findall(r"([0-9.]+)(h|ms|m|us|µs|ns|s)", str(pod.get("window") or ""))
    return sum(float(amount) * _SECONDS[unit] for amount, unit in parts)
