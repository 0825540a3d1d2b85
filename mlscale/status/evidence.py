"""What is read beyond the tables, and only where they show trouble: a few pods, and events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlscale.errors import MlscaleError
from mlscale.frozen import field, frozen
from mlscale.kube.asks import ask_get
from mlscale.kube.kinds import POD
from mlscale.status.events import EventsRead, ask_events, event_queries, events_read

if TYPE_CHECKING:
    from datetime import datetime

    from mlscale.kube.client import Client
    from mlscale.status.model import StatusRequest
    from mlscale.status.tables import TablesRead
    from mlscale.status.troubled import PodKey, TroubledPods

Json = dict[str, Any]


@frozen
class Evidence:
    """The objects of pods in trouble, and the events of HPAs that scaled and of workloads that lack pods."""

    pods: dict[PodKey, Json] = field(default_factory=dict)
    events: EventsRead = field(default_factory=EventsRead)


def read_evidence(
    client: Client, request: StatusRequest, read: TablesRead, troubled: TroubledPods, now: datetime
) -> Evidence:
    """Read what explains the tables. What may not or cannot be read is left out: the tables stand without it."""
    wanted = troubled.chosen()
    missing = [key for key in wanted if key not in troubled.objects]
    namespace = request.targets[0].namespace if request.targets else request.namespace
    queries = event_queries(read.workloads, read.hpas, now) if read.events is None else []
    asks = [ask_get(POD.path(own or namespace, name)) for own, name in missing]
    asks += [ask_events(namespace, query) for query in queries]
    outcomes = client.in_one_round(asks) if asks else []
    pods, events = outcomes[: len(missing)], outcomes[len(missing) :]
    found = {key: pod for key, pod in zip(missing, pods, strict=True) if not isinstance(pod, MlscaleError)}
    known = {key: troubled.objects[key] for key in wanted if key in troubled.objects}
    return Evidence({**known, **found}, read.events or events_read(queries, events))
