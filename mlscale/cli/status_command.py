"""``mlscale status``."""

from __future__ import annotations


def status_command() -> int:
    """Create or update a HorizontalPodAutoscaler."""
    return 1
