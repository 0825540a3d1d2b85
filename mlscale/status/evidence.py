"""What is read beyond the tables, and only where they show trouble: a few pods, and events."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from mlscale.errors import MlscaleError
from mlscale.kube.kinds import DEPLOYMENT, EVENT, HPA, POD, REPLICASET, REPLICATIONCONTROLLER
from mlscale.kube.pods import timestamp
from mlscale.status.model import row_key
from mlscale.status.pod_findings import PodKey, choose_pods, troubled_rows
from mlscale.status.workload_findings import lacks_pods

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from mlscale.kube.client import Client
    from mlscale.kube.kinds import Kind
    from mlscale.kube.targets import Target
    from mlscale.status.model import StatusRequest
    from mlscale.status.tables import TablesRead

Json = dict[str, Any]

EVENTS = "500"
"""Events read at most; the server keeps an hour of them."""
RECENT = timedelta(hours=1)
WITH_REPLICA_FAILURE = (DEPLOYMENT, REPLICASET, REPLICATIONCONTROLLER)
"""The kinds whose conditions tell of pods that could not be made; others have events only."""


@dataclass(frozen=True)
class Evidence:
    """The objects of pods in trouble, and the events of HPAs that scaled and of workloads that lack pods."""

    troubled: dict[PodKey, str] = field(default_factory=dict)
    """All pods that look troubled by their rows, with their STATUS."""
    pods: dict[PodKey, Json] = field(default_factory=dict)
    rescale_events: tuple[Json, ...] = ()
    failure_events: tuple[Json, ...] = ()


def read_evidence(client: Client, request: StatusRequest, read: TablesRead, now: datetime) -> Evidence:
    """Read what explains the tables. What may not or cannot be read is left out: the tables stand without it."""
    troubled = _troubled(read)
    at_hand = _objects_at_hand(read)
    wanted = list(troubled) if request.objects else choose_pods(troubled)
    missing = [key for key in wanted if key not in at_hand]
    calls: list[Callable[[], Any]] = [
        partial(client.get, POD.path(namespace or request.namespace or _namespace(request), name))
        for namespace, name in missing
    ]
    calls.append(partial(_rescale_events, client, request, read, now))
    calls.append(partial(_failure_events, client, request, read))
    *pods, rescales, failures = client.together(*calls)
    found = {key: pod for key, pod in zip(missing, pods, strict=True) if not isinstance(pod, MlscaleError)}
    known = {key: at_hand[key] for key in wanted if key in at_hand}
    return Evidence(troubled, {**known, **found}, _items(rescales), _items(failures))


def involved_in(event: Json, kind: Kind, namespace: str, name: str) -> bool:
    """Whether ``event`` is about that object."""
    involved = event.get("involvedObject") or {}
    about = (involved.get("kind"), involved.get("namespace"), involved.get("name"))
    return about == (kind.kind, namespace, name)


def _troubled(read: TablesRead) -> dict[PodKey, str]:
    tables = [table for table in read.tables if table.section == "pods"]
    return {key: status for table in tables for key, status in troubled_rows(table).items()}


def _objects_at_hand(read: TablesRead) -> dict[PodKey, Json]:
    """Pods whose rows brought their whole objects (not only their metadata)."""
    rows = [row for table in read.tables if table.section == "pods" for row in table.rows]
    return {row_key(row): row["object"] for row in rows if "spec" in (row.get("object") or {})}


def _namespace(request: StatusRequest) -> str | None:
    return request.targets[0].namespace if request.targets else None


def _rescale_events(client: Client, request: StatusRequest, read: TablesRead, now: datetime) -> list[Json]:
    """The changes that HPAs made, if one of those read has scaled within the hour."""
    times = [timestamp((hpa.get("status") or {}).get("lastScaleTime")) for hpa in read.hpas]
    if not any(time and now - time <= RECENT for time in times):
        return []
    return _events(client, request, f"involvedObject.kind={HPA.kind},reason=SuccessfulRescale")


def _failure_events(client: Client, request: StatusRequest, read: TablesRead) -> list[Json]:
    """Refused pods, if a workload lacks some and its kind has no condition that says so."""
    if not any(_needs_events(target, workload) for target, workload in read.workloads.items()):
        return []
    return _events(client, request, "reason=FailedCreate")


def _needs_events(target: Target, workload: Json) -> bool:
    return "spec" in workload and target.kind not in WITH_REPLICA_FAILURE and lacks_pods(workload)


def _events(client: Client, request: StatusRequest, fields: str) -> list[Json]:
    path = EVENT.path(request.namespace if request.namespace is not None else _namespace(request))
    items: list[Json] = client.get(path, fieldSelector=fields, limit=EVENTS).get("items") or []
    return items


def _items(outcome: list[Json] | MlscaleError) -> tuple[Json, ...]:
    return () if isinstance(outcome, MlscaleError) else tuple(outcome)
