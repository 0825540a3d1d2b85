"""What a StatefulSet does next: a pure function from its pods to pods to create and to delete.

The rules are those of kubernetes pkg/controller/statefulset/stateful_set_control.go, v1.37.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Replica:
    """One pod of the set, or the place of one that is missing."""

    ordinal: int
    revision: str = ""
    created: bool = False
    ended: bool = False
    """Succeeded or Failed."""
    terminating: bool = False
    ready: bool = False
    """Running and ready."""
    available: bool = False
    """Ready for minReadySeconds."""

    @property
    def unavailable(self) -> bool:
        """Missing, not ready for long enough, or ending."""
        return not self.available or self.terminating


@dataclass(frozen=True)
class Rules:
    """What the set's spec says of order and updates."""

    ordered: bool = True
    """podManagementPolicy OrderedReady."""
    rolling: bool = True
    """updateStrategy RollingUpdate; OnDelete leaves pods of old revisions alone."""
    partition: int = 0
    """How many of the first pods are left out of an update."""
    max_unavailable: int = 1
    update_revision: str = ""


@dataclass(frozen=True)
class Steps:
    """Ordinals, in the order in which to take them."""

    create: tuple[int, ...] = ()
    delete: tuple[int, ...] = ()


def next_steps(rules: Rules, wanted: Sequence[Replica], condemned: Sequence[Replica]) -> Steps:
    """The next steps of a set: ``wanted`` are its places in order, ``condemned`` the pods beyond, the last first.

    In order one thing happens at a time: the first place that is empty or not available decides, then the pods
    beyond go from the last on, then the update.
    """
    create: list[int] = []
    delete: list[int] = []
    for replica in wanted:
        step = _fill(replica, create, delete)
        if rules.ordered and (step or replica.unavailable):
            return Steps(tuple(create), tuple(delete))
    for replica in condemned:
        if rules.ordered:
            return _condemn_in_order(replica, wanted, condemned)
        if not replica.terminating:
            delete.append(replica.ordinal)
    if rules.rolling:
        delete += [ordinal for ordinal in _update(rules, wanted) if ordinal not in delete]
    return Steps(tuple(create), tuple(delete))


def _fill(replica: Replica, create: list[int], delete: list[int]) -> bool:
    """Note what one place needs; whether it needs anything."""
    if replica.ended:
        if not replica.terminating:
            delete.append(replica.ordinal)
        return True
    if not replica.created:
        create.append(replica.ordinal)
    return not replica.created


def _condemn_in_order(replica: Replica, wanted: Sequence[Replica], condemned: Sequence[Replica]) -> Steps:
    """End the last pod, unless it is ending, or is not available while one before it is not either."""
    first_unavailable = next((one for one in [*wanted, *reversed(condemned)] if one.unavailable), None)
    blocked = replica.unavailable and replica is not first_unavailable
    return Steps() if replica.terminating or blocked else Steps(delete=(replica.ordinal,))


def _update(rules: Rules, wanted: Sequence[Replica]) -> list[int]:
    """The pods of old revisions to end, from the last on, within maxUnavailable."""
    unavailable = sum(replica.unavailable for replica in wanted)
    old = [
        replica
        for replica in reversed(wanted[rules.partition :])
        if replica.created and replica.revision != rules.update_revision and not replica.terminating
    ]
    budget = max(0, rules.max_unavailable - unavailable)
    if rules.ordered:
        return [replica.ordinal for replica in old][:budget]
    broken = [replica.ordinal for replica in old if not replica.available]
    return broken + [replica.ordinal for replica in old if replica.available][:budget]
