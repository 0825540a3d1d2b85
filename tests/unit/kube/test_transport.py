"""The transport against real sockets: keep-alive, retries, proxies, gzip, deadlines. TLS is in test_tls.py."""

from __future__ import annotations

import socket
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from mlscale.errors import ConfigError
from mlscale.kube.connection_errors import ConnectionFailedError
from mlscale.kube.transport import Transport
from tests.clients import access
from tests.recording_server import NO_ANSWER, Answer, RecordingServer, recording_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlscale.kube.transport import Response

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
