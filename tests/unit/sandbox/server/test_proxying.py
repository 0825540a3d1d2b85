"""Requests to a service through the API server: whom it passes them on to, and whom it lets ask.

The refusals are those of a Kubernetes 1.37.2 to the same requests for a service without endpoints.
"""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from mlscale.kube.access import Overrides
from mlscale.kube.client import Client as KubeClient
from mlscale.kube.kinds import DEPLOYMENT
from mlscale.kube.kubeconfig import read_access
from mlscale.kube.targets import Target
from mlscale.kube.transport import Transport
from mlscale.sandbox.scenario_file import load_scenario
from mlscale.sandbox.server.serving import serving
from mlscale.sandbox.simulation import Simulation
from mlscale.usage.model import History
from mlscale.usage.prometheus import read_histories, server_time
from mlscale.usage.prometheus_service import prometheus_in_cluster
from mlscale.usage.workloads import read_workload
from tests.unit.sandbox.server.conftest import Client

if TYPE_CHECKING:
    from collections.abc import Iterator

Json = dict[str, Any]

START = datetime(2026, 11, 25, 8, 0, tzinfo=UTC)
DAYS = 2
HOUR = 3600.0
QUERY = "/api/v1/query?query=time()"


@pytest.fixture(scope="module")
def daily() -> Iterator[Client]:
    with serving(Simulation(replace(load_scenario("daily"), history=HOUR), 0, START), 1, time.monotonic) as kubeconfig:
        yield Client(kubeconfig)


def proxied(name: str, namespace: str = "monitoring") -> str:
    return f"/api/v1/namespaces/{namespace}/services/{name}/proxy"


@pytest.mark.parametrize("name", ["http:prometheus:9090", "prometheus:http-web", "prometheus:9090", "prometheus"])
def test_it_passes_a_query_on(daily: Client, name: str) -> None:
    reply = daily("GET", proxied(name) + QUERY)
    assert (reply.status, reply.body["status"]) == (200, "success")
    assert reply.body["data"]["resultType"] == "scalar"


@pytest.mark.parametrize(
    ("method", "path", "status", "reason", "message"),
    [
        ("GET", proxied("http:prometheus:9091"), 503, "ServiceUnavailable",
         'no service port 9091 found for service "prometheus"'),
        ("GET", proxied("prometheus:nope"), 503, "ServiceUnavailable",
         'no endpoints available for service "prometheus"'),
        ("GET", proxied("http:nope:9090"), 404, "NotFound", 'services "nope" not found'),
        ("GET", proxied("ftp:prometheus:9090"), 400, "BadRequest", 'invalid service request "ftp:prometheus:9090"'),
        ("GET", proxied("a:b:c:d"), 400, "BadRequest", 'invalid service request "a:b:c:d"'),
        ("TRACE", proxied("prometheus"), 405, "MethodNotAllowed",
         "the server does not allow this method on the requested resource"),
    ],
)  # fmt: skip
def test_what_it_cannot_pass_on(
    daily: Client, method: str, path: str, status: int, reason: str, message: str
) -> None:  # fmt: skip
    reply = daily(method, path + QUERY)
    assert (reply.status, reply.body["reason"], reply.body["message"]) == (status, reason, message)


def test_it_asks_for_the_token_and_the_right_to_the_proxy(daily: Client) -> None:
    path = proxied("http:prometheus:9090") + QUERY
    assert daily("GET", path, Authorization="Bearer wrong").status == 401
    refused = daily("GET", path, Impersonate_User="jane")
    assert refused.status == 403
    expected = (
        'services "http:prometheus:9090" is forbidden: User "jane" cannot get resource "services/proxy" '
        'in API group "" in the namespace "monitoring"'
    )
    assert refused.body["message"] == expected
    rules = [{"apiGroups": [""], "resources": ["services/proxy"], "verbs": ["get"]}]
    roles = "/apis/rbac.authorization.k8s.io/v1/namespaces/monitoring"
    daily("POST", f"{roles}/roles", {"metadata": {"name": "ask"}, "rules": rules})
    binding = {
        "metadata": {"name": "ask"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "ask"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "jane"}],
    }
    daily("POST", f"{roles}/rolebindings", binding)
    assert daily("GET", path, Impersonate_User="jane").status == 200


