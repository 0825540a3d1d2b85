"""The reference lists what the program has: every option, every exit code."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from mlscale.errors import ExitCode

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = (ROOT / "docs/reference/commands.md").read_text(encoding="utf-8")
HELP = {"-h", "--help"}
VERBS = ("scale", "autoscale", "status", "recommend")
_OPTION = re.compile(r"(?<![\w-])--?[a-zA-Z][a-z-]*")


def options_of_help(*verb: str) -> set[str]:
    """Every spelling of an option in the help; its lines start with two spaces and a dash."""
    shown = subprocess.run(
        [sys.executable, "-m", "mlscale", *verb, "--help"],
        env={"COLUMNS": "200"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout
    starts = [re.split(r" {2,}|<", line.strip())[0] for line in shown.splitlines() if line.startswith("  -")]
    return {option for start in starts for option in _OPTION.findall(start)}


def options_of_reference(heading: str) -> set[str]:
    """Every spelling of an option in the first column of the tables below ``heading``."""
    section = COMMANDS.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `-")]
    return {option for row in rows for option in _OPTION.findall(row)}


@pytest.mark.parametrize(
    ("verb", "heading"),
    [
        *(((verb,), f"mlscale {verb}") for verb in VERBS),
        (("sandbox", "exec"), "mlscale sandbox"),
        (("sandbox", "run"), "mlscale sandbox"),
        ((), "Options of every command"),
    ],
)
def test_the_reference_lists_the_options_of_the_help_and_no_others(verb: tuple[str, ...], heading: str) -> None:
    of_every_command = HELP if verb else set()

    assert options_of_reference(heading) == options_of_help(*verb) - of_every_command


@pytest.mark.parametrize("document", ["README.md", "docs/reference/exit-codes.md"])
def test_a_table_of_exit_codes_lists_those_of_the_program(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    listed = [int(code) for code in re.findall(r"^\| (\d+) \|", text, re.MULTILINE)]

    assert listed == sorted(ExitCode)
