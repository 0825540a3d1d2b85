"""The objects of the sandbox, each write under the next resource version, and the log that watches read."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from itertools import takewhile
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

Json = dict[str, Any]
Objects = list[Json]
Key = tuple[str, str]
"""Namespace (empty for a cluster's own object) and name."""

LOG_LENGTH = 10_000
"""Changes of a resource that are kept for watches and continue tokens; one from before them is told 410."""
LEAST_KEPT = 500
"""Changes of a resource that a compaction leaves however old they are."""


class CompactedError(Exception):
    """The changes after the wanted version are no longer all kept."""


@dataclass(frozen=True, slots=True)
class Change:
    """One write. ``before`` is None for an insertion; ``object`` of a removal is its last state."""

    version: int
    type: Literal["ADDED", "MODIFIED", "DELETED"]
    resource: str
    object: Json
    before: Json | None


Changes = list[Change]


@dataclass
class _Log:
    """The latest changes of one resource; all after version ``complete_after`` are there."""

    changes: deque[Change] = field(default_factory=deque)
    complete_after: int = 0

    def add(self, change: Change) -> None:
        self.changes.append(change)
        if len(self.changes) > LOG_LENGTH:
            self.complete_after = self.changes.popleft().version

    def compact(self, version: int) -> None:
        while len(self.changes) > LEAST_KEPT and self.changes[0].version <= version:
            self.complete_after = self.changes.popleft().version


class Store:
    """Objects by resource (``deployments.apps``), namespace and name.

    An object that was stored is never changed in place: who changes one stores a new one. So what a caller
    got stays as it was, and lists need no copies.
    """

    def __init__(self) -> None:
        self.version = 1
        self._objects: dict[str, dict[Key, Json]] = {}
        self._logs: dict[str, _Log] = {}
        self._listeners: list[Callable[[Change], None]] = []

    def get(self, resource: str, namespace: str, name: str) -> Json | None:
        """One object, or None."""
        return self._objects.get(resource, {}).get((namespace, name))

    def list(self, resource: str, namespace: str | None = None) -> list[Json]:
        """The objects of one namespace, or of all, in the order of the keys in etcd."""
        return _in_order(self._objects.get(resource, {}), namespace)

    def list_at(self, resource: str, namespace: str | None, version: int) -> Objects:
        """As ``list``, as it was at ``version``. Raises CompactedError."""
        found = dict(self._objects.get(resource, {}))
        for change in reversed(self.changes(resource, version)):
            if change.before is None:
                del found[_key(change.object)]
            else:
                found[_key(change.object)] = change.before
        return _in_order(found, namespace)

    def put(self, resource: str, obj: Json) -> Json:
        """Store ``obj``, new or in place of the one of its name, and return it with its resource version."""
        before = self._objects.get(resource, {}).get(_key(obj))
        self.version += 1
        metadata = {**obj["metadata"], "resourceVersion": str(self.version)}
        stored = {**obj, "metadata": metadata}
        self._objects.setdefault(resource, {})[_key(obj)] = stored
        self._record(Change(self.version, "MODIFIED" if before else "ADDED", resource, stored, before))
        return stored

    def remove(self, resource: str, namespace: str, name: str) -> Json:
        """Take an object out and return its last state, under the version of the removal. Raises KeyError."""
        before = self._objects[resource].pop((namespace, name))
        self.version += 1
        last = {**before, "metadata": {**before["metadata"], "resourceVersion": str(self.version)}}
        self._record(Change(self.version, "DELETED", resource, last, before))
        return last

    def changes(self, resource: str, after: int) -> Changes:
        """What happened to ``resource`` after a version. Raises CompactedError when that is no longer known."""
        log = self._logs.get(resource)
        if log is None:
            return []
        if after < log.complete_after:
            raise CompactedError
        latest_first = takewhile(lambda change: change.version > after, reversed(log.changes))
        return list(latest_first)[::-1]

    def compact(self, version: int) -> None:
        """Forget the changes up to ``version``, but for the latest of each resource."""
        for log in self._logs.values():
            log.compact(version)

    def subscribe(self, listener: Callable[[Change], None]) -> None:
        """Call ``listener`` with each change, at once and in order."""
        self._listeners.append(listener)

    def _record(self, change: Change) -> None:
        self._logs.setdefault(change.resource, _Log()).add(change)
        for listener in self._listeners:
            listener(change)


def copied(value: Any) -> Any:
    """A deep copy of a JSON value, several times quicker than ``copy.deepcopy``."""
    if isinstance(value, dict):
        return {key: copied(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [copied(inner) for inner in value]
    return value


def _key(obj: Json) -> Key:
    metadata = obj["metadata"]
    return metadata.get("namespace") or "", metadata["name"]


def _in_order(objects: dict[Key, Json], namespace: str | None) -> list[Json]:
    """``a-b/x`` comes before ``a/x``: etcd orders the whole key as one text."""
    keys = objects if namespace is None else (key for key in objects if key[0] == namespace)
    return [objects[key] for key in sorted(keys, key="/".join)]
