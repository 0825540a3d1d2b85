"""How far a scale has come, by the pods or by the controller's count, and why it does not come further."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlscale.scale.wait import Seen, judge
from tests.unit.scale.objects import pod, scale
from tests.unit.scale.waits import CRASHING, NOW, WEB, ready_pods

# (wanted, pods, (ready, still to go))
JUDGED: list[tuple[int, list[dict[str, Any]], tuple[int, int]]] = [
    (3, ready_pods(3), (3, 0)),
    (3, ready_pods(2), (2, 0)),
    (3, ready_pods(1, ready=False) + ready_pods(2), (2, 0)),
    (0, [], (0, 0)),
    # Scaling down is done when the pods are gone, not when they are told to go.
    (1, ready_pods(3), (1, 2)),
    (1, ready_pods(1) + ready_pods(2, terminating=True), (1, 2)),
    (0, ready_pods(1, terminating=True), (0, 1)),
    # A terminating pod that is still Ready serves no more.
    (2, ready_pods(1) + ready_pods(1, terminating=True), (1, 0)),
    # A rollout under way: the old pods have to go too.
    (2, ready_pods(4), (2, 2)),
    # Evicted pods stay until they are collected, which can take for ever; no controller counts them.
    (1, ready_pods(1) + ready_pods(2, ready=False, phase="Failed"), (1, 0)),
    (1, ready_pods(1) + ready_pods(1, ready=False, phase="Succeeded"), (1, 0)),
    (0, ready_pods(1, ready=False, phase="Failed", terminating=True), (0, 1)),
]


@pytest.mark.parametrize(("wanted", "pods", "expected"), JUDGED)
def test_how_far_it_is(wanted: int, pods: list[dict[str, Any]], expected: tuple[int, int]) -> None:
    state = judge(WEB, wanted, Seen(scale("web", wanted), pods, {}), NOW)
    assert (state.ready, state.removed) == expected
    assert state.wanted == wanted


def test_pods_say_why() -> None:
    pods = [*ready_pods(1), pod("web-1", ready=False, **CRASHING), pod("web-2", ready=False, **CRASHING)]
    state = judge(WEB, 3, Seen(scale("web", 3), pods, {}), NOW)
    assert state.sentence.startswith("1 of 3 pods ready: ")
    assert "CrashLoopBackOff" in state.sentence
    assert len(state.reasons) == 1


def test_the_controller_says_why() -> None:
    conditions = [
        {"type": "Available", "status": "True"},
        {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": "exceeded\nquota: q\x1b[31m"},
        {"type": "ReplicaFailure", "status": "False", "reason": "Old", "message": "old"},
    ]
    state = judge(WEB, 3, Seen(scale("web", 3), ready_pods(1), {"status": {"conditions": conditions}}), NOW)
    assert state.reasons == ("FailedCreate: exceeded quota: q\\x1b[31m",)


SELECTORLESS = [(3, 3, (3, 0)), (3, 1, (1, 0)), (1, 3, (1, 2)), (0, 0, (0, 0)), (0, 2, (0, 2))]


@pytest.mark.parametrize(("wanted", "counted", "expected"), SELECTORLESS)
def test_without_a_selector_the_controller_s_count_stands_in(
    wanted: int, counted: int, expected: tuple[int, int]
) -> None:
    state = judge(WEB, wanted, Seen(scale("web", wanted, counted, selector=""), [], {}), NOW)
    assert (state.ready, state.removed) == expected


PODS_OF_ANY_KIND = st.lists(
    st.builds(
        pod,
        st.just("web"),
        ready=st.booleans(),
        terminating=st.booleans(),
        phase=st.sampled_from(["Pending", "Running", "Failed", "Succeeded"]),
    ),
    max_size=6,
)


@given(st.integers(0, 6), PODS_OF_ANY_KIND)
def test_progress_stays_within_bounds(wanted: int, pods: list[dict[str, Any]]) -> None:
    state = judge(WEB, wanted, Seen(scale("web", wanted), pods, {}), NOW)
    assert 0 <= state.ready <= wanted
    assert 0 <= state.removed <= len(pods)
