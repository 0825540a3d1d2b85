"""The rows of HorizontalPodAutoscalers: TARGETS of every type of metric.

The rules are those of formatHPAMetrics in pkg/printers/internalversion/printers.go, v1.37.2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlscale.hpa.metrics import source_of
from mlscale.kube.quantity import parse_quantity
from mlscale.sandbox.tables_layout import AGE, NAME, Column, Layout, age, name_of, part

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from mlscale.sandbox.tables_layout import Cells

Json = dict[str, Any]

SHOWN_METRICS = 2
_UNKNOWN = "<unknown>"
_BY_RESOURCE = ("Resource", "ContainerResource")


def hpa_cells(hpa: Json, now: datetime) -> Cells:
    """The row of an HPA."""
    spec, status = part(hpa, "spec"), part(hpa, "status")
    target = part(spec, "scaleTargetRef")
    reference = f"{target.get('kind') or ''}/{target.get('name') or ''}"
    metrics = format_metrics(spec.get("metrics") or (), status.get("currentMetrics") or ())
    least = spec.get("minReplicas")
    bounds = ["<unset>" if least is None else str(least), spec.get("maxReplicas") or 0]
    return [name_of(hpa), reference, metrics, *bounds, status.get("currentReplicas") or 0, age(hpa, now)]


def format_metrics(specs: Sequence[Json], statuses: Sequence[Json]) -> str:
    """``cpu: 50%/80%, 3/10 (avg) + 1 more...``: what each metric is and should be.

    A status belongs to the spec at the same place of its list, whatever it is named; a status of another type
    counts as none.
    """
    if not specs:
        return "<none>"
    shown = [
        _format_metric(spec, statuses[index] if index < len(statuses) else {})
        for index, spec in enumerate(specs[:SHOWN_METRICS])
    ]
    more = len(specs) - SHOWN_METRICS
    return ", ".join(shown) + (f" + {more} more..." if more > 0 else "")


def scale_cells(scale: Json, now: datetime) -> Cells:
    """The row of a Scale."""
    wanted, seen = part(scale, "spec").get("replicas") or 0, part(scale, "status").get("replicas") or 0
    return [name_of(scale), wanted, seen, age(scale, now)]


def _format_metric(spec: Json, status: Json) -> str:
    source, metric_type = source_of(spec), spec.get("type")
    reported = source_of({**status, "type": metric_type})
    target, current = part(source, "target"), part(reported, "current")
    if metric_type in _BY_RESOURCE:
        return f"{source.get('name')}: {_format_resource(target, current, known=bool(reported))}"
    if metric_type == "Pods" or target.get("averageValue") is None:
        key = "averageValue" if metric_type == "Pods" else "value"
        return f"{_amount(current, key) if reported else _UNKNOWN}/{_amount(target, key)}"
    average = _amount(current, "averageValue") if current.get("averageValue") is not None else _UNKNOWN
    return f"{average}/{_amount(target, 'averageValue')} (avg)"


def _format_resource(target: Json, current: Json, *, known: bool) -> str:
    if target.get("averageValue") is not None:
        return f"{_amount(current, 'averageValue') if known else _UNKNOWN}/{_amount(target, 'averageValue')}"
    return f"{_percent(current, _UNKNOWN)}/{_percent(target, '<auto>')}"


def _percent(amounts: Json, otherwise: str) -> str:
    utilization = amounts.get("averageUtilization")
    return otherwise if utilization is None else f"{utilization}%"


def _amount(amounts: Json, key: str) -> str:
    """In the canonical form; ``<nil>`` is how upstream writes one that is not there."""
    value = amounts.get(key)
    return "<nil>" if value is None else str(parse_quantity(value))


SCALES = Layout(
    (
        Column("Name", NAME.description),
        Column("Desired", "Replicas that are wanted.", type="integer"),
        Column("Available", "Replicas that are there.", type="integer"),
        AGE,
    ),
    scale_cells,
)
HPAS = Layout(
    (
        NAME,
        Column("Reference", "Kind and name of what is scaled."),
        Column("Targets", "What each metric is, and what it should be."),
        Column("MinPods", "Least number of pods."),
        # The cells of these two are numbers although the type says text.
        Column("MaxPods", "Greatest number of pods."),
        Column("Replicas", "Pods that the autoscaler last saw."),
        AGE,
    ),
    hpa_cells,
)
