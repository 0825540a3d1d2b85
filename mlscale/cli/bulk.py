"""Many targets in one run: how many at a time, when to stop, and what is said of those that were not begun."""

from __future__ import annotations

import signal
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from mlscale.errors import ExitCode, MlscaleError, UsageError
from mlscale.kube.parallel import Stop
from mlscale.kube.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    from mlscale.output.messages import Messages

MOST_PARALLEL = 256
LONGEST_NAP = 0.1
"""Seconds until a wait hears of Ctrl-C."""


class InterruptedRunError(MlscaleError):
    """Ctrl-C, or the first failure of a run that was to stop there, kept targets from being begun."""

    exit_code = ExitCode.INTERRUPTED


def parallel_value(text: str) -> int:
    """``--parallel``: how many connections and requests at a time, 1 to MOST_PARALLEL."""
    if not (text.isascii() and text.isdecimal()) or not 1 <= int(text) <= MOST_PARALLEL:
        raise UsageError(f"--parallel {text!r} is not a number of connections", f"give one from 1 to {MOST_PARALLEL}")
    return int(text)


class Run:
    """What has become of the targets of one run so far."""

    def __init__(self, *, fail_fast: bool) -> None:
        self.stop = Stop(on_failure=fail_fast)
        self.pressed = False
        """Whether Ctrl-C was."""
        self.code = ExitCode.DONE
        """That of the first failure."""
        self._done = 0
        self._failed = 0
        self._not_begun: list[str] = []

    def ended(self, code: ExitCode) -> None:
        """One target was dealt with, and came to ``code``."""
        self._done += code == ExitCode.DONE
        self._failed += code != ExitCode.DONE
        self.code = self.code or code

    def left_out(self, target: str) -> None:
        """One target was not begun; ``target`` as kubectl prints it."""
        self._not_begun.append(printable(target))

    def closed(self, messages: Messages) -> ExitCode:
        """Say what was not begun, if anything; the run's exit code."""
        if not (self._not_begun or self.pressed):
            return self.code
        why = "interrupted" if self.pressed else "stopped at the first failure"
        names = f": {', '.join(self._not_begun)}" if self._not_begun else ""
        message = f"{why}: {self._done} done, {self._failed} failed, {len(self._not_begun)} not begun{names}"
        messages.error(InterruptedRunError(message))
        return ExitCode.INTERRUPTED if self.pressed else self.code

    def sleep(self, seconds: float) -> None:
        """As time.sleep; raises InterruptedRunError once Ctrl-C was pressed."""
        end = time.monotonic() + seconds
        while not self.pressed and (left := end - time.monotonic()) > 0:
            time.sleep(min(left, LONGEST_NAP))
        if self.pressed:
            raise InterruptedRunError("the wait was interrupted")

    @contextmanager
    def interruptible(self, count: int) -> Iterator[None]:
        """While the block deals with ``count`` targets, Ctrl-C lets those under way end: what became of them would
        else not be known.

        Raises KeyboardInterrupt for a second one, and for the first where there is one target.
        """
        if count <= 1 or threading.current_thread() is not threading.main_thread():
            yield
            return
        before = signal.signal(signal.SIGINT, self._heard)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)

    def _heard(self, _signal: int, _frame: FrameType | None) -> None:
        if self.pressed:
            raise KeyboardInterrupt
        self.pressed = self.stop.asked = True
