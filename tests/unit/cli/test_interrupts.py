"""An interrupt in a place where Python drops exceptions."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.command_line import heed_interrupts

SCRIPT = """
import signal, sys, time, weakref
from mlscale.cli.interrupts import hear_lost_interrupts

class Thing:
    pass

{set_up}
thing = Thing()
reference = weakref.ref(thing, lambda _: {dropped})
try:
    del thing
    time.sleep({seconds})
except KeyboardInterrupt:
    print("heard")
"""


def ran(set_up: str, dropped: str, seconds: float) -> subprocess.CompletedProcess[str]:
    script = SCRIPT.format(set_up=set_up, dropped=dropped, seconds=seconds)
    return subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, preexec_fn=heed_interrupts
    )


def test_an_interrupt_in_a_weak_references_callback_is_heard_all_the_same() -> None:
    done = ran("hear_lost_interrupts()", "signal.raise_signal(signal.SIGINT)", seconds=50)
    assert (done.returncode, done.stdout, done.stderr) == (0, "heard\n", "")


def test_python_alone_drops_it() -> None:
    done = ran("", "signal.raise_signal(signal.SIGINT)", seconds=0.2)
    assert (done.returncode, done.stdout) == (0, "")
    assert "KeyboardInterrupt" in done.stderr


@pytest.mark.parametrize("set_up", ["", "hear_lost_interrupts()"])
def test_any_other_dropped_exception_is_shown_as_before(set_up: str) -> None:
    done = ran(set_up, "1 / 0", seconds=0)
    assert (done.returncode, done.stdout) == (0, "")
    assert "ZeroDivisionError" in done.stderr


def test_an_interrupt_at_the_very_end_does_not_change_the_exit_code() -> None:
    script = """
import signal, sys
from mlscale.cli.interrupts import ignore_interrupts

ignore_interrupts()
signal.raise_signal(signal.SIGINT)
sys.exit(130)
"""
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, preexec_fn=heed_interrupts)
    assert (done.returncode, done.stderr) == (130, "")
