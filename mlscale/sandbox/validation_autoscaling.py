"""What is wrong with a HorizontalPodAutoscaler (pkg/apis/autoscaling/validation/validation.go, v1.37.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlscale.kube.quantity import nano_of
from mlscale.sandbox import formats
from mlscale.sandbox.causes import each_invalid, forbidden, invalid, not_negative, not_supported, required
from mlscale.sandbox.validation_resources import container_resource_name_causes, negative_quantity_causes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mlscale.sandbox.statuses import Cause

Json = dict[str, Any]

_MOST_PERIOD_SECONDS = 1800
_MOST_WINDOW_SECONDS = 3600
_TYPES = ("ContainerResource", "External", "Object", "Pods", "Resource")
_SOURCES = ("object", "external", "pods", "resource", "containerResource")
_NO_UTILIZATION = "must set either a target raw value or a target utilization"
_BOTH_UTILIZATION = "may not set both a target raw value and a target utilization"


def autoscaler_causes(spec: Json, before: Json | None) -> Iterator[Cause]:
    """What is wrong with ``spec``; ``before`` is the stored one.

    The bounds of the replicas come last: upstream judges them by declarative validation, after the rest.
    The apiVersion of a scaleTargetRef that keeps its kind and apiVersion is not judged again.
    """
    least, most = spec.get("minReplicas"), spec.get("maxReplicas") or 0
    if least is not None and most < least:
        yield invalid("spec.maxReplicas", most, "must be greater than or equal to `minReplicas`")
    yield from _scale_target(spec, before)
    yield from _metrics("spec.metrics", spec)
    for direction in ("scaleUp", "scaleDown"):
        rules = (spec.get("behavior") or {}).get(direction)
        if rules is not None:
            yield from _rules(f"spec.behavior.{direction}", rules)
    yield from not_negative("spec.minReplicas", least)
    if most == 0:
        yield required("spec.maxReplicas")
    elif most < 0:
        yield invalid("spec.maxReplicas", most, "must be greater than or equal to 1")


def _scale_target(spec: Json, before: Json | None) -> Iterator[Cause]:
    target = spec.get("scaleTargetRef") or {}
    stored = (before or {}).get("scaleTargetRef") or {}
    kept = before is not None and all(stored.get(key) == target.get(key) for key in ("apiVersion", "kind"))
    bare = target.get("kind") == "ReplicationController"
    yield from _reference("spec.scaleTargetRef", target, _api_version_error(target, bare=bare) if not kept else "")


def _reference(path: str, reference: Json, version_error: str) -> Iterator[Cause]:
    for key in ("kind", "name"):
        value = reference.get(key) or ""
        if not value:
            yield required(f"{path}.{key}")
        else:
            yield from each_invalid(f"{path}.{key}", value, formats.path_segment(value))
    if version_error:
        yield invalid(f"{path}.apiVersion", reference.get("apiVersion") or "", version_error)


def _api_version_error(reference: Json, *, bare: bool) -> str:
    """``bare``: the version of the core group, which has no group in it, will do."""
    version = reference.get("apiVersion") or ""
    if version.count("/") > 1:
        return f"unexpected GroupVersion string: {version}"
    return "" if bare or version.find("/") > 0 else "apiVersion must specify API group"


def _metrics(path: str, spec: Json) -> Iterator[Cause]:
    metrics = spec.get("metrics") or []
    for index, metric in enumerate(metrics):
        yield from _metric(f"{path}[{index}]", metric)
    types = {metric.get("type") for metric in metrics}
    if spec.get("minReplicas") == 0 and not types & {"Object", "External"}:
        words = "must specify at least one Object or External metric to support scaling to zero replicas"
        yield forbidden(path, words)


def _metric(path: str, metric: Json) -> Iterator[Cause]:
    kind = metric.get("type") or ""
    if not kind:
        yield required(f"{path}.type", "must specify a metric source type")
    if kind not in _TYPES:
        yield not_supported(f"{path}.type", kind, _TYPES)
    present = [source for source in _SOURCES if metric.get(source) is not None]
    for source in present[:1]:
        yield from _CHECKS[source](f"{path}.{source}", metric[source])
    expected = f"{kind[:1].lower()}{kind[1:]}"
    if kind in _TYPES and expected not in present:
        yield required(f"{path}.{expected}", "must populate information for the given metric source")
    if kind not in _TYPES:
        yield not_supported(f"{path}.type", kind, _TYPES)
    if len(present) != 1:
        for source in present:
            if source != expected:
                yield forbidden(f"{path}.{source}", "must populate the given metric source only")


def _object(path: str, source: Json) -> Iterator[Cause]:
    described = source.get("describedObject") or {}
    yield from _reference(f"{path}.describedObject", described, _api_version_error(described, bare=True))
    yield from _named_target(path, source)
    target = source.get("target") or {}
    if target.get("value") is None and target.get("averageValue") is None:
        yield required(f"{path}.target.averageValue", "must set either a target value or averageValue")


def _external(path: str, source: Json) -> Iterator[Cause]:
    yield from _named_target(path, source)
    target = source.get("target") or {}
    both = [target.get(key) is not None for key in ("value", "averageValue")]
    if not any(both):
        words = "must set either a target value for metric or a per-pod target"
        yield required(f"{path}.target.averageValue", words)
    if all(both):
        yield forbidden(f"{path}.target.value", "may not set both a target value for metric and a per-pod target")


def _pods(path: str, source: Json) -> Iterator[Cause]:
    yield from _named_target(path, source)
    if (source.get("target") or {}).get("averageValue") is None:
        yield required(f"{path}.target.averageValue", "must specify a positive target averageValue")


def _resource(path: str, source: Json) -> Iterator[Cause]:
    if not source.get("name"):
        yield required(f"{path}.name", "must specify a resource name")
    yield from _utilization(path, source)


def _container_resource(path: str, source: Json) -> Iterator[Cause]:
    name, container = source.get("name") or "", source.get("container") or ""
    if not name:
        yield required(f"{path}.name", "must specify a resource name")
    else:
        yield from container_resource_name_causes(f"{path}.name", name)
    if not container:
        yield required(f"{path}.container", "must specify a container")
    else:
        yield from each_invalid(f"{path}.container", container, formats.dns_label(container))
    yield from _utilization(path, source)


def _utilization(path: str, source: Json) -> Iterator[Cause]:
    target = source.get("target") or {}
    yield from _target_value(f"{path}.target", target)
    both = [target.get(key) is not None for key in ("averageUtilization", "averageValue")]
    if not any(both):
        yield required(f"{path}.target.averageUtilization", _NO_UTILIZATION)
    if all(both):
        yield forbidden(f"{path}.target.averageValue", _BOTH_UTILIZATION)


def _named_target(path: str, source: Json) -> Iterator[Cause]:
    name = (source.get("metric") or {}).get("name") or ""
    if not name:
        yield required(f"{path}.metric.name", "must specify a metric name")
    else:
        yield from each_invalid(f"{path}.metric.name", name, formats.path_segment(name))
    yield from _target_value(f"{path}.target", source.get("target") or {})


def _target_value(path: str, target: Json) -> Iterator[Cause]:
    kind = target.get("type") or ""
    if not kind:
        yield required(f"{path}.type", "must specify a metric target type")
    if kind not in ("Utilization", "Value", "AverageValue"):
        yield invalid(f"{path}.type", kind, "must be either Utilization, Value, or AverageValue")
    for key in ("value", "averageValue"):
        if target.get(key) is not None and nano_of(target[key]) <= 0:
            yield invalid(f"{path}.{key}", target[key], "must be positive")
    utilization = target.get("averageUtilization")
    if utilization is not None and utilization < 1:
        yield invalid(f"{path}.averageUtilization", utilization, "must be greater than 0")


def _rules(path: str, rules: Json) -> Iterator[Cause]:
    window, select = rules.get("stabilizationWindowSeconds"), rules.get("selectPolicy")
    if window is not None and window < 0:
        yield invalid(f"{path}.stabilizationWindowSeconds", window, "must be greater than or equal to zero")
    if window is not None and window > _MOST_WINDOW_SECONDS:
        words = f"must be less than or equal to {_MOST_WINDOW_SECONDS}"
        yield invalid(f"{path}.stabilizationWindowSeconds", window, words)
    if select is not None and select not in ("Disabled", "Max", "Min"):
        yield not_supported(f"{path}.selectPolicy", select, ("Disabled", "Max", "Min"))
    if not rules.get("policies"):
        yield required(f"{path}.policies", "must specify at least one Policy")
    for index, policy in enumerate(rules.get("policies") or []):
        yield from _policy(f"{path}.policies[{index}]", policy)
    if rules.get("tolerance") is not None:
        yield from negative_quantity_causes(f"{path}.tolerance", rules["tolerance"])


def _policy(path: str, policy: Json) -> Iterator[Cause]:
    if policy.get("type") not in ("Pods", "Percent"):
        yield not_supported(f"{path}.type", policy.get("type") or "", ("Percent", "Pods"))
    for key in ("value", "periodSeconds"):
        if (policy.get(key) or 0) <= 0:
            yield invalid(f"{path}.{key}", policy.get(key) or 0, "must be greater than zero")
    if (policy.get("periodSeconds") or 0) > _MOST_PERIOD_SECONDS:
        words = f"must be less than or equal to {_MOST_PERIOD_SECONDS}"
        yield invalid(f"{path}.periodSeconds", policy["periodSeconds"], words)


_CHECKS: dict[str, Callable[[str, Json], Iterator[Cause]]] = {
    "object": _object,
    "external": _external,
    "pods": _pods,
    "resource": _resource,
    "containerResource": _container_resource,
}
