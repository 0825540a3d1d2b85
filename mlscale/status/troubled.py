"""Which pods to look at more closely, by their rows: seen one piece of a table at a time, in little memory."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from mlscale.status.model import row_key

if TYPE_CHECKING:
    from mlscale.status.model import KindTable

Json = dict[str, Any]
PodKey = tuple[str, str]
"""Namespace (empty where the rows do not tell) and name."""

LOOKED_AT = 20
"""Pods whose objects are read at most: enough to name the causes, whatever the number of pods."""
_WELL = ("Running", "Completed", "Succeeded")


class TroubledPods:
    """The pods that may be in trouble: how many of each STATUS, and the first few of each by name.

    ``limit`` is how many are looked at in the end, None for all of them; the objects of rows that brought theirs
    are kept beside.
    """

    def __init__(self, limit: int | None = LOOKED_AT) -> None:
        self.counts: Counter[str] = Counter()
        self.objects: dict[PodKey, Json] = {}
        self._limit = limit
        self._first: dict[str, list[PodKey]] = {}

    def note(self, pods: KindTable) -> None:
        """Take in the rows of ``pods`` that look troubled."""
        cells = zip(pods.cells("Ready"), pods.cells("Status"), pods.cells("Restarts"), strict=True)
        for row, (ready, status, restarts) in zip(pods.rows, cells, strict=True):
            if looks_troubled(ready, status, restarts):
                self._note(row, status)

    def chosen(self) -> list[PodKey]:
        """Those to look at, one of each STATUS in turn, so that a rare cause shows beside a common one."""
        if self._limit is None:
            return list(self.objects)
        longest = max(map(len, self._first.values()), default=0)
        turns = [keys[turn] for turn in range(longest) for keys in self._first.values() if turn < len(keys)]
        return turns[: self._limit]

    def unread(self, read: dict[PodKey, Json]) -> Counter[str]:
        """How many of each STATUS are not among those ``read``."""
        known = {key: status for status, keys in self._first.items() for key in keys}
        return self.counts - Counter(known[key] for key in read)

    def _note(self, row: Json, status: str) -> None:
        self.counts[status] += 1
        keys = self._first.setdefault(status, [])
        if self._limit is not None and len(keys) >= self._limit:
            return
        keys.append(row_key(row))
        if "spec" in (row.get("object") or {}):
            self.objects[keys[-1]] = row["object"]


@lru_cache(maxsize=1000)
def looks_troubled(ready: str, status: str, restarts: str) -> bool:
    """Whether a pod with these cells is not Ready, not Running, or was restarted in the last days."""
    if status not in _WELL:
        return True
    count, _, of = ready.partition("/")
    return (status == "Running" and count != of) or _restarted_lately(restarts)


def _restarted_lately(restarts: str) -> bool:
    """``3 (5m ago)``, but not ``0`` and not ``3 (2d4h ago)``: the server writes days from 48 hours on."""
    count, _, age = restarts.partition(" ")
    return count not in ("", "0") and not any(unit in age for unit in ("d", "y"))
