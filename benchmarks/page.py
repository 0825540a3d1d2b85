"""The rows as a table, and the sections of the page that hold what was measured."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.install import ROOT, Programs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.compare import Row
    from tests.cluster.access import Cluster

PAGE = ROOT / "docs" / "explanation" / "performance.md"

_HEAD = (
    "| case | beside | mlscale | other | ratio | goal | | CPU ms | peak MB | runs |",
    "|---|---|---|---|---|---|---|---|---|---|",
)
_TYPER = "import platform, importlib.metadata as m; print(platform.python_version(), m.version('typer'))"


def render_table(rows: Sequence[Row]) -> str:
    """The rows as a table in Markdown, and under it why a case has no figures."""
    failures = [f"- {row.name}: {row.failure}" for row in rows if row.failure]
    table = "\n".join([*_HEAD, *(_line(row) for row in rows)])
    return "\n".join([table, "", *failures, ""]) if failures else f"{table}\n"


def _line(row: Row) -> str:
    goal = "" if row.goal is None else f"{row.goal:g}"
    if row.failure:
        return f"| {row.name} | {row.beside} | | | | {goal} | not measured | | | |"
    other = "" if row.theirs is None else f"{_figure(row.theirs)} {row.unit}"
    figures = f"{_figure(row.ours)} {row.unit} | {other} | {_ratio(row.ratio)}"
    verdict = "" if row.goal is None else "met" if row.met else "**not met**"
    return (
        f"| {row.name} | {row.beside} | {figures} | {goal} | {verdict} "
        f"| {_pair(row.cpu)} | {_pair(row.memory)} | {row.rounds} |"
    )


def _figure(amount: float) -> str:
    return f"{amount:,.0f}" if amount >= 10 else f"{amount:.2g}"


def _ratio(ratio: float | None) -> str:
    if ratio is None:
        return ""
    return f"{ratio:.2f}" if ratio >= 0.1 else f"{ratio:.3f}"


def _pair(both: tuple[float, float] | None) -> str:
    return "" if both is None else f"{_figure(both[0])} / {_figure(both[1])}"


def conditions(programs: Programs, cluster: Cluster, command: str) -> str:
    """One paragraph: when, on what, of which versions, and by which command."""
    versions = json.loads(cluster.kubectl("version", "-o", "json").stdout)
    said = subprocess.run([programs.python, "-c", _TYPER], capture_output=True, text=True, check=True, timeout=60)
    python, typer = said.stdout.split()
    kubectl, server = (versions[of]["gitVersion"] for of in ("clientVersion", "serverVersion"))
    return (
        f"Measured on {time.strftime('%Y-%m-%d')} on {os.cpu_count()} cores of {processor()}: kubectl {kubectl}, "
        f"server {server}, Python {python}, typer {typer}; by `{command}`."
    )


def processor(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """The name of the processor's model, where the system tells it."""
    try:
        text = cpuinfo.read_text(encoding="utf-8")
    except OSError:
        return "an unnamed processor"
    found = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return found[1].strip() if found else "an unnamed processor"


def put_section(page: str, name: str, text: str) -> str:
    """``page`` with ``text`` between the markers of ``name``. Raises ValueError where the page has none."""
    begin, end = f"<!-- measured: {name} -->", f"<!-- end: {name} -->"
    before, found, rest = page.partition(begin)
    _, ended, after = rest.partition(end)
    if not (found and ended):
        raise ValueError(f"the page has no section between {begin} and {end}")
    return f"{before}{begin}\n{text.strip()}\n{end}{after}"
