"""The transport against real sockets: keep-alive, retries, proxies, gzip, deadlines. TLS is in test_tls.py."""

from __future__ import annotations

import socket
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from mlscale.errors import ConfigError
from mlscale.kube.connection_errors import ConnectionFailedError
from mlscale.kube.transport import Request, Response, Transport
from tests.clients import access
from tests.recording_server import NO_ANSWER, Answer, RecordingServer, recording_server

if TYPE_CHECKING:
    from collections.abc import Iterator

ACCEPT = ("Accept", "application/json")


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with recording_server() as running:
        yield running


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)


def transport(server: RecordingServer, *, timeout: float = 5, **more: Any) -> Transport:
    return Transport(access(server.url, **more), timeout=timeout)


def get(transport: Transport, path: str = "/a") -> Response:
    return transport.request("GET", path, [ACCEPT], None)


def patch(transport: Transport) -> Response:
    return transport.request("PATCH", "/a", [ACCEPT], b"{}")


def test_requests_one_after_another_share_a_connection(server: RecordingServer) -> None:
    server.answers["GET /a"] = Answer({"x": 1})
    server.answers["PATCH /a"] = Answer({})
    connection = transport(server)
    assert [get(connection).status, patch(connection).status, get(connection).status] == [200, 200, 200]
    assert [request.connection for request in server.requests] == [0, 0, 0]


def test_a_connection_that_the_server_ends_is_not_used_again(server: RecordingServer) -> None:
    server.answers["GET /a"] = Answer({}, headers={"Connection": "close"})
    connection = transport(server)
    get(connection)
    get(connection)
    assert [request.connection for request in server.requests] == [0, 1]


def test_get_on_a_connection_that_went_stale_is_sent_once_more(server: RecordingServer) -> None:
    server.answers["GET /a"] = [Answer({}), NO_ANSWER, Answer({"n": 2})]
    connection = transport(server)
    get(connection)
    assert get(connection).body == b'{"n": 2}'
    assert [request.connection for request in server.requests] == [0, 0, 1]


def test_get_is_sent_once_more_only_once(server: RecordingServer) -> None:
    server.answers["GET /a"] = [Answer({}), NO_ANSWER]
    connection = transport(server)
    get(connection)
    with pytest.raises(ConnectionFailedError, match="closed the connection without an answer; try again"):
        get(connection)
    assert len(server.requests) == 3


def test_write_on_a_connection_that_went_stale_is_never_sent_again(server: RecordingServer) -> None:
    # The server may have carried it out before it closed: a second PATCH could undo what someone did between.
    server.answers |= {"GET /a": Answer({}), "PATCH /a": [NO_ANSWER, Answer({})]}
    connection = transport(server)
    get(connection)
    with pytest.raises(ConnectionFailedError, match="whether the change was made is not known"):
        patch(connection)
    assert server.lines == ["GET /a", "PATCH /a"]


def test_get_on_a_new_connection_is_not_repeated(server: RecordingServer) -> None:
    server.answers["GET /a"] = [NO_ANSWER, Answer({})]
    with pytest.raises(ConnectionFailedError, match="closed the connection"):
        get(transport(server))
    assert len(server.requests) == 1


def round_of(*lines: str) -> list[Request]:
    """``GET /a`` and the like as requests."""
    words = [line.split() for line in lines]
    return [Request(method, path, [ACCEPT], b"{}" if method == "PATCH" else None) for method, path in words]


def outcomes(connection: Transport, *lines: str) -> list[str]:
    """The body of each answer of a round, or its error."""
    answers = connection.in_one_round(round_of(*lines))
    return [answer.body.decode() if isinstance(answer, Response) else answer.message for answer in answers]


def numbered(server: RecordingServer) -> None:
    for number, line in enumerate(["GET /a", "GET /b", "PATCH /c"]):
        server.answers[line] = Answer(number)


ROUND = ("GET /a", "GET /b", "PATCH /c")


