"""The past of a workload goes as its live simulation would: the same queue, the same limits, the same back-off."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from math import inf

import pytest

from mlscale.sandbox.history_autoscaler import PastAutoscaler
from mlscale.sandbox.history_course import STEP, Interval, Setup, take_course
from mlscale.sandbox.scenario import GitOps, Service
from mlscale.sandbox.serving import ServingPod, serve
from tests.unit.hpa.replayed import hpa_spec

POD = ServingPod(cpu_limit=1.01, gpus=0, age=0.0)
SERVICE = Service(cpu_seconds=0.1, idle_cpu=0.01, memory=100, memory_per_request=1, timeout=20.0)
"""A pod answers 10 requests a second."""
SETUP = Setup(SERVICE, POD, memory_limit=inf, startup=40.0, replicas=2, room=None)


@pytest.mark.parametrize("downstream", [inf, 7.0])
def test_the_queue_is_the_one_that_serving_makes(downstream: float) -> None:
    service = replace(SERVICE, downstream_rate=downstream)
    rates = [5.0, 25.0, 40.0, 30.0, 3.0, 0.0, 18.0]
    course = take_course(replace(SETUP, service=service), rates)
    waiting = 0.0
    for step, rate in enumerate(rates):
        load = serve(service, [POD, POD], rate, waiting, STEP)
        waiting = load.waiting
        assert (course.served[step], course.waiting[step]) == pytest.approx((load.served, load.waiting))


def test_pods_that_are_added_serve_once_they_have_started() -> None:
    # At 30 requests per second a pod uses its limit, 1.01 cores of 1: twice the target, so four pods are wanted.
    autoscaler = PastAutoscaler(hpa_spec(1, 4, 50), 50, 1000)
    course = take_course(replace(SETUP, autoscaler=autoscaler), [30.0] * 6)
    assert course.serving == [2, 2, 2, 2, 4, 4]
    assert course.loading == [Interval(2, 1, 4), Interval(3, 1, 4)]
    assert sorted(course.pods, key=lambda pod: pod.slot) == [
        Interval(0, 0, 6), Interval(1, 0, 6), Interval(2, 1, 6), Interval(3, 1, 6)
    ]  # fmt: skip


def test_what_the_cluster_has_no_room_for_never_serves() -> None:
    autoscaler = PastAutoscaler(hpa_spec(1, 4, 50), 50, 1000)
    course = take_course(replace(SETUP, autoscaler=autoscaler, room=3), [30.0] * 6)
    assert max(course.serving) == 3


def test_the_newest_pod_goes_first_and_the_next_one_in_its_place_is_another() -> None:
    gitops = (GitOps("argocd", "deployments.apps", "default", "web", 2, 60.0),)
    autoscaler = PastAutoscaler(hpa_spec(1, 4, 50), 50, 1000)
    course = take_course(replace(SETUP, autoscaler=autoscaler, gitops=gitops), [30.0] * 12)
    in_third = [pod for pod in course.pods if pod.slot == 2]
    assert in_third == [Interval(2, 1, 4), Interval(2, 5, 8), Interval(2, 9, 12)]
    # It was removed before it served, and what was left of its start is not the next one's.
    assert all(interval.end <= pod.end for pod, interval in zip(in_third, course.loading[::2], strict=True))


def test_a_container_beyond_its_memory_limit_starts_again_with_growing_back_off() -> None:
    # Ten requests per pod and second are more than one can: its queue and 16 at work weigh more than 10 bytes.
    course = take_course(replace(SETUP, memory_limit=110.0, replicas=1), [30.0] * 120)
    kills = [step * STEP for _, step in course.kills]
    assert kills[0] == 0.0
    # After 1 s, then 11, 21, 41 s, … at most 301, and 40 s of start-up, both in whole steps: 15 + 45, 15 + 45, 30 + 45.
    gaps = [after - before for before, after in pairwise(kills)]
    assert gaps == sorted(gaps)
    assert gaps[:4] == [60.0, 60.0, 75.0, 90.0]
    assert gaps[-1] == pytest.approx(300.0 + 1 + 40, abs=2 * STEP)
    assert course.serving[1] == 0


def test_without_a_memory_limit_nothing_is_killed() -> None:
    course = take_course(replace(SETUP, replicas=1), [30.0] * 20)
    assert (course.kills, course.down) == ([], [])
