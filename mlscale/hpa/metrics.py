"""What to scale on: the options ``--cpu``, ``--memory`` and ``--metric`` as ``autoscaling/v2`` metric specs.

The grammar of ``--metric`` (VALUE is a quantity such as 10, 500m or 2k)::

    pods:NAME[{label=value,…}]=VALUE                      the average over the pods
    object:TYPE[.VERSION][.GROUP]/NAME:METRIC[{…}]=VALUE  the value of one object's metric
    external:NAME[{…}]=VALUE                              the value of a metric from outside the cluster

``=avg:VALUE`` in place of ``=VALUE`` divides the metric by the number of replicas (AverageValue); for pods,
which are averaged anyway, both say the same. Rules: kubernetes pkg/apis/autoscaling/validation, v1.37.2.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal

from mlscale.errors import UsageError
from mlscale.hpa.integers import INT32_MAX
from mlscale.hpa.numbers import dns_label, dns_subdomain, is_digits, positive_quantity, whole_number
from mlscale.kube.finding import Finding
from mlscale.kube.quantity import NANO, Quantity, parse_quantity

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlscale.kube.kinds import Kind

Json = dict[str, Any]
Resource = Literal["cpu", "memory"]

DEFAULT_CPU_PERCENT = 80
"""What the API server fills in for an HPA without metrics (pkg/apis/autoscaling/v2/defaults.go)."""
BARE_PERCENT_MAX = 1000
"""A bare whole number above this is no likely percentage: ``--memory 1073741824`` means bytes."""

_FORMS = "pods:NAME=AVERAGE, object:TYPE/NAME:METRIC=VALUE or external:NAME{label=value}=VALUE"
_SPELLINGS = {
    "cpu": ("50% of the requested CPU", "500m", "millicores"),
    "memory": ("70% of the requested memory", "200Mi", "an amount"),
}


def resource_metric(option: str, resource: Resource, text: str, container: str | None = None) -> Json:
    """The metric spec of ``--cpu TEXT`` or ``--memory TEXT``, of one container where one is named.

    ``50%`` and a bare ``50`` are a share of the request (Utilization), ``500m`` and ``200Mi`` an average
    a pod (AverageValue). Raises UsageError.
    """
    source: Json = {"name": resource, "target": _resource_target(option, resource, text)}
    if container is None:
        return {"type": "Resource", "resource": source}
    source["container"] = dns_label("--container", container)
    return {"type": "ContainerResource", "containerResource": source}


def percent_metric(option: str, text: str, container: str | None = None) -> Json:
    """The metric spec of kubectl's older ``--cpu-percent N``. Raises UsageError."""
    percent = whole_number(option, text, low=1, example="50")
    return resource_metric(option, "cpu", f"{percent}%", container)


def bare_number_note(option: str, resource: Resource, text: str) -> Finding | None:
    """How a bare whole number was read, since kubectl reads it as an amount; None for any other text."""
    if not is_digits(text):
        return None
    what, unit = ("CPU", "m") if resource == "cpu" else ("memory", "Mi")
    kubectl = f"{text} millicores" if resource == "cpu" else f"{text}Mi"
    return Finding(
        "note",
        "ReadAsPercent",
        f"{option} {text} was read as {int(text)} % of the requested {what} "
        f"(kubectl reads it as {kubectl}: write {text}{unit} for that)",
    )


def default_metric() -> Json:
    """The metric that the API server gives an HPA without any."""
    return resource_metric("--cpu", "cpu", f"{DEFAULT_CPU_PERCENT}%")


def custom_metric(text: str, kind_of: Callable[[str], Kind]) -> Json:
    """The metric spec of ``--metric TEXT``; ``kind_of`` looks up the TYPE of an object metric.

    Raises UsageError, and what ``kind_of`` raises for a type that the server does not have.
    """
    source, colon, rest = text.partition(":")
    name, selector, value = _split_metric(text, rest)
    if not colon or source not in ("pods", "object", "external"):
        raise UsageError(f"--metric {text!r} is not understood", f"write {_FORMS}")
    if source == "object":
        return _object_metric(text, name, selector, value, kind_of)
    metric = _identifier(text, name, selector)
    if source == "external":
        return {"type": "External", "external": {"metric": metric, "target": _value_target(text, value)}}
    target = _value_target(text, value if value.startswith("avg:") else f"avg:{value}")
    return {"type": "Pods", "pods": {"metric": metric, "target": target}}


def source_of(metric: Json) -> Json:
    """The part of a metric spec that is named after its type: ``resource``, ``pods``, ``external``, …"""
    kind = str(metric.get("type") or "")
    return metric.get(kind[:1].lower() + kind[1:]) or {}


def scales_to_zero(metrics: list[Json]) -> bool:
    """Whether minReplicas may be 0: only a metric that exists without pods can start the first one."""
    return any(metric["type"] in ("Object", "External") for metric in metrics)


