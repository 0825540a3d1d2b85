"""A long replay cut into segments that run side by side, and made whole again: the result is exact.

numpy pays about a microsecond a call, whatever the call does to 500 numbers. So all segments of all settings
advance in one array. Each segment but the first guesses its start and warms up over the time before it. Where the
warmed-up state is not the one in which the segment before ended, the setting is run again from there, until it
meets what was stored (mlscale/hpa/replay_repair.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mlscale.hpa.replay_lockstep import Cells, Lockstep, cells_of, memory_syncs
from mlscale.hpa.replay_repair import repair

if TYPE_CHECKING:
    from mlscale.hpa.replay_lockstep import Places
    from mlscale.hpa.replay_model import Candidates, CountArray, Counts, FloatArray, World

CELLS = 6000
"""Cells to advance together: so many doubles, a dozen arrays of them, stay in a core's cache."""
_SHORTEST = 128
"""Syncs of a segment at least."""
_ROOM = 512
"""Rows that ``repair`` may use behind the end."""


@dataclass(frozen=True)
class _Cut:
    """Where the segments lie; a cell's number is its candidate's times ``segments`` plus its segment's."""

    segments: int
    length: int
    memory: int
    """What ``memory_syncs`` says."""
    warm_up: int

    @property
    def starts(self) -> Places:
        return np.arange(self.segments) * self.length


class _Grid:
    """The demand of all segments, for all candidates at once."""

    def __init__(self, demand_milli: FloatArray, starts: Places, count: int) -> None:
        self._demand, self._starts, self._count = demand_milli, starts, count
        self._flat = np.empty(len(starts) * count)

    def at(self, sync: int) -> FloatArray:
        """Shape (K * S,), at ``sync`` of each segment; past the end the last value goes on."""
        values = np.take(self._demand, self._starts + sync, mode="clip")
        self._flat.reshape(self._count, len(values))[:] = values
        return self._flat


def replay_segments(demand_milli: FloatArray, candidates: Candidates, world: World, first: int) -> CountArray:
    """Replicas after each sync, of shape (T, K), of ``candidates``, those with the same windows side by side."""
    syncs = len(demand_milli)
    cut = _cut(syncs, len(candidates), memory_syncs(candidates, world))
    room = max(_ROOM, 2 * cut.memory)
    replicas = np.empty((cut.segments * cut.length + room, len(candidates)), dtype=np.int32)
    guessed = _first_pass(demand_milli, candidates, world, first, cut, replicas)
    start, index = _seams(replicas, guessed, cut)
    if len(start):
        repair(demand_milli, candidates, world, start, index, replicas)
    return replicas[:syncs]


def _cut(syncs: int, count: int, memory: int) -> _Cut:
    warm_up = 2 * memory
    segments = max(1, min(CELLS // count, syncs // max(warm_up, _SHORTEST)))
    return _Cut(segments, -(-syncs // segments), memory, warm_up if segments > 1 else 0)


def _first_pass(
    demand_milli: FloatArray, candidates: Candidates, world: World, first: int, cut: _Cut, replicas: CountArray
) -> CountArray:
    """Fill ``replicas``. The replicas that each segment had in the last syncs of its warm-up, (memory, S, K)."""
    count, shape = len(candidates), (len(candidates), cut.segments)
    whole = replicas[: cut.segments * cut.length].reshape(cut.segments, cut.length, count)
    grid = _Grid(demand_milli, cut.starts, count)
    run = _warmed_up(grid, candidates, world, cut)
    guessed = np.empty((cut.memory, *shape[::-1]), dtype=np.int32)
    for sync in range(-cut.warm_up, 0):
        run.advance(grid.at(sync))
        if sync >= -len(guessed):
            guessed[sync] = run.replicas.reshape(shape).T
    beginning = np.arange(count) * cut.segments
    run.restart(beginning, first, [demand_milli[:1]] * (world.lag_syncs + 1))
    run.begin(beginning, grid.at(0))
    whole[:, 0] = run.replicas.reshape(shape).T
    for sync in range(1, cut.length):
        run.advance(grid.at(sync))
        whole[:, sync] = run.replicas.reshape(shape).T
    return guessed


def _warmed_up(grid: _Grid, candidates: Candidates, world: World, cut: _Cut) -> Lockstep:
    """All segments at the start of their warm-up, as if the demand had always been that of then."""
    cells = cells_of(candidates, np.repeat(np.arange(len(candidates)), cut.segments), world)
    run = Lockstep(cells, world, _guess(grid.at(-cut.warm_up), cells))
    for back in range(world.lag_syncs + 1, 0, -1):
        run.pods.measure(grid.at(-cut.warm_up - back))
    return run


def _guess(demand_milli: FloatArray, cells: Cells) -> Counts:
    """What the target would take if the demand had always been the same."""
    wanted = np.ceil(demand_milli * 100.0 / (cells.request_milli * cells.target))
    return np.clip(wanted, cells.least, cells.most).astype(np.float32)


def _seams(replicas: CountArray, guessed: CountArray, cut: _Cut) -> tuple[Places, Places]:
    """Starts of segments, and candidates, where the warm-up did not come to what the segment before ended with."""
    wrong = np.empty((replicas.shape[1], cut.segments), dtype=bool)
    wrong[:, 0] = False
    for segment in range(1, cut.segments):
        start = segment * cut.length
        before = replicas[start - len(guessed) : start]
        wrong[:, segment] = (before != guessed[:, segment]).any(axis=0)
    candidates, segments = np.nonzero(wrong)
    return segments * cut.length, candidates
