"""Tables as kubectl prints them; the expected lines were printed by kubectl v1.37.2 unless a test says otherwise."""

from __future__ import annotations

import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlscale.output.tables import (
    TablePrinter,
    cell_text,
    no_resources_message,
    render_names,
    render_tables,
    render_watch,
)

Json = dict[str, Any]


def column(name: str, *, priority: int = 0, kind: str = "string") -> Json:
    return {
        "name": name,
        "type": kind,
        "format": "name" if name == "Name" else "",
        "priority": priority,
    }


def table(columns: list[str], *rows: list[Any], wide: tuple[str, ...] = (), namespace: str = "") -> Json:
    head = [column(name, priority=int(name in wide)) for name in columns]
    thing = {"metadata": {"namespace": namespace}} if namespace else None
    return {"columnDefinitions": head, "rows": [{"cells": row, "object": thing} for row in rows]}


PODS = ["Name", "Ready", "Status", "Restarts", "Age", "IP", "Node"]
HPAS = ["Name", "Reference", "Targets", "MinPods", "MaxPods", "Replicas", "Age"]
DEPLOYMENTS = ["Name", "Ready", "Up-to-date", "Available", "Age"]


def pods(*rows: list[Any], namespace: str = "") -> Json:
    return table(PODS, *rows, wide=("IP", "Node"), namespace=namespace)


WEB_POD = ["web-569bcfd6b-8nnd6", "1/1", "Running", "0", "2m4s", "10.0.32.5", "node-000032"]
WEB_HPA = ["web", "Deployment/web", "cpu: 50%/50%", "2", 5, 5, "2m4s"]


def test_a_column_is_as_wide_as_its_longest_cell_and_three_spaces() -> None:
    assert list(TablePrinter().lines(table(HPAS, WEB_HPA))) == [
        "NAME   REFERENCE        TARGETS        MINPODS   MAXPODS   REPLICAS   AGE",
        "web    Deployment/web   cpu: 50%/50%   2         5         5          2m4s",
    ]


def test_a_column_is_six_wide_at_least_and_without_headers_that_shows() -> None:
    row = ["web", "Deployment/web", "cpu: 50%/50%", "2", 5, 5, "2m5s"]
    assert list(TablePrinter(headers=False).lines(table(HPAS, row))) == [
        "web   Deployment/web   cpu: 50%/50%   2     5     5     2m5s"
    ]


def test_wide_columns_show_only_when_asked_for() -> None:
    assert list(TablePrinter().lines(pods(WEB_POD))) == [
        "NAME                  READY   STATUS    RESTARTS   AGE",
        "web-569bcfd6b-8nnd6   1/1     Running   0          2m4s",
    ]
    assert list(TablePrinter(wide=True).lines(pods(WEB_POD))) == [
        "NAME                  READY   STATUS    RESTARTS   AGE    IP          NODE",
        "web-569bcfd6b-8nnd6   1/1     Running   0          2m4s   10.0.32.5   node-000032",
    ]


def test_the_namespace_comes_first_in_all_namespaces() -> None:
    printer = TablePrinter(namespaced=True, prefix="pod")
    assert list(printer.lines(pods(WEB_POD, namespace="tx-a"))) == [
        "NAMESPACE   NAME                      READY   STATUS    RESTARTS   AGE",
        "tx-a        pod/web-569bcfd6b-8nnd6   1/1     Running   0          2m4s",
    ]


def test_several_kinds_have_prefixed_names_and_an_empty_line_between() -> None:
    tables = [
        ("deployment.apps", table(DEPLOYMENTS, ["web", "5/5", 5, 5, "4m17s"])),
        ("statefulset.apps", table(["Name", "Ready", "Age"])),
        ("horizontalpodautoscaler.autoscaling", table(HPAS, [*WEB_HPA[:-1], "2m7s"])),
    ]
    assert "".join(render_tables(tables, with_kind=True)).splitlines() == [
        "NAME                  READY   UP-TO-DATE   AVAILABLE   AGE",
        "deployment.apps/web   5/5     5            5           4m17s",
        "",
        "NAME                                      REFERENCE        TARGETS        MINPODS   MAXPODS   REPLICAS   AGE",
        "horizontalpodautoscaler.autoscaling/web   Deployment/web   cpu: 50%/50%   2         5         5          2m7s",
    ]


def test_without_headers_no_empty_line_stands_between_kinds() -> None:
    tables = [
        ("deployment.apps", table(DEPLOYMENTS, ["web", "5/5", 5, 5, "4m17s"])),
        ("pod", pods(WEB_POD)),
    ]
    assert "".join(render_tables(tables, with_kind=True, headers=False)).splitlines() == [
        "deployment.apps/web   5/5   5     5     4m17s",
        "pod/web-569bcfd6b-8nnd6   1/1   Running   0     2m4s",
    ]


def test_pieces_of_a_table_are_one_table() -> None:
    """A second header, or an empty line within, would be a table of its own."""
    first, second = (table(["Name", "Ready"], [name, "1/1"]) for name in ("a", "a-long-name"))
    pieces = [("pod", first), ("pod", second), ("statefulset.apps", table(["Name", "Age"], ["db", "5m"]))]
    assert "".join(render_tables(pieces, with_kind=False)).splitlines() == [
        "NAME   READY",
        "a      1/1",
        "a-long-name   1/1",
        "",
        "NAME   AGE",
        "db     5m",
    ]


def test_tables_without_rows_print_nothing_not_even_headers() -> None:
    assert list(render_tables([("pod", pods())], with_kind=False)) == []
    assert no_resources_message("tx-empty") == "No resources found in tx-empty namespace."
    assert no_resources_message(None) == "No resources found"


