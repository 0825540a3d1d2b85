"""Which part limits a workload: a pure function from what was seen to named limits, the first to be dealt with first.

The thresholds are this program's own, and each reason names the number that it rests on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlscale.kube.quantity import NANO, format_cpu, format_memory
from mlscale.kube.text import counted, printable
from mlscale.recommend.model import Limit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlscale.recommend.model import Confidence
    from mlscale.recommend.signs import ContainerSigns, Signs

THROTTLED = 0.10
"""Share of CFS periods: throttling below this shows in few requests."""
THROTTLED_HARD = 0.25
AT_LIMIT = 0.60
"""Share of a limit: below it at the 95th percentile, throttling is that of bursts shorter than the samples."""
NEAR_LIMIT = 0.90
"""Share of a limit: use above it is bounded by the limit, not by the demand."""
BUSY = 0.50
"""Share of the requested CPU: below it at the 95th percentile, CPU is not what a workload waits for."""
STEADY_BUSY = 0.70
IDLE = 0.30
VARIES = 1.5
"""Peak over trough of smoothed demand from which a fixed count is either too large or too small."""
AT_HEIGHT = 1 / 3
"""Share of a limit that the highest sample of use shows of a minute at the limit: two samples of 2 minutes may share
that minute, and each is a mean with what was before or after."""
GPU_BUSY = 0.80
CACHE_FULL = 0.90
QUEUED = 1.0
"""Requests waiting for each replica, at the median: less is the queue of a moment."""
SLOWED = 2.0
"""The 95th percentile of latency over its 5th from which load, or what lies behind, slows the answers."""
SLOW_SECONDS = 1.0
"""A latency that a service without a GPU and with an idle CPU does not spend on computing."""
NODE_FILLED = 0.75
"""Share of the largest node that one pod takes, from which a larger pod is no way out."""
AT_MAX = 0.10
"""Share of the time at maxReplicas from which max is what limits."""


def find_limits(signs: Signs) -> tuple[Limit, ...]:
    """What limits the workload; never empty.

    What keeps every method from helping comes first (the cluster, a rival), then limits that censor the use that all
    other judgements rest on (CPU limit, memory), then GPU, CPU and what lies downstream; then idleness.
    """
    first = [*_cluster(signs), *_rival(signs), *_cpu_limit(signs), *_memory(signs)]
    load = [*_gpu(signs)] or [*_cpu(signs)]
    if not (load or any(limit.name in ("CpuLimit", "Memory") for limit in first)):
        load = [*_downstream(signs)]
    if not (load or any(limit.name != "Rival" for limit in first)):
        load = [*_idle(signs)]
    found = (*first, *load, *_ceiling(signs, [*first, *load]))
    return found or (_nothing(signs),)


def is_limited_by(limits: tuple[Limit, ...], *names: str) -> bool:
    """Whether one of ``names`` is among ``limits``."""
    return any(limit.name in names for limit in limits)


def percent(share: float) -> str:
    """``0.834`` as ``83 %``."""
    return f"{round(100 * share)} %"


def cores(amount: float) -> str:
    """Cores for a person: ``250m``."""
    return format_cpu(round(amount * 1000) * (NANO // 1000))


def mebibytes(amount: float) -> str:
    """Bytes for a person: ``300Mi``."""
    return format_memory(round(amount) * NANO)


def _cluster(signs: Signs) -> Iterator[Limit]:
    if signs.held_back:
        yield Limit("Cluster", "high", signs.held_back)


def _rival(signs: Signs) -> Iterator[Limit]:
    if signs.rivals:
        yield Limit("Rival", "high", signs.rivals)


def _cpu_limit(signs: Signs) -> Iterator[Limit]:
    for container in signs.containers:
        limit = _tight_cpu(container)
        if limit is not None and not _lacks_copies(signs, container) and not _ends_in_kills(container):
            yield limit


def _lacks_copies(signs: Signs, container: ContainerSigns) -> bool:
    """Whether more copies would end the throttling: it comes with the height of a load, while pods are kept out,
    while a second hand takes pods away, or in pods that fill their nodes. An HPA whose target is over the limit will
    not make them."""
    limit, use = container.cpu_limit, container.cpu
    if limit is None or use is None or _is_out_of_reach(signs, container):
        return False
    usually = container.throttled if container.throttled_usually is None else container.throttled_usually
    at_heights = signs.variation >= VARIES and use.peak >= AT_HEIGHT * limit
    passing = usually is not None and usually < THROTTLED and at_heights
    return passing or bool(signs.held_back or signs.rivals) or (node_share(signs) or 0.0) >= NODE_FILLED


def _ends_in_kills(container: ContainerSigns) -> bool:
    """Whether memory has to be mended before its CPU limit is judged: bursts that are throttled end in kills, and the
    starts that follow are throttled too, while its use is far from the limit."""
    use, limit = container.cpu, container.cpu_limit
    return bool(container.oom_kills) and use is not None and limit is not None and use.high < AT_LIMIT * limit


def _is_out_of_reach(signs: Signs, container: ContainerSigns) -> bool:
    """Whether the limit keeps the use under what adds a replica: the HPA's target and its tolerance."""
    if signs.hpa_target is None or not container.cpu_request or not container.cpu_limit:
        return False
    return container.cpu_limit < 1.1 * signs.hpa_target * container.cpu_request


