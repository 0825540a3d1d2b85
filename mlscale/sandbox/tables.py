"""Objects as the rows of a ``meta.k8s.io/v1`` Table, which ``kubectl get`` prints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlscale.kube import kinds
from mlscale.sandbox import resources, tables_cluster, tables_workloads
from mlscale.sandbox.statuses import bad_request
from mlscale.sandbox.tables_autoscaling import HPAS, SCALES
from mlscale.sandbox.tables_metrics import metrics_layout
from mlscale.sandbox.tables_pods import PODS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from mlscale.sandbox.resources import Resource
    from mlscale.sandbox.tables_layout import Layout

Json = dict[str, Any]

_LAYOUTS: dict[str, Layout] = {
    kinds.POD.resource: PODS,
    kinds.HPA.resource: HPAS,
    resources.SCALE.resource: SCALES,
    kinds.DEPLOYMENT.resource: tables_workloads.DEPLOYMENTS,
    kinds.STATEFULSET.resource: tables_workloads.STATEFULSETS,
    kinds.REPLICASET.resource: tables_workloads.REPLICASETS,
    kinds.REPLICATIONCONTROLLER.resource: tables_workloads.REPLICATIONCONTROLLERS,
    kinds.DAEMONSET.resource: tables_workloads.DAEMONSETS,
    kinds.JOB.resource: tables_workloads.JOBS,
    kinds.CRONJOB.resource: tables_workloads.CRONJOBS,
    resources.PDB.resource: tables_workloads.PDBS,
    kinds.NODE.resource: tables_cluster.NODES,
    kinds.EVENT.resource: tables_cluster.EVENTS,
    kinds.NAMESPACE.resource: tables_cluster.NAMESPACES,
    kinds.RESOURCEQUOTA.resource: tables_cluster.QUOTAS,
    kinds.SERVICE.resource: tables_cluster.SERVICES,
    resources.CONFIGMAP.resource: tables_cluster.CONFIGMAPS,
    resources.SERVICEACCOUNT.resource: tables_cluster.SERVICEACCOUNTS,
    resources.ROLEBINDING.resource: tables_cluster.BINDINGS,
    resources.CLUSTERROLEBINDING.resource: tables_cluster.BINDINGS,
    resources.ROLE.resource: tables_cluster.CREATED,
    resources.CLUSTERROLE.resource: tables_cluster.CREATED,
    kinds.LIMITRANGE.resource: tables_cluster.CREATED,
    resources.DEFINITIONS.key: tables_cluster.DEFINITIONS,
}

_PARTIAL = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1"}
_WENT_WELL = "The pod has completed successfully."
_COMPLETED = {"type": "Completed", "status": "True"}
_POD_ENDS: dict[str | None, Json] = {
    "Succeeded": {"conditions": [{**_COMPLETED, "reason": "Succeeded", "message": _WENT_WELL}]},
    "Failed": {"conditions": [{**_COMPLETED, "reason": "Failed", "message": "The pod failed."}]},
}
_INCLUDED = "'Metadata', 'Object', 'None', or empty"
_LIST_METADATA = ("resourceVersion", "continue", "remainingItemCount")


def render_table(
    resource: Resource,
    objects: Sequence[Json],
    now: datetime,
    *,
    include_object: str = "Metadata",
    list_metadata: Json | None = None,
) -> Json:
    """A Table of ``objects``, with what each is at ``now``.

    ``include_object`` is the query parameter ``includeObject``: ``Metadata`` (or empty), ``Object`` or ``None``.
    ``list_metadata`` is the ``metadata`` of the list; without it the table is of one object and has its version.
    Cells of every priority are there; the server's lists have them too.

    Raises:
        StatusError: 400, ``include_object`` is none of these.
    """
    layout = layout_of(resource, objects)
    held = _held_object(include_object, resource)
    marks = _row_marks(resource)
    rows = [{"cells": layout.cells(obj, now), **marks(obj), "object": held(obj)} for obj in objects]
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": _metadata(objects, list_metadata),
        "columnDefinitions": [column.definition() for column in layout.columns] or None,
        "rows": None if layout.null_when_empty and not rows else rows,
    }


def layout_of(resource: Resource, objects: Sequence[Json]) -> Layout:
    """The columns and cells for ``objects`` of a resource; a custom one has its name and age."""
    if resource.kind.group == resources.PODMETRICS.group:
        return metrics_layout(objects)
    return _LAYOUTS.get(resource.key, tables_cluster.CUSTOM)


def _metadata(objects: Sequence[Json], list_metadata: Json | None) -> Json:
    metadata = objects[0]["metadata"] if list_metadata is None else list_metadata
    keys = _LIST_METADATA[:1] if list_metadata is None else _LIST_METADATA
    return {key: metadata[key] for key in keys if metadata.get(key)}


def _held_object(include_object: str, resource: Resource) -> Callable[[Json], Json | None]:
    """What of an object its row holds."""
    typed = {"kind": resource.kind.kind, "apiVersion": resource.kind.api_version}
    held: dict[str, Callable[[Json], Json | None]] = {
        "": lambda obj: {**_PARTIAL, "metadata": obj["metadata"]},
        "Metadata": lambda obj: {**_PARTIAL, "metadata": obj["metadata"]},
        "Object": lambda obj: {**typed, **obj},
        "None": lambda obj: None,  # noqa: ARG005
    }
    if include_object not in held:
        wanted = f'includeObject: Invalid value: "{include_object}": must be {_INCLUDED}'
        raise bad_request(f"Unable to convert to Table as requested: {wanted}")
    return held[include_object]


def _row_marks(resource: Resource) -> Callable[[Json], Json]:
    """The conditions of a row: that a pod has ended."""
    if resource.key != kinds.POD.resource:
        return lambda obj: {}  # noqa: ARG005
    return lambda obj: _POD_ENDS.get((obj.get("status") or {}).get("phase"), {})
