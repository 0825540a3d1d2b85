"""The client: the requests that it sends, what it retries, and how it reads answers."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlscale import __version__
from mlscale.errors import ExitCode, MlscaleError, NotFoundError
from mlscale.kube.api_errors import ApiConflictError, ApiError, ApiNotAllowedError, ApiNotFoundError
from mlscale.kube.client import ACCEPT_TABLE, RETRIES, Client
from mlscale.kube.connection_errors import ConnectionFailedError
from mlscale.kube.transport import Transport
from tests.clients import access, client
from tests.recording_server import Answer, RecordingServer, Request, recording_server, status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mlscale.kube.access import ClientCertificate


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with recording_server() as running:
        yield running


WRITES: list[tuple[Callable[[Client], Any], str, str, dict[str, str], bytes]] = [
    (
        lambda c: c.merge_patch("/x", {"a": 1}, dryRun="All"),
        "PATCH",
        "application/merge-patch+json",
        {"fieldManager": "mlscale", "dryRun": "All"},
        b'{"a":1}',
    ),
    (
        lambda c: c.json_patch("/x", [{"op": "test", "path": "/a", "value": None}]),
        "PATCH",
        "application/json-patch+json",
        {"fieldManager": "mlscale"},
        b'[{"op":"test","path":"/a","value":null}]',
    ),
    (
        lambda c: c.apply("/x", {"a": 1}),
        "PATCH",
        "application/apply-patch+yaml",
        {"fieldManager": "mlscale"},
        b'{"a":1}',
    ),
    (
        lambda c: c.apply("/x", {"a": 1}, force=True, dry_run=True),
        "PATCH",
        "application/apply-patch+yaml",
        {"fieldManager": "mlscale", "force": "true", "dryRun": "All"},
        b'{"a":1}',
    ),
    (
        lambda c: c.create("/x", {"a": 1}),
        "POST",
        "application/json",
        {"fieldManager": "mlscale"},
        b'{"a":1}',
    ),
]


@pytest.mark.parametrize(("call", "method", "content_type", "query", "body"), WRITES)
def test_a_write_carries_its_type_and_manager(
    server: RecordingServer,
    call: Callable[[Client], Any],
    method: str,
    content_type: str,
    query: dict[str, str],
    body: bytes,
) -> None:
    server.answers[f"{method} /x"] = Answer({"ok": True})
    assert call(client(server)) == {"ok": True}
    (request,) = server.requests
    assert (request.method, request.query, request.body) == (method, query, body)
    assert request.header("Content-Type") == content_type


def test_a_read_asks_for_json_and_gzip(server: RecordingServer) -> None:
    server.answers["GET /x"] = Answer({"a": 1}, compressed=True)
    assert client(server).get("/x", labelSelector="a in (b,c)") == {"a": 1}
    (request,) = server.requests
    assert request.target == "/x?labelSelector=a+in+%28b%2Cc%29"
    assert request.header("Accept") == "application/json"
    assert request.header("Accept-Encoding") == "gzip"
    assert (request.header("User-Agent") or "").startswith(f"mlscale/{__version__} (")
    assert request.header("Authorization") is None


def test_compression_can_be_switched_off(server: RecordingServer) -> None:
    server.answers["GET /x"] = Answer({})
    client(server, compress=False).get("/x")
    assert server.requests[0].header("Accept-Encoding") == "identity"


def test_a_table_is_asked_for_by_the_accept_header(server: RecordingServer) -> None:
    server.answers["GET /x"] = Answer({"kind": "Table"})
    client(server).table("/x", "Metadata", limit="5")
    assert server.requests[0].header("Accept") == ACCEPT_TABLE
    assert server.requests[0].query == {"includeObject": "Metadata", "limit": "5"}


def test_who_asks_and_as_whom(server: RecordingServer) -> None:
    server.answers["GET /x"] = Answer({})
    acting = client(
        server,
        authorization="Bearer abc",
        as_user="jane",
        as_uid="u-1",
        as_groups=("dev", "ops"),
        as_user_extra={"example.org/scope": ("a", "b")},
    )
    acting.get("/x")
    (request,) = server.requests
    assert request.header("Authorization") == "Bearer abc"
    assert request.header("Impersonate-User") == "jane"
    assert request.header("Impersonate-Uid") == "u-1"
    assert request.all_headers("Impersonate-Group") == ["dev", "ops"]
    assert request.all_headers("Impersonate-Extra-example.org%2Fscope") == ["a", "b"]


ERRORS = [
    (status(404, 'pods "a" not found', "NotFound"), ApiNotFoundError, ExitCode.NOT_FOUND, 'pods "a" not found'),
    (status(403, 'pods is forbidden: User "x"', "Forbidden"), ApiNotAllowedError, ExitCode.NOT_ALLOWED, "is forbidden"),
    (status(409, "was modified", "Conflict"), ApiConflictError, ExitCode.CONFLICT, "was modified"),
    (status(422, "is invalid", "Invalid"), ApiError, ExitCode.ERROR, "is invalid"),
    (
        status(401, "Unauthorized", "Unauthorized"),
        ApiNotAllowedError,
        ExitCode.NOT_ALLOWED,
        "does not accept the credentials of user 'admin' of context 'lab' (401); log in again",
    ),
    (Answer(b"<html>secret</html>", 500), ApiError, ExitCode.ERROR, "the server answered 500 to GET /x"),
    (Answer(b"", 302, {"Location": "https://login.test/"}), ApiError, ExitCode.ERROR, "answered 302 to GET /x"),
    (Answer({"kind": "Status"}, 404), NotFoundError, ExitCode.NOT_FOUND, "the server answered 404 to GET /x"),
]  # fmt: skip


@pytest.mark.parametrize(("answer", "kind", "code", "text"), ERRORS)
def test_a_refusal_is_an_error_with_an_exit_code(
    server: RecordingServer, answer: Answer, kind: type[MlscaleError], code: ExitCode, text: str
) -> None:
    server.answers["GET /x"] = answer
    with pytest.raises(kind) as caught:
        client(server).get("/x", secret="q")
    assert caught.value.exit_code == code
    assert text in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "body", [b"<html></html>", b"[1]", b"null", b'"x"', b"", b'{"a":', b"\xff\xfe", b"[" * 100_000]
)
def test_an_answer_that_is_no_object_is_an_error(server: RecordingServer, body: bytes) -> None:
    server.answers["GET /x"] = Answer(body)
    with pytest.raises(
        ConnectionFailedError, match="the answer to GET /x is not a JSON object; check that the address"
    ):
        client(server).get("/x")


RETRIED = [
    # The server puts us off: 429 always, 5xx only if it says for how long.
    (status(429), 1.0),
    (Answer({}, 429, {"Retry-After": "3"}), 3.0),
    (Answer({}, 503, {"Retry-After": "2"}), 2.0),
    (Answer({}, 429, {"Retry-After": "0"}), 0.0),
    (Answer({}, 429, {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}), 1.0),
    (Answer({}, 429, {"Retry-After": "\u00b2"}), 1.0),
    (Answer({}, 429, {"Retry-After": "86400"}), 30.0),
]


@pytest.mark.parametrize(("answer", "slept"), RETRIED)
@pytest.mark.parametrize("method", ["GET", "PATCH"])
def test_a_request_that_is_put_off_is_sent_again(
    server: RecordingServer, answer: Answer, slept: float, method: str
) -> None:
    server.answers[f"{method} /x"] = [answer, Answer({"ok": 1})]
    sleeps: list[float] = []
    calling = client(server, sleep=sleeps.append)
    result = calling.get("/x") if method == "GET" else calling.merge_patch("/x", {})
    assert result == {"ok": 1}
    assert sleeps == [slept]
    assert server.lines == [f"{method} /x"] * 2


@pytest.mark.parametrize("code", [500, 502, 503, 504])
def test_a_failure_without_retry_after_is_not_repeated(server: RecordingServer, code: int) -> None:
    server.answers["PATCH /x"] = status(code, "etcd is away")
    with pytest.raises(ApiError, match="etcd is away"):
        client(server).merge_patch("/x", {})
    assert len(server.requests) == 1


def test_retries_end(server: RecordingServer) -> None:
    server.answers["GET /x"] = status(429, "too many requests", "TooManyRequests")
    sleeps: list[float] = []
    with pytest.raises(ApiError, match="too many requests"):
        client(server, sleep=sleeps.append).get("/x")
    assert len(server.requests) == RETRIES + 1
    assert sleeps == [1.0] * RETRIES


class Renewable:
    """Credentials that are ``old`` until they are renewed."""

    def __init__(self, *, renews: bool) -> None:
        self.token = "old"
        self.renews = renews

    def authorization(self) -> str | None:
        return f"Bearer {self.token}"

    def client_certificate(self) -> ClientCertificate | None:
        return None

    def refresh(self) -> bool:
        self.token = "new"
        return self.renews


@pytest.mark.parametrize("renews", [True, False])
def test_a_401_is_tried_once_more_where_the_credentials_can_be_renewed(server: RecordingServer, renews: bool) -> None:
    server.answers["GET /x"] = status(401)
    known = access(server.url)
    known = type(known)(**{**vars(known), "credentials": Renewable(renews=renews)})
    with pytest.raises(ApiNotAllowedError):
        Client(known, Transport(known, timeout=5)).get("/x")
    sent = [request.header("Authorization") for request in server.requests]
    assert sent == (["Bearer old", "Bearer new"] if renews else ["Bearer old"])


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
    results = list(Client(known, Transport(known, timeout=1)).in_order(calls, parallel=parallel))
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