def test_a_scenario_without_history_has_no_prometheus() -> None:
    simulation = Simulation(replace(load_scenario("daily"), history=0.0), 0, START)
    assert simulation.store.get("namespaces", "", "monitoring") is None


def history_of(scenario: str, name: str = "my-ml-model") -> History:
    """As ``mlscale recommend`` reads it: the service found, asked through the proxy, and the answers put together."""
    known = replace(load_scenario(scenario), history=DAYS * 24 * HOUR)
    simulation = Simulation(known, 0, START)
    deployment = simulation.store.get("deployments.apps", "default", name)
    assert deployment is not None
    workload = read_workload(Target(DEPLOYMENT, "default", name), deployment["spec"]["template"]["spec"])
    with serving(simulation, 1, time.monotonic) as kubeconfig:
        access = read_access(Overrides(kubeconfig=str(kubeconfig)), {}, service_account=Path("/nowhere"))
        source = prometheus_in_cluster(KubeClient(access, Transport(access, timeout=30)))
        end = server_time(source)
        found = dict(read_histories(source, [workload], end - DAYS * 24 * HOUR, end, lambda *_: None))
    (history,) = found.values()
    assert isinstance(history, History)
    return history


def mean(history: History, signal: str) -> float:
    return float(np.mean(history.signals[signal].values))


def test_daily_follows_day_and_night() -> None:
    history = history_of("daily")
    assert history.step == 60.0
    assert history.span == pytest.approx(DAYS * 24 * HOUR, rel=0.01)
    assert history.gaps == ()
    clock = history.cpu.times % (24 * HOUR)
    night = history.cpu.values[np.abs(clock - 2 * HOUR) < HOUR].mean()
    day = history.cpu.values[np.abs(clock - 14 * HOUR) < HOUR].mean()
    # At 02:00 4 to 4.1 requests per second of 0.05 core-seconds; at 14:00 1.2 cores are wanted and 1 is allowed.
    assert night == pytest.approx(0.01 + 4.1 * 0.05, rel=0.05)
    assert day == pytest.approx(1.0, rel=0.01)
    assert (history.pods.values == 1).all()


def test_cpu_throttled_never_shows_more_than_its_limit() -> None:
    history = history_of("cpu-throttled")
    use = history.containers["model"]
    assert use.throttled is not None
    assert use.throttled.values.min() > 0.9
    assert use.cpu.values.max() == pytest.approx(0.5)
    assert (history.pods.values == 2).all()
    assert mean(history, "queue_length") > 100


def test_memory_bound_reaches_its_limit_and_is_killed() -> None:
    use = history_of("memory-bound").containers["model"]
    assert use.memory.values.max() == 2**30
    assert use.oom_kills >= 1
    assert use.restarts > DAYS * 24


def test_gpu_queue_is_busy_where_its_cpu_is_not() -> None:
    history = history_of("gpu-queue", "llm-server")
    assert mean(history, "gpu_utilization") > 0.95
    assert mean(history, "kv_cache_usage") > 0.9
    assert mean(history, "queue_length") > 100
    # Of 2 cores a pod.
    assert history.cpu.values.max() < 0.2


def test_downstream_is_slow_and_idle() -> None:
    history = history_of("downstream")
    assert np.median(history.signals["latency_p95"].values) == pytest.approx(30.0)
    assert mean(history, "request_rate") == pytest.approx(10.0, rel=0.02)
    assert history.cpu.values.max() < 0.15


def test_idle_uses_next_to_nothing_of_what_it_requests() -> None:
    history = history_of("idle")
    requested = history.containers["model"].cpu_request
    assert requested is not None
    assert requested.values.tolist() == [2.0]
    assert (history.pods.values == 6).all()
    # 2 requests per second of 0.05 core-seconds, and six pods that use 10 m without any.
    assert history.cpu.values.mean() == pytest.approx(0.16, rel=0.05)
