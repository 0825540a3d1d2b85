"""Time mlscale beside kubectl on the control plane of the tests: whole processes, in turn, medians and ratios.

    make bench

Absolute times say more about the machine than about either program; the ratios are what counts.
"""

from __future__ import annotations

import os
import platform
import shutil
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.cluster.control_plane import kubectl_path
from tests.cluster.manifests import deployment

ROUNDS = 11
NAMESPACE = "mlscale-bench"
MLSCALE = str(Path(sys.executable).with_name("mlscale"))
KUBECTL = str(kubectl_path())


@dataclass(frozen=True)
class Case:
    """One comparison: the same work, once by each program."""

    name: str
    mlscale: str
    kubectl: str


CASES = (
    Case("scale", "scale web --replicas 2", "scale deploy/web --replicas=2"),
    Case("autoscale, dry run", "autoscale web --max 5 --cpu 50% --dry-run=server",
         "autoscale deploy web --max=5 --cpu=50% --dry-run=server"),
    Case("pods", "status --only pods -l app=web", "get pods -l app=web"),
    Case("hpa", "status --only hpa", "get hpa"),
    Case("100 deployments", "scale deploy -l batch=yes --replicas 0", "scale deploy -l batch=yes --replicas=0"),
)  # fmt: skip


def main() -> None:
    """Print the table."""
    _run([KUBECTL, "delete", "namespace", NAMESPACE, "--ignore-not-found", "--wait=true"])
    _run([KUBECTL, "create", "namespace", NAMESPACE])
    manifests = [deployment("web", replicas=2, requests={"cpu": "500m"})]
    manifests += [deployment(f"d{i:03}", replicas=0, labels={"batch": "yes"}) for i in range(100)]
    _run([KUBECTL, "-n", NAMESPACE, "apply", "-f", "-"], yaml.safe_dump_all(manifests))
    machine = f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores"
    print(f"{time.strftime('%Y-%m-%d')}, {machine}, warm, local server")
    print(f"{'case':24}{'mlscale ms':>12}{'kubectl ms':>12}{'ratio':>8}   median of runs in turn")
    for name, ratio_text in ((case.name, _compared(case)) for case in CASES):
        print(f"{name:24}{ratio_text}")
    _run([KUBECTL, "delete", "namespace", NAMESPACE, "--wait=false"])


def _compared(case: Case) -> str:
    slow = case.name == "100 deployments"
    rounds = 3 if slow else ROUNDS
    ours: list[float] = []
    theirs: list[float] = []
    for _ in range(rounds):
        ours.append(_timed([MLSCALE, "-n", NAMESPACE, *case.mlscale.split()]))
        theirs.append(_timed([KUBECTL, "-n", NAMESPACE, *case.kubectl.split()]))
    ratio = statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
    return f"{statistics.median(ours):12.0f}{statistics.median(theirs):12.0f}{ratio:8.2f}   {rounds}"


def _timed(command: list[str]) -> float:
    """Milliseconds of one whole process; a failure would make the comparison worthless, so it ends the run."""
    started = time.perf_counter()
    _run(command)
    return (time.perf_counter() - started) * 1000


def _run(command: list[str], text: str | None = None) -> None:
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False, timeout=600)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} failed with exit code {done.returncode}: {done.stderr.strip()}")


if __name__ == "__main__":
    if not (shutil.which(MLSCALE) and Path(KUBECTL).exists()):
        sys.exit("error: run it by `make bench`, which installs mlscale and starts the control plane")
    main()
