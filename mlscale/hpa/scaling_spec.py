"""An HPA's spec as its controller reads it: quantities in milli-units, the API's and the controller's defaults in.

Source of the defaults: kubernetes pkg/apis/autoscaling/v2/defaults.go, v1.37.2. A field that is there stays.
"""

from __future__ import annotations

from typing import Any

from mlscale.frozen import field, frozen
from mlscale.hpa.behavior import tolerance_of
from mlscale.hpa.flags import ControllerFlags
from mlscale.hpa.metrics import default_metric, scales_to_zero, source_of
from mlscale.hpa.tolerance import Tolerance
from mlscale.kube.quantity import parse_quantity

Json = dict[str, Any]


@frozen
class Policy:
    """So much change in so many seconds."""

    type: str
    """``Pods`` or ``Percent``."""
    value: int
    period: int


@frozen
class DirectionRules:
    """How fast one direction goes (HPAScalingRules)."""

    window: int
    """The stabilization window in seconds."""
    policies: tuple[Policy, ...]
    select: str = "Max"
    """``Max``, ``Min`` or ``Disabled``."""

    @property
    def longest_period(self) -> int:
        """Of the policies, in seconds (getLongestPolicyPeriod)."""
        return max((policy.period for policy in self.policies), default=0)


@frozen
class Behavior:
    """``spec.behavior`` without the tolerances."""

    up: DirectionRules
    down: DirectionRules


@frozen
class MetricTarget:
    """One metric and its target, amounts in milli-units."""

    type: str
    """``Resource``, ``ContainerResource``, ``Pods``, ``Object`` or ``External``."""
    name: str
    container: str = ""
    target_type: str = ""
    """What only an Object metric obeys: ``Value`` or ``AverageValue``."""
    utilization: int | None = None
    average_value: int | None = None
    value: int | None = None
    selector: Json | None = None
    """The metric's label selector."""
    described_object: Json | None = None


@frozen
class ScalingSpec:
    """What an HPA asks for."""

    min_replicas: int
    max_replicas: int
    metrics: tuple[MetricTarget, ...]
    behavior: Behavior | None = None
    """None takes another path than an empty one."""
    tolerance: Tolerance = field(default_factory=Tolerance)
    from_outside: bool = False
    """Whether a metric exists without pods, so that the HPA may scale to and from zero."""


DEFAULT_FLAGS = ControllerFlags()

_DEFAULT_UP: Json = {
    "stabilizationWindowSeconds": 0,
    "policies": [
        {"type": "Pods", "value": 4, "periodSeconds": 15},
        {"type": "Percent", "value": 100, "periodSeconds": 15},
    ],
}
_DEFAULT_DOWN: Json = {"policies": [{"type": "Percent", "value": 100, "periodSeconds": 15}]}


def read_scaling_spec(spec: Json, flags: ControllerFlags = DEFAULT_FLAGS) -> ScalingSpec:
    """``spec`` of an autoscaling/v2 HPA, defaulted by the server or not. Raises InvalidQuantityError."""
    metrics: list[Json] = spec.get("metrics") or [default_metric()]
    least = spec.get("minReplicas")
    behavior = spec.get("behavior")
    return ScalingSpec(
        min_replicas=1 if least is None else least,
        max_replicas=spec["maxReplicas"],
        metrics=tuple(read_target(metric) for metric in metrics),
        behavior=None if behavior is None else read_behavior(behavior, flags),
        tolerance=tolerance_of(behavior, flags.tolerance),
        from_outside=scales_to_zero(metrics),
    )


def read_behavior(behavior: Json, flags: ControllerFlags = DEFAULT_FLAGS) -> Behavior:
    """``spec.behavior``, which may be empty; an unset window down is the controller's (…StabilizationWindow)."""
    window = {"stabilizationWindowSeconds": int(flags.downscale_stabilization)}
    return Behavior(
        up=_direction(behavior.get("scaleUp"), _DEFAULT_UP),
        down=_direction(behavior.get("scaleDown"), {**window, **_DEFAULT_DOWN}),
    )


def read_target(metric: Json) -> MetricTarget:
    """One entry of ``spec.metrics``. Raises InvalidQuantityError."""
    source = source_of(metric)
    target, identifier = source.get("target") or {}, source.get("metric") or {}
    return MetricTarget(
        type=metric["type"],
        name=source.get("name") or identifier.get("name") or "",
        container=source.get("container") or "",
        target_type=target.get("type") or "",
        utilization=target.get("averageUtilization"),
        average_value=_milli(target.get("averageValue")),
        value=_milli(target.get("value")),
        selector=identifier.get("selector"),
        described_object=source.get("describedObject"),
    )


def _direction(rules: Json | None, defaults: Json) -> DirectionRules:
    given = {key: value for key, value in (rules or {}).items() if value is not None}
    whole = {**defaults, **given}
    return DirectionRules(
        window=whole["stabilizationWindowSeconds"],
        policies=tuple(Policy(p["type"], p["value"], p["periodSeconds"]) for p in whole["policies"]),
        select=whole.get("selectPolicy", "Max"),
    )


def _milli(quantity: str | int | float | None) -> int | None:
    return None if quantity is None else parse_quantity(quantity).milli_value
