"""What `scale` prints: kubectl's lines, and what `--check` found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlscale.output.structured import ObjectFormat, render_object

if TYPE_CHECKING:
    from mlscale.scale.model import ScaleOutcome, ScalePlan, ScaleRequest

SUFFIX = {"none": "", "client": " (dry run)", "server": " (server dry run)"}


def render_outcome(outcome: ScaleOutcome, request: ScaleRequest, form: ObjectFormat | None) -> str:
    """``deployment.apps/web scaled``, or the object with -o."""
    name = outcome.plan.target.printed
    if form is None:
        return f"{name} scaled{SUFFIX[request.dry_run]}\n"
    return render_object(outcome.object, form, name)


def render_change(outcome: ScaleOutcome) -> str:
    """``deployment.apps/web: 3 -> 5 replicas`` for stderr; nothing where no count was read or nothing was written."""
    plan = outcome.plan
    if plan.before is None or not outcome.written:
        return ""
    if plan.before == plan.after:
        return f"{plan.target.printed}: had {plan.after} replicas already"
    return f"{plan.target.printed}: {plan.before} -> {plan.after} replicas"


def render_check(plan: ScalePlan) -> str:
    """How many of the new copies fit, and which resource is short."""
    name = plan.target.printed
    if plan.fit is None and plan.after > (plan.before or 0):
        return f"{name}: {plan.before} -> {plan.after} replicas; whether they fit is unknown: it has no pod template\n"
    if plan.fit is None:
        return f"{name}: {plan.before} -> {plan.after} replicas needs no room\n"
    return f"{name}: {plan.fit.message}\n"
