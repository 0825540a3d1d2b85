"""What the HPA controller remembers of an HPA between its runs: recommendations, and the changes it made.

Source: kubernetes pkg/controller/podautoscaler/horizontal.go, v1.37.2. It is held in memory only: a restarted
controller knows nothing. Times are seconds since the epoch.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from mlscale.hpa.integers import int32

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlscale.hpa.scaling_spec import Behavior, Policy

T = TypeVar("T")


@dataclass(frozen=True)
class Recommendation:
    """What the metrics asked for, before stabilization and limits."""

    replicas: int
    at: float


@dataclass(frozen=True)
class ScaleEvent:
    """A change that the controller made."""

    change: int
    """By how many replicas, whichever the direction."""
    at: float
    outdated: bool = False
    """Whether the next change of its direction may take its place."""


@dataclass(frozen=True)
class Memory:
    """Of one HPA. Lists are in upstream's order, in which the place of an outdated entry is taken again."""

    recommendations: tuple[Recommendation, ...] = ()
    ups: tuple[ScaleEvent, ...] = ()
    downs: tuple[ScaleEvent, ...] = ()


def seeded(memory: Memory, current: int, now: float) -> Memory:
    """At first the present count is the recommendation (recordInitialRecommendation)."""
    return memory if memory.recommendations else replace(memory, recommendations=(Recommendation(current, now),))


def changed_within(events: Sequence[ScaleEvent], period: int, now: float) -> int:
    """The replicas changed in the last ``period`` seconds, the edge left out (getReplicasChangePerPeriod)."""
    return sum(event.change for event in events if event.at > now - period)


def period_start(memory: Memory, current: int, policy: Policy, now: float) -> int:
    """The replicas at the start of a policy's period: what came since is taken off, what went is added."""
    added = changed_within(memory.ups, policy.period, now)
    removed = changed_within(memory.downs, policy.period, now)
    return int32(current - added + removed)


def with_scale_event(memory: Memory, behavior: Behavior | None, before: int, after: int, now: float) -> Memory:
    """``memory`` after a change from ``before`` to ``after`` (storeScaleEvent); without behavior none is kept.

    A mark, once set, stays: with periods of 300 s up and 15 s down, a change down that is 30 s old gives its
    place to the next one, although a policy up would still have counted it.
    """
    if behavior is None:
        return memory
    if after > before:
        return replace(memory, ups=_with_event(memory.ups, behavior.up.longest_period, after - before, now))
    return replace(memory, downs=_with_event(memory.downs, behavior.down.longest_period, before - after, now))


def with_entry(entries: tuple[T, ...], place: int | None, entry: T) -> tuple[T, ...]:
    """``entry`` in ``place``, or at the end."""
    return (*entries, entry) if place is None else (*entries[:place], entry, *entries[place + 1 :])


def last_place(marks: Sequence[bool]) -> int | None:
    """Where the last True is."""
    return next((place for place in range(len(marks) - 1, -1, -1) if marks[place]), None)


def _with_event(events: tuple[ScaleEvent, ...], period: int, change: int, now: float) -> tuple[ScaleEvent, ...]:
    marked = tuple(replace(event, outdated=True) if event.at < now - period else event for event in events)
    return with_entry(marked, last_place([event.outdated for event in marked]), ScaleEvent(change, now))
