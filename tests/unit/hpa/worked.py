"""Pods and whole trajectories for the tests of the HPA's rules, with plain numbers in and out."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from mlscale.hpa.calculator import MeasuredPods, average_replicas, utilization_replicas, value_replicas
from mlscale.hpa.conditions import Condition
from mlscale.hpa.flags import ControllerFlags
from mlscale.hpa.memory import Memory
from mlscale.hpa.metric_results import Reading, Workload
from mlscale.hpa.pod_groups import PodFacts, Sample
from mlscale.hpa.reconcile import Decision, Seen, decide, rescaled
from mlscale.hpa.scaling_spec import read_scaling_spec
from mlscale.hpa.tolerance import Tolerance

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlscale.hpa.requests import MissingRequest

Json = dict[str, Any]
Values = float | None | tuple[float | None, ...]
"""Of one run: the value of the metric, or of each; None where it cannot be read."""

NOW = 1_000_000.0
HOUR_AGO, MINUTE_AGO = NOW - 3600, NOW - 60
FLAGS = ControllerFlags()
DEFAULT = Tolerance()
TICK = 15.0


@dataclass(frozen=True)
class Member:
    """A pod with what it uses; one that is Ready, an hour old and requests 1000m unless said otherwise."""

    use: int | None
    """In milli-units; None for a pod without a metric."""
    phase: str = "Running"
    terminating: bool = False
    ready: str | None = "True"
    ready_since: float = HOUR_AGO
    started: float | None = HOUR_AGO
    request: int | MissingRequest = 1000
    sampled: float = NOW - 10
    window: float = 30.0


MISSING = Member(None)
PENDING = Member(None, phase="Pending", ready="False")
NEVER_READY = Member(900, ready="False")


def measured(members: Sequence[Member], resource: str = "cpu") -> MeasuredPods:
    named = {f"pod-{number}": member for number, member in enumerate(members)}
    return MeasuredPods(
        pods=[
            PodFacts(name, pod.phase, pod.terminating, pod.ready, pod.ready_since, pod.started)
            for name, pod in named.items()
        ],
        samples={n: Sample(pod.use, pod.sampled, pod.window) for n, pod in named.items() if pod.use is not None},
        now=NOW,
        resource=resource,
        requests={name: pod.request for name, pod in named.items()},
    )


def by_utilization(current: int, target: int, members: Sequence[Member], tolerance: Tolerance = DEFAULT) -> int:
    return utilization_replicas(current, target, measured(members), tolerance, FLAGS).replicas


def by_average(
    current: int, target: int, members: Sequence[Member], resource: str = "", tolerance: Tolerance = DEFAULT
) -> int:
    return average_replicas(current, target, measured(members, resource), tolerance, FLAGS).replicas


def by_value(current: int, target: int, usage: int, members: Sequence[Member]) -> int:
    return value_replicas(current, target, usage, measured(members).pods, DEFAULT).replicas


def external(name: str = "queue") -> Json:
    """A metric that asks for as many replicas as its series says."""
    target = {"type": "AverageValue", "averageValue": "1"}
    return {"type": "External", "external": {"metric": {"name": name}, "target": target}}


def up(*policies: tuple[str, int, int], **rules: Any) -> Json:
    """``spec.behavior.scaleUp``; a policy is type, value, seconds."""
    return {"scaleUp": _rules(policies, rules)}


def down(*policies: tuple[str, int, int], **rules: Any) -> Json:
    return {"scaleDown": _rules(policies, rules)}


def _rules(policies: Sequence[tuple[str, int, int]], rules: Json) -> Json:
    listed = [{"type": kind, "value": value, "periodSeconds": seconds} for kind, value, seconds in policies]
    window = {"stabilizationWindowSeconds": rules.pop("window")} if "window" in rules else {}
    return {**rules, **window, **({"policies": listed} if listed else {})}


SCALED_TO_ZERO = Condition("ScaledToZero", "True", "ScaledToZero", "the HPA controller scaled the workload to zero", 0)


@dataclass(frozen=True)
class Followed:
    """What came of some runs."""

    changes: list[str]
    """As ``8 -> 4 @315``, in seconds after the first run."""
    decisions: list[Decision]

    def reason(self, condition: str, run: int = -1) -> str:
        """``True ValidMetricFound`` after a run; empty without that condition."""
        conditions = self.decisions[run].conditions
        return next((f"{one.status} {one.reason}" for one in conditions if one.type == condition), "")


@dataclass(frozen=True)
class Hpa:
    """An HPA over runs that are exactly 15 s apart, the target following at once."""

    replicas: int
    most: int = 100
    least: int | None = 1
    behavior: Json | None = None
    metrics: int = 1
    conditions: tuple[Condition, ...] = ()
    flags: ControllerFlags = FLAGS

    def follow(self, *series: Values, ticks: int = 0, by_hand: Mapping[int, int] = MappingProxyType({})) -> Followed:
        """Let it run on ``series``, a value for each run, the last of them until run ``ticks``."""
        spec = read_scaling_spec(self.spec(), self.flags)
        current, conditions, memory = self.replicas, self.conditions, Memory()
        followed = Followed([], [])
        for tick in range(max(ticks + 1, len(series))):
            current = by_hand.get(tick, current)
            now = NOW + tick * TICK
            seen = Seen(Workload("default", current, current), _readings(series[min(tick, len(series) - 1)]))
            decision = decide(spec, seen, conditions, memory, now, self.flags)
            if decision.rescale:
                decision = rescaled(decision, spec, now)
                followed.changes.append(f"{current} -> {decision.desired} @{tick * TICK:.0f}")
                current = decision.desired or 0
            conditions, memory = decision.conditions, decision.memory
            followed.decisions.append(decision)
        return followed

    def spec(self) -> Json:
        spec: Json = {"maxReplicas": self.most, "metrics": [external(f"queue-{n}") for n in range(self.metrics)]}
        if self.least is not None:
            spec["minReplicas"] = self.least
        return spec if self.behavior is None else {**spec, "behavior": self.behavior}


def _readings(values: Values) -> list[Reading]:
    return [_reading(value) for value in (values if isinstance(values, tuple) else (values,))]


def _reading(value: float | None) -> Reading:
    if value is None:
        return Reading(unread="no metrics returned from external metrics API")
    return Reading(series=(int(value * 1000),))
