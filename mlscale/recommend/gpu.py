"""What helps a workload whose GPUs are the bound: more of them, scaled on the queue, or a cheaper model."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from mlscale.hpa.spec import HpaOptions
from mlscale.kube.text import counted, printable
from mlscale.recommend import manifests
from mlscale.recommend.governors import spec_writers
from mlscale.recommend.model import Step
from mlscale.recommend.steps import replicas_manifest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlscale.recommend.evidence import WorkloadFacts
    from mlscale.recommend.signs import Signs

QUEUE_SHARE = 0.1
"""Of the requests that one replica runs at once: so many may wait for each replica before more are wanted. Vendors
advise a small queue as target (GKE: 3 to 5 to begin with), since a queue only grows once a replica is full."""
LEAST_QUEUE = 3
FIRST_GROWTH = 2
"""Times the present replicas at once: a queue that is always full says that there are too few, not how few."""
MOST_GROWTH = 4
"""Times the present replicas: max where nobody could say how many fit and there is no max yet."""


BUSY_AT_MOST = 0.8
"""Share of what the replicas run at once to stay under."""


def gpu_steps(facts: WorkloadFacts, signs: Signs) -> Iterator[Step]:
    """More replicas on the queue, bounded by the GPUs that are free.

    Where no API serves the queue yet, the count that the recorded load needs comes first: an HPA on a metric that
    nobody serves does nothing.
    """
    high = most_replicas(facts, signs)
    if high <= facts.replicas and signs.room == 0:
        short = signs.room_why or f"no further {signs.accelerator or 'GPU'} is free"
        yield Step("cluster", f"Add room for more copies: {short}.")
        return
    if not facts.custom_metrics:
        yield from _count_steps(facts, signs, high)
    yield _queue_step(facts, signs, high)


def fewer_steps(facts: WorkloadFacts, signs: Signs) -> Iterator[Step]:
    """Fewer replicas where their GPUs are idle and nobody else sets the count."""
    wanted = max(needed_replicas(signs), 2 if facts.pdbs else 1)
    if wanted >= facts.replicas or facts.hpas or facts.scaled_objects:
        return
    why = f"Run {counted(wanted, 'replica')} ({facts.replicas} now), which their GPUs are enough for."
    command = manifests.scale_command(facts.target, wanted)
    yield Step("horizontal", why, command=command, manifest=replicas_manifest(facts, wanted), replicas=wanted)


def cheaper_step(signs: Signs) -> Step:
    """What evidence points to where neither more nor larger pods are to be had."""
    signals = {
        name: found for name in ("queue_length", "kv_cache_usage", "gpu_utilization") if (found := signs.signal(name))
    }
    cache, duty = signals.get("kv_cache_usage"), signals.get("gpu_utilization")
    if cache is not None and cache.high >= 0.9:
        what = "the KV cache is full: quantise the model or the cache, shorten contexts, share prefixes"
    elif duty is not None and duty.high < 0.8 and signs.signal("queue_length"):
        what = "requests wait while the GPU has time left: larger batches use it"
    elif signs.gpus:
        what = "the GPU is the bound: quantise or distil the model, batch requests, cache answers"
    else:
        what = "CPU is the bound: quantise or distil the model, batch requests, cache answers"
    return Step("cheaper-model", f"Make the model cheaper, since copies and size are used up; {what}.")


def queue_target(signs: Signs) -> int:
    """Requests that may wait for each replica: a tenth of what one runs at once, at least 3."""
    running, pods = signs.signal("running_requests"), signs.pods
    if running is None or pods is None or pods.median < 1:
        return LEAST_QUEUE
    return max(LEAST_QUEUE, round(QUEUE_SHARE * running.high / pods.median))


def queue_metric(facts: WorkloadFacts) -> str:
    """The name under which the custom metrics API serves the queue; the canonical one where it does not."""
    return facts.queue_metric or "queue_length"


def needed_replicas(signs: Signs) -> int:
    """Replicas that would run at once what runs and waits at the median, at 80 % of what each runs at most.

    2 replicas run 16 requests at most and 8 more wait: (16 + 8) / (8 * 0.8) = 3.75, so 4. Where only the duty cycle
    is known, replicas for it at 80 %.
    """
    queue, running, duty = (
        signs.signal("queue_length"),
        signs.signal("running_requests"),
        signs.signal("gpu_utilization"),
    )
    pods = signs.pods.median if signs.pods else signs.replicas
    if queue and running and running.high > 0 and pods >= 1:
        return math.ceil(round((running.median + queue.median) / (running.high / pods * BUSY_AT_MOST), 6))
    if duty is not None:
        return math.ceil(round(pods * duty.high / BUSY_AT_MOST, 6))
    return signs.replicas + 1


def most_replicas(facts: WorkloadFacts, signs: Signs) -> int:
    """As many as there are and fit besides; where that is not known, the present max, or four times the replicas."""
    if signs.room is not None:
        scheduled = sum(bool((pod.get("spec") or {}).get("nodeName")) for pod in facts.pods)
        return max(1, scheduled + signs.room)
    return int(facts.hpa["spec"]["maxReplicas"]) if facts.hpa else MOST_GROWTH * max(1, facts.replicas)


def _count_steps(facts: WorkloadFacts, signs: Signs, high: int) -> Iterator[Step]:
    """The count that is needed: by the HPA's min where there is one, which would take any other back."""
    needed = max(needed_replicas(signs), facts.replicas + 1)
    wanted = min(needed, FIRST_GROWTH * max(1, facts.replicas), high)
    if wanted <= facts.replicas or facts.scaled_objects:
        return
    enough = "which the recorded load needs"
    reason = enough if wanted == needed else "then judge again, since a queue that never ends hides how many are needed"
    why = f"Run {counted(wanted, 'replica')} ({facts.replicas} now), {reason}"
    if facts.hpa is None:
        command = manifests.scale_command(facts.target, wanted)
        manifest = replicas_manifest(facts, wanted)
        yield Step("horizontal", f"{why}.", command=command, manifest=manifest, replicas=wanted)
        return
    present = facts.hpa["spec"]
    cpu = _cpu_target(present)
    if wanted <= int(present.get("minReplicas") or 1) or cpu is None:
        return
    options = HpaOptions(max=str(max(wanted, int(present["maxReplicas"]))), min=str(wanted), cpu=cpu)
    name = manifests.hpa_name(facts.target, facts.hpa)
    yield Step(
        "horizontal",
        f"{why}: by the min of HPA {printable(name)}, whose CPU target does not see the load.",
        command=manifests.autoscale_command(facts.target, name, options, force=bool(spec_writers(facts))),
        manifest=manifests.hpa_manifest(facts.target, name, options),
        hpa=options,
        hpa_name=name,
    )


