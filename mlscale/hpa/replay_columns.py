"""What a replay advances in step: settings side by side, each on a load of its own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from mlscale.hpa.replay_lockstep import Cells, cells_of, joined_cells, memory_syncs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlscale.hpa.replay_lockstep import Places
    from mlscale.hpa.replay_model import Counts, FloatArray, Run, World


@dataclass(frozen=True)
class Columns:
    """K settings on L loads of T syncs."""

    demand_milli: FloatArray
    """Shape (L, T): millicores of all pods of a load together; a shorter load stays as it ends."""
    load: Places
    """Shape (K,): whose demand a setting serves."""
    first: Counts
    """Shape (K,): replicas at the beginning."""
    cells: Cells
    """Shape (K,)."""
    world: World
    """Whose times hold for all."""
    memory: int
    """Syncs back that replicas decide, for all."""

    def __len__(self) -> int:
        return len(self.load)

    @property
    def syncs(self) -> int:
        """Of the longest load."""
        return int(self.demand_milli.shape[1])

    def chosen(self, index: Places) -> Columns:
        """The settings at ``index``, in its order, on all loads."""
        return replace(self, load=self.load[index], first=self.first[index], cells=self.cells.keep(index))

    def demands(self, index: Places, places: Places) -> FloatArray:
        """The demand of the settings at ``index``, (C,), at syncs ``places``, (N, C); the ends stand for beyond."""
        within = np.clip(places, 0, self.syncs - 1)
        return np.take(self.demand_milli, self.load[index] * self.syncs + within)


def columns_of(runs: Sequence[Run]) -> Columns:
    """The candidates of all ``runs``, which share their times, one run after the other."""
    syncs, counts = max(len(run.demand) for run in runs), [len(run.candidates) for run in runs]
    demand_milli = np.empty((len(runs), syncs))
    for row, run in zip(demand_milli, runs, strict=True):
        row[: len(run.demand)] = run.demand
        row[len(run.demand) :] = run.demand[-1]
    return Columns(
        demand_milli=np.multiply(demand_milli, 1000.0, out=demand_milli),
        load=np.repeat(np.arange(len(runs)), counts),
        first=np.repeat(np.array([run.first_replicas for run in runs], dtype=np.float32), counts),
        cells=joined_cells([cells_of(run.candidates, run.world) for run in runs]),
        world=runs[0].world,
        memory=max(memory_syncs(run.candidates, run.world) for run in runs),
    )
