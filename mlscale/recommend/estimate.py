"""What many settings come to on demand, estimated without a loop over time: enough to tell which are worth a replay."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from mlscale.hpa.replay_model import Candidates, World
    from mlscale.usage.model import FloatArray

    Singles = NDArray[np.float32]
    Places = NDArray[np.intp]

STRIDE = 4
"""Syncs whose mean demand is looked at as one: a minute."""
_LAZY = 0.5
"""The share of the tolerance up by which a count is taken to lag behind demand: it moves on at all of it."""


@dataclass(frozen=True)
class Estimate:
    """What each of K settings comes to."""

    pod_hours: FloatArray
    """Shape (K,)."""
    changes: FloatArray
    """Shape (K,): of the replicas, over all the time."""
    unmet: FloatArray
    """Shape (B, K): the share of each block's demand."""


def estimate(demand: FloatArray, candidates: Candidates, world: World, blocks: int) -> Estimate:
    """The settings on ``demand``, cores of all pods at each sync, in ``blocks`` equal parts of the time.

    The count is what the target takes for the demand of a moment ago, the highest within the window down, between
    min and max: no speed limit, no window up, and half the tolerance. At least ``STRIDE`` syncs are needed.
    """
    minutes = len(demand) // STRIDE
    load = demand[: minutes * STRIDE].reshape(minutes, STRIDE).mean(axis=1).astype(np.float32)
    edges = np.linspace(0, minutes, blocks + 1).round().astype(int)[:-1]
    found = Estimate(np.empty(len(candidates)), np.empty(len(candidates)), np.empty((blocks, len(candidates))))
    capacity, hours = world.capacity_of(candidates.request), STRIDE * world.sync_period / 3600.0
    for index, proposed in _proposals(load, candidates, world):
        least, most = candidates.min_replicas[index, None], candidates.max_replicas[index, None]
        counts = np.maximum(proposed, least.astype(np.float32))
        if proposed.max() > most.min():
            np.minimum(counts, most.astype(np.float32), out=counts)
        found.pod_hours[index] = counts.sum(axis=1) * hours
        found.changes[index] = [np.count_nonzero(row[1:] != row[:-1]) for row in counts]
        served = capacity[index[0]]
        missing = np.subtract(load / np.float32(served), counts, out=counts)
        found.unmet[:, index] = np.add.reduceat(np.maximum(missing, 0.0, out=missing), edges, axis=1).T * served
    total = np.add.reduceat(load, edges)[:, None]
    np.divide(found.unmet, total, out=found.unmet, where=total > 0)
    return found


def _proposals(load: Singles, candidates: Candidates, world: World) -> Iterator[tuple[Places, Singles]]:
    """Settings that are alike but for min and max, and what they take at each minute, of shape (T,)."""
    stride = STRIDE * world.sync_period
    seen = _behind(load, max(1, round((world.metric_lag + 1.5 * world.sync_period + world.startup) / stride)))
    columns = (candidates.request, candidates.target, candidates.down_window)
    keys = np.stack(columns, axis=1)
    order = np.lexsort(columns[::-1])
    starts = np.flatnonzero(np.append(True, (np.diff(keys[order], axis=0) != 0).any(axis=1)))
    served, highest, width = 0.0, seen, 0
    for index in np.split(order, starts[1:]):
        request, target, window = keys[index[0]].tolist()
        each = min(request * target / 100.0, world.limit) * (1 + _LAZY * world.tolerance.up)
        syncs = max(1, math.ceil(window / stride))
        if each != served or syncs < width:
            served, highest, width = each, np.ceil(seen / np.float32(each)), 1
        highest, width = _highest(highest, width, syncs), syncs
        yield index, highest


def _highest(values: Singles, width: int, wanted: int) -> Singles:
    """The highest of the last ``wanted`` values from the highest of the last ``width``."""
    while width < wanted:
        step = min(width, wanted - width)
        values, width = np.maximum(values, _behind(values, step)), width + step
    return values


def _behind(values: Singles, steps: int) -> Singles:
    """``values`` so many steps later, the first standing for the time before it."""
    return np.concatenate([np.full(min(steps, len(values)), values[0]), values[: max(0, len(values) - steps)]])
