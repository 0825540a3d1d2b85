"""The reader of HTTP/1.1 answers: what it reads, however it is cut into pieces, and what it refuses."""

from __future__ import annotations

import gzip
import socket
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mlscale.kube.http1 import (
    LONGEST_LINE,
    MOST_FIELDS,
    BadAnswerError,
    ClosedError,
    CutShortError,
    Deadline,
    Wire,
    read_answer,
    request_head,
)

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


class Pieces:
    """A socket that gives its bytes in pieces, and then ends."""

    def __init__(self, *pieces: bytes) -> None:
        self._pieces = [piece for piece in pieces if piece]
        self.timeouts: list[float] = []

    def settimeout(self, seconds: float) -> None:
        self.timeouts.append(seconds)

    def recv(self, most: int) -> bytes:
        if not self._pieces:
            return b""
        piece = self._pieces.pop(0)
        if piece[most:]:
            self._pieces.insert(0, piece[most:])
        return piece[:most]


def wire(*pieces: bytes, seconds: float = 5) -> Wire:
    return Wire(Pieces(*pieces), Deadline(seconds))  # type: ignore[arg-type]


READ = [
    ("a length", OK + b"Content-Length: 2\r\n\r\n{}", 200, b"{}", True),
    ("no reason", b"HTTP/1.1 404\r\nContent-Length: 0\r\n\r\n", 404, b"", True),
    ("bare line feeds", b"HTTP/1.1 200 OK\nContent-Length: 2\n\n{}", 200, b"{}", True),
    ("a length twice", OK + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}", 200, b"{}", True),
    ("chunks", CHUNKED + b"1\r\n{\r\n1;ext=1\r\n}\r\n0\r\n\r\n", 200, b"{}", True),
    ("a trailer", CHUNKED + b"2\r\n{}\r\n0\r\nX-Sum: 1\r\n\r\n", 200, b"{}", True),
    ("capitals", OK + b"TRANSFER-ENCODING: Chunked\r\n\r\nA\r\n0123456789\r\n0\r\n\r\n", 200, b"0123456789", True),
    ("until the end", OK + b"\r\n{}", 200, b"{}", False),
    ("told to close", OK + b"Connection: close\r\nContent-Length: 2\r\n\r\n{}", 200, b"{}", False),
    ("the old version", b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}", 200, b"{}", False),
    ("no content", b"HTTP/1.1 204 No Content\r\n\r\n", 204, b"", True),
    ("an interim answer", b"HTTP/1.1 103 Hints\r\nX: y\r\n\r\n" + OK + b"Content-Length: 0\r\n\r\n", 200, b"", True),
]  # fmt: skip


@pytest.mark.parametrize(("sent", "status", "body", "keeps_alive"), [pytest.param(*c[1:], id=c[0]) for c in READ])
def test_answers_are_read(sent: bytes, status: int, body: bytes, keeps_alive: bool) -> None:
    source = wire(sent)
    answer = read_answer(source)
    assert (answer.status, answer.read(), answer.keeps_alive) == (status, body, keeps_alive)
    assert source.is_clean


