"""Calls side by side, their results in the order of the calls."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from mlscale.errors import MlscaleError

T = TypeVar("T")
Call = Callable[[], T]


class NotBegunError(MlscaleError):
    """It was not begun, since it was asked to stop before."""


class Stop:
    """Whether further calls may begin: not once ``asked`` is set, by whoever wants, or by a failure.

    A signal handler may set it: there is no lock that the interrupted thread could hold.
    """

    def __init__(self, *, on_failure: bool = False) -> None:
        self.on_failure = on_failure
        self.asked = False

    def heed(self, failed: bool) -> None:
        """Ask to stop where a call has ``failed`` and that is to stop the others."""
        if self.on_failure and failed:
            self.asked = True


def side_by_side(calls: Sequence[Call[T]], parallel: int, stop: Stop | None = None) -> Iterator[T | MlscaleError]:
    """Each result, or the MlscaleError that its call raised, as soon as it and those before it are there.

    Threads take the next call from a shared counter; the caller waits for each result in turn. Once ``stop`` is asked
    the calls under way are finished, and each of the others is a NotBegunError.
    """
    stop = stop or Stop()
    if len(calls) <= 1:
        yield from (_outcome(call, stop) for call in calls)
        return
    results: list[T | MlscaleError | BaseException | None] = [None] * len(calls)
    done = [threading.Event() for _ in calls]
    remaining = iter(range(len(calls)))
    lock = threading.Lock()

    def work() -> None:
        while True:
            with lock:
                index = next(remaining, None)
            if index is None:
                return
            try:
                results[index] = _outcome(calls[index], stop)
            except BaseException as error:  # noqa: BLE001  handed to the caller's thread, which raises it
                results[index] = error
            done[index].set()

    for _ in range(min(parallel, len(calls))):
        threading.Thread(target=work, daemon=True).start()
    for index, event in enumerate(done):
        event.wait()
        result = results[index]
        if isinstance(result, BaseException) and not isinstance(result, MlscaleError):
            raise result
        yield result  # type: ignore[misc]  # None only where T is None


def _outcome(call: Call[T], stop: Stop) -> T | MlscaleError:
    if stop.asked:
        return NotBegunError("it was not begun", "run it again")
    outcome: T | MlscaleError
    try:
        outcome = call()
    except MlscaleError as error:
        outcome = error
    stop.heed(isinstance(outcome, MlscaleError))
    return outcome
