"""How pods share requests: worked examples, and laws of every step."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlscale.sandbox.scenario import Service
from mlscale.sandbox.serving import Load, ServingPod, capacity_of, serve

INFINITE = float("inf")
POD = ServingPod(cpu_limit=1.0, gpus=0, age=600)
CPU = Service(cpu_seconds=0.05, concurrency=16, idle_cpu=0.0, memory=300)
STEP = 5.0


@pytest.mark.parametrize(
    ("service", "pod", "rate"),
    [
        pytest.param(CPU, POD, 20, id="1 core at 0.05 core-seconds a request"),
        pytest.param(replace(CPU, idle_cpu=0.1), POD, 18, id="of which 0.1 is taken"),
        pytest.param(CPU, replace(POD, cpu_limit=INFINITE), 320, id="no limit: 16 at once, 0.05 s each"),
        pytest.param(replace(CPU, wait_seconds=3.95), POD, 4, id="16 at once, 4 s each: waiting binds, not the CPU"),
        pytest.param(replace(CPU, gpu_seconds=0.5), replace(POD, gpus=2), 4, id="2 GPUs, half a second each"),
        pytest.param(replace(CPU, gpu_seconds=0.5), POD, 0, id="it needs a GPU and has none"),
    ],
)
def test_capacity(service: Service, pod: ServingPod, rate: float) -> None:
    assert capacity_of(service, pod) == pytest.approx(rate)


def test_below_their_capacity_pods_use_what_the_requests_cost() -> None:
    load = serve(CPU, [POD, POD], 12, 0, STEP)
    assert [usage.cpu for usage in load.usages] == pytest.approx([0.3, 0.3])
    assert [usage.memory for usage in load.usages] == [300, 300]
    assert (load.served, load.waiting, load.dropped) == (12, 0, 0)
    assert load.latency == pytest.approx(0.05 / (1 - 12 / 40))
    assert load.throttled == 0


def test_at_the_limit_the_use_stops_growing_and_requests_queue() -> None:
    load = serve(CPU, [POD, POD], 50, 0, STEP)
    assert [usage.cpu for usage in load.usages] == [1.0, 1.0]
    assert (load.served, load.waiting, load.throttled, load.busy) == (40, 50, 1, 1)
    assert load.latency > 1.25  # The 50 that wait, at 40 a second.


def test_what_waits_too_long_is_dropped() -> None:
    load = serve(replace(CPU, timeout=1.0), [POD, POD], 50, 0, STEP)
    assert (load.waiting, load.dropped) == (40, 2)


def test_one_pod_more_takes_the_queue_away() -> None:
    load = serve(CPU, [POD, POD, POD], 50, 50, STEP)
    assert (load.served, load.waiting) == (60, 0)


def test_without_pods_requests_are_refused() -> None:
    load = serve(CPU, [], 50, 0, STEP)
    assert (load.served, load.waiting, load.dropped) == (0, 0, 50)


def test_more_pods_do_not_help_what_a_dependency_limits() -> None:
    service = Service(cpu_seconds=0.01, wait_seconds=2, downstream_rate=10, concurrency=16)
    assert serve(service, 2 * [POD], 14, 0, STEP).served == 10
    assert serve(service, 20 * [POD], 14, 0, STEP).served == 10


def test_gpus_are_busy_while_the_cpu_is_idle() -> None:
    service = Service(cpu_seconds=0.02, gpu_seconds=0.5, idle_cpu=0.01)
    load = serve(service, 2 * [replace(POD, gpus=1)], 5, 0, STEP)
    assert (load.gpu, load.waiting) == (1, 5)
    assert load.usages[0].cpu == pytest.approx(0.05)


def test_memory_grows_with_the_requests_and_with_age() -> None:
    service = replace(CPU, memory=1000, memory_per_request=10, memory_growth=2.0)
    (usage,) = serve(service, [replace(POD, age=100)], 25, 0, STEP).usages
    # 16 in work and 25 in the queue, 10 bytes each; 200 bytes in 100 s.
    assert usage.memory == 1000 + 410 + 200


SERVICES = st.builds(
    Service,
    cpu_seconds=st.floats(0.001, 2),
    gpu_seconds=st.just(0.0) | st.floats(0.01, 2),
    wait_seconds=st.floats(0, 5),
    concurrency=st.integers(1, 64),
    timeout=st.floats(0, 60),
    downstream_rate=st.just(INFINITE) | st.floats(0, 100),
    idle_cpu=st.floats(0, 0.1),
    memory_per_request=st.integers(0, 2**20),
)
PODS = st.builds(
    ServingPod, st.just(INFINITE) | st.floats(0.05, 8), st.integers(0, 4), st.floats(0, 1e6), st.floats(0.9, 1.1)
)
LISTS = st.lists(PODS, max_size=8)
RATES = st.floats(0, 500)


@given(SERVICES, LISTS, RATES, RATES)
def test_no_request_is_lost_or_made_up(
    service: Service, pods: list[ServingPod], arriving: float, waiting: float
) -> None:
    load = serve(service, pods, arriving, waiting, STEP)
    came = arriving * STEP + waiting
    assert (load.served + load.dropped) * STEP + load.waiting == pytest.approx(came, abs=1e-6)
    assert min(load.served, load.dropped, load.waiting) >= -1e-9


@given(SERVICES, LISTS, RATES, RATES)
def test_limits_hold(service: Service, pods: list[ServingPod], arriving: float, waiting: float) -> None:
    load = serve(service, pods, arriving, waiting, STEP)
    assert all(usage.cpu <= pod.cpu_limit for usage, pod in zip(load.usages, pods, strict=True))
    assert load.latency <= service.timeout
    assert load.served <= service.downstream_rate * (1 + 1e-9)
    assert all(0 <= share <= 1 for share in (load.busy, load.gpu, load.throttled))


@given(SERVICES, LISTS, PODS, RATES, RATES)
def test_another_pod_never_serves_less(
    service: Service, pods: list[ServingPod], more: ServingPod, arriving: float, waiting: float
) -> None:
    def load_of(pods: list[ServingPod]) -> Load:
        return serve(service, pods, arriving, waiting, STEP)

    assert load_of([*pods, more]).served >= load_of(pods).served - 1e-6
