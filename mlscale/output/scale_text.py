"""What `scale` prints: kubectl's lines, and what `--check` found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlscale.errors import ChangedMeanwhileError, WaitTimeoutError
from mlscale.kube.text import counted
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
        return f"{plan.target.printed}: had {counted(plan.after, 'replica')} already"
    return f"{plan.target.printed}: {plan.before} -> {counted(plan.after, 'replica')}"


def render_written(outcome: ScaleOutcome) -> str:
    """That the count was stored although the wait failed, where the error itself does not say so."""
    plan = outcome.plan
    if not outcome.written or isinstance(outcome.error, (WaitTimeoutError, ChangedMeanwhileError)):
        return ""
    return f"{plan.target.printed} was scaled to {counted(plan.after, 'replica')}; only the wait for it failed"


def render_check(plan: ScalePlan) -> str:
    """How many of the new copies fit, and which resource is short."""
    name = plan.target.printed
    if plan.fit is not None:
        return f"{name}: {plan.fit.message}\n"
    change = f"{name}: {plan.before} -> {counted(plan.after, 'replica')}"
    if plan.after > (plan.before or 0):
        return f"{change}; whether they fit is unknown: it has no pod template\n"
    return f"{change} needs no room\n"
