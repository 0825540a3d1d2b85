"""The events that tell what objects do not: which to ask for, only where something is to be explained."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from mlscale.errors import MlscaleError
from mlscale.frozen import frozen
from mlscale.kube.asks import ask_get
from mlscale.kube.kinds import DEPLOYMENT, EVENT, HPA, REPLICASET, REPLICATIONCONTROLLER
from mlscale.kube.pods import timestamp
from mlscale.status.workload_findings import lacks_pods

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from mlscale.kube.asks import Ask
    from mlscale.kube.kinds import Kind
    from mlscale.kube.targets import Target

Json = dict[str, Any]
Events = tuple[Json, ...]

EVENTS = "500"
"""Events read at most; the server keeps an hour of them."""
RECENT = timedelta(hours=1)
WITH_REPLICA_FAILURE = (DEPLOYMENT, REPLICASET, REPLICATIONCONTROLLER)
"""The kinds whose conditions tell of pods that could not be made; others have events only."""
RESCALES = f"involvedObject.kind={HPA.kind},reason=SuccessfulRescale"
FAILURES = "reason=FailedCreate"


@frozen
class EventsRead:
    """The changes that HPAs made, and the pods of workloads that were refused."""

    rescales: Events = ()
    failures: Events = ()


def event_queries(workloads: Mapping[Target, Json], hpas: Iterable[Json], now: datetime) -> list[str]:
    """The field selectors of the events worth reading: an HPA scaled within the hour, or a workload lacks pods."""
    times = [timestamp((hpa.get("status") or {}).get("lastScaleTime")) for hpa in hpas]
    scaled = any(time and now - time <= RECENT for time in times)
    refused = any(_needs_events(target, workload) for target, workload in workloads.items())
    return [*([RESCALES] if scaled else []), *([FAILURES] if refused else [])]


def ask_events(namespace: str | None, query: str) -> Ask:
    """The request for the events of ``query``, of all namespaces where ``namespace`` is None."""
    return ask_get(EVENT.path(namespace), fieldSelector=query, limit=EVENTS)


def events_read(queries: Sequence[str], answers: Sequence[Json | MlscaleError]) -> EventsRead:
    """What came of ``queries``. Events that may not or cannot be read are left out: the tables stand without."""
    found = {
        query: () if isinstance(answer, MlscaleError) else tuple(answer.get("items") or ())
        for query, answer in zip(queries, answers, strict=True)
    }
    return EventsRead(found.get(RESCALES, ()), found.get(FAILURES, ()))


def involved_in(event: Json, kind: Kind, namespace: str, name: str) -> bool:
    """Whether ``event`` is about that object."""
    involved = event.get("involvedObject") or {}
    about = (involved.get("kind"), involved.get("namespace"), involved.get("name"))
    return about == (kind.kind, namespace, name)


def _needs_events(target: Target, workload: Json) -> bool:
    return "spec" in workload and target.kind not in WITH_REPLICA_FAILURE and lacks_pods(workload)
