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

from mlscale.hpa.replay_lockstep import Cells, Lockstep
from mlscale.hpa.replay_repair import repair

if TYPE_CHECKING:
    from mlscale.hpa.replay_columns import Columns
    from mlscale.hpa.replay_lockstep import Places
    from mlscale.hpa.replay_model import CountArray, Counts, FloatArray

CELLS = 6000
"""Cells to advance together: so many doubles, a dozen arrays of them, stay in a core's cache."""
_SHORTEST = 128
"""Syncs of a segment at least."""
_ROOM = 512
"""Rows that ``repair`` may use behind the end."""


@dataclass(frozen=True)
class _Cut:
    """Where the segments lie; a cell's number is its column's times ``segments`` plus its segment's."""

    segments: int
    length: int
    warm_up: int

    @property
    def starts(self) -> Places:
        return np.arange(self.segments) * self.length


class _Grid:
    """The demand of all segments, for all columns at once."""

    def __init__(self, columns: Columns, starts: Places) -> None:
        self._demand, self._load, self._starts = columns.demand_milli, columns.load, starts
        self._cells = np.empty((len(columns), len(starts)))

    def at(self, sync: int) -> FloatArray:
        """Shape (K * S,), at ``sync`` of each segment; past the ends their value goes on."""
        rows = np.take(self._demand, self._starts + sync, axis=1, mode="clip")
        np.take(rows, self._load, axis=0, out=self._cells, mode="clip")
        return self._cells.reshape(-1)


def replay_segments(columns: Columns) -> CountArray:
    """Replicas after each sync, of shape (T, K), of ``columns``, those with the same windows side by side."""
    cut = _cut(columns)
    room = max(_ROOM, 2 * columns.memory)
    replicas = np.empty((cut.segments * cut.length + room, len(columns)), dtype=np.int32)
    guessed = _first_pass(columns, cut, replicas)
    start, index = _seams(replicas, guessed, cut)
    if len(start):
        repair(columns, start, index, replicas)
    return replicas[: columns.syncs]


def _cut(columns: Columns) -> _Cut:
    warm_up = 2 * columns.memory
    segments = max(1, min(CELLS // len(columns), columns.syncs // max(warm_up, _SHORTEST)))
    return _Cut(segments, -(-columns.syncs // segments), warm_up if segments > 1 else 0)


def _first_pass(columns: Columns, cut: _Cut, replicas: CountArray) -> CountArray:
    """Fill ``replicas``. The replicas that each segment had in the last syncs of its warm-up, (memory, S, K)."""
    count, shape = len(columns), (len(columns), cut.segments)
    whole = replicas[: cut.segments * cut.length].reshape(cut.segments, cut.length, count)
    grid = _Grid(columns, cut.starts)
    run = _warmed_up(grid, columns, cut)
    guessed = np.empty((columns.memory, *shape[::-1]), dtype=np.int32)
    for sync in range(-cut.warm_up, 0):
        run.advance(grid.at(sync))
        if sync >= -len(guessed):
            guessed[sync] = run.replicas.reshape(shape).T
    beginning = np.arange(count) * cut.segments
    at_once = columns.demand_milli[columns.load, 0]
    run.restart(beginning, columns.first, [at_once] * (columns.world.lag_syncs + 1))
    run.begin(beginning, grid.at(0))
    whole[:, 0] = run.replicas.reshape(shape).T
    for sync in range(1, cut.length):
        run.advance(grid.at(sync))
        whole[:, sync] = run.replicas.reshape(shape).T
    return guessed


def _warmed_up(grid: _Grid, columns: Columns, cut: _Cut) -> Lockstep:
    """All segments at the start of their warm-up, as if the demand had always been that of then."""
    cells = columns.cells.keep(np.repeat(np.arange(len(columns)), cut.segments))
    run = Lockstep(cells, columns.world, _guess(grid.at(-cut.warm_up), cells))
    for back in range(columns.world.lag_syncs + 1, 0, -1):
        run.pods.measure(grid.at(-cut.warm_up - back))
    return run


def _guess(demand_milli: FloatArray, cells: Cells) -> Counts:
    """What the target would take if the demand had always been the same."""
    wanted = np.ceil(demand_milli * 100.0 / (cells.request_milli * cells.target))
    return np.clip(wanted, cells.least, cells.most).astype(np.float32)


def _seams(replicas: CountArray, guessed: CountArray, cut: _Cut) -> tuple[Places, Places]:
    """Starts of segments, and columns, where the warm-up did not come to what the segment before ended with."""
    wrong = np.empty((replicas.shape[1], cut.segments), dtype=bool)
    wrong[:, 0] = False
    for segment in range(1, cut.segments):
        start = segment * cut.length
        before = replicas[start - len(guessed) : start]
        wrong[:, segment] = (before != guessed[:, segment]).any(axis=0)
    index, segments = np.nonzero(wrong)
    return segments * cut.length, index
