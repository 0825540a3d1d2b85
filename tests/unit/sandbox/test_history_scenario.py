"""How much of a past a scenario has, and by what a Prometheus with it is found."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from mlscale.sandbox.prometheus_service import prometheus_objects
from mlscale.sandbox.scenario_fields import ScenarioError
from mlscale.sandbox.scenario_file import load_scenario, read_scenario, scenario_names
from mlscale.sandbox.simulation import Simulation

DAY = 86_400.0
LEAST = "name: mine\nstory: A test.\nnodes:\n  - {name: n, allocatable: {cpu: 2}}\n"


@pytest.mark.parametrize(("line", "seconds"), [("", 7 * DAY), ("history: 36h\n", 1.5 * DAY), ("history: 0s\n", 0.0)])
def test_a_scenario_says_how_far_back_it_goes(line: str, seconds: float) -> None:
    assert read_scenario(LEAST + line, "mine.yaml").history == seconds


def test_a_past_that_would_take_too_long_to_work_out_is_refused() -> None:
    assert read_scenario(LEAST + "history: 31d\n", "mine.yaml").history == 31 * DAY
    with pytest.raises(ScenarioError) as raised:
        read_scenario(LEAST + "history: 32d\n", "mine.yaml")
    assert raised.value.message == "mine.yaml: history: it is longer than 31 days"


@pytest.mark.parametrize("name", scenario_names())
def test_every_scenario_has_a_prometheus(name: str) -> None:
    simulation = Simulation(load_scenario(name), 0, datetime(2026, 11, 25, 8, 0, tzinfo=UTC))
    service = simulation.store.get("services", "monitoring", "prometheus")
    assert service is not None
    assert service["spec"]["ports"] == [{"name": "http-web", "port": 9090, "protocol": "TCP", "targetPort": 9090}]
    assert [present.workload.name for present in simulation.recorder.present] == [load_scenario(name).workloads[0].name]


def test_without_workloads_or_a_past_there_is_none() -> None:
    known = load_scenario("daily")
    assert prometheus_objects(replace(known, workloads=())) == []
    assert prometheus_objects(replace(known, history=0.0)) == []
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "monitoring"}}
    (only,) = prometheus_objects(replace(known, objects=(namespace,)))
    assert only["kind"] == "Service"
