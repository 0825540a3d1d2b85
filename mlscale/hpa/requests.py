"""Which requests a Utilization metric divides by, which of them are missing, and how far limits let the use go.

Source: kubernetes pkg/controller/podautoscaler/replica_calculator.go, calculateRequests, v1.37.2: one pod with
one missing request and the whole metric fails. Pod specs are as admission leaves them (admitted_spec).
"""

from __future__ import annotations

from typing import Any

from mlscale.frozen import frozen
from mlscale.hpa.metrics import source_of
from mlscale.kube.pod_resources import amounts, pod_limits, pod_requests
from mlscale.kube.quantity import rounded_up

Json = dict[str, Any]

MILLI = 10**6
"""Nano-units in a milli-unit: the controller counts in milli-units, rounded up."""


@frozen
class RequestNeed:
    """A request that a metric needs: of every container, or of the one that is named."""

    resource: str
    container: str = ""


@frozen
class MissingRequest:
    """A container without the request that a metric needs."""

    resource: str
    container: str
    """Empty where the pod as a whole has pod-level requests, and this resource is in none of them."""
    absent: bool = False
    """True where there is no container of that name at all."""


def missing_words(missing: MissingRequest, pod: str) -> str:
    """How the controller words it."""
    if missing.absent:
        return f"container {missing.container} not found in Pod {pod}"
    if not missing.container:
        return f"missing pod-level request for {missing.resource} in Pod {pod}"
    return f"missing request for {missing.resource} in container {missing.container} of Pod {pod}"


def request_of(spec: Json, need: RequestNeed) -> int | MissingRequest:
    """What one pod, or the container of ``need``, requests in milli-units, or the first request that is missing."""
    missing = missing_requests(spec, need)
    if missing:
        return missing[0]
    if not need.container and _uses_pod_level(spec):
        return rounded_up(pod_requests(spec)[need.resource], MILLI)
    return _milli_sum(spec, "requests", need.resource, need.container) or 0


def needed_requests(metrics: list[Json]) -> list[RequestNeed]:
    """What the Utilization metrics among ``metrics`` divide by; other targets need no request."""
    return [
        RequestNeed(source["name"], source.get("container", ""))
        for metric in metrics
        if metric["type"] in ("Resource", "ContainerResource")
        and "averageUtilization" in (source := source_of(metric))["target"]
    ]


def missing_requests(spec: Json, need: RequestNeed) -> list[MissingRequest]:
    """What ``need`` lacks in a pod spec; plain init containers do not count, sidecars do."""
    if need.container:
        named = [c for c in counted_containers(spec) if c["name"] == need.container]
        if not named:
            return [MissingRequest(need.resource, need.container, absent=True)]
        return [] if _has(named[0], need.resource) else [MissingRequest(need.resource, need.container)]
    if _uses_pod_level(spec):
        return [] if need.resource in pod_requests(spec) else [MissingRequest(need.resource, "")]
    lacking = [c["name"] for c in counted_containers(spec) if not _has(c, need.resource)]
    return [MissingRequest(need.resource, name) for name in lacking]


def counted_containers(spec: Json) -> list[Json]:
    """The containers and the sidecars (init containers that restart always)."""
    sidecars = [c for c in spec.get("initContainers") or [] if c.get("restartPolicy") == "Always"]
    return [*(spec.get("containers") or []), *sidecars]


def milli_request(spec: Json, resource: str, container: str = "") -> int | None:
    """What one pod, or the named container, requests in milli-units; None where a request is missing."""
    request = request_of(spec, RequestNeed(resource, container))
    return None if isinstance(request, MissingRequest) else request


def milli_limit(spec: Json, resource: str, container: str = "") -> int | None:
    """The most that one pod, or the named container, can use in milli-units; None where a limit is missing."""
    pod_level = amounts((spec.get("resources") or {}).get("limits"))
    if not container and resource in pod_level:
        return rounded_up(pod_limits(spec)[resource], MILLI)
    return _milli_sum(spec, "limits", resource, container)


def _milli_sum(spec: Json, kind: str, resource: str, container: str) -> int | None:
    counted = [c for c in counted_containers(spec) if container in ("", c["name"])]
    listed = [amounts((c.get("resources") or {}).get(kind)) for c in counted]
    if not listed or any(resource not in one for one in listed):
        return None
    return sum(rounded_up(one[resource], MILLI) for one in listed)


def _uses_pod_level(spec: Json) -> bool:
    requests = (spec.get("resources") or {}).get("requests") or {}
    return any(name in ("cpu", "memory") or name.startswith("hugepages-") for name in requests)


def _has(container: Json, resource: str) -> bool:
    return resource in ((container.get("resources") or {}).get("requests") or {})
