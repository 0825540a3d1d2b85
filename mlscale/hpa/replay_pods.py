"""The pods of many cells in lockstep: how many are ready and counted, and what their samples show."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import numpy as np

from mlscale.hpa.replay_windows import Longer, Sliding

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlscale.hpa.replay_model import Counts, FloatArray, World


class Pods:
    """As the newest are deleted first, the pods of age a or more are the least count of the last a syncs."""

    def __init__(self, world: World, replicas: Counts, limit_milli: FloatArray) -> None:
        """As if ``replicas``, of shape (C,), had been there all the time; ``measure`` tells what they used.

        ``limit_milli``, of shape (C,), is what a pod may use; ``world`` gives the times.
        """
        self._limit = limit_milli
        self._is_limited = bool(np.isfinite(limit_milli).any())
        shorter, counted = world.ready_syncs + 1, world.counted_syncs
        self._ready = Sliding(np.minimum, shorter, replicas)
        joined = shorter <= counted <= 2 * shorter
        self._longer = Longer(counted, shorter, replicas) if joined else None
        self._alone = None if joined else Sliding(np.minimum, counted, replicas)
        late = world.measured_syncs > counted
        self._measured = Sliding(np.minimum, world.measured_syncs, replicas) if late else None
        self._uses = deque(np.zeros(len(replicas)) for _ in range(world.lag_syncs + 1))

    @property
    def counted(self) -> Counts:
        """Those that the controller takes as ready at the next sync."""
        return self._longer.value if self._longer else self._alone.value  # type: ignore[union-attr]

    @property
    def measured(self) -> Counts | None:
        """Those among the counted whose sample shows load; None: all of them."""
        return self._measured.value if self._measured else None

    @property
    def use(self) -> FloatArray:
        """What the sample of such a pod shows at the next sync, in hundredths of a millicore."""
        return self._uses[0]

    def follow(self, replicas: Counts) -> None:
        """Let ``replicas`` exist from this sync on."""
        self._ready.push(replicas)
        if self._longer:
            self._longer.push(self._ready.value)
        for window in (self._alone, self._measured):
            if window:
                window.push(replicas)

    def measure(self, demand_milli: FloatArray) -> None:
        """Let the ready pods share ``demand_milli``, of shape (C,), until the next sync."""
        use = self._uses.popleft()
        np.divide(demand_milli, self._ready.value, out=use)
        if self._is_limited:
            np.minimum(use, self._limit, out=use)
        np.ceil(use, out=use)
        # Per cent times the request: the numerator of the controller's division.
        np.multiply(use, 100.0, out=use)
        self._uses.append(use)

    def settle(self, places: NDArray[np.intp], replicas: Counts, demands: list[FloatArray]) -> None:
        """Let cells at ``places`` have had ``replicas`` for long; ``demands`` are those of the last samples."""
        for window in self._windows():
            window.fill(places, replicas)
        for use, demand in zip(self._uses, demands, strict=True):
            use[places] = np.ceil(np.minimum(demand / replicas, self._limit[places])) * 100.0

    def keep(self, index: NDArray[np.intp]) -> None:
        """Go on with the cells at ``index`` alone."""
        for window in self._windows():
            window.keep(index)
        self._uses = deque(use[index] for use in self._uses)
        self._limit = self._limit[index]

    def _windows(self) -> list[Sliding | Longer]:
        return [one for one in (self._ready, self._longer, self._alone, self._measured) if one is not None]
