"""Worked examples of the HPA's rules by number, 1 to 29: what one metric asks for at one moment.

Each figure is that of upstream's own ReplicaCalculator (kubernetes pkg/controller/podautoscaler, v1.37.2) on the
same facts. The examples of whole runs, 28 to 51, are in test_worked_trajectories.
"""

from __future__ import annotations

from typing import Any

import pytest

from mlscale.hpa.calculator import (
    Proposal,
    UncomputableError,
    external_average_replicas,
    external_value,
    object_average_replicas,
)
from mlscale.hpa.integers import INT32_MAX, INT32_MIN, INT64_MAX
from mlscale.hpa.requests import RequestNeed, request_of
from mlscale.hpa.tolerance import Tolerance
from tests.unit.hpa.worked import (
    DEFAULT,
    MINUTE_AGO,
    MISSING,
    NEVER_READY,
    NOW,
    PENDING,
    Member,
    by_average,
    by_utilization,
    by_value,
)

Json = dict[str, Any]
BROKEN = Member(900, ready="False", ready_since=NOW - 600)
STARTING = Member(900, ready="False", ready_since=MINUTE_AGO, started=MINUTE_AGO)
YOUNG = Member(900, started=NOW - 120, sampled=NOW - 20)
NONE_FIT = "did not receive metrics for targeted pods"


@pytest.mark.parametrize(
    ("number", "current", "target", "pods", "replicas"),
    [
        (1, 4, 60, [Member(900)] * 4, 6),
        (2, 4, 50, [Member(550)] * 4, 4),  # the upper bound belongs to the tolerance
        (2, 4, 50, [Member(450)] * 4, 4),  # and so does the lower one
        (3, 4, 50, [Member(559)] * 4, 4),  # cut to 55 %
        (3, 4, 50, [Member(560)] * 4, 5),
        (3, 10, 50, [Member(440)] * 10, 9),
        (4, 4, 50, [Member(9)] * 4, 0),
        (5, 10, 50, [Member(750)] * 3, 5),  # down, although above the target
        (6, 4, 80, [Member(680)] * 6, 6),  # up, although below it
        (7, 5, 50, [Member(200)] * 3 + [MISSING] * 2, 5),  # without the missing pods: 2
        (8, 4, 150, [Member(600)] * 3 + [MISSING], 3),
        (9, 5, 40, [Member(1000)] * 3 + [MISSING] * 2, 8),
        (9, 5, 40, [Member(1000)] * 3 + [PENDING] * 2, 8),
        (10, 6, 50, [Member(600)] * 3 + [MISSING] * 3, 6),  # the missing pods would turn the direction
        (10, 6, 50, [Member(500)] * 3 + [MISSING] * 3, 6),
        (11, 5, 50, [Member(200)] * 3 + [PENDING] * 2, 2),
        (12, 10, 30, [Member(1000)] * 2 + [PENDING] * 2, 10),
        (13, 5, 80, [Member(100)] * 4 + [MISSING] * 5, 5),
        (15, 3, 50, [BROKEN] * 3, 6),  # once ready, a pod counts even when it breaks
        (15, 3, 50, [Member(900, ready="Unknown", ready_since=NOW - 600)] * 3, 6),
        (16, 3, 50, [Member(900)] * 2 + [NEVER_READY], 4),
        (17, 3, 50, [Member(900)] * 2 + [Member(900, started=NOW - 120, ready_since=NOW - 40, sampled=NOW - 20)], 4),
        (17, 3, 50, [Member(900)] * 2 + [Member(900, started=NOW - 120, ready_since=NOW - 51, sampled=NOW - 20)], 6),
        (18, 3, 50, [Member(900)] * 2 + [Member(900, terminating=True)], 4),
        (18, 4, 50, [Member(900)] * 3 + [Member(900, phase="Failed")], 6),
        (19, 25, 50, [Member(560)] * 25, 29),  # 56 / 50 * 25 is 28.000000000000004 as a float
    ],
)
def test_utilization(number: int, current: int, target: int, pods: list[Member], replicas: int) -> None:
    assert by_utilization(current, target, pods) == replicas, number


def test_14_nothing_is_known_of_pods_that_only_start() -> None:
    with pytest.raises(UncomputableError, match=NONE_FIT):
        by_utilization(3, 50, [STARTING] * 3)


def test_18_one_missing_request_fails_the_metric() -> None:
    missing = request_of({"containers": [{"name": "c"}]}, RequestNeed("cpu"))
    pods = [Member(900)] * 2 + [Member(900, terminating=True, request=missing)]
    with pytest.raises(UncomputableError, match="missing request for cpu in container c of Pod pod-2"):
        by_utilization(3, 50, pods)


