"""What scaling would do, decided from what was read; nothing here talks to the server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlscale.errors import ConflictError, MlscaleError, RefusedError
from mlscale.frozen import frozen
from mlscale.kube.finding import Finding
from mlscale.kube.fit import Unknown
from mlscale.kube.owners import controller_finding, hpas_of, owner_findings, replicas_owner
from mlscale.scale.model import ScalePlan, ScaleRequest
from mlscale.scale.write import NOTHING_CHANGED, no_scale_subresource

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlscale.kube.capacity import CapacityFacts
    from mlscale.kube.client import Json
    from mlscale.kube.fit import Fit
    from mlscale.kube.targets import Found


@frozen
class ScaleFacts:
    """What was read about one target before it is scaled."""

    found: Found
    hpas: Sequence[Json] | MlscaleError
    """The HPAs of its namespace, or why they could not be listed."""
    capacity: CapacityFacts | None = None
    """Room for new copies; None where it was not asked for."""


def plan_scale(facts: ScaleFacts, request: ScaleRequest) -> ScalePlan:
    """The plan for one target. Raises RefusedError for a kind without a scale subresource, and ConflictError
    where a client-side dry run can already see that a precondition does not hold."""
    found = facts.found
    if not found.target.kind.scalable:
        raise no_scale_subresource(found.target)
    before = replicas_of(found.object) if found.live else None
    if request.dry_run == "client":
        _check_preconditions(found, before, request)
    fit = _fit(facts.capacity, request.replicas - (before or 0)) if facts.capacity else None
    owners = tuple(_owner_findings(facts, request.replicas, before))
    return ScalePlan(found.target, before, request.replicas, owners, tuple(_fit_findings(found, fit)), fit)


def _fit(capacity: CapacityFacts, more: int) -> Fit:
    from mlscale.kube.capacity import plan_fit

    return plan_fit(capacity, more)


def replicas_of(obj: Json) -> int | None:
    """spec.replicas of a workload; the API server fills in 1 where a manifest leaves it out."""
    replicas = (obj.get("spec") or {}).get("replicas")
    return replicas if isinstance(replicas, int) else None


def refusal(plans: Sequence[ScalePlan]) -> RefusedError | None:
    """The one error with which --strict refuses, or None where nothing speaks against the plans."""
    reasons = [finding.message for plan in plans for finding in plan.findings if finding.level != "note"]
    if not reasons:
        return None
    return RefusedError(
        f"refused by --strict: {'; '.join(reasons)}", f"{NOTHING_CHANGED}; leave --strict out to scale anyway"
    )


def _owner_findings(facts: ScaleFacts, replicas: int, before: int | None) -> list[Finding]:
    target = facts.found.target
    if isinstance(facts.hpas, MlscaleError):
        message = f"cannot see whether an HPA governs {target.printed}: {facts.hpas.message}"
        return [Finding("warning", "OwnersUnknown", message, target.printed)]
    hpas = hpas_of(list(facts.hpas), target)
    if not facts.found.live:
        return owner_findings(target, replicas, hpas, None, before)
    controlled = controller_finding(target, facts.found.object)
    findings = owner_findings(target, replicas, hpas, replicas_owner(facts.found.object), before)
    return [controlled, *findings] if controlled else findings


def _fit_findings(found: Found, fit: Fit | None) -> list[Finding]:
    """A warning where copies certainly do not fit, a note where that could not be read (nodes are often forbidden)."""
    name = found.target.printed
    if fit is None:
        return []
    if fit.falls_short:
        reason = fit.limits[0].reason if fit.limits else "Insufficient"
        return [Finding("warning", reason, f"{name}: {fit.message}", name)]
    if isinstance(fit.fits, Unknown):
        return [Finding("note", "RoomUnknown", f"{name}: {fit.message}", name)]
    return []


def _check_preconditions(found: Found, before: int | None, request: ScaleRequest) -> None:
    expected = request.current_replicas
    if expected is not None and before is not None and before != expected:
        raise ConflictError(f"{found.target.printed} has {before} replicas, not {expected}", NOTHING_CHANGED)
    version = (found.object.get("metadata") or {}).get("resourceVersion")
    if request.resource_version and version and version != request.resource_version:
        raise ConflictError(
            f"{found.target.printed} is at resource version {version}, not {request.resource_version}", NOTHING_CHANGED
        )
