"""What differs between two specs of an HPA, in lines for a person."""

from __future__ import annotations

from typing import Any

from mlscale.hpa.metrics import source_of
from mlscale.kube.text import printable

Json = dict[str, Any]


def spec_changes(before: Json, after: Json, *, given_only: bool = False) -> tuple[str, ...]:
    """Lines such as ``maxReplicas: 5 -> 6`` or ``metrics cpu: 50% -> (none)``.

    ``given_only`` compares what ``after`` says only: a manifest that has not met the server's defaults yet.
    """
    old, new = _lines(before), _lines(after)
    if given_only:
        # A list of metrics that is given replaces the old one whole.
        replaced = "metrics " if "metrics" in after else "\0"
        old = {field: text for field, text in old.items() if field in new or field.startswith(replaced)}
    return tuple(
        printable(f"{field}: {old.get(field, '(none)')} -> {new.get(field, '(none)')}")
        for field in dict.fromkeys([*old, *new])
        if old.get(field) != new.get(field)
    )


def _lines(spec: Json) -> dict[str, str]:
    """Every setting of ``spec`` by its name, as text."""
    reference = spec.get("scaleTargetRef") or {}
    lines = {"scaleTargetRef": f"{reference.get('kind')}/{reference.get('name')}"}
    for field in ("minReplicas", "maxReplicas"):
        if field in spec:
            lines[field] = str(spec[field])
    for metric in spec.get("metrics") or []:
        lines[f"metrics {_metric_name(metric)}"] = _metric_target(metric)
    for direction, rules in (spec.get("behavior") or {}).items():
        for field, value in (rules or {}).items():
            lines[f"behavior.{direction}.{field}"] = _policies(value) if field == "policies" else str(value)
    return lines


def _metric_name(metric: Json) -> str:
    source = source_of(metric)
    if metric["type"] in ("Resource", "ContainerResource"):
        container = source.get("container")
        return f"{source['name']} of container {container}" if container else str(source["name"])
    identifier = source["metric"]
    labels = ((identifier.get("selector") or {}).get("matchLabels")) or {}
    braces = "{" + ",".join(f"{key}={value}" for key, value in labels.items()) + "}" if labels else ""
    described = source.get("describedObject") or {}
    of = f"{described.get('kind')}/{described.get('name')}:" if described else ""
    return f"{metric['type'].lower()}:{of}{identifier['name']}{braces}"


def _metric_target(metric: Json) -> str:
    target = source_of(metric)["target"]
    if target.get("averageUtilization") is not None:
        return f"{target['averageUtilization']}%"
    return f"avg:{target['averageValue']}" if "averageValue" in target else str(target.get("value"))


def _policies(policies: list[Json]) -> str:
    return ",".join(f"{p['type'].lower()}={p['value']}/{p['periodSeconds']}s" for p in policies)
