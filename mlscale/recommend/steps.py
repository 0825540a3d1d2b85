"""From limits to what to do, in order: one step a limit, each with its line and its object."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from mlscale.hpa.requests import counted_containers
from mlscale.kube.capacity import plan_fit
from mlscale.kube.fit import Unknown
from mlscale.kube.owners import marked_tool
from mlscale.kube.text import counted, printable
from mlscale.recommend import manifests
from mlscale.recommend.governors import spec_writers
from mlscale.recommend.model import Step
from mlscale.recommend.sizing import plan_sizes, pod_cpu, resized_spec

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlscale.kube.capacity import CapacityFacts
    from mlscale.recommend.evidence import WorkloadFacts
    from mlscale.recommend.model import Limit, Resize
    from mlscale.recommend.signs import Signs
    from mlscale.recommend.trial import Trial

Json = dict[str, Any]

_AMOUNTS = (
    ("CPU request", "cpu_request"),
    ("CPU limit", "cpu_limit"),
    ("memory request", "memory_request"),
    ("memory limit", "memory_limit"),
)


@dataclass(frozen=True)
class Sizes:
    """The containers to resize, and what that makes of a pod."""

    resizes: tuple[Resize, ...]
    request: float | None
    """Cores a pod; None where a container still has no request."""
    obstacles: tuple[str, ...] = ()
    """What keeps pods of the new size, in place of those that run, off the nodes or out of the namespace."""


def plan_vertical(facts: WorkloadFacts, signs: Signs, limits: tuple[Limit, ...]) -> Sizes:
    """Sizes for the limits that are there, held against nodes, quotas and LimitRanges."""
    resizes = plan_sizes(signs, limits)
    if not resizes:
        return Sizes((), signs.cpu_request)
    fit = plan_fit(_resized(facts, resizes), max(1, facts.replicas))
    return Sizes(
        resizes, pod_cpu(signs, resizes), tuple(limit.what for limit in fit.limits if limit.reason != "QuotaExceeded")
    )


def vertical_steps(facts: WorkloadFacts, sizes: Sizes) -> Iterator[Step]:
    """The change of sizes; before it, what keeps a pod of the new size from running."""
    if not sizes.resizes:
        return
    if sizes.obstacles:
        yield Step("cluster", f"Pods of the new size do not all fit yet: {'; '.join(sizes.obstacles)}.")
    changes = "; ".join(_change(resize) for resize in sizes.resizes)
    yield Step(
        "vertical",
        f"Resize {changes}.",
        command=manifests.resize_commands(facts.target, sizes.resizes),
        manifest=manifests.resize_manifest(facts.target, sizes.resizes, _sidecars(facts)),
        resizes=sizes.resizes,
    )


def cluster_steps(limits: tuple[Limit, ...]) -> Iterator[Step]:
    """What has to be raised before anything else can help."""
    for limit in limits:
        if limit.name == "Cluster":
            yield Step("cluster", f"Raise what is short ({'; '.join(limit.reasons)}).")


def rival_steps(facts: WorkloadFacts, limits: tuple[Limit, ...]) -> Iterator[Step]:
    """One hand on the replicas: the others are taken off."""
    if len(facts.hpas) > 1:
        names = " or ".join(printable(str(hpa["metadata"]["name"])) for hpa in facts.hpas)
        yield Step("autoscale", f"Keep one HPA: delete {names}.")
    elif facts.owner is not None and facts.owner.certain and facts.hpas:
        tool = printable(facts.owner.tool)
        yield Step(
            "autoscale", f"Leave spec.replicas out of the manifest that {tool} deploys, so that the HPA alone sets it."
        )
    elif any(limit.name == "Rival" for limit in limits):
        deployer = marked_tool(facts.object)
        where = f"the manifest that {printable(deployer)} deploys" if deployer else "a manifest, a script"
        yield Step("autoscale", f"Find what else sets spec.replicas ({where}) and leave them to the HPA.")


def load_step(facts: WorkloadFacts, trial: Trial) -> Step | None:
    """The step that a trial comes to; None where what runs is as good."""
    setting = trial.setting
    if not trial.better:
        return None
    gain = _gain(trial)
    if trial.is_fixed:
        if setting.max_replicas == facts.replicas:
            return None
        count = f"{counted(setting.max_replicas, 'replica')} ({facts.replicas} now)"
        why = f"A fixed {count} does as well as an HPA{gain}."
        if trial.outgrown:
            why = f"Run {count}: it uses more CPU than its pods ask for or may have{gain}."
        command = manifests.scale_command(facts.target, setting.max_replicas)
        return Step(
            "horizontal",
            why,
            command=command,
            manifest=replicas_manifest(facts, setting.max_replicas),
            replicas=setting.max_replicas,
        )
    bounds = f"{setting.min_replicas} to {setting.max_replicas} replicas"
    why = f"Autoscale from {bounds} at {setting.target} % of the requested CPU{gain}."
    if facts.scaled_objects:
        name = printable(facts.scaled_objects[0])
        return Step("autoscale", f"In ScaledObject {name}: {why[:1].lower()}{why[1:]}")
    name = manifests.hpa_name(facts.target, facts.hpa)
    options = manifests.hpa_options(setting)
    return Step(
        "autoscale",
        why,
        command=manifests.autoscale_command(facts.target, name, options, force=bool(spec_writers(facts))),
        manifest=manifests.hpa_manifest(facts.target, name, options),
        hpa=options,
        hpa_name=name,
    )


def _gain(trial: Trial) -> str:
    """``, which saves 41.2 core-hours a day``, or how much more of the demand is served."""
    parts = []
    if trial.served > 0.0005:
        parts.append(f"serves {100 * trial.served:.2g} % more of the demand")
    if abs(trial.saved_core_hours) >= 0.1:
        verb = "saves" if trial.saved_core_hours > 0 else "takes"
        parts.append(f"{verb} {abs(trial.saved_core_hours):.3g} core-hours a day")
    return f", which {' and '.join(parts)}" if parts else ""


def replicas_manifest(facts: WorkloadFacts, replicas: int) -> Json:
    target = facts.target
    return {
        "apiVersion": target.kind.api_version,
        "kind": target.kind.kind,
        "metadata": {"name": target.name, "namespace": target.namespace},
        "spec": {"replicas": replicas},
    }


def _change(resize: Resize) -> str:
    """``container model: cpu limit 500m -> 1, memory request none -> 230Mi``."""
    pairs = ((words, getattr(resize.now, name), getattr(resize.then, name)) for words, name in _AMOUNTS)
    changes = ", ".join(f"{words} {now or 'none'} -> {then}" for words, now, then in pairs if now != then)
    return f"container {printable(resize.then.container)}: {changes}"


def _sidecars(facts: WorkloadFacts) -> frozenset[str]:
    regular = {container["name"] for container in facts.pod_spec.get("containers") or ()}
    return frozenset(c["name"] for c in counted_containers(facts.pod_spec) if c["name"] not in regular)


def _resized(facts: WorkloadFacts, resizes: tuple[Resize, ...]) -> CapacityFacts:
    """The room for pods of the new size once those that run have made place for them."""
    template = {**facts.template, "spec": resized_spec(facts.pod_spec, resizes)}
    pods, own = facts.capacity.pods, {str(pod["metadata"]["name"]) for pod in facts.pods}
    if not isinstance(pods, Unknown):
        pods = tuple(pod for pod in pods if not _is_own(pod, facts.target.namespace, own))
    return replace(facts.capacity, template=template, pods=pods)


def _is_own(pod: Json, namespace: str, names: set[str]) -> bool:
    return pod["metadata"].get("namespace") == namespace and pod["metadata"]["name"] in names
