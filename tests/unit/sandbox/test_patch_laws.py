"""What holds of every patch, and the rarer rules of a list's order."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlscale.sandbox.list_order import in_order
from mlscale.sandbox.managed_fields import server_side_apply
from mlscale.sandbox.patches import MAX_OPERATIONS, json_patch, merge_patch
from mlscale.sandbox.statuses import StatusError
from mlscale.sandbox.strategic import strategic_merge_patch

Json = dict[str, Any]

NAMES = st.sampled_from(["a", "b", "c"])
LABELS = st.dictionaries(NAMES, st.sampled_from(["1", "2"]), max_size=3)
CONTAINERS = st.lists(
    st.fixed_dictionaries({"name": NAMES, "image": st.sampled_from(["i", "j"])}, optional={"args": st.just(["x"])}),
    max_size=3,
    unique_by=lambda container: str(container["name"]),
)
PODS = st.builds(
    lambda labels, containers: {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p", "labels": labels},
        "spec": {"containers": containers},
    },
    LABELS,
    CONTAINERS,
)
VALUES = st.recursive(st.sampled_from([0, "x", None]), lambda inner: st.dictionaries(NAMES, inner, max_size=3))
OBJECTS = st.dictionaries(NAMES, VALUES, max_size=3)


@given(OBJECTS, OBJECTS)
def test_a_merge_patch_twice_is_as_once(obj: Json, patch: Json) -> None:
    before = json.dumps(obj)
    once = merge_patch(obj, patch)
    assert merge_patch(once, patch) == once
    assert json.dumps(obj) == before


@given(PODS, PODS)
def test_a_strategic_patch_keeps_the_items_that_it_does_not_name(live: Json, patch: Json) -> None:
    merged = strategic_merge_patch(live, patch)["spec"]["containers"]
    names = [container["name"] for container in merged]
    assert len(names) == len(set(names))
    assert set(names) == {c["name"] for pod in (live, patch) for c in pod["spec"]["containers"]}
    assert {c["name"]: c["image"] for c in patch["spec"]["containers"]}.items() <= {
        c["name"]: c["image"] for c in merged
    }.items()


@given(PODS, PODS)
def test_applying_twice_is_as_once(first: Json, second: Json) -> None:
    once = server_side_apply(first, second, "me", "2026-01-01T00:00:00Z", force=True)
    again = server_side_apply(once, second, "me", "2026-01-02T00:00:00Z", force=True)
    assert again == once


@given(PODS, PODS)
def test_what_one_applier_alone_has_applied_goes_when_it_is_left_out(first: Json, second: Json) -> None:
    live = server_side_apply(None, first, "me", "2026-01-01T00:00:00Z", force=False)
    after = server_side_apply(live, second, "me", "2026-01-02T00:00:00Z", force=False)
    labels = after["metadata"].get("labels") or {}
    assert labels == second["metadata"]["labels"]
    left = {c["name"]: c for c in after["spec"].get("containers") or []}
    assert left == {c["name"]: c for c in second["spec"]["containers"]}


def test_a_tilde_in_a_key_is_escaped() -> None:
    assert json_patch({"a~/b": 1}, [{"op": "replace", "path": "/a~0~1b", "value": 2}]) == {"a~/b": 2}


def test_a_patch_of_too_many_operations() -> None:
    operations = [{"op": "test", "path": "/a", "value": 1}] * (MAX_OPERATIONS + 1)
    with pytest.raises(
        StatusError, match="The allowed maximum operations in a JSON patch is 10000, got 10001"
    ) as error:
        json_patch({"a": 1}, operations)
    assert error.value.code == 413


def test_a_custom_resource_takes_no_strategic_patch() -> None:
    with pytest.raises(StatusError, match="the body of the request was in an unknown format") as error:
        strategic_merge_patch({"apiVersion": "example.com/v1", "kind": "Thing"}, {"spec": {}})
    assert error.value.code == 415


@pytest.mark.parametrize(
    ("merged", "wanted", "live", "expected"),
    [
        ("abc", "cb", "abc", "acb"),
        ("abc", "", "cba", "cba"),
        ("abn", "", "ab", "nab"),
        ("mn", "", "", "nm"),
        ("ab", "ba", "", "ba"),
    ],
)
def test_the_order_of_a_merged_list(merged: str, wanted: str, live: str, expected: str) -> None:
    """The wanted order first; the server's own items by the live one; an unknown item goes before all others."""
    assert in_order(list(merged), list(wanted), list(live), "") == list(expected)
