"""Which pods are looked at, and what is said about them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlscale.kube.finding import Finding
from mlscale.kube.kinds import POD
from mlscale.status.model import KindTable
from mlscale.status.pod_findings import LOOKED_AT, choose_pods, explain_pods, explain_unread, troubled_rows
from tests.unit.status.objects import NOW, condition, pod, unschedulable

Json = dict[str, Any]
COLUMNS = [{"name": name} for name in ("Name", "Ready", "Status", "Restarts", "Age")]


def rows(*cells: list[Any]) -> KindTable:
    return KindTable("pods", POD, {"columnDefinitions": COLUMNS, "rows": [{"cells": row} for row in cells]})


ROWS = [
    (["a", "1/1", "Running", "0", "5m"], False),
    (["a", "0/1", "Completed", "0", "5m"], False),
    (["a", "0/1", "Running", "0", "5m"], True),
    (["a", "1/2", "Running", "0", "5m"], True),
    (["a", "0/1", "Pending", "0", "5m"], True),
    (["a", "0/1", "Init:CrashLoopBackOff", "4 (10s ago)", "5m"], True),
    (["a", "1/1", "Terminating", "0", "5m"], True),
    (["a", "1/1", "Running", "3 (5m2s ago)", "5d"], True),
    (["a", "1/1", "Running", "3 (47h ago)", "5d"], True),
    (["a", "1/1", "Running", "3 (2d1h ago)", "5d"], False),
    (["a", "1/1", "Running", "1", "5d"], True),
]


@pytest.mark.parametrize(("cells", "troubled"), ROWS, ids=[" ".join(cells) for cells, _ in ROWS])
def test_a_row_tells_whether_the_pod_is_worth_a_look(cells: list[str], troubled: bool) -> None:
    """Reading all objects instead would be 17 MB for 5,000 pods; their rows are 0.65 MB."""
    assert (("", "a") in troubled_rows(rows(cells))) == troubled


def test_a_table_of_another_shape_is_not_misread() -> None:
    assert troubled_rows(KindTable("pods", POD, {})) == {}


def test_a_rare_trouble_is_looked_at_beside_a_common_one() -> None:
    """The first 20 of 500 pending pods would leave the one that crashes unexplained."""
    troubled = {("", f"p{number}"): "Pending" for number in range(500)} | {("", "crash"): "CrashLoopBackOff"}
    chosen = choose_pods(troubled)
    assert len(chosen) == LOOKED_AT
    assert ("", "crash") in chosen


@given(st.dictionaries(st.tuples(st.just(""), st.text(max_size=5)), st.sampled_from("abcd"), max_size=60))
def test_no_pod_is_chosen_twice_and_none_is_left_while_there_is_room(troubled: dict[tuple[str, str], str]) -> None:
    chosen = choose_pods(troubled)
    assert len(chosen) == len(set(chosen)) == min(LOOKED_AT, len(troubled))
    assert set(chosen) <= set(troubled)
    assert {troubled[key] for key in chosen} == set(troubled.values())


NO_GPU = "0/7 nodes are available: 7 Insufficient nvidia.com/gpu."


def test_pods_with_the_same_trouble_are_one_finding() -> None:
    pods = [pod("web-1", **unschedulable(NO_GPU)), pod("web-2", **unschedulable(NO_GPU)), pod("web-3", phase="Running")]
    assert explain_pods(pods, NOW) == [
        Finding(
            "warning",
            "Unschedulable",
            "2 pods Unschedulable: nvidia.com/gpu is short (0/7 nodes are available: 7 Insufficient nvidia.com/gpu): "
            "web-1, web-2",
            "pod/web-1",
        )
    ]


def test_what_someone_set_up_is_a_note() -> None:
    gated = pod(phase="Pending", conditions=[condition("PodScheduled", "False", "SchedulingGated")])
    assert [f.level for f in explain_pods([gated], NOW)] == ["note"]


def test_all_namespaces_put_the_namespace_before_the_name() -> None:
    [found] = explain_pods([pod("web-1", **unschedulable(NO_GPU))], NOW, where=True)
    assert found.message.startswith("pod ml/web-1 Unschedulable")


def test_pods_that_were_not_looked_at_are_counted() -> None:
    troubled = {("", "a"): "Pending", ("", "b"): "Pending", ("", "c"): "Error", ("", "d"): "Pending"}
    assert [f.message for f in explain_unread(troubled, [("", "a")])] == [
        "3 more pods are not well and were not looked at one by one: 2 Pending, 1 Error"
    ]
    assert explain_unread(troubled, troubled) == []
