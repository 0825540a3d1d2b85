"""``-o json``: one versioned document, described by docs/reference/schemas/recommend-v1.json."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mlscale.output.recommend_text import by_gain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlscale.errors import MlscaleError
    from mlscale.recommend.model import HeldOut, Recommendation, Resize, ScoreRow, Size, Step

Json = dict[str, Any]

SCHEMA = "mlscale.recommend/v1"


def recommend_document(recommendations: Sequence[Recommendation], errors: Sequence[MlscaleError]) -> Json:
    """The result as plain data, the workload with most to be gained first; what is unknown is null.

    The curves of the replay are left out: ``--html`` has them.
    """
    return {
        "schema": SCHEMA,
        "recommendations": [_recommendation(one) for one in by_gain(recommendations)],
        "errors": [{"message": e.message, "hint": e.hint, "exitCode": int(e.exit_code)} for e in errors],
    }


def _recommendation(one: Recommendation) -> Json:
    target, history = one.target, one.history
    # The numbers may be numpy's, which JSON does not know.
    return {
        "target": {
            "apiVersion": target.kind.api_version,
            "kind": target.kind.kind,
            "namespace": target.namespace,
            "name": target.name,
        },
        "verdict": one.verdict,
        "method": one.method,
        "differs": bool(one.differs),
        "limits": [{**asdict(limit), "reasons": list(limit.reasons)} for limit in one.limits],
        "reasons": list(one.reasons),
        "steps": [_step(step) for step in one.steps],
        "scores": [_score(row) for row in one.scores],
        "heldOut": _held_out(one.held_out),
        "history": {
            "source": history.source,
            "spanSeconds": float(history.span),
            "stepSeconds": float(history.step),
            "gaps": history.gaps,
        },
        "gain": {"coreHoursPerDay": float(one.gain.core_hours), "unmetDemand": float(one.gain.unmet)},
        "notes": list(one.notes),
    }


def _step(step: Step) -> Json:
    return {
        "method": step.method,
        "why": step.why,
        "command": step.command or None,
        "replicas": step.replicas,
        "manifest": step.manifest,
        "resizes": [_resize(resize) for resize in step.resizes],
    }


def _resize(resize: Resize) -> Json:
    return {
        "container": resize.then.container,
        "now": _resources(resize.now),
        "recommended": _resources(resize.then),
        "reasons": list(resize.reasons),
    }


def _resources(size: Size) -> Json:
    """As the API writes resources; what is unset is left out."""
    requests = {"cpu": size.cpu_request, "memory": size.memory_request}
    limits = {"cpu": size.cpu_limit, "memory": size.memory_limit}
    return {
        name: {resource: quantity for resource, quantity in given.items() if quantity is not None}
        for name, given in (("requests", requests), ("limits", limits))
    }


def _score(row: ScoreRow) -> Json:
    return {
        "name": row.name,
        "setting": row.setting,
        "podHours": float(row.pod_hours),
        "coreHours": float(row.core_hours),
        "gpuHours": float(row.gpu_hours),
        "unmetDemand": float(row.unmet),
        "saturatedMinutes": float(row.saturated_minutes),
        "changesPerDay": float(row.changes_per_day),
        "peakReplicas": int(row.peak_replicas),
    }


def _held_out(held_out: HeldOut | None) -> Json | None:
    if held_out is None or not held_out.times.size:
        return None
    return {"start": _time(held_out.times[0]), "end": _time(held_out.times[-1]), "hours": held_out.hours}


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(float(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
