"""Recommendations for a fleet, beside krr (robusta-dev/krr) on the same control plane and the same Prometheus.

    python -m benchmarks.fleet --krr DIR [--sizes 100 1000] [--days 7] [--rounds 3]

DIR is a checkout of krr with its requirements in DIR/.venv:

    git clone https://github.com/robusta-dev/krr DIR && git -C DIR checkout d6baa74
    python3.11 -m venv DIR/.venv && DIR/.venv/bin/pip install -r DIR/requirements.txt

For each size there is a namespace with so many Deployments of 2 running pods each, and a Prometheus whose blocks hold
their 7 days at 30 s (benchmarks/fleet_data.py). Whole processes run in turn:

- ``requests``: krr simple, beside mlscale's reading and sizes without a replay (benchmarks/fleet_reading.py), which is
  what krr does. krr runs with ``-q``, its quickest way: no banner, and no look at the web for a newer version.
- ``recommend``: krr simple, beside the whole of mlscale recommend, which replays each workload.

Queries are those that the Prometheus counted (prometheus_http_requests_total of query and query_range).
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import sys
import tempfile
import time
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.fleet_data import CONTAINER, CPU_REQUEST, MEMORY_LIMIT, MEMORY_REQUEST, PODS, Fleet, ensure_data
from benchmarks.measure import BenchmarkError, Command, Ran, Starter
from tests.cluster import control_plane
from tests.cluster.access import Cluster, poll
from tests.cluster.control_plane import node
from tests.cluster.prometheus import running_prometheus

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Json = dict[str, Any]

SIZES = (100, 1000)
ROUNDS = 3
MARK = "mlscale-fleet"
"""The label and taint of the nodes on which the fleets run, and the prefix of their namespaces."""
PODS_A_NODE = 110
READY_SECONDS = 600.0
_COUNTER = re.compile(r'prometheus_http_requests_total\{[^}]*handler="/api/v1/query(?:_range)?"[^}]*\} (\S+)')
_ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Measured:
    """The medians of one program's runs."""

    wall: float
    """Seconds."""
    cpu: float
    """Seconds of its own, user and system."""
    server_cpu: float
    """Seconds of the Prometheus meanwhile."""
    peak_mb: float
    """In 10^6 bytes."""
    queries: int


@dataclass(frozen=True)
class FleetRow:
    """One size and one extent of work."""

    size: int
    days: int
    work: str
    """``requests`` or ``recommend``."""
    mlscale: Measured
    krr: Measured | None
    """None where krr was not there to be measured."""

    @property
    def wall_ratio(self) -> float | None:
        """Of mlscale's wall time by krr's."""
        return self.mlscale.wall / self.krr.wall if self.krr else None

    @property
    def query_ratio(self) -> float | None:
        """Likewise of queries."""
        return self.mlscale.queries / self.krr.queries if self.krr else None


def main() -> None:
    """Print the rows."""
    parser = argparse.ArgumentParser(prog="fleet", description="Recommendations for a fleet, beside krr.")
    parser.add_argument("--krr", type=Path, default=None, help="a checkout of krr with .venv in it")
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES), help="numbers of Deployments")
    parser.add_argument("--days", type=int, default=7, help="of history")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="runs of each program")
    options = parser.parse_args()
    try:
        rows = fleet_rows(options.krr, options.sizes, days=options.days, rounds=options.rounds)
    except BenchmarkError as error:
        sys.exit(f"error: {error}")
    print(render_rows(rows))


def fleet_rows(krr: Path | None, sizes: Sequence[int], *, days: int = 7, rounds: int = ROUNDS) -> list[FleetRow]:
    """The rows of all sizes, measured now. Raises BenchmarkError where a program fails or leaves a workload out."""
    if krr is None:
        _say("krr IS NOT MEASURED: give --krr DIR. What follows is compared with nothing.")
    fleets = [Fleet(f"{MARK}-{size}", size, days) for size in sizes]
    data = ensure_data(fleets, _say)
    cluster = Cluster(control_plane.up(_say), control_plane.kubectl_path(), control_plane.DISCOVERY_CACHE)
    with (
        tempfile.TemporaryDirectory(prefix=f"{MARK}-") as folder,
        running_prometheus(data, ["--storage.tsdb.max-block-duration=54h"]) as url,
        Starter(Path(folder), _environment(cluster, folder)) as starter,
    ):
        return [row for fleet in fleets for row in _rows(_Bench(cluster, starter, url, krr), fleet, rounds)]


