"""Which Prometheus is found in a cluster, and how it is addressed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from mlscale.errors import ConfigError, NotAllowedError, NotFoundError, UsageError
from mlscale.usage.prometheus_service import prometheus_at, prometheus_in_cluster
from tests.clients import client
from tests.recording_server import Answer, RecordingServer, recording_server, status
from tests.unit.usage.prometheus_server import success

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME, COMPONENT = "app.kubernetes.io/name", "app.kubernetes.io/component"
SERVICES = "GET /api/v1/services"


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with recording_server() as running:
        yield running


def labelled(name: str, labels: dict[str, str], *ports: Any, namespace: str = "monitoring") -> dict[str, Any]:
    """A Service; a port is its number, or its name and number."""
    found = [{"name": port[0], "port": port[1]} if isinstance(port, tuple) else {"port": port} for port in ports]
    return {"metadata": {"namespace": namespace, "name": name, "labels": labels}, "spec": {"ports": found}}


def service(name: str, *ports: Any, namespace: str = "monitoring") -> dict[str, Any]:
    """One without labels."""
    return labelled(name, {}, *ports, namespace=namespace)


STACK = labelled("kps-prometheus", {"app": "kube-prometheus-stack-prometheus"}, ("http-web", 9090), ("reloader", 8080))
COMMUNITY = labelled("prometheus-server", {NAME: "prometheus", COMPONENT: "server"}, ("http", 80))
OPERATED = service("prometheus-operated", ("web", 9090))
THANOS = labelled("thanos-query", {NAME: "thanos-query"}, ("grpc", 10901), ("http", 9090))
MIMIR = labelled("mimir-gateway", {NAME: "mimir", COMPONENT: "gateway"}, 80)
VMSELECT = labelled("vmselect", {NAME: "vmselect"}, ("http", 8481))
SECURE = service("prometheus-k8s", ("https", 9091), ("metrics", 9092), namespace="openshift")
OTHERS = [
    labelled("alertmanager", {NAME: "alertmanager"}, 9093),
    labelled("node-exporter", {NAME: "prometheus-node-exporter"}, 9100),
    labelled("pushgateway", {NAME: "prometheus", COMPONENT: "pushgateway"}, 9091),
    labelled("thanos-store", {NAME: "thanos", COMPONENT: "storegateway"}, 10902),
    {"metadata": {"namespace": "default", "name": "external"}, "spec": {"type": "ExternalName"}},
]


@pytest.mark.parametrize(
    ("services", "proxied", "called"),
    [
        ([STACK, OPERATED], "monitoring/services/http%3Akps-prometheus%3A9090/proxy", "monitoring/kps-prometheus"),
        ([COMMUNITY], "monitoring/services/http%3Aprometheus-server%3A80/proxy", "monitoring/prometheus-server"),
        ([OPERATED], "monitoring/services/http%3Aprometheus-operated%3A9090/proxy", "monitoring/prometheus-operated"),
        # Thanos has what several Prometheus servers have, and longer.
        ([STACK, THANOS], "monitoring/services/http%3Athanos-query%3A9090/proxy", "monitoring/thanos-query"),
        ([MIMIR], "monitoring/services/http%3Amimir-gateway%3A80/proxy/prometheus", "monitoring/mimir-gateway"),
        ([VMSELECT], "monitoring/services/http%3Avmselect%3A8481/proxy/select/0/prometheus", "monitoring/vmselect"),
        ([SECURE], "openshift/services/https%3Aprometheus-k8s%3A9091/proxy", "openshift/prometheus-k8s"),
        (
            [service("prometheus", 9090, namespace="b"), service("prometheus", 9090, namespace="a")],
            "a/services/http%3Aprometheus%3A9090/proxy",
            "a/prometheus",
        ),
    ],
)
def test_it_is_found_and_asked_through_the_api_server(
    server: RecordingServer, services: list[dict[str, Any]], proxied: str, called: str
) -> None:
    server.answers[SERVICES] = Answer({"items": OTHERS + services})
    path = f"GET /api/v1/namespaces/{proxied}/api/v1/query"
    server.answers[path] = success("scalar", [5, "5"])
    found = prometheus_in_cluster(client(server, authorization="Bearer t"))
    assert found.where == f"Prometheus (service {called})"
    assert found.instant("time()") == [({}, 5.0)]
    assert server.lines == [SERVICES, path]
    assert server.requests[-1].header("Authorization") == "Bearer t"


def test_there_may_be_none(server: RecordingServer) -> None:
    server.answers[SERVICES] = Answer({"items": OTHERS})
    with pytest.raises(NotFoundError) as caught:
        prometheus_in_cluster(client(server))
    assert str(caught.value) == (
        "no Prometheus was found in the cluster by its Service; give --prometheus URL, --observe 2m or --samples FILE"
    )


def test_a_user_who_may_not_list_services_is_told_what_else_there_is(server: RecordingServer) -> None:
    server.answers[SERVICES] = status(403, "services is forbidden", "Forbidden")
    with pytest.raises(NotAllowedError, match="cannot be looked for: services is forbidden; give --prometheus URL"):
        prometheus_in_cluster(client(server))


def test_one_at_a_url_is_asked_as_the_environment_says(server: RecordingServer) -> None:
    server.answers["GET /p/api/v1/query"] = success("scalar", [5, "5"])
    environ = {"MLSCALE_PROMETHEUS_TOKEN": "t", "MLSCALE_PROMETHEUS_HEADERS": "X-Scope-OrgID: ten"}
    found = prometheus_at(f"{server.url}/p", environ)
    assert found.where == f"Prometheus at {server.url}/p"
    assert found.instant("time()") == [({}, 5.0)]
    (request,) = server.requests
    assert (request.header("Authorization"), request.header("X-Scope-OrgID")) == ("Bearer t", "ten")


def test_nothing_is_asked_before_the_settings_are_right() -> None:
    with pytest.raises(UsageError):
        prometheus_at("ftp://x", {})
    with pytest.raises(ConfigError):
        prometheus_at("http://x", {"MLSCALE_PROMETHEUS_PASSWORD": "p"})
