"""What the containers of a pod use that no traffic explains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mlscale.kube.quantity import NANO, InvalidQuantityError, nano_of

Json = dict[str, Any]

CPU_ANNOTATION = "kwok.x-k8s.io/usage-cpu"
MEMORY_ANNOTATION = "kwok.x-k8s.io/usage-memory"


@dataclass(frozen=True, slots=True)
class Usage:
    """CPU in cores, memory (the working set) in bytes."""

    cpu: float
    memory: int


IDLE = Usage(0.001, 2**20)
"""As kwok's ClusterResourceUsage has it for a pod without annotations."""


def is_annotated(pod: Json) -> bool:
    """Whether its annotations say what it uses."""
    annotations = pod["metadata"].get("annotations") or {}
    return CPU_ANNOTATION in annotations or MEMORY_ANNOTATION in annotations


def annotated_usage(pod: Json) -> Usage:
    """What each container of a pod uses by its annotations; what they do not say in a quantity is as of an idle pod."""
    annotations = pod["metadata"].get("annotations") or {}
    cpu = _amount(annotations.get(CPU_ANNOTATION), IDLE.cpu)
    return Usage(cpu, round(_amount(annotations.get(MEMORY_ANNOTATION), float(IDLE.memory))))


def _amount(text: str | None, default: float) -> float:
    try:
        return nano_of(text) / NANO if text else default
    except InvalidQuantityError:
        return default