def render_rows(rows: Sequence[FleetRow]) -> str:
    """A table for people: ratios are what counts, and on a busy machine CPU seconds more than those of the wall."""
    lines = [
        f"{'workloads':>9} {'days':>4} {'work':10} {'program':8} {'wall s':>7} {'CPU s':>7} {'server CPU s':>12} "
        f"{'peak MB':>8} {'queries':>8} {'wall ratio':>11} {'query ratio':>12}"
    ]
    for row in rows:
        for program, one in (("mlscale", row.mlscale), ("krr", row.krr)):
            if one is None:
                continue
            ratios = (row.wall_ratio, row.query_ratio) if program == "mlscale" else (None, None)
            said = ["" if ratio is None else f"{ratio:.3f}" for ratio in ratios]
            lines.append(
                f"{row.size:>9} {row.days:>4} {row.work:10} {program:8} {one.wall:>7.2f} {one.cpu:>7.2f} "
                f"{one.server_cpu:>12.2f} {one.peak_mb:>8.0f} {one.queries:>8} {said[0]:>11} {said[1]:>12}"
            )
    return "\n".join(lines)


@dataclass(frozen=True)
class _Bench:
    cluster: Cluster
    starter: Starter
    url: str
    krr: Path | None

    def commands(self, fleet: Fleet) -> dict[str, Command]:
        """What is compared, by name; krr only where it is there."""
        history = f"{fleet.days}d"
        python = str(Path(sys.executable))
        mlscale = (str(Path(python).with_name("mlscale")), "-n", fleet.namespace, "recommend", "deployments", "--all")
        commands = {
            "requests": Command(
                (python, "-m", "benchmarks.fleet_reading", fleet.namespace, self.url, str(fleet.days)),
                {"PYTHONPATH": str(_ROOT)},
            ),
            "recommend": Command((*mlscale, "--prometheus", self.url, "--history", history, "-o", "json")),
        }
        if self.krr is None:
            return commands
        krr = self.krr.resolve()
        line = (str(krr / ".venv/bin/python"), str(krr / "krr.py"), "simple", "-q", "-f", "json", "-p", self.url)
        about = ("-n", fleet.namespace, "--history_duration", str(24 * fleet.days))
        return commands | {"krr": Command((*line, *about))}


def _rows(bench: _Bench, fleet: Fleet, rounds: int) -> list[FleetRow]:
    commands = bench.commands(fleet)
    runs: dict[str, list[Measured]] = {name: [] for name in commands}
    with _running(bench.cluster, fleet):
        for number in range(rounds):
            for name, command in commands.items():
                one = _measured(bench, name, command, fleet)
                runs[name].append(one)
                _say(f"{fleet.size} workloads, round {number + 1}: {name} {one}")
    medians = {name: _median(many) for name, many in runs.items()}
    works = ("requests", "recommend")
    return [FleetRow(fleet.size, fleet.days, work, medians[work], medians.get("krr")) for work in works]


def _measured(bench: _Bench, name: str, command: Command, fleet: Fleet) -> Measured:
    queries, cpu = _counted(bench.url)
    ran = bench.starter.run((command,))
    answered = _answered(name, ran)
    if answered != fleet.size:
        raise BenchmarkError(f"{name} answered for {answered} of {fleet.size} workloads: {ran.stderr[-400:]}")
    queries_then, cpu_then = _counted(bench.url)
    return Measured(ran.wall_ms / 1000, ran.cpu_ms / 1000, cpu_then - cpu, ran.peak_mb, round(queries_then - queries))


def _answered(name: str, ran: Ran) -> int:
    """For how many workloads the program gave numbers."""
    if name == "requests":
        return len(ran.stdout.splitlines())
    if name == "recommend":
        return len(json.loads(ran.stdout)["recommendations"])
    scans = json.loads(ran.stdout[ran.stdout.index("{") :])["scans"]
    values = [scan["recommended"]["requests"]["cpu"]["value"] for scan in scans]
    return sum(isinstance(value, int | float) for value in values)


