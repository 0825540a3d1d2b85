"""Requests and limits of each container from what it used; only what is missing, too tight or far too large changes.

Margins and floors are those that other recommenders made familiar, so that numbers can be compared: memory 15 % over
its peak and at least 100 MB, CPU at the 95th percentile and at least 10m (robusta-dev/krr), and after a kill for memory
20 % or 100 Mi more, whichever is more (kubernetes/autoscaler, vertical-pod-autoscaler/pkg/recommender).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlscale.kube.quantity import NANO, nano_of
from mlscale.recommend.bottleneck import NEAR_LIMIT, cores, mebibytes, percent
from mlscale.recommend.model import Resize, Size

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlscale.recommend.model import Limit
    from mlscale.recommend.signs import ContainerSigns, Signs

Json = dict[str, Any]

MI = 2.0**20
LEAST_CPU = 0.010
LEAST_MEMORY = 100e6
MEMORY_MARGIN = 1.15
LIMIT_MARGIN = 1.3
"""A memory limit over the peak: what the request has, and as much again for a peak not seen yet."""
OOM_FACTOR = 1.2
OOM_BYTES = 100 * MI
CPU_LIMIT_FACTOR = 2.0
"""Throttled use says how little there was, not how much is needed: doubling finds out in a step or two."""
LEAST_DAYS = 0.9
"""Of history, before a request is lowered: in less a peak of the day may be missing."""
TOO_LARGE = 2.0
"""A request this many times what would do is worth lowering; less is within what the next weeks may bring."""


@dataclass(frozen=True)
class Amounts:
    """Requests and limits of one container in cores and bytes; None for unset."""

    cpu_request: float | None
    cpu_limit: float | None
    memory_request: float | None
    memory_limit: float | None


def plan_sizes(signs: Signs, limits: tuple[Limit, ...]) -> tuple[Resize, ...]:
    """The containers whose requests or limits are to change, with what they are to become.

    A container that was not measured stays as it is.
    """
    resizes = (
        _plan_size(container, _about(signs, container, limits), signs.hpa_target) for container in signs.containers
    )
    return tuple(resize for resize in resizes if resize is not None)


def pod_cpu(signs: Signs, resizes: Iterable[Resize]) -> float | None:
    """Cores that one pod requests after ``resizes``; None where a container still has no request."""
    then = {resize.then.container: resize.then.cpu_request for resize in resizes}
    if not any(then.values()):
        return signs.cpu_request
    total = 0.0
    for container in signs.containers:
        request = then.get(container.name)
        amount = nano_of(request) / NANO if request else container.cpu_request
        if amount is None:
            return None
        total += amount
    return total


def resized_spec(spec: Json, resizes: Iterable[Resize]) -> Json:
    """The pod spec that ``resizes`` make of ``spec``."""
    sizes = {resize.then.container: resize.then for resize in resizes}
    groups = ("containers", "initContainers")
    return {**spec, **{group: [_with_size(c, sizes) for c in spec.get(group) or ()] for group in groups}}


def _about(signs: Signs, container: ContainerSigns, limits: tuple[Limit, ...]) -> frozenset[str]:
    """The limits that are about ``container``; idleness only where a day was seen."""
    names = (limit.name for limit in limits if limit.subject in (container.name, ""))
    return frozenset(name for name in names if name != "Idle" or signs.days >= LEAST_DAYS)


def _plan_size(container: ContainerSigns, about: frozenset[str], target: float | None) -> Resize | None:
    now = Amounts(container.cpu_request, container.cpu_limit, container.memory_request, container.memory_limit)
    tight_cpu, reason_cpu = _cpu(container, about, target)
    tight_memory, reason_memory = _memory(container, about)
    then = Amounts(*tight_cpu, *tight_memory)
    if then == now or not (reason_cpu or reason_memory):
        return None
    return Resize(_size(container.name, now), _size(container.name, then), (*reason_cpu, *reason_memory))


def _cpu(
    container: ContainerSigns, about: frozenset[str], target: float | None
) -> tuple[tuple[float | None, float | None], list[str]]:
    request, limit = container.cpu_request, container.cpu_limit
    if container.cpu is None:
        return (request, limit), []
    # Under an HPA the use is kept at its target: 65m at 50 % ask for 130m, or it would add pods.
    wanted = max(LEAST_CPU, _up(container.cpu.high / (target or 1.0), 0.005))
    if "CpuLimit" in about and limit is not None:
        raised = _up(limit * CPU_LIMIT_FACTOR, 0.1)
        return (request, raised), [f"CPU limit {cores(limit)} -> {cores(raised)}: the use so far was held down by it"]
    if request is None:
        fitting = min(wanted, limit) if limit else wanted
        for_target = f", which is to be {percent(target)} of it, its HPA's target" if target else ""
        used = f"it uses {cores(container.cpu.high)} at the 95th percentile{for_target}"
        return (fitting, limit), [f"CPU request {cores(fitting)}: there is none, and {used}"]
    if "Idle" in about and request >= TOO_LARGE * wanted:
        return (wanted, limit), [f"CPU request {cores(request)} -> {cores(wanted)}: its use at the 95th percentile"]
    return (request, limit), []


def _memory(container: ContainerSigns, about: frozenset[str]) -> tuple[tuple[float | None, float | None], list[str]]:
    request, limit = container.memory_request, container.memory_limit
    if container.memory is None:
        return (request, limit), []
    peak = container.memory.peak
    wanted = max(LEAST_MEMORY, peak * MEMORY_MARGIN)
    if "Memory" in about and limit is not None:
        return _more_memory(container, limit, peak)
    if request is None or request < peak:
        asked = _mi(min(wanted, limit) if limit else wanted)
        had = f"it is {mebibytes(request)}" if request else "there is none"
        return (asked, limit), [f"memory request {mebibytes(asked)}: {had}, and it held {mebibytes(peak)}"]
    if "Idle" in about and request >= TOO_LARGE * wanted:
        asked = _mi(wanted)
        why = f"memory request {mebibytes(request)} -> {mebibytes(asked)}: its peak of {mebibytes(peak)} and 15 %"
        return (asked, limit), [why]
    return (request, limit), []


def _more_memory(
    container: ContainerSigns, limit: float, peak: float
) -> tuple[tuple[float | None, float | None], list[str]]:
    """A peak under a limit that killed it is not the peak it would have had."""
    raised = peak * LIMIT_MARGIN
    if container.oom_kills:
        raised = max(raised, limit * OOM_FACTOR, limit + OOM_BYTES)
    raised = _mi(max(raised, limit))
    asked = _mi(max(container.memory_request or 0.0, min(raised, max(peak, limit * NEAR_LIMIT) * MEMORY_MARGIN)))
    why = f"memory limit {mebibytes(limit)} -> {mebibytes(raised)}: its peak was {percent(peak / limit)} of the limit"
    return (asked, raised), [why]


def _up(amount: float, unit: float) -> float:
    """``amount`` rounded up to ``unit``, to the millicore: 0.1234 cores to 0.125."""
    return round(math.ceil(round(amount / unit, 6)) * unit, 6)


def _mi(amount: float) -> float:
    return math.ceil(amount / MI) * MI


def _size(name: str, amounts: Amounts) -> Size:
    return Size(
        container=name,
        cpu_request=None if amounts.cpu_request is None else cores(amounts.cpu_request),
        cpu_limit=None if amounts.cpu_limit is None else cores(amounts.cpu_limit),
        memory_request=None if amounts.memory_request is None else mebibytes(amounts.memory_request),
        memory_limit=None if amounts.memory_limit is None else mebibytes(amounts.memory_limit),
    )


def _with_size(container: Json, sizes: dict[str, Size]) -> Json:
    size = sizes.get(container["name"])
    if size is None:
        return container
    resources = container.get("resources") or {}
    given = {
        "requests": {"cpu": size.cpu_request, "memory": size.memory_request},
        "limits": {"cpu": size.cpu_limit, "memory": size.memory_limit},
    }
    merged = {
        kind: {**(resources.get(kind) or {}), **{name: amount for name, amount in new.items() if amount is not None}}
        for kind, new in given.items()
    }
    return {**container, "resources": {**resources, **merged}}