def _tight_cpu(container: ContainerSigns) -> Limit | None:
    """Throttling while the use sits at the limit is certain; either alone is less so."""
    if container.cpu_limit is None or container.cpu is None:
        return None
    throttled, near = container.throttled, container.cpu.high / container.cpu_limit
    who, limit = f"container {printable(container.name)}", cores(container.cpu_limit)
    use = f"its use is {cores(container.cpu.high)} at the 95th percentile, {percent(near)} of its limit of {limit}"
    if throttled is not None and throttled >= THROTTLED:
        confidence: Confidence = "high" if throttled >= THROTTLED_HARD and near >= AT_LIMIT else "medium"
        why = f"{who} was throttled in {percent(throttled)} of CFS periods"
        bursts = () if near >= AT_LIMIT else ("the bursts are shorter than the samples, whose mean hides them",)
        return Limit("CpuLimit", confidence, (why, use, *bursts), container.name)
    if throttled is None and container.cpu.median >= NEAR_LIMIT * container.cpu_limit:
        return Limit("CpuLimit", "medium", (f"{who}: {use}", "throttling was not measured"), container.name)
    return None


def _memory(signs: Signs) -> Iterator[Limit]:
    for container in signs.containers:
        reasons = [*_memory_reasons(container)]
        if reasons:
            confidence: Confidence = "high" if container.oom_kills else "medium"
            yield Limit("Memory", confidence, tuple(reasons), container.name)


def _memory_reasons(container: ContainerSigns) -> Iterator[str]:
    who = f"container {printable(container.name)}"
    if container.oom_kills:
        # Sources tell of each pod only whether it was ever killed for memory.
        more = f" at least, and restarted {round(container.restarts)} times"
        yield (
            f"{who} was killed for memory {_times(container.oom_kills)}"
            f"{more if container.restarts > container.oom_kills else ''}"
        )
    if container.memory is None:
        return
    peak, limit = container.memory.peak, container.memory_limit
    if limit is not None and peak >= NEAR_LIMIT * limit:
        yield f"{who} reached {mebibytes(peak)}, {percent(peak / limit)} of its limit of {mebibytes(limit)}"


def _times(count: float) -> str:
    return "once" if count < 2 else f"{round(count)} times"


def _gpu(signs: Signs) -> Iterator[Limit]:
    """The queue and the cache say that work waits; a duty cycle says only that some kernel ran."""
    if not (signs.gpus or signs.signal("gpu_utilization")):
        return
    waits = [*_waiting(signs)]
    duty = signs.signal("gpu_utilization")
    busy = duty is not None and duty.high >= GPU_BUSY
    if not waits and not busy:
        return
    confidence: Confidence = "high" if waits and (busy or duty is None) else "medium"
    duties = [f"the GPU was busy {percent(duty.high)} of the time at the 95th percentile"] if duty and busy else []
    cpu = signs.utilization
    low = [f"CPU, at {percent(cpu.high)} of its request, does not show it"] if cpu and cpu.high < BUSY else []
    yield Limit("Gpu", confidence, (*waits, *duties, *low), signs.accelerator or "GPU")


def _waiting(signs: Signs) -> Iterator[str]:
    queue, cache = signs.signal("queue_length"), signs.signal("kv_cache_usage")
    if queue is not None and queue.median >= QUEUED * max(1, signs.replicas):
        yield f"{queue.median:.0f} requests wait at the median, {queue.high:.0f} at the 95th percentile"
    elif queue is not None and queue.high >= 4 * QUEUED * max(1, signs.replicas):
        yield f"{queue.high:.0f} requests wait at the 95th percentile"
    if cache is not None and cache.high >= CACHE_FULL:
        yield f"the KV cache is {percent(cache.high)} full at the 95th percentile"


def _cpu(signs: Signs) -> Iterator[Limit]:
    use, request = signs.utilization, signs.cpu_request
    if use is None or request is None:
        yield from _cpu_without_request(signs)
        return
    share = f"CPU is at {percent(use.median)} of its request at the median, {percent(use.high)} at the 95th percentile"
    at_max = f"its HPA was at maxReplicas {percent(signs.hpa_at_max)} of the time"
    capped = (at_max,) if signs.hpa_at_max >= AT_MAX else ()
    varies = signs.variation >= VARIES
    # Demand for more than one pod's request at its height, so that there is something to take away at its low.
    needed = signs.demand.high / request
    if varies and (use.high >= BUSY or needed >= VARIES):
        load = f"demand varies {signs.variation:.1f} fold between its height and its low"
        room = () if use.high >= BUSY else (f"at its height it needs {needed:.1f} pods, there are {signs.replicas}",)
        yield Limit("CpuVarying", "high" if use.high >= BUSY else "medium", (load, share, *room, *capped))
    elif not varies and use.median >= max(IDLE, min(STEADY_BUSY, NEAR_LIMIT * (signs.hpa_target or 1.0))):
        flat = f"demand varies only {signs.variation:.1f} fold between its height and its low"
        kept = (f"its HPA keeps it under {percent(signs.hpa_target)}",) if signs.hpa_target else ()
        yield Limit("CpuSteady", "high" if use.median >= STEADY_BUSY else "medium", (share, flat, *kept, *capped))


