"""Settings run again from where their segments are right until they meet what was stored, or the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlscale.hpa.replay_lockstep import Lockstep

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlscale.hpa.replay_columns import Columns
    from mlscale.hpa.replay_lockstep import Cells, Places
    from mlscale.hpa.replay_model import CountArray, Counts, FloatArray

    Flags = NDArray[np.bool_]

_BLOCK = 64
"""Syncs between two looks at what a cell has met."""
_NEAR = 4
"""Blocks that must be quiet before it is worth a look how long the quiet lasts."""


def repair(columns: Columns, start: Places, index: Places, replicas: CountArray) -> None:
    """Run columns ``index`` on from syncs ``start`` in step, rewriting ``replicas`` of shape (T and more, K).

    A run that meets what is stored before the next seam leaves the state at that seam as it was, so the run that
    began there stands. One that does not goes on through the seam, and what began there is overwritten.
    """
    repairs = _Repairs(columns, start, index, replicas)
    while len(repairs.place):
        repairs.go_on()


class _Repairs:
    """Cells, each at a place of its own."""

    def __init__(self, columns: Columns, start: Places, index: Places, replicas: CountArray) -> None:
        self.place, self._index = start.copy(), index
        self._trusted = np.zeros_like(start)
        self._columns, self._replicas = columns, replicas
        self._memory, self._lag = columns.memory, columns.world.lag_syncs
        self._rows = np.arange(max(_BLOCK, self._memory))[:, None]
        self._cells = columns.cells.keep(index)
        self._run = self._resumed()
        self._quiet = _Quiet(columns.demand_milli)

    def go_on(self) -> None:
        """One block further; cells that have met what is stored are left out from then on."""
        rows = self.place + self._rows
        fresh = np.empty(rows.shape, dtype=np.int32)
        for row, demand in zip(fresh, self._demands(rows), strict=True):
            self._run.advance(demand)
            row[:] = self._run.replicas
        stored = self._replicas[rows, self._index]
        self._replicas[rows, self._index] = fresh
        self.place = self.place + len(rows)
        recent = fresh[-self._memory :]
        apart = (recent != stored[-self._memory :]).any(axis=0) | (self.place - self._memory < self._trusted)
        if self._leap(np.flatnonzero(apart & (recent == recent[-1]).all(axis=0))):
            apart &= ~self._overtaken()
        self._keep(np.flatnonzero(apart & (self.place < self._columns.syncs)))

    def _leap(self, still: Places) -> bool:
        """Move cells that stand still to where something next happens. Whether any was moved."""
        low, high = _band(self._cells.keep(still), self._run.replicas[still])
        loads = self._columns.load[self._index[still]]
        ends = self._quiet.ends(loads, self.place[still] - 1 - self._lag, low, high)
        far = ends - self.place[still] >= self._memory
        moved = still[far]
        # Backwards: where an earlier cell of a candidate comes as far as a later one, it is the one that is right.
        for cell, end in zip(moved[::-1], ends[far][::-1], strict=True):
            self._replicas[self.place[cell] : end, self._index[cell]] = self._run.replicas[cell]
        self.place[moved] = ends[far]
        behind = self.place[moved] - np.arange(self._lag + 1, 0, -1)[:, None]
        self._run.rest(moved, list(self._columns.demands(self._index[moved], behind)))
        return len(moved) > 0

    def _overtaken(self) -> Flags:
        """Cells that an earlier one of their candidate has reached: what they would still do came from a wrong start.

        What is stored behind such a place does not follow from what is stored before it, so that the earlier one
        has met it only when it agrees for long enough after that place.
        """
        gone = np.zeros(len(self.place), dtype=bool)
        leaders: dict[int, int] = {}
        for cell, candidate in enumerate(self._index.tolist()):
            leader = leaders.setdefault(candidate, cell)
            if leader != cell and self.place[leader] + len(self._rows) > self.place[cell]:
                gone[cell] = True
                self._trusted[leader] = max(self._trusted[leader], self.place[cell], self._trusted[cell])
            else:
                leaders[candidate] = cell
        return gone

    def _keep(self, kept: Places) -> None:
        if len(kept) < len(self.place):
            self.place, self._index, self._trusted = self.place[kept], self._index[kept], self._trusted[kept]
            self._cells = self._cells.keep(kept)
            self._run.keep(kept)

    def _demands(self, places: Places) -> FloatArray:
        return self._columns.demands(self._index, places)

    def _resumed(self) -> Lockstep:
        """The cells at their starts, knowing what is stored of the time before."""
        past = self._replicas[self.place - np.arange(self._memory, 0, -1)[:, None], self._index].astype(np.float32)
        run = Lockstep(self._cells, self._columns.world, past[0])
        for back in range(self._memory + self._lag + 1, self._memory, -1):
            run.pods.measure(self._demands(self.place - back))
        for back, replicas in zip(range(self._memory, 0, -1), past, strict=True):
            run.follow(replicas, self._demands(self.place - back))
        return run


class _Quiet:
    """How long the demand stays within bounds, looked up block by block."""

    def __init__(self, demand_milli: FloatArray) -> None:
        """``demand_milli`` of shape (L, T)."""
        self._syncs = demand_milli.shape[1]
        edges = np.arange(0, self._syncs, _BLOCK)
        self._highest = np.maximum.reduceat(demand_milli, edges, axis=1)
        self._lowest = np.minimum.reduceat(demand_milli, edges, axis=1)

    def ends(self, loads: Places, places: Places, low: FloatArray, high: FloatArray) -> Places:
        """For each of ``places`` a later one up to which demand is known to lie in ``low`` to ``high``, or itself."""
        ends = places.copy()
        near = np.minimum(places // _BLOCK + np.arange(_NEAR)[:, None], self._highest.shape[1] - 1)
        quiet = (self._highest[loads, near] <= high) & (self._lowest[loads, near] >= low)
        for cell in np.flatnonzero(quiet.all(axis=0)):
            load, block = loads[cell], places[cell] // _BLOCK
            loud = (self._highest[load, block:] > high[cell]) | (self._lowest[load, block:] < low[cell])
            ends[cell] = (block + int(np.argmax(loud))) * _BLOCK if loud.any() else self._syncs
        return ends


def _band(cells: Cells, replicas: Counts) -> tuple[FloatArray, FloatArray]:
    """The demand in millicores that surely leaves ``replicas`` as they are: a little less than what does."""
    most = np.ceil(cells.rises_from * cells.request_milli / 100.0) - 1
    least = np.ceil(cells.falls_below * cells.request_milli / 100.0)
    limit = cells.limit_milli
    high = np.where(limit <= most, np.inf, most * replicas * (1 - 1e-9))
    low = np.where(limit < least, np.inf, np.maximum(least - 1, -1) * replicas + np.abs(least) * 1e-6)
    return low, high
