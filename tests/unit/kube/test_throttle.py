"""How fast a client may ask once the server has put it off."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from mlscale.kube.client import Client
from mlscale.kube.throttle import Throttle
from mlscale.kube.transport import Transport
from tests.clients import access, client
from tests.recording_server import Answer, Request, recording_server, status

if TYPE_CHECKING:
    from collections.abc import Callable


class Time:
    def __init__(self) -> None:
        self.now = 100.0


def throttle(parallel: int) -> tuple[Throttle, Time]:
    clock = Time()
    return Throttle(parallel, lambda: clock.now), clock


def test_nothing_waits_until_the_server_puts_off() -> None:
    known, clock = throttle(16)
    known.heed(None, clock.now)
    assert (known.allowed, known.pause()) == (16, 0.0)


def test_all_wait_when_one_is_put_off() -> None:
    known, clock = throttle(16)
    known.heed(3.0, clock.now)
    assert (known.allowed, known.pause()) == (8, 3.0)
    clock.now += 2
    assert known.pause() == 1.0
    clock.now += 2
    assert known.pause() == 0.0


def test_those_put_off_at_the_same_time_count_once() -> None:
    # Sixteen answers 429 of one moment would else leave one connection where eight are enough.
    known, clock = throttle(16)
    sent, clock.now = clock.now, clock.now + 0.1
    for _ in range(16):
        known.heed(1.0, sent)
    assert known.allowed == 8
    # Sent since then, so that eight are too many too.
    known.heed(1.0, clock.now)
    assert known.allowed == 4


def test_one_is_always_allowed() -> None:
    known, clock = throttle(2)
    for _ in range(5):
        known.heed(1.0, clock.now)
        clock.now += 1
    assert known.allowed == 1


def test_answers_let_more_go_by_and_by_up_to_the_bound() -> None:
    known, clock = throttle(4)
    known.heed(1.0, clock.now)
    allowed = []
    for _ in range(8):
        known.heed(None, clock.now)
        known.heed(None, clock.now)
        allowed.append(known.allowed)
        clock.now += 0.5
    # A second until it resumes, and then one more each second.
    assert allowed == [2, 2, 2, 2, 3, 3, 4, 4]


def counted(answered: Callable[[Request], Answer]) -> tuple[Callable[[Request], Answer], list[int]]:
    """``answered``, and how many requests the server had at the same time at most."""
    lock, present, seen = threading.Lock(), 0, [0]

    def answer(request: Request) -> Answer:
        nonlocal present
        with lock:
            present += 1
            seen[0] = max(seen[0], present)
        try:
            return answered(request)
        finally:
            with lock:
                present -= 1

    return answer, seen


def test_a_server_that_takes_few_at_a_time_gets_all_of_many_writes() -> None:
    # Two at a time, as an API server with --max-mutating-requests-inflight=2; 40 writes on 16 connections.
    places = threading.BoundedSemaphore(2)

    def answered(_: Request) -> Answer:
        if not places.acquire(blocking=False):
            return status(429, "too many requests", "TooManyRequests")
        try:
            threading.Event().wait(0.005)
            return Answer({})
        finally:
            places.release()

    with recording_server() as server:
        for index in range(40):
            server.answers[f"PATCH /{index}"] = answered
        known = access(server.url)
        transport = Transport(known, timeout=5)
        # A clock that is 50 times as fast, so that Retry-After: 1 is 20 ms.
        sleep, now = (lambda seconds: time.sleep(seconds / 50)), (lambda: time.monotonic() * 50)
        calling = Client(known, transport, sleep=sleep, now=now)
        results = calling.together(*[lambda i=i: calling.merge_patch(f"/{i}", {}) for i in range(40)])
        put_off = len(server.requests) - 40
    assert results == [{}] * 40
    assert 0 < put_off < 200


def slowly(_: Request) -> Answer:
    threading.Event().wait(0.01)
    return Answer({})


def test_no_more_than_parallel_connections_are_open_however_calls_nest() -> None:
    with recording_server() as server:
        answer, seen = counted(slowly)
        for index in range(64):
            server.answers[f"GET /{index}"] = answer
        calling = client(server, parallel=4)

        def nested(start: int) -> list[object]:
            return list(calling.together(*[lambda i=i: calling.get(f"/{i}") for i in range(start, start + 8)]))

        results = calling.together(*[lambda s=s: nested(s) for s in range(0, 64, 8)])
    assert results == [[{}] * 8] * 8
    assert server.connections <= 4
    assert 1 < seen[0] <= 4
