"""Many HPA settings replayed on recorded demand at once, by the controller's own rules.

The rules are those of kubernetes pkg/controller/podautoscaler v1.37.2 for one CPU utilization target, as
mlscale/hpa/reconcile.py has them; what the pods do meanwhile is ``World``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlscale.hpa.replay_model import Score, Trajectory
from mlscale.hpa.replay_score import ready_replicas, score_parts
from mlscale.hpa.replay_segments import replay_segments

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from mlscale.hpa.replay_model import Candidates, CountArray, FloatArray, World

_AT_ONCE = 512
"""Candidates whose replicas are held at once: 7 days at 15 s of them are 80 MB."""
_TOO_MANY = 2**24
"""Counts are held in single precision."""
_SHORTEST_SYNC = 15.0
"""Seconds: the period of the API's default policies, within which their limit is that of one sync."""


def replay(demand: FloatArray, candidates: Candidates, world: World, first_replicas: int) -> Score:
    """What each of ``candidates`` comes to on ``demand``, cores of all pods together, one value a sync.

    Raises ValueError as ``replay_replicas`` does.
    """
    return replay_parts(demand, candidates, world, first_replicas, 1)[0]


def replay_parts(
    demand: FloatArray, candidates: Candidates, world: World, first_replicas: int, parts: int
) -> list[Score]:
    """As ``replay``, each of ``parts`` equal parts of the time scored by itself."""
    columns = [{field: np.empty(len(candidates)) for field in Score.__dataclass_fields__} for _ in range(parts)]
    for index, replicas in _groups(demand, candidates, world, first_replicas):
        scores = score_parts(np.asarray(demand), replicas, candidates.request[index], world, first_replicas, parts)
        for part, score in zip(columns, scores, strict=True):
            for name, column in part.items():
                column[index] = getattr(score, name)
    return [Score(**part) for part in columns]


def replay_replicas(demand: FloatArray, candidates: Candidates, world: World, first_replicas: int) -> Trajectory:
    """The replicas of each of ``candidates`` over time, arrays of shape (T, K).

    Raises ValueError for no demand, demand that is negative or not a number, no replicas at first, a target or a
    request that is not positive, min outside 1..max, and syncs shorter than 15 s.
    """
    replicas = np.empty((len(demand), len(candidates)), dtype=np.int32)
    for index, group in _groups(demand, candidates, world, first_replicas):
        replicas[:, index] = group
    return Trajectory(replicas, ready_replicas(replicas, world, first_replicas))


def _groups(
    demand: FloatArray, candidates: Candidates, world: World, first: int
) -> Iterator[tuple[NDArray[np.intp], CountArray]]:
    """Candidates, at most 512 at a time, those with the same windows side by side, and their replicas."""
    _check(demand, candidates, world, first)
    demand_milli = np.asarray(demand, dtype=np.float64) * 1000.0
    order = np.lexsort((candidates.up_window, candidates.down_window))
    for start in range(0, len(order), _AT_ONCE):
        index = order[start : start + _AT_ONCE]
        yield index, replay_segments(demand_milli, candidates.chosen(index), world, first)


def _check(demand: FloatArray, candidates: Candidates, world: World, first: int) -> None:
    if not len(demand) or not np.isfinite(demand).all() or (demand < 0).any():
        raise ValueError("demand is at least one finite number of cores, none below 0")
    if first < 1:
        raise ValueError("a replay starts with at least 1 replica")
    if (candidates.min_replicas < 1).any() or (candidates.min_replicas > candidates.max_replicas).any():
        raise ValueError("min_replicas is between 1 and max_replicas")
    if (candidates.max_replicas >= _TOO_MANY).any():
        raise ValueError(f"max_replicas is below {_TOO_MANY}")
    if (candidates.target < 1).any() or (candidates.request <= 0).any():
        raise ValueError("target is at least 1 % and request more than 0 cores")
    if world.sync_period < _SHORTEST_SYNC:
        raise ValueError(f"a sync period is at least {_SHORTEST_SYNC:g} s, the period of the default policies")
