"""One run of the HPA controller over one HPA: from what is seen and remembered to a replica count and a status.

Source: reconcileAutoscaler in kubernetes pkg/controller/podautoscaler/horizontal.go, v1.37.2, with the feature
gates of 1.37 (HPAScaleToZero and HPAConfigurableTolerance on). A run is ``decide``, then the write of the scale
where ``rescale`` says so, then ``rescaled`` or ``not_rescaled``. Times are seconds since the epoch.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from mlscale.hpa.conditions import Condition, is_true, with_condition
from mlscale.hpa.limits import limited, limited_by
from mlscale.hpa.memory import Memory, seeded, with_scale_event
from mlscale.hpa.metric_results import Invalid, Reading, Valid, Workload, evaluated
from mlscale.hpa.scaling_spec import DEFAULT_FLAGS
from mlscale.hpa.stabilization import stabilized, stabilized_by

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlscale.hpa.flags import ControllerFlags
    from mlscale.hpa.scaling_spec import ScalingSpec

Json = dict[str, Any]

_UNKNOWN_STATUS: Json = {"type": ""}
"""What stands in ``status.currentMetrics`` for a metric that failed."""


@dataclass(frozen=True)
class Event:
    """A line for the HPA's events."""

    type: str
    """``Normal`` or ``Warning``."""
    reason: str
    message: str


@dataclass(frozen=True)
class Refusal:
    """Why the pods of a target are not counted, whatever the metrics say."""

    reason: str
    """Of the condition ScalingActive."""
    message: str
    event: Event


@dataclass(frozen=True)
class Seen:
    """What one run sees of the target and of each metric, in the order of the spec."""

    workload: Workload
    readings: Sequence[Reading] = ()
    refusal: Refusal | None = None


@dataclass(frozen=True)
class Decision:
    """What one run came to."""

    current: int
    desired: int | None
    """None where no count follows: the status keeps the one it has."""
    rescale: bool
    """Whether the target's scale is to be written (or was)."""
    reason: str
    """Of the change, for its event; it may be empty."""
    conditions: tuple[Condition, ...]
    memory: Memory
    metrics: tuple[Json, ...] = ()
    """``status.currentMetrics``."""
    events: tuple[Event, ...] = ()
    proposed: int | None = None
    """What the metrics asked for, before stabilization and limits; None where they were not asked or failed."""


def decide(
    spec: ScalingSpec,
    seen: Seen,
    conditions: tuple[Condition, ...],
    memory: Memory,
    now: float,
    flags: ControllerFlags = DEFAULT_FLAGS,
) -> Decision:
    """The run up to the write of the scale."""
    current = seen.workload.replicas
    memory = seeded(memory, current, now)
    able = Condition(
        "AbleToScale", "True", "SucceededGetScale", "the HPA controller was able to get the target's current scale", now
    )
    start = Decision(current, None, False, "", with_condition(conditions, able), memory)
    # Zero comes first: a target at 0 below its min stays there unless this controller scaled it to zero.
    if current == 0 and not _wakes(spec, conditions):
        return _paused(start, now)
    if current > spec.max_replicas:
        return _forced(start, spec.max_replicas, "Current number of replicas above Spec.MaxReplicas")
    if 0 < current < spec.min_replicas:
        return _forced(start, spec.min_replicas, "Current number of replicas below Spec.MinReplicas")
    return _computed(start, spec, seen, now, flags)


def rescaled(decision: Decision, spec: ScalingSpec, now: float) -> Decision:
    """``decision`` after the scale was written."""
    current, desired = decision.current, decision.desired or 0
    to_zero = current > 0 and desired == 0 and spec.min_replicas == 0 and spec.from_outside
    conditions = with_condition(
        decision.conditions,
        Condition(
            "AbleToScale",
            "True",
            "SucceededRescale",
            f"the HPA controller was able to update the target scale to {desired}",
            now,
        ),
    )
    verb, reason = ("scaled", "ScaledToZero") if to_zero else ("did not scale", "NotScaledToZero")
    zero = Condition("ScaledToZero", str(to_zero), reason, f"the HPA controller {verb} the workload to zero", now)
    event = Event("Normal", "SuccessfulRescale", f"New size: {desired}; reason: {decision.reason}")
    return replace(
        decision,
        conditions=with_condition(conditions, zero),
        memory=with_scale_event(decision.memory, spec.behavior, current, desired, now),
        events=(*decision.events, event),
    )


