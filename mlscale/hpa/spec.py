"""An HPA from options: parsed, held to the API server's rules, and written as a manifest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlscale.errors import UsageError
from mlscale.frozen import frozen
from mlscale.hpa.behavior import parse_behavior
from mlscale.hpa.metrics import (
    DEFAULT_CPU_PERCENT,
    bare_number_note,
    custom_metric,
    default_metric,
    percent_metric,
    resource_metric,
    scales_to_zero,
)
from mlscale.hpa.numbers import whole_number
from mlscale.kube.finding import Finding
from mlscale.kube.kinds import HPA

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlscale.kube.kinds import Kind
    from mlscale.kube.targets import Target

Json = dict[str, Any]


@frozen
class HpaOptions:
    """The options of ``autoscale`` that say what the HPA is to be, as typed; None or empty where not given."""

    max: str | None = None
    min: str | None = None
    cpu: str | None = None
    cpu_percent: str | None = None
    memory: str | None = None
    container: str | None = None
    metrics: tuple[str, ...] = ()
    scale_up: str | None = None
    scale_down: str | None = None
    tolerance: str | None = None


@frozen
class HpaSettings:
    """What the options come to: an HPA's spec without its target."""

    max_replicas: int
    min_replicas: int | None = None
    """None leaves it to the API server, whose default is 1."""
    metrics: tuple[Json, ...] = ()
    """Empty leaves it to the API server, whose default is 80 % of the requested CPU."""
    behavior: Json | None = None
    notes: tuple[Finding, ...] = ()
    """How options were read."""

    @property
    def effective_min(self) -> int:
        """The minReplicas that will hold."""
        return 1 if self.min_replicas is None else self.min_replicas

    @property
    def effective_metrics(self) -> list[Json]:
        """The metrics that will hold."""
        return list(self.metrics) or [default_metric()]


def parse_settings(options: HpaOptions, kind_of: Callable[[str], Kind]) -> HpaSettings:
    """Parse and check ``options``; ``kind_of`` looks up the TYPE of an object metric.

    Raises UsageError, and what ``kind_of`` raises for an unknown type.
    """
    metrics = _resource_metrics(options)
    metrics += [custom_metric(text, kind_of) for text in options.metrics]
    low, high = _replica_range(options.min, options.max)
    if low == 0 and not scales_to_zero(metrics):
        raise UsageError(
            "--min 0 needs a metric that exists without pods",
            "add --metric object:… or --metric external:…, or give --min 1",
        )
    behavior = parse_behavior(options.scale_up, options.scale_down, options.tolerance)
    return HpaSettings(high, low, tuple(metrics), behavior, _notes(options, metrics))


def build_hpa(name: str, target: Target, settings: HpaSettings) -> Json:
    """The manifest for server-side apply; what was not given is left out, so that the server's default holds."""
    spec: Json = {
        "scaleTargetRef": {
            "apiVersion": target.kind.api_version,
            "kind": target.kind.kind,
            "name": target.name,
        },
        "maxReplicas": settings.max_replicas,
    }
    if settings.min_replicas is not None:
        spec["minReplicas"] = settings.min_replicas
    if settings.metrics:
        spec["metrics"] = list(settings.metrics)
    if settings.behavior is not None:
        spec["behavior"] = settings.behavior
    metadata = {"name": name, "namespace": target.namespace}
    return {"apiVersion": HPA.api_version, "kind": HPA.kind, "metadata": metadata, "spec": spec}


def printed_object(hpa: Json) -> Json:
    """``hpa`` as kubectl prints it with ``-o yaml``: no managedFields, and a status even before there is one.

    A manifest that no server has seen (it has no uid) is printed without its namespace.
    """
    metadata = {key: value for key, value in hpa["metadata"].items() if key != "managedFields"}
    if "uid" not in metadata:
        metadata.pop("namespace", None)
    status = {"currentMetrics": None, "desiredReplicas": 0, **(hpa.get("status") or {})}
    return {**hpa, "metadata": metadata, "status": status}


def _resource_metrics(options: HpaOptions) -> list[Json]:
    container = options.container
    if options.cpu is not None and options.cpu_percent is not None:
        raise UsageError("--cpu-percent and --cpu are mutually exclusive", "give --cpu alone, such as --cpu 50%")
    metrics = []
    if options.cpu is not None:
        metrics.append(resource_metric("--cpu", "cpu", options.cpu, container))
    if options.cpu_percent is not None:
        metrics.append(percent_metric("--cpu-percent", options.cpu_percent, container))
    if options.memory is not None:
        metrics.append(resource_metric("--memory", "memory", options.memory, container))
    if container is not None and not metrics:
        raise UsageError("--container was given without --cpu or --memory", "say what of the container to scale on")
    return metrics


def _replica_range(low: str | None, high: str | None) -> tuple[int | None, int]:
    if high is None:
        raise UsageError("--max is required", "give the most replicas that the HPA may set, such as --max 5")
    most = whole_number("--max", high, low=1, example="5")
    if low is None:
        return None, most
    least = whole_number("--min", low, low=0, example="2")
    if least > most:
        raise UsageError(f"--min {least} is more than --max {most}", "give a --max that is at least --min")
    return least, most


def _notes(options: HpaOptions, metrics: list[Json]) -> tuple[Finding, ...]:
    notes = [
        bare_number_note("--cpu", "cpu", options.cpu or ""),
        bare_number_note("--memory", "memory", options.memory or ""),
    ]
    if not metrics:
        percent = DEFAULT_CPU_PERCENT
        sentence = f"no metric was given, so the API server's default holds: --cpu {percent}% of the requested CPU"
        notes.append(Finding("note", "DefaultMetric", sentence))
    return tuple(note for note in notes if note)
