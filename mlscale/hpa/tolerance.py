"""How far the use may be from its target before a replica count changes."""

from __future__ import annotations

from mlscale.frozen import frozen

DEFAULT_TOLERANCE = 0.1
"""``--horizontal-pod-autoscaler-tolerance`` where nobody changed it (config/v1alpha1/defaults.go)."""


@frozen
class Tolerance:
    """The share of the target by which the use may differ before anything happens, on either side."""

    down: float = DEFAULT_TOLERANCE
    up: float = DEFAULT_TOLERANCE

    def within(self, ratio: float) -> bool:
        """Whether ``ratio``, use by target, is too near to 1 to act on; both bounds are inclusive."""
        return (1.0 - self.down) <= ratio <= (1.0 + self.up)
