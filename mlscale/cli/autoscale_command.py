"""``mlscale autoscale``."""

from __future__ import annotations


def autoscale_command() -> int:
    """Create or update a HorizontalPodAutoscaler."""
    return 1