def test_a_round_is_sent_before_the_first_answer(server: RecordingServer) -> None:
    numbered(server)
    assert outcomes(transport(server), *ROUND) == ["0", "1", "2"]
    assert server.rounds == [list(ROUND)]
    assert server.connections == 1


def test_only_the_last_of_a_round_may_be_a_write(server: RecordingServer) -> None:
    with pytest.raises(ValueError, match="only the last request of a round may be a write"):
        transport(server).in_one_round(round_of("PATCH /a", "GET /b"))
    assert server.requests == []


ENDED: list[tuple[str, dict[str, Answer], list[str], list[str]]] = [
    # What the server says it has not read is sent again, a write too.
    ("says close", {"GET /a": Answer(0, headers={"Connection": "close"})}, ["0", "1", "2"], [*ROUND]),
    # What it only left unanswered is read again; the write may have been made.
    ("breaks off", {"GET /b": NO_ANSWER}, ["0", "closed", "unknown"], ["GET /a", "GET /b", "GET /b"]),
    ("leaves the write", {"PATCH /c": NO_ANSWER}, ["0", "1", "unknown"], [*ROUND]),
    # A new connection that gives nothing is no old one that went stale.
    ("gives nothing", {"GET /a": NO_ANSWER}, ["closed", "closed", "unknown"], ["GET /a"]),
]


@pytest.mark.parametrize(("ends", "said", "lines"), [pytest.param(*case[1:], id=case[0]) for case in ENDED])
def test_a_round_that_the_server_ends(
    server: RecordingServer, ends: dict[str, Answer], said: list[str], lines: list[str]
) -> None:
    numbered(server)
    server.answers |= ends
    words = {"closed": "closed the connection without an answer", "unknown": "whether the change was made is not known"}
    for outcome, expected in zip(outcomes(transport(server), *ROUND), said, strict=True):
        assert words.get(expected, expected) in outcome
    assert server.lines == lines


def test_a_round_on_a_connection_that_went_stale_reads_again(server: RecordingServer) -> None:
    numbered(server)
    server.answers["GET /a"] = [Answer(0), NO_ANSWER, Answer(3)]
    connection = transport(server)
    get(connection)
    assert outcomes(connection, "GET /a", "GET /b") == ["3", "1"]


def test_a_round_ends_at_one_deadline() -> None:
    started = time.monotonic()
    connection = Transport(access(Dripping(b"HTTP/1.1 200 OK\r\nX:").url), timeout=0.3)
    said = outcomes(connection, *ROUND)
    assert time.monotonic() - started < 2
    assert [text.partition(" did not answer ")[2].partition(";")[0] for text in said] == [
        "GET /a within 0.3 s",
        "GET /b within 0.3 s",
        "PATCH /c within 0.3 s",
    ]


def test_bytes_that_nobody_asked_for_are_no_answer_to_the_next_request(server: RecordingServer) -> None:
    # The body is longer than the length says: the rest would be taken for the next answer.
    server.answers["GET /a"] = [
        Answer(b"{}HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", headers={"Content-Length": "2"}),
        Answer(b"good"),
    ]
    connection = transport(server)
    assert [get(connection).body, get(connection).body] == [b"{}", b"good"]
    assert [request.connection for request in server.requests] == [0, 1]


def test_a_request_waits_for_a_connection_that_is_free() -> None:
    held = threading.Event()

    def slow(_: Any) -> Answer:
        held.wait(5)
        return Answer(1)

    with recording_server() as server:
        server.answers |= {"GET /a": slow, "GET /b": Answer(2)}
        connection = Transport(access(server.url), timeout=5, connections=1)
        first = threading.Thread(target=get, args=(connection,))
        second = threading.Thread(target=get, args=(connection, "/b"))
        first.start()
        while not server.requests:
            time.sleep(0.001)
        second.start()
        assert server.lines == ["GET /a"]
        held.set()
        first.join(5)
        second.join(5)
        assert server.lines == ["GET /a", "GET /b"]
        assert server.connections == 1


