"""HPAs with every type of metric, for comparing their rows with those of a real API server.

Each is an HPA as it is created; its ``status`` is what is written to its status subresource after that.
"""

from __future__ import annotations

from typing import Any

from tests.unit.sandbox.table_objects import condition, named

Json = dict[str, Any]


def metric(kind: str, target: Json | None = None, current: Json | None = None, name: str = "cpu") -> Json:
    """A metric's spec, or with ``current`` its status."""
    values = {"current": current} if current is not None else {"target": target}
    key = kind[:1].lower() + kind[1:]
    what: Json = {"name": name} if kind.endswith("Resource") else {"metric": {"name": "queue"}}
    if kind == "ContainerResource":
        what["container"] = "c0"
    if kind == "Object":
        what["describedObject"] = {"kind": "Service", "name": "web", "apiVersion": "v1"}
    return {"type": kind, key: {**what, **values}}


UTILIZATION = {"type": "Utilization", "averageUtilization": 80}
AVERAGE = {"type": "AverageValue", "averageValue": "1500m"}
VALUE = {"type": "Value", "value": "10k"}


def autoscalers() -> list[Json]:
    memory = {"type": "AverageValue", "averageValue": "1Gi"}
    cases: list[tuple[str, list[tuple[str, Json, Json | None]]]] = [
        ("percent", [("Resource", UTILIZATION, {"averageUtilization": 50, "averageValue": "250m"})]),
        ("percent-unknown", [("Resource", UTILIZATION, None)]),
        ("percent-by-value", [("Resource", UTILIZATION, {"averageValue": "250m"})]),
        ("average", [("Resource", memory, {"averageValue": "314572800"})]),
        ("average-unknown", [("Resource", memory, None)]),
        ("container", [("ContainerResource", UTILIZATION, {"averageUtilization": 7, "averageValue": "1m"})]),
        ("container-unknown", [("ContainerResource", UTILIZATION, None)]),
        ("container-average", [("ContainerResource", AVERAGE, {"averageValue": "900m"})]),
        ("container-average-unknown", [("ContainerResource", AVERAGE, None)]),
        ("pods", [("Pods", AVERAGE, {"averageValue": "1234567u"})]),
        ("pods-unknown", [("Pods", AVERAGE, None)]),
        ("object", [("Object", VALUE, {"value": "9999"})]),
        ("object-unknown", [("Object", VALUE, None)]),
        ("object-average", [("Object", AVERAGE, {"averageValue": "2", "value": "0"})]),
        ("object-average-unknown", [("Object", AVERAGE, {"value": "4"})]),
        ("external", [("External", VALUE, {"value": "12500"})]),
        ("external-unknown", [("External", VALUE, None)]),
        ("external-average", [("External", AVERAGE, {"averageValue": "1700m"})]),
        ("external-average-unknown", [("External", AVERAGE, None)]),
        ("two", [("Resource", UTILIZATION, {"averageUtilization": 0}), ("External", VALUE, {"value": "1"})]),
        ("three", [("Resource", UTILIZATION, None), ("Pods", AVERAGE, None), ("External", VALUE, None)]),
        (
            "four",
            [("External", VALUE, None), ("Pods", AVERAGE, None), ("Object", VALUE, None), ("Object", AVERAGE, None)],
        ),
    ]
    return [*(autoscaler(name, metrics) for name, metrics in cases), *_odd_autoscalers()]


def autoscaler(name: str, metrics: list[tuple[str, Json, Json | None]], **spec: Any) -> Json:
    """An HPA of ``metrics``: the type, the target and what is reported, which ends at the first that is not."""
    reported: list[Json] = []
    for kind, _, current in metrics:
        if current is None:
            break
        reported.append(metric(kind, current=current))
    return named(
        name,
        spec={
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "absent"},
            "minReplicas": 2,
            "maxReplicas": 12,
            "metrics": [metric(kind, target) for kind, target, _ in metrics],
            **spec,
        },
        status={"currentReplicas": 3, "desiredReplicas": 4, "currentMetrics": reported, "conditions": []},
    )


def _odd_autoscalers() -> list[Json]:
    """Reports of another type than the spec, or of none; nothing said about the least number."""
    swapped = autoscaler("swapped", [("Resource", UTILIZATION, None), ("Pods", AVERAGE, None)])
    reports = [metric("Pods", current={"averageValue": "1"}), metric("Resource", current={"averageUtilization": 5})]
    swapped["status"]["currentMetrics"] = reports
    blank = autoscaler("blank", [("External", VALUE, None)])
    blank["status"]["currentMetrics"] = [{"type": ""}]
    least = autoscaler("least-unset", [("Resource", UTILIZATION, None)], minReplicas=None)
    unable = autoscaler("unable", [("Resource", UTILIZATION, None)])
    unable["status"]["conditions"] = [condition("AbleToScale", "False", reason="FailedGetScale")]
    return [swapped, blank, least, unable, autoscaler("metrics-unset", [])]
