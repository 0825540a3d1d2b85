"""Whatever a server does, the command ends in time with one line, the right exit code and no secret."""

from __future__ import annotations

import json
import socket
import ssl
import time
from typing import TYPE_CHECKING, Any

import pytest
import trustme

from tests.faults.bad_server import BadServer, Behaviour, answer, bad_server, drips, sends, stays_silent
from tests.recording_server import Answer, RecordingServer, recording_server
from tests.unit.scale.objects import deployment, hpas, path, serve

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.command_line import CommandLine, Result

    Make = Callable[..., CommandLine]

TOKEN = "t0ken-that-must-not-leak"
SCALE = ["scale", "web", "--replicas", "3", "--request-timeout=250ms"]
READ_FIRST = [*SCALE, "--strict"]
"""Sends the write only after what was read speaks for it."""


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def tls(authority: trustme.CA) -> ssl.SSLContext:
    """A token is sent over TLS only, so the servers that could leak it speak TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


@pytest.fixture
def to(command_line: Make, authority: trustme.CA, tmp_path: Any) -> Callable[[str], CommandLine]:
    """The command line of a user with a token, for a server's URL."""
    (tmp_path / "ca.pem").write_bytes(authority.cert_pem.bytes())
    return lambda url: command_line(url, {"token": TOKEN}, **{"certificate-authority": str(tmp_path / "ca.pem")})


def failed(result: Result, code: int = 1) -> str:
    """The one error line of a run that ended as every failure has to."""
    assert (result.code, result.out) == (code, "")
    others = [line for line in result.err.splitlines() if not line.startswith(("debug: ", "error: "))]
    assert others == []
    assert len(result.errors) == 1, result.err
    assert "Traceback" not in result.err
    assert TOKEN not in result.err
    assert "\x1b" not in result.err
    return result.errors[0]


