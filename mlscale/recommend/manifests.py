"""The lines to run and the objects to commit for each step."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlscale.hpa.replay_model import DEFAULT_WINDOW
from mlscale.hpa.spec import HpaOptions, build_hpa, parse_settings
from mlscale.kube.kinds import BUILT_IN, HPA

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlscale.hpa.replay_model import Setting
    from mlscale.hpa.spec import HpaSettings
    from mlscale.kube.kinds import Kind
    from mlscale.kube.targets import Target
    from mlscale.recommend.model import Resize, Size

Json = dict[str, Any]

_FIELDS = (
    ("requests", "cpu", "cpu_request"),
    ("requests", "memory", "memory_request"),
    ("limits", "cpu", "cpu_limit"),
    ("limits", "memory", "memory_limit"),
)


def hpa_options(setting: Setting) -> HpaOptions:
    """``setting`` as the options of ``mlscale autoscale``; its policies are the API's own, as those replayed were."""
    window = None if setting.down_window == DEFAULT_WINDOW else f"window={setting.down_window:g}s"
    return HpaOptions(
        max=str(setting.max_replicas),
        min=str(setting.min_replicas),
        cpu=f"{setting.target}%",
        scale_down=window,
    )


def metric_options(low: int, high: int, metric: str) -> HpaOptions:
    """An HPA on ``metric``, spelled as ``--metric`` takes it."""
    return HpaOptions(max=str(high), min=str(low), metrics=(metric,))


def settings_of(options: HpaOptions) -> HpaSettings:
    """The settings that ``options`` come to; raises UsageError as ``parse_settings`` does."""
    return parse_settings(options, _no_kind)


def hpa_manifest(target: Target, name: str, options: HpaOptions) -> Json:
    """The HPA to commit."""
    return build_hpa(name, target, settings_of(options))


def autoscale_command(target: Target, name: str, options: HpaOptions, *, force: bool = False) -> str:
    """``mlscale autoscale deployment/web -n shop --min 2 --max 9 --cpu 65%``; ``force`` takes its fields over."""
    words = ["mlscale", "autoscale", reference(target), "-n", target.namespace]
    words += ["--min", str(options.min), "--max", str(options.max)]
    if options.cpu is not None:
        words += ["--cpu", options.cpu]
    for metric in options.metrics:
        words += ["--metric", metric]
    if options.scale_down is not None:
        words += ["--scale-down", options.scale_down]
    if name != target.name:
        words += ["--name", name]
    if force:
        words.append("--force-conflicts")
    return shlex.join(words)


def scale_command(target: Target, replicas: int) -> str:
    """``mlscale scale deployment/web -n shop --replicas 4``."""
    return shlex.join(["mlscale", "scale", reference(target), "-n", target.namespace, "--replicas", str(replicas)])


def resize_commands(target: Target, resizes: Sequence[Resize]) -> str:
    """``kubectl set resources`` for each container, joined by ``&&``; empty where kubectl cannot do it.

    It knows the containers of built-in kinds (kubectl pkg/cmd/set/set_resources.go), and no init containers.
    """
    if target.kind not in BUILT_IN:
        return ""
    lines = [_resize_command(target, resize) for resize in resizes]
    return " && ".join(lines)


def resize_manifest(target: Target, resizes: Sequence[Resize], sidecars: frozenset[str]) -> Json:
    """The part of the workload that sets the new sizes, for server-side apply; ``sidecars`` are init containers."""
    groups: dict[str, list[Json]] = {}
    for resize in resizes:
        group = "initContainers" if resize.then.container in sidecars else "containers"
        entry = {"name": resize.then.container, "resources": _changed(resize)}
        groups.setdefault(group, []).append(entry)
    return {
        "apiVersion": target.kind.api_version,
        "kind": target.kind.kind,
        "metadata": {"name": target.name, "namespace": target.namespace},
        "spec": {"template": {"spec": groups}},
    }


@dataclass(frozen=True)
class ZeroScaling:
    """How KEDA is to scale a workload that may have no pods."""

    low: int
    """Replicas while requests come, at least 1."""
    high: int
    threshold: float
    """Requests a second for each replica."""
    cooldown: float
    """Seconds without requests after which the last pods go."""
    hpa: str = ""
    """The HPA that KEDA takes over, or else would refuse to work beside."""


PROMETHEUS_PLACE = "http://PROMETHEUS:9090"
REQUESTS_PLACE = "sum(rate(REQUESTS_BEFORE_THEY_REACH_A_POD[2m]))"
"""To be filled in: nothing that a workload's pods measure is there while it has none."""


def scaled_object(target: Target, scaling: ZeroScaling) -> Json:
    """KEDA's object for ``scaling``, but for where the requests are counted, which no pod of the target knows."""
    metadata: Json = {"name": target.name, "namespace": target.namespace}
    spec: Json = {
        "scaleTargetRef": {"apiVersion": target.kind.api_version, "kind": target.kind.kind, "name": target.name},
        # KEDA takes a pod more as the first step from zero; a larger least number needs a field of its own.
        **({"minReplicaCount": 0} if scaling.low <= 1 else {"idleReplicaCount": 0, "minReplicaCount": scaling.low}),
        "maxReplicaCount": scaling.high,
        "cooldownPeriod": round(scaling.cooldown),
    }
    if scaling.hpa:
        metadata["annotations"] = {"scaledobject.keda.sh/transfer-hpa-ownership": "true"}
        spec["advanced"] = {"horizontalPodAutoscalerConfig": {"name": scaling.hpa}}
    trigger = {"serverAddress": PROMETHEUS_PLACE, "query": REQUESTS_PLACE, "threshold": f"{scaling.threshold:g}"}
    spec["triggers"] = [{"type": "prometheus", "metadata": trigger}]
    return {"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "metadata": metadata, "spec": spec}


def hpa_name(target: Target, hpa: Mapping[str, Any] | None) -> str:
    """The name of the HPA to write: that of the one that is there, or the target's."""
    return str(hpa["metadata"]["name"]) if hpa is not None else target.name


def reference(target: Target) -> str:
    """``deployment/web``; with its group for kinds that are not built in."""
    known = target.kind in BUILT_IN or target.kind == HPA
    return f"{target.kind.singular if known else target.kind.resource}/{target.name}"


def _resize_command(target: Target, resize: Resize) -> str:
    words = ["kubectl", "set", "resources", target.kind.singular, target.name, "-n", target.namespace]
    words += ["-c", resize.then.container]
    for kind, amounts in _changed(resize).items():
        words.append(f"--{kind}=" + ",".join(f"{name}={amount}" for name, amount in amounts.items()))
    return shlex.join(words)


def _changed(resize: Resize) -> Json:
    """What ``resize`` sets anew, as in a container's ``resources``."""
    changed: Json = {}
    for kind, name, field in _FIELDS:
        now, then = _of(resize.now, field), _of(resize.then, field)
        if then is not None and then != now:
            changed.setdefault(kind, {})[name] = then
    return changed


def _of(size: Size, field: str) -> str | None:
    amount: str | None = getattr(size, field)
    return amount


def _no_kind(word: str) -> Kind:
    raise LookupError(word)