def test_a_connection_that_failed_makes_room_for_another() -> None:
    with recording_server() as server:
        server.answers |= {"GET /a": NO_ANSWER, "GET /b": Answer(2)}
        connection = Transport(access(server.url), timeout=5, connections=1)
        for _ in range(3):
            with pytest.raises(ConnectionFailedError):
                get(connection)
        assert get(connection, "/b").body == b"2"


def test_gzip_is_unpacked(server: RecordingServer) -> None:
    server.answers["GET /a"] = Answer({"x": "y" * 1000}, compressed=True)
    assert get(transport(server)).body == b'{"x": "%s"}' % (b"y" * 1000)


def test_broken_gzip_is_an_error(server: RecordingServer) -> None:
    server.answers["GET /a"] = Answer(b"\x1f\x8b\x08 no gzip", headers={"Content-Encoding": "gzip"})
    with pytest.raises(ConnectionFailedError, match="cut short"):
        get(transport(server))


def test_a_field_that_comes_twice_is_joined(server: RecordingServer) -> None:
    # A dict of the fields would keep the last one only, and with it one of several warnings.
    server.answers["GET /a"] = Answer({}, headers={"Warning": '299 - "a"', "warning": '299 - "b"'})
    assert get(transport(server)).headers["warning"] == '299 - "a", 299 - "b"'


def test_a_header_outside_of_latin_1_goes_as_utf_8(server: RecordingServer) -> None:
    server.answers["GET /a"] = Answer({})
    transport(server).request("GET", "/a", [("Impersonate-User", "中é")], None)
    seen = server.requests[0].header("Impersonate-User") or ""
    assert seen.encode("latin-1").decode() == "中é"


def test_a_header_with_a_line_break_is_refused_without_showing_it(server: RecordingServer) -> None:
    with pytest.raises(ConnectionFailedError) as caught:
        transport(server).request("GET", "/a", [("Authorization", "Bearer s3cret\r\nX: y")], None)
    assert "s3cret" not in str(caught.value)
    assert server.requests == []


def test_the_server_url_may_have_a_path(server: RecordingServer) -> None:
    server.answers["GET /k8s/clusters/c-1/a"] = Answer({})
    assert get(Transport(access(f"{server.url}/k8s/clusters/c-1"), timeout=5)).status == 200


def test_debug_shows_requests_and_no_header(server: RecordingServer) -> None:
    server.answers["GET /a"] = Answer({"x": 1})
    lines: list[str] = []
    shown = Transport(access(server.url), timeout=5, debug=lines.append)
    shown.request("GET", "/a?labelSelector=x", [("Authorization", "Bearer s3cret")], None)
    assert len(lines) == 1
    assert lines[0].startswith("GET /a?labelSelector=x 200 8 B ")
    assert "s3cret" not in lines[0]


def test_a_closed_transport_connects_anew(server: RecordingServer) -> None:
    server.answers["GET /a"] = Answer({})
    connection = transport(server)
    get(connection)
    connection.close()
    get(connection)
    assert [request.connection for request in server.requests] == [0, 1]


def test_stream_gives_lines_as_they_are(server: RecordingServer) -> None:
    server.answers["GET /a"] = Answer(b'{"a":1}\n{"b":2}\n')
    with transport(server).stream("/a", [ACCEPT], seconds=5) as answer:
        assert list(answer) == [b'{"a":1}\n', b'{"b":2}\n']


def test_a_timeout_longer_than_a_timer_can_be_is_no_defect(
    server: RecordingServer, capfd: pytest.CaptureFixture[str]
) -> None:
    # threading.Timer would raise OverflowError in its own thread, and print a traceback.
    server.answers["GET /a"] = Answer({})
    assert get(transport(server, timeout=1e15)).status == 200
    assert capfd.readouterr().err == ""


def test_a_request_through_a_proxy_names_the_server_in_full(server: RecordingServer) -> None:
    server.answers["GET /a"] = Answer({})
    proxied = Transport(access("http://api.test", proxy_url=f"http://me:p%40ss@127.0.0.1:{server.port}"), timeout=5)
    get(proxied)
    get(proxied)
    assert {request.target for request in server.requests} == {"http://api.test:80/a"}
    assert [request.header("Proxy-Authorization") for request in server.requests] == ["Basic bWU6cEBzcw=="] * 2
    assert [request.connection for request in server.requests] == [0, 0]


