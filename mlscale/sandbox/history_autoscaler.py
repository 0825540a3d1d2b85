"""What the HPA of a workload would have wanted at each run, when all of its pods are alike.

The arithmetic is that of kubernetes pkg/controller/podautoscaler/replica_calculator.go, v1.37.2, for one target of CPU
utilization; stabilization, limits and memory are mlscale's own of the HPA.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from mlscale.hpa.flags import ControllerFlags
from mlscale.hpa.limits import limited, limited_by
from mlscale.hpa.memory import Memory, seeded, with_scale_event
from mlscale.hpa.requests import RequestNeed, request_of
from mlscale.hpa.scaling_spec import read_scaling_spec
from mlscale.hpa.stabilization import stabilized, stabilized_by

if TYPE_CHECKING:
    from typing import Any

    from mlscale.hpa.scaling_spec import Behavior, ScalingSpec

    Json = dict[str, Any]

FLAGS = ControllerFlags(keeps_edge=False)


class PastAutoscaler:
    """One HPA through its past; it is to be asked at each of its runs."""

    def __init__(self, spec: ScalingSpec, target: int, request: int) -> None:
        """``target`` is in per cent of ``request``, which is in millicores a pod."""
        self._spec = spec
        self._target = target
        self._request = request
        self._memory = Memory()
        self._remembers = _longest_memory(spec.behavior)
        self._unlike = -math.inf
        """When its metric last asked for another count than there was."""

    def desired(self, now: float, current: int, counted: int, used: int) -> int:
        """The replicas that it wants at ``now`` (seconds) when there are ``current``.

        ``counted`` of them are Ready and measured, at ``used`` millicores each.
        """
        least, most = self._spec.min_replicas, self._spec.max_replicas
        if not least <= current <= most:
            self._unlike = now
            self._memory = seeded(self._memory, current, now)
            return self._changed(current, most if current > most else least, now)
        raw = self._proposed(current, counted, used)
        if raw != current:
            self._unlike = now
        elif now - self._unlike > self._remembers:
            # All that it remembers is the present count, so nothing can come of it; the newest stays longest.
            self._memory = seeded(Memory(), current, now)
            return current
        return self._normalized(raw, current, now)

    def _proposed(self, current: int, counted: int, used: int) -> int:
        """As GetResourceReplicas with each pod that is not counted unready: idle when scaling up, left out else."""
        if not counted:
            return current
        tolerance, asked = self._spec.tolerance, self._request
        ratio = 100 * used // asked / self._target
        if ratio > 1:
            over_all = 100 * used * counted // (current * asked) / self._target
            return math.ceil(over_all * current) if over_all > 1 + tolerance.up else current
        return math.ceil(ratio * counted) if ratio < 1 - tolerance.down else current

    def _normalized(self, raw: int, current: int, now: float) -> int:
        spec, memory = self._spec, seeded(self._memory, current, now)
        least, most = spec.min_replicas, spec.max_replicas
        if spec.behavior is None:
            stable, memory = stabilized(raw, memory, now, FLAGS)
            desired = limited(stable, current, least, most).replicas
        else:
            stable, memory = stabilized_by(spec.behavior, raw, current, memory, now)
            desired = limited_by(spec.behavior, stable, current, least, most, memory, now).replicas
        self._memory = memory
        return self._changed(current, desired, now)

    def _changed(self, current: int, desired: int, now: float) -> int:
        if desired != current:
            self._memory = with_scale_event(self._memory, self._spec.behavior, current, desired, now)
        return desired


def autoscaler_of(hpa: Json | None, pod_spec: Json) -> PastAutoscaler | None:
    """The HPA over pods of ``pod_spec``; None where there is none, or none whose wishes follow from CPU use alone."""
    if hpa is None:
        return None
    spec = read_scaling_spec(hpa["spec"], FLAGS)
    metric = spec.metrics[0]
    if len(spec.metrics) != 1 or metric.utilization is None or metric.name != "cpu":
        return None
    request = request_of(pod_spec, RequestNeed("cpu", metric.container))
    return PastAutoscaler(spec, metric.utilization, request) if isinstance(request, int) and request else None


def _longest_memory(behavior: Behavior | None) -> float:
    """Seconds after which it has forgotten everything."""
    if behavior is None:
        return FLAGS.downscale_stabilization
    return max(max(rules.window, rules.longest_period) for rules in (behavior.up, behavior.down))
