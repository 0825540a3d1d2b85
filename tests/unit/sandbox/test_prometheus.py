"""The Prometheus of a simulated cluster, without a server: what it answers, in which form, and how it refuses."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest

from mlscale.sandbox.prometheus import SimulatedPrometheus
from mlscale.sandbox.scenario_file import load_scenario
from mlscale.sandbox.simulation import Simulation
from mlscale.usage.queries import query_text

Json = dict[str, Any]

START = datetime(2026, 11, 25, 8, 0, tzinfo=UTC)
NOW = START.timestamp()
HOURS = 3600.0


@cache
def simulation(name: str, hours: float = 6.0, seed: int = 0) -> Simulation:
    return Simulation(replace(load_scenario(name), history=hours * HOURS), seed, START)


@cache
def prometheus(name: str, hours: float = 6.0, seed: int = 0) -> SimulatedPrometheus:
    return SimulatedPrometheus(simulation(name, hours, seed).recorder)


def asked(source: SimulatedPrometheus, path: str, **query: str) -> tuple[int, Json]:
    page = source.page("GET", f"/api/v1/{path}", query)
    assert page.content_type == "application/json"
    return page.status, json.loads(page.body)


def ranged(source: SimulatedPrometheus, text: str, back: float = HOURS, step: str = "60") -> list[Json]:
    times = {"start": str(NOW - back), "end": str(NOW), "step": step}
    status, body = asked(source, "query_range", query=text, **times)
    assert (status, body["status"], body["data"]["resultType"]) == (200, "success", "matrix")
    result: list[Json] = body["data"]["result"]
    return result


def vector(source: SimulatedPrometheus, text: str) -> list[Json]:
    status, body = asked(source, "query", query=text, time=str(NOW))
    assert (status, body["data"]["resultType"]) == (200, "vector")
    result: list[Json] = body["data"]["result"]
    return result


def test_the_clock_is_the_simulations() -> None:
    _, body = asked(prometheus("daily"), "query", query="time()")
    assert body["data"] == {"resultType": "scalar", "result": [int(NOW), str(int(NOW))]}


def test_a_matrix_has_the_labels_of_cadvisor_and_pairs_of_time_and_text() -> None:
    (series,) = ranged(prometheus("daily"), query_text("cpu", ["default"], window="120s"))
    (pod,) = simulation("daily").store.list("pods", "default")
    assert series["metric"] == {
        "container": "model", "cpu": "total", "job": "kubelet", "metrics_path": "/metrics/cadvisor",
        "namespace": "default", "node": pod["spec"]["nodeName"], "pod": pod["metadata"]["name"],
    }  # fmt: skip
    assert [time for time, _ in series["values"]] == [int(NOW) - 3600 + 60 * k for k in range(61)]
    assert all(isinstance(value, str) for _, value in series["values"])


def test_owners_lead_from_pods_to_the_deployment() -> None:
    source = prometheus("steady")
    pods = vector(source, query_text("pod_owners", ["default"], range="3600s"))
    (replicaset,) = vector(source, query_text("replicaset_owners", ["default"], range="3600s"))
    assert {series["metric"]["owner_name"] for series in pods} == {replicaset["metric"]["replicaset"]}
    assert replicaset["metric"]["owner_kind"] == "Deployment"
    assert replicaset["value"] == [int(NOW), "1"]
    now = {pod["metadata"]["name"] for pod in simulation("steady").store.list("pods", "default")}
    assert now <= {series["metric"]["pod"] for series in pods}


def test_pods_come_and_go_with_the_hpa() -> None:
    source = prometheus("spike")
    (count,) = ranged(source, query_text("containers", ["default"]), back=3 * HOURS)
    counts = {value for _, value in count["values"]}
    # 12 requests per second take 62 % of the requests of two pods and 42 % of three; at 60 there are as many as may be.
    assert {"3", "12"} <= counts
    owners = vector(source, query_text("pod_owners", ["default"], range="10800s"))
    names = [series["metric"]["pod"] for series in owners]
    assert len(names) == len(set(names)) > 12


def test_requests_are_those_of_the_pods() -> None:
    found = ranged(prometheus("idle"), query_text("requests", ["default"], step="60s"))
    values = {(series["metric"]["resource"], value) for series in found for _, value in series["values"]}
    assert values == {("cpu", "2"), ("memory", str(8 * 2**30))}
    assert ranged(prometheus("no-requests"), query_text("requests", ["default"], step="60s")) == []


def test_a_container_without_a_cpu_limit_has_no_throttling() -> None:
    text = query_text("throttled", ["default"], step="60s")
    throttled = ranged(prometheus("cpu-throttled"), text)
    assert {value for series in throttled for _, value in series["values"]} == {"1"}
    assert ranged(prometheus("gpu-queue"), text) == []


def test_a_container_that_ran_out_of_memory_was_restarted_for_it() -> None:
    source = prometheus("memory-bound")
    (killed,) = vector(source, query_text("oom_kills", ["default"], range="21600s"))
    (restarted,) = vector(source, query_text("restarts", ["default"], range="21600s"))
    assert killed["value"][1] == "1"
    # One burst in ten minutes for six hours; while it waits to be started again some pass it by.
    assert 12 <= float(restarted["value"][1]) <= 3 * 36
    assert vector(prometheus("idle"), query_text("oom_kills", ["default"], range="21600s")) == []


def test_only_what_has_gpus_exposes_those_and_a_cache() -> None:
    names = "DCGM_FI_DEV_GPU_UTIL|ts_queue_latency_microseconds|vllm:kv_cache_usage_perc|vllm:num_requests_waiting"
    text = query_text("signals", ["default"], range="3600s", names=names)
    gpu, plain = (
        {series["metric"]["__name__"]: series["value"][1] for series in vector(prometheus(name), text)}
        for name in ("gpu-queue", "downstream")
    )
    assert gpu == {"DCGM_FI_DEV_GPU_UTIL": "2", "vllm:kv_cache_usage_perc": "2", "vllm:num_requests_waiting": "2"}
    assert plain == {"vllm:num_requests_waiting": "2"}


def test_what_is_scraped_goes_on_where_the_past_ends() -> None:
    source = SimulatedPrometheus(simulation("steady", 6.0, 7).recorder)
    simulation("steady", 6.0, 7).advance(START + timedelta(minutes=30))
    times = {"start": str(NOW - 1800), "end": str(NOW + 1790), "step": "10"}
    text = query_text("cpu", ["default"], window="120s")
    _, body = asked(source, "query_range", query=text, **times)
    assert len(body["data"]["result"]) == 3
    for series in body["data"]["result"]:
        values = [float(value) for _, value in series["values"]]
        assert len(values) == 360
        # A third of 15 requests per second at 0.05 core-seconds each, a tenth more or less, with 3 % noise.
        assert 0.2 < min(values) <= max(values) < 0.32


def test_the_same_seed_tells_the_same_past() -> None:
    text = query_text("cpu", ["default"], window="120s")
    one, again = (SimulatedPrometheus(Simulation(load_scenario("daily"), 3, START).recorder) for _ in range(2))
    assert ranged(one, text) == ranged(again, text)
    assert ranged(one, text) != ranged(prometheus("daily", 6.0, 4), text)


def test_before_its_history_there_is_nothing() -> None:
    status, body = asked(
        prometheus("steady"), "query", query=query_text("containers", ["default"]), time=str(NOW - 7 * HOURS)
    )
    assert (status, body["data"]["result"]) == (200, [])
    assert vector(prometheus("steady"), query_text("containers", ["elsewhere"])) == []


@pytest.mark.parametrize(
    ("query", "status", "error_type", "message"),
    [
        ("up", 422, "execution", "the sandbox answers only the queries that mlscale itself sends"),
        ("", 400, "bad_data", 'invalid parameter "query": 1:1: parse error: no expression found in input'),
    ],
)
def test_any_other_query_is_refused_in_the_form_of_prometheus(
    query: str, status: int, error_type: str, message: str
) -> None:
    found, body = asked(prometheus("daily"), "query", query=query)
    assert (found, body["status"], body["errorType"]) == (status, "error", error_type)
    assert body["error"].startswith(message)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/", 404), ("GET", "/api/v1/labels", 404), ("PUT", "/api/v1/query", 405), ("GET", "/-/healthy", 200)],
)
def test_other_pages(method: str, path: str, status: int) -> None:
    assert prometheus("daily").page(method, path, {}).status == status


def test_a_cluster_starts_without_numpy() -> None:
    script = (
        "import sys; from datetime import datetime, UTC; from mlscale.sandbox.server import app; "
        "from mlscale.sandbox.scenario_file import load_scenario; from mlscale.sandbox.simulation import Simulation; "
        "Simulation(load_scenario('daily'), 0, datetime.now(UTC)); print('numpy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True).stdout == "False\n"
