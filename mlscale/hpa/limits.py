"""How far one run may move a replica count: min and max, and the speed limits.

Source: kubernetes pkg/controller/podautoscaler/horizontal.go, v1.37.2; the messages are those of the condition
ScalingLimited.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlscale.hpa.integers import ceiling, int32, int32_of
from mlscale.hpa.memory import Memory, period_start

if TYPE_CHECKING:
    from mlscale.hpa.scaling_spec import Behavior, DirectionRules, Policy


@dataclass(frozen=True)
class Limited:
    """A count within bounds, and what bounded it."""

    replicas: int
    reason: str = "DesiredWithinRange"
    message: str = "the desired count is within the acceptable range"


_SCALE_UP_LIMIT = ("ScaleUpLimit", "the desired replica count is increasing faster than the maximum scale rate")
_SCALE_DOWN_LIMIT = ("ScaleDownLimit", "the desired replica count is decreasing faster than the maximum scale rate")
_TOO_MANY = ("TooManyReplicas", "the desired replica count is more than the maximum replica count")
_TOO_FEW = ("TooFewReplicas", "the desired replica count is less than the minimum replica count")


def limited(desired: int, current: int, least: int, most: int) -> Limited:
    """Of an HPA without behavior (convertDesiredReplicasWithRules): up to twice the count, or 4, in one run."""
    limit = int32_of(max(2.0 * current, 4.0))
    if desired < least:
        return Limited(least, *_TOO_FEW)
    cap = min(most, limit)
    if desired > cap:
        return Limited(cap, *(_SCALE_UP_LIMIT if most > limit else _TOO_MANY))
    return Limited(desired)


def limited_by(
    behavior: Behavior, desired: int, current: int, least: int, most: int, memory: Memory, now: float
) -> Limited:
    """By the policies, each over its own period (convertDesiredReplicasWithBehaviorRate)."""
    if desired > current:
        limit = max(scale_up_limit(behavior.up, current, memory, now), current)
        if desired > min(most, limit):
            return Limited(min(most, limit), *(_SCALE_UP_LIMIT if most > limit else _TOO_MANY))
    elif desired < current:
        limit = min(scale_down_limit(behavior.down, current, memory, now), current)
        if desired < max(least, limit):
            return Limited(max(least, limit), *(_SCALE_DOWN_LIMIT if least < limit else _TOO_FEW))
    return Limited(desired)


def scale_up_limit(rules: DirectionRules, current: int, memory: Memory, now: float) -> int:
    """As calculateScaleUpLimitWithScalingRules."""
    if rules.select == "Disabled":
        return current
    allowed = [_raised(policy, period_start(memory, current, policy, now)) for policy in rules.policies]
    return min(allowed) if rules.select == "Min" else max(allowed)


def scale_down_limit(rules: DirectionRules, current: int, memory: Memory, now: float) -> int:
    """As calculateScaleDownLimitWithBehaviors."""
    if rules.select == "Disabled":
        return current
    allowed = [_lowered(policy, period_start(memory, current, policy, now)) for policy in rules.policies]
    return max(allowed) if rules.select == "Min" else min(allowed)


def _raised(policy: Policy, start: int) -> int:
    if policy.type == "Pods":
        return int32(start + policy.value)
    # Rounded up, or 10 % of 5 would never add a replica; 100 * 1.1 is 110.00000000000001 and so 111.
    return int32_of(ceiling(start * (1 + policy.value / 100)))


def _lowered(policy: Policy, start: int) -> int:
    if policy.type == "Pods":
        return int32(start - policy.value)
    return int32_of(start * (1 - policy.value / 100))
