"""The client: the requests that it sends, what it retries, and how it reads answers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from mlscale import __version__
from mlscale.errors import ExitCode, MlscaleError, NotFoundError
from mlscale.kube.api_errors import ApiConflictError, ApiError, ApiNotAllowedError, ApiNotFoundError
from mlscale.kube.client import ACCEPT_TABLE, RETRIES, Client
from mlscale.kube.connection_errors import ConnectionFailedError
from mlscale.kube.transport import Transport
from tests.clients import access, client
from tests.recording_server import Answer, RecordingServer, recording_server, status

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


NOON = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("date", "ahead"),
    [
        ("Tue, 24 Nov 2026 12:05:00 GMT", timedelta(minutes=5)),
        ("Tue, 24 Nov 2026 09:00:00 GMT", timedelta(hours=-3)),
        ("Tue, 24 Nov 2026 12:00:01 GMT", timedelta()),
        ("", timedelta()),
        ("yesterday", timedelta()),
    ],
)
def test_now_is_the_servers_time(server: RecordingServer, date: str, ahead: timedelta) -> None:
    # Held against this machine's clock, a pod made a minute ago could be from the future or hours old.
    server.answers["GET /x"] = Answer(headers={"Date": date} if date else {})
    asking = client(server, wall=lambda: NOON)
    assert asking.now() == NOON
    asking.get("/x")
    assert asking.now() == NOON + ahead
