"""From limits to what to do, in order: one step a limit, each with its line and its object."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from mlscale.hpa.requests import counted_containers
from mlscale.kube.capacity import plan_fit
from mlscale.kube.text import counted, printable
from mlscale.recommend import manifests
from mlscale.recommend.bottleneck import cores, is_limited_by, mebibytes
from mlscale.recommend.model import Step
from mlscale.recommend.sizing import plan_sizes, pod_cpu

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlscale.kube.fit import Fit
    from mlscale.recommend.evidence import WorkloadFacts
    from mlscale.recommend.model import Limit, Resize
    from mlscale.recommend.signs import Signs
    from mlscale.recommend.trial import Trial

Json = dict[str, Any]

QUEUE_SHARE = 0.1
"""Of the requests that one replica runs at once: so many may wait for each replica before more are wanted. Vendors
advise a small queue as target (GKE: 3 to 5 to begin with), since a queue only grows once a replica is full."""
LEAST_QUEUE = 3
MOST_GROWTH = 4
"""Times the present replicas: max where nobody could say how many fit and there is no max yet."""


@dataclass(frozen=True)
class Sizes:
    """The containers to resize, and what that makes of a pod."""

    resizes: tuple[Resize, ...]
    request: float | None
    """Cores a pod; None where a container still has no request."""
    fits: Fit | None = None
    """How one pod of the new size fits; None where nothing is resized."""


def plan_vertical(facts: WorkloadFacts, signs: Signs, limits: tuple[Limit, ...]) -> Sizes:
    """Sizes for the limits that are there, held against nodes, quotas and LimitRanges."""
    resizes = plan_sizes(signs, limits)
    if not resizes:
        return Sizes((), signs.cpu_request)
    return Sizes(resizes, pod_cpu(signs, resizes), plan_fit(_resized(facts, resizes), 1))


def vertical_steps(facts: WorkloadFacts, sizes: Sizes) -> Iterator[Step]:
    """The change of sizes; before it, what keeps a pod of the new size from running."""
    if not sizes.resizes:
        return
    if sizes.fits is not None and sizes.fits.falls_short:
        whys = "; ".join(shortage.what for shortage in sizes.fits.limits)
        yield Step("cluster", f"A pod of the new size does not fit yet: {whys}.")
    reasons = "; ".join(reason for resize in sizes.resizes for reason in _named(resize, len(sizes.resizes)))
    yield Step(
        "vertical",
        f"{reasons[:1].upper()}{reasons[1:]}.",
        command=manifests.resize_commands(facts.target, sizes.resizes),
        manifest=manifests.resize_manifest(facts.target, sizes.resizes, _sidecars(facts)),
        resizes=sizes.resizes,
    )


def cluster_steps(limits: tuple[Limit, ...]) -> Iterator[Step]:
    """What has to be raised before anything else can help."""
    for limit in limits:
        if limit.name == "Cluster":
            yield Step("cluster", f"Raise what is short: {'; '.join(limit.reasons)}.")


def rival_steps(facts: WorkloadFacts) -> Iterator[Step]:
    """One hand on the replicas: the others are taken off."""
    if len(facts.hpas) > 1:
        names = " or ".join(printable(str(hpa["metadata"]["name"])) for hpa in facts.hpas)
        yield Step("autoscale", f"Keep one HPA: delete {names}.")
    elif facts.hpas and facts.owner is not None and facts.owner.certain:
        tool = printable(facts.owner.tool)
        yield Step(
            "autoscale", f"Leave spec.replicas out of the manifest that {tool} deploys, so that the HPA alone sets it."
        )


def load_step(facts: WorkloadFacts, trial: Trial) -> Step | None:
    """The step that a trial comes to; None where what runs is as good."""
    setting = trial.setting
    if not trial.better:
        return None
    gain = _gain(trial)
    if trial.is_fixed:
        if setting.max_replicas == facts.replicas:
            return None
        why = f"A fixed {counted(setting.max_replicas, 'replica')} ({facts.replicas} now) does as well as an HPA{gain}."
        command = manifests.scale_command(facts.target, setting.max_replicas)
        return Step(
            "horizontal",
            why,
            command=command,
            manifest=_replicas(facts, setting.max_replicas),
            replicas=setting.max_replicas,
        )
    why = f"{setting.min_replicas} to {setting.max_replicas} replicas at {setting.target} % of the requested CPU{gain}."
    if facts.scaled_objects:
        name = printable(facts.scaled_objects[0])
        return Step("autoscale", f"In ScaledObject {name}: {why}")
    name = manifests.hpa_name(facts.target, facts.hpa)
    options = manifests.hpa_options(setting)
    return Step(
        "autoscale",
        why,
        command=manifests.autoscale_command(facts.target, name, options),
        manifest=manifests.hpa_manifest(facts.target, name, options),
        hpa=options,
        hpa_name=name,
    )


def gpu_step(facts: WorkloadFacts, signs: Signs) -> Step:
    """An HPA on the queue, bounded by the GPUs that are free; the metric has to be served first."""
    low = max(1, _present_min(facts))
    high = _most(facts, signs)
    metric = f"pods:{queue_metric(facts)}={queue_target(signs)}"
    name, options = manifests.hpa_name(facts.target, facts.hpa), manifests.metric_options(low, max(low, high), metric)
    served = (
        ""
        if facts.custom_metrics
        else "; custom.metrics.k8s.io does not answer yet, so install a metrics adapter first"
    )
    why = f"Scale on the requests that wait ({queue_target(signs)} a replica), {low} to {max(low, high)} replicas{served}."
    if facts.scaled_objects:
        return Step("autoscale-metric", f"In ScaledObject {printable(facts.scaled_objects[0])}: {why}")
    return Step(
        "autoscale-metric",
        why,
        command=manifests.autoscale_command(facts.target, name, options),
        manifest=manifests.hpa_manifest(facts.target, name, options),
        hpa=options,
        hpa_name=name,
    )


def cheaper_step(signs: Signs) -> Step:
    """What evidence points to where neither more nor larger pods are to be had."""
    signals = {
        name: found for name in ("queue_length", "kv_cache_usage", "gpu_utilization") if (found := signs.signal(name))
    }
    cache, duty = signals.get("kv_cache_usage"), signals.get("gpu_utilization")
    if cache is not None and cache.high >= 0.9:
        what = "the KV cache is full: a quantised model or cache leaves more of it, shorter contexts and prefix caching need less"
    elif duty is not None and duty.high < 0.8 and "queue_length" in signals:
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


def has_more_to_give(limits: tuple[Limit, ...], signs: Signs) -> bool:
    """Whether copies can help at all: some fit, or that is not known."""
    return signs.room != 0 and not is_limited_by(limits, "Downstream")


def _gain(trial: Trial) -> str:
    """``, which saves 41.2 core-hours a day``, or how much more of the demand is served."""
    parts = []
    if trial.served > 0.0005:
        parts.append(f"serves {100 * trial.served:.2g} % more of the demand")
    if abs(trial.saved_core_hours) >= 0.1:
        verb = "saves" if trial.saved_core_hours > 0 else "takes"
        parts.append(f"{verb} {abs(trial.saved_core_hours):.3g} core-hours a day")
    return f", which {' and '.join(parts)}" if parts else ""


def _present_min(facts: WorkloadFacts) -> int:
    if facts.hpa is None:
        return facts.replicas
    least = facts.hpa["spec"].get("minReplicas")
    return 1 if least is None else int(least)


def _most(facts: WorkloadFacts, signs: Signs) -> int:
    """As many as there are and fit besides; where that is not known, the present max, or four times the replicas."""
    present = int(facts.hpa["spec"]["maxReplicas"]) if facts.hpa else MOST_GROWTH * max(1, facts.replicas)
    if signs.room is None:
        return present
    scheduled = sum(bool((pod.get("spec") or {}).get("nodeName")) for pod in facts.pods)
    return max(1, scheduled + signs.room)


def _replicas(facts: WorkloadFacts, replicas: int) -> Json:
    target = facts.target
    return {
        "apiVersion": target.kind.api_version,
        "kind": target.kind.kind,
        "metadata": {"name": target.name, "namespace": target.namespace},
        "spec": {"replicas": replicas},
    }


def _named(resize: Resize, several: int) -> Iterator[str]:
    for reason in resize.reasons:
        yield f"{printable(resize.then.container)}: {reason}" if several > 1 else reason


def _sidecars(facts: WorkloadFacts) -> frozenset[str]:
    regular = {container["name"] for container in facts.pod_spec.get("containers") or ()}
    return frozenset(c["name"] for c in counted_containers(facts.pod_spec) if c["name"] not in regular)


def _resized(facts: WorkloadFacts, resizes: tuple[Resize, ...]) -> Any:
    """The capacity facts with the template that ``resizes`` make."""
    sizes = {resize.then.container: resize.then for resize in resizes}
    spec = {
        **facts.pod_spec,
        **{
            group: [_with_size(container, sizes) for container in facts.pod_spec.get(group) or ()]
            for group in ("containers", "initContainers")
        },
    }
    return replace(facts.capacity, template={**facts.template, "spec": spec})


def _with_size(container: Json, sizes: dict[str, Any]) -> Json:
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
