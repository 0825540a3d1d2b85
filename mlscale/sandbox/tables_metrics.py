"""The tables of metrics.k8s.io, which are metrics-server's own: a column for each resource that is measured.

The rules are those of pkg/api/table.go in sigs.k8s.io/metrics-server, v0.9.0.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from mlscale.kube.quantity import Quantity, parse_quantity
from mlscale.sandbox.tables_layout import NAME, Column, Layout, name_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from mlscale.sandbox.tables_layout import Cells

Json = dict[str, Any]

_NOTHING = Quantity(0)


def metrics_layout(objects: Sequence[Json]) -> Layout:
    """The layout for these PodMetrics or NodeMetrics: the resources of the first; no columns where there are none."""
    names = sorted(_usage(objects[0])) if objects else []
    resources = (Column(name, "", format="quantity") for name in names)
    columns = (NAME, *resources, Column("Window", "", format="duration")) if objects else ()

    def cells(measured: Json, now: datetime) -> Cells:  # noqa: ARG001
        usage = _usage(measured)
        return [name_of(measured), *(str(usage[name]) for name in names), measured["window"]]

    return Layout(columns, cells, null_when_empty=True)


def _usage(measured: Json) -> dict[str, Quantity]:
    """The usage of a node, or of the containers of a pod together."""
    total: dict[str, Quantity] = defaultdict(lambda: _NOTHING)
    for part in measured.get("containers", [measured]):
        for name, amount in part["usage"].items():
            total[name] += parse_quantity(amount)
    return total
