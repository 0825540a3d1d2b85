"""Which resource serves a request; refusals as Kubernetes 1.37.2 gave them to the same requests."""

from __future__ import annotations

import pytest

from mlscale.sandbox.resources import SERVED
from mlscale.sandbox.server.calls import PageNotFoundError
from mlscale.sandbox.server.discovery import catalogue
from mlscale.sandbox.server.request_info import read_request_info
from mlscale.sandbox.server.routing import find_resource, namespace_of
from mlscale.sandbox.statuses import StatusError

KNOWN = catalogue(SERVED)
NS = "/api/v1/namespaces/default"
APPS = "/apis/apps/v1/namespaces/default"
METRICS = "/apis/metrics.k8s.io/v1beta1"

NO_RESOURCE = [
    ("GET", "/apis/apps/v2/deployments"),
    ("GET", "/apis/apps/v1/foos"),
    ("GET", f"{APPS}/foos"),
    ("GET", "/api/v1/foos"),
    ("GET", f"{APPS}/deployments/x/foo"),
    ("GET", "/api/v1/pods/x"),
    ("GET", "/api/v1/namespaces/a/b/pods"),
    ("GET", "/api/v1//pods"),
    ("GET", f"{NS}/nodes"),
    ("GET", "/apis/apps/v1/deployments/x/scale"),
    ("GET", f"{NS}/namespaces/x"),
    ("GET", f"{NS}/pods/x/scale"),
    ("GET", f"{METRICS}/foo"),
]
NO_METHOD = [
    ("PUT", f"{APPS}/deployments"),
    ("POST", f"{APPS}/deployments/x"),
    ("POST", "/apis/apps/v1/deployments"),
    ("PATCH", f"{APPS}/deployments"),
    ("DELETE", "/apis/apps/v1/deployments"),
    ("TRACE", "/api/v1/pods"),
    ("HEAD", "/api/v1/pods"),
    ("OPTIONS", "/api/v1/pods"),
    ("DELETE", f"{NS}/pods/none/status"),
    ("POST", f"{APPS}/deployments/x/scale"),
    ("POST", f"{METRICS}/namespaces/default/pods"),
    ("DELETE", f"{METRICS}/namespaces/default/pods/x"),
    ("GET", f"{NS}/serviceaccounts/x/token"),
    ("GET", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"),
]
SERVES = [
    ("GET", f"{NS}/pods", "pods", "default"),
    ("GET", "/api/v1/pods", "pods", None),
    ("GET", "/api/v1/namespaces//pods", "pods", None),
    ("GET", "/api/v1/namespaces/x", "namespaces", ""),
    ("PUT", "/api/v1/namespaces/x/finalize", "namespaces", ""),
    ("GET", "/api/v1/nodes/n", "nodes", ""),
    ("PATCH", f"{APPS}/deployments/x/scale", "deployments.apps", "default"),
    ("GET", "/apis/autoscaling/v1/horizontalpodautoscalers", "horizontalpodautoscalers.autoscaling", None),
    ("GET", f"{METRICS}/nodes", "nodes.metrics.k8s.io", ""),
    ("POST", f"{NS}/serviceaccounts/x/token", "serviceaccounts", "default"),
]


def found(method: str, path: str, **query: str) -> tuple[str, str | None]:
    info = read_request_info(method, path, query)
    resource = find_resource(KNOWN, info)
    return resource.key, namespace_of(resource, info)


@pytest.mark.parametrize(("method", "path", "key", "namespace"), SERVES)
def test_who_serves(method: str, path: str, key: str, namespace: str | None) -> None:
    assert found(method, path) == (key, namespace)


@pytest.mark.parametrize(("method", "path"), NO_RESOURCE)
def test_no_such_resource(method: str, path: str) -> None:
    with pytest.raises(StatusError) as refused:
        found(method, path)
    assert refused.value.body() == {
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": "the server could not find the requested resource", "reason": "NotFound", "details": {}, "code": 404,
    }  # fmt: skip


@pytest.mark.parametrize(("method", "path"), NO_METHOD)
def test_no_such_method(method: str, path: str) -> None:
    with pytest.raises(StatusError) as refused:
        found(method, path)
    assert (refused.value.code, refused.value.body()["details"]) == (405, {})
    assert refused.value.message == "the server does not allow this method on the requested resource"


@pytest.mark.parametrize("path", ["/apis/foo/v1/bars", "/apis/metrics.k8s.io/v1/pods"])
def test_an_unknown_group_is_no_page(path: str) -> None:
    with pytest.raises(PageNotFoundError):
        found("GET", path)


def test_metrics_cannot_be_watched() -> None:
    with pytest.raises(StatusError) as refused:
        found("GET", f"{METRICS}/namespaces/default/pods", watch="true")
    assert refused.value.message == 'watch is not supported on resources of kind "pods.metrics.k8s.io"'
