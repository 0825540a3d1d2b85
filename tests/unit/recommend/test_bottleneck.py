"""Which part limits: each row states what was seen, and beside it what would have changed the answer."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlscale.recommend.bottleneck import find_limits
from mlscale.recommend.signs import ContainerSigns, Signs, Spread
from tests.unit.recommend.objects import MI


def even(level: float) -> Spread:
    return Spread(level, level, level, level)


def rising(low: float, median: float, high: float) -> Spread:
    return Spread(low, median, high, high * 1.1)


def model(**more: Any) -> ContainerSigns:
    known: dict[str, Any] = {
        "cpu": even(0.3),
        "memory": even(200 * MI),
        "cpu_request": 0.5,
        "cpu_limit": 1.0,
        "memory_request": 512 * MI,
        "memory_limit": 1024 * MI,
        "throttled": 0.0,
    }
    return ContainerSigns("model", **known | more)


def signs(**more: Any) -> Signs:
    """Three replicas at 60 % of their request, steady; nothing is wrong with them."""
    known: dict[str, Any] = {
        "containers": (model(),),
        "demand": even(0.9),
        "variation": 1.1,
        "replicas": 3,
        "cpu_request": 0.5,
        "cpu_limit": 1.0,
        "utilization": even(0.6),
        "pods": even(3.0),
        "room": 5,
        "node_cpu": 16.0,
        "node_memory": 64 * 1024 * MI,
    }
    return Signs(**known | more)


def names(seen: Signs) -> list[str]:
    return [limit.name for limit in find_limits(seen)]


VARYING = signs(variation=4.0, demand=rising(0.2, 0.9, 1.4), utilization=rising(0.1, 0.6, 0.9))
IDLE = signs(utilization=even(0.05), demand=even(0.08), containers=(model(cpu=even(0.03)),))
GPU = replace(
    IDLE,
    gpus=1.0,
    accelerator="nvidia.com/gpu",
    signals={"queue_length": even(12.0), "gpu_utilization": even(0.97), "running_requests": even(48.0)},
)
SLOW = replace(IDLE, signals={"queue_length": even(12.0), "latency_p95": even(4.0)})
THROTTLED = signs(containers=(model(cpu=even(0.97), throttled=0.6),), utilization=even(1.9))
HELD = model(cpu=rising(0.2, 0.6, 1.0), throttled=0.9, throttled_usually=0.0)
AT_HEIGHTS = replace(VARYING, containers=(HELD,))
OOM = signs(containers=(model(memory=even(1000 * MI), oom_kills=3.0),))


def heights(peak: float) -> Signs:
    """A varying load at whose heights a container is throttled, and uses so many cores of its one at most."""
    use = Spread(0.1, 0.15, peak, peak)
    return replace(VARYING, containers=(model(cpu=use, throttled=0.2, throttled_usually=0.0),))


def bursts(**more: Any) -> Signs:
    """Throttled in 12 % of the periods at the 95th percentile, and killed for memory."""
    return signs(containers=(model(**{"throttled": 0.12, "oom_kills": 3.0, **more}),))


CASES: list[tuple[str, Signs, list[str]]] = [
    ("nothing wrong", signs(), ["Nothing"]),
    ("demand varies and CPU follows it", VARYING, ["CpuVarying"]),
    ("the same use without variation", replace(VARYING, variation=1.2), ["Nothing"]),
    ("varies, but one pod would serve its height", replace(VARYING, utilization=even(0.1), demand=even(0.2)), ["Idle"]),
    (
        "varies, under half used, but more than a pod at its height",
        replace(VARYING, utilization=even(0.4)),
        ["CpuVarying"],
    ),
    ("steady above 70 %", signs(utilization=even(0.8)), ["CpuSteady"]),
    ("steady below", signs(utilization=even(0.69)), ["Nothing"]),
    ("throttled at its limit: other CPU judgement stands behind it", THROTTLED, ["CpuLimit", "CpuSteady"]),
    ("at the limit, throttling unknown", signs(containers=(model(cpu=even(0.97), throttled=None),)), ["CpuLimit"]),
    ("at the limit, not throttled", signs(containers=(model(cpu=even(0.97), throttled=0.0),)), ["Nothing"]),
    ("throttled in bursts only", signs(containers=(model(cpu=even(0.2), throttled=0.15),)), ["CpuLimit"]),
    ("throttled at the heights of a varying load: more copies share it", AT_HEIGHTS, ["CpuVarying"]),
    ("the same in heights that two samples share", heights(0.4), ["CpuVarying"]),
    ("far from the limit at all times: the load's heights do not tell it", heights(0.2), ["CpuLimit", "CpuVarying"]),
    ("as much, without variation", replace(AT_HEIGHTS, variation=1.2), ["CpuLimit"]),
    (
        "at most times, though the load varies",
        replace(AT_HEIGHTS, containers=(replace(HELD, throttled_usually=0.3),)),
        ["CpuLimit", "CpuVarying"],
    ),
    (
        "at the heights, but the HPA's target lies over the limit",
        replace(AT_HEIGHTS, hpa_target=2.0),
        ["CpuLimit", "CpuVarying"],
    ),
    ("throttled while pods are kept out", replace(THROTTLED, held_back=("quota",)), ["Cluster", "CpuSteady"]),
    (
        "throttled in pods that fill their nodes",
        replace(THROTTLED, cpu_request=14.0, room=1),
        ["CpuSteady"],
    ),
    ("steady near its HPA's target", signs(utilization=even(0.5), hpa_target=0.55), ["CpuSteady"]),
    ("steady far below it", signs(utilization=even(0.4), hpa_target=0.55), ["Nothing"]),
    (
        "no limit to be throttled by",
        signs(containers=(model(cpu=even(0.97), cpu_limit=None, throttled=None),)),
        ["Nothing"],
    ),
    ("killed for memory", OOM, ["Memory"]),
    ("killed for memory, and throttled in the bursts that end so", bursts(cpu=even(0.3)), ["Memory"]),
    ("as much throttled, and never killed", bursts(cpu=even(0.3), oom_kills=0.0), ["CpuLimit"]),
    ("as often killed, with a use near the CPU limit", bursts(cpu=even(0.7)), ["CpuLimit", "Memory"]),
    ("at 91 % of the memory limit", signs(containers=(model(memory=even(932 * MI)),)), ["Memory"]),
    ("at 89 %", signs(containers=(model(memory=even(911 * MI)),)), ["Nothing"]),
    ("as much, and no limit", signs(containers=(model(memory=even(932 * MI), memory_limit=None),)), ["Nothing"]),
    ("GPU busy and requests wait, CPU idle", GPU, ["Gpu"]),
    ("only the queue says so", replace(GPU, signals={"queue_length": even(12.0)}), ["Gpu"]),
    ("a queue of moments", replace(GPU, signals={"queue_length": even(1.0)}), ["Nothing"]),
    ("the KV cache is full", replace(GPU, signals={"kv_cache_usage": even(0.95)}), ["Gpu"]),
    ("GPU pods without any signal are not called idle", replace(GPU, signals={}), ["Nothing"]),
    ("GPU pods that do next to nothing", replace(GPU, signals={"gpu_utilization": even(0.05)}), ["Idle"]),
    ("requests wait, CPU idle, no GPU", SLOW, ["Downstream"]),
    ("slow with an idle CPU", replace(SLOW, signals={"latency_p95": even(4.0)}), ["Downstream"]),
    ("fast with an idle CPU", replace(SLOW, signals={"latency_p95": even(0.05)}), ["Idle"]),
    ("slow, but CPU is busy", replace(signs(utilization=even(0.8)), signals=SLOW.signals), ["CpuSteady"]),
    ("slow for want of memory", replace(OOM, utilization=even(0.1), signals=SLOW.signals), ["Memory"]),
    ("idle", IDLE, ["Idle"]),
    ("pods that no node takes", signs(held_back=("1 of 3 pods Unschedulable",)), ["Cluster"]),
    ("the cluster comes before all else", replace(VARYING, held_back=("quota",)), ["Cluster", "CpuVarying"]),
    ("two HPAs", signs(rivals=("2 HPAs scale it",)), ["Rival"]),
    ("two HPAs on an idle workload", replace(IDLE, rivals=("2 HPAs scale it",)), ["Rival", "Idle"]),
    ("neither wider nor taller", signs(utilization=even(0.9), room=0, cpu_request=14.0), ["CpuSteady", "Ceiling"]),
    ("no wider, but taller", signs(utilization=even(0.9), room=0), ["CpuSteady"]),
    ("no taller, but wider", signs(utilization=even(0.9), room=1, cpu_request=14.0), ["CpuSteady"]),
    ("at the ceiling without pressure", signs(room=0, cpu_request=14.0), ["Nothing"]),
    (
        "no requests, whole cores that vary",
        signs(variation=4.0, demand=rising(0.2, 1.0, 2.0), cpu_request=None, utilization=None),
        ["CpuVarying"],
    ),
    ("no requests, steady", signs(cpu_request=None, utilization=None), ["Nothing"]),
]


@pytest.mark.parametrize(("seen", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_finds_what_limits(seen: Signs, expected: list[str]) -> None:
    assert names(seen) == expected


@pytest.mark.parametrize(
    ("seen", "confidence"),
    [
        (THROTTLED, "high"),
        (signs(containers=(model(cpu=even(0.2), throttled=0.3),)), "medium"),
        (OOM, "high"),
        (signs(containers=(model(memory=even(1000 * MI)),)), "medium"),
        (GPU, "high"),
        (replace(GPU, signals={"gpu_utilization": even(0.97)}), "medium"),
        (SLOW, "high"),
        (replace(SLOW, signals={"latency_p95": even(4.0)}), "medium"),
        (IDLE, "medium"),
        (replace(IDLE, signals={"latency_p95": even(0.05)}), "high"),
        (replace(GPU, signals={}), "low"),
    ],
)
def test_one_sign_is_less_certain_than_two(seen: Signs, confidence: str) -> None:
    assert find_limits(seen)[0].confidence == confidence


def test_reasons_name_the_numbers() -> None:
    limit = find_limits(THROTTLED)[0]
    assert limit.subject == "model"
    assert limit.reasons == (
        "container model was throttled in 60 % of CFS periods",
        "its use is 970m at the 95th percentile, 97 % of its limit of 1",
    )


def test_each_container_is_judged_by_itself() -> None:
    proxy = replace(model(cpu=even(0.99), throttled=0.5), name="proxy")
    assert [limit.subject for limit in find_limits(signs(containers=(model(), proxy)))] == ["proxy"]


shares = st.floats(0, 2)


@given(use=shares, variation=st.floats(1, 10), throttled=st.floats(0, 1), replicas=st.integers(1, 50))
def test_there_is_always_an_answer_with_a_reason(use: float, variation: float, throttled: float, replicas: int) -> None:
    seen = signs(
        utilization=even(use),
        demand=even(use * replicas / 2),
        variation=variation,
        replicas=replicas,
        containers=(model(throttled=throttled, cpu=even(use / 2)),),
    )
    found = find_limits(seen)
    assert found
    assert all(limit.reasons for limit in found)
    assert ("Nothing" in names(seen)) == (len(found) == 1 and found[0].name == "Nothing")


@given(use=st.floats(0, 0.29), queue=st.floats(3, 100))
def test_an_idle_cpu_with_a_queue_is_never_told_to_save(use: float, queue: float) -> None:
    seen = replace(IDLE, utilization=even(use), signals={"queue_length": even(queue)})
    assert "Idle" not in names(seen)


@pytest.mark.parametrize(("share", "said"), [(0.34, True), (0.05, False)])
def test_an_hpa_at_its_max_is_a_reason(share: float, said: bool) -> None:
    limit = find_limits(replace(VARYING, hpa_at_max=share))[0]
    assert any("at maxReplicas" in reason for reason in limit.reasons) is said
