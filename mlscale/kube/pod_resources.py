"""What a pod asks for: requests and limits as the scheduler, the quota and the LimitRange count them.

The rules are those of k8s.io/component-helpers resource/helpers.go, v0.37.2, and of kubernetes
pkg/apis/core/v1/defaults.go and plugin/pkg/admission/limitranger/admission.go, v1.37.2.
Amounts are nano-units by resource name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlscale.kube.quantity import nano_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Json = dict[str, Any]
Amounts = dict[str, int]


def amounts(resource_list: Json | None) -> Amounts:
    """Return a ResourceList (``{"cpu": "500m"}``) in nano-units.

    Raises:
        InvalidQuantityError: a value is no quantity.
    """
    return {name: nano_of(value) for name, value in (resource_list or {}).items()}


def containers_of(spec: Json) -> list[Json]:
    """Return the containers and init containers (so sidecars too) of a pod spec."""
    return [*(spec.get("containers") or []), *(spec.get("initContainers") or [])]


def admitted_spec(spec: Json, limit_ranges: Iterable[Json]) -> Json:
    """Return a template's pod spec with the requests and limits that admission would give its pods.

    A request that is missing beside a limit becomes the limit; then each LimitRange fills what is
    still missing from its ``default`` and ``defaultRequest``; then pod-level limits become requests.
    """
    defaults = [_container_defaults(limit_range) for limit_range in limit_ranges]
    admitted = dict(spec)
    for key in ("containers", "initContainers"):
        admitted[key] = [_admitted_container(container, defaults) for container in spec.get(key) or []]
    return _with_pod_level_requests(admitted)


def pod_requests(spec: Json, *, overhead: bool = True) -> Amounts:
    """Return what one pod of ``spec`` requests: containers and sidecars, or an init container if larger.

    Pod-level requests replace the sums of cpu, memory and huge pages; ``overhead`` adds the RuntimeClass's.
    """
    requests = _over_containers(spec, lambda container: amounts(_resources(container).get("requests")))
    requests.update(_pod_level(spec, "requests"))
    if overhead:
        _add(requests, amounts(spec.get("overhead")))
    return requests


def pod_limits(spec: Json, *, overhead: bool = True) -> Amounts:
    """Return the limits of one pod of ``spec``; ``overhead`` is added to the limits that are there."""
    limits = _over_containers(spec, lambda container: amounts(_resources(container).get("limits")))
    limits.update(_pod_level(spec, "limits"))
    if overhead:
        _add(limits, {name: nano for name, nano in amounts(spec.get("overhead")).items() if limits.get(name)})
    return limits


def occupied_by(pod: Json) -> Amounts:
    """Return what a pod on a node takes of its room, in-place resizes included.

    Each container counts with the largest of its spec, allocated and actuated requests; a resize that the
    node cannot ever do (PodResizePending Infeasible) leaves the spec out.
    """
    spec, status = pod["spec"], pod.get("status") or {}
    resized = {
        entry["name"]: entry
        for entry in [*(status.get("containerStatuses") or []), *(status.get("initContainerStatuses") or [])]
        if "allocatedResources" in entry or "resources" in entry
    }
    if not resized:
        return pod_requests(spec)
    infeasible = _resize_infeasible(status)
    occupied = _over_containers(spec, lambda container: _held(container, resized.get(container["name"]), infeasible))
    occupied.update(_pod_level(spec, "requests"))
    _add(occupied, amounts(spec.get("overhead")))
    return occupied


def is_best_effort(spec: Json) -> bool:
    """Return whether no container and no pod-level field asks for cpu or memory (QoS BestEffort).

    kubernetes pkg/apis/core/v1/helper/qos/qos.go, v1.37.2; ``spec`` as ``admitted_spec`` returns it.
    """
    asked = [_resources(container) for container in containers_of(spec)] + [spec.get("resources") or {}]
    return not any(
        nano_of(resources.get(kind, {}).get(name, 0)) > 0
        for resources in asked
        for kind in ("requests", "limits")
        for name in ("cpu", "memory")
    )


def has_pod_level_resources(spec: Json) -> bool:
    """Return whether cpu, memory or huge pages are set for the pod as a whole."""
    return bool(_pod_level(spec, "requests") or _pod_level(spec, "limits"))


def _resources(container: Json) -> Json:
    return container.get("resources") or {}


def _container_defaults(limit_range: Json) -> tuple[Json, Json]:
    """Return the default requests and the default limits of a LimitRange's containers."""
    requests: Json = {}
    limits: Json = {}
    for item in limit_range["spec"].get("limits") or []:
        if item.get("type") == "Container":
            requests.update(item.get("defaultRequest") or {})
            limits.update(item.get("default") or {})
    return requests, limits


def _admitted_container(container: Json, defaults: Iterable[tuple[Json, Json]]) -> Json:
    limits = _resources(container).get("limits") or {}
    requests = {**limits, **(_resources(container).get("requests") or {})}
    for default_requests, default_limits in defaults:
        limits = {**default_limits, **limits}
        requests = {**default_requests, **requests}
    return {**container, "resources": {"requests": requests, "limits": limits}}


def _with_pod_level_requests(spec: Json) -> Json:
    resources = spec.get("resources") or {}
    limits = resources.get("limits")
    if not limits:
        return spec
    asked = {name for container in containers_of(spec) for name in container["resources"]["requests"]}
    missing = {name: limit for name, limit in limits.items() if name not in asked}
    requests = {**missing, **(resources.get("requests") or {})}
    return {**spec, "resources": {**resources, "requests": requests}}


def _pod_level(spec: Json, kind: str) -> Amounts:
    resources = spec.get("resources")
    if not resources:
        return {}
    listed = amounts(resources.get(kind))
    return {name: nano for name, nano in listed.items() if name in ("cpu", "memory") or name.startswith("hugepages-")}


def _over_containers(spec: Json, asked_by: Callable[[Json], Amounts]) -> Amounts:
    """Return the most that the pod needs at once.

    Containers 100m + 100m, sidecar 50m, init container after it 300m: max(250, 50 + 300) = 350m.
    """
    total: Amounts = {}
    for container in spec.get("containers") or []:
        _add(total, asked_by(container))
    sidecars: Amounts = {}
    starting: Amounts = {}
    for container in spec.get("initContainers") or []:
        asked = asked_by(container)
        if container.get("restartPolicy") == "Always":
            _add(total, asked)
            _add(sidecars, asked)
            _raise_to(starting, sidecars)
        else:
            _add(asked, sidecars)
            _raise_to(starting, asked)
    _raise_to(total, starting)
    return total


def _held(container: Json, entry: Json | None, infeasible: bool) -> Amounts:
    spec_requests = amounts(_resources(container).get("requests"))
    if entry is None:
        return spec_requests
    held = amounts(entry.get("allocatedResources"))
    _raise_to(held, amounts((entry.get("resources") or {}).get("requests")))
    if not infeasible:
        _raise_to(held, spec_requests)
    return held


def _resize_infeasible(status: Json) -> bool:
    return any(
        condition.get("type") == "PodResizePending" and condition.get("reason") == "Infeasible"
        for condition in status.get("conditions") or []
    )


def _add(total: Amounts, more: Amounts) -> None:
    for name, nano in more.items():
        total[name] = total.get(name, 0) + nano


def _raise_to(total: Amounts, least: Amounts) -> None:
    for name, nano in least.items():
        if nano > total.get(name, -1):
            total[name] = nano
