"""How a kubelet brings the containers of a running pod to new sizes.

By kubernetes.io/docs/tasks/configure-pod-container/resize-container-resources (1.37): a size that the node can never
hold is Infeasible, one that it has no room for now Deferred and tried again, any other allocated and then in effect.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from mlscale.kube.pod_resources import pod_requests
from mlscale.kube.quantity import NANO
from mlscale.sandbox.agenda import timestamp
from mlscale.sandbox.controllers.node_room import room_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

Json = dict[str, Any]
Sizes = dict[str, Json]
"""The resources of each container, by name."""

PENDING, IN_PROGRESS = "PodResizePending", "PodResizeInProgress"
TAKES = timedelta(seconds=1)
"""From the allocation of a size until it is in effect."""
RETRY = timedelta(seconds=10)
"""Between two tries of one that was deferred."""


@dataclass
class Resizing:
    """The sizes of one pod."""

    actual: Sizes
    """In effect."""
    allocated: Sizes
    due: datetime | None = None
    """When there is something to do next."""
    condition: Json = field(default_factory=dict)
    """PodResizePending or PodResizeInProgress; empty for neither."""

    def is_behind(self, pod: Json) -> bool:
        """Whether ``pod`` asks for something that has not been looked at."""
        seen = self.condition.get("observedGeneration", pod["metadata"].get("generation", 1))
        return sizes_of(pod["spec"]) != self.allocated or seen != pod["metadata"].get("generation", 1)

    def advance(self, pod: Json, node: Json, others: Iterable[Json], now: datetime) -> None:
        """Take the next step to the sizes of ``pod``, which shares ``node`` with ``others``."""
        wanted = sizes_of(pod["spec"])
        if wanted == self.allocated == self.actual:
            self.due, self.condition = None, {}
        elif wanted == self.allocated and self.due is not None and self.due <= now:
            self.actual, self.due, self.condition = self.allocated, None, {}
        elif wanted != self.allocated:
            self._allocate(pod, node, others, now)

    def _allocate(self, pod: Json, node: Json, others: Iterable[Json], now: datetime) -> None:
        reason, message = _refusal(pod, node, others)
        if reason:
            self.due = now + RETRY if reason == "Deferred" else None
            self._say({"type": PENDING, "status": "True", "reason": reason, "message": message}, pod, now)
        else:
            self.allocated, self.due = sizes_of(pod["spec"]), now + TAKES
            self._say({"type": IN_PROGRESS, "status": "True"}, pod, now)

    def _say(self, condition: Json, pod: Json, now: datetime) -> None:
        same = self.condition.get("type") == condition["type"]
        since = self.condition["lastTransitionTime"] if same else timestamp(now)
        generation = pod["metadata"].get("generation", 1)
        times = {"lastProbeTime": None, "lastTransitionTime": since}
        self.condition = {**condition, "observedGeneration": generation, **times}


def sizes_of(spec: Json) -> Sizes:
    """The resources of each container of a pod's ``spec``."""
    return {each["name"]: each.get("resources") or {} for each in spec["containers"]}


def with_sizes(status: Json, resizing: Resizing) -> Json:
    """The ``status`` that the kubelet writes, with the sizes that are in effect and how far the new ones are."""
    others = [each for each in status["conditions"] if each["type"] not in (PENDING, IN_PROGRESS)]
    containers = [_with_size(each, resizing) for each in status["containerStatuses"]]
    conditions = [*others, *([resizing.condition] if resizing.condition else [])]
    return {**status, "conditions": conditions, "containerStatuses": containers}


def _with_size(container: Json, resizing: Resizing) -> Json:
    if "resources" not in container:
        return container
    allocated = resizing.allocated[container["name"]].get("requests")
    requests = {"allocatedResources": allocated} if allocated else {}
    return {**container, **requests, "resources": resizing.actual[container["name"]]}


def _refusal(pod: Json, node: Json, others: Iterable[Json]) -> tuple[str, str]:
    """Why the node does not hold the new sizes; two empty texts where it does."""
    room, requests = room_of(node), pod_requests(pod["spec"])
    short = [name for name in ("cpu", "memory") if requests.get(name, 0) > room.allocatable.get(name, 0)]
    if short:
        name = short[0]
        amounts = f"requested: {_told(name, requests[name])}, capacity: {_told(name, room.allocatable.get(name, 0))}"
        return "Infeasible", f"Node didn't have enough capacity: {name}, {amounts}"
    for other in others:
        room.take(pod_requests(other["spec"]))
    for name in ("cpu", "memory"):
        used, capacity = room.used.get(name, 0), room.allocatable.get(name, 0)
        if requests.get(name, 0) > capacity - used:
            amounts = f"requested: {_told(name, requests[name])}, used: {_told(name, used)}"
            return "Deferred", f"Node didn't have enough resource: {name}, {amounts}, capacity: {_told(name, capacity)}"
    return "", ""


def _told(resource: str, nano: int) -> int:
    """Millicores or bytes."""
    return nano * 1000 // NANO if resource == "cpu" else nano // NANO
