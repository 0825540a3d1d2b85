"""What the metrics APIs of the simulated cluster answer to its HPA controller.

The messages are those of kubernetes pkg/controller/podautoscaler/metrics/client.go, v1.37.2, and of a cluster
that serves neither custom.metrics.k8s.io nor external.metrics.k8s.io.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlscale.hpa.metric_results import Reading
from mlscale.hpa.requests import RequestNeed, request_of
from mlscale.hpa.samples import resource_samples
from mlscale.sandbox.resources import PODMETRICS
from mlscale.sandbox.statuses import StatusError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mlscale.hpa.scaling_spec import MetricTarget
    from mlscale.sandbox.verbs import Api

Json = dict[str, Any]


class MetricsReader:
    """Reads each metric of an HPA."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def readings(
        self, targets: Iterable[MetricTarget], namespace: str, selector: str, pods: Sequence[Json]
    ) -> list[Reading]:
        """One of each target; ``pods`` are those that ``selector`` matches."""
        return [self._reading(target, namespace, selector, pods) for target in targets]

    def _reading(self, target: MetricTarget, namespace: str, selector: str, pods: Sequence[Json]) -> Reading:
        if target.type == "External":
            missing = f"the server could not find the requested resource (get {target.name}.external.metrics.k8s.io)"
            return Reading(unread=f"unable to fetch metrics from external metrics API: {missing}")
        if target.type in ("Pods", "Object"):
            missing = "no custom metrics API (custom.metrics.k8s.io) registered"
            return Reading(unread=f"unable to fetch metrics from custom metrics API: {missing}")
        try:
            measured = self._api.list(self._api.resources[PODMETRICS.resource], namespace, labels=selector)["items"]
        except StatusError as error:
            return Reading(unread=f"unable to fetch metrics from resource metrics API: {error.message}")
        if not measured:
            return Reading(unread="no metrics returned from resource metrics API")
        need = RequestNeed(target.name, target.container)
        requests = {pod["metadata"]["name"]: request_of(pod["spec"], need) for pod in pods}
        return Reading(resource_samples(measured, target.name, target.container), requests)
