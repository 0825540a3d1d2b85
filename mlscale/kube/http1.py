"""HTTP/1.1 answers read from a socket (RFC 9112), and no more of HTTP than an API server's client needs.

The standard library's http.client does as much and brings the email package with it, 10 to 14 ms of each run; it also
waits for each answer before the next request may be sent. What is not framed beyond doubt is an error here.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator, Sequence

LONGEST_LINE = 65_536
"""Bytes of a status line, a header field or a chunk's size."""
MOST_FIELDS = 256
PIECE = 65_536
LONGEST_TIMEOUT = 1e6
"""Seconds; a socket cannot be told a timeout much longer."""
_TOKEN = frozenset(b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
_BREAKS = frozenset(b"\r\n\0")
_HEX = frozenset(b"0123456789abcdefABCDEF")


class BadAnswerError(Exception):
    """What came is no HTTP answer."""


class ClosedError(BadAnswerError):
    """The connection ended before a byte of the answer."""


class CutShortError(BadAnswerError):
    """The answer ended, or lost its frame, before it was whole."""


class Deadline:
    """A point of monotonic time, ``seconds`` from now."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + min(seconds, LONGEST_TIMEOUT)

    def left(self) -> float:
        """Seconds until then. Raises TimeoutError where there are none."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left


class Wire:
    """A connected socket with what was read ahead of it; each read and write ends by the deadline.

    A socket's own timeout starts anew at each byte, so it is set anew before each.
    """

    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self.sock = sock
        self.deadline = deadline
        self._ahead = b""
        self._at = 0

    @property
    def is_clean(self) -> bool:
        """Whether all that came has been read."""
        return self._at == len(self._ahead)

    def send(self, message: bytes) -> None:
        """Send it whole."""
        rest = memoryview(message)
        while rest:
            self.sock.settimeout(self.deadline.left())
            rest = rest[self.sock.send(rest) :]

    def piece(self, most: int = PIECE) -> bytes:
        """The next bytes, as many as are there; empty at the end of the connection."""
        if self._at < len(self._ahead):
            piece = self._ahead[self._at : self._at + most]
            self._at += len(piece)
            return piece
        self.sock.settimeout(self.deadline.left())
        return self.sock.recv(min(most, PIECE))

    def line(self) -> bytes:
        """The next line without its end. Raises CutShortError at the end of the connection."""
        while (end := self._ahead.find(b"\n", self._at)) < 0:
            if len(self._ahead) - self._at > LONGEST_LINE:
                raise BadAnswerError
            self.sock.settimeout(self.deadline.left())
            more = self.sock.recv(PIECE)
            if not more:
                raise CutShortError
            self._ahead, self._at = self._ahead[self._at :] + more, 0
        line = self._ahead[self._at : end]
        self._at = end + 1
        if len(line) > LONGEST_LINE:
            raise BadAnswerError
        return line[:-1] if line.endswith(b"\r") else line

    def has_more(self) -> bool:
        """Whether another byte comes before the connection ends; waits for it."""
        if self.is_clean:
            self._ahead, self._at = self.piece(), 0
        return not self.is_clean

    def exactly(self, count: int) -> Iterator[bytes]:
        """The next ``count`` bytes, piece by piece. Raises CutShortError where the connection ends before."""
        while count:
            piece = self.piece(min(count, PIECE))
            if not piece:
                raise CutShortError
            count -= len(piece)
            yield piece

    def close(self) -> None:
        """Close the socket."""
        self.sock.close()


class Answer:
    """An answer whose head has been read: ``status``, header fields by lower-case name, and the body to come."""

    def __init__(self, wire: Wire, status: int, headers: dict[str, str], *, version: bytes) -> None:
        self.status = status
        self.headers = headers
        self._wire = wire
        self._chunked = "transfer-encoding" in headers
        self._length = _content_length(headers, status)
        closes = "close" in headers.get("connection", "").lower()
        self.keeps_alive = version == b"HTTP/1.1" and not closes and (self._chunked or self._length is not None)
        """Whether the connection may carry another request once the body is read."""

    def pieces(self) -> Iterator[bytes]:
        """The body as it arrives."""
        if self._chunked:
            return _chunks(self._wire)
        if self._length is not None:
            return self._wire.exactly(self._length)
        return iter(self._wire.piece, b"")

    def read(self) -> bytes:
        """The whole body."""
        return b"".join(self.pieces())

    def __iter__(self) -> Iterator[bytes]:
        """The body's lines, each as soon as it is whole; the last may lack its end."""
        rest = b""
        for piece in self.pieces():
            *lines, rest = (rest + piece).split(b"\n") if b"\n" in piece else (rest + piece,)
            for line in lines:
                yield line + b"\n"
        if rest:
            yield rest


def read_answer(wire: Wire) -> Answer:
    """The next final answer's head; interim answers (1xx) are passed over.

    Raises ClosedError, CutShortError or BadAnswerError, and TimeoutError at the deadline.
    """
    version, status = _status_line(wire)
    headers = _fields(wire)
    while 100 <= status < 200 and status != 101:
        version, status = _status_line(wire)
        headers = _fields(wire)
    if status < 200:
        raise BadAnswerError
    return Answer(wire, status, headers, version=version)


def request_head(method: str, target: str, host: str, fields: Sequence[tuple[str, str]]) -> bytes:
    """A request's head. Raises ValueError, which may quote it, for a field with a line break.

    Values go as UTF-8, as Go sends them: a user's name may lie outside of Latin-1.
    """
    lines = [f"{method} {target} HTTP/1.1".encode("ascii"), b"Host: " + host.encode()]
    for name, value in fields:
        line = f"{name}: {value}".encode()
        lines.append(line)
    if any(not _BREAKS.isdisjoint(line) for line in lines):
        raise ValueError("a line break in the request's head")
    return b"\r\n".join(lines) + b"\r\n\r\n"


def _status_line(wire: Wire) -> tuple[bytes, int]:
    if not wire.has_more():
        raise ClosedError
    line = wire.line()
    version, _, rest = line.partition(b" ")
    code = rest[:3]
    if version not in (b"HTTP/1.1", b"HTTP/1.0") or not code.isdigit() or len(code) < 3 or rest[3:4] not in (b"", b" "):
        raise BadAnswerError
    return version, int(code)


def _fields(wire: Wire) -> dict[str, str]:
    """Header fields; the values of a name that comes again joined by commas (RFC 9110, 5.3)."""
    fields: dict[str, str] = {}
    for _ in range(MOST_FIELDS):
        line = wire.line()
        if not line:
            return fields
        name, colon, value = line.partition(b":")
        # A folded line begins with a space, which no name holds.
        if not (colon and name and _TOKEN.issuperset(name)):
            raise BadAnswerError
        key, text = name.decode("ascii").lower(), value.strip(b" \t").decode("latin-1")
        fields[key] = f"{fields[key]}, {text}" if key in fields else text
    raise BadAnswerError


def _content_length(headers: dict[str, str], status: int) -> int | None:
    """The body's length in bytes; None where chunks or the end of the connection tell it.

    Raises BadAnswerError where the fields leave a doubt (RFC 9112, 6.3), since then what follows may be taken for
    another answer.
    """
    coding, length = headers.get("transfer-encoding"), headers.get("content-length")
    if coding is not None and (coding.lower() != "chunked" or length is not None):
        raise BadAnswerError
    if status in (204, 304):
        return 0
    if length is None:
        return None
    values = {part.strip() for part in length.split(",")}
    value = values.pop()
    if values or not (value.isascii() and value.isdigit()) or len(value) > 18:
        raise BadAnswerError
    return int(value)


def _chunks(wire: Wire) -> Iterator[bytes]:
    while size := _chunk_size(wire.line()):
        yield from wire.exactly(size)
        if wire.line():
            raise CutShortError
    _fields(wire)


def _chunk_size(line: bytes) -> int:
    digits = line.partition(b";")[0].strip(b" \t")
    if not digits or len(digits) > 15 or not _HEX.issuperset(digits):
        raise CutShortError
    return int(digits, 16)
