"""The HPA of the past obeys the whole of the controller's rules, though it skips runs in which nothing can happen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlscale.hpa.memory import Memory
from mlscale.hpa.metric_results import Reading, Workload
from mlscale.hpa.pod_groups import PodFacts, Sample
from mlscale.hpa.reconcile import Seen, decide, rescaled
from mlscale.sandbox.history_autoscaler import FLAGS, PastAutoscaler, autoscaler_of
from tests.unit.hpa.replayed import LONG_AGO, hpa_spec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlscale.hpa.conditions import Condition
    from mlscale.hpa.scaling_spec import ScalingSpec

Json = dict[str, Any]
REQUEST = 500
BEHAVIOR: Json = {
    "scaleUp": {"stabilizationWindowSeconds": 45, "policies": [{"type": "Pods", "value": 1, "periodSeconds": 60}]},
    "scaleDown": {"stabilizationWindowSeconds": 0, "policies": [{"type": "Percent", "value": 50, "periodSeconds": 30}]},
}
POD_SPEC: Json = {"containers": [{"name": "model", "resources": {"requests": {"cpu": "500m"}}}]}


def whole_way(spec: ScalingSpec, uses: Sequence[int], first: int) -> list[int]:
    """The replicas after each run, when every pod is Ready and measured."""
    memory, replicas = Memory(), [first]
    conditions: tuple[Condition, ...] = ()
    for run, use in enumerate(uses):
        decision = _decision(spec, replicas[-1], use, conditions, memory, run * 15.0)
        memory, conditions = decision.memory, decision.conditions
        replicas.append(replicas[-1] if decision.desired is None else decision.desired)
    return replicas[1:]


def _decision(
    spec: ScalingSpec, current: int, use: int, conditions: tuple[Condition, ...], memory: Memory, now: float
) -> Any:
    names = [str(number) for number in range(current)]
    samples = dict.fromkeys(names, Sample(use, now, 15.0))
    pods = tuple(PodFacts(name, ready="True", ready_since=LONG_AGO, started=LONG_AGO) for name in names)
    reading = Reading(samples=samples, requests=dict.fromkeys(names, REQUEST))
    seen = Seen(Workload("default", current, current, pods), (reading,))
    decision = decide(spec, seen, conditions, memory, now, FLAGS)
    return rescaled(decision, spec, now) if decision.rescale else decision


def past_way(spec: ScalingSpec, target: int, uses: Sequence[int], first: int) -> list[int]:
    autoscaler, replicas = PastAutoscaler(spec, target, REQUEST), [first]
    for run, use in enumerate(uses):
        replicas.append(autoscaler.desired(run * 15.0, replicas[-1], replicas[-1], use))
    return replicas[1:]


# Stretches of the same use, so that there are quiet times longer than what the controller remembers.
STRETCHES = st.lists(st.tuples(st.integers(0, 900), st.integers(1, 40)), min_size=1, max_size=8)


@settings(deadline=None)
@given(STRETCHES, st.integers(1, 12), st.sampled_from([None, BEHAVIOR]), st.integers(20, 90))
def test_it_comes_to_what_the_controller_comes_to(
    stretches: list[tuple[int, int]], first: int, behavior: Json | None, target: int
) -> None:
    spec = hpa_spec(2, 9, target, behavior)
    uses = [use for use, runs in stretches for _ in range(runs)]
    assert past_way(spec, target, uses, first) == whole_way(spec, uses, first)


@pytest.mark.parametrize(
    ("counted", "expected"),
    [
        # 300 of 500 m is 60 % of a target of 50: a ratio of 1.2, for all four of them.
        (4, 5),
        # Three of four pods: 45 % over all, which reverses the direction, so nothing happens.
        (3, 4),
        (0, 4),
    ],
)
def test_pods_that_are_not_ready_count_as_idle_when_scaling_up(counted: int, expected: int) -> None:
    assert PastAutoscaler(hpa_spec(1, 9, 50), 50, REQUEST).desired(0.0, 4, counted, 300) == expected


def test_an_hpa_whose_wishes_do_not_follow_from_cpu_use_has_no_past() -> None:
    target = {"type": "Utilization", "averageUtilization": 50}
    by_memory: Json = {"type": "Resource", "resource": {"name": "memory", "target": target}}
    on_cpu: Json = {"spec": {"maxReplicas": 5, "scaleTargetRef": {}}}
    assert autoscaler_of(None, POD_SPEC) is None
    assert autoscaler_of({"spec": {"maxReplicas": 5, "metrics": [by_memory]}}, POD_SPEC) is None
    assert autoscaler_of(on_cpu, {"containers": [{"name": "model"}]}) is None
    assert autoscaler_of(on_cpu, POD_SPEC) is not None
