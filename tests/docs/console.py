"""The ``console`` blocks of the documents: read as steps, carried out in a namespace, compared with what is shown.

A line that starts with ``$ `` is a command, the lines below it are what it prints, stdout and stderr together as
on a terminal. ``$ echo $?`` shows the exit code of the command before it; a command without it must exit with 0.
"""

from __future__ import annotations

import re
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

PROMPT = "$ "
EXIT_CODE = "echo $?"
PROGRAMS = ("mlscale", "kubectl")
_READS = re.compile(r"mlscale status|kubectl get|mlscale .*(--check|--dry-run=server)")
"""What is run again until it prints what is shown: pods become ready and usage is measured in their own time."""
SETTLED_WITHIN = 100.0
"""Seconds: metrics-server measures a new pod twice, 15 s apart, before it has a usage."""

_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_MASKS = (
    # The age ends a table's line, or stands before a column that -o wide adds.
    (re.compile(r"(?<= {3})(\d+[smhd]){1,2}(?=$| {3})", re.MULTILINE), "<age>"),
    (re.compile(r"\b([a-z][-a-z0-9]*)-[bcdf-hj-np-tv-xz2456789]{6,10}-[bcdf-hj-np-tv-xz2456789]{5}\b"), r"\1-<pod>"),
    # Other tests use the same nodes and add some of their own: how much is free differs from run to run.
    (re.compile(r"\b\d+ of (\d+ new cop(?:y|ies) fits?)"), r"<some> of \1"),
    (re.compile(r"\b[0-9.]+(?:[GM]i|m)? free on \d+ eligible nodes? of \d+(?:, at most \S+ on one)?"), "<free>"),
    (re.compile(r"\(0/\d+ nodes are available: (?:[^()]|\([^()]*\))*\)"), "(<nodes>)"),
    # A wait says its reason as often as it changes.
    (re.compile(r"^note: waiting: .*\n", re.MULTILINE), ""),
    (re.compile(r" {2,}"), "  "),
)


@dataclass(frozen=True)
class Step:
    """One command of a document with what it is shown to print."""

    line: int
    command: str
    shown: str
    exit_code: int = 0


@dataclass(frozen=True)
class Shell:
    """Where the commands run: the environment (with ``mlscale`` and ``kubectl`` on PATH), and a folder."""

    environment: Mapping[str, str]
    folder: Path
    namespace: str

    def run(self, command: str) -> tuple[int, str]:
        """Exit code and output of ``command`` under bash; the document's namespace is called ``default``."""
        ran = subprocess.run(
            ["bash", "-c", command],
            env=dict(self.environment),
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
        )
        return ran.returncode, ran.stdout.replace(self.namespace, "default")


def read_steps(text: str) -> list[Step]:
    """The steps of a document in order. Raises ValueError for a line in a block that belongs to no command."""
    steps: list[Step] = []
    for block in _BLOCK.finditer(text):
        first = text.count("\n", 0, block.start()) + 2
        for line, command, shown in _commands(block[1], first):
            if command == EXIT_CODE:
                before = steps.pop()
                steps.append(Step(before.line, before.command, before.shown, int(shown)))
            else:
                steps.append(Step(line, command, shown))
    return steps


def masked(text: str) -> str:
    """``text`` without what differs from run to run: ages, names of pods, what other tests leave free, padding."""
    for pattern, replacement in _MASKS:
        text = pattern.sub(replacement, text)
    return "\n".join(line.rstrip() for line in text.splitlines())


def differences(document: str, steps: list[Step], shell: Shell) -> list[str]:
    """Carry out ``steps``; one text a step whose exit code or output is not as shown."""
    return [
        f"{document}:{step.line}: $ {step.command}\n{difference}"
        for step in steps
        if (difference := carried_out(step, shell))
    ]


def carried_out(
    step: Step,
    shell: Shell,
    now: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
) -> str:
    """Run one step; empty if it did what is shown, else what it did."""
    deadline = now() + (SETTLED_WITHIN if _READS.match(step.command) else 0.0)
    while True:
        code, printed = shell.run(step.command)
        if code == step.exit_code and masked(printed) == masked(step.shown):
            return ""
        if now() >= deadline:
            return f"exit code {code}, shown {step.exit_code}\nprinted:\n{printed}shown:\n{step.shown}"
        pause(1.0)


def _commands(block: str, first: int) -> Iterator[tuple[int, str, str]]:
    """Line number, command and shown output of each command."""
    line, command, shown = 0, "", ""
    for number, text in enumerate(block.splitlines(), first):
        if text.startswith(PROMPT):
            if command:
                yield line, command, shown
            line, command, shown = number, text.removeprefix(PROMPT), ""
        elif command:
            shown += f"{text}\n"
        else:
            raise ValueError(f"line {number} belongs to no command: {text!r}")
    if command:
        yield line, command, shown