def not_rescaled(decision: Decision, error: str, now: float) -> Decision:
    """``decision`` after the scale could not be written."""
    message = f"the HPA controller was unable to update the target scale: {error}"
    failed = Condition("AbleToScale", "False", "FailedUpdateScale", message, now)
    text = f"New size: {decision.desired}; reason: {decision.reason}; error: {error}"
    return replace(
        decision,
        desired=None,
        rescale=False,
        conditions=with_condition(decision.conditions, failed),
        events=(*decision.events, Event("Warning", "FailedRescale", text)),
    )


def without_scale(conditions: tuple[Condition, ...], error: str, now: float) -> tuple[tuple[Condition, ...], Event]:
    """The conditions and the event where the target's scale could not be read; nothing else of the status moves."""
    message = f"the HPA controller was unable to get the target's current scale: {error}"
    failed = Condition("AbleToScale", "False", "FailedGetScale", message, now)
    return with_condition(conditions, failed), Event("Warning", "FailedGetScale", error)


def missing_selector() -> Refusal:
    """The target's scale has no selector (validateAndParseSelector)."""
    event = Event("Warning", "SelectorRequired", "selector is required")
    return Refusal("InvalidSelector", "the HPA target's scale is missing a selector", event)


def invalid_selector(why: str) -> Refusal:
    """The selector of the target's scale cannot be parsed."""
    text = f"couldn't convert selector into a corresponding internal selector object: {why}"
    return Refusal("InvalidSelector", text, Event("Warning", "InvalidSelector", text))


def ambiguous_selector(selector: str, hpas: Sequence[str]) -> Refusal:
    """Some selected pod is selected by another HPA too; ``hpas`` are two of them, ``namespace/name``."""
    text = f"pods by selector {selector} are controlled by more than one HPA (e.g. [{' '.join(hpas)}])"
    return Refusal("AmbiguousSelector", text, Event("Warning", "AmbiguousSelector", text))


def _wakes(spec: ScalingSpec, conditions: tuple[Condition, ...]) -> bool:
    """Whether an HPA at 0 looks at its metrics: if it scaled to zero itself (shouldComputeMetricsForZeroReplicas)."""
    return is_true(conditions, "ScaledToZero") and (spec.min_replicas != 0 or spec.from_outside)


def _paused(start: Decision, now: float) -> Decision:
    message = "scaling is disabled since the replica count of the target is zero"
    off = Condition("ScalingActive", "False", "ScalingDisabled", message, now)
    return replace(start, desired=0, conditions=with_condition(start.conditions, off))


def _forced(start: Decision, bound: int, reason: str) -> Decision:
    """Straight to a bound: no metric is read, and what the conditions said of metrics stays."""
    return replace(start, desired=bound, rescale=True, reason=reason)


def _computed(start: Decision, spec: ScalingSpec, seen: Seen, now: float, flags: ControllerFlags) -> Decision:
    if seen.refusal is not None:
        return _refused(start, seen.refusal, now)
    results = [
        evaluated(target, reading, seen.workload, spec.tolerance, now, flags)
        for target, reading in zip(spec.metrics, seen.readings, strict=True)
    ]
    judged = _judged(start, results, now)
    if judged.proposed is None:
        return judged
    return _normalized(judged, spec, now, flags)


def _refused(start: Decision, refusal: Refusal, now: float) -> Decision:
    off = Condition("ScalingActive", "False", refusal.reason, refusal.message, now)
    failed = Event("Warning", "FailedComputeMetricsReplicas", refusal.event.message)
    return replace(start, conditions=with_condition(start.conditions, off), events=(refusal.event, failed))


