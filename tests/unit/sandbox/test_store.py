"""The store: versions, order, the log and what it looked like before."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlscale.sandbox import store as store_module
from mlscale.sandbox.store import Change, CompactedError, Store, copied

names = st.text("ab-", min_size=1, max_size=3)


def obj(namespace: str, name: str, **rest: object) -> dict[str, object]:
    return {"metadata": {"namespace": namespace, "name": name}, **rest}


def test_each_write_gets_the_next_version_across_resources() -> None:
    store = Store()
    first, second = store.put("pods", obj("n", "a")), store.put("nodes", obj("", "b"))
    last = store.remove("pods", "n", "a")
    assert [each["metadata"]["resourceVersion"] for each in (first, second, last)] == ["2", "3", "4"]
    assert store.version == 4


def test_a_list_is_in_the_order_of_the_whole_key() -> None:
    store = Store()
    for namespace, name in (("a", "x"), ("a-b", "x"), ("a", "b")):
        store.put("pods", obj(namespace, name))
    found = [(each["metadata"]["namespace"], each["metadata"]["name"]) for each in store.list("pods")]
    assert found == [("a-b", "x"), ("a", "b"), ("a", "x")]


def test_changes_are_of_one_resource_and_after_the_version() -> None:
    store = Store()
    store.put("pods", obj("n", "a"))
    store.put("nodes", obj("", "b"))
    store.put("pods", obj("n", "a", x=1))
    store.remove("pods", "n", "a")
    assert [(change.type, change.version) for change in store.changes("pods", 2)] == [("MODIFIED", 4), ("DELETED", 5)]
    assert store.changes("pods", 5) == []
    assert store.changes("jobs", 0) == []


def test_a_listener_hears_each_change_at_once() -> None:
    store = Store()
    heard: list[Change] = []
    store.subscribe(heard.append)
    store.put("pods", obj("n", "a"))
    assert [(change.type, change.before) for change in heard] == [("ADDED", None)]


def test_changes_that_are_no_longer_kept_are_not_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "LOG_LENGTH", 2)
    store = Store()
    for name in "abc":
        store.put("pods", obj("n", name))
    assert [change.version for change in store.changes("pods", 2)] == [3, 4]
    with pytest.raises(CompactedError):
        store.changes("pods", 1)
    with pytest.raises(CompactedError):
        store.list_at("pods", None, 1)


def test_a_compaction_forgets_what_is_old_but_the_latest_of_each_resource(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "LEAST_KEPT", 2)
    store = Store()
    store.put("nodes", obj("", "n"))
    for name in "abcde":
        store.put("pods", obj("n", name))
    store.compact(4)
    assert [change.version for change in store.changes("pods", 4)] == [5, 6, 7]
    with pytest.raises(CompactedError):
        store.changes("pods", 3)
    assert [change.version for change in store.changes("nodes", 1)] == [2]
    store.compact(7)
    assert [change.version for change in store.changes("pods", 5)] == [6, 7]
    assert [one["metadata"]["name"] for one in store.list("pods")] == ["a", "b", "c", "d", "e"]


@given(st.lists(st.tuples(st.booleans(), names, names), max_size=30))
def test_an_older_version_lists_as_it_did_then(writes: list[tuple[bool, str, str]]) -> None:
    store = Store()
    snapshots = {store.version: store.list("pods")}
    for removes, namespace, name in writes:
        if removes and store.get("pods", namespace, name):
            store.remove("pods", namespace, name)
        else:
            store.put("pods", obj(namespace, name))
        snapshots[store.version] = store.list("pods")
    assert {version: store.list_at("pods", None, version) for version in snapshots} == snapshots


@given(st.recursive(st.none() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)))
def test_a_copy_is_equal(value: object) -> None:
    assert copied(value) == value


def test_a_copy_shares_nothing_that_changes() -> None:
    original = {"a": [{"b": 1}]}
    copied(original)["a"][0]["b"] = 2
    assert original == {"a": [{"b": 1}]}
