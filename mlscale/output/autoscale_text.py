"""What `autoscale` prints: kubectl's line, and what changed in an HPA that was there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlscale.autoscale import printed_object
from mlscale.output.structured import ObjectFormat, render_object

if TYPE_CHECKING:
    from mlscale.autoscale import Outcome
    from mlscale.scale.model import DryRun

WORDS = {"none": "autoscaled", "client": "created (dry run)", "server": "autoscaled (server dry run)"}


def render_outcome(outcome: Outcome, dry_run: DryRun, form: ObjectFormat | None) -> str:
    """``horizontalpodautoscaler.autoscaling/web autoscaled``, or the HPA with -o."""
    if form is None or outcome.hpa is None:
        return f"{outcome.printed} {WORDS[dry_run]}\n"
    hpa = printed_object(outcome.hpa) if dry_run == "client" else outcome.hpa
    return render_object(hpa, form, outcome.printed)


def render_changes(outcome: Outcome, dry_run: DryRun) -> list[str]:
    """``…/web: maxReplicas: 5 -> 6`` a line for stderr; for an HPA that was there and is as asked, that it is."""
    if outcome.action == "unchanged":
        return [f"{outcome.printed}: is so already"]
    would = "" if dry_run == "none" else "would change "
    return [f"{outcome.printed}: {would}{change}" for change in outcome.changes]
