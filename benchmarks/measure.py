"""One run of a program: whole processes, from the start to the exit, with their time and peak memory."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

STARTER = Path(__file__).with_name("starter.py")
DEADLINE = 600.0
"""Seconds after which a program is killed."""


class BenchmarkError(Exception):
    """A comparison that is worth nothing: a program failed, or the two did different work."""


@dataclass(frozen=True)
class Command:
    """One program's command line; ``environment`` is added to the harness's own."""

    arguments: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return " ".join([Path(self.arguments[0]).name, *self.arguments[1:]])


@dataclass(frozen=True)
class Ran:
    """What one or several commands, one after another, took and printed."""

    wall_ms: float
    cpu_ms: float
    """User and system time."""
    peak_mb: float
    """Of the largest of them, in 10^6 bytes."""
    stdout: str
    stderr: str


class Starter:
    """Starts programs in a folder of their own, and measures them."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.folder = folder
        self.environment = environment
        self._process = subprocess.Popen(
            # Isolated and without site: small, and nobody's settings.
            [sys.executable, "-I", "-S", str(STARTER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=folder,
        )

    def __enter__(self) -> Starter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.stdin:
            self._process.stdin.close()
        self._process.kill()
        self._process.wait()

    def run(self, commands: tuple[Command, ...]) -> Ran:
        """All of ``commands``, one after another. Raises BenchmarkError where one does not exit with 0."""
        each = [self._run(command) for command in commands]
        return Ran(
            wall_ms=sum(ran.wall_ms for ran in each),
            cpu_ms=sum(ran.cpu_ms for ran in each),
            peak_mb=max(ran.peak_mb for ran in each),
            stdout="".join(ran.stdout for ran in each),
            stderr="".join(ran.stderr for ran in each),
        )

    def _run(self, command: Command) -> Ran:
        files = ["/dev/null", str(self.folder / "stdout"), str(self.folder / "stderr")]
        order = {
            "command": command.arguments,
            "environment": {**self.environment, **command.environment},
            "files": files,
            "seconds": DEADLINE,
        }
        took = self._ask(order)
        stdout, stderr = (Path(name).read_text(encoding="utf-8") for name in files[1:])
        if took["code"] != 0:
            raise BenchmarkError(f"{command} ended with {took['code']:.0f}: {stderr.strip()[-400:]}")
        return Ran(1000 * took["wall"], 1000 * took["cpu"], took["peak"] * 1024 / 1e6, stdout, stderr)

    def _ask(self, order: object) -> dict[str, float]:
        questions, answers = self._process.stdin, self._process.stdout
        assert questions is not None
        assert answers is not None
        questions.write(json.dumps(order) + "\n")
        questions.flush()
        line = answers.readline()
        if not line:
            raise BenchmarkError(f"the starter ended while it had to run {order}")
        took: dict[str, float] = json.loads(line)
        return took