def test_an_empty_last_cell_leaves_the_padding_before_it() -> None:
    assert list(TablePrinter().lines(table(["Name", "Age", "Tier"], ["huge", "4m15s", None]))) == [
        "NAME   AGE     TIER",
        "huge   4m15s   ",
    ]


def test_a_page_of_500_rows_widens_columns_for_itself_and_those_after_it_only() -> None:
    """kubectl prints page by page: a pod with a long name on page two leaves page one as it was."""
    short = [["a", "1"] for _ in range(500)]
    lines = list(TablePrinter().lines(table(["Name", "Age"], *short, ["a-long-name", "2"], ["b", "3"])))
    assert lines[:2] == ["NAME   AGE", "a      1"]
    assert lines[-2:] == ["a-long-name   2", "b             3"]


def test_the_widths_of_a_watch_carry_on_and_later_events_bring_no_columns() -> None:
    printer = TablePrinter()
    first = list(printer.lines(table(["Name", "Age"], ["he-scaleup", "76s"])))
    changed = {"columnDefinitions": None, "rows": [{"cells": ["h1", "95s"], "object": None}]}
    assert first + list(printer.lines(changed)) == ["NAME         AGE", "he-scaleup   76s", "h1           95s"]


def test_a_watch_of_several_kinds_gives_each_its_own_headers_once() -> None:
    events = [
        ("deployment.apps", table(["Name", "Age"], ["web", "1s"])),
        ("pod", table(["Name", "Age"])),
        ("deployment.apps", table(["Name", "Age"], ["web", "2s"])),
        ("pod", table(["Name", "Age"], ["web-1", "0s"])),
        ("deployment.apps", table(["Name", "Age"], ["web", "3s"])),
    ]
    assert list(render_watch(events, with_kind=True)) == [
        "NAME                  AGE",
        "deployment.apps/web   1s",
        "deployment.apps/web   2s",
        "",
        "NAME        AGE",
        "pod/web-1   0s",
        "deployment.apps/web   3s",
    ]


def test_names_only() -> None:
    assert list(render_names("pod", pods(WEB_POD, ["web-2"]))) == ["pod/web-569bcfd6b-8nnd6", "pod/web-2"]


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        ("Running", "Running"),
        ("two\nlines", "two..."),
        ("two\r\nlines", "two..."),
        ("form\ffeed", "form..."),
        ("\x1b[31mred", "^[[31mred"),
        ("bell\x07", "bell\\x07"),
        ("a\tb", "a\\tb"),
        ("\x9b31m", "\\x9b31m"),
        ("abc\u202ecba", "abc\\u202ecba"),
        ("straße 模型", "straße 模型"),
    ],
)
def test_a_cell_cannot_steer_the_terminal(cell: str, shown: str) -> None:
    """Printed as it is, the red one would colour every line below it, and a tab would shift its columns."""
    assert cell_text(cell) == shown


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        (5, "5"), (True, "true"), (None, ""), (1.5, "1.5"), (3.0, "3"), (0.0, "0"), (-2.5, "-2.5"),
        (1e6, "1e+06"), (123456789.5, "1.234567895e+08"), (999999.5, "999999.5"), (0.00001234, "1.234e-05"),
    ],
)  # fmt: skip
def test_cells_that_are_no_text_print_as_go_prints_them(cell: object, shown: str) -> None:
    assert list(TablePrinter(headers=False).lines(table(["Name", "X"], ["a", cell]))) == [f"a     {shown}"]


def test_bytes_widen_a_column_and_runes_fill_it() -> None:
    """kubectl measures the longest cell in bytes and pads in runes: "üüüü" has 8 bytes, so 8 + 3, not 4 + 3."""
    assert list(TablePrinter().lines(table(["Name", "Age"], ["üüüü", "1s"]))) == [
        "NAME       AGE",
        "üüüü       1s",
    ]


def test_a_row_with_fewer_or_more_cells_than_columns_is_still_one_line() -> None:
    lines = list(TablePrinter().lines(table(["Name", "Age"], ["a"], ["b", "1s", "extra"], [])))
    assert lines == ["NAME   AGE", "a", "b      1s", ""]


cells = st.lists(
    st.tuples(st.text("abc-", max_size=12), st.text("xyz", max_size=9), st.text("s", min_size=1, max_size=3)),
    min_size=1,
    max_size=30,
)


@given(cells, st.booleans())
def test_every_cell_of_a_column_starts_at_the_same_place(rows: list[tuple[str, str, str]], headers: bool) -> None:
    lines = list(TablePrinter(headers=headers).lines(table(["Name", "Mid", "Age"], *map(list, rows))))
    first = max(6, 3 + max([len(row[0]) for row in rows] + [4] * headers))
    second = max(6, 3 + max([len(row[1]) for row in rows] + [3] * headers))
    body = lines[1:] if headers else lines
    assert [
        (line[:first].rstrip(), line[first : first + second].rstrip(), line[first + second :]) for line in body
    ] == rows


@given(st.text())
def test_no_text_leaves_a_line_or_reaches_the_terminal_raw(text: str) -> None:
    shown = cell_text(text)
    assert shown.isprintable()
    assert "\x1b" not in shown


def test_twenty_thousand_rows_are_not_held_as_lines() -> None:
    """All lines at once would be about 2.6 MB; a page of 500 at a time stays far below."""
    big = pods(*[[f"web-569bcfd6b-{number:05}", *WEB_POD[1:]] for number in range(20_000)])
    tracemalloc.start()
    count = sum(1 for _ in TablePrinter().lines(big))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 20_001
    assert peak < 1_000_000
