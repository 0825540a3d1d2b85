"""Which pods of a workload an HPA counts: as ready, not ready, without a metric, or not at all.

Source: groupPods in kubernetes pkg/controller/podautoscaler/replica_calculator.go, v1.37.2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlscale.frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mlscale.hpa.flags import ControllerFlags


@frozen
class Sample:
    """What one pod used, or one pod's value of a custom metric."""

    value: int
    """In milli-units: millicores, thousandths of a byte."""
    timestamp: float = 0.0
    """The end of the time it was measured over, in seconds since the epoch."""
    window: float = 0.0
    """The length of that time in seconds."""


@frozen
class PodFacts:
    """What the calculator looks at of a pod; times are seconds since the epoch."""

    name: str
    phase: str = "Running"
    terminating: bool = False
    ready: str | None = "True"
    """The status of its Ready condition: ``True``, ``False`` or ``Unknown``; None without one."""
    ready_since: float = 0.0
    """The last transition of that condition."""
    started: float | None = 0.0
    """``status.startTime``."""


@frozen
class PodGroups:
    """The pods by name, each in one group; the ready ones are only counted."""

    ready: int
    unready: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()


def group_pods(
    pods: Iterable[PodFacts], samples: Mapping[str, Sample], resource: str, now: float, flags: ControllerFlags
) -> PodGroups:
    """Group ``pods``; ``resource`` is ``cpu``, ``memory``, or empty for a custom metric."""
    groups: dict[str, list[str]] = {"ready": [], "unready": [], "missing": [], "ignored": []}
    for pod in pods:
        groups[_group(pod, samples.get(pod.name), resource, now, flags)].append(pod.name)
    unready, missing, ignored = (tuple(groups[name]) for name in ("unready", "missing", "ignored"))
    return PodGroups(len(groups["ready"]), unready, missing, ignored)


def _group(pod: PodFacts, sample: Sample | None, resource: str, now: float, flags: ControllerFlags) -> str:
    if pod.terminating or pod.phase == "Failed":
        return "ignored"
    if pod.phase == "Pending":
        return "unready"
    if sample is None:
        return "missing"
    # Memory and custom metrics count from the first sample on: only CPU use is distorted by the start itself.
    if resource == "cpu" and _starting(pod, sample, now, flags):
        return "unready"
    return "ready"


def _starting(pod: PodFacts, sample: Sample, now: float, flags: ControllerFlags) -> bool:
    if pod.ready is None or pod.started is None:
        return True
    if pod.started + flags.cpu_initialization_period > now:
        # Ready 40 s ago, measured over 30 s until 20 s ago: the sample began before the pod was Ready.
        return pod.ready == "False" or sample.timestamp < pod.ready_since + sample.window
    never_ready = pod.started + flags.initial_readiness_delay > pod.ready_since
    return pod.ready == "False" and never_ready
