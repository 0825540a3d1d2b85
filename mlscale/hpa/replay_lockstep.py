"""The controller's run over one sync, for many cells at once: a cell is one setting at one place in time.

The arithmetic is that of mlscale/hpa/replay_plain.py, in whole numbers held as doubles: each is below 2**53, so
that products are exact and the floor of a quotient is the quotient of Go's integers.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from mlscale.hpa.replay_pods import Pods
from mlscale.hpa.replay_windows import Several

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mlscale.hpa.replay_model import Candidates, Counts, FloatArray, World

    Places = NDArray[np.intp]


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
    down_syncs: Places
    """How many recommendations, the newest too, are in the window down."""
    up_syncs: Places
    first_floor: Counts
    """1 where the count at the controller's first sync is in the window down: one of 0 s holds nothing; else 0."""
    first_ceiling: Counts
    """The same of the window up."""
    behavior: Counts
    """1 with ``spec.behavior``, 0 without."""
    limit_milli: FloatArray
    """A pod's limit in millicores, infinite without one."""

    def keep(self, index: Places) -> Cells:
        """Those at ``index``."""
        return Cells(**{field.name: getattr(self, field.name)[index] for field in fields(self)})


def cells_of(candidates: Candidates, world: World) -> Cells:
    """A cell for each of ``candidates``."""
    falls, rises = _band(candidates.target, 1.0 - world.tolerance.down, 1.0 + world.tolerance.up)
    return Cells(
        least=candidates.min_replicas.astype(np.float32),
        most=candidates.max_replicas.astype(np.float32),
        target=candidates.target,
        request_milli=candidates.request_milli,
        falls_below=falls,
        rises_from=rises,
        down_syncs=world.windows_syncs(candidates.down_window),
        up_syncs=world.windows_syncs(candidates.up_window),
        first_floor=(candidates.down_window > 0).astype(np.float32),
        first_ceiling=(candidates.up_window > 0).astype(np.float32),
        behavior=candidates.has_behavior.astype(np.float32),
        limit_milli=np.full(len(candidates), world.limit_milli),
    )


def joined_cells(parts: Sequence[Cells]) -> Cells:
    """Those of all ``parts``, one after the other."""
    return Cells(
        **{field.name: np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Cells)}
    )


def memory_syncs(candidates: Candidates, world: World) -> int:
    """How many syncs back replicas decide: two runs that agree for so long agree from then on.

    What the metrics propose follows from the replicas of some syncs, what happens from some proposals.
    """
    pods = max(world.counted_syncs, world.measured_syncs, world.ready_syncs + world.lag_syncs + 2)
    windows = np.maximum(candidates.down_window, candidates.up_window)
    return pods + int(world.windows_syncs(windows).max())


def _band(target: FloatArray, low: float, high: float) -> tuple[FloatArray, FloatArray]:
    """The lowest whole per cent within tolerance of ``target``, and the lowest above it."""
    # A product may be one off where the controller's quotient is not: start below, then compare as it does.
    falls, rises = np.ceil(low * target) - 2, np.floor(high * target) - 2
    for _ in range(4):
        falls = np.where(falls / target < low, falls + 1, falls)
        rises = np.where(rises / target <= high, rises + 1, rises)
    return falls, rises


class Lockstep:
    """C cells that advance together, one sync at a time."""

    def __init__(self, cells: Cells, world: World, replicas: Counts) -> None:
        """As if ``replicas``, of shape (C,), had stood and been asked for all the time before."""
        self._cells = cells
        self.replicas = replicas.copy()
        self.pods = Pods(world, replicas, cells.limit_milli)
        self._highest = Several(np.maximum, cells.down_syncs, replicas)
        self._lowest = Several(np.minimum, cells.up_syncs, replicas)
        self._make_room(len(replicas))

    def advance(self, demand_milli: FloatArray) -> None:
        """Run the controller at the next sync; ``demand_milli`` of shape (C,) is served from it on."""
        proposed = self._propose()
        self._bound(self._highest.push(proposed), self._lowest.push(proposed))
        self.pods.follow(self.replicas)
        self.pods.measure(demand_milli)

    def begin(self, cells: Places, demand_milli: FloatArray) -> None:
        """As ``advance``, with ``cells`` at their first sync: the count that stands there is a recommendation."""
        first = self.replicas[cells].copy()
        least, most = self._cells.least[cells], self._cells.most[cells]
        forced = (first < least) | (first > most)
        highest = self._propose().copy()
        lowest = highest.copy()
        down, up = self._cells.first_floor[cells] > 0, self._cells.first_ceiling[cells] > 0
        higher, lower = np.maximum(highest[cells], first), np.minimum(lowest[cells], first)
        highest[cells] = np.where(forced, first, np.where(down, higher, highest[cells]))
        lowest[cells] = np.where(forced, first, np.where(up, lower, lowest[cells]))
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

    def restart(self, cells: Places, first: Counts, demands: list[FloatArray]) -> None:
        """Let ``cells`` begin here with ``first`` replicas, and a controller that knows nothing yet."""
        self.replicas[cells] = first
        self.pods.settle(cells, self.replicas[cells], demands)
        self._highest.fill(cells, np.zeros(len(cells), dtype=np.float32))
        self._lowest.fill(cells, np.full(len(cells), np.inf, dtype=np.float32))

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
        self._unheld = np.where(self._cells.behavior > 0, 0.0, np.inf).astype(np.float32)

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
        cells, current, limit, wanted = self._cells, self.replicas, self._limit, self._counts
        # 4 pods more or twice as many with behavior, else twice as many or 4.
        np.add(np.multiply(current, cells.behavior, out=limit), self._four, out=limit)
        np.maximum(np.add(current, current, out=wanted), limit, out=limit)
        # Without behavior an old recommendation above the count raises it; with it the count only moves as far as
        # every recommendation in the window agrees to.
        np.maximum(np.maximum(current, lowest, out=wanted), self._unheld, out=wanted)
        np.minimum(np.minimum(wanted, highest, out=wanted), limit, out=wanted)
        np.maximum(wanted, cells.least, out=self.replicas)
