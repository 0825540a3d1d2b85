"""The controller's run over one sync, for many cells at once: a cell is one setting at one place in time.

The arithmetic is that of mlscale/hpa/replay_plain.py, in whole numbers held as doubles: each is below 2**53, so
that products are exact and the floor of a quotient is the quotient of Go's integers.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from mlscale.hpa.replay_pods import Pods
from mlscale.hpa.replay_windows import Sliding

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlscale.hpa.replay_model import Candidates, Counts, FloatArray, World

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


@dataclass(frozen=True)
class Cells:
    """The settings of C cells, arrays of shape (C,)."""

    least: Counts
    most: Counts
    target: FloatArray
    request_milli: FloatArray
    falls_below: FloatArray
    """The utilization, a whole per cent, that is the lowest within tolerance."""
    rises_from: FloatArray
    """The lowest above it."""

    def keep(self, index: Places) -> Cells:
        """Those at ``index``."""
        return Cells(**{field.name: getattr(self, field.name)[index] for field in fields(self)})


def cells_of(candidates: Candidates, index: Places, world: World) -> Cells:
    """A cell for each candidate of ``index``."""
    target = candidates.target[index]
    low, high = 1.0 - world.tolerance.down, 1.0 + world.tolerance.up
    # One product may be a whole number off where the controller's quotient is not: step, then compare as it does.
    falls = np.ceil(low * target) - 2
    rises = np.floor(high * target) - 2
    for _ in range(4):
        falls = np.where(falls / target < low, falls + 1, falls)
        rises = np.where(rises / target <= high, rises + 1, rises)
    return Cells(
        candidates.min_replicas[index].astype(np.float32),
        candidates.max_replicas[index].astype(np.float32),
        target,
        candidates.request_milli[index],
        falls,
        rises,
    )


class Lockstep:
    """C cells that advance together, one sync at a time."""

    def __init__(self, cells: Cells, rules: Rules, replicas: Counts) -> None:
        """As if ``replicas``, of shape (C,), had stood and been asked for all the time before."""
        self._cells, self._rules = cells, rules
        self.replicas = replicas.copy()
        self.pods = Pods(rules.world, replicas)
        self._highest = Sliding(np.maximum, rules.down_syncs, replicas)
        self._lowest = Sliding(np.minimum, rules.up_syncs, replicas)
        self._make_room(len(replicas))

    def advance(self, demand_milli: FloatArray) -> None:
        """Run the controller at the next sync; ``demand_milli`` of shape (C,) is served from it on."""
        proposed = self._propose()
        self._bound(self._highest.push(proposed), self._lowest.push(proposed))
        self.pods.follow(self.replicas)
        self.pods.measure(demand_milli)

    def begin(self, cells: slice, demand_milli: FloatArray) -> None:
        """As ``advance``, with ``cells`` at their first sync: the count that stands there is a recommendation."""
        first = self.replicas[cells].copy()
        least, most = self._cells.least[cells], self._cells.most[cells]
        forced = (first < least) | (first > most)
        highest = self._propose().copy()
        lowest = highest.copy()
        # A window of 0 s holds nothing, not even what was recommended in the same moment.
        floor = first if self._rules.down_window else 0.0
        ceiling = first if self._rules.up_window else np.inf
        highest[cells] = np.where(forced, first, np.maximum(highest[cells], floor))
        lowest[cells] = np.where(forced, first, np.minimum(lowest[cells], ceiling))
        np.minimum(highest, self._cells.most, out=highest)
        self._bound(self._highest.push(highest), self._lowest.push(lowest))
        self.replicas[cells] = np.where(forced, np.clip(first, least, most), self.replicas[cells])
        self.pods.follow(self.replicas)
        self.pods.measure(demand_milli)

    def follow(self, replicas: Counts, demand_milli: FloatArray) -> None:
        """Let the next sync end with ``replicas`` of shape (C,), whatever the controller would have done."""
        proposed = self._propose()
        self._highest.push(proposed)
        self._lowest.push(proposed)
        np.copyto(self.replicas, replicas)
        self.pods.follow(replicas)
        self.pods.measure(demand_milli)

    def restart(self, cells: slice, first: int, demands: list[FloatArray]) -> None:
        """Let ``cells`` begin here with ``first`` replicas, and a controller that knows nothing yet."""
        self.replicas[cells] = first
        self.pods.settle(cells, self.replicas[cells], demands)
        self._highest.fill(cells, 0.0)
        self._lowest.fill(cells, np.inf)

    def rest(self, cells: Places, demands: list[FloatArray]) -> None:
        """Let ``cells`` have stood, and been asked for, as they are for as long as they remember."""
        replicas = self.replicas[cells]
        self.pods.settle(cells, replicas, demands)
        self._highest.fill(cells, replicas)
        self._lowest.fill(cells, replicas)

    def keep(self, index: Places) -> None:
        """Go on with the cells at ``index`` alone."""
        self._cells = self._cells.keep(index)
        self.replicas = self.replicas[index]
        self.pods.keep(index)
        self._highest.keep(index)
        self._lowest.keep(index)
        self._make_room(len(index))

    def _make_room(self, count: int) -> None:
        self._amount, self._whole = np.empty(count), np.empty(count)
        self._counts, self._limit = np.empty(count, dtype=np.float32), np.empty(count, dtype=np.float32)
        self._four = np.full(count, 4.0, dtype=np.float32)

    def _propose(self) -> Counts:
        """What the metric asks for, cut to max, which nothing passes; mlscale/hpa/replay_plain.py has the rule.

        Below target the ready pods alone count. Otherwise all do, those that are not ready as idle: where the use
        of the ready ones is at target or above, no other pod can make a count fall.
        """
        cells, pods, amount, whole = self._cells, self.pods, self._amount, self._whole
        measured = pods.counted if pods.measured is None else pods.measured
        np.multiply(pods.use, measured, out=amount)
        if pods.measured is None:
            np.divide(pods.use, cells.request_milli, out=whole)
        else:
            np.divide(amount, np.multiply(pods.counted, cells.request_milli, out=whole), out=whole)
        falling = np.less(np.floor(whole, out=whole), cells.falls_below)
        counted = np.where(falling, pods.counted, self.replicas)
        np.divide(amount, np.multiply(counted, cells.request_milli, out=whole), out=amount)
        changing = np.greater_equal(np.floor(amount, out=amount), cells.rises_from)
        np.logical_or(changing, falling, out=changing)
        np.multiply(np.divide(amount, cells.target, out=amount), counted, out=amount)
        np.copyto(self._counts, np.ceil(amount, out=amount), casting="same_kind")
        return np.minimum(np.where(changing, self._counts, self.replicas), cells.most, out=self._counts)

    def _bound(self, highest: Counts, lowest: Counts) -> None:
        """Stabilized and within min, max and the default speed limits, as mlscale/hpa/limits.py has them."""
        current, limit, wanted = self.replicas, self._limit, highest
        if self._rules.behavior:
            np.add(current, np.maximum(current, self._four, out=limit), out=limit)
            wanted = np.minimum(np.maximum(current, lowest, out=self._counts), highest, out=self._counts)
        else:
            np.maximum(np.add(current, current, out=limit), self._four, out=limit)
        np.maximum(np.minimum(wanted, limit, out=self._counts), self._cells.least, out=self.replicas)
