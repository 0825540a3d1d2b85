"""Sizes of containers: what changes, by how much, and what is left alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlscale.kube.quantity import NANO, nano_of
from mlscale.recommend.bottleneck import find_limits
from mlscale.recommend.model import Size
from mlscale.recommend.sizing import plan_sizes, pod_cpu, resized_spec
from tests.unit.recommend.objects import MI, container
from tests.unit.recommend.test_bottleneck import even, model, signs

if TYPE_CHECKING:
    from mlscale.recommend.signs import Signs


def sized(seen: Signs) -> dict[str, Size]:
    return {resize.then.container: resize.then for resize in plan_sizes(seen, find_limits(seen))}


def one(**container_signs: Any) -> Size | None:
    seen = signs(containers=(model(**container_signs),), cpu_request=container_signs.get("cpu_request", 0.5))
    return sized(seen).get("model")


@pytest.mark.parametrize(
    ("what", "container_signs", "expected"),
    [
        ("all well", {}, None),
        ("throttled: the limit doubles, the request stays", {"cpu": even(0.97), "throttled": 0.6},
         Size("model", "500m", "2", "512Mi", "1Gi")),
        ("killed at 1000Mi of 1Gi: 1300Mi and 1.2 limits, the larger", {"memory": even(1000 * MI), "oom_kills": 1.0},
         Size("model", "500m", "1", "1150Mi", "1300Mi")),
        ("killed far below its peak: 20 % more at least", {"memory": even(500 * MI), "oom_kills": 1.0},
         Size("model", "500m", "1", "1060Mi", "1229Mi")),
        ("no memory request", {"memory_request": None}, Size("model", "500m", "1", "230Mi", "1Gi")),
        ("asked for less than it holds", {"memory_request": 128 * MI}, Size("model", "500m", "1", "230Mi", "1Gi")),
        ("asked for less, beside a limit that is near", {"memory_request": 128 * MI, "memory_limit": 220 * MI},
         Size("model", "500m", "1", "230Mi", "260Mi")),
        ("little memory: the floor of 100 MB", {"memory_request": None, "memory": even(MI)},
         Size("model", "500m", "1", "96Mi", "1Gi")),
        ("not measured", {"memory_request": None, "memory": None}, None),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_sizes(what: str, container_signs: dict[str, Any], expected: Size | None) -> None:
    assert one(**container_signs) == expected, what


def test_a_missing_cpu_request_becomes_the_95th_percentile() -> None:
    seen = signs(containers=(model(cpu_request=None),), cpu_request=None, utilization=None)
    assert sized(seen)["model"].cpu_request == "300m"


def test_a_missing_cpu_request_stays_under_the_limit() -> None:
    seen = signs(containers=(model(cpu_request=None, cpu_limit=0.2),), cpu_request=None, utilization=None)
    assert sized(seen)["model"].cpu_request == "200m"


@pytest.mark.parametrize(("use", "request_then"), [(0.02, "20m"), (0.001, "10m"), (0.12, None)])
def test_only_requests_far_too_large_are_lowered(use: float, request_then: str | None) -> None:
    memory = even(400 * MI)
    seen = signs(
        containers=(model(cpu=even(use), memory=memory, cpu_request=0.2),), utilization=even(0.1), demand=even(use)
    )
    resized = sized(seen).get("model")
    assert (resized.cpu_request if resized else None) == request_then


def test_a_busy_workload_keeps_its_large_request() -> None:
    seen = signs(containers=(model(cpu=even(0.02)),), utilization=even(0.6))
    assert sized(seen) == {}


def test_only_the_container_in_trouble_changes() -> None:
    proxy = model(cpu=even(0.99), throttled=0.5)
    seen = signs(containers=(model(), type(proxy)(**{**vars(proxy), "name": "proxy"})))
    assert list(sized(seen)) == ["proxy"]


def test_pod_cpu_adds_up_what_is_set_and_what_is_to_be_set() -> None:
    unset = type(model())(**{**vars(model()), "name": "proxy", "cpu_request": None})
    seen = signs(containers=(model(), unset), cpu_request=None, utilization=None)
    assert pod_cpu(seen, plan_sizes(seen, find_limits(seen))) == pytest.approx(0.8)


def test_pod_cpu_is_unknown_while_a_container_has_no_request() -> None:
    unmeasured = type(model())(**{**vars(model()), "name": "proxy", "cpu_request": None, "cpu": None})
    seen = signs(containers=(model(cpu_request=None), unmeasured), cpu_request=None, utilization=None)
    assert pod_cpu(seen, plan_sizes(seen, find_limits(seen))) is None


def test_resized_spec_keeps_devices_and_other_containers() -> None:
    spec = {"containers": [container(cpu="500m", memory_limit="1Gi", gpu="1"), container("proxy", cpu="100m")]}
    seen = signs(containers=(model(memory=even(1000 * MI), oom_kills=1.0),))
    changed = resized_spec(spec, plan_sizes(seen, find_limits(seen)))
    first, second = changed["containers"]
    assert first["resources"]["limits"] == {"memory": "1300Mi", "nvidia.com/gpu": "1", "cpu": "1"}
    assert first["resources"]["requests"]["nvidia.com/gpu"] == "1"
    assert second == spec["containers"][1]


@given(peak=st.floats(1 * MI, 4096 * MI), kills=st.sampled_from([0.0, 1.0]), limit=st.integers(64, 4096))
def test_more_memory_covers_the_peak_and_keeps_the_request_under_the_limit(
    peak: float, kills: float, limit: int
) -> None:
    container_signs = {"memory": even(peak), "oom_kills": kills, "memory_limit": limit * MI, "memory_request": 32 * MI}
    then = one(**container_signs)
    if then is None:
        return
    assert then.memory_request is not None
    assert then.memory_limit is not None
    asked, allowed = (nano_of(amount) / NANO for amount in (then.memory_request, then.memory_limit))
    assert asked <= allowed
    assert allowed >= limit * MI
    if kills:
        assert allowed >= 1.2 * limit * MI
