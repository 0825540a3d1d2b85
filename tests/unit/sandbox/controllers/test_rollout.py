"""The sizes of ReplicaSets during rollouts and scaling, with upstream's own numbers.

kubernetes pkg/controller/deployment/sync_test.go (TestScale), rolling_test.go and util/deployment_util.go
(ResolveFenceposts), v1.37.2.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlscale.sandbox.controllers.rollout import (
    Copies,
    Goal,
    goal_of,
    has_progressed,
    is_complete,
    new_replicas,
    rescaled,
    resolved,
    scaled_down,
)


def copies(
    name: str, replicas: int, available: int = 0, *, desired: int | None = None, most: int | None = None
) -> Copies:
    """A ReplicaSet named by its age: ``v1`` is older than ``v2``."""
    return Copies(name, replicas, available, f"2026-01-0{name[1:]}T00:00:00Z", desired, most)


@pytest.mark.parametrize(
    ("surge", "unavailable", "replicas", "expected"),
    [
        ("25%", "25%", 10, (3, 2)),
        # Both would be 0 and nothing could move, so one pod may be missing.
        ("0%", "1%", 2, (0, 1)),
        ("1%", "25%", 1, (1, 0)),
        ("1%", "0%", 2, (1, 0)),
        (4, 2, 10, (4, 2)),
        # No more pods can be missing than there are.
        (0, 5, 3, (0, 3)),
        ("25%", "25%", 0, (0, 0)),
    ],
)
def test_percentages_of_the_wanted_pods(
    surge: int | str, unavailable: int | str, replicas: int, expected: tuple[int, int]
) -> None:
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}}
    goal = goal_of({"spec": {"replicas": replicas, "strategy": strategy}})
    assert (goal.max_surge, goal.max_unavailable) == expected


def test_recreate_has_neither_surge_nor_pods_that_may_be_missing() -> None:
    goal = goal_of({"spec": {"replicas": 10, "strategy": {"type": "Recreate"}}})
    assert (goal.most, goal.least_available, goal.rolling) == (10, 10, False)


def test_a_percentage_is_rounded_up_or_down_as_asked() -> None:
    assert resolved("25%", 10, up=True) == 3
    assert resolved("25%", 10, up=False) == 2


@pytest.mark.parametrize(
    ("goal", "others", "new", "expected"),
    [
        (Goal(10, 0, 0), 10, 0, 0),
        (Goal(10, 2, 0), 10, 0, 2),
        (Goal(10, 2, 0), 5, 0, 7),
        (Goal(10, 2, 0), 10, 2, 2),
        (Goal(6, 10, 1), 5, 2, 6),
        (Goal(3, 0, 0, rolling=False), 5, 1, 3),
    ],
)
def test_new_pods_as_far_as_the_surge_allows(goal: Goal, others: int, new: int, expected: int) -> None:
    assert new_replicas(goal, [copies("v1", others), copies("v2", new)], new) == expected


@pytest.mark.parametrize(
    ("goal", "new", "old", "expected"),
    [
        (Goal(10, 0, 1), copies("v2", 0), copies("v1", 10, 10), [("v1", 9)]),
        (Goal(10, 0, 2), copies("v2", 0), copies("v1", 10, 10), [("v1", 8)]),
        # The two that are not available go; all others are needed.
        (Goal(10, 0, 2), copies("v2", 0), copies("v1", 10, 8), [("v1", 8)]),
        # One that is not available, then one that is.
        (Goal(10, 0, 2), copies("v2", 0), copies("v1", 10, 9), [("v1", 9), ("v1", 8)]),
        # New pods that are not available yet count as missing.
        (Goal(10, 0, 2), copies("v2", 2), copies("v1", 8, 8), []),
        (Goal(10, 0, 2), copies("v2", 0), copies("v1", 0), []),
    ],
)
def test_old_pods_go_as_far_as_the_others_are_available(
    goal: Goal, new: Copies, old: Copies, expected: list[tuple[str, int]]
) -> None:
    assert scaled_down(goal, new, [old]) == expected


@pytest.mark.parametrize(
    ("wanted", "before", "new", "old", "expected"),
    [
        (12, 10, 10, {}, {"v3": 12}),
        (5, 10, 10, {}, {"v3": 5}),
        (10, 5, 2, {"v2": 3}, {"v3": 4, "v2": 6}),
        (3, 5, 2, {"v2": 3}, {"v3": 1, "v2": 2}),
        (4, 9, 8, {"v2": 1}, {"v3": 4, "v2": 0}),
        (10, 7, 2, {"v2": 3, "v1": 2}, {"v3": 3, "v2": 4, "v1": 3}),
        (8, 13, 2, {"v2": 8, "v1": 3}, {"v3": 1, "v2": 5, "v1": 2}),
        # What is left over goes to the newest when growing, from the oldest when shrinking.
        (4, 3, 1, {"v2": 1, "v1": 1}, {"v3": 2, "v2": 1, "v1": 1}),
        (2, 3, 1, {"v2": 1, "v1": 1}, {"v3": 1, "v2": 1, "v1": 0}),
        (5, 4, None, {"v2": 2, "v1": 2}, {"v2": 3, "v1": 2}),
        (0, 6, 3, {"v2": 2, "v1": 1}, {"v3": 0, "v2": 0, "v1": 0}),
        # Only the new one grows from nothing.
        (6, 6, 0, {"v2": 0, "v1": 0}, {"v3": 6}),
        (14, 10, None, {"v2": 7, "v1": 3}, {"v2": 10, "v1": 4}),
    ],
)
def test_a_new_total_is_shared_by_size(
    wanted: int, before: int, new: int | None, old: dict[str, int], expected: dict[str, int]
) -> None:
    newest = None if new is None else copies("v3", new, desired=before, most=before)
    others = [copies(name, size, desired=before, most=before) for name, size in old.items()]
    assert dict(rescaled(Goal(wanted, 0, 0, current=before), newest, others)) == expected


@pytest.mark.parametrize(
    ("wanted", "surge", "before", "new", "old", "expected"),
    [(20, 2, 12, 6, 6, {"v2": 11, "v1": 11}), (50, 6, 13, 5, 8, {"v2": 22, "v1": 34})],
)
def test_the_surge_is_shared_too(
    wanted: int, surge: int, before: int, new: int, old: int, expected: dict[str, int]
) -> None:
    sizes = rescaled(Goal(wanted, surge, 0), copies("v2", new, most=before), [copies("v1", old, most=before)])
    assert dict(sizes) == expected


def test_a_new_set_that_has_all_its_pods_takes_over() -> None:
    new = copies("v2", 2, available=2, desired=2, most=3)
    assert rescaled(Goal(2, 1, 1), new, [copies("v1", 1)]) == [("v1", 0)]


def test_a_new_set_whose_pods_are_broken_leaves_the_old_pods_alone() -> None:
    new = copies("v2", 2, available=0, desired=2, most=3)
    assert dict(rescaled(Goal(2, 1, 1), new, [copies("v1", 1, most=3)])) == {"v2": 2, "v1": 1}


sizes = st.integers(min_value=0, max_value=40)


@given(
    wanted=sizes,
    surge=st.integers(0, 10),
    new=st.integers(1, 40),
    old=st.lists(st.integers(1, 40), min_size=1, max_size=4),
)
def test_sharing_reaches_exactly_the_allowed_total(wanted: int, surge: int, new: int, old: list[int]) -> None:
    there = new + sum(old)
    every = [copies(f"v{i + 1}", size, most=there) for i, size in enumerate([*old, new])]
    shared = dict(rescaled(Goal(wanted, surge, 0, current=there), every[-1], every[:-1]))
    allowed = wanted + surge if wanted else 0
    assert min(shared.values()) >= 0
    assert sum(shared.values()) >= allowed
    assert sum(shared.values()) == allowed or 0 in shared.values()


@given(wanted=sizes, unavailable=st.integers(0, 5), new=sizes, old=sizes, ready=sizes)
def test_scaling_down_never_takes_more_than_may_be_missing(
    wanted: int, unavailable: int, new: int, old: int, ready: int
) -> None:
    goal = Goal(wanted, 1, min(unavailable, wanted))
    available = min(old, ready)
    steps = scaled_down(goal, copies("v2", new, available=0), [copies("v1", old, available=available)])
    left = steps[-1][1] if steps else old
    # Pods that are not available go first, so only what is taken beyond them was available.
    assert min(available, left) >= min(available, goal.least_available)


def test_progress_is_more_new_pods_or_fewer_old_ones() -> None:
    before = {"replicas": 4, "updatedReplicas": 1, "readyReplicas": 3, "availableReplicas": 3}
    assert has_progressed(before, {**before, "updatedReplicas": 2, "replicas": 5})
    assert has_progressed(before, {**before, "replicas": 3})
    assert has_progressed(before, {**before, "availableReplicas": 4})
    assert not has_progressed(before, before)
    assert not has_progressed(before, {**before, "readyReplicas": 2})


def test_a_rollout_is_complete_when_only_available_new_pods_are_left() -> None:
    deployment = {"metadata": {"generation": 2}, "spec": {"replicas": 3}}
    done = {"observedGeneration": 2, "replicas": 3, "updatedReplicas": 3, "availableReplicas": 3}
    assert is_complete(deployment, done)
    assert not is_complete(deployment, {**done, "replicas": 4})
    assert not is_complete(deployment, {**done, "observedGeneration": 1})