def test_an_ipv6_server_stands_in_brackets(server: RecordingServer) -> None:
    server.answers["GET /a"] = Answer({})
    get(Transport(access("http://[2001:db8::1]:8080", proxy_url=server.url), timeout=5))
    assert server.requests[0].target == "http://[2001:db8::1]:8080/a"


def test_the_proxy_of_the_environment_is_used(server: RecordingServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", server.url)
    server.answers["GET /a"] = Answer({})
    get(Transport(access("http://api.test:8001"), timeout=5))
    assert server.requests[0].target == "http://api.test:8001/a"


def test_an_unreachable_proxy_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    refused = Transport(access("http://api.test", proxy_url=f"http://127.0.0.1:{port}"), timeout=5)
    with pytest.raises(ConnectionFailedError, match=rf"api.test:80 \(through the proxy 127.0.0.1:{port}\) refused"):
        get(refused)


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:1080", "https://proxy.test", "http://", "http://[::1"])
def test_a_proxy_that_is_not_plain_http_is_refused(proxy: str) -> None:
    with pytest.raises(ConfigError, match="is not a proxy that mlscale can use; give it as http://HOST:PORT"):
        Transport(access("https://api.test", proxy_url=proxy), timeout=5)


class Dripping:
    """Sends ``head`` and then one byte each 20 ms until the client goes away."""

    def __init__(self, head: bytes) -> None:
        self._head = head
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        connection, _ = self._listener.accept()
        with self._listener, connection:
            connection.recv(65536)
            connection.sendall(self._head)
            try:
                while True:
                    connection.sendall(b" ")
                    time.sleep(0.02)
            except OSError:
                return


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nX-Slow:",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n",
        # http.client has closed its own socket by now, and takes the end of the connection for the end of the body.
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n",
        b"HTTP/1.0 200 OK\r\n\r\n",
    ],
)
def test_a_server_that_drips_is_cut_at_the_deadline(head: bytes) -> None:
    started = time.monotonic()
    with pytest.raises(ConnectionFailedError, match=r"did not answer GET /a within 0\.3 s; "):
        get(Transport(access(Dripping(head).url), timeout=0.3), "/a?x=y")
    assert 0.25 < time.monotonic() - started < 2


def test_a_write_that_is_cut_may_have_been_done() -> None:
    with pytest.raises(ConnectionFailedError, match=r"within 0\.2 s; whether the change was made is not known"):
        patch(Transport(access(Dripping(b"HTTP/1.1 200 OK\r\nX:").url), timeout=0.2))


def test_a_tls_server_that_never_shakes_hands_is_cut_at_the_deadline() -> None:
    # Its TCP connection is there at once; only the handshake never comes. The write has not been sent.
    with socket.create_server(("127.0.0.1", 0)) as silent:
        started = time.monotonic()
        url = f"https://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(ConnectionFailedError, match=r"did not answer PATCH /a within 0\.3 s; check that it is up"):
            patch(Transport(access(url), timeout=0.3))
        assert time.monotonic() - started < 2


def test_a_stream_is_cut_after_its_seconds_and_the_timeout() -> None:
    cut = Transport(access(Dripping(b"HTTP/1.1 200 OK\r\n\r\n").url), timeout=0.1)
    with (
        pytest.raises(ConnectionFailedError, match=r"within 0\.3 s"),
        cut.stream("/a", [ACCEPT], seconds=0.2) as answer,
    ):
        answer.read()


def test_debug_shows_a_request_without_an_answer_too() -> None:
    lines: list[str] = []
    with recording_server() as server:
        server.answers["GET /gone"] = NO_ANSWER
        with pytest.raises(ConnectionFailedError):
            Transport(access(server.url), timeout=5, debug=lines.append).request("GET", "/gone", [], None)
    assert [line.rpartition(" ")[0].rpartition(" ")[0] for line in lines] == ["GET /gone no answer"]