def _counted(url: str) -> tuple[float, float]:
    """Queries answered so far, and seconds of CPU used, as the Prometheus says of itself."""
    with urllib.request.urlopen(f"{url}/metrics", timeout=30) as answer:  # noqa: S310  an address of loopback
        text = answer.read().decode()
    cpu = re.search(r"^process_cpu_seconds_total (\S+)", text, re.MULTILINE)
    return sum(float(count) for count in _COUNTER.findall(text)), float(cpu.group(1)) if cpu else 0.0


def _median(runs: Sequence[Measured]) -> Measured:
    columns = zip(*((run.wall, run.cpu, run.server_cpu, run.peak_mb, run.queries) for run in runs), strict=True)
    wall, cpu, server_cpu, peak_mb, queries = (statistics.median(column) for column in columns)
    return Measured(wall, cpu, server_cpu, peak_mb, round(queries))


@contextmanager
def _running(cluster: Cluster, fleet: Fleet) -> Iterator[None]:
    """The Deployments with all pods running, on nodes that take no other pod; deleted afterwards."""
    count = -(-fleet.size * PODS // PODS_A_NODE)
    names = [f"{fleet.namespace}-{number}" for number in range(count)]
    nodes = [node(name, {MARK: str(fleet.size)}) for name in names]
    for one in nodes:
        one["spec"] = {"taints": [{"key": MARK, "effect": "NoSchedule"}]}
        for amounts in one["status"].values():
            amounts["cpu"] = str(PODS_A_NODE)
        # Nothing reads their metrics: without the path, kwok does not work them out.
        del one["metadata"]["annotations"]["metrics.k8s.io/resource-metrics-path"]
    cluster.kubectl("delete", "namespace", fleet.namespace, "--ignore-not-found")
    try:
        _say(f"starting {fleet.size} Deployments in {fleet.namespace}")
        cluster.apply(nodes)
        cluster.kubectl("create", "namespace", fleet.namespace)
        _create(cluster, fleet)
        poll(lambda: _all_run(cluster, fleet), READY_SECONDS, f"{fleet.size * PODS} running pods")
        yield
    finally:
        cluster.kubectl("delete", "namespace", fleet.namespace, "--ignore-not-found", "--wait=false")
        cluster.kubectl("delete", "node", "-l", f"{MARK}={fleet.size}", "--wait=false")


def _create(cluster: Cluster, fleet: Fleet) -> None:
    names = fleet.deployments()
    for first in range(0, len(names), 100):
        items = [_deployment(name, fleet) for name in names[first : first + 100]]
        body = json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
        cluster.kubectl("create", "-n", fleet.namespace, "-f", "-", input=body)


def _deployment(name: str, fleet: Fleet) -> Json:
    requests = {"cpu": f"{1000 * CPU_REQUEST:.0f}m", "memory": str(MEMORY_REQUEST)}
    container = {
        "name": CONTAINER,
        "image": "model:1",
        "resources": {"requests": requests, "limits": {"memory": str(MEMORY_LIMIT)}},
    }
    spec = {
        "containers": [container],
        "nodeSelector": {MARK: str(fleet.size)},
        "tolerations": [{"key": MARK, "operator": "Exists"}],
        "terminationGracePeriodSeconds": 0,
    }
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": spec}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "labels": labels},
        "spec": {"replicas": PODS, "selector": {"matchLabels": labels}, "template": template},
    }


def _all_run(cluster: Cluster, fleet: Fleet) -> bool:
    phases = cluster.kubectl("get", "pods", "-n", fleet.namespace, "-o", "jsonpath={.items[*].status.phase}").stdout
    return phases.split().count("Running") == fleet.size * PODS


def _environment(cluster: Cluster, home: str) -> dict[str, str]:
    """What a user has, and a cache that nobody else writes to."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "TZ") if name in os.environ}
    return {**kept, "HOME": home, "KUBECONFIG": str(cluster.kubeconfig)}


def _say(line: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
