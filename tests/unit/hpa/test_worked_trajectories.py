"""Worked examples of the HPA's rules by number, 28 to 51: whole runs, one after the other.

Each figure is that of upstream's own controller (kubernetes pkg/controller/podautoscaler, v1.37.2) under a virtual
clock that runs it exactly every 15 s, which makes ages of exactly a window's length common.
"""

from __future__ import annotations

from typing import Any

import pytest

from mlscale.hpa.flags import ControllerFlags
from mlscale.hpa.memory import Memory
from mlscale.hpa.metric_results import Reading, Workload
from mlscale.hpa.reconcile import Seen, decide
from mlscale.hpa.scaling_spec import read_scaling_spec
from tests.unit.hpa.worked import NOW, SCALED_TO_ZERO, Hpa, Member, down, measured, up


@pytest.mark.parametrize(
    ("number", "hpa", "series", "ticks", "changes"),
    [
        (28, Hpa(3, most=10), [-1], 0, ["3 -> 6 @0"]),
        (30, Hpa(20), [21], 2, []),
        (30, Hpa(20, behavior=up(tolerance="0.01")), [21], 2, ["20 -> 21 @0"]),
        (31, Hpa(12, most=10), [10], 2, ["12 -> 10 @0"]),
        (32, Hpa(1, least=3), [50], 1, ["1 -> 3 @0", "3 -> 6 @15"]),
        (33, Hpa(0), [5], 2, []),
        (34, Hpa(0, least=0, conditions=(SCALED_TO_ZERO,)), [0, 7], 3, ["0 -> 4 @15", "4 -> 7 @30"]),
        (35, Hpa(0, least=6, conditions=(SCALED_TO_ZERO,)), [7], 0, ["0 -> 6 @0"]),
        (35, Hpa(0, least=6, behavior={}, conditions=(SCALED_TO_ZERO,)), [7], 0, ["0 -> 6 @0"]),
        (35, Hpa(0, least=2, conditions=(SCALED_TO_ZERO,)), [None], 2, []),
        (36, Hpa(3, least=0), [0], 22, ["3 -> 0 @315"]),
        (37, Hpa(8, metrics=2), [(None, 4)], 22, []),
        (37, Hpa(8, metrics=2), [(None, 8)], 2, []),
        (37, Hpa(8, metrics=2), [(None, 12)], 2, ["8 -> 12 @0"]),
        (37, Hpa(5, metrics=2), [(4, 9)], 2, ["5 -> 9 @0"]),
        (39, Hpa(8), [4], 22, ["8 -> 4 @315"]),
        (39, Hpa(8, behavior={}), [4], 22, ["8 -> 4 @300"]),
        (40, Hpa(5), [20, 10, 10, 10], 4, ["5 -> 10 @0", "10 -> 20 @15"]),  # the second one on an old wish
        (40, Hpa(5, behavior={}), [20, 10, 10, 10], 4, ["5 -> 10 @0"]),
        (42, Hpa(1), [50], 5, ["1 -> 4 @0", "4 -> 8 @15", "8 -> 16 @30", "16 -> 32 @45", "32 -> 50 @60"]),
        (
            42,
            Hpa(1, behavior={}),
            [50],
            5,
            ["1 -> 5 @0", "5 -> 10 @15", "10 -> 20 @30", "20 -> 40 @45", "40 -> 50 @60"],
        ),
        (42, Hpa(5, most=10), [50], 2, ["5 -> 10 @0"]),
        (43, Hpa(4, behavior=up(("Pods", 2, 60))), [50], 8, ["4 -> 6 @0", "6 -> 8 @60", "8 -> 10 @120"]),
        (44, Hpa(100, most=900, behavior=up(("Percent", 10, 60))), [800], 4, ["100 -> 111 @0", "111 -> 123 @60"]),
        (
            45,
            Hpa(10, behavior=down(("Percent", 10, 60), window=0)),
            [1],
            8,
            ["10 -> 9 @0", "9 -> 8 @60", "8 -> 7 @120"],
        ),
        (45, Hpa(10, least=0, behavior=down(("Percent", 90, 15), window=0)), [0], 0, ["10 -> 0 @0"]),  # 0.9999999999
        (46, Hpa(10, behavior=down(selectPolicy="Disabled", window=0)), [2], 22, []),
        (47, Hpa(4, behavior=up(window=60)), [4, 8, 7, 9, 9, 9, 9], 6, ["4 -> 7 @60", "7 -> 9 @90"]),
        (
            48,
            Hpa(
                10,
                behavior=up(("Pods", 3, 60), ("Percent", 50, 60), window=0, selectPolicy="Min")
                | down(("Pods", 3, 60), ("Percent", 50, 60), window=0, selectPolicy="Min"),
            ),
            [1, 50, 50, 50, 1],
            4,
            ["10 -> 7 @0", "7 -> 13 @15", "13 -> 4 @60"],
        ),
        (
            48,
            Hpa(10, behavior=up(("Pods", 2, 60)) | down(("Pods", 100, 15), window=0)),
            [4, 50],
            1,
            ["10 -> 4 @0", "4 -> 12 @15"],
        ),
        (
            49,
            Hpa(20, behavior=up(("Pods", 2, 300)) | down(("Pods", 100, 15), window=0)),
            [15, 15, 10, 50],
            3,
            ["20 -> 15 @0", "15 -> 10 @30", "10 -> 17 @45"],  # 22, were the first event not overwritten
        ),
        (50, Hpa(1, least=4, behavior=up(("Pods", 2, 60))), [50], 4, ["1 -> 4 @0", "4 -> 6 @60"]),
    ],
)
def test_trajectories(number: int, hpa: Hpa, series: list[Any], ticks: int, changes: list[str]) -> None:
    assert hpa.follow(*series, ticks=ticks).changes == changes, number


