"""Tables: cell by cell those of a real API server, as record_table_rows.py wrote them down."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlscale.kube.kinds import DEPLOYMENT, POD, Kind
from mlscale.sandbox.resources import NODEMETRICS, PODMETRICS, SERVED, Resource
from mlscale.sandbox.statuses import StatusError
from mlscale.sandbox.tables import render_table
from mlscale.sandbox.tables_layout import human_duration

Json = dict[str, Any]

RECORDED: Json = json.loads(Path(__file__).with_name("table_rows.json").read_text(encoding="utf-8"))
MODELS = Resource(Kind("tables.example.com", "v1", "Model", "models"))
BY_KEY = {resource.key: resource for resource in (*SERVED, MODELS)}
MEASURED = (NODEMETRICS.resource, PODMETRICS.resource)
NOW = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
PODS, DEPLOYMENTS = BY_KEY[POD.resource], BY_KEY[DEPLOYMENT.resource]
SECONDS = {"y": 31_536_000, "d": 86_400, "h": 3600, "m": 60, "s": 1}


def named(row: Json) -> str:
    return f"{row['resource']}-{row['object']['metadata'].get('name', 'bookmark')}"


def pod(name: str = "web-1", phase: str = "Running", **metadata: str) -> Json:
    created = {"creationTimestamp": "2026-11-24T11:00:00Z"}
    return {
        "kind": "Pod",
        "apiVersion": "v1",
        "metadata": {"name": name, "resourceVersion": "7", **created, **metadata},
        "spec": {"containers": [{"name": "c0", "image": "model:1"}]},
        "status": {"phase": phase},
    }


@pytest.mark.parametrize("row", RECORDED["rows"], ids=named)
def test_a_row_is_that_of_the_real_server(row: Json) -> None:
    table = render_table(BY_KEY[row["resource"]], [row["object"]], datetime.fromisoformat(row["now"]))

    rendered = table["rows"][0]
    assert rendered["cells"] == row["cells"]
    assert rendered.get("conditions") == row.get("conditions")


def test_every_resource_has_recorded_rows() -> None:
    assert {row["resource"] for row in RECORDED["rows"]} == set(BY_KEY)


@pytest.mark.parametrize("key", sorted(BY_KEY))
def test_the_columns_are_those_of_the_real_server(key: str) -> None:
    objects = [row["object"] for row in RECORDED["rows"] if row["resource"] == key]

    columns = render_table(BY_KEY[key], objects[:1], NOW)["columnDefinitions"]

    shown = [{name: value for name, value in column.items() if name != "description"} for column in columns]
    assert shown == RECORDED["columns"][key]["columns"]
    assert all(type(column["description"]) is str for column in columns)


@pytest.mark.parametrize("key", sorted(BY_KEY.keys() - set(MEASURED)))
def test_an_empty_list_has_its_columns_and_the_rows_of_the_real_server(key: str) -> None:
    table = render_table(BY_KEY[key], [], NOW, list_metadata={"resourceVersion": "9"})

    assert len(table["columnDefinitions"]) == len(RECORDED["columns"][key]["columns"])
    assert table["rows"] == RECORDED["columns"][key]["rows"]


@pytest.mark.parametrize("key", MEASURED)
def test_an_empty_list_of_measurements_has_no_columns(key: str) -> None:
    table = render_table(BY_KEY[key], [], NOW, list_metadata={})

    assert table == {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": {},
        "columnDefinitions": None,
        "rows": None,
    }


def test_a_resource_that_the_first_object_lacks_has_no_column() -> None:
    def measured(name: str, **usage: str) -> Json:
        return {"metadata": {"name": name}, "window": "15s", "usage": usage}

    objects = [measured("a", cpu="1500m", memory="1Mi"), measured("b", cpu="2"), measured("c", gpu="1", memory="1Ki")]

    table = render_table(BY_KEY[NODEMETRICS.resource], objects, NOW, list_metadata={})

    assert [column["name"] for column in table["columnDefinitions"]] == ["Name", "cpu", "memory", "Window"]
    assert [row["cells"] for row in table["rows"]] == [
        ["a", "1500m", "1Mi", "15s"],
        ["b", "2", "0", "15s"],
        ["c", "0", "1Ki", "15s"],
    ]


def test_a_list_has_the_metadata_of_the_list() -> None:
    metadata = {"resourceVersion": "12", "continue": "abc", "remainingItemCount": 3}

    table = render_table(PODS, [pod("a"), pod("b")], NOW, list_metadata=metadata)

    assert table["metadata"] == metadata
    assert [row["cells"][0] for row in table["rows"]] == ["a", "b"]


def test_the_last_page_has_no_continue() -> None:
    table = render_table(PODS, [pod()], NOW, list_metadata={"resourceVersion": "12", "continue": ""})

    assert table["metadata"] == {"resourceVersion": "12"}


def test_a_table_of_one_object_has_its_version() -> None:
    assert render_table(PODS, [pod()], NOW)["metadata"] == {"resourceVersion": "7"}


@pytest.mark.parametrize("include", ["", "Metadata"])
def test_a_row_holds_the_metadata_of_its_object(include: str) -> None:
    row = render_table(PODS, [pod()], NOW, include_object=include)["rows"][0]

    partial = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": pod()["metadata"]}
    assert row["object"] == partial


def test_a_row_holds_the_object_with_its_kind_though_lists_leave_it_out() -> None:
    bare = {key: value for key, value in pod().items() if key not in ("kind", "apiVersion")}

    row = render_table(PODS, [bare], NOW, include_object="Object")["rows"][0]

    assert row["object"] == pod()


def test_a_row_holds_nothing_when_asked_so() -> None:
    row = render_table(PODS, [pod()], NOW, include_object="None")["rows"][0]

    assert row == {"cells": ["web-1", "0/1", "Running", "0", "60m", *["<none>"] * 4], "object": None}


def test_another_include_object_is_refused() -> None:
    with pytest.raises(StatusError) as caught:
        render_table(PODS, [], NOW, include_object="Foo", list_metadata={})

    assert caught.value.code == 400
    assert caught.value.message == (
        'Unable to convert to Table as requested: includeObject: Invalid value: "Foo": '
        "must be 'Metadata', 'Object', 'None', or empty"
    )


def test_only_pods_are_marked_as_ended() -> None:
    ended = {**pod(phase="Failed"), "kind": "Deployment"}

    assert "conditions" in render_table(PODS, [ended], NOW)["rows"][0]
    assert "conditions" not in render_table(DEPLOYMENTS, [ended], NOW)["rows"][0]


@given(st.integers(min_value=0, max_value=20 * SECONDS["y"]))
def test_an_age_is_cut_by_at_most_an_eighth(seconds: int) -> None:
    text = human_duration(timedelta(seconds=seconds))

    parts = re.findall(r"(\d+)([ydhms])", text)
    told = sum(int(count) * SECONDS[unit] for count, unit in parts)
    assert "".join(count + unit for count, unit in parts) == text
    assert len(parts) <= 2
    assert 0 <= seconds - told <= seconds / 8


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.999, "0s"), (1, "1s"), (-0.5, "0s"), (-1.999, "0s"), (-2, "<invalid>"), (119.9, "119s"), (120, "2m")],
)
def test_parts_of_a_second_are_cut_and_clocks_may_differ_by_less_than_two(seconds: float, text: str) -> None:
    assert human_duration(timedelta(seconds=seconds)) == text