def _resource_target(option: str, resource: Resource, text: str) -> Json:
    percent, amount, _ = _SPELLINGS[resource]
    hint = f"write {percent.split(' ')[0]} for a share {percent.partition(' ')[2]}, or {amount} for an average a pod"
    if text.endswith("%") and is_digits(text[:-1]):
        return _utilization(whole_number(option, text[:-1], low=1, example=percent.split(" ")[0]))
    if text.rstrip().endswith("%"):
        raise UsageError(f"{option} {text!r} is not a percentage", f"give 1% to {INT32_MAX}%, such as {option} 50%")
    if is_digits(text):
        return _utilization(_bare_percent(option, resource, text))
    if is_digits(text.replace(".", "", 1)):
        raise UsageError(f"{option} {text} could be a share or an amount", _both_spellings(option, resource, text))
    try:
        quantity = positive_quantity(option, text, example=amount)
    except UsageError as error:
        raise UsageError(error.message, hint) from error
    _check_unit(option, resource, text, quantity)
    return {"type": "AverageValue", "averageValue": str(quantity)}


def _utilization(percent: int) -> Json:
    return {"type": "Utilization", "averageUtilization": percent}


def _bare_percent(option: str, resource: Resource, text: str) -> int:
    if len(text) < 20 and int(text) > BARE_PERCENT_MAX:
        raise UsageError(f"{option} {text} could be a share or an amount", _both_spellings(option, resource, text))
    return whole_number(option, text, low=1, high=BARE_PERCENT_MAX, example="50")


def _both_spellings(option: str, resource: Resource, text: str) -> str:
    """For ``0.5``: 50% or 500m; for ``2000``: 2000% or 2000m."""
    quantity = parse_quantity(text) if len(text) < 20 else Quantity(NANO)
    if is_digits(text):
        amount = f"{text}m" if resource == "cpu" else str(Quantity(quantity.nano, "BinarySI"))
        return f"write {text}% or {amount}"
    percent = max(1, quantity.nano * 100 // NANO)
    amount = f"{max(1, quantity.milli_value)}m" if resource == "cpu" else f"{text}Gi"
    return f"write {option} {percent}% or {option} {amount}"


def _check_unit(option: str, resource: Resource, text: str, quantity: Quantity) -> None:
    if resource == "cpu" and quantity.format == "BinarySI":
        raise UsageError(f"{option} {text} has a unit of memory", "give millicores, such as 500m")
    if resource == "memory" and quantity.nano < NANO:
        raise UsageError(f"{option} {text} is less than a byte", "m is a thousandth: write 500M or 500Mi")


def _split_metric(text: str, rest: str) -> tuple[str, str, str]:
    """Name, inside of the braces, value. The braces are split off first: they hold ``=`` too."""
    name, brace, tail = rest.partition("{")
    if not brace:
        name, equals, value = rest.rpartition("=")
        selector = ""
    else:
        selector, closing, after = tail.rpartition("}")
        equals, value = after[:1], after[1:]
        if not closing:
            raise UsageError(f"--metric {text!r} has no closing brace", "write labels as {label=value,label=value}")
    if equals != "=" or not name or not value:
        raise UsageError(f"--metric {text!r} is not understood", f"write {_FORMS}")
    return name, selector, value


def _object_metric(text: str, name: str, selector: str, value: str, kind_of: Callable[[str], Kind]) -> Json:
    reference, _, metric = name.partition(":")
    word, _, object_name = reference.partition("/")
    if not (metric and word and object_name):
        raise UsageError(
            f"--metric {text!r} names no object and metric",
            "write object:TYPE/NAME:METRIC=VALUE, such as object:ingresses.networking.k8s.io/main:requests=2k",
        )
    dns_subdomain(f"--metric {text!r}: the object", object_name)
    identifier, target = _identifier(text, metric, selector), _value_target(text, value)
    kind = kind_of(word)
    described = {"apiVersion": kind.api_version, "kind": kind.kind, "name": object_name}
    return {"type": "Object", "object": {"describedObject": described, "metric": identifier, "target": target}}


def _identifier(text: str, name: str, selector: str) -> Json:
    # IsValidPathSegmentName: the name becomes part of a URL.
    if name in (".", "..") or "/" in name or "%" in name or any(c.isspace() for c in name):
        raise UsageError(f"--metric {text!r}: {name!r} is not a metric's name", "it must not hold '/', '%' or spaces")
    labels = _labels(text, selector)
    return {"name": name, "selector": {"matchLabels": labels}} if labels else {"name": name}


def _labels(text: str, selector: str) -> dict[str, str]:
    labels: dict[str, str] = {}
    for pair in selector.split(",") if selector else []:
        key, equals, value = pair.partition("=")
        if not equals or key in labels or not _is_label(key, value):
            raise UsageError(
                f"--metric {text!r}: {pair!r} is not a label", "write each label once, as {label=value,label=value}"
            )
        labels[key] = value
    return labels


def _is_label(key: str, value: str) -> bool:
    """Whether both are well-formed (apimachinery pkg/util/validation: IsQualifiedName, IsValidLabelValue)."""
    part = r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
    prefix, slash, name = key.rpartition("/")
    if slash and not re.fullmatch(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?", prefix):
        return False
    return bool(re.fullmatch(part, name)) and (not value or bool(re.fullmatch(part, value)))


def _value_target(text: str, value: str) -> Json:
    average = value.startswith("avg:")
    quantity = positive_quantity(f"--metric {text!r}", value.removeprefix("avg:"), example="10, 500m or avg:2k")
    if average:
        return {"type": "AverageValue", "averageValue": str(quantity)}
    return {"type": "Value", "value": str(quantity)}
