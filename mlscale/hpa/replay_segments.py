"""A long replay cut into segments that run side by side, and made whole again: the result is exact.

numpy pays about a microsecond a call, whatever the call does to 500 numbers. So all segments of all settings
advance in one array. Each segment but the first guesses its start and warms up over the time before it. Where the
warmed-up state is not the one in which the segment before ended, the setting is run again from there, until it
meets what was stored.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mlscale.hpa.replay_lockstep import Cells, Lockstep, cells_of

if TYPE_CHECKING:
    from mlscale.hpa.replay_lockstep import Places, Rules
    from mlscale.hpa.replay_model import Candidates, CountArray, FloatArray

CELLS = 6000
"""Cells to advance together: so many doubles, a dozen arrays of them, stay in a core's cache."""
_BLOCK = 64
"""Syncs between two looks at what a repaired cell has met."""


@dataclass(frozen=True)
class _Cut:
    """Where the segments lie."""

    segments: int
    length: int
    warm_up: int

    @property
    def starts(self) -> Places:
        return np.arange(self.segments) * self.length


def replay_segments(demand_milli: FloatArray, candidates: Candidates, rules: Rules, first: int) -> CountArray:
    """Replicas after each sync, of shape (T, K), of ``candidates`` that obey the same ``rules``."""
    syncs, memory = len(demand_milli), rules.memory_syncs
    cut = _cut(syncs, len(candidates), memory)
    block = max(_BLOCK, memory)
    replicas = np.empty((cut.segments * cut.length + block, len(candidates)), dtype=np.int32)
    guessed = _first_pass(demand_milli, candidates, rules, first, cut, replicas)
    wrong = _seams(replicas, guessed, cut)
    if len(wrong[0]):
        _repair(demand_milli, candidates, rules, wrong, replicas, syncs)
    return replicas[:syncs]


def _cut(syncs: int, count: int, memory: int) -> _Cut:
    warm_up = 3 * memory
    segments = max(1, min(CELLS // count, syncs // (4 * warm_up)))
    return _Cut(segments, -(-syncs // segments), warm_up if segments > 1 else 0)


def _first_pass(
    demand_milli: FloatArray, candidates: Candidates, rules: Rules, first: int, cut: _Cut, replicas: CountArray
) -> CountArray:
    """Fill ``replicas``. The replicas that each segment had in the last syncs of its warm-up, (memory, S, K)."""
    count, shape = len(candidates), (cut.segments, len(candidates))
    index, place = np.tile(np.arange(count), cut.segments), np.repeat(cut.starts - cut.warm_up, count)
    cells = cells_of(candidates, index, place)
    run = Lockstep(demand_milli, cells, rules, _guess(demand_milli, cells))
    guessed = np.empty((rules.memory_syncs, *shape), dtype=np.int32)
    for sync in range(-cut.warm_up, 0):
        run.advance()
        if sync >= -len(guessed):
            guessed[sync] = run.replicas.reshape(shape)
    run.restart(slice(0, count), np.full(count, float(first)))
    run.begin(slice(0, count))
    whole = replicas[: cut.segments * cut.length].reshape(cut.segments, cut.length, count)
    whole[:, 0] = run.replicas.reshape(shape)
    for sync in range(1, cut.length):
        run.advance()
        whole[:, sync] = run.replicas.reshape(shape)
    return guessed


def _guess(demand_milli: FloatArray, cells: Cells) -> FloatArray:
    """What the target would take if the demand had always been the same."""
    demand = np.take(demand_milli, cells.place, mode="clip")
    wanted = np.ceil(demand * 100.0 / (cells.request_milli * cells.target))
    return np.clip(wanted, cells.min_replicas, cells.max_replicas)


def _seams(replicas: CountArray, guessed: CountArray, cut: _Cut) -> tuple[Places, Places]:
    """Starts of segments, and candidates, where the warm-up did not come to what the segment before ended with."""
    starts, candidates = [], []
    for segment in range(1, cut.segments):
        start = segment * cut.length
        before = replicas[start - len(guessed) : start]
        wrong = np.flatnonzero((before != guessed[:, segment]).any(axis=0))
        starts.append(np.full(len(wrong), start))
        candidates.append(wrong)
    if not starts:
        return np.empty(0, dtype=np.intp), np.empty(0, dtype=np.intp)
    return np.concatenate(starts), np.concatenate(candidates)


def _repair(
    demand_milli: FloatArray,
    candidates: Candidates,
    rules: Rules,
    wrong: tuple[Places, Places],
    replicas: CountArray,
    syncs: int,
) -> None:
    """Run the cells ``wrong`` on from where they are right until each meets what is stored, or the end.

    A run that meets what is stored before the next seam leaves the state at that seam as it was, so the run that
    began there stands. One that does not goes on through the seam, and what began there is overwritten.
    """
    memory = rules.memory_syncs
    start, index = wrong
    run = _resumed(demand_milli, candidates, rules, start, index, replicas)
    block = max(_BLOCK, memory)
    rows = np.arange(block)[:, None]
    while len(start):
        fresh = np.empty((block, len(start)), dtype=np.int32)
        for row in fresh:
            run.advance()
            row[:] = run.replicas
        stored = replicas[start + rows, index]
        replicas[start + rows, index] = fresh
        start = start + block
        going = (fresh[-memory:] != stored[-memory:]).any(axis=0) & (start < syncs)
        if not going.all():
            kept = np.flatnonzero(going)
            start, index = start[kept], index[kept]
            run.keep(kept)


def _resumed(
    demand_milli: FloatArray,
    candidates: Candidates,
    rules: Rules,
    start: Places,
    index: Places,
    replicas: CountArray,
) -> Lockstep:
    """Cells at ``start`` that remember what is stored of the time before."""
    memory = rules.memory_syncs
    first = replicas[start - memory, index].astype(np.float64)
    run = Lockstep(demand_milli, cells_of(candidates, index, start - memory), rules, first)
    for back in range(memory, 0, -1):
        run.follow(replicas[start - back, index].astype(np.float64))
    return run
