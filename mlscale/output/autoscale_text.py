"""What `autoscale` prints: kubectl's line, and what changed in an HPA that was there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlscale.autoscale import printed_object
from mlscale.output.structured import ObjectFormat, render_json, render_object, without_managed_fields

if TYPE_CHECKING:
    from mlscale.autoscale import Outcome
    from mlscale.scale.model import DryRun

FIELDS = (
    "kind", "name", "apiVersion", "metadata", "namespace", "uid", "resourceVersion", "generation", "creationTimestamp",
    "labels", "annotations", "spec", "scaleTargetRef", "minReplicas", "maxReplicas", "type", "resource",
    "containerResource", "pods", "object", "external", "describedObject", "metric", "selector", "target", "container",
    "value", "averageValue", "averageUtilization", "metrics", "behavior", "scaleUp", "scaleDown",
    "stabilizationWindowSeconds", "selectPolicy", "policies", "tolerance", "status", "observedGeneration",
    "lastScaleTime", "currentReplicas", "desiredReplicas", "currentMetrics", "conditions",
)  # fmt: skip
WORDS = {"none": "autoscaled", "client": "created (dry run)", "server": "autoscaled (server dry run)"}


def render_outcome(outcome: Outcome, dry_run: DryRun, form: ObjectFormat | None) -> str:
    """``horizontalpodautoscaler.autoscaling/web autoscaled``, or the HPA with -o."""
    if form is None or outcome.hpa is None:
        return f"{outcome.printed} {WORDS[dry_run]}\n"
    hpa = printed_object(outcome.hpa) if dry_run == "client" else outcome.hpa
    if form == "json":
        return render_json(_in_go_order(without_managed_fields(hpa)), sort_keys=False)
    return render_object(hpa, form, outcome.printed)


def _in_go_order(value: Any) -> Any:
    """``value`` with the fields in the order of autoscaling/v2's Go types, in which kubectl writes the JSON of a
    new HPA; any field that has no place among FIELDS comes after those, by name."""
    if isinstance(value, list):
        return [_in_go_order(item) for item in value]
    if not isinstance(value, dict):
        return value
    order = sorted(value, key=lambda key: (FIELDS.index(key) if key in FIELDS else len(FIELDS), key))
    return {key: _in_go_order(value[key]) for key in order}


def render_changes(outcome: Outcome, dry_run: DryRun) -> list[str]:
    """``…/web: maxReplicas: 5 -> 6`` a line for stderr; for an HPA that was there and is as asked, that it is."""
    if outcome.action == "unchanged":
        return [f"{outcome.printed}: unchanged"]
    would = "" if dry_run == "none" else "would change "
    return [f"{outcome.printed}: {would}{change}" for change in outcome.changes]
