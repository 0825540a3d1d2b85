"""Many HPA settings replayed on recorded demand at once, by the controller's own rules.

The rules are those of kubernetes pkg/controller/podautoscaler v1.37.2 for one CPU utilization target, as
mlscale/hpa/reconcile.py has them; what the pods do meanwhile is ``World``.
"""

from __future__ import annotations

import math
from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np

from mlscale.hpa.replay_columns import columns_of
from mlscale.hpa.replay_model import Run, Score, Trajectory
from mlscale.hpa.replay_score import ready_replicas, score_parts
from mlscale.hpa.replay_segments import replay_segments

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mlscale.hpa.replay_lockstep import Places
    from mlscale.hpa.replay_model import Candidates, CountArray, FloatArray, World

_AT_ONCE = 512
"""Candidates whose replicas are held at once: 7 days at 15 s of them are 80 MB."""
_SAME_LENGTH = 1.25
"""Loads whose lengths differ by no more than about this factor advance in step."""
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
    return replay_runs_parts([Run(np.asarray(demand), candidates, world, first_replicas)], [parts])[0]


def replay_runs_parts(runs: Sequence[Run], parts: Sequence[int]) -> list[list[Score]]:
    """As ``replay_parts`` for each of ``runs``, which advance in step."""
    columns = [
        [{field: np.empty(len(run.candidates)) for field in Score.__dataclass_fields__} for _ in range(count)]
        for run, count in zip(runs, parts, strict=True)
    ]
    for number, index, replicas in _groups(runs):
        run = runs[number]
        request = run.candidates.request[index]
        scores = score_parts(run.demand, replicas, request, run.world, run.first_replicas, parts[number])
        for part, score in zip(columns[number], scores, strict=True):
            for name, column in part.items():
                column[index] = getattr(score, name)
    return [[Score(**part) for part in one] for one in columns]


def replay_replicas(demand: FloatArray, candidates: Candidates, world: World, first_replicas: int) -> Trajectory:
    """The replicas of each of ``candidates`` over time, arrays of shape (T, K).

    Raises ValueError for no demand, demand that is negative or not a number, no replicas at first, a target or a
    request that is not positive, min outside 1..max, and syncs shorter than 15 s.
    """
    replicas = replay_runs([Run(np.asarray(demand), candidates, world, first_replicas)])[0]
    return Trajectory(replicas, ready_replicas(replicas, world, first_replicas))


def replay_runs(runs: Sequence[Run]) -> list[CountArray]:
    """The replicas of the candidates of each of ``runs``, arrays of shape (T, K). Raises as ``replay_replicas``."""
    found = [np.empty((len(run.demand), len(run.candidates)), dtype=np.int32) for run in runs]
    for number, index, replicas in _groups(runs):
        found[number][:, index] = replicas
    return found


def _groups(runs: Sequence[Run]) -> Iterator[tuple[int, Places, CountArray]]:
    """The number of a run, some of its candidates, and their replicas, of shape (T, K)."""
    for run in runs:
        _check(run)
    for numbers in _alike(runs):
        columns = columns_of([runs[number] for number in numbers])
        counts = [len(runs[number].candidates) for number in numbers]
        place = np.concatenate([np.arange(count) for count in counts])
        order = np.lexsort((columns.cells.up_syncs, columns.cells.down_syncs))
        for start in range(0, len(order), _AT_ONCE):
            index = order[start : start + _AT_ONCE]
            replicas = replay_segments(columns.chosen(index))
            loads = columns.load[index]
            for load in np.unique(loads).tolist():
                (own,) = np.nonzero(loads == load)
                syncs = len(runs[numbers[load]].demand)
                yield numbers[load], place[index[own]], _columns(replicas[:syncs], own)


def _columns(replicas: CountArray, own: Places) -> CountArray:
    """``replicas[:, own]``, without a copy where that is all of them."""
    return replicas if len(own) == replicas.shape[1] else replicas[:, own]


def _alike(runs: Sequence[Run]) -> list[list[int]]:
    """Numbers of the runs that can advance in step: their controllers and pods take equally many syncs for all."""
    alike: dict[tuple[float, ...], list[int]] = defaultdict(list)
    for number, run in enumerate(runs):
        world = run.world
        syncs = (world.lag_syncs, world.ready_syncs, world.counted_syncs, world.measured_syncs)
        # Of about the same length too, since the shorter goes on as long as the longer.
        alike[(world.sync_period, *syncs, round(math.log(len(run.demand), _SAME_LENGTH)))].append(number)
    return list(alike.values())


def _check(run: Run) -> None:
    demand, candidates = run.demand, run.candidates
    if not len(demand) or not np.isfinite(demand).all() or (demand < 0).any():
        raise ValueError("demand is at least one finite number of cores, none below 0")
    if run.first_replicas < 1:
        raise ValueError("a replay starts with at least 1 replica")
    if (candidates.min_replicas < 1).any() or (candidates.min_replicas > candidates.max_replicas).any():
        raise ValueError("min_replicas is between 1 and max_replicas")
    if (candidates.max_replicas >= _TOO_MANY).any():
        raise ValueError(f"max_replicas is below {_TOO_MANY}")
    if (candidates.target < 1).any() or (candidates.request <= 0).any():
        raise ValueError("target is at least 1 % and request more than 0 cores")
    if run.world.sync_period < _SHORTEST_SYNC:
        raise ValueError(f"a sync period is at least {_SHORTEST_SYNC:g} s, the period of the default policies")
