"""What the HPA controller calls a metric, and how it says that one failed.

Source: kubernetes pkg/controller/podautoscaler/horizontal.go and replica_calculator.go, v1.37.2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlscale.hpa.scaling_spec import MetricTarget

Json = dict[str, Any]


def metric_name(target: MetricTarget, mode: str) -> str:
    """As the event SuccessfulRescale and the condition ValidMetricFound name it."""
    if target.type in ("Resource", "ContainerResource"):
        if mode == "average":
            return f"{target.name} resource"
        kind = "container resource" if target.type == "ContainerResource" else "resource"
        return f"{target.name} {kind} utilization (percentage of request)"
    if target.type == "Pods":
        return f"pods metric {target.name}"
    if target.type == "Object" and mode == "value":
        return f"{(target.described_object or {}).get('kind')} metric {target.name}"
    # An Object metric by replica is called external as well.
    return f"external metric {target.name}({selector_words(target.selector)})"


def unread_words(target: MetricTarget, namespace: str, why: str) -> str:
    """That the metrics API gave nothing."""
    if target.type in ("Resource", "ContainerResource"):
        return f"unable to get metrics for resource {target.name}: {why}"
    if target.type == "Object":
        described = target.described_object or {}
        on = f"{described.get('kind')} {namespace}/{described.get('name')}"
        return f"unable to get metric {target.name} on {on}: {why}"
    if target.type == "External":
        return f"unable to get external metric {namespace}/{target.name}/{selector_words(target.selector)}: {why}"
    return f"unable to get metric {target.name}: {why}"


def failure_words(target: MetricTarget, mode: str | None, why: str) -> str:
    """What the metric's own event says (FailedGetResourceMetric and the like)."""
    if target.type not in ("Resource", "ContainerResource") or mode is None:
        return why
    return f"failed to get {target.name} {'usage' if mode == 'average' else 'utilization'}: {why}"


def error_words(target: MetricTarget, mode: str | None, failure: str) -> str:
    """What the event FailedComputeMetricsReplicas says of the first metric that failed."""
    if target.type == "Resource":
        return f"failed to get {target.name} resource metric value: {failure}"
    if target.type == "ContainerResource":
        return f"failed to get {target.container} container metric value: {failure}"
    if target.type == "Pods":
        return f"failed to get pods metric value: {failure}"
    name = target.name
    if target.type == "Object":
        inner = f"failed to get {name} object metric: {failure}" if mode == "average" else failure
        return f"failed to get object metric value: {inner}"
    inner = {
        "average": f"failed to get {name} external metric: {failure}",
        "value": f"failed to get external metric {name}: {failure}",
    }.get(mode or "", failure)
    return f"failed to get {name} external metric value: {inner}"


def selector_words(selector: Json | None) -> str:
    """A LabelSelector as Go prints it (apimachinery pkg/apis/meta/v1/generated.pb.go)."""
    if selector is None:
        return "nil"
    labels = selector.get("matchLabels") or {}
    pairs = "".join(f"{key}: {labels[key]}," for key in sorted(labels))
    requirements = "".join(f"{_requirement(one)}," for one in selector.get("matchExpressions") or [])
    expressions = f"[]LabelSelectorRequirement{{{requirements}}}"
    return f"&LabelSelector{{MatchLabels:map[string]string{{{pairs}}},MatchExpressions:{expressions},}}"


def _requirement(requirement: Json) -> str:
    values = " ".join(requirement.get("values") or [])
    fields = f"Key:{requirement.get('key')},Operator:{requirement.get('operator')},Values:[{values}],"
    return f"LabelSelectorRequirement{{{fields}}}"
