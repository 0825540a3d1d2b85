"""How many replicas one metric asks for: the arithmetic of the HPA controller, one function for each kind of target.

Source: kubernetes pkg/controller/podautoscaler/replica_calculator.go and metrics/utilization.go, v1.37.2.
Uses and targets are milli-units (a Utilization target is per cent of the request). The order of the float
operations is upstream's, since results on a boundary depend on it: ceil(56 / 50 * 25) is 29, not 28.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlscale.frozen import field, frozen
from mlscale.hpa.integers import INT32_MAX, INT64_MAX, ceiling, int32, int32_of, int64, int64_of, quotient, ratio
from mlscale.hpa.pod_groups import Sample, group_pods
from mlscale.hpa.requests import MissingRequest, missing_words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from mlscale.hpa.flags import ControllerFlags
    from mlscale.hpa.pod_groups import PodFacts, PodGroups
    from mlscale.hpa.tolerance import Tolerance


_NO_PODS = "no pods returned by selector while calculating replica count"
_NO_METRICS = "did not receive metrics for targeted pods (pods might be unready)"


class UncomputableError(Exception):
    """No count follows from what is known; the text is the controller's own."""


@frozen
class MeasuredPods:
    """A metric of a workload's pods at one moment."""

    pods: Sequence[PodFacts]
    samples: Mapping[str, Sample]
    """By pod; a pod without one is missing."""
    now: float
    """In seconds since the epoch."""
    resource: str = ""
    """``cpu``, ``memory``; empty for a custom metric."""
    requests: Mapping[str, int | MissingRequest] = field(default_factory=dict)
    """Of every pod, terminating ones too, in milli-units; only a Utilization target needs them."""


@frozen
class Proposal:
    """What one metric asks for, and the use that its status shows."""

    replicas: int
    usage: int
    """In milli-units: the mean of the pods (resource and pods metrics), the value, or the value by replica."""
    utilization: int | None = None
    """In per cent of the request, of a Utilization target."""


@frozen
class _Use:
    """The use of a set of pods by its target, and what the status shows of it."""

    ratio: float
    usage: int
    utilization: int | None = None


def scaled(use_ratio: float, current: int, count: int, tolerance: Tolerance) -> int:
    """``current`` where the ratio is within tolerance, else what brings the use of ``count`` pods to the target."""
    return current if tolerance.within(use_ratio) else int32_of(ceiling(use_ratio * count))


def utilization_replicas(
    current: int, target: int, measured: MeasuredPods, tolerance: Tolerance, flags: ControllerFlags
) -> Proposal:
    """As GetResourceReplicas: ``target`` is per cent of the request. Raises UncomputableError."""
    groups, counted = _counted(measured, flags)
    requests = _known_requests(measured)

    def use(of: Mapping[str, Sample]) -> _Use:
        return _utilization(of, requests, target)

    fills = {pod: quotient(int64(requests[pod] * max(100, target)), 100) for pod in groups.missing}
    return _proposed(current, groups, counted, fills, use, tolerance)


def average_replicas(
    current: int, target: int, measured: MeasuredPods, tolerance: Tolerance, flags: ControllerFlags
) -> Proposal:
    """As GetRawResourceReplicas, and for a custom metric as GetMetricReplicas. Raises UncomputableError."""
    groups, counted = _counted(measured, flags)

    def use(of: Mapping[str, Sample]) -> _Use:
        mean = quotient(_total(of.values()), len(of))
        return _Use(ratio(mean, target), mean)

    return _proposed(current, groups, counted, dict.fromkeys(groups.missing, target), use, tolerance)


def value_replicas(current: int, target: int, usage: int, pods: Sequence[PodFacts], tolerance: Tolerance) -> Proposal:
    """As GetObjectMetricReplicas, and with ``external_value`` as GetExternalMetricReplicas.

    Raises UncomputableError.
    """
    use_ratio = ratio(usage, target)
    if current == 0:
        return Proposal(int32_of(ceiling(use_ratio)), usage)
    if tolerance.within(use_ratio):
        return Proposal(current, usage)
    if not pods:
        raise UncomputableError(f"unable to calculate ready pods: {_NO_PODS}")
    wanted = use_ratio * sum(pod.phase == "Running" and pod.ready == "True" for pod in pods)
    return Proposal(INT32_MAX if wanted > INT32_MAX else int32_of(ceiling(wanted)), usage)


def object_average_replicas(status_replicas: int, target: int, usage: int, tolerance: Tolerance) -> Proposal:
    """As GetObjectPerPodMetricReplicas: an overflow of the count is not caught (it ends below zero)."""
    replicas = _per_replica(status_replicas, target, usage, tolerance)
    return Proposal(int32_of(replicas), int64_of(ceiling(ratio(float(usage), float(status_replicas)))))


