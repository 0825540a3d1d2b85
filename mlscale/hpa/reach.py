"""Which average use moves an HPA from one replica count to the next, by the controller's own arithmetic.

Source: kubernetes pkg/controller/podautoscaler/replica_calculator.go, v1.37.2. Every pod is taken as ready and
measured; then all the calculator sees is one whole number, the average use, in per cent of the request for a
Utilization target and in milli-units for an AverageValue target.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlscale.frozen import frozen
from mlscale.hpa.calculator import scaled

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlscale.hpa.tolerance import Tolerance

LEAST_USE = 1
"""What a running container uses at rest, at least: 0 would be a process that does nothing at all."""


@frozen
class Step:
    """From one replica count to another, and the bound on the average use that brings it."""

    replicas: int
    to: int
    use: int | None
    """The highest use that still goes down, or the lowest that goes up; None if none does."""


@frozen
class Reach:
    """What a target can do between min and max."""

    min_replicas: int
    max_replicas: int
    target: int
    up: Step | None
    """From min (from 1 where min is 0) to the next; None where min equals max."""
    down: Step | None
    """The last step back to min (to 1 where min is 0), the one that needs the lowest use; None as above."""
    rests_at: int
    """Where the HPA ends, coming from max, when every pod is at rest."""

    @property
    def returns_to_min(self) -> bool:
        """Whether an idle workload comes back from max to min."""
        return self.rests_at <= max(self.min_replicas, 1)

    @property
    def scales_up(self) -> bool:
        """Whether any use that the pods can have adds replicas."""
        return self.up is None or self.up.use is not None


def proposed_replicas(use: int, target: int, replicas: int, tolerance: Tolerance) -> int:
    """What the HPA proposes for ``replicas`` ready pods: 4 pods at 56 of 50 gives ceil(1.12 * 4) = 5.

    ``use`` and ``target`` are whole numbers of one unit; bounds of the tolerance are inclusive. The order of
    the float operations is upstream's: ceil(56 / 50 * 25) is 29, since 56 / 50 * 25 is 28.000000000000004.
    """
    return scaled(use / target, replicas, replicas, tolerance)


def highest_use_down(target: int, replicas: int, tolerance: Tolerance) -> int | None:
    """The highest average use at which fewer than ``replicas`` are proposed; None if not even 0 does it."""
    stays = _first(0, target, lambda use: proposed_replicas(use, target, replicas, tolerance) >= replicas)
    return stays - 1 if stays else None


def lowest_use_up(target: int, replicas: int, tolerance: Tolerance) -> int:
    """The lowest average use at which more than ``replicas`` are proposed."""
    beyond = int(target * (2.0 + tolerance.up)) + 2
    return _first(target, beyond, lambda use: proposed_replicas(use, target, replicas, tolerance) > replicas)


def resting_replicas(
    target: int, min_replicas: int, max_replicas: int, tolerance: Tolerance, *, idle_use: int = LEAST_USE
) -> int:
    """Where the HPA ends, coming from max, while the average use stays at ``idle_use`` whatever the count."""
    replicas = max_replicas
    while replicas > min_replicas:
        proposed = max(min_replicas, proposed_replicas(idle_use, target, replicas, tolerance))
        if proposed >= replicas:
            break
        replicas = proposed
    return replicas


def read_reach(
    target: int,
    min_replicas: int,
    max_replicas: int,
    tolerance: Tolerance,
    *,
    cap: int | None = None,
    idle_use: int = LEAST_USE,
) -> Reach:
    """The thresholds of one target; ``idle_use`` as in resting_replicas.

    ``cap`` is the use that limits allow at most (limit / request in per cent, say); None for no limit.

    Only the steps next to min are worked out: the use that goes down falls with the count, so the step
    to min is the hardest, and the use that goes up is the same from any count.
    """
    floor = max(min_replicas, 1)
    moves = max_replicas > floor
    up = lowest_use_up(target, floor, tolerance)
    return Reach(
        min_replicas=min_replicas,
        max_replicas=max_replicas,
        target=target,
        up=Step(floor, floor + 1, up if cap is None or up <= cap else None) if moves else None,
        down=Step(floor + 1, floor, highest_use_down(target, floor + 1, tolerance)) if moves else None,
        rests_at=resting_replicas(target, floor, max_replicas, tolerance, idle_use=idle_use),
    )


def _first(low: int, high: int, holds: Callable[[int], bool]) -> int:
    """The least number in low..high for which ``holds``; it must hold at high and, once true, stay true."""
    while low < high:
        middle = (low + high) // 2
        if holds(middle):
            high = middle
        else:
            low = middle + 1
    return low
