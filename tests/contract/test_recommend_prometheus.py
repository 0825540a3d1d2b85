"""The verdicts on the scenarios, on the control plane: real workloads, HPAs, quotas and nodes, and a real Prometheus.

Every row that says which part limits is shown: all that is decided from objects is the API server's, the scheduler's
and the controllers' own, and all that is decided from the past went through promtool and PromQL. What kwok's pods do
not do is work: no request is served, no CPU is throttled and nothing is killed for its memory, so that the past is what
the sandbox works out for these pods, and only the past tells of OOM kills. Nothing else is left to the sandbox alone.
"""

from __future__ import annotations

import shlex
import time
from typing import TYPE_CHECKING

import pytest

from mlscale.sandbox.scenario_file import load_scenario
from tests.cluster import prometheus
from tests.contract.api import Api
from tests.contract.staged_scenarios import Staged
from tests.contract.verdicts import (
    VERDICTS,
    arguments_of,
    check_cause,
    checked_lines,
    recommendation,
    scenario_option,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.cluster.access import Cluster, Run

pytestmark = pytest.mark.cluster

DAY = 86400.0


@pytest.fixture(scope="session")
def cluster(control_plane_cluster: Cluster) -> Cluster:
    """The control plane alone; the sandbox has the same verdicts in test_recommend_scenarios."""
    return control_plane_cluster


@pytest.fixture(params=VERDICTS)
def staged(
    request: pytest.FixtureRequest, cluster: Cluster, namespace: str, tmp_path: Path
) -> Iterator[tuple[str, Staged]]:
    """One scenario after the other, each in a namespace and on nodes of its own, with its name."""
    scenario = str(request.param)
    stage = Staged(Api(cluster.kubeconfig, tmp_path), load_scenario(scenario_option(scenario, tmp_path)), namespace)
    try:
        stage.create()
        yield scenario, stage
    finally:
        stage.delete_nodes()


def test_the_cause_is_named_and_its_lines_run(
    staged: tuple[str, Staged], prometheus_programs: None, mlscale: Run, cluster: Cluster, tmp_path: Path
) -> None:
    scenario, stage = staged
    expected, data = VERDICTS[scenario], tmp_path / "prometheus"
    prometheus.backfill(stage.history(time.time(), expected.days * DAY), data)
    with prometheus.running_prometheus(data) as url:
        done = mlscale(*arguments_of(expected, stage.namespace), "--prometheus", url)
    one = recommendation(done, expected)
    check_cause(one, expected)
    for line in checked_lines(one, expected, stage.namespace):
        program, *arguments = shlex.split(line)
        run = mlscale if program == "mlscale" else cluster.kubectl
        assert run(*arguments, "--dry-run=server").returncode == 0
