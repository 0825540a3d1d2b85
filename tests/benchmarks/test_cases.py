"""Each case once, with little of everything: both programs do the same work on the real control plane.

How long they take is for ``make bench``: here nothing is said about it.
"""

from __future__ import annotations

import json
import secrets
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from benchmarks import cases, fills, page
from benchmarks.install import Programs, clean_environment
from benchmarks.measure import Starter
from benchmarks.stage import Sizes, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cluster.access import Cluster

pytestmark = pytest.mark.cluster

SMALL = Sizes(
    deployments=5, pods=(20, 30), rounds=1, slow_rounds=1, round_trip=0.010, detour=0.2, replay_days=1, searches=False
)


@pytest.fixture
def stage(cluster: Cluster, tmp_path: Path) -> Iterator[Stage]:
    """With the mlscale of the tests, which needs no installation of its own."""
    python = Path(sys.executable)
    programs = Programs(str(python.with_name("mlscale")), str(python), str(cluster.kubectl_path))
    environment = clean_environment(HOME=str(tmp_path / "home"), KUBECONFIG=str(cluster.kubeconfig))
    with Starter(tmp_path, environment) as starter:
        yield Stage(programs, cluster, starter, tmp_path, SMALL, lambda _: None, prefix=f"bench-{secrets.token_hex(3)}")


def test_the_replay_of_a_day_is_timed(stage: Stage) -> None:
    (row,) = cases.GROUPS["replay"](stage)

    assert (row.name, row.unit, row.goal) == ("replay of 1 d, 500 settings, daily load", "s", None)
    assert row.ours > 0


@pytest.mark.parametrize(
    ("group", "names"),
    [
        (
            "start",
            [
                "floor: `python -c pass`",
                'floor: `python -c "import typer"`',
                "`--version`",
                "`--help`",
                "completion of a name",
            ],
        ),
        ("local", ["scale", "autoscale", "status --only hpa", "status --only pods"]),
        (
            "far",
            [
                "scale, 10 ms away, cold",
                "autoscale, 10 ms away, cold",
                "status --only hpa, 10 ms away, cold",
                "status --only pods, 10 ms away, cold",
                "status NAME, 10 ms away, cold",
            ],
        ),
        ("trips", ["scale", "autoscale", "status --only hpa", "status --only pods", "status NAME"]),
        ("bulk", ["scale 5 deployments (--all)", "autoscale 5 deployments (-f)"]),
        (
            "tables",
            [
                "table of 20 pods",
                "table of 20 pods: peak memory",
                "table of 20 pods, -A",
                "table of 20 pods, -A: peak memory",
                "table of 30 pods",
                "table of 30 pods: peak memory",
                "table of 30 pods, -A",
                "table of 30 pods, -A: peak memory",
            ],
        ),
    ],
)
def test_both_programs_do_the_work_of_each_case(stage: Stage, group: str, names: list[str]) -> None:
    rows = cases.GROUPS[group](stage)

    assert [row.failure for row in rows if row.failure] == []
    assert [row.name for row in rows] == names
    assert all(row.ratio and row.theirs and row.rounds == 1 for row in rows)
    assert page.render_table(rows).count("\n") == len(rows) + 2
    assert _left_behind(stage) == []


def test_a_program_that_does_nothing_is_found_out(stage: Stage) -> None:
    """It says what mlscale would say, fast, and scales nothing."""
    liar = stage.folder / "liar"
    liar.write_text(f"#!/bin/sh\necho 'deployment.apps/{cases.PARKED} scaled'\n", encoding="utf-8")
    liar.chmod(0o755)
    lying = replace(stage, programs=replace(stage.programs, mlscale=str(liar)))
    rows = {row.name: row for row in cases.local(lying)}

    assert rows["scale"].failure == "deployment/parked has 0 replicas, not 2"
    assert not rows["status --only pods"].met


def test_setting_the_replicas_of_a_paused_deployment_makes_no_pod(cluster: Cluster) -> None:
    """Pods that come and go would disturb the run after."""
    with fills.fresh_namespace(cluster, "bench") as fill:
        fill.create([fills.paused_deployment("one")])
        fill.kubectl("scale", "deployment/one", "--replicas=3")
        fill.kubectl("wait", "--for=jsonpath={.status.observedGeneration}=2", "deployment/one", "--timeout=30s")

        assert fill.replicas() == {"one": 3}
        assert fill.kubectl("get", "replicasets,pods", "-o", "name") == ""


def test_the_nodes_of_a_fill_are_nobody_elses(cluster: Cluster) -> None:
    """A test that counts nodes or looks for room does not see them."""
    with fills.pod_nodes(cluster, "bench") as names:
        counted = cluster.kubectl("get", "nodes", "-l", "type=kwok", "-o", "name").stdout.split()
        free = cluster.kubectl("get", "nodes", "--field-selector=spec.unschedulable=false", "-o", "name").stdout.split()

        assert len(names) == fills.NODES
        assert {f"node/{name}" for name in names}.isdisjoint([*counted, *free])


def _left_behind(stage: Stage) -> list[str]:
    """What a group made and did not delete."""
    listed = json.loads(stage.cluster.kubectl("get", "nodes,namespaces", "-o", "json").stdout)["items"]
    names = [item["metadata"]["name"] for item in listed if "deletionTimestamp" not in item["metadata"]]
    return [name for name in names if name.startswith(stage.prefix)]