REFUSED = [
    ("nothing", b"", ClosedError),
    ("half a status line", b"HTTP/1.1 2", CutShortError),
    ("half a header", OK + b"Content-Le", CutShortError),
    ("half a body", OK + b"Content-Length: 3\r\n\r\n{}", CutShortError),
    ("half a chunk", CHUNKED + b"3\r\n{}", CutShortError),
    ("no last chunk", CHUNKED + b"2\r\n{}\r\n", CutShortError),
    ("no end of the trailer", CHUNKED + b"2\r\n{}\r\n0\r\nX: y\r\n", CutShortError),
    ("a chunk longer than it says", CHUNKED + b"1\r\n{}\r\n0\r\n\r\n", CutShortError),
    ("a chunk without digits", CHUNKED + b"\r\n{}\r\n0\r\n\r\n", CutShortError),
    ("a negative chunk", CHUNKED + b"-2\r\n{}\r\n0\r\n\r\n", CutShortError),
    ("a chunk with an underscore", CHUNKED + b"1_0\r\n", CutShortError),
    ("a chunk of 2^64", CHUNKED + b"10000000000000000\r\n", CutShortError),
    ("another protocol", b"SSH-2.0-OpenSSH_9\r\n", BadAnswerError),
    ("another version", b"HTTP/2.0 200 OK\r\n\r\n", BadAnswerError),
    ("a status of two digits", b"HTTP/1.1 20 OK\r\n\r\n", BadAnswerError),
    ("a status of four digits", b"HTTP/1.1 2000 OK\r\n\r\n", BadAnswerError),
    ("a protocol nobody asked for", b"HTTP/1.1 101 Switching Protocols\r\n\r\n", BadAnswerError),
    ("lengths that differ", OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", BadAnswerError),
    ("length and chunks", OK + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", BadAnswerError),
    ("another coding", OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n", BadAnswerError),
    ("a signed length", OK + b"Content-Length: +2\r\n\r\n{}", BadAnswerError),
    ("a length in other digits", OK + "Content-Length: ²\r\n\r\n".encode("latin-1"), BadAnswerError),
    ("a folded header", OK + b"X: a\r\n b\r\nContent-Length: 0\r\n\r\n", BadAnswerError),
    ("a space before the colon", OK + b"Content-Length : 2\r\n\r\n{}", BadAnswerError),
    ("a header without a colon", OK + b"Content-Length\r\n\r\n", BadAnswerError),
    ("a line too long", OK + b"X: " + b"y" * (LONGEST_LINE + 1) + b"\r\n\r\n", BadAnswerError),
    ("a line without end", OK + b"X: " + b"y" * (3 * LONGEST_LINE), BadAnswerError),
    ("too many headers", OK + b"X: y\r\n" * (MOST_FIELDS + 1) + b"\r\n", BadAnswerError),
]  # fmt: skip


@pytest.mark.parametrize(("sent", "error"), [pytest.param(*case[1:], id=case[0]) for case in REFUSED])
def test_what_is_not_framed_beyond_doubt_is_refused(sent: bytes, error: type[BadAnswerError]) -> None:
    with pytest.raises(BadAnswerError) as caught:
        read_answer(wire(sent)).read()
    assert type(caught.value) is error


def chunked(parts: list[bytes]) -> bytes:
    return b"".join(f"{len(part):x}\r\n".encode() + part + b"\r\n" for part in parts if part) + b"0\r\n\r\n"


def cut(message: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({place % (len(message) + 1) for place in cuts})
    return [message[start:end] for start, end in zip([0, *places], [*places, len(message)], strict=True)]


@given(
    parts=st.lists(st.binary(max_size=200), max_size=6),
    cuts=st.lists(st.integers(0, 10_000), max_size=8),
    by_length=st.booleans(),
)
@example(parts=[b"\r\n0\r\n\r\n"], cuts=list(range(200)), by_length=False)
@settings(deadline=None)
def test_two_answers_are_the_same_wherever_the_network_cuts_them(
    parts: list[bytes], cuts: list[int], by_length: bool
) -> None:
    body = b"".join(parts)
    first = OK + f"Content-Length: {len(body)}\r\n\r\n".encode() + body if by_length else CHUNKED + chunked(parts)
    source = wire(*cut(first + OK + b"Content-Length: 2\r\n\r\n{}", cuts))
    assert read_answer(source).read() == body
    assert read_answer(source).read() == b"{}"
    assert source.is_clean


@given(message=st.binary(max_size=300), head=st.sampled_from([b"", OK, CHUNKED, OK + b"Content-Length: 5\r\n\r\n"]))
@settings(deadline=None)
def test_whatever_a_server_sends_ends_in_an_answer_or_an_error(message: bytes, head: bytes) -> None:
    sent = head + message
    try:
        answer = read_answer(wire(sent))
        body = answer.read()
    except BadAnswerError:
        return
    assert 200 <= answer.status <= 999
    assert len(body) <= len(sent)


@given(
    lines=st.lists(st.binary(max_size=30).map(lambda line: line.replace(b"\n", b"")), max_size=6),
    cuts=st.lists(st.integers(0, 10_000), max_size=8),
)
@settings(deadline=None)
def test_lines_are_whole_wherever_the_chunks_end(lines: list[bytes], cuts: list[int]) -> None:
    body = b"".join(line + b"\n" for line in lines)
    answer = read_answer(wire(CHUNKED + chunked(cut(body, cuts))))
    assert list(answer) == [line + b"\n" for line in lines]


def test_a_line_is_given_before_the_next_comes() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(CHUNKED + b"4\r\n{}\n{\r\n")
        answer = iter(read_answer(Wire(ours, Deadline(5))))
        assert next(answer) == b"{}\n"
        theirs.sendall(b"2\r\n}\n\r\n0\r\n\r\n")
        assert list(answer) == [b"{}\n"]


def test_each_read_has_only_what_is_left_of_the_time() -> None:
    source = wire(*[bytes([byte]) for byte in OK + b"Content-Length: 3\r\n\r\nabc"])
    assert read_answer(source).read() == b"abc"
    timeouts = source.sock.timeouts  # type: ignore[attr-defined]
    assert len(timeouts) > 20
    assert timeouts == sorted(timeouts, reverse=True)


def test_the_time_ends_whatever_still_comes() -> None:
    source = wire(OK, seconds=0.01)
    time.sleep(0.02)
    with pytest.raises(TimeoutError):
        read_answer(source)


def test_a_request_is_one_message() -> None:
    head = request_head("GET", "/a?b=c", "api.test:6443", [("Accept", "x"), ("Impersonate-User", "中")])
    assert head == "GET /a?b=c HTTP/1.1\r\nHost: api.test:6443\r\nAccept: x\r\nImpersonate-User: 中\r\n\r\n".encode()


@pytest.mark.parametrize("value", ["a\r\nX: y", "a\nX: y", "a\rb", "a\0b"])
@pytest.mark.parametrize("place", ["name", "value", "target", "host"])
def test_a_line_break_cannot_add_a_header(value: str, place: str) -> None:
    parts = {"name": "X", "value": "y", "target": "/", "host": "h"} | {place: value}
    with pytest.raises(ValueError, match="a line break in the request's head"):
        request_head("GET", parts["target"], parts["host"], [(parts["name"], parts["value"])])


def test_gzip_is_left_to_the_caller() -> None:
    packed = gzip.compress(b"{}")
    answer = read_answer(
        wire(OK + f"Content-Encoding: gzip\r\nContent-Length: {len(packed)}\r\n\r\n".encode() + packed)
    )
    assert (answer.headers["content-encoding"], answer.read()) == ("gzip", packed)
