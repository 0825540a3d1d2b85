"""Watches: the changes of a resource as events, as the selectors of the watch see them.

From apiserver pkg/storage/cacher/cache_watcher.go, v1.37.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlscale.sandbox.lists import LIST_OPTIONS, Selection, parse_selection, parse_version
from mlscale.sandbox.statuses import Cause, expired, internal_error, invalid
from mlscale.sandbox.store import CompactedError

if TYPE_CHECKING:
    from mlscale.kube.kinds import Kind
    from mlscale.sandbox.store import Change, Store

Json = dict[str, Any]

_INITIAL_EVENTS_END = {"k8s.io/initial-events-end": "true"}


@dataclass(frozen=True)
class WatchOptions:
    """What a watch asks for, as its query has it."""

    labels: str = ""
    fields: str = ""
    version: str = ""
    match: str = ""
    bookmarks: bool = False
    initial_events: bool | None = None
    """sendInitialEvents; None where the query does not say."""


class Watch:
    """The events of one watch, taken as they come; synchronous, so who streams asks from time to time."""

    def __init__(self, store: Store, kind: Kind, namespace: str | None, options: WatchOptions) -> None:
        """Raises StatusError 400, 422 and 500 for options that make no sense."""
        _check(options)
        self._store = store
        self._kind = kind
        self._namespace = namespace
        self._bookmarks = options.bookmarks
        self._selection = parse_selection(kind, options.labels, options.fields)
        version = parse_version(options.version)
        is_listed = options.initial_events or (options.initial_events is None and not version)
        self._version = store.version if is_listed or not version else version
        self._waiting = self._initial(options) if is_listed else []
        self.ended = False
        """Whether the last event was an ERROR, after which there are no more."""

    def take(self) -> list[Json]:
        """The events since the last call, in order; ``{"type": …, "object": …}`` each."""
        if self.ended:
            return []
        events, self._waiting = self._waiting, []
        try:
            changes = self._store.changes(self._kind.resource, self._version)
        except CompactedError:
            self.ended = True
            message = f"too old resource version: {self._version} ({self._store.version})"
            return [*events, {"type": "ERROR", "object": expired(message).body()}]
        self._version = self._store.version
        return events + [event for change in changes if (event := self._event(change))]

    def bookmark(self) -> list[Json]:
        """A BOOKMARK that says how far this watch has come; none for a watch that did not ask for them.

        What ``take`` has not yet given comes before it, so call ``take`` first.
        """
        if not self._bookmarks or self.ended:
            return []
        return [self._bookmark({})]

    def _initial(self, options: WatchOptions) -> list[Json]:
        objects = self._store.list(self._kind.resource, self._namespace)
        events: list[Json] = [{"type": "ADDED", "object": obj} for obj in objects if self._selection.matches(obj)]
        if options.bookmarks:
            events.append(self._bookmark({"annotations": _INITIAL_EVENTS_END}))
        return events

    def _bookmark(self, metadata: Json) -> Json:
        """A kind's own object with little in it; what of spec and status upstream shows there has no meaning."""
        metadata = {"resourceVersion": str(self._version), **metadata}
        obj = {"kind": self._kind.kind, "apiVersion": self._kind.api_version, "metadata": metadata}
        return {"type": "BOOKMARK", "object": obj}

    def _event(self, change: Change) -> Json | None:
        if self._namespace is not None and change.object["metadata"].get("namespace", "") != self._namespace:
            return None
        type_ = transition(self._selection, change)
        if type_ is None:
            return None
        if type_ == "DELETED" and change.type == "MODIFIED":
            return {"type": type_, "object": _before(change)}
        return {"type": type_, "object": change.object}


def transition(selection: Selection, change: Change) -> str | None:
    """ADDED where the object has come into the selection, DELETED where it has left it, None where it is outside."""
    is_in = change.type != "DELETED" and selection.matches(change.object)
    was_in = change.before is not None and selection.matches(change.before)
    if is_in:
        return "MODIFIED" if was_in else "ADDED"
    return "DELETED" if was_in else None


def _before(change: Change) -> Json:
    """The object as the selection last saw it, under the version of the change that took it out."""
    before = change.before or change.object
    return {**before, "metadata": {**before["metadata"], "resourceVersion": str(change.version)}}


def _check(options: WatchOptions) -> None:
    if causes := _match_causes(options):
        raise invalid(LIST_OPTIONS, "", causes)
    try:
        parse_version(options.version)
    except ValueError as error:
        raise internal_error(str(error)) from error


def _match_causes(options: WatchOptions) -> list[Cause]:
    causes, match = [], options.match
    if options.initial_events is not None and match != "NotOlderThan":
        why = "Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
        causes.append(Cause("resourceVersionMatch", "FieldValueForbidden", why))
    if options.initial_events is None and match:
        why = "Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"
        causes.append(Cause("resourceVersionMatch", "FieldValueForbidden", why))
    if match not in ("", "NotOlderThan"):
        why = f'Unsupported value: "{match}": supported values: "NotOlderThan"'
        causes.append(Cause("resourceVersionMatch", "FieldValueNotSupported", why))
    return causes