def external_average_replicas(
    status_replicas: int, target: int, series: Iterable[int], tolerance: Tolerance
) -> Proposal:
    """As GetExternalPerPodMetricReplicas: a sum that is ever below zero counts as an overflow, so as the most."""
    usage = 0
    for value in series:
        usage = int64(usage + value)
        if usage < 0:
            usage = INT64_MAX
            break
    wanted = _per_replica(status_replicas, target, usage, tolerance)
    replicas = INT32_MAX if wanted > INT32_MAX else int32_of(wanted)
    if float(usage) >= float(INT64_MAX):
        return Proposal(replicas, INT64_MAX)
    return Proposal(replicas, int64_of(ceiling(ratio(float(usage), float(status_replicas)))))


def external_value(series: Iterable[int]) -> int:
    """The sum of an external metric's series, at most what an int64 holds."""
    usage = 0
    for value in series:
        if value > 0 and usage > INT64_MAX - value:
            return INT64_MAX
        usage = int64(usage + value)
    return usage


def _per_replica(status_replicas: int, target: int, usage: int, tolerance: Tolerance) -> float:
    use_ratio = ratio(float(usage), float(target) * float(status_replicas))
    return float(status_replicas) if tolerance.within(use_ratio) else ceiling(ratio(float(usage), float(target)))


def _counted(measured: MeasuredPods, flags: ControllerFlags) -> tuple[PodGroups, dict[str, Sample]]:
    """The groups, and the samples of the ready pods (and of pods that the selector does not match)."""
    if not measured.pods:
        raise UncomputableError(_NO_PODS)
    groups = group_pods(measured.pods, measured.samples, measured.resource, measured.now, flags)
    left_out = {*groups.ignored, *groups.unready}
    counted = {name: sample for name, sample in measured.samples.items() if name not in left_out}
    if not counted:
        raise UncomputableError(_NO_METRICS)
    return groups, counted


def _known_requests(measured: MeasuredPods) -> dict[str, int]:
    known: dict[str, int] = {}
    for pod, request in measured.requests.items():
        if isinstance(request, MissingRequest):
            raise UncomputableError(missing_words(request, pod))
        known[pod] = request
    return known


def _utilization(samples: Mapping[str, Sample], requests: Mapping[str, int], target: int) -> _Use:
    """As GetResourceUtilizationRatio: whole per cents, cut before they are divided by the target."""
    matched = [name for name in samples if name in requests]
    requested = int64(sum(requests[name] for name in matched))
    if requested == 0:
        raise UncomputableError("no metrics returned matched known pods")
    used = _total(samples[name] for name in matched)
    percent = int32(quotient(int64(used * 100), requested))
    return _Use(ratio(percent, target), quotient(used, len(matched)), percent)


def _total(samples: Iterable[Sample]) -> int:
    return int64(sum(sample.value for sample in samples))


def _proposed(
    current: int,
    groups: PodGroups,
    counted: dict[str, Sample],
    fills: Mapping[str, int],
    use: Callable[[Mapping[str, Sample]], _Use],
    tolerance: Tolerance,
) -> Proposal:
    """The count by the ready pods alone, or with the others filled in so that they soften the step."""
    first = use(counted)
    up_with_unready = bool(groups.unready) and first.ratio > 1.0
    if not up_with_unready and not groups.missing:
        replicas = scaled(first.ratio, current, groups.ready, tolerance)
    else:
        assumed = _assumed(first.ratio, groups, fills, up_with_unready)
        replicas = _softened(current, first.ratio, {**counted, **assumed}, use, tolerance)
    return Proposal(replicas, first.usage, first.utilization)


def _assumed(first: float, groups: PodGroups, fills: Mapping[str, int], up_with_unready: bool) -> dict[str, Sample]:
    """Missing pods are taken as busy when scaling down and as idle when scaling up; unready ones as idle then."""
    assumed: dict[str, Sample] = {}
    if first < 1.0:
        assumed |= {name: Sample(fills[name]) for name in groups.missing}
    elif first > 1.0:
        assumed |= {name: Sample(0) for name in groups.missing}
    if up_with_unready:
        assumed |= {name: Sample(0) for name in groups.unready}
    return assumed


def _softened(
    current: int,
    first: float,
    samples: Mapping[str, Sample],
    use: Callable[[Mapping[str, Sample]], _Use],
    tolerance: Tolerance,
) -> int:
    second = use(samples).ratio
    if tolerance.within(second) or first < 1.0 < second or second < 1.0 < first:
        return current
    replicas = int32_of(ceiling(second * len(samples)))
    turned = (second < 1.0 and replicas > current) or (second > 1.0 and replicas < current)
    return current if turned else replicas
