"""The verb ``autoscale``: an HPA for a workload, checked before it is written.

A command parses its options with ``parse_settings`` (the flags become ``HpaOptions``), finds its targets, and
gives both to ``autoscale``, which yields an ``Outcome`` a target; ``printed_object`` is the HPA for ``-o``.
"""

from __future__ import annotations

from mlscale.autoscale.flow import Outcome, WriteOptions, autoscale
from mlscale.hpa.spec import HpaOptions, HpaSettings, parse_settings, printed_object

__all__ = ["HpaOptions", "HpaSettings", "Outcome", "WriteOptions", "autoscale", "parse_settings", "printed_object"]
