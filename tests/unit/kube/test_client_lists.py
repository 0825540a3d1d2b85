"""The client's lists and watches, the server's warnings, and calls side by side."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlscale.kube.api_errors import ApiError, ApiNotAllowedError
from mlscale.kube.client import ACCEPT_TABLE, Client
from mlscale.kube.connection_errors import ConnectionFailedError
from mlscale.kube.transport import Transport
from tests.clients import access, client
from tests.recording_server import Answer, RecordingServer, Request, recording_server, status

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with recording_server() as running:
        yield running


def page(names: list[str], token: str = "", **more: Any) -> Answer:
    return Answer({"items": [{"metadata": {"name": name}} for name in names], "metadata": {"continue": token}, **more})


def names(items: list[dict[str, Any]]) -> list[str]:
    return [item["metadata"]["name"] for item in items]


def test_a_list_is_read_page_by_page(server: RecordingServer) -> None:
    server.answers["GET /x"] = [page(["a", "b"], "t1"), page(["c"], "t2"), page(["d"])]
    assert names(client(server).list_all("/x", labelSelector="l=1")) == ["a", "b", "c", "d"]
    assert [request.query for request in server.requests] == [
        {"limit": "500", "labelSelector": "l=1"},
        {"limit": "500", "labelSelector": "l=1", "continue": "t1"},
        {"limit": "500", "labelSelector": "l=1", "continue": "t2"},
    ]


def test_a_page_that_expired_restarts_the_list_whole(server: RecordingServer) -> None:
    # The pages read so far are of an older state: to go on from them would show an object twice or not at all.
    server.answers["GET /x"] = [page(["old"], "t1"), status(410, "expired", "Expired"), page(["a", "b", "c"])]
    assert names(client(server).list_all("/x", labelSelector="l=1")) == ["a", "b", "c"]
    assert server.requests[-1].query == {"labelSelector": "l=1"}


def test_a_410_on_the_first_page_is_an_error(server: RecordingServer) -> None:
    server.answers["GET /x"] = status(410, "gone", "Gone")
    with pytest.raises(ApiError, match="gone"):
        client(server).list_all("/x")


@pytest.mark.parametrize("body", [{}, {"items": None}, {"items": [], "metadata": None}])
def test_an_empty_list_has_no_items(server: RecordingServer, body: dict[str, Any]) -> None:
    server.answers["GET /x"] = Answer(body)
    assert client(server).list_all("/x") == []


def watch(server: RecordingServer, *lines: bytes, **more: Any) -> list[dict[str, Any]]:
    server.answers["GET /x"] = Answer(b"".join(line + b"\n" for line in lines))
    return list(client(server).watch("/x", seconds=3, **more))


def test_a_watch_gives_events_and_bookmarks_and_ends(server: RecordingServer) -> None:
    events = watch(
        server, b'{"type":"ADDED","object":{"a":1}}', b'{"type":"BOOKMARK","object":{}}', resourceVersion="7"
    )
    assert [event["type"] for event in events] == ["ADDED", "BOOKMARK"]
    assert server.requests[0].query == {"watch": "true", "timeoutSeconds": "3", "resourceVersion": "7"}
    assert server.requests[0].header("Accept") == "application/json"


def test_a_watch_can_ask_for_tables(server: RecordingServer) -> None:
    assert watch(server, table=True) == []
    assert server.requests[0].header("Accept") == ACCEPT_TABLE


def test_an_error_event_is_an_error(server: RecordingServer) -> None:
    expired = b'{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired","message":"too old"}}'
    with pytest.raises(ApiError, match="too old") as caught:
        watch(server, expired)
    assert caught.value.status.code == 410


@pytest.mark.parametrize("line", [b"<html>", b"[]", b'{"type":'])
def test_a_line_that_is_no_event_is_an_error(server: RecordingServer, line: bytes) -> None:
    with pytest.raises(ConnectionFailedError, match="sent an event that is not JSON"):
        watch(server, line)


def test_a_watch_that_is_refused_is_an_error(server: RecordingServer) -> None:
    server.answers["GET /x"] = status(403, "pods is forbidden", "Forbidden")
    with pytest.raises(ApiNotAllowedError, match="pods is forbidden"):
        list(client(server).watch("/x", seconds=1))


WARNINGS = [
    ('299 - "unknown field \\"spec.x\\""', ['unknown field "spec.x"']),
    ('299 - "a", 299 - "b"', ["a", "b"]),
    ('299 - "a, b"', ["a, b"]),
    ('299 - "back \\\\ slash"', ["back \\ slash"]),
    ('299 - "esc \x1b[31m"', ["esc \\x1b[31m"]),
    ("nonsense", []),
    ("", []),
]


@pytest.mark.parametrize(("header", "shown"), WARNINGS)
def test_each_warning_of_the_server_is_passed_on_once(server: RecordingServer, header: str, shown: list[str]) -> None:
    server.answers["GET /x"] = Answer({}, headers={"Warning": header} if header else {})
    said: list[str] = []
    warned = client(server, warn=said.append)
    warned.get("/x")
    warned.get("/x")
    assert said == shown


def test_together_returns_errors_in_their_places(server: RecordingServer) -> None:
    server.answers |= {"GET /a": Answer({"n": 1}), "GET /b": status(403, "forbidden"), "GET /c": Answer({"n": 3})}
    calls = client(server)
    first, second, third = calls.together(*[lambda p=p: calls.get(p) for p in ("/a", "/b", "/c")])
    assert (first, third) == ({"n": 1}, {"n": 3})
    assert isinstance(second, ApiNotAllowedError)


@given(delays=st.lists(st.sampled_from([0, 0, 0.002, 0.004]), max_size=12), parallel=st.integers(1, 5))
@settings(max_examples=30, deadline=None)
def test_in_order_keeps_the_order_and_the_bound(delays: list[float], parallel: int) -> None:
    running, most = 0, 0
    lock = threading.Lock()

    def call(index: int) -> int:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(delays[index])
        with lock:
            running -= 1
        return index

    known = access("http://127.0.0.1:1")
    calls = [lambda i=i: call(i) for i in range(len(delays))]
    results = list(Client(known, Transport(known, timeout=1), parallel=parallel).in_order(calls))
    assert results == list(range(len(delays)))
    assert most <= parallel


@pytest.mark.parametrize("others", [0, 3])
def test_a_defect_in_a_call_reaches_the_caller(others: int) -> None:
    def broken() -> int:
        raise ZeroDivisionError

    known = access("http://127.0.0.1:1")
    calls = [*[lambda: 1] * others, broken]
    results = Client(known, Transport(known, timeout=1)).in_order(calls)
    with pytest.raises(ZeroDivisionError):
        list(results)


def test_a_result_is_there_before_the_later_calls_end() -> None:
    # Else the first line of a long list would wait for the last one.
    release = threading.Event()
    known = access("http://127.0.0.1:1")
    results = Client(known, Transport(known, timeout=1)).in_order([lambda: True, lambda: release.wait(5)])
    assert next(results) is True
    assert not release.is_set()
    release.set()
    assert next(results) is True


def test_forty_calls_use_sixteen_connections_at_most(server: RecordingServer) -> None:
    def slow(request: Request) -> Answer:
        time.sleep(0.01)
        return Answer({"path": request.path})

    server.answers |= {f"GET /{i}": slow for i in range(40)}
    calling = client(server)
    results = calling.together(*[lambda i=i: calling.get(f"/{i}") for i in range(40)])
    assert results == [{"path": f"/{i}"} for i in range(40)]
    assert 2 <= server.connections <= 16