@pytest.mark.parametrize(
    ("number", "hpa", "series", "ticks", "conditions"),
    [
        (
            28,
            Hpa(3, most=10),
            [-1],
            0,
            ["True SucceededRescale", "True ValidMetricFound", "True ScaleUpLimit", "False NotScaledToZero"],
        ),
        (31, Hpa(12, most=10), [10], 0, ["True SucceededRescale", "", "", "False NotScaledToZero"]),
        (33, Hpa(0), [5], 0, ["True SucceededGetScale", "False ScalingDisabled", "", ""]),
        (
            34,
            Hpa(0, least=0, conditions=(SCALED_TO_ZERO,)),
            [7],
            1,
            ["True SucceededRescale", "True ValidMetricFound", "False DesiredWithinRange", "False NotScaledToZero"],
        ),
        (
            35,
            Hpa(0, least=2, conditions=(SCALED_TO_ZERO,)),
            [None],
            0,
            ["True SucceededGetScale", "False FailedGetExternalMetric", "", "True ScaledToZero"],
        ),
        (
            36,
            Hpa(3, least=0),
            [0],
            21,
            ["True SucceededRescale", "True ValidMetricFound", "False DesiredWithinRange", "True ScaledToZero"],
        ),
        (37, Hpa(8, metrics=2), [(None, 4)], 0, ["True SucceededGetScale", "False FailedGetExternalMetric", "", ""]),
        (
            37,
            Hpa(8, metrics=2),
            [(None, 8)],
            0,
            ["True ReadyForNewScale", "True ValidMetricFound", "False DesiredWithinRange", ""],
        ),
        (
            39,
            Hpa(8),
            [4],
            1,
            ["True ScaleDownStabilized", "True ValidMetricFound", "False DesiredWithinRange", ""],
        ),
        (
            42,
            Hpa(5, most=10),
            [50],
            0,
            ["True SucceededRescale", "True ValidMetricFound", "True TooManyReplicas", "False NotScaledToZero"],
        ),
        (
            46,
            Hpa(10, behavior=down(selectPolicy="Disabled", window=0)),
            [2],
            0,
            ["True ReadyForNewScale", "True ValidMetricFound", "True ScaleDownLimit", ""],
        ),
        (
            47,
            Hpa(4, behavior=up(window=60)),
            [4, 8],
            1,
            ["True ScaleUpStabilized", "True ValidMetricFound", "False DesiredWithinRange", ""],
        ),
    ],
)
def test_conditions(number: int, hpa: Hpa, series: list[Any], ticks: int, conditions: list[str]) -> None:
    """AbleToScale, ScalingActive, ScalingLimited and ScaledToZero at the end."""
    followed = hpa.follow(*series, ticks=ticks)
    types = ("AbleToScale", "ScalingActive", "ScalingLimited", "ScaledToZero")
    assert [followed.reason(name) for name in types] == conditions, number


def test_38_runs_without_metrics_record_nothing() -> None:
    short = Hpa(8, flags=ControllerFlags(downscale_stabilization=60.0))
    followed = short.follow(4, None, None, None, 4, 4)
    assert followed.changes == ["8 -> 4 @75"]  # the seed, 8 at 0 s, still holds at 60 s
    assert [len(one.memory.recommendations) for one in followed.decisions[:4]] == [2, 2, 2, 2]


def test_39_the_edge_of_the_window_can_be_left_out() -> None:
    assert Hpa(8, flags=ControllerFlags(keeps_edge=False)).follow(4, ticks=22).changes == ["8 -> 4 @300"]


def test_40_an_old_recommendation_scales_up_for_no_reason_of_its_own() -> None:
    second = Hpa(5).follow(20, 10).decisions[1]
    assert second.events[-1].message == "New size: 20; reason: "


def test_41_a_hand_is_overruled_by_an_old_recommendation() -> None:
    series, by_hand = [10, 10, 5], {2: 5}
    assert Hpa(10).follow(*series, ticks=6, by_hand=by_hand).changes == ["5 -> 10 @30"]
    assert Hpa(10, behavior={}).follow(*series, ticks=6, by_hand=by_hand).changes == []


def test_51_an_hpa_without_metrics_scales_on_cpu() -> None:
    spec = read_scaling_spec({"maxReplicas": 10})
    pods = measured([Member(1000)] * 4)
    seen = Seen(Workload("default", 4, 4, tuple(pods.pods)), [Reading(pods.samples, pods.requests)])
    decision = decide(spec, seen, (), Memory(), NOW)
    assert spec.min_replicas == 1
    assert spec.behavior is None
    assert (decision.desired, decision.reason) == (5, "cpu resource utilization (percentage of request) above target")
