"""What a pod asks for, counted as the scheduler counts it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlscale.kube.pod_resources import (
    admitted_spec,
    has_pod_level_resources,
    is_best_effort,
    occupied_by,
    pod_limits,
    pod_requests,
)
from mlscale.kube.quantity import NANO

Json = dict[str, Any]
MILLI = NANO // 1000


def _container(name: str = "c", requests: Json | None = None, limits: Json | None = None, **more: Any) -> Json:
    return {"name": name, "resources": {"requests": requests or {}, "limits": limits or {}}, **more}


def _cpu(amount: str, **more: Any) -> Json:
    return _container(requests={"cpu": amount}, **more)


def _limit_range(**item: Any) -> Json:
    return {"metadata": {"name": "lr"}, "spec": {"limits": [{"type": "Container", **item}]}}


SIDECAR = {"restartPolicy": "Always"}


@pytest.mark.parametrize(
    ("spec", "millicores"),
    [
        ({"containers": [_cpu("100m"), _cpu("200m")]}, 300),
        # An init container runs before the others: the larger of the two counts, not the sum.
        ({"containers": [_cpu("300m")], "initContainers": [_cpu("200m")]}, 300),
        ({"containers": [_cpu("300m")], "initContainers": [_cpu("1"), _cpu("500m")]}, 1000),
        # A sidecar runs beside the containers: it adds.
        ({"containers": [_cpu("300m")], "initContainers": [_cpu("50m", **SIDECAR)]}, 350),
        # ... and beside the init containers after it, not those before it: max(350, 50 + 500), max(350, 500).
        ({"containers": [_cpu("300m")], "initContainers": [_cpu("50m", **SIDECAR), _cpu("500m")]}, 550),
        ({"containers": [_cpu("300m")], "initContainers": [_cpu("500m"), _cpu("50m", **SIDECAR)]}, 500),
        # Pod-level requests replace the sum, even by less.
        ({"containers": [_cpu("300m")], "resources": {"requests": {"cpu": "200m"}}}, 200),
        # Overhead comes on top of either.
        ({"containers": [_cpu("300m")], "overhead": {"cpu": "250m"}}, 550),
        (
            {
                "containers": [_cpu("300m")],
                "resources": {"requests": {"cpu": "200m"}},
                "overhead": {"cpu": "250m"},
            },
            450,
        ),
        ({"containers": [{"name": "c"}]}, 0),
        ({"containers": [{"name": "c", "resources": None}], "initContainers": None}, 0),
    ],
)
def test_requests_of_a_pod(spec: Json, millicores: int) -> None:
    assert pod_requests(spec).get("cpu", 0) == millicores * MILLI


def test_pod_level_resources_hold_for_cpu_memory_and_huge_pages_only() -> None:
    spec = {
        "containers": [_container(requests={"nvidia.com/gpu": "1", "hugepages-2Mi": "2Mi"})],
        "resources": {"requests": {"nvidia.com/gpu": "5", "hugepages-2Mi": "4Mi"}},
    }
    assert pod_requests(spec) == {"nvidia.com/gpu": NANO, "hugepages-2Mi": 4 * 2**20 * NANO}
    assert has_pod_level_resources(spec)
    assert not has_pod_level_resources({"containers": [], "resources": {"limits": {"nvidia.com/gpu": "5"}}})


def test_overhead_adds_to_limits_that_are_there_and_makes_none() -> None:
    spec = {"containers": [_container(limits={"cpu": "1"})], "overhead": {"cpu": "250m", "memory": "1Mi"}}
    assert pod_limits(spec) == {"cpu": 1250 * MILLI}
    assert pod_limits(spec, overhead=False) == {"cpu": NANO}


@pytest.mark.parametrize(
    ("resources", "ranges", "requests", "limits"),
    [
        ({}, [], {}, {}),
        ({"limits": {"cpu": "2"}}, [], {"cpu": "2"}, {"cpu": "2"}),
        ({"limits": {"cpu": "2"}, "requests": {"cpu": "0"}}, [], {"cpu": "0"}, {"cpu": "2"}),
        ({}, [_limit_range(defaultRequest={"cpu": "1"}, default={"cpu": "2"})], {"cpu": "1"}, {"cpu": "2"}),
        # The request comes from the container's own limit before the LimitRange is asked: 3, not 1.
        ({"limits": {"cpu": "3"}}, [_limit_range(defaultRequest={"cpu": "1"})], {"cpu": "3"}, {"cpu": "3"}),
        # What one LimitRange has set, the next leaves.
        (
            {},
            [_limit_range(defaultRequest={"cpu": "1"}), _limit_range(defaultRequest={"cpu": "9", "memory": "1Mi"})],
            {"cpu": "1", "memory": "1Mi"},
            {},
        ),
        ({}, [_limit_range(type="Pod", defaultRequest={"cpu": "1"})], {}, {}),
    ],
)
def test_admission_fills_what_the_template_leaves_out(
    resources: Json, ranges: list[Json], requests: Json, limits: Json
) -> None:
    spec = {"containers": [{"name": "c", "resources": resources}], "initContainers": [{"name": "i"}]}
    admitted = admitted_spec(spec, ranges)
    assert admitted["containers"][0]["resources"] == {"requests": requests, "limits": limits}
    assert spec["initContainers"] == [{"name": "i"}]


def test_pod_level_limits_become_requests_where_no_container_asks() -> None:
    spec = {"containers": [_cpu("100m")], "resources": {"limits": {"cpu": "2", "memory": "1Gi"}}}
    # cpu stays the containers' 100m: a limit of 2 does not raise it.
    assert pod_requests(admitted_spec(spec, [])) == {"cpu": 100 * MILLI, "memory": 2**30 * NANO}


@pytest.mark.parametrize(
    ("spec", "best_effort"),
    [
        ({"containers": [{"name": "c"}]}, True),
        ({"containers": [_cpu("0")]}, True),
        ({"containers": [_container(requests={"nvidia.com/gpu": "1"})]}, True),
        ({"containers": [_cpu("1m")]}, False),
        ({"containers": [_container(limits={"memory": "1Mi"})]}, False),
        ({"containers": [{"name": "c"}], "initContainers": [_cpu("1m")]}, False),
        ({"containers": [{"name": "c"}], "resources": {"requests": {"cpu": "1"}}}, False),
    ],
)
def test_best_effort_asks_for_neither_cpu_nor_memory(spec: Json, best_effort: bool) -> None:
    assert is_best_effort(spec) is best_effort


def _pod(status: Json) -> Json:
    return {"spec": {"containers": [_cpu("500m", name="c")]}, "status": status}


def _container_status(allocated: str | None = None, actual: str | None = None) -> Json:
    entry: Json = {"name": "c"}
    if allocated:
        entry["allocatedResources"] = {"cpu": allocated}
    if actual:
        entry["resources"] = {"requests": {"cpu": actual}}
    return entry


INFEASIBLE = [{"type": "PodResizePending", "status": "True", "reason": "Infeasible"}]


@pytest.mark.parametrize(
    ("status", "millicores"),
    [
        ({}, 500),
        ({"containerStatuses": [{"name": "c"}]}, 500),
        ({"containerStatuses": [_container_status("500m", "500m")]}, 500),
        # Shrinking from 2: the node holds 2 until the kubelet has done it.
        ({"containerStatuses": [_container_status("500m", "2")]}, 2000),
        # Growing to 500m from 100m: the scheduler reserves the 500m at once.
        ({"containerStatuses": [_container_status("100m", "100m")]}, 500),
        # ... unless the node can never do it.
        ({"containerStatuses": [_container_status("100m", "100m")], "conditions": INFEASIBLE}, 100),
    ],
)
def test_a_pod_that_is_resized_in_place_takes_the_largest_of_its_requests(status: Json, millicores: int) -> None:
    assert occupied_by(_pod(status)) == {"cpu": millicores * MILLI}


AMOUNTS = st.integers(min_value=0, max_value=5000).map(lambda milli: f"{milli}m")
PLAIN = st.builds(_cpu, AMOUNTS)
SIDECARS = st.builds(lambda amount: _cpu(amount, restartPolicy="Always"), AMOUNTS)


@given(st.lists(PLAIN, min_size=1, max_size=4), st.lists(PLAIN | SIDECARS, max_size=4))
def test_a_pod_needs_at_least_each_container_and_at_most_all_of_them(containers: list[Json], inits: list[Json]) -> None:
    requests = pod_requests({"containers": containers, "initContainers": inits})["cpu"]
    each = [pod_requests({"containers": [container]})["cpu"] for container in containers + inits]
    running = [
        pod_requests({"containers": [c]})["cpu"] for c in containers + [i for i in inits if "restartPolicy" in i]
    ]
    assert max(max(each), sum(running)) <= requests <= sum(each)
