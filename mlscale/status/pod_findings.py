"""Which pods to look at more closely, by their rows, and what to say about them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from mlscale.kube.finding import Finding
from mlscale.kube.pods import group_line, group_troubles, pod_trouble
from mlscale.kube.text import printable
from mlscale.status.model import KindTable, row_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

Json = dict[str, Any]
PodKey = tuple[str, str]

LOOKED_AT = 20
"""Pods whose objects are read at most: enough to name the causes, whatever the number of pods."""
NOTES = ("SchedulingGated", "Terminating")
_WELL = ("Running", "Completed", "Succeeded")


def troubled_rows(pods: KindTable) -> dict[PodKey, str]:
    """The pods that may be in trouble and their STATUS cell: not Ready, not Running, or restarted in the last days."""
    cells = zip(pods.cells("Ready"), pods.cells("Status"), pods.cells("Restarts"), strict=True)
    return {
        row_key(row): status
        for row, (ready, status, restarts) in zip(pods.rows, cells, strict=True)
        if _looks_troubled(ready, status, restarts)
    }


def choose_pods(troubled: dict[PodKey, str], limit: int = LOOKED_AT) -> list[PodKey]:
    """At most ``limit`` of the pods, one of each STATUS in turn, so that a rare cause shows beside a common one."""
    by_status: dict[str, list[PodKey]] = {}
    for key, status in troubled.items():
        by_status.setdefault(status, []).append(key)
    longest = max(map(len, by_status.values()), default=0)
    turns = (keys[turn] for turn in range(longest) for keys in by_status.values() if turn < len(keys))
    return [key for _, key in zip(range(limit), turns, strict=False)]


def explain_pods(pods: Sequence[Json], now: datetime, *, where: bool = False) -> list[Finding]:
    """One finding for each kind of trouble among ``pods``; ``where`` puts the namespace before names."""
    named = [(_name(pod, where), pod_trouble(pod, now)) for pod in pods]
    troubles = [(name, trouble) for name, trouble in named if trouble]
    return [
        Finding("note" if group.reason in NOTES else "warning", group.reason, group_line(group), f"pod/{group.pods[0]}")
        for group in group_troubles(troubles)
    ]


def explain_unread(troubled: dict[PodKey, str], read: Iterable[PodKey]) -> list[Finding]:
    """A note on the pods that look troubled by their rows and were not looked at more closely."""
    looked_at = set(read)
    statuses = Counter(status for key, status in troubled.items() if key not in looked_at)
    if not statuses:
        return []
    words = ", ".join(f"{count} {printable(status)}" for status, count in statuses.most_common())
    message = f"{statuses.total()} more pods are not well and were not looked at one by one: {words}"
    return [Finding("note", "MorePods", message)]


def _looks_troubled(ready: str, status: str, restarts: str) -> bool:
    if status not in _WELL:
        return True
    count, _, of = ready.partition("/")
    return (status == "Running" and count != of) or _restarted_lately(restarts)


def _restarted_lately(restarts: str) -> bool:
    """``3 (5m ago)``, but not ``0`` and not ``3 (2d4h ago)``: the server writes days from 48 hours on."""
    count, _, age = restarts.partition(" ")
    return count not in ("", "0") and not any(unit in age for unit in ("d", "y"))


def _name(pod: Json, where: bool) -> str:
    metadata = pod.get("metadata") or {}
    return f"{metadata.get('namespace')}/{metadata.get('name')}" if where else str(metadata.get("name"))
