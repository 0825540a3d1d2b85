"""Events as the control plane's components record them: counted, combined when alike, and limited.

The rules are those of k8s.io/client-go tools/record/events_cache.go and tools/events/event_broadcaster.go, v0.37.2.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from mlscale.sandbox.agenda import timestamp
from mlscale.sandbox.statuses import StatusError

if TYPE_CHECKING:
    from mlscale.sandbox.agenda import Agenda
    from mlscale.sandbox.store import Change, Key, Store
    from mlscale.sandbox.verbs import Api, Caller

Json = dict[str, Any]

ALIKE_BEFORE_COMBINED = 10
"""From so many different messages of one reason on, they share one event."""
ALIKE_WITHIN = timedelta(seconds=600)
BURST = 25
"""Events of one type that a component may record about an object at once; then one in REFILL."""
REFILL = timedelta(seconds=300)
SERIES_REFRESH = timedelta(minutes=30)
SERIES_ENDS_AFTER = timedelta(minutes=6)
KEPT = timedelta(hours=1)
"""kube-apiserver --event-ttl."""
EXPIRY_CHECK = 60.0

REMEMBERED = 4096
"""Entries that a recorder keeps of each kind; the longest unused are forgotten."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass
class _Tokens:
    left: float
    since: datetime


@dataclass
class _Alike:
    messages: list[str] = field(default_factory=list)
    last: datetime = _EPOCH


class EventRecorder:
    """Records the events of one component, as the recorder of client-go tools/record does."""

    def __init__(
        self, api: Api, names: EventNames, agenda: Agenda, caller: Caller, component: str, host: str = ""
    ) -> None:
        self._api = api
        self._agenda = agenda
        self._caller = caller
        self._component = component
        self._host = host
        self._names = names
        self._tokens: dict[tuple[str, ...], _Tokens] = {}
        self._alike: dict[tuple[str, ...], _Alike] = {}
        self._recorded: dict[tuple[str, ...], Key] = {}

    def record(self, about: Json, event_type: str, reason: str, message: str, field_path: str = "") -> None:
        """Record that something happened to ``about``; ``event_type`` is ``Normal`` or ``Warning``.

        An event that cannot be written (the namespace ends) is lost, as it is upstream.
        """
        regarding = reference(about, field_path)
        identity = (regarding["kind"], regarding.get("namespace", ""), regarding["name"], regarding.get("uid", ""))
        same = (*identity, event_type, reason)
        key: tuple[str, ...] = (*same, field_path, message)
        if self._combines(same, message):
            key, message = same, f"(combined from similar events): {message}"
        if self._admits((*identity, event_type)):
            self._write(key, regarding, event_type, reason, message)

    def _combines(self, same: tuple[str, ...], message: str) -> bool:
        now = self._agenda.now
        alike = self._alike.get(same)
        if alike is None or now - alike.last > ALIKE_WITHIN:
            alike = _Alike()
        _remember(self._alike, same, alike)
        alike.last = now
        if message not in alike.messages:
            alike.messages.append(message)
        if len(alike.messages) < ALIKE_BEFORE_COMBINED:
            return False
        alike.messages.pop(0)
        return True

    def _admits(self, source: tuple[str, ...]) -> bool:
        now = self._agenda.now
        tokens = self._tokens.get(source) or _Tokens(BURST, now)
        _remember(self._tokens, source, tokens)
        tokens.left = min(BURST, tokens.left + (now - tokens.since) / REFILL)
        tokens.since = now
        if tokens.left < 1:
            return False
        tokens.left -= 1
        return True

    def _write(self, key: tuple[str, ...], regarding: Json, event_type: str, reason: str, message: str) -> None:
        events, now = self._api.resources["events"], timestamp(self._agenda.now)
        place = self._recorded.get(key)
        try:
            if place is not None:
                known = self._api.get(events, *place)
                again = {**known, "count": known["count"] + 1, "lastTimestamp": now, "message": message}
                self._api.update(events, *place, again, self._caller)
                return
        except StatusError:
            pass
        event = self._event(regarding, event_type, reason, message, now)
        try:
            self._api.create(events, event["metadata"]["namespace"], event, self._caller)
        except StatusError:
            return
        _remember(self._recorded, key, (event["metadata"]["namespace"], event["metadata"]["name"]))

    def _event(self, regarding: Json, event_type: str, reason: str, message: str, now: str) -> Json:
        source = {"component": self._component} | ({"host": self._host} if self._host else {})
        return {
            **self._names.head(regarding),
            "involvedObject": regarding,
            "reason": reason,
            "message": message,
            "source": source,
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
            "type": event_type,
            "eventTime": None,
            "reportingComponent": self._component,
            "reportingInstance": self._host,
        }


