"""How simulated time follows the real one."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class SimulatedClock:
    """Simulated time, which starts at ``start`` and goes ``speed`` times as fast as ``seconds`` says."""

    def __init__(self, start: datetime, speed: float, seconds: Callable[[], float]) -> None:
        """``seconds`` is a clock that never goes back, ``time.monotonic`` say."""
        self._start = start
        self._speed = speed
        self._seconds = seconds
        self._began = seconds()

    def moment(self) -> datetime:
        """What time it is in the cluster."""
        return self._start + timedelta(seconds=(self._seconds() - self._began) * self._speed)
