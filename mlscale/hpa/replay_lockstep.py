"""The controller's run over one sync, for many cells at once: a cell is one setting at one place in time.

The arithmetic is that of mlscale/hpa/replay_plain.py, in whole numbers held as doubles: each is below 2**53, so
that products are exact and the floor of a quotient is the quotient of Go's integers.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from mlscale.hpa.replay_windows import Sliding

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlscale.hpa.replay_model import Candidates, FloatArray, World

    Places = NDArray[np.intp]


@dataclass(frozen=True)
class Rules:
    """What all cells of a run share."""

    world: World
    down_window: float
    """In seconds, as the next."""
    up_window: float
    behavior: bool

    @property
    def down_syncs(self) -> int:
        """How many recommendations, the newest too, are in the window down."""
        return self.world.window_syncs(self.down_window)

    @property
    def up_syncs(self) -> int:
        """How many are in the window up."""
        return self.world.window_syncs(self.up_window)

    @property
    def memory_syncs(self) -> int:
        """How many syncs back the replicas decide: two runs that agree for so long agree from then on.

        What the metrics propose follows from the replicas of some syncs, what happens from some proposals.
        """
        world = self.world
        pods = max(world.counted_syncs, world.measured_syncs, world.ready_syncs + world.lag_syncs + 2)
        return pods + max(self.down_syncs, self.up_syncs)


@dataclass
class Cells:
    """The settings of C cells, arrays of shape (C,), and their next place in the demand."""

    min_replicas: FloatArray
    max_replicas: FloatArray
    target: FloatArray
    request_milli: FloatArray
    place: Places

    def keep(self, index: Places) -> Cells:
        """Those at ``index``."""
        return Cells(**{field.name: getattr(self, field.name)[index] for field in fields(self)})


def cells_of(candidates: Candidates, index: Places, place: Places) -> Cells:
    """A cell for each of ``index`` (of candidates) and ``place`` (of the demand) in step."""
    return Cells(
        candidates.min_replicas[index],
        candidates.max_replicas[index],
        candidates.target[index],
        candidates.request_milli[index],
        place.copy(),
    )


class Lockstep:
    """C cells that advance together, one sync at a time."""

    def __init__(self, demand_milli: FloatArray, cells: Cells, rules: Rules, replicas: FloatArray) -> None:
        """As if ``replicas``, of shape (C,), had stood and been asked for all the time before."""
        world = rules.world
        self._demand, self._cells, self._rules = demand_milli, cells, rules
        self._low, self._high = 1.0 - world.tolerance.down, 1.0 + world.tolerance.up
        self.replicas = replicas.copy()
        self._counted = Sliding(np.minimum, world.counted_syncs, replicas)
        late = world.measured_syncs > world.counted_syncs
        self._measured = Sliding(np.minimum, world.measured_syncs, replicas) if late else self._counted
        self._ready = Sliding(np.minimum, world.ready_syncs + 1, replicas)
        self._highest = Sliding(np.maximum, rules.down_syncs, replicas)
        self._lowest = Sliding(np.minimum, rules.up_syncs, replicas)
        self._uses = [np.empty_like(replicas) for _ in range(world.lag_syncs + 1)]
        self._make_room(len(replicas))
        for back in range(len(self._uses), 0, -1):
            self._measure(cells.place - back)

    def follow(self, replicas: FloatArray) -> None:
        """Let the next sync end with ``replicas`` of shape (C,), whatever the controller would have done."""
        proposed = self._propose()
        self._highest.push(proposed)
        self._lowest.push(proposed)
        np.copyto(self.replicas, replicas)
        self._settle(self._cells.place)

    def restart(self, cells: slice, first: FloatArray) -> None:
        """Let ``cells`` begin here with ``first`` replicas, and a controller that knows nothing yet."""
        self.replicas[cells] = first
        for window in (self._counted, self._measured, self._ready):
            window.fill(cells, first)
        self._highest.fill(cells, 0.0)
        self._lowest.fill(cells, np.inf)
        place = self._cells.place[cells]
        for use in self._uses:
            use[cells] = self._use(place, first)

    def advance(self) -> None:
        """Run the controller at the next sync."""
        proposed = self._propose()
        self._bound(self._highest.push(proposed), self._lowest.push(proposed))
        self._settle(self._cells.place)

    def begin(self, cells: slice) -> None:
        """As ``advance``, with ``cells`` at their first sync: the count that stands there is a recommendation."""
        first = self.replicas[cells].copy()
        least, most = self._cells.min_replicas[cells], self._cells.max_replicas[cells]
        forced = (first < least) | (first > most)
        proposed = self._propose()
        proposed[cells] = np.where(forced, first, proposed[cells])
        highest, lowest = proposed.copy(), proposed.copy()
        # A window of 0 s holds nothing, not even what was recommended in the same moment.
        if self._rules.down_window:
            np.maximum(highest[cells], first, out=highest[cells])
        if self._rules.up_window:
            np.minimum(lowest[cells], first, out=lowest[cells])
        self._bound(self._highest.push(highest), self._lowest.push(lowest))
        self.replicas[cells] = np.where(forced, np.clip(first, least, most), self.replicas[cells])
        self._settle(self._cells.place)

    def keep(self, index: Places) -> None:
        """Go on with the cells at ``index`` alone."""
        self._cells = self._cells.keep(index)
        self.replicas = self.replicas[index]
        windows = {id(w): w for w in (self._counted, self._measured, self._ready, self._highest, self._lowest)}
        for window in windows.values():
            window.keep(index)
        self._uses = [use[index] for use in self._uses]
        self._make_room(len(index))

    def _make_room(self, count: int) -> None:
        self._pods, self._amount, self._ratio, self._limit = (np.empty(count) for _ in range(4))
        self._flag, self._other = np.empty(count, dtype=bool), np.empty(count, dtype=bool)

    def _propose(self) -> FloatArray:
        """What the metric asks for (mlscale/hpa/replay_plain.py, ``proposed``)."""
        cells, current, counted = self._cells, self.replicas, self._counted.value
        use, pods, amount, ratio = self._uses[0], self._pods, self._amount, self._ratio
        if self._measured is self._counted:
            np.divide(use, cells.request_milli, out=amount)
        else:
            np.multiply(use, self._measured.value, out=amount)
            np.divide(amount, np.multiply(counted, cells.request_milli, out=pods), out=amount)
        np.floor(amount, out=amount)
        rising = np.greater(amount, cells.target, out=self._flag)
        # Above target all pods count, those that are not ready yet as idle; otherwise the ready ones alone.
        np.copyto(pods, counted)
        np.copyto(pods, current, where=rising)
        np.multiply(use, self._measured.value, out=amount)
        np.divide(amount, np.multiply(pods, cells.request_milli, out=ratio), out=ratio)
        np.divide(np.floor(ratio, out=ratio), cells.target, out=ratio)
        np.ceil(np.multiply(ratio, pods, out=amount), out=amount)
        falling = np.greater(np.less(ratio, self._low, out=self._other), rising, out=self._other)
        changes = np.logical_or(np.greater(ratio, self._high, out=self._flag), falling, out=self._flag)
        np.logical_not(changes, out=changes)
        np.copyto(amount, current, where=changes)
        return amount

    def _bound(self, highest: FloatArray, lowest: FloatArray) -> None:
        """Stabilized and within min, max and the default speed limits, as mlscale/hpa/limits.py has them."""
        cells, current, limit, wanted = self._cells, self.replicas, self._limit, self._ratio
        np.multiply(current, 2.0, out=limit)
        if self._rules.behavior:
            np.maximum(limit, np.add(current, 4.0, out=wanted), out=limit)
            np.minimum(np.maximum(current, lowest, out=wanted), highest, out=wanted)
        else:
            np.maximum(limit, 4.0, out=limit)
            np.copyto(wanted, highest)
        np.minimum(limit, cells.max_replicas, out=limit)
        np.minimum(wanted, limit, out=wanted)
        np.maximum(wanted, cells.min_replicas, out=self.replicas)

    def _settle(self, place: Places) -> None:
        """Let the pods follow, and measure them until the next sync."""
        self._counted.push(self.replicas)
        if self._measured is not self._counted:
            self._measured.push(self.replicas)
        self._ready.push(self.replicas)
        self._measure(place)
        place += 1

    def _measure(self, place: Places) -> None:
        use = self._uses.pop(0)
        self._uses.append(use)
        np.take(self._demand, place, out=use, mode="clip")
        np.divide(use, self._ready.value, out=use)
        np.minimum(use, self._rules.world.limit_milli, out=use)
        np.ceil(use, out=use)
        # Per cent times the request: the numerator of the controller's division.
        np.multiply(use, 100.0, out=use)

    def _use(self, place: Places, ready: FloatArray) -> FloatArray:
        limit = self._rules.world.limit_milli
        return np.ceil(np.minimum(np.take(self._demand, place, mode="clip") / ready, limit)) * 100.0