def status(message: str, code: int = 500) -> bytes:
    body = {"kind": "Status", "status": "Failure", "code": code, "message": message}
    return answer(json.dumps(body).encode(), f"{code} X")


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
LATE = " did not answer GET /apis/apps/v1/namespaces/default/deployments/web within 0.25 s; "
NO_OBJECT = "the answer to GET /apis/apps/v1/namespaces/default/deployments/web is not a JSON object; "
CUT = " was cut short; try again"
CASES: list[tuple[str, Behaviour, str]] = [
    ("silent", stays_silent, LATE),
    ("drips a status line", drips(b"", b"H"), LATE),
    ("drips a header", drips(b"HTTP/1.1 200 OK\r\nX-Slow: "), LATE),
    ("drips headers", drips(b"HTTP/1.1 200 OK\r\n", b"X:y\r\n"), ""),
    ("drips a body", drips(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"), LATE),
    ("drips a body without end", drips(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{"), LATE),
    ("drips chunks", drips(CHUNKED, b"1\r\nx\r\n"), LATE),
    ("closes", sends(b""), " closed the connection without an answer; try again"),
    ("a body cut short", sends(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"kind"'), CUT),
    ("a chunk cut short", sends(CHUNKED + b"64\r\n{"), CUT),
    ("chunks without an end", sends(CHUNKED + b"2\r\n{}\r\n"), CUT),
    ("a header cut short", sends(b"HTTP/1.1 200 OK\r\nContent-Le"), CUT),
    ("a chunk that is no number", sends(CHUNKED + b"zz\r\n{}\r\n"), CUT),
    ("garbage", sends(b"\x00\xff SSH-2.0-OpenSSH\r\n"), " does not answer in HTTP; check the server's address"),
    ("another protocol", sends(b"220 mail.test ESMTP\r\n"), " does not answer in HTTP; "),
    ("a line without end", sends(b"HTTP/1.1 200 " + b"x" * 100_000), "the server 127.0.0.1:"),
    ("headers without end", sends(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 500), "the server 127.0.0.1:"),
    ("a header too long", sends(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000), "the server 127.0.0.1:"),
    ("HTML", sends(answer(b"<html><title>Log in</title></html>")), NO_OBJECT + "check that the address"),
    ("nothing", sends(answer(b"")), NO_OBJECT),
    ("a list", sends(answer(b'[{"kind":"Deployment"}]')), NO_OBJECT),
    ("a number", sends(answer(b"7")), NO_OBJECT),
    ("no UTF-8", sends(answer(b'{"a":"\xff\xfe"}')), NO_OBJECT),
    ("deep nesting", sends(answer(b'{"a":' * 100_000)), NO_OBJECT),
    ("false gzip", sends(answer(b"not gzip", "200 OK", "Content-Encoding: gzip")), CUT),
    ("a redirect", sends(answer(b"", "302 Found", "Location: https://login.test")), "the server answered 302 to GET"),
    ("500 with a body", sends(answer(b"password=hunter2", "500 X")), "the server answered 500 to GET /apis"),
    ("escapes", sends(status("\x1b]0;owned\x07 \x1b[2J\r\nfake: line")), r"\x1b]0;owned\x07 \x1b[2J fake: line"),
    ("a message of a megabyte", sends(status("x" * 1_000_000)), "xxx…"),
    ("a message that is a list", sends(answer(b'{"kind":"Status","message":["a"]}', "500 X")), "['a']"),
    ("details that are a text", sends(answer(b'{"kind":"Status","message":"m","details":"d"}', "500 X")), "m"),
]  # fmt: skip


def assert_one_line_in_time(run: CommandLine, server: BadServer, message: str) -> None:
    started = time.monotonic()
    result = run(*READ_FIRST, "--debug")
    assert time.monotonic() - started < 5
    line = failed(result)
    assert message in line
    assert len(line) < 1000
    assert "hunter2" not in result.err
    assert server.seen[0] == f"GET {path('web')} HTTP/1.1"


@pytest.mark.parametrize(("behaviour", "message"), [pytest.param(*case[1:], id=case[0]) for case in CASES])
def test_a_bad_answer_is_one_line_in_time(
    to: Callable[[str], CommandLine], tls: ssl.SSLContext, behaviour: Behaviour, message: str
) -> None:
    with bad_server(behaviour, tls) as server:
        assert_one_line_in_time(to(server.url), server, message)


IN_THE_CLEAR = ("silent", "drips a body without end", "closes", "a body cut short", "chunks without an end", "garbage")


@pytest.mark.parametrize(
    ("behaviour", "message"), [pytest.param(*case[1:], id=case[0]) for case in CASES if case[0] in IN_THE_CLEAR]
)
def test_a_bad_answer_without_tls(command_line: Make, behaviour: Behaviour, message: str) -> None:
    with bad_server(behaviour) as server:
        assert_one_line_in_time(command_line(server.url), server, message)


def test_a_server_that_never_shakes_hands(to: Callable[[str], CommandLine]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        started = time.monotonic()
        result = to(f"https://127.0.0.1:{silent.getsockname()[1]}")(*SCALE)
        assert time.monotonic() - started < 5
    # Nothing was sent, so nothing can have been changed.
    assert " did not answer PATCH " in failed(result)
    assert " within 0.25 s; check that it is up" in failed(result)


def test_nobody_listens(to: Callable[[str], CommandLine]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert failed(to(f"https://127.0.0.1:{port}")(*SCALE)).startswith(f"the server 127.0.0.1:{port} refused the connec")


def test_an_unknown_host(to: Callable[[str], CommandLine], monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    # The resolver's answer alone is made up: no question is to leave this machine.
    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    line = failed(to("https://no-such-host.invalid:6443")(*SCALE))
    assert line == "no such host: the server no-such-host.invalid:6443; check the server's address in the kubeconfig"


def test_plain_http_where_tls_is_wanted(to: Callable[[str], CommandLine], server: RecordingServer) -> None:
    assert "it does not speak TLS" in failed(to(f"https://127.0.0.1:{server.port}")(*SCALE))


def test_a_certificate_of_another_authority(to: Callable[[str], CommandLine]) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    with recording_server(context) as server:
        line = failed(to(server.url)(*SCALE))
        assert server.requests == []
    assert " is not trusted: " in line
    assert line.count("check certificate-authority of cluster 'lab' in ") == 1


UNANSWERED: list[tuple[str, Behaviour, str]] = [
    ("silent", stays_silent, " within 0.25 s; whether the change was made is not known; "),
    ("closes", sends(b""), " without an answer; whether the change was made is not known; "),
    ("cut short", sends(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"), " short; whether the change was made is"),
    ("garbage", sends(b"??\r\n"), "; whether the change was made is not known; "),
]  # fmt: skip


@pytest.mark.parametrize(("behaviour", "message"), [pytest.param(*case[1:], id=case[0]) for case in UNANSWERED])
def test_a_write_without_an_answer_is_said_to_be_open(
    command_line: Make, server: RecordingServer, behaviour: Behaviour, message: str
) -> None:
    """Reads are answered well; the write goes to the same address and is not."""
    serve(server, deployment("web", 1))
    reads = {f"GET {path('web')}": deployment("web", 1), f"GET {hpas()}": {"items": []}}
    written: list[str] = []

    def behave(connection: socket.socket) -> None:
        # The head is read; the first line stands in ``seen``.
        line = bad.seen[-1].rpartition(" ")[0].partition("?")[0]
        if line in reads:
            connection.sendall(answer(json.dumps(reads[line]).encode(), "200 OK", "Connection: close"))
            return
        written.append(line)
        behaviour(connection)

    with bad_server(behave) as bad:
        result = command_line(bad.url)(*SCALE)
    assert message in failed(result)
    assert written == [f"PATCH {path('web', 'scale')}"]


def test_an_object_without_what_it_should_have(command_line: Make, server: RecordingServer) -> None:
    # An API server of a strange make: the write goes through, and nothing that is missing is invented.
    serve(server, deployment("web", 1))
    server.answers[f"GET {path('web')}"] = Answer({"kind": "Deployment", "metadata": {"name": "web"}})
    result = command_line(server.url)(*SCALE)
    assert (result.code, result.out) == (0, "deployment.apps/web scaled\n")
    assert "->" not in result.err


def test_a_name_with_escapes_is_neutralised(command_line: Make, server: RecordingServer) -> None:
    evil = deployment("a\x1b[2J\u202e", 1)
    serve(server, deployment("web", 1))
    server.answers["GET /apis/apps/v1/namespaces/default/deployments"] = Answer({"items": [evil]})
    patched = "/apis/apps/v1/namespaces/default/deployments/a%1B%5B2J%E2%80%AE/scale"
    server.answers[f"PATCH {patched}"] = Answer({})
    result = command_line(server.url)("scale", "deploy", "--all", "--replicas", "3")
    assert (result.code, result.out) == (0, "deployment.apps/a\\x1b[2J\\u202e scaled\n")
    assert "\x1b" not in result.err
