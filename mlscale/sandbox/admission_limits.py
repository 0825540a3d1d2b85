"""What LimitRanges make of a new pod, and refuse (plugin/pkg/admission/limitranger/admission.go, v1.37.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlscale.kube.pod_resources import pod_limits, pod_requests
from mlscale.kube.quantity import NANO, Quantity, nano_of, parse_quantity

if TYPE_CHECKING:
    from collections.abc import Iterator

Json = dict[str, Any]

_ANNOTATION = "kubernetes.io/limit-ranger"


def with_limit_defaults(limit_ranges: list[Json], pod: Json) -> Json:
    """``pod`` with the requests and limits that its containers leave to ``limit_ranges``, and a note of them."""
    for limit_range in limit_ranges:
        pod = _with_defaults(limit_range, pod)
    return pod


def limit_refusal(limit_ranges: list[Json], pod: Json) -> str:
    """Why the first LimitRange whose bounds ``pod`` breaks refuses it; empty if none does."""
    for limit_range in limit_ranges:
        broken = list(dict.fromkeys(_broken(limit_range, pod["spec"])))
        if broken:
            return broken[0] if len(broken) == 1 else f"[{', '.join(broken)}]"
    return ""


def _with_defaults(limit_range: Json, pod: Json) -> Json:
    limits, requests = _container_defaults(limit_range)
    spec, notes = dict(pod["spec"]), []
    for key, word in (("containers", "container"), ("initContainers", "init container")):
        if spec.get(key):
            filled = [_filled(container, word, limits, requests) for container in spec[key]]
            spec[key] = [container for container, _ in filled]
            notes += [note for _, said in filled for note in said]
    if not notes:
        return pod
    annotations = {**(pod["metadata"].get("annotations") or {})}
    annotations[_ANNOTATION] = f"LimitRanger plugin set: {'; '.join(notes)}"
    return {**pod, "metadata": {**pod["metadata"], "annotations": annotations}, "spec": spec}


def _container_defaults(limit_range: Json) -> tuple[Json, Json]:
    limits: Json = {}
    requests: Json = {}
    for item in (limit_range.get("spec") or {}).get("limits") or []:
        if item.get("type") == "Container":
            limits |= item.get("default") or {}
            requests |= item.get("defaultRequest") or {}
    return limits, requests


def _filled(container: Json, word: str, limits: Json, requests: Json) -> tuple[Json, list[str]]:
    resources, notes = dict(container.get("resources") or {}), []
    for key, kind, defaults in (("requests", "request", requests), ("limits", "limit", limits)):
        held = resources.get(key) or {}
        missing = {name: amount for name, amount in defaults.items() if name not in held}
        if missing:
            resources[key] = {**held, **missing}
            notes.append(f"{', '.join(sorted(missing))} {kind} for {word} {container.get('name') or ''}")
    return {**container, "resources": resources}, notes


def _broken(limit_range: Json, spec: Json) -> Iterator[str]:
    for item in (limit_range.get("spec") or {}).get("limits") or []:
        if item.get("type") == "Container":
            for container in [*(spec.get("containers") or []), *(spec.get("initContainers") or [])]:
                resources = container.get("resources") or {}
                yield from _bounds(item, resources.get("requests") or {}, resources.get("limits") or {})
        elif item.get("type") == "Pod":
            requests = _texts(spec, "requests", pod_requests(spec, overhead=False))
            yield from _bounds(item, requests, _texts(spec, "limits", pod_limits(spec, overhead=False)))


def _texts(spec: Json, kind: str, totals: dict[str, int]) -> Json:
    """Sums as Go writes them: in the form of the first amount that went into each."""
    return {name: str(Quantity(nano, _format(spec, kind, name))) for name, nano in totals.items()}


def _format(spec: Json, kind: str, name: str) -> Any:
    for container in [*(spec.get("containers") or []), *(spec.get("initContainers") or [])]:
        amount = ((container.get("resources") or {}).get(kind) or {}).get(name)
        if amount is not None and nano_of(amount):
            return parse_quantity(amount).format
    return "DecimalSI"


def _bounds(item: Json, requests: Json, limits: Json) -> Iterator[str]:
    kind = item["type"]
    for name, bound in sorted((item.get("min") or {}).items()):
        yield from _least(f"minimum {name} usage per {kind} is {bound}", bound, requests.get(name), limits.get(name))
    for name, bound in sorted((item.get("max") or {}).items()):
        yield from _most(f"maximum {name} usage per {kind} is {bound}", bound, requests.get(name), limits.get(name))
    for name, bound in sorted((item.get("maxLimitRequestRatio") or {}).items()):
        words = f"{name} max limit to request ratio per {kind} is {bound}"
        yield from _ratio(words, bound, requests.get(name), limits.get(name))


def _least(words: str, bound: str, request: str | None, limit: str | None) -> Iterator[str]:
    if request is None:
        yield f"{words}.  No request is specified"
    elif nano_of(request) < nano_of(bound):
        yield f"{words}, but request is {request}"
    elif limit is not None and nano_of(limit) < nano_of(bound):
        yield f"{words}, but limit is {limit}"


def _most(words: str, bound: str, request: str | None, limit: str | None) -> Iterator[str]:
    if limit is None:
        yield f"{words}.  No limit is specified"
    elif nano_of(limit) > nano_of(bound):
        yield f"{words}, but limit is {limit}"
    elif request is not None and nano_of(request) > nano_of(bound):
        yield f"{words}, but request is {request}"


def _ratio(words: str, bound: str, request: str | None, limit: str | None) -> Iterator[str]:
    if request is None or not nano_of(request):
        yield f"{words}, but no request is specified or request is 0"
    elif limit is None or not nano_of(limit):
        yield f"{words}, but no limit is specified or limit is 0"
    elif nano_of(limit) * NANO > nano_of(bound) * nano_of(request):
        yield f"{words}, but provided ratio is {nano_of(limit) / nano_of(request):.6f}"
