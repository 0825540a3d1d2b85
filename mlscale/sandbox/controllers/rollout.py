"""How many pods each ReplicaSet of a Deployment should have next: pure functions from numbers to numbers.

The rules are those of kubernetes pkg/controller/deployment/rolling.go, sync.go and util/deployment_util.go, v1.37.2.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

Json = dict[str, Any]

DESIRED = "deployment.kubernetes.io/desired-replicas"
MOST = "deployment.kubernetes.io/max-replicas"
_NO_LIMIT = 2**31 - 1


@dataclass(frozen=True)
class Goal:
    """What a Deployment asks for, in pods."""

    replicas: int
    max_surge: int
    """How many more there may be during a rolling update."""
    max_unavailable: int
    """How many fewer may be available."""
    rolling: bool = True
    current: int = 0
    """status.replicas."""

    @property
    def most(self) -> int:
        """The most pods that there may be."""
        return self.replicas + self.max_surge

    @property
    def least_available(self) -> int:
        """The fewest pods that have to be available."""
        return self.replicas - self.max_unavailable


@dataclass(frozen=True)
class Copies:
    """One ReplicaSet of a Deployment."""

    name: str
    replicas: int
    """spec.replicas."""
    available: int
    created: str
    """creationTimestamp."""
    desired: int | None = None
    """The Deployment's replicas when this was last scaled, as its annotation says."""
    most: int | None = None
    """The Deployment's most pods then."""


Step = tuple[str, int]
"""A ReplicaSet's name and its next spec.replicas."""


def goal_of(deployment: Json) -> Goal:
    """The goal that a Deployment states, with percentages resolved.

    25 % of 10 pods are 3 to surge (rounded up) and 2 to be unavailable (rounded down); 0 and 0 become 0 and 1.
    """
    spec = deployment["spec"]
    replicas, strategy = spec.get("replicas", 1), spec.get("strategy") or {}
    current = (deployment.get("status") or {}).get("replicas", 0)
    if strategy.get("type") == "Recreate":
        return Goal(replicas, 0, 0, rolling=False, current=current)
    rolling = strategy.get("rollingUpdate") or {}
    surge = resolved(rolling.get("maxSurge", "25%"), replicas, up=True)
    unavailable = resolved(rolling.get("maxUnavailable", "25%"), replicas, up=False)
    if surge == 0 and unavailable == 0:
        unavailable = 1
    return Goal(replicas, surge, min(unavailable, replicas), current=current)


