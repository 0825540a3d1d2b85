"""Which pods are looked at more closely."""

from __future__ import annotations

import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlscale.kube.kinds import POD
from mlscale.status.model import KindTable
from mlscale.status.troubled import LOOKED_AT, TroubledPods
from tests.unit.status.objects import pod

Json = dict[str, Any]
COLUMNS = [{"name": name} for name in ("Name", "Ready", "Status", "Restarts", "Age")]


def rows(*cells: list[Any], objects: bool = False) -> KindTable:
    listed = [{"cells": row, "object": pod(row[0]) if objects else None} for row in cells]
    return KindTable("pods", POD, {"columnDefinitions": COLUMNS, "rows": listed})


def noted(*tables: KindTable, limit: int | None = LOOKED_AT) -> TroubledPods:
    troubled = TroubledPods(limit)
    for table in tables:
        troubled.note(table)
    return troubled


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
    assert (("", "a") in noted(rows(cells)).chosen()) == troubled


def test_a_table_of_another_shape_is_not_misread() -> None:
    assert noted(KindTable("pods", POD, {})).chosen() == []


def test_a_rare_trouble_is_looked_at_beside_a_common_one() -> None:
    """The first 20 of 500 pending pods would leave the one that crashes unexplained."""
    pending = rows(*[[f"p{number}", "0/1", "Pending", "0", "5m"] for number in range(500)])
    chosen = noted(pending, rows(["crash", "0/1", "CrashLoopBackOff", "9 (1s ago)", "5m"])).chosen()
    assert len(chosen) == LOOKED_AT
    assert ("", "crash") in chosen


@given(st.dictionaries(st.text(max_size=5), st.sampled_from("abcd"), max_size=60), st.integers(1, 60))
def test_no_pod_is_chosen_twice_and_none_is_left_while_there_is_room(pods: dict[str, str], size: int) -> None:
    """In however many pieces the table comes."""
    cells = [[name, "0/1", status, "0", "5m"] for name, status in pods.items()]
    troubled = noted(*[rows(*cells[start : start + size]) for start in range(0, len(cells), size)])
    chosen = troubled.chosen()
    assert len(chosen) == len(set(chosen)) == min(LOOKED_AT, len(pods))
    assert {name for _, name in chosen} <= set(pods)
    assert {pods[name] for _, name in chosen} == set(pods.values())
    assert troubled.unread({key: {} for key in chosen}).total() == len(pods) - len(chosen)


def test_the_pods_that_were_not_looked_at_are_counted_by_status() -> None:
    table = rows(*[[name, "0/1", status, "0", "1m"] for name, status in zip("abcd", ["P", "P", "E", "P"], strict=True)])
    assert noted(table).unread({("", "a"): {}}) == {"P": 2, "E": 1}
    assert not noted(table).unread({("", name): {} for name in "abcd"})


def test_without_a_limit_all_are_looked_at_in_the_order_of_the_table() -> None:
    """`-o json` brings the objects along: nothing is to be read, so nothing need be left out."""
    states = ["Pending", "Error"] * 20
    table = rows(*[[f"p{n}", "0/1", state, "0", "1m"] for n, state in enumerate(states)], objects=True)
    troubled = noted(table, limit=None)
    assert troubled.chosen() == [("ml", f"p{n}") for n in range(40)]
    assert troubled.objects["ml", "p7"]["metadata"]["name"] == "p7"


def test_twenty_thousand_pods_in_trouble_are_not_held() -> None:
    pieces = (rows(*[[f"p{n}-{m}", "0/1", "Pending", "0", "1m"] for m in range(500)]) for n in range(40))
    troubled = TroubledPods()
    tracemalloc.start()
    for piece in pieces:
        troubled.note(piece)
    del piece
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert troubled.counts == {"Pending": 20_000}
    assert kept < 50_000
