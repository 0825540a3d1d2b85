"""Which of the recent recommendations holds: a moment's dip or peak is not followed.

Source: kubernetes pkg/controller/podautoscaler/horizontal.go, v1.37.2.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mlscale.hpa.memory import Memory, Recommendation, last_place, with_entry

if TYPE_CHECKING:
    from mlscale.hpa.flags import ControllerFlags
    from mlscale.hpa.scaling_spec import Behavior


def stabilized(raw: int, memory: Memory, now: float, flags: ControllerFlags) -> tuple[int, Memory]:
    """The highest of the window and ``raw``, of an HPA without behavior (stabilizeRecommendation).

    It may be above the present count: an old recommendation that a limit cut is followed later.
    """
    cutoff = now - flags.downscale_stabilization
    old = [_left(one.at, cutoff, flags.keeps_edge) for one in memory.recommendations]
    held = [one.replicas for one, left in zip(memory.recommendations, old, strict=True) if not left]
    return max([raw, *held]), _recorded(memory, old, raw, now)


def stabilized_by(behavior: Behavior, raw: int, current: int, memory: Memory, now: float) -> tuple[int, Memory]:
    """``current`` moved no further than every recommendation of a window agrees to.

    As stabilizeRecommendationWithBehaviors; a recommendation exactly as old as a window is out of it.
    """
    up_cutoff, down_cutoff = now - behavior.up.window, now - behavior.down.window
    known = memory.recommendations
    stable = current
    # Where nothing is to change, lowest <= raw == current <= highest, whatever was recommended before.
    if raw != current:
        lowest = min([raw, *[one.replicas for one in known if one.at > up_cutoff]])
        highest = max([raw, *[one.replicas for one in known if one.at > down_cutoff]])
        stable = min(max(current, lowest), highest)
    cutoff = min(up_cutoff, down_cutoff)
    return stable, _recorded(memory, [one.at < cutoff for one in known], raw, now)


def _left(at: float, cutoff: float, keeps_edge: bool) -> bool:
    return at < cutoff if keeps_edge else at <= cutoff


def _recorded(memory: Memory, old: list[bool], raw: int, now: float) -> Memory:
    entry = Recommendation(raw, now)
    return replace(memory, recommendations=with_entry(memory.recommendations, last_place(old), entry))
