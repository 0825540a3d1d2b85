"""A relay on loopback that makes a server seem far away: what passes through it arrives half a round trip later.

What it models, with a round trip of R: bytes take R / 2 in each direction. The client's first bytes reach the server
R / 2 after a connection of that length would have been open, so 1.5 R after it was asked for (a SYN and its answer
take R; a user-space relay cannot hold those back, so ``connect`` itself returns at once and the client waits for the
first answer instead). The chunks of a burst are in flight together: each is late by R / 2, not by the sum of those
before it. Bandwidth is not limited, nothing is lost, and TLS passes through untouched. The event loop's timers
have 1 ms.
"""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import urlsplit

import yaml

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

HOST = "127.0.0.1"
CHUNK = 65536
IN_FLIGHT = 256
"""Chunks that a direction holds: 16 MiB, more than these programs have under way."""


UnderWay: TypeAlias = "asyncio.Queue[tuple[float, bytes]]"
"""When each chunk is due, and the chunk; an empty one is the end."""


@dataclass(frozen=True)
class Distance:
    """How far away the server is: its round trip in seconds."""

    round_trip: float

    def upward(self, accepted: float, received: float) -> float:
        """When bytes from the client reach the server; the connection was asked for at ``accepted``."""
        return max(received, accepted + self.round_trip) + self.round_trip / 2

    def downward(self, received: float) -> float:
        """When bytes from the server reach the client."""
        return received + self.round_trip / 2


@contextmanager
def relay(host: str, port: int, distance: Distance) -> Iterator[int]:
    """The port on 127.0.0.1 that leads to ``host:port``, while the block runs."""
    loop = asyncio.new_event_loop()
    serving = threading.Thread(target=loop.run_forever, name="relay", daemon=True)
    serving.start()
    server = asyncio.run_coroutine_threadsafe(_listen(host, port, distance), loop).result(10)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        asyncio.run_coroutine_threadsafe(_close(server), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        serving.join(10)
        loop.close()


async def _listen(host: str, port: int, distance: Distance) -> asyncio.Server:
    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Cancelled only where the relay ends, with the last bytes of a closed connection still on their way.
        with suppress(asyncio.CancelledError):
            await _pass_on(reader, writer, host, port, distance)

    return await asyncio.start_server(pass_on, HOST, 0, backlog=512, limit=CHUNK)


async def _close(server: asyncio.Server) -> None:
    server.close()
    own = asyncio.current_task()
    left = [task for task in asyncio.all_tasks() if task is not own]
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)


async def _pass_on(
    client: asyncio.StreamReader, to_client: asyncio.StreamWriter, host: str, port: int, distance: Distance
) -> None:
    now = asyncio.get_running_loop().time
    accepted = now()
    try:
        server, to_server = await asyncio.open_connection(host, port, limit=CHUNK)
    except OSError:
        to_client.transport.abort()
        return
    try:
        async with asyncio.TaskGroup() as tasks:
            carry(tasks, client, to_server, lambda: distance.upward(accepted, now()))
            carry(tasks, server, to_client, lambda: distance.downward(now()))
    except* OSError:
        # One side broke off: so must the other, without the rest of what was under way.
        to_client.transport.abort()
        to_server.transport.abort()
    finally:
        to_client.close()
        to_server.close()


def carry(
    tasks: asyncio.TaskGroup, source: asyncio.StreamReader, target: asyncio.StreamWriter, due: Callable[[], float]
) -> None:
    """Read and write side by side, so that a chunk that waits holds none of those behind it."""
    under_way: UnderWay = asyncio.Queue(IN_FLIGHT)
    tasks.create_task(_receive(source, under_way, due))
    tasks.create_task(_deliver(under_way, target))


async def _receive(source: asyncio.StreamReader, under_way: UnderWay, due: Callable[[], float]) -> None:
    chunk = b"more"
    while chunk:
        chunk = await source.read(CHUNK)
        await under_way.put((due(), chunk))


async def _deliver(under_way: UnderWay, target: asyncio.StreamWriter) -> None:
    now = asyncio.get_running_loop().time
    due, chunk = await under_way.get()
    while chunk:
        await asyncio.sleep(due - now())
        target.write(chunk)
        await target.drain()
        due, chunk = await under_way.get()
    await asyncio.sleep(due - now())
    with suppress(OSError):
        target.write_eof()


def far_kubeconfig(kubeconfig: Path, port: int, path: Path) -> Path:
    """Write ``kubeconfig`` to ``path`` with its server behind the relay on ``port``, checked by the same name."""
    config = yaml.safe_load(kubeconfig.read_text(encoding="utf-8"))
    for entry in config["clusters"]:
        host, _ = server_of(kubeconfig)
        entry["cluster"]["server"] = f"https://{HOST}:{port}"
        if host != HOST:
            entry["cluster"].setdefault("tls-server-name", host)
    path.touch(mode=0o600)
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    return path


def server_of(kubeconfig: Path) -> tuple[str, int]:
    """Host and port of the first cluster in ``kubeconfig``."""
    config = yaml.safe_load(kubeconfig.read_text(encoding="utf-8"))
    server = urlsplit(config["clusters"][0]["cluster"]["server"])
    return server.hostname or "", server.port or 443