def _judged(start: Decision, results: Sequence[Valid | Invalid], now: float) -> Decision:
    """The largest of the proposals (computeReplicasForMetrics).

    With a metric that failed, the others may hold or raise the count but not lower it.
    """
    invalid = [result for result in results if isinstance(result, Invalid)]
    largest = _largest([result for result in results if isinstance(result, Valid)])
    statuses = tuple(_UNKNOWN_STATUS if isinstance(result, Invalid) else result.status for result in results)
    events = tuple(Event("Warning", failure.reason, failure.message) for failure in invalid)
    seen = replace(start, metrics=statuses, events=events)
    if largest is None or (invalid and largest.replicas < start.current):
        return _failed(seen, invalid, len(results), now)
    message = f"the HPA was able to successfully calculate a replica count from {largest.name}"
    active = Condition("ScalingActive", "True", "ValidMetricFound", message, now)
    proposed = max(0, largest.replicas)
    above = f"{largest.name} above target" if proposed > start.current else ""
    return replace(
        seen,
        conditions=with_condition(seen.conditions, active),
        proposed=proposed,
        reason="All metrics below target" if proposed < start.current else above,
    )


def _failed(seen: Decision, invalid: Sequence[Invalid], count: int, now: float) -> Decision:
    first = invalid[0]
    message = f"the HPA was unable to compute the replica count: {first.message}"
    off = Condition("ScalingActive", "False", first.reason, message, now)
    text = f"invalid metrics ({len(invalid)} invalid out of {count}), first error is: {first.error}"
    failed = Event("Warning", "FailedComputeMetricsReplicas", text)
    return replace(seen, conditions=with_condition(seen.conditions, off), events=(*seen.events, failed))


def _largest(valid: Sequence[Valid]) -> Valid | None:
    """The first of the largest; one that asks for 0 gives way to any later one, even to a negative count."""
    largest: Valid | None = None
    for result in valid:
        if largest is None or largest.replicas == 0 or result.replicas > largest.replicas:
            largest = result
    return largest


def _normalized(judged: Decision, spec: ScalingSpec, now: float, flags: ControllerFlags) -> Decision:
    """What was proposed, stabilized and within bounds (normalizeDesiredReplicas and …WithBehaviors)."""
    raw, current = judged.proposed or 0, judged.current
    least, most = spec.min_replicas, spec.max_replicas
    if spec.behavior is None:
        stable, memory = stabilized(raw, judged.memory, now, flags)
        bounded = limited(stable, current, least, most)
    else:
        stable, memory = stabilized_by(spec.behavior, raw, current, judged.memory, now)
        bounded = limited_by(spec.behavior, stable, current, least, most, memory, now)
    up = spec.behavior is not None and raw >= current
    able = Condition("AbleToScale", "True", *_stability(raw, stable, up), now)
    bound = Condition("ScalingLimited", str(bounded.replicas != stable), bounded.reason, bounded.message, now)
    # From zero the count goes to min at once, even beyond the speed limit.
    desired = max(bounded.replicas, least) if current == 0 else bounded.replicas
    lifted = "Current number of replicas below Spec.MinReplicas" if desired != bounded.replicas else ""
    return replace(
        judged,
        desired=desired,
        rescale=desired != current,
        reason=judged.reason or lifted,
        conditions=with_condition(with_condition(judged.conditions, able), bound),
        memory=memory,
    )


def _stability(raw: int, stable: int, up: bool) -> tuple[str, str]:
    """Reason and message of AbleToScale."""
    if raw == stable:
        return "ReadyForNewScale", "recommended size matches current size"
    recent = "recent recommendations were {} than current one, applying the {} recent recommendation"
    if up:
        return "ScaleUpStabilized", recent.format("lower", "lowest")
    return "ScaleDownStabilized", recent.format("higher", "highest")
