"""What there is to say about pods in trouble."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlscale.kube.finding import Finding
from mlscale.kube.pods import group_line, group_troubles, pod_trouble
from mlscale.kube.text import printable

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Sequence
    from datetime import datetime

Json = dict[str, Any]

NOTES = ("SchedulingGated", "Terminating")


def explain_pods(pods: Sequence[Json], now: datetime, *, where: bool = False) -> list[Finding]:
    """One finding for each kind of trouble among ``pods``; ``where`` puts the namespace before names."""
    named = [(_name(pod, where), pod_trouble(pod, now)) for pod in pods]
    troubles = [(name, trouble) for name, trouble in named if trouble]
    return [
        Finding("note" if group.reason in NOTES else "warning", group.reason, group_line(group), f"pod/{group.pods[0]}")
        for group in group_troubles(troubles)
    ]


def explain_unread(unread: Counter[str]) -> list[Finding]:
    """A note on the pods that look troubled by their rows and were not looked at more closely, by STATUS."""
    if not unread:
        return []
    words = ", ".join(f"{count} {printable(status)}" for status, count in unread.most_common())
    message = f"{unread.total()} more pods are not well and were not looked at one by one: {words}"
    return [Finding("note", "MorePods", message)]


def _name(pod: Json, where: bool) -> str:
    metadata = pod.get("metadata") or {}
    return f"{metadata.get('namespace')}/{metadata.get('name')}" if where else str(metadata.get("name"))
