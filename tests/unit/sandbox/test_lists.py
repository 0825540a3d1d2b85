"""Lists: chunks that hang together, versions and tokens that do not fit."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlscale.kube.kinds import Kind
from mlscale.sandbox import store as store_module
from mlscale.sandbox.lists import Chunk, Selection, list_objects, parse_selection
from mlscale.sandbox.resources import CONFIGMAP
from mlscale.sandbox.statuses import StatusError
from mlscale.sandbox.store import Store

Json = dict[str, Any]
KEY = CONFIGMAP.resource


def filled(*names: str) -> Store:
    store = Store()
    for name in names:
        store.put(KEY, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"namespace": "n", "name": name,
                                                                               "labels": {"app": name}}})  # fmt: skip
    return store


def names_of(answer: Json) -> list[str]:
    return [item["metadata"]["name"] for item in answer["items"]]


def listed(store: Store, selection: Selection | None = None, **chunk: Any) -> Json:
    return list_objects(store, CONFIGMAP, None, selection or Selection(), Chunk(**chunk))


def refused(store: Store, **chunk: Any) -> StatusError:
    with pytest.raises(StatusError) as raised:
        listed(store, **chunk)
    return raised.value


def test_a_list_of_the_servers_own_kind_has_bare_items() -> None:
    answer = listed(filled("a"))
    assert (answer["kind"], answer["apiVersion"], answer["metadata"]) == (
        "ConfigMapList",
        "v1",
        {"resourceVersion": "2"},
    )
    assert set(answer["items"][0]) == {"metadata"}


def test_a_list_of_a_custom_kind_has_whole_items_and_an_empty_token() -> None:
    store, kind = Store(), Kind("a1.example.com", "v1", "Thing", "things")
    store.put(kind.resource, {"apiVersion": "a1.example.com/v1", "kind": "Thing", "metadata": {"name": "t"}})
    answer = list_objects(store, kind, None, Selection(), Chunk())
    assert answer["metadata"] == {"continue": "", "resourceVersion": "2"}
    assert answer["items"][0]["kind"] == "Thing"


def test_a_limit_leaves_a_token_and_what_remains() -> None:
    metadata = listed(filled("a", "b", "c"), limit=1)["metadata"]
    token = metadata["continue"]
    assert metadata["remainingItemCount"] == 2
    decoded = json.loads(urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    assert decoded == {"v": "meta.k8s.io/v1", "rv": 4, "start": "/n/a\0"}


def test_with_a_selector_the_server_does_not_say_what_remains() -> None:
    metadata = listed(filled("a", "b"), parse_selection(CONFIGMAP, "app", ""), limit=1)["metadata"]
    assert "continue" in metadata
    assert "remainingItemCount" not in metadata


def test_a_limit_of_all_there_is_leaves_no_token() -> None:
    assert "continue" not in listed(filled("a", "b"), limit=2)["metadata"]


@given(st.sets(st.from_regex(r"\A[a-z]{1,3}\Z"), min_size=1, max_size=12), st.integers(1, 5))
def test_chunks_give_the_whole_list_as_it_was_at_the_first(names: set[str], limit: int) -> None:
    store = filled(*names)
    answer = listed(store, limit=limit)
    found, version = names_of(answer), answer["metadata"]["resourceVersion"]
    while token := answer["metadata"].get("continue"):
        store.put(KEY, {"metadata": {"namespace": "n", "name": f"zz{store.version}"}})
        store.remove(KEY, "n", names_of(listed(store))[-2])
        answer = listed(store, limit=limit, token=token)
        found += names_of(answer)
        assert answer["metadata"]["resourceVersion"] == version
    assert found == sorted(names)


def test_an_expired_token_is_answered_with_one_that_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "LOG_LENGTH", 2)
    store = filled("a", "b", "c")
    token = listed(store, limit=1)["metadata"]["continue"]
    for name in "xyz":
        store.put(KEY, {"metadata": {"namespace": "n", "name": name}})
    body = refused(store, limit=1, token=token).body()
    assert (body["code"], body["reason"]) == (410, "Expired")
    answer = listed(store, token=body["metadata"]["continue"])
    assert names_of(answer) == ["b", "c", "x", "y", "z"]


def test_an_exact_version_lists_what_was_then() -> None:
    store = filled("a", "b")
    assert names_of(listed(store, version="2", match="Exact")) == ["a"]
    assert names_of(listed(store, version="2", match="NotOlderThan")) == ["a", "b"]
    assert names_of(listed(store, version="0")) == ["a", "b"]
    assert names_of(listed(store, version="2", limit=5)) == ["a"]


def test_an_exact_version_that_is_no_longer_known_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "LOG_LENGTH", 1)
    error = refused(filled("a", "b", "c"), version="2", match="Exact")
    assert (error.code, error.message) == (410, "The resourceVersion for the provided list is too old.")


_OPTIONS = 'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: '


@pytest.mark.parametrize(
    ("chunk", "code", "message"),
    [
        ({"version": "x"}, 400, 'invalid resource version: resourceVersion: Invalid value: "x": strconv.ParseUint: '
         'parsing "x": invalid syntax'),
        ({"version": "9"}, 504, "Timeout: Too large resource version: 9, current: 2"),
        ({"token": "e30", "version": "1"}, 400, "specifying resource version is not allowed when using continue"),
        ({"match": "Exact"}, 422, _OPTIONS + "Forbidden: resourceVersionMatch is forbidden unless resourceVersion is "
         "provided"),
        ({"match": "Exact", "version": "0"}, 422, _OPTIONS + 'Forbidden: resourceVersionMatch "exact" is forbidden '
         'for resourceVersion "0"'),
        ({"match": "Foo", "version": "1"}, 422, _OPTIONS + 'Unsupported value: "Foo": supported values: "Exact", '
         '"NotOlderThan", ""'),
    ],
)  # fmt: skip
def test_what_a_list_may_not_ask(chunk: Json, code: int, message: str) -> None:
    error = refused(filled("a"), **chunk)
    assert (error.code, error.message) == (code, message)


@pytest.mark.parametrize("token", ["abc", "e30", "W10", "!!!!", "é"])
def test_a_token_of_ones_own_making_is_a_bad_request(token: str) -> None:
    error = refused(filled("a"), token=token)
    assert error.code == 400
    assert error.message.startswith("invalid continue token: ")
