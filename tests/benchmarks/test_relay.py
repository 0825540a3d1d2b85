"""The relay delays and does nothing else."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

import pytest
import yaml

from benchmarks.relay import CHUNK, HOST, Distance, carry, far_kubeconfig, relay, server_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

NEAR = Distance(0.0)
FAR = Distance(0.040)


class SkippingLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock jumps to the next timer instead of waiting for it."""

    now = 0.0

    def time(self) -> float:
        return self.now

    def _run_once(self) -> None:
        if not self._ready and self._scheduled:  # type: ignore[attr-defined]
            self.now = max(self.now, self._scheduled[0].when())  # type: ignore[attr-defined]
        super()._run_once()  # type: ignore[misc]


class Arrivals:
    """Stands in for a connection: notes what arrives when."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.seen: list[tuple[float, int]] = []

    def write(self, chunk: bytes) -> None:
        self.seen.append((round(self._loop.time(), 6), len(chunk)))

    def write_eof(self) -> None:
        self.write(b"")

    async def drain(self) -> None:
        """It takes whatever comes."""


def _arrivals(sends: list[tuple[float, int]], due: Callable[[float], float]) -> list[tuple[float, int]]:
    loop = SkippingLoop()

    async def play() -> list[tuple[float, int]]:
        source, target = asyncio.StreamReader(limit=CHUNK), Arrivals(loop)
        async with asyncio.TaskGroup() as tasks:
            carry(tasks, source, cast("asyncio.StreamWriter", target), lambda: due(loop.time()))
            for moment, size in sends:
                await asyncio.sleep(moment - loop.time())
                source.feed_data(b"x" * size)
            source.feed_eof()
        return target.seen

    try:
        return loop.run_until_complete(play())
    finally:
        loop.close()


def test_the_chunks_of_a_burst_arrive_together() -> None:
    """One after another they would arrive at 20, 40 and 60 ms."""
    assert _arrivals([(0.0, 3 * CHUNK)], FAR.downward) == [
        (0.020, CHUNK),
        (0.020, CHUNK),
        (0.020, CHUNK),
        (0.020, 0),
    ]


def test_what_is_sent_later_arrives_as_much_later() -> None:
    assert _arrivals([(0.0, 10), (0.005, 20), (0.100, 30)], FAR.downward) == [
        (0.020, 10),
        (0.025, 20),
        (0.120, 30),
        (0.120, 0),
    ]


def test_the_first_bytes_wait_for_a_connection_of_that_length() -> None:
    """A SYN and its answer take 40 ms, then the bytes 20: what was sent before waits, what is sent later travels."""

    def due(received: float) -> float:
        return FAR.upward(0.0, received)

    assert _arrivals([(0.001, 10), (0.050, 20)], due) == [(0.060, 10), (0.070, 20), (0.070, 0)]


@pytest.mark.parametrize("size", [1, CHUNK - 1, CHUNK + 1, 3_000_000])
def test_every_byte_arrives_unchanged_in_both_directions(size: int) -> None:
    sent = bytes(number * 7 % 251 for number in range(1000)) * (size // 1000 + 1)
    with _server(_echo) as port, relay(HOST, port, NEAR) as far:
        assert _exchanged(far, sent[:size]) == sent[:size]


def test_an_answer_comes_after_the_client_has_said_all() -> None:
    """Closed whole instead of by half, the connection would lose the answer."""

    def answer_at_the_end(connection: socket.socket) -> None:
        received = _read_all(connection)
        connection.sendall(b"%d bytes" % len(received))

    with _server(answer_at_the_end) as port, relay(HOST, port, FAR) as far:
        assert _exchanged(far, b"a" * 1000) == b"1000 bytes"


def test_a_server_that_ends_first_ends_the_connection() -> None:
    with (
        _server(lambda connection: connection.sendall(b"bye")) as port,
        relay(HOST, port, FAR) as far,
        socket.create_connection((HOST, far), timeout=10) as client,
    ):
        assert _read_all(client) == b"bye"


def test_many_connections_are_kept_apart() -> None:
    answers: dict[int, bytes] = {}

    def ask(number: int) -> None:
        answers[number] = _exchanged(far, b"%d" % number)

    with _server(_echo) as port, relay(HOST, port, FAR) as far:
        clients = [threading.Thread(target=ask, args=(number,)) for number in range(50)]
        for client in clients:
            client.start()
        for client in clients:
            client.join(30)

    assert answers == {number: b"%d" % number for number in range(50)}


def test_a_round_trip_takes_at_least_its_time() -> None:
    """Two of them for the first answer: one is the connection's."""
    with _server(_echo) as port, relay(HOST, port, FAR) as far:
        started = time.perf_counter()
        with socket.create_connection((HOST, far), timeout=10) as client:
            client.sendall(b"1")
            client.recv(1)
            first = time.perf_counter() - started
            client.sendall(b"2")
            client.recv(1)
            second = time.perf_counter() - started - first

    assert first >= 2 * FAR.round_trip
    assert second >= FAR.round_trip


def test_without_a_server_the_client_is_cut_off() -> None:
    with socket.socket() as unused:
        unused.bind((HOST, 0))
        with relay(HOST, unused.getsockname()[1], FAR) as far, pytest.raises(ConnectionError):
            _raise_at_the_end(_exchanged(far, b"anyone?"))


def test_a_far_kubeconfig_leads_through_the_relay_and_checks_the_same_name(tmp_path: Path) -> None:
    cluster = {"server": "https://api.example.com:6443", "certificate-authority-data": "Y2E="}
    near = tmp_path / "near"
    near.write_text(yaml.safe_dump({"clusters": [{"name": "one", "cluster": cluster}]}), encoding="utf-8")

    far = yaml.safe_load(far_kubeconfig(near, 4444, tmp_path / "far").read_text(encoding="utf-8"))

    assert server_of(near) == ("api.example.com", 6443)
    assert far["clusters"][0]["cluster"] == {
        "server": "https://127.0.0.1:4444",
        "certificate-authority-data": "Y2E=",
        "tls-server-name": "api.example.com",
    }


@contextmanager
def _server(serve: Callable[[socket.socket], None]) -> Iterator[int]:
    """A TCP server that hands each connection to ``serve`` and closes it."""
    listener = socket.create_server((HOST, 0), backlog=64)

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=_served, args=(serve, connection), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def _served(serve: Callable[[socket.socket], None], connection: socket.socket) -> None:
    with connection:
        serve(connection)


def _echo(connection: socket.socket) -> None:
    while chunk := connection.recv(CHUNK):
        connection.sendall(chunk)


def _exchanged(port: int, sent: bytes) -> bytes:
    """What comes back for ``sent``, which is all that the client says."""
    with socket.create_connection((HOST, port), timeout=20) as client:
        sender = threading.Thread(target=_send, args=(client, sent))
        sender.start()
        received = _read_all(client)
        sender.join(20)
    return received


def _send(client: socket.socket, sent: bytes) -> None:
    try:
        client.sendall(sent)
        client.shutdown(socket.SHUT_WR)
    except OSError:
        # The reader of the same socket sees it too.
        return


def _read_all(connection: socket.socket) -> bytes:
    return b"".join(iter(lambda: connection.recv(CHUNK), b""))


def _raise_at_the_end(received: bytes) -> None:
    if not received:
        raise ConnectionError("closed without an answer")