def _container(name: str, cpu: str = "", **more: Any) -> Json:
    return {"name": name, "resources": {"requests": {"cpu": cpu} if cpu else {}}, **more}


_INIT = _container("init", "1000m")
_SIDECAR = _container("sidecar", "200m", restartPolicy="Always")


@pytest.mark.parametrize(
    ("number", "spec", "container", "request_", "replicas"),
    [
        (20, {"containers": [_container("c")], "resources": {"requests": {"cpu": "500m"}}}, "", 500, 3),
        (
            20,
            {
                "containers": [_container("c", "200m"), _container("d")],
                "initContainers": [_INIT],
                "overhead": {"cpu": "200m"},
                "resources": {"requests": {"memory": "1Gi"}},
            },
            "",
            1200,
            1,
        ),
        (
            21,
            {
                "containers": [_container("c", "200m")],
                "initContainers": [_SIDECAR, _INIT],
                "overhead": {"cpu": "200m"},
            },
            "",
            400,
            3,
        ),
        (21, {"containers": [_container("c", "400m")], "resources": {"requests": {"cpu": "5000m"}}}, "c", 400, 3),
    ],
)
def test_requests(number: int, spec: Json, container: str, request_: int, replicas: int) -> None:
    found = request_of(spec, RequestNeed("cpu", container))
    assert found == request_, number
    assert by_utilization(2, 50, [Member(300, request=found)] * 2) == replicas, number


@pytest.mark.parametrize(
    ("number", "current", "target", "pods", "resource", "tolerance", "replicas"),
    [
        (22, 3, 600, [Member(900)] * 2 + [NEVER_READY], "memory", DEFAULT, 5),
        (22, 3, 600, [Member(900)] * 2 + [STARTING], "cpu", DEFAULT, 3),
        (23, 3, 10, [Member(12), Member(10), Member(10)], "", Tolerance(0.0, 0.0), 3),  # the mean is cut to 10
        (24, 4, 1000, [Member(100)] * 2 + [MISSING] * 2, "", DEFAULT, 3),
        (24, 4, 1000, [Member(3000)] * 2 + [MISSING] * 2, "", DEFAULT, 6),
    ],
)
def test_average(
    number: int, current: int, target: int, pods: list[Member], resource: str, tolerance: Tolerance, replicas: int
) -> None:
    assert by_average(current, target, pods, resource, tolerance) == replicas, number


@pytest.mark.parametrize(
    ("number", "current", "usage", "target", "pods", "replicas"),
    [
        (25, 5, 2000, 1000, [Member(0)] * 3, 6),
        (25, 5, 1100, 1000, [Member(0)] * 3, 5),
        (25, 5, 9000, 1000, [NEVER_READY] * 3, 0),  # no pod is Ready: 9 * 0
        (25, 0, 50, 1000, [], 1),
        (25, 5, 2000, 1000, [Member(0)] * 3 + [Member(0, terminating=True)], 8),
        (27, 4, external_value([80, 90]), 100, [Member(0)] * 4, 7),
        (27, 0, 250, 100, [], 3),
        (27, 4, -3, 1, [Member(0)] * 4, -12),
    ],
)
def test_value(number: int, current: int, usage: int, target: int, pods: list[Member], replicas: int) -> None:
    assert by_value(current, target, usage, pods) == replicas, number


def test_26_an_objects_value_by_replica() -> None:
    assert object_average_replicas(4, 1000, 6100, DEFAULT) == Proposal(7, 1525)
    assert object_average_replicas(4, 1000, 4400, DEFAULT) == Proposal(4, 1100)
    assert object_average_replicas(4, 1, INT64_MAX, DEFAULT).replicas == INT32_MIN


def test_28_an_external_value_by_replica() -> None:
    assert external_average_replicas(3, 10, [41], DEFAULT) == Proposal(5, 14)
    assert external_average_replicas(3, 10, [33], DEFAULT) == Proposal(3, 11)
    assert external_average_replicas(3, 10_000, [-1], DEFAULT).replicas == INT32_MAX


def test_29_each_side_has_its_own_tolerance() -> None:
    wide_down = Tolerance(down=0.5, up=0.0)
    assert by_utilization(4, 50, [Member(510)] * 4, wide_down) == 5
    assert by_utilization(4, 50, [Member(250)] * 4, wide_down) == 4
