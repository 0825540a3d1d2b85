"""One metric of an HPA evaluated: what it asks for and its status, or why it cannot be used.

Source: computeReplicasForMetric and computeStatusFor… in kubernetes pkg/controller/podautoscaler/horizontal.go,
v1.37.2. The texts are the controller's own: they stand in conditions and events.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from mlscale.hpa.calculator import (
    MeasuredPods,
    Proposal,
    UncomputableError,
    average_replicas,
    external_average_replicas,
    external_value,
    object_average_replicas,
    utilization_replicas,
    value_replicas,
)
from mlscale.hpa.metric_words import error_words, failure_words, metric_name, unread_words
from mlscale.kube.quantity import NANO, Quantity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlscale.hpa.flags import ControllerFlags
    from mlscale.hpa.pod_groups import PodFacts, Sample
    from mlscale.hpa.requests import MissingRequest
    from mlscale.hpa.scaling_spec import MetricTarget
    from mlscale.hpa.tolerance import Tolerance

Json = dict[str, Any]
Mode = Literal["utilization", "average", "value"]

_REASONS = {
    "Resource": "FailedGetResourceMetric",
    "ContainerResource": "FailedGetContainerResourceMetric",
    "Pods": "FailedGetPodsMetric",
    "Object": "FailedGetObjectMetric",
    "External": "FailedGetExternalMetric",
}
_NO_RESOURCE_TARGET = (
    "invalid resource metric source: neither an average utilization target nor an average value (usage) target was set"
)
_NO_TARGET = "invalid {} metric source: neither a value target nor an average value target was set"


@dataclass(frozen=True)
class Reading:
    """What a metrics API answered for one metric."""

    samples: Mapping[str, Sample] = field(default_factory=dict)
    """By pod, of a Resource, ContainerResource or Pods metric."""
    requests: Mapping[str, int | MissingRequest] = field(default_factory=dict)
    """By pod, where the target is a utilization."""
    series: tuple[int, ...] = ()
    """In milli-units: an Object metric has one value, an External metric any number."""
    unread: str = ""
    """Why there is nothing: ``no metrics returned from resource metrics API``."""


@dataclass(frozen=True)
class Workload:
    """The target of an HPA."""

    namespace: str
    replicas: int
    """``spec.replicas`` of its scale."""
    status_replicas: int
    pods: tuple[PodFacts, ...] = ()
    """Those that the selector of its scale matches."""


@dataclass(frozen=True)
class Valid:
    """A metric that works."""

    replicas: int
    name: str
    """As events call it: ``cpu resource utilization (percentage of request)``."""
    status: Json
    """An entry of ``status.currentMetrics``."""


@dataclass(frozen=True)
class Invalid:
    """A metric that does not."""

    reason: str
    message: str
    """What its own event says."""
    error: str
    """The same with what it was wanted for, as the event FailedComputeMetricsReplicas says it."""


def evaluated(
    target: MetricTarget,
    reading: Reading,
    workload: Workload,
    tolerance: Tolerance,
    now: float,
    flags: ControllerFlags,
) -> Valid | Invalid:
    """What one metric asks for; ``now`` is in seconds since the epoch."""
    if target.type not in _REASONS:
        unknown = f'unknown metric source type "{target.type}"'
        return Invalid("InvalidMetricSourceType", unknown, unknown)
    mode = target_mode(target)
    if mode is None:
        resource = target.type in ("Resource", "ContainerResource")
        return _invalid(target, mode, _NO_RESOURCE_TARGET if resource else _NO_TARGET.format(target.type.lower()))
    if reading.unread:
        return _invalid(target, mode, unread_words(target, workload.namespace, reading.unread))
    try:
        proposal = _proposal(target, mode, reading, workload, tolerance, now, flags)
    except UncomputableError as error:
        return _invalid(target, mode, str(error))
    return Valid(proposal.replicas, metric_name(target, mode), _status(target, mode, proposal))


def target_mode(target: MetricTarget) -> Mode | None:
    """Which of a target's fields the controller takes; only an Object metric is held to ``target.type``."""
    if target.type == "Object":
        fields = {"Value": target.value, "AverageValue": target.average_value}
        if fields.get(target.target_type) is None:
            return None
        return "value" if target.target_type == "Value" else "average"
    if target.average_value is not None:
        return "average"
    if target.type == "External":
        return None if target.value is None else "value"
    return None if target.utilization is None else "utilization"


def _invalid(target: MetricTarget, mode: Mode | None, calculator_words: str) -> Invalid:
    message = failure_words(target, mode, calculator_words)
    return Invalid(_REASONS[target.type], message, error_words(target, mode, message))


def _proposal(
    target: MetricTarget,
    mode: Mode,
    reading: Reading,
    workload: Workload,
    tolerance: Tolerance,
    now: float,
    flags: ControllerFlags,
) -> Proposal:
    amount = {"utilization": target.utilization, "average": target.average_value, "value": target.value}[mode] or 0
    current, status = workload.replicas, workload.status_replicas
    if target.type == "External" and mode == "average":
        return external_average_replicas(status, amount, reading.series, tolerance)
    if target.type == "Object" and mode == "average":
        return object_average_replicas(status, amount, external_value(reading.series), tolerance)
    if mode == "value":
        return value_replicas(current, amount, external_value(reading.series), workload.pods, tolerance)
    resource = "" if target.type == "Pods" else target.name
    measured = MeasuredPods(workload.pods, reading.samples, now, resource, reading.requests)
    by_target = utilization_replicas if mode == "utilization" else average_replicas
    return by_target(current, amount, measured, tolerance, flags)


def _status(target: MetricTarget, mode: Mode, proposal: Proposal) -> Json:
    usage = Quantity(proposal.usage * (NANO // 1000), "BinarySI" if _is_memory(target) else "DecimalSI")
    current: Json = {"value" if mode == "value" else "averageValue": str(usage)}
    if proposal.utilization is not None:
        current["averageUtilization"] = proposal.utilization
    source: Json = {"current": current}
    if target.type in ("Resource", "ContainerResource"):
        source["name"] = target.name
    else:
        source["metric"] = {"name": target.name} | ({"selector": target.selector} if target.selector else {})
    if target.container:
        source["container"] = target.container
    if target.described_object:
        source["describedObject"] = target.described_object
    return {"type": target.type, target.type[0].lower() + target.type[1:]: source}


def _is_memory(target: MetricTarget) -> bool:
    """Whether its status is written in Mi rather than M (buildQuantity)."""
    return target.type in ("Resource", "ContainerResource") and target.name == "memory"