class SeriesRecorder:
    """Records the events of one component, as the recorder of client-go tools/events (the scheduler's) does.

    What happens again to an object that has not changed makes a series: written the second time, then at most
    once in 30 minutes.
    """

    def __init__(
        self, api: Api, names: EventNames, agenda: Agenda, caller: Caller, component: str, instance: str
    ) -> None:
        self._api = api
        self._agenda = agenda
        self._caller = caller
        self._component = component
        self._instance = instance
        self._names = names
        self._series: dict[tuple[str, ...], _Series] = {}

    def record(self, about: Json, event_type: str, reason: str, action: str, message: str) -> None:
        """Record that something happened to ``about``; ``event_type`` is ``Normal`` or ``Warning``."""
        regarding = reference(about)
        key = (regarding.get("uid", ""), regarding.get("resourceVersion", ""), event_type, reason, action)
        series = self._series.get(key)
        try:
            if series is not None and self._agenda.now - series.last <= SERIES_ENDS_AFTER:
                self._again(series)
                return
            event = self._event(regarding, event_type, reason, action, message)
            place = (event["metadata"]["namespace"], event["metadata"]["name"])
            self._api.create(self._api.resources["events"], place[0], event, self._caller)
        except StatusError:
            return
        _remember(self._series, key, _Series(place, self._agenda.now))

    def _again(self, series: _Series) -> None:
        series.count += 1
        series.last = self._agenda.now
        if series.written is not None and self._agenda.now - series.written < SERIES_REFRESH:
            return
        series.written = self._agenda.now
        events = self._api.resources["events"]
        known = self._api.get(events, *series.place)
        seen = {"count": series.count, "lastObservedTime": micro_time(self._agenda.now)}
        self._api.update(events, *series.place, {**known, "series": seen}, self._caller)

    def _event(self, regarding: Json, event_type: str, reason: str, action: str, message: str) -> Json:
        return {
            **self._names.head(regarding),
            "involvedObject": regarding,
            "reason": reason,
            "message": message,
            "source": {},
            "firstTimestamp": None,
            "lastTimestamp": None,
            "type": event_type,
            "eventTime": micro_time(self._agenda.now),
            "action": action,
            "reportingComponent": self._component,
            "reportingInstance": self._instance,
        }


@dataclass
class _Series:
    place: Key
    last: datetime
    count: int = 1
    written: datetime | None = None


class EventNames:
    """Names for events as client-go makes them: the object's and the moment in nanoseconds.

    All recorders share them: what happens at one simulated moment still has to get different names.
    """

    def __init__(self, agenda: Agenda) -> None:
        self._agenda = agenda
        self._last = 0

    def head(self, regarding: Json) -> Json:
        """The apiVersion, kind and metadata of a new event."""
        since = self._agenda.now - _EPOCH
        nanoseconds = (since.days * 86_400 + since.seconds) * 10**9 + since.microseconds * 1_000
        self._last = max(nanoseconds, self._last + 1)
        name = f"{regarding['name']}.{self._last:x}"
        namespace = regarding.get("namespace") or "default"
        return {"apiVersion": "v1", "kind": "Event", "metadata": {"name": name, "namespace": namespace}}


class EventExpiry:
    """Removes events an hour after their last write."""

    def __init__(self, store: Store, agenda: Agenda) -> None:
        self._store = store
        self._agenda = agenda
        self._due: deque[tuple[datetime, Key, str]] = deque()
        agenda.every(EXPIRY_CHECK, self._expire)

    def observe(self, change: Change) -> None:
        """Take note of a write to an event."""
        metadata = change.object["metadata"]
        if change.type != "DELETED":
            key = (metadata["namespace"], metadata["name"])
            self._due.append((self._agenda.now + KEPT, key, metadata["resourceVersion"]))

    def _expire(self) -> None:
        while self._due and self._due[0][0] <= self._agenda.now:
            _, (namespace, name), version = self._due.popleft()
            event = self._store.get("events", namespace, name)
            if event is not None and event["metadata"]["resourceVersion"] == version:
                self._store.remove("events", namespace, name)


def reference(about: Json, field_path: str = "") -> Json:
    """An ObjectReference to ``about``, as client-go tools/reference/ref.go makes it."""
    metadata = about["metadata"]
    found: Json = {"kind": about["kind"], "namespace": metadata.get("namespace"), "name": metadata["name"]}
    found |= {"uid": metadata.get("uid"), "apiVersion": about["apiVersion"]}
    found |= {"resourceVersion": metadata.get("resourceVersion"), "fieldPath": field_path}
    return {name: value for name, value in found.items() if value}


def micro_time(moment: datetime) -> str:
    """A MicroTime as the API writes it: ``2026-11-24T08:00:00.000000Z``."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _remember(memory: dict[tuple[str, ...], Any], key: tuple[str, ...], value: object) -> None:
    memory.pop(key, None)
    memory[key] = value
    if len(memory) > REMEMBERED:
        del memory[next(iter(memory))]
