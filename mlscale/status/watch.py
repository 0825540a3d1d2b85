"""``status -w`` in a pipe: the tables, then a row whenever one changes, as ``kubectl get -w`` prints them.

kubectl watches one type; here each type has a watch of its own, and their rows come in the order of arrival.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from functools import partial
from queue import Empty, Full, Queue
from typing import TYPE_CHECKING, Any

from mlscale.errors import MlscaleError, NotAllowedError, NotFoundError
from mlscale.kube.api_errors import ApiError
from mlscale.kube.kinds import HPA, POD
from mlscale.status.model import KindTable, Section, StatusRequest, merged, row_key
from mlscale.status.pages import Listing, read_listings
from mlscale.status.tables import (
    TablesRead,
    belongs,
    label_query,
    pod_include,
    read_tables,
    targets_of,
    unknown_namespace,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from mlscale.kube.client import Client
    from mlscale.kube.kinds import Kind
    from mlscale.kube.targets import Target

Json = dict[str, Any]

WATCH_SECONDS = 300.0
"""The server is asked to end a watch after so long; it is resumed where it ended."""
BACKLOG = 1000
"""Rows waiting to be printed at most; a reader that is slower holds the watches back."""
GIVE_UP_AFTER = 6
"""Failures in a row, with pauses of 1, 2, 4, 8 and 16 s between them, before a watch ends with its error."""


@dataclass
class _Stream:
    """One watch: what to list and watch, which rows are wanted, and where it stands."""

    section: Section
    kind: Kind
    namespace: str | None
    include: str
    query: dict[str, str]
    wanted: Callable[[Json], bool]
    resource_version: str = "0"
    known: dict[tuple[str, str], int] = field(default_factory=dict)
    """The hash of the cells last seen of each row, but for its age."""

    @property
    def listing(self) -> Listing:
        return Listing(self.section, self.kind, self.namespace, self.include, self.query)

    @property
    def path(self) -> str:
        return self.kind.path(self.namespace)

    def begin(self, table: KindTable) -> KindTable:
        """The wanted rows of its list, from which its watch goes on; they are known from now on."""
        listed = table.whole()
        self.resource_version = str((listed.table.get("metadata") or {}).get("resourceVersion") or "0")
        rows = [row for row in listed.rows if self.wanted(row)]
        self.known = {row_key(row): _lasting_cells(row) for row in rows}
        return listed.with_rows(rows)


def watch_status(
    client: Client, request: StatusRequest, *, sleep: Callable[[float], None] = time.sleep
) -> Iterator[KindTable]:
    """The tables once, then a Table of one row for each change, without end; close the iterator to stop.

    Later Tables of a kind may lack ``columnDefinitions``: those seen before hold. Raises UsageError, NotFoundError
    and other errors of the first reads, and later the error of a watch that the server refuses or keeps failing.
    """
    read = read_tables(client, request)
    for error in (*read.errors, *unknown_namespace(client, request, read)):
        raise error
    streams = _streams(request, read)
    # Lists by name or selector of a name watch other things than was read; the rest goes on from there.
    at_hand = {} if request.targets else {(table.section, table.kind): table for table in read.tables}
    missing = [stream for stream in streams if (stream.section, stream.kind) not in at_hand]
    lists = iter(_lists(client, missing))
    shown = [stream.begin(at_hand.get((stream.section, stream.kind)) or next(lists)) for stream in streams]
    yield from merged(shown)
    yield from _changes(client, streams, sleep)


def _streams(request: StatusRequest, read: TablesRead) -> list[_Stream]:
    keep = _Kept(set(read.workloads), {row_key(row) for t in read.tables if t.kind == HPA for row in t.rows})
    return [
        *(_workload_streams(request, read, keep) if request.shows("workloads") else ()),
        *(_pod_streams(request, read) if request.shows("pods") else ()),
        *([_hpa_stream(request, keep)] if request.shows("hpa") else ()),
    ]


@dataclass
class _Kept:
    """Which HPAs belong: those shown at first, and those that scale a workload seen since."""

    workloads: set[Target]
    hpas: set[tuple[str, str]]

    def hpa(self, row: Json) -> bool:
        return row_key(row) in self.hpas or bool(belongs([row["object"]], list(self.workloads)))


def _every(row: Json) -> bool:  # noqa: ARG001
    return True


def _workload_streams(request: StatusRequest, read: TablesRead, keep: _Kept) -> list[_Stream]:
    if request.targets:
        found = [target for target in request.targets if target in read.workloads]
        return [
            _Stream("workloads", t.kind, t.namespace, "None", {"fieldSelector": f"metadata.name={t.name}"}, _every)
            for t in found
        ]
    query = label_query(request.selector)

    def noted(kind: Kind, row: Json) -> bool:
        keep.workloads.update(targets_of(KindTable("workloads", kind, {"rows": [row]})))
        return True

    kinds = [table.kind for table in read.tables if table.section == "workloads"]
    return [_Stream("workloads", kind, request.namespace, "Metadata", query, partial(noted, kind)) for kind in kinds]


def _pod_streams(request: StatusRequest, read: TablesRead) -> list[_Stream]:
    include = "Metadata" if request.namespace is None else pod_include(request)
    if not request.targets:
        return [_Stream("pods", POD, request.namespace, include, label_query(request.selector), _every)]
    namespace = request.targets[0].namespace
    return [_Stream("pods", POD, namespace, include, label_query(text), _every) for text in read.pod_selectors]


def _hpa_stream(request: StatusRequest, keep: _Kept) -> _Stream:
    if request.targets or request.selector:
        namespace = request.targets[0].namespace if request.targets else request.namespace
        return _Stream("hpa", HPA, namespace, "Object", {}, keep.hpa)
    include = "Metadata" if request.namespace is None else "None"
    return _Stream("hpa", HPA, request.namespace, include, {}, _every)


def _lists(client: Client, streams: Sequence[_Stream]) -> list[KindTable]:
    tables = []
    for outcome in read_listings(client, [stream.listing for stream in streams]) if streams else ():
        if isinstance(outcome, MlscaleError):
            raise outcome
        tables.append(outcome)
    return tables


def _changes(client: Client, streams: list[_Stream], sleep: Callable[[float], None]) -> Iterator[KindTable]:
    queue: Queue[KindTable | MlscaleError] = Queue(BACKLOG)
    stop = threading.Event()
    for stream in streams:
        threading.Thread(target=_follow, args=(client, stream, queue, stop, sleep), daemon=True).start()
    try:
        while True:
            item = _taken(queue)
            if isinstance(item, MlscaleError):
                raise item
            if item is not None:
                yield item
    finally:
        stop.set()


def _taken(queue: Queue[KindTable | MlscaleError]) -> KindTable | MlscaleError | None:
    # A wait without end would not let Ctrl-C through on every platform.
    try:
        return queue.get(timeout=1.0)
    except Empty:
        return None


def _follow(
    client: Client,
    stream: _Stream,
    queue: Queue[KindTable | MlscaleError],
    stop: threading.Event,
    sleep: Callable[[float], None],
) -> None:
    """Watch, and watch again from where it ended, until told to stop or until it cannot go on."""
    failures = 0
    while not stop.is_set():
        try:
            seen = 0
            for change in _watched(client, stream):
                seen += 1
                _offer(queue, change, stop)
                if stop.is_set():
                    return
            failures = 0
            if not seen:
                sleep(1.0)
        except MlscaleError as error:
            failures += 1
            if isinstance(error, NotAllowedError | NotFoundError) or failures >= GIVE_UP_AFTER:
                _offer(queue, error, stop)
                return
            sleep(2.0 ** (failures - 1))


def _watched(client: Client, stream: _Stream) -> Iterator[KindTable]:
    """The rows that change; where the server no longer has what happened since (410), those that differ now."""
    query = {"includeObject": stream.include, "resourceVersion": stream.resource_version, **stream.query}
    events = client.watch(stream.path, seconds=WATCH_SECONDS, table=True, allowWatchBookmarks="true", **query)
    try:
        for event in events:
            yield from _rows_of(stream, event)
    except ApiError as error:
        if error.status.code != 410:
            raise
        known = stream.known
        listed = stream.begin(*_lists(client, [stream]))
        differing = [row for row in listed.rows if known.get(row_key(row)) != _lasting_cells(row)]
        if differing:
            yield listed.with_rows(differing)


def _rows_of(stream: _Stream, event: Json) -> Iterator[KindTable]:
    table = event.get("object") or {}
    version = (table.get("metadata") or {}).get("resourceVersion")
    if version:
        stream.resource_version = str(version)
    # The row of a bookmark is made of an empty object; it only tells the resourceVersion.
    rows = [row for row in table.get("rows") or () if event.get("type") != "BOOKMARK" and stream.wanted(row)]
    for row in rows:
        if event.get("type") == "DELETED":
            stream.known.pop(row_key(row), None)
        else:
            stream.known[row_key(row)] = _lasting_cells(row)
    if rows:
        yield KindTable(stream.section, stream.kind, {**table, "rows": rows})


def _lasting_cells(row: Json) -> int:
    """The hash of the cells without the ages, which change by themselves: ``5m``, and the ``(5m ago)`` of restarts."""
    return hash(tuple(text.partition(" (")[0] for text in map(str, row.get("cells") or ()) if not _is_age(text)))


def _is_age(text: str) -> bool:
    return text[:1].isdigit() and text[-1:].isalpha() and not text.strip("0123456789smhdy")


def _offer(queue: Queue[KindTable | MlscaleError], item: KindTable | MlscaleError, stop: threading.Event) -> None:
    while not stop.is_set():
        try:
            queue.put(item, timeout=0.5)
        except Full:
            continue
        return
