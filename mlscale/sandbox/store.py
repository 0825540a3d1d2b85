"""The objects of the sandbox, each write under the next resource version, and the log that watches read."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

Json = dict[str, Any]
Key = tuple[str, str]
"""Namespace (empty for a cluster's own object) and name."""

LOG_LENGTH = 10_000
"""Changes that are kept for watches and continue tokens; a watch from before them is told 410 Gone."""


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


class Store:
    """Objects by resource (``deployments.apps``), namespace and name.

    An object that was stored is never changed in place: who changes one stores a new one. So what a caller
    got stays as it was, and lists need no copies.
    """

    def __init__(self) -> None:
        self.version = 1
        self._objects: dict[str, dict[Key, Json]] = {}
        self._log: deque[Change] = deque(maxlen=LOG_LENGTH)
        self._listeners: list[Callable[[Change], None]] = []

    def get(self, resource: str, namespace: str, name: str) -> Json | None:
        """One object, or None."""
        return self._objects.get(resource, {}).get((namespace, name))

    def list(self, resource: str, namespace: str | None = None) -> list[Json]:
        """The objects of one namespace, or of all, by namespace and name."""
        found = self._objects.get(resource, {})
        keys = found if namespace is None else (key for key in found if key[0] == namespace)
        return [found[key] for key in sorted(keys)]

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

    def changes(self, resource: str, after: int) -> list[Change]:
        """What happened to ``resource`` after a version. Raises CompactedError when that is no longer known."""
        oldest = self._log[0].version if self._log else self.version + 1
        if after < oldest - 1 and len(self._log) == LOG_LENGTH:
            raise CompactedError
        return [change for change in self._log if change.version > after and change.resource == resource]

    def subscribe(self, listener: Callable[[Change], None]) -> None:
        """Call ``listener`` with each change, at once and in order."""
        self._listeners.append(listener)

    def _record(self, change: Change) -> None:
        self._log.append(change)
        for listener in self._listeners:
            listener(change)


def _key(obj: Json) -> Key:
    metadata = obj["metadata"]
    return metadata.get("namespace") or "", metadata["name"]
