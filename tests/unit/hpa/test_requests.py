"""Which requests a metric needs, and which of them are missing."""

from __future__ import annotations

from typing import Any

import pytest

from mlscale.hpa.metrics import resource_metric
from mlscale.hpa.requests import (
    MissingRequest,
    RequestNeed,
    milli_limit,
    milli_request,
    missing_requests,
    needed_requests,
)
from mlscale.kube.pod_resources import admitted_spec

CPU = RequestNeed("cpu")


def container(name: str, cpu: str = "", limit: str = "", **more: Any) -> dict[str, Any]:
    resources = {"requests": {"cpu": cpu} if cpu else {}, "limits": {"cpu": limit} if limit else {}}
    return {"name": name, "resources": resources, **more}


def sidecar(name: str, cpu: str = "") -> dict[str, Any]:
    return container(name, cpu, restartPolicy="Always")


def pod(*containers: dict[str, Any], init: tuple[dict[str, Any], ...] = (), **more: Any) -> dict[str, Any]:
    return {"containers": list(containers), "initContainers": list(init), **more}


@pytest.mark.parametrize(
    ("spec", "missing"),
    [
        (pod(container("a", "100m"), container("b", "1")), []),
        (pod(container("a", "100m"), container("b")), ["b"]),
        (pod(container("a"), container("b")), ["a", "b"]),
        (pod(container("a", "0")), []),
        (pod({"name": "bare"}), ["bare"]),
        (pod(container("a", "1"), init=(sidecar("proxy"),)), ["proxy"]),
        (pod(container("a", "1"), init=(sidecar("proxy", "1"),)), []),
        (pod(container("a", "1"), init=(container("setup"),)), []),  # ends before the pod is measured
    ],
)
def test_every_container_needs_a_request(spec: dict[str, Any], missing: list[str]) -> None:
    assert missing_requests(spec, CPU) == [MissingRequest("cpu", name) for name in missing]


def test_a_named_container_is_asked_alone() -> None:
    spec = pod(container("a", "1"), container("b"))
    assert missing_requests(spec, RequestNeed("cpu", "a")) == []
    assert missing_requests(spec, RequestNeed("cpu", "b")) == [MissingRequest("cpu", "b")]
    assert missing_requests(spec, RequestNeed("cpu", "c")) == [MissingRequest("cpu", "c", absent=True)]


def test_pod_level_requests_stand_for_all_containers() -> None:
    spec = pod(container("a"), resources={"requests": {"cpu": "2"}})
    assert missing_requests(spec, CPU) == []
    assert missing_requests(spec, RequestNeed("memory")) == [MissingRequest("memory", "")]
    assert missing_requests(spec, RequestNeed("cpu", "a")) == [MissingRequest("cpu", "a")]


def test_pod_level_memory_leaves_cpu_to_the_containers_together() -> None:
    """One container with a request is enough then."""
    spec = pod(container("a", "200m"), container("b"), resources={"requests": {"memory": "1Gi"}})
    assert missing_requests(spec, CPU) == []


@pytest.mark.parametrize(
    ("spec", "limit_range"),
    [
        (pod(container("a", limit="1")), {}),  # a limit alone is the request too
        (pod(container("a")), {"defaultRequest": {"cpu": "100m"}}),
        (pod(container("a"), resources={"limits": {"cpu": "1"}}), {}),
    ],
)
def test_admission_may_supply_a_request(spec: dict[str, Any], limit_range: dict[str, Any]) -> None:
    ranges = [{"spec": {"limits": [{"type": "Container", **limit_range}]}}]
    assert missing_requests(spec, CPU)
    assert missing_requests(admitted_spec(spec, ranges), CPU) == []


def test_only_shares_need_a_request() -> None:
    metrics = [
        resource_metric("--cpu", "cpu", "50%"),
        resource_metric("--cpu", "cpu", "500m"),
        resource_metric("--memory", "memory", "70%", "server"),
        {"type": "External", "external": {"metric": {"name": "q"}, "target": {"type": "Value", "value": "1"}}},
    ]
    assert needed_requests(metrics) == [CPU, RequestNeed("memory", "server")]


def test_amounts_of_a_pod() -> None:
    spec = pod(container("a", "200m", "1"), container("b", "300m", "500m"), init=(sidecar("proxy", "1m"),))
    assert milli_request(spec, "cpu") == 501
    assert milli_limit(spec, "cpu") is None  # the sidecar has none
    assert milli_limit(spec, "cpu", "b") == 500
    assert milli_request(spec, "cpu", "nosuch") is None
    assert milli_request(spec, "memory") is None


def test_pod_level_amounts() -> None:
    spec = pod(container("a"), resources={"requests": {"cpu": "2"}, "limits": {"cpu": "3"}})
    assert milli_request(spec, "cpu") == 2000
    assert milli_limit(spec, "cpu") == 3000