def _cpu_target(spec: dict[str, object]) -> str | None:
    """The CPU target of an HPA in per cent; None where it has none."""
    metrics = spec.get("metrics")
    for metric in metrics if isinstance(metrics, list) else []:
        source = metric.get("resource") or {}
        percent = (source.get("target") or {}).get("averageUtilization")
        if source.get("name") == "cpu" and percent is not None:
            return f"{percent}%"
    return None


def _queue_step(facts: WorkloadFacts, signs: Signs, high: int) -> Step:
    low = max(1, min(_present_min(facts), high))
    target = queue_target(signs)
    why = f"Scale on the requests that wait ({target} a replica), {low} to {max(low, high)} replicas"
    if facts.scaled_objects:
        return Step("autoscale-metric", f"In ScaledObject {printable(facts.scaled_objects[0])}: {why}.")
    options = manifests.metric_options(low, max(low, high), f"pods:{queue_metric(facts)}={target}")
    name = manifests.hpa_name(facts.target, facts.hpa)
    manifest = manifests.hpa_manifest(facts.target, name, options)
    if not facts.custom_metrics:
        later = "once a metrics adapter serves that on custom.metrics.k8s.io, which does not answer now"
        return Step("autoscale-metric", f"{why}, {later}.", manifest=manifest)
    command = manifests.autoscale_command(facts.target, name, options, force=bool(spec_writers(facts)))
    return Step("autoscale-metric", f"{why}.", command=command, manifest=manifest, hpa=options, hpa_name=name)


def _present_min(facts: WorkloadFacts) -> int:
    if facts.hpa is None:
        return facts.replicas
    least = facts.hpa["spec"].get("minReplicas")
    return 1 if least is None else int(least)
