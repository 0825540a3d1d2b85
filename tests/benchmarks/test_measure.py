"""What a run is said to have taken is what it took, and a run that failed is no run."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from benchmarks import starter
from benchmarks.measure import BenchmarkError, Command, Starter

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MB = 1_000_000


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Starter]:
    with Starter(tmp_path, {"PATH": os.environ["PATH"], "MARK": "of the harness"}) as one:
        yield one


def _python(code: str, **environment: str) -> Command:
    return Command((sys.executable, "-I", "-S", "-c", code), environment)


def test_output_and_environment_are_those_of_the_command(started: Starter) -> None:
    code = "import os, sys; print(os.environ['MARK'], os.environ['OWN']); print('told', file=sys.stderr)"

    ran = started.run((_python(code, OWN="of the command"),))

    assert (ran.stdout, ran.stderr) == ("of the harness of the command\n", "told\n")


def test_peak_memory_is_the_programs_own(started: Starter) -> None:
    """Not that of the process which measures: this test run holds more than the first program does."""
    ballast = bytearray(80 * MB)
    small = started.run((_python("pass"),)).peak_mb
    large = started.run((_python(f"bytearray({60 * MB})"),)).peak_mb

    assert len(ballast) > small * MB
    assert small < 30
    assert 60 <= large < 60 + small + 10


def test_several_commands_are_summed_and_the_largest_of_them_counts(started: Starter) -> None:
    burn = "n = 0\nwhile n < 300_000: n += 1\n"
    alone = started.run((_python(f"{burn}print(1)"),))
    both = started.run((_python(f"bytearray({60 * MB}); print(1)"), _python(f"{burn}print(2)")))

    assert both.stdout == "1\n2\n"
    assert both.peak_mb >= 60
    assert both.wall_ms > 0 < alone.cpu_ms


def test_time_is_at_least_what_the_program_waits(started: Starter) -> None:
    assert started.run((_python("import time; time.sleep(0.05)"),)).wall_ms >= 50


def test_a_program_that_fails_is_no_result(started: Starter) -> None:
    """It would be the fastest of all."""
    with pytest.raises(BenchmarkError, match="ended with 3: no such thing"):
        started.run((_python("import sys; print('no such thing', file=sys.stderr); sys.exit(3)"),))


def test_a_starter_goes_on_after_a_failure(started: Starter) -> None:
    with pytest.raises(BenchmarkError):
        started.run((_python("raise SystemExit(1)"),))

    assert started.run((_python("print('still here')"),)).stdout == "still here\n"


def test_a_program_that_hangs_is_killed(tmp_path: Path) -> None:
    files = ["/dev/null", str(tmp_path / "out"), str(tmp_path / "err")]
    command = [sys.executable, "-I", "-S", "-c", "import time; time.sleep(600)"]

    assert starter.run(command, {}, files, seconds=0.2)["code"] == -9
