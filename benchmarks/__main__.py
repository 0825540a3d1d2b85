"""``python -m benchmarks``: time mlscale beside kubectl and others, and print the table with its goals.

Starts the control plane of the tests where it is not up, installs mlscale from a wheel, makes what is measured and
removes it. Exits with 1 where a case could not be measured; a goal that is missed is part of the answer.
"""

from __future__ import annotations

import argparse
import shlex
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import page
from benchmarks.cases import GROUPS
from benchmarks.compare import MIDDLE, Row, failed
from benchmarks.install import clean_environment, install
from benchmarks.measure import BenchmarkError, Starter
from benchmarks.stage import Sizes, Stage
from tests.cluster import binaries, control_plane
from tests.cluster.access import Cluster

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the chosen groups; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        kubeconfig = control_plane.up(_say)
        cluster = Cluster(kubeconfig, control_plane.kubectl_path(), control_plane.DISCOVERY_CACHE)
        return _run(cluster, options)
    except (BenchmarkError, binaries.ClusterError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=list(GROUPS), metavar="GROUP",
                        help=f"of {', '.join(GROUPS)}; all where not given")  # fmt: skip
    parser.add_argument("--rounds", type=int, default=MIDDLE, help="pairs of runs of a case (default: %(default)s)")
    parser.add_argument(
        "--slow-rounds", type=int, default=3, help="where kubectl takes a minute (default: %(default)s)"
    )
    parser.add_argument(
        "--deployments", type=int, default=Sizes.deployments, help="of bulk work (default: %(default)s)"
    )
    parser.add_argument(
        "--pods", type=int, nargs="+", default=list(Sizes.pods), help="of the tables (default: 5000 20000)"
    )
    parser.add_argument("--krr", type=Path, metavar="DIR", help="time recommend beside the krr of this checkout")
    parser.add_argument(
        "--workloads", type=int, nargs="+", default=list(Sizes.workloads), help="of fleets (default: 1 10 100 1000)"
    )
    parser.add_argument("--days", type=int, nargs="+", default=list(Sizes.days), help="of history (default: 7 1 30)")
    parser.add_argument("--write", action="store_true", help=f"put the tables into docs/explanation/{page.PAGE.name}")
    return parser


def _run(cluster: Cluster, options: argparse.Namespace) -> int:
    sizes = Sizes(
        options.deployments,
        tuple(options.pods),
        options.rounds,
        options.slow_rounds,
        workloads=tuple(options.workloads),
        days=tuple(options.days),
    )
    groups: list[str] = options.only or list(GROUPS)
    if options.write:
        _require_sections(groups)
    programs = install(cluster.kubectl_path, _say)
    with tempfile.TemporaryDirectory(prefix="mlscale-bench-") as name:
        folder = Path(name)
        environment = clean_environment(HOME=str(folder / "home"), KUBECONFIG=str(cluster.kubeconfig))
        with Starter(folder, environment) as starter:
            stage = Stage(programs, cluster, starter, folder, sizes, _say, options.krr)
            rows = [row for group in groups for row in _measured(group, stage, options.write)]
    missed = [row.name for row in rows if not row.met]
    _say(f"{len(rows) - len(missed)} of {len(rows)} rows within their goals")
    for name in missed:
        _say(f"not: {name}")
    return 1 if any(row.failure for row in rows) else 0


def _measured(group: str, stage: Stage, write: bool) -> list[Row]:
    _say(f"group {group}")
    try:
        rows = GROUPS[group](stage)
    except (BenchmarkError, AssertionError, OSError, subprocess.SubprocessError) as error:
        # The cluster did not do what was asked: the groups after it may fare better.
        rows = [failed(group, "", str(error))]
    table = page.render_table(rows)
    print(f"{group}\n\n{table}", flush=True)
    if write:
        command = shlex.join(["python", "-m", "benchmarks", *sys.argv[1:]])
        _write(group, f"{page.conditions(stage.programs, stage.cluster, command)}\n\n{table}")
    return rows


def _require_sections(groups: Sequence[str]) -> None:
    """Before anything is measured: raises BenchmarkError where the page has no place for it."""
    for group in groups:
        try:
            page.put_section(page.PAGE.read_text(encoding="utf-8"), group, "")
        except (OSError, ValueError) as error:
            raise BenchmarkError(f"{page.PAGE}: {error}") from None


def _write(group: str, text: str) -> None:
    page.PAGE.write_text(page.put_section(page.PAGE.read_text(encoding="utf-8"), group, text), encoding="utf-8")


def _stop(*_: object) -> None:
    """End as an exception does, so that what was made is removed."""
    sys.exit(143)


def _say(line: str) -> None:
    print(f"bench: {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _stop)
    sys.exit(main())
