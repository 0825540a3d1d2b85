"""What a write to ``pods/resize`` changes: the requests and limits of containers, and nothing else.

The rules are those of kubernetes pkg/registry/core/pod/strategy.go (podResizeStrategy) and
pkg/apis/core/validation/validation.go (ValidatePodResize), v1.37.2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlscale.sandbox.causes import forbidden, invalid
from mlscale.sandbox.preparation import quality_of_service

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlscale.sandbox.statuses import Cause

Json = dict[str, Any]

RESIZE = "resize"
_GROUPS = ("containers", "initContainers")
_MUTABLE = ("cpu", "memory")


def resized(before: Json, body: Json) -> Json:
    """``before`` with the resources of the containers of ``body``; where those are others, as ``body`` has them."""
    spec = dict(before["spec"])
    for group in _GROUPS:
        own, sent = spec.get(group) or [], (body.get("spec") or {}).get(group) or []
        if [each["name"] for each in own] != [each.get("name") for each in sent]:
            spec[group] = sent
        elif own:
            spec[group] = [_sized(old, new) for old, new in zip(own, sent, strict=True)]
    return {**before, "spec": {name: value for name, value in spec.items() if value}}


def _sized(container: Json, sent: Json) -> Json:
    return {**container, "resources": sent.get("resources") or {}}


def resize_causes(before: Json, after: Json) -> Iterator[Cause]:
    """What a resize may not do."""
    for group in _GROUPS:
        own, sent = before["spec"].get(group) or [], after["spec"].get(group) or []
        if [each["name"] for each in own] != [each.get("name") for each in sent]:
            yield forbidden(f"spec.{group}", f"{group} may not be added or removed on resize")
            return
    if before["status"].get("qosClass") != quality_of_service(after["spec"]):
        held = before["status"].get("qosClass") or ""
        yield invalid("spec", held, "Pod QOS Class may not change as a result of resizing")
    if _fixed(before) != _fixed(after):
        yield forbidden("spec", "only cpu and memory resources are mutable")
    for group in _GROUPS:
        for index, (old, new) in enumerate(zip(before["spec"].get(group) or [], after["spec"].get(group) or [])):  # noqa: B905
            yield from _removed(f"spec.{group}[{index}].resources", old, new)


def _removed(path: str, old: Json, new: Json) -> Iterator[Cause]:
    for kind in ("requests", "limits"):
        held, kept = ((each.get("resources") or {}).get(kind) or {} for each in (old, new))
        if any(name in held and name not in kept for name in _MUTABLE):
            yield forbidden(f"{path}.{kind}", f"resource {kind} cannot be removed")


def _fixed(pod: Json) -> list[Json]:
    """The amounts that a resize has to leave."""
    return [
        {name: amount for name, amount in ((container.get("resources") or {}).get(kind) or {}).items()
         if name not in _MUTABLE}
        for group in _GROUPS
        for container in pod["spec"].get(group) or []
        for kind in ("requests", "limits")
    ]  # fmt: skip
