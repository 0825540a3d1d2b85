"""Watches: what a selector sees come, change and go."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlscale.kube.kinds import NODE, POD
from mlscale.sandbox import store as store_module
from mlscale.sandbox.statuses import StatusError
from mlscale.sandbox.store import Store
from mlscale.sandbox.watching import Watch, WatchOptions

Json = dict[str, Any]


def put(store: Store, name: str, namespace: str = "n", **labels: str) -> Json:
    metadata = {"namespace": namespace, "name": name, "labels": labels}
    return store.put("pods", {"apiVersion": "v1", "kind": "Pod", "metadata": metadata})


def told(events: list[Json]) -> list[tuple[str, str]]:
    return [(event["type"], event["object"]["metadata"].get("name", "")) for event in events]


def watch(store: Store, namespace: str | None = None, **options: Any) -> Watch:
    return Watch(store, POD, namespace, WatchOptions(**options))


def test_without_a_version_it_begins_with_what_is_there() -> None:
    store = Store()
    put(store, "a")
    seen = watch(store)
    assert told(seen.take()) == [("ADDED", "a")]
    put(store, "b")
    store.remove("pods", "n", "a")
    assert told(seen.take()) == [("ADDED", "b"), ("DELETED", "a")]
    assert seen.take() == []


def test_version_zero_begins_with_what_is_there_too() -> None:
    store = Store()
    put(store, "a")
    assert told(watch(store, version="0").take()) == [("ADDED", "a")]


def test_from_a_version_it_gives_what_came_after() -> None:
    store = Store()
    version = put(store, "a")["metadata"]["resourceVersion"]
    put(store, "b")
    assert told(watch(store, version=version).take()) == [("ADDED", "b")]


def test_what_is_in_no_namespace_is_seen() -> None:
    store = Store()
    seen = Watch(store, NODE, "", WatchOptions())
    store.put("nodes", {"metadata": {"name": "n1"}})
    store.remove("nodes", "", "n1")
    assert told(seen.take()) == [("ADDED", "n1"), ("DELETED", "n1")]


def test_other_namespaces_are_not_seen() -> None:
    store = Store()
    seen = watch(store, "n")
    put(store, "a", "m")
    put(store, "b")
    assert told(seen.take()) == [("ADDED", "b")]


def test_an_object_that_leaves_the_selector_is_deleted_as_it_was_last_seen() -> None:
    store = Store()
    seen = watch(store, labels="app=x")
    put(store, "a", app="x")
    put(store, "a", app="x", more="1")
    last = put(store, "a", app="y")
    put(store, "a", app="y", more="2")
    put(store, "a", app="x")
    events = seen.take()
    assert [event["type"] for event in events] == ["ADDED", "MODIFIED", "DELETED", "ADDED"]
    gone = events[2]["object"]["metadata"]
    assert (gone["labels"]["app"], gone["resourceVersion"]) == ("x", last["metadata"]["resourceVersion"])


def test_a_field_selector_follows_one_object() -> None:
    store = Store()
    seen = watch(store, fields="metadata.name=a")
    put(store, "b")
    put(store, "a")
    assert told(seen.take()) == [("ADDED", "a")]


@pytest.mark.parametrize(
    "options",
    [
        {"match": "NotOlderThan", "initial_events": True},
        {"match": "NotOlderThan", "initial_events": True, "version": "2"},
        {},
        {"version": "0"},
    ],
)
def test_initial_events_end_with_an_annotated_bookmark(options: Json) -> None:
    store = Store()
    put(store, "a")
    events = watch(store, bookmarks=True, **options).take()
    assert told(events) == [("ADDED", "a"), ("BOOKMARK", "")]
    metadata = events[1]["object"]["metadata"]
    assert metadata == {"resourceVersion": "2", "annotations": {"k8s.io/initial-events-end": "true"}}


@pytest.mark.parametrize(("version", "seen"), [("", []), ("0", []), ("2", [("ADDED", "b")]), ("3", [])])
def test_who_wants_no_initial_events_gets_what_came_after_the_version(
    version: str, seen: list[tuple[str, str]]
) -> None:
    store = Store()
    put(store, "a")
    put(store, "b")
    wanted = watch(store, match="NotOlderThan", initial_events=False, bookmarks=True, version=version)
    assert told(wanted.take()) == seen


def test_initial_events_without_bookmarks_have_no_end() -> None:
    store = Store()
    put(store, "a")
    assert told(watch(store, match="NotOlderThan", initial_events=True).take()) == [("ADDED", "a")]


def test_a_bookmark_says_how_far_the_watch_has_come_even_past_other_resources() -> None:
    store = Store()
    seen = watch(store, bookmarks=True)
    assert told(seen.take()) == [("BOOKMARK", "")]
    store.put("nodes", {"metadata": {"name": "n1"}})
    assert seen.take() == []
    (event,) = seen.bookmark()
    assert (event["type"], event["object"]["kind"]) == ("BOOKMARK", "Pod")
    assert event["object"]["metadata"]["resourceVersion"] == "2"
    assert watch(store).bookmark() == []


def test_a_version_that_is_no_longer_known_ends_the_watch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "LOG_LENGTH", 1)
    store = Store()
    for name in "abc":
        put(store, name)
    seen = watch(store, version="1", bookmarks=True)
    (event,) = seen.take()
    assert (event["type"], event["object"]["code"], event["object"]["reason"]) == ("ERROR", 410, "Expired")
    assert event["object"]["message"] == "too old resource version: 1 (4)"
    put(store, "d")
    assert (seen.ended, seen.take(), seen.bookmark()) == (True, [], [])


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        ({"version": "x"}, 500, 'resourceVersion: Invalid value: "x": strconv.ParseUint: parsing "x": invalid syntax'),
        (
            {"initial_events": True},
            422,
            'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: sendInitialEvents requires '
            "setting resourceVersionMatch to NotOlderThan",
        ),
        (
            {"initial_events": True, "match": "Exact"},
            422,
            'ListOptions.meta.k8s.io "" is invalid: [resourceVersionMatch: Forbidden: sendInitialEvents requires '
            'setting resourceVersionMatch to NotOlderThan, resourceVersionMatch: Unsupported value: "Exact": supported '
            'values: "NotOlderThan"]',
        ),
        (
            {"match": "NotOlderThan"},
            422,
            'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: resourceVersionMatch is '
            "forbidden for watch unless sendInitialEvents is provided",
        ),
        ({"labels": "=a"}, 400, "found '=', expected: !, identifier, or 'end of string'"),
        ({"fields": "zz=1"}, 400, "field label not supported: zz"),
    ],
)
def test_what_a_watch_may_not_ask(options: Json, code: int, message: str) -> None:
    with pytest.raises(StatusError) as raised:
        watch(Store(), **options)
    assert (raised.value.code, raised.value.message) == (code, message)


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(["x", "y", None]), st.booleans()), max_size=20))
def test_who_follows_the_events_has_the_list(writes: list[tuple[str, str | None, bool]]) -> None:
    store = Store()
    seen = watch(store, labels="app=x")
    held: set[str] = set()
    for name, label, takes in writes:
        if label is not None:
            put(store, name, app=label)
        elif store.get("pods", "n", name):
            store.remove("pods", "n", name)
        if takes:
            follow(held, seen.take())
    follow(held, seen.take())
    assert held == {o["metadata"]["name"] for o in store.list("pods") if o["metadata"]["labels"]["app"] == "x"}


def follow(held: set[str], events: list[Json]) -> None:
    for type_, name in told(events):
        assert (name in held) is (type_ != "ADDED")
        (held.discard if type_ == "DELETED" else held.add)(name)
