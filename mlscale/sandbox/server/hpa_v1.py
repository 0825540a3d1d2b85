"""HorizontalPodAutoscalers as autoscaling/v1 shows them: what v1 has no field for goes into annotations.

From pkg/apis/autoscaling/v1/conversion.go, v1.37.2.
"""

from __future__ import annotations

import json
from typing import Any

from mlscale.kube.kinds import HPA, Kind

Json = dict[str, Any]

HPA_V1 = Kind("autoscaling", "v1", HPA.kind, HPA.plural, short_names=HPA.short_names)
_PREFIX = "autoscaling.alpha.kubernetes.io/"
_STATUS_KEYS = ("observedGeneration", "lastScaleTime", "currentReplicas", "desiredReplicas")


def as_v1(obj: Json) -> Json:
    """A stored HPA, or a list of them, in v1. A Status stays as it is."""
    if obj.get("kind") == f"{HPA.kind}List":
        return {**obj, "apiVersion": HPA_V1.api_version, "items": [_as_v1(item) for item in obj["items"]]}
    return _as_v1(obj) if obj.get("kind") == HPA.kind else obj


def from_v1(body: Json) -> Json:
    """What a v1 body means in v2."""
    spec = dict(body.get("spec") or {})
    metadata = dict(body.get("metadata") or {})
    annotations = dict(metadata.get("annotations") or {})
    metrics = _annotated(annotations, "metrics") or []
    percentage = spec.pop("targetCPUUtilizationPercentage", None)
    if percentage is not None:
        metrics = [_cpu_metric(percentage), *metrics]
    if metrics:
        spec["metrics"] = metrics
    if behavior := _annotated(annotations, "behavior"):
        spec["behavior"] = behavior
    if "annotations" in metadata:
        metadata["annotations"] = annotations
    return {**body, "apiVersion": HPA.api_version, "metadata": metadata, "spec": spec}


def _as_v1(obj: Json) -> Json:
    spec, status = dict(obj.get("spec") or {}), obj.get("status") or {}
    annotations = dict(obj["metadata"].get("annotations") or {})
    metrics = spec.pop("metrics", None) or []
    percentage = next((found for metric in metrics if (found := _cpu_percentage(metric)) is not None), None)
    others = [metric for metric in metrics if _cpu_percentage(metric) is None]
    said = {
        "metrics": others,
        "behavior": spec.pop("behavior", None),
        "current-metrics": [one for one in status.get("currentMetrics") or () if not _is_cpu(one)],
        "conditions": status.get("conditions"),
    }
    annotations |= {f"{_PREFIX}{key}": _text(value) for key, value in said.items() if value}
    if percentage is not None:
        spec["targetCPUUtilizationPercentage"] = percentage
    metadata = {**obj["metadata"], "annotations": annotations} if annotations else obj["metadata"]
    typed = {key: HPA_V1.api_version for key in ("apiVersion",) if key in obj}
    return {**obj, **typed, "metadata": metadata, "spec": spec, "status": _status(status)}


def _status(status: Json) -> Json:
    shown = {"currentReplicas": 0, "desiredReplicas": 0} | {
        key: status[key] for key in _STATUS_KEYS if status.get(key) is not None
    }
    for metric in status.get("currentMetrics") or ():
        if _is_cpu(metric) and metric["resource"].get("current", {}).get("averageUtilization") is not None:
            shown["currentCPUUtilizationPercentage"] = metric["resource"]["current"]["averageUtilization"]
    return shown


def _cpu_metric(percentage: int) -> Json:
    target = {"type": "Utilization", "averageUtilization": percentage}
    return {"type": "Resource", "resource": {"name": "cpu", "target": target}}


def _is_cpu(metric: Json) -> bool:
    return metric.get("type") == "Resource" and metric["resource"].get("name") == "cpu"


def _cpu_percentage(metric: Json) -> int | None:
    if not _is_cpu(metric):
        return None
    percentage: int | None = metric["resource"]["target"].get("averageUtilization")
    return percentage


def _annotated(annotations: Json, key: str) -> Any:
    text = annotations.pop(f"{_PREFIX}{key}", "")
    try:
        return json.loads(text) if text else None
    except ValueError:
        return None


def _text(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))