def resolved(value: int | str, total: int, *, up: bool) -> int:
    """An IntOrString: the number, or the percentage of ``total`` rounded ``up`` or down."""
    if isinstance(value, int):
        return value
    share = int(value.removesuffix("%")) * total
    return -(-share // 100) if up else share // 100


def new_replicas(goal: Goal, every: Sequence[Copies], new: int) -> int:
    """How many pods the new ReplicaSet, which has ``new``, gets next: as many as the surge leaves room for."""
    if not goal.rolling:
        return goal.replicas
    there = sum(copies.replicas for copies in every)
    if there >= goal.most:
        return new
    return new + min(goal.most - there, goal.replicas - new)


def scaled_down(goal: Goal, new: Copies, old: Sequence[Copies]) -> list[Step]:
    """What the old ReplicaSets, those with pods, lose next: first pods that are not available, then as many as
    may be missing."""
    active = sorted((copies for copies in old if copies.replicas), key=_by_age)
    there = new.replicas + sum(copies.replicas for copies in active)
    removable = there - goal.least_available - (new.replicas - new.available)
    if not active or removable <= 0:
        return []
    sizes = {copies.name: copies.replicas for copies in active}
    steps = _take(sizes, {copies.name: copies.replicas - copies.available for copies in active}, removable)
    spare = new.available + sum(copies.available for copies in active) - goal.least_available
    return steps + _take(sizes, dict(sizes), spare)


def _take(sizes: dict[str, int], takeable: dict[str, int], count: int) -> list[Step]:
    """Take ``count`` pods from the first on, changing ``sizes``."""
    steps = []
    for name, most in takeable.items():
        taken = min(most, count, sizes[name])
        if taken > 0:
            sizes[name] -= taken
            count -= taken
            steps.append((name, sizes[name]))
    return steps


def rescaled(goal: Goal, new: Copies | None, old: Sequence[Copies]) -> list[Step]:
    """The sizes after the Deployment's own number has changed, whether a rollout is under way or not.

    Pods that are added to a rollout are shared by size. 10 pods, surge 3, on the way from 8 old to 5 new, scaled
    to 20: 26 allowed, 13 more; the old get 8 x 26 / 13 - 8 = 8, the new 5.
    """
    every = [*old, *([new] if new else [])]
    active = [copies for copies in every if copies.replicas]
    if len(active) <= 1:
        newest = max(old, key=_by_age) if old else None
        only = active[0] if active else (new or newest)
        return [(only.name, goal.replicas)] if only and only.replicas != goal.replicas else []
    if new and _saturated(goal, new):
        return [(copies.name, 0) for copies in active if copies is not new]
    return _in_proportion(goal, active) if goal.rolling else []


def _saturated(goal: Goal, new: Copies) -> bool:
    return new.replicas == new.desired == new.available == goal.replicas


def _in_proportion(goal: Goal, active: Sequence[Copies]) -> list[Step]:
    allowed = goal.most if goal.replicas else 0
    to_add = allowed - sum(copies.replicas for copies in active)
    # Of the same size, newer ones grow first and older ones shrink first.
    ordered = sorted(active, key=_by_age, reverse=to_add > 0)
    ordered = sorted(ordered, key=lambda copies: -copies.replicas) if to_add else list(active)
    sizes, added = {}, 0
    for copies in ordered:
        share = _share(goal, copies, to_add, added)
        sizes[copies.name] = copies.replicas + share
        added += share
    if to_add:
        sizes[ordered[0].name] = max(0, sizes[ordered[0].name] + to_add - added)
    return list(sizes.items())


def _share(goal: Goal, copies: Copies, to_add: int, added: int) -> int:
    if to_add == added:
        return 0
    fraction = _fraction(goal, copies)
    return min(fraction, to_add - added) if to_add > 0 else max(fraction, to_add - added)


def _fraction(goal: Goal, copies: Copies) -> int:
    if not goal.replicas:
        return -copies.replicas
    before = copies.most or goal.current
    if not before:
        return 0
    size = copies.replicas * goal.most / before
    return math.floor(size + 0.5) - copies.replicas


def _by_age(copies: Copies) -> tuple[str, str]:
    return copies.created, copies.name


def has_deadline(deployment: Json) -> bool:
    """Whether it says how long a rollout may go without progress."""
    return bool(deployment["spec"].get("progressDeadlineSeconds", _NO_LIMIT) != _NO_LIMIT)


def is_complete(deployment: Json, status: Json) -> bool:
    """Whether all of the wanted pods are updated and available, and no old ones are left."""
    wanted = deployment["spec"].get("replicas", 1)
    counted = ("updatedReplicas", "replicas", "availableReplicas")
    observed = status.get("observedGeneration", 0) >= deployment["metadata"].get("generation", 0)
    return bool(observed) and all(status.get(name, 0) == wanted for name in counted)


def has_progressed(before: Json, status: Json) -> bool:
    """Whether more pods are updated, ready or available than ``before``, or fewer old ones there."""

    def old(counts: Json) -> int:
        return int(counts.get("replicas", 0) - counts.get("updatedReplicas", 0))

    grown = ("updatedReplicas", "readyReplicas", "availableReplicas")
    return old(status) < old(before) or any(int(status.get(name, 0)) > before.get(name, 0) for name in grown)