def _cpu_without_request(signs: Signs) -> Iterator[Limit]:
    """Without requests there are no shares; whole cores of varying demand still tell."""
    named = ", ".join(printable(name) for name in signs.unrequested)
    if signs.variation >= VARIES and signs.demand.high >= 0.5:
        load = f"demand varies {signs.variation:.1f} fold, up to {signs.demand.high:.3g} cores"
        missing = f"container {named} has no CPU request, which an HPA's target is a share of"
        yield Limit("CpuVarying", "medium", (load, missing))


def _downstream(signs: Signs) -> Iterator[Limit]:
    """Work waits, or is slow, while neither CPU nor GPU is busy: what it waits for is elsewhere."""
    use, duty = signs.utilization, signs.signal("gpu_utilization")
    share = _cpu_share(signs)
    if share is None or share >= BUSY or (duty is not None and duty.high >= BUSY):
        return
    reasons = [*_waiting(signs), *_slow(signs)]
    if not reasons:
        return
    idle = f"CPU is at {percent(share)} of {'its request' if use else 'its limit'} at the 95th percentile"
    gpu = [f"the GPU is busy {percent(duty.high)} of the time"] if duty else []
    waits = bool([*_waiting(signs)])
    yield Limit("Downstream", "high" if waits else "medium", (*reasons, idle, *gpu))


def _cpu_share(signs: Signs) -> float | None:
    """What of its request, or without one of its limit, the workload uses at the 95th percentile."""
    if signs.utilization is not None:
        return signs.utilization.high
    if signs.cpu_limit is not None and signs.replicas:
        return signs.demand.high / (signs.cpu_limit * signs.replicas)
    return None


def _slow(signs: Signs) -> Iterator[str]:
    latency = signs.signal("latency_p95")
    if latency is None:
        return
    seconds = (
        f"the 95th percentile of latency is {latency.median:.2g} s at the median and {latency.high:.2g} s at worst"
    )
    if latency.high >= SLOWED * max(latency.low, 1e-3) and latency.high >= SLOW_SECONDS / 4:
        yield f"{seconds}, from {latency.low:.2g} s at best"
    elif not signs.gpus and latency.median >= SLOW_SECONDS:
        yield seconds


def _idle(signs: Signs) -> Iterator[Limit]:
    """GPU pods are not called idle on the word of their CPU alone."""
    use, duty = signs.utilization, signs.signal("gpu_utilization")
    if signs.gpus and duty is None and signs.signal("running_requests") is None:
        return
    if use is None or use.high >= IDLE or (duty is not None and duty.high >= IDLE):
        return
    reasons = [f"CPU is at {percent(use.high)} of its request at the 95th percentile, {percent(use.peak)} at its peak"]
    if duty is not None:
        reasons.append(f"the GPU is busy {percent(duty.high)} of the time at the 95th percentile")
    seen = signs.signal("queue_length") or signs.signal("latency_p95")
    if seen is None:
        reasons.append("no queue or latency was found, so slowness of what lies behind it would not show")
    yield Limit("Idle", "high" if seen else "medium", tuple(reasons))


def _ceiling(signs: Signs, found: list[Limit]) -> Iterator[Limit]:
    """Both directions used up: no copy fits any more, and one pod cannot grow on any node."""
    pressed = any(limit.name in ("CpuVarying", "CpuSteady", "CpuLimit", "Memory", "Gpu") for limit in found)
    filled = node_share(signs)
    if pressed and signs.room == 0 and filled is not None and filled >= NODE_FILLED:
        wide = f"no further copy fits ({signs.room_why})" if signs.room_why else "no further copy fits"
        tall = f"one pod takes {percent(filled)} of the largest node"
        yield Limit("Ceiling", "high", (wide, tall))


def node_share(signs: Signs) -> float | None:
    """The larger share of CPU and memory that one pod takes of the largest node; None where that is not known."""
    memory = [c.memory_request or c.memory_limit or 0.0 for c in signs.containers]
    asked = ((signs.cpu_request or signs.cpu_limit or 0.0, signs.node_cpu), (sum(memory), signs.node_memory))
    shares = [amount / offered for amount, offered in asked if offered]
    return max(shares, default=None)


def _nothing(signs: Signs) -> Limit:
    use = signs.utilization
    reasons = (
        [f"CPU is at {percent(use.median)} of its request at the median, {percent(use.high)} at the 95th percentile"]
        if use
        else []
    )
    if signs.gpus and not signs.signals:
        reasons.append("no signal of its GPUs or of its model server was found: CPU alone does not tell")
        return Limit("Nothing", "low", tuple(reasons))
    reasons.append(f"no throttling, memory pressure or queue was seen at {counted(signs.replicas, 'replica')}")
    return Limit("Nothing", "medium" if use else "low", tuple(reasons))
