"""What holds of every run of the HPA's rules, whatever the metrics say."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mlscale.hpa.calculator import UncomputableError, average_replicas, utilization_replicas
from mlscale.hpa.flags import ControllerFlags
from mlscale.hpa.limits import limited_by, scale_down_limit, scale_up_limit
from mlscale.hpa.memory import Memory, Recommendation, ScaleEvent
from mlscale.hpa.metric_results import Reading, Workload
from mlscale.hpa.reconcile import Seen, decide
from mlscale.hpa.scaling_spec import Behavior, DirectionRules, Policy, read_scaling_spec
from mlscale.hpa.stabilization import stabilized, stabilized_by
from mlscale.hpa.tolerance import Tolerance
from tests.unit.hpa.worked import DEFAULT, FLAGS, MISSING, NOW, PENDING, Hpa, Member, external, measured

counts = st.integers(0, 200)
policies = st.builds(Policy, st.sampled_from(["Pods", "Percent"]), st.integers(1, 150), st.integers(1, 300))
directions = st.builds(
    DirectionRules,
    st.integers(0, 600),
    st.lists(policies, min_size=1, max_size=3).map(tuple),
    st.sampled_from(["Max", "Min", "Disabled"]),
)
behaviors = st.builds(Behavior, directions, directions)
ages = st.integers(0, 900).map(lambda age: NOW - age)
memories = st.builds(
    Memory,
    st.lists(st.builds(Recommendation, counts, ages), max_size=6).map(tuple),
    st.lists(st.builds(ScaleEvent, st.integers(1, 50), ages), max_size=4).map(tuple),
    st.lists(st.builds(ScaleEvent, st.integers(1, 50), ages), max_size=4).map(tuple),
)
members = st.lists(
    st.builds(Member, st.integers(0, 3000)) | st.sampled_from([MISSING, PENDING]), min_size=1, max_size=12
)


def _rules(direction: DirectionRules) -> dict[str, Any]:
    listed = [{"type": p.type, "value": p.value, "periodSeconds": p.period} for p in direction.policies]
    return {
        "stabilizationWindowSeconds": direction.window,
        "policies": listed,
        "selectPolicy": direction.select,
    }


behavior_json = behaviors.map(lambda one: {"scaleUp": _rules(one.up), "scaleDown": _rules(one.down)})
hpas = st.builds(
    lambda least, span, current, behavior: Hpa(current, least + span, least, behavior),
    st.integers(1, 20),
    st.integers(0, 100),
    st.integers(1, 130),
    st.none() | behavior_json,
)


@given(hpas, st.lists(st.none() | st.integers(-5, 200), min_size=1, max_size=30))
def test_a_change_never_ends_outside_of_min_and_max(hpa: Hpa, series: list[int | None]) -> None:
    for decision in hpa.follow(*series).decisions:
        if decision.rescale:
            assert decision.desired is not None
            assert (hpa.least or 0) <= decision.desired <= hpa.most


@given(hpas, st.integers(1, 200), st.integers(1, 40))
def test_use_that_equals_the_target_changes_nothing(hpa: Hpa, replicas: int, ticks: int) -> None:
    inside = replace(hpa, replicas=min(max(replicas, hpa.least or 0), hpa.most))
    assert inside.follow(inside.replicas, ticks=ticks).changes == []


@given(st.integers(1, 50), st.integers(1, 200), st.floats(0.905, 1.095), st.integers(1, 12))
def test_within_tolerance_every_count_stays(current: int, target: int, share: float, pods: int) -> None:
    use = int(target * 10 * share)
    if 0.9 <= (use // 10) / target <= 1.1:
        found = utilization_replicas(current, target, measured([Member(use)] * pods), DEFAULT, FLAGS)
        assert found.replicas == current


@given(members, st.integers(0, 50), st.integers(1, 200), st.floats(0, 1), st.floats(0, 1))
def test_pods_without_a_metric_never_turn_the_direction(
    pods: list[Member], current: int, target: int, lower: float, upper: float
) -> None:
    """With missing or unready pods, a use above the target never scales down, one below never up."""
    facts, tolerance = measured(pods), Tolerance(lower, upper)
    known = [pod for pod in pods if pod.use is not None]
    try:
        found = utilization_replicas(current, target, facts, tolerance, FLAGS)
    except UncomputableError:
        assert not known
        return
    percent = sum(pod.use or 0 for pod in known) * 100 // (1000 * len(known))
    if MISSING in pods:
        if percent > target:
            assert found.replicas >= current
        if percent < target:
            assert found.replicas <= current


@given(members, st.integers(0, 50), st.integers(1, 3000))
def test_the_order_of_pods_does_not_matter(pods: list[Member], current: int, target: int) -> None:
    def outcome(facts: list[Member]) -> int | str:
        try:
            return average_replicas(current, target, measured(facts, "cpu"), DEFAULT, FLAGS).replicas
        except UncomputableError as error:
            return str(error)

    assert outcome(pods) == outcome(pods[::-1])


@given(behaviors, memories, counts, counts, st.integers(0, 50), st.integers(0, 150))
def test_limits_never_move_against_or_beyond_what_was_asked(
    behavior: Behavior, memory: Memory, desired: int, current: int, least: int, span: int
) -> None:
    most = least + span
    current = min(max(current, least), most)
    bounded = limited_by(behavior, desired, current, least, most, memory, NOW).replicas
    assert min(desired, current) <= bounded <= max(desired, current)
    assert bounded == desired or bounded in (
        most,
        least,
        current,
        scale_up_limit(behavior.up, current, memory, NOW),
        scale_down_limit(behavior.down, current, memory, NOW),
    )


@given(behaviors, memories, counts, counts)
def test_a_disabled_direction_never_moves(behavior: Behavior, memory: Memory, desired: int, current: int) -> None:
    up_off = replace(behavior, up=replace(behavior.up, select="Disabled"))
    down_off = replace(behavior, down=replace(behavior.down, select="Disabled"))
    assert limited_by(up_off, desired, current, 0, 1000, memory, NOW).replicas <= current
    assert limited_by(down_off, desired, current, 0, 1000, memory, NOW).replicas >= current


@given(behaviors, memories, counts, counts)
def test_stabilization_never_moves_against_or_beyond_the_wish(
    behavior: Behavior, memory: Memory, raw: int, current: int
) -> None:
    stable, after = stabilized_by(behavior, raw, current, memory, NOW)
    assert min(raw, current) <= stable <= max(raw, current)
    assert Recommendation(raw, NOW) in after.recommendations


@given(memories, counts, st.booleans())
def test_without_behavior_the_highest_of_the_window_holds(memory: Memory, raw: int, keeps_edge: bool) -> None:
    flags = ControllerFlags(keeps_edge=keeps_edge)
    stable, after = stabilized(raw, memory, NOW, flags)
    inside = [one.replicas for one in memory.recommendations if one.at > NOW - 300]
    edge = [one.replicas for one in memory.recommendations if one.at == NOW - 300]
    assert stable == max([raw, *inside, *(edge if keeps_edge else [])])
    assert len(after.recommendations) <= len(memory.recommendations) + 1


@given(st.integers(1, 100), st.lists(st.none() | st.integers(0, 100), min_size=1, max_size=5))
def test_a_metric_that_fails_never_lets_the_count_fall(current: int, values: list[int | None]) -> None:
    spec = read_scaling_spec({"maxReplicas": 100, "metrics": [external()] * len(values)})
    readings = [Reading(unread="gone") if value is None else Reading(series=(value * 1000,)) for value in values]
    decision = decide(spec, Seen(Workload("default", current, current), readings), (), Memory(), NOW)
    if None in values:
        assert decision.desired is None or decision.desired >= current
    # One that works and asks for more is followed, in every case.
    if any(value is not None and value > current * 1.2 for value in values):
        assert (decision.desired or 0) > current
