"""``--observe``: metrics-server watched for a while, where nothing has recorded a history.

metrics-server keeps the last two scrapes only, 15 s apart by default (its README, --metric-resolution), so what it
says has to be collected as time goes by.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from mlscale.errors import MlscaleError, NotEnoughDataError, NotFoundError
from mlscale.kube.api_errors import ApiError, ApiNotAllowedError, ApiNotFoundError
from mlscale.kube.kinds import POD, Kind
from mlscale.kube.pod_resources import amounts, containers_of
from mlscale.kube.pods import OOM_FORGOTTEN_AFTER, timestamp
from mlscale.kube.quantity import NANO
from mlscale.usage.assemble import Recorded, assemble
from mlscale.usage.grids import plan_grid, row_on
from mlscale.usage.model import Grid, Row
from mlscale.usage.workloads import owners_of_pods

if TYPE_CHECKING:
    from datetime import datetime

    from mlscale.kube.client import Client
    from mlscale.kube.targets import Target
    from mlscale.usage.model import History
    from mlscale.usage.workloads import Owner, Workload

Json = dict[str, Any]
Progress = Callable[[float, float], None]
"""Told how many seconds have passed, of how many."""

PODMETRICS = Kind("metrics.k8s.io", "v1beta1", "PodMetrics", "pods")
REPLICASET = Kind("apps", "v1", "ReplicaSet", "replicasets")
POLL = 10.0
"""Seconds between two looks: less than the 15 s between scrapes, so that none is missed."""
INSTALL_HINT = "install metrics-server, or give --prometheus or --samples"


class Clock(Protocol):
    """Time as it passes here; the samples have the server's."""

    def now(self) -> float:
        """Monotonic seconds."""

    def sleep(self, seconds: float, /) -> None:
        """Wait."""


@dataclass
class _Seen:
    """What has been collected in one namespace: by pod and container, by the time of the scrape, each resource."""

    cpu: dict[tuple[str, str], dict[float, float]] = field(default_factory=lambda: defaultdict(dict))
    memory: dict[tuple[str, str], dict[float, float]] = field(default_factory=lambda: defaultdict(dict))


@dataclass
class _Looks:
    """What has been collected, by namespace."""

    namespaces: dict[str, _Seen]
    looks: int = 0
    failed: MlscaleError | None = None
    """The last failure, if the last look failed."""

    @property
    def path(self) -> str:
        """One list for all: that of the namespace, or of all namespaces where there are several."""
        return PODMETRICS.path(next(iter(self.namespaces)) if len(self.namespaces) == 1 else None)


@dataclass(frozen=True)
class _Objects:
    """The pods of a namespace by name, and who made its ReplicaSets; empty where they may not be read."""

    pods: Mapping[str, Json]
    replicaset_owners: Mapping[str, Owner]


@dataclass(frozen=True)
class _Kept:
    """All that the watch brought of one namespace."""

    source: str
    seen: _Seen
    failed: MlscaleError | None
    before: _Objects
    objects: _Objects
    now: datetime


@dataclass(frozen=True)
class Observed:
    """What was measured while metrics-server was watched."""

    _kept: Mapping[str, _Kept]

    def histories(self, namespace: str, workloads: Sequence[Workload]) -> dict[Target, History | MlscaleError]:
        """What ``workloads``, all of ``namespace``, used; NotEnoughDataError for one that was not measured twice."""
        kept = self._kept[namespace]
        named = sorted({pod for pod, _ in kept.seen.cpu})
        pods = owners_of_pods(workloads, named, _pod_owners(kept.objects.pods), kept.objects.replicaset_owners)
        return {
            workload.target: _history(workload, [pod for pod, own in pods.items() if own == workload.target], kept)
            for workload in workloads
        }


def observe(client: Client, namespaces: Sequence[str], seconds: float, progress: Progress, clock: Clock) -> Observed:
    """Watch the use of all pods of ``namespaces``, one at least, for ``seconds``.

    One request each POLL however many workloads and namespaces there are. Raises MlscaleError where the first look
    fails, NotFoundError where the cluster has no metrics-server; a look that fails later is left out.
    """
    before = _read_objects(client, namespaces)
    looks = _watch(client, namespaces, seconds, progress, clock)
    after = _read_objects(client, namespaces)
    source, now = f"metrics-server, watched for {_words(seconds)}", client.now()
    return Observed(
        {
            name: _Kept(source, seen, looks.failed, before[name], _both(before[name], after[name]), now)
            for name, seen in looks.namespaces.items()
        }
    )


def _both(before: _Objects, after: _Objects) -> _Objects:
    return _Objects({**before.pods, **after.pods}, {**before.replicaset_owners, **after.replicaset_owners})


def _watch(client: Client, namespaces: Sequence[str], seconds: float, progress: Progress, clock: Clock) -> _Looks:
    looks, start = _Looks({name: _Seen() for name in namespaces}), clock.now()
    while True:
        _look(client, looks)
        passed = clock.now() - start
        progress(min(passed, seconds), seconds)
        if passed >= seconds:
            return looks
        clock.sleep(min(POLL, seconds - passed))


def _look(client: Client, looks: _Looks) -> None:
    looks.looks += 1
    try:
        listed = client.list_all(looks.path)
        looks.failed = None
    except MlscaleError as error:
        if looks.looks == 1:
            raise _explained(error) from error
        looks.failed = error
        return
    for pod in listed:
        seen = looks.namespaces.get(str(pod["metadata"]["namespace"]))
        if seen is not None:
            _take(pod, seen)


def _take(pod: Json, seen: _Seen) -> None:
    """The containers of one PodMetrics; the same scrape seen twice counts once."""
    moment, name = timestamp(pod.get("timestamp")), str(pod["metadata"]["name"])
    if moment is None:
        return
    for container in pod.get("containers") or ():
        used = amounts(container.get("usage"))
        for resource, found in (("cpu", seen.cpu), ("memory", seen.memory)):
            if resource in used:
                found[name, str(container["name"])][moment.timestamp()] = used[resource] / NANO


def _explained(error: MlscaleError) -> MlscaleError:
    """What it means that PodMetrics cannot be listed (503: the APIService is there, metrics-server does not answer)."""
    if isinstance(error, ApiNotFoundError):
        return NotFoundError("the cluster has no resource metrics API (metrics.k8s.io)", INSTALL_HINT)
    if isinstance(error, ApiError) and error.status.code == 503:
        why = f"the resource metrics API does not answer: {error.status.message}"
        return MlscaleError(why, "check the pods of metrics-server, or give --prometheus or --samples")
    return error


def _read_objects(client: Client, namespaces: Sequence[str]) -> dict[str, _Objects]:
    """Raises MlscaleError for another failure than 403: without these lists pods are told by their names."""
    listed = client.together(
        *[partial(client.list_all, kind.path(name)) for name in namespaces for kind in (POD, REPLICASET)],
    )
    found = map(_readable, listed)
    return {
        name: _Objects({str(pod["metadata"]["name"]): pod for pod in pods}, _owners(replicasets))
        for name, pods, replicasets in zip(namespaces, found, found, strict=True)
    }


def _readable(listed: list[Json] | MlscaleError) -> list[Json]:
    if isinstance(listed, ApiNotAllowedError) and listed.status.code == 403:
        return []
    if isinstance(listed, MlscaleError):
        raise listed
    return listed


def _pod_owners(pods: Mapping[str, Json]) -> dict[str, Owner]:
    return _owners(pods.values())


def _owners(objects: Any) -> dict[str, Owner]:
    """Kind and name of the controller of each object that has one, by the object's name."""
    return {
        str(one["metadata"]["name"]): (str(owner["kind"]), str(owner["name"]))
        for one in objects
        for owner in one["metadata"].get("ownerReferences") or ()
        if owner.get("controller")
    }


def _history(workload: Workload, pods: list[str], kept: _Kept) -> History | MlscaleError:
    series = [np.array(sorted(times)) for (pod, _), times in kept.seen.cpu.items() if pod in pods]
    if not series:
        return _unmeasured(workload, kept)
    try:
        return assemble(workload, pods, _recorded(pods, plan_grid(series, kept.source), kept))
    except NotEnoughDataError:
        return NotEnoughDataError(
            f"not enough data for {workload.target.printed}: {kept.source}, measured its pods only once",
            "watch longer, as in --observe 5m",
        )


def _unmeasured(workload: Workload, kept: _Kept) -> MlscaleError:
    why = f": the last look failed: {kept.failed.message}" if kept.failed else ""
    return NotEnoughDataError(
        f"not enough data for {workload.target.printed}: {kept.source}, measured no pod of it{why}",
        "check that its pods run; a new pod is measured after 15 to 60 s",
    )


def _recorded(pods: Sequence[str], grid: Grid, kept: _Kept) -> Recorded:
    cpu, memory = (_rows(found, pods, grid) for found in (kept.seen.cpu, kept.seen.memory))
    specs = {pod: kept.objects.pods[pod] for pod in pods if pod in kept.objects.pods}
    return Recorded(
        source=kept.source,
        fine=grid,
        cpu=cpu,
        coarse=grid,
        memory=memory,
        # One request for the whole time: that of the pods as they run, which may not be that of the template.
        coarsest=Grid(grid.start + grid.step, grid.step, 1),
        cpu_requests=_requests(specs, "cpu"),
        memory_requests=_requests(specs, "memory"),
        restarts={pod: _restarts(kept.before.pods.get(pod), spec) for pod, spec in specs.items()},
        oom_kills={pod: _oom_kills(spec, kept.now) for pod, spec in specs.items()},
    )


def _rows(
    found: Mapping[tuple[str, str], Mapping[float, float]], pods: Sequence[str], grid: Grid
) -> dict[str, dict[str, Row]]:
    rows: dict[str, dict[str, Row]] = {}
    for (pod, container), values in found.items():
        if pod in pods:
            times = np.array(sorted(values))
            rows.setdefault(pod, {})[container] = row_on(grid, times, np.array([values[time] for time in times]))
    return rows


def _requests(pods: Mapping[str, Json], resource: str) -> dict[str, dict[str, Row]]:
    requests: dict[str, dict[str, Row]] = {}
    for name, pod in pods.items():
        for container in containers_of(pod["spec"]):
            requested = amounts((container.get("resources") or {}).get("requests"))
            if resource in requested:
                row = Row(0, np.array([requested[resource] / NANO]))
                requests.setdefault(name, {})[str(container["name"])] = row
    return requests


def _restarts(before: Json | None, after: Json) -> dict[str, float]:
    """Of each container during the watch; a pod that is new began at 0."""
    first = {str(status["name"]): int(status.get("restartCount") or 0) for status in _statuses(before or {})}
    return {
        str(status["name"]): float(int(status.get("restartCount") or 0) - first.get(str(status["name"]), 0))
        for status in _statuses(after)
    }


def _oom_kills(pod: Json, now: datetime) -> dict[str, float]:
    """1 for each container that was killed for its memory in the last day, which the pod itself remembers."""
    killed = {}
    for status in _statuses(pod):
        ends = [(status.get(state) or {}).get("terminated") or {} for state in ("state", "lastState")]
        killed[str(status["name"])] = float(any(_is_recent_oom(end, now) for end in ends))
    return killed


def _is_recent_oom(end: Json, now: datetime) -> bool:
    finished = timestamp(end.get("finishedAt"))
    return end.get("reason") == "OOMKilled" and finished is not None and now - finished < OOM_FORGOTTEN_AFTER


def _statuses(pod: Json) -> list[Json]:
    status = pod.get("status") or {}
    return [*(status.get("containerStatuses") or ()), *(status.get("initContainerStatuses") or ())]


def _words(seconds: float) -> str:
    """``2 min``, ``90 s``."""
    return f"{seconds / 60:.0f} min" if seconds >= 60 and seconds % 60 == 0 else f"{seconds:.0f} s"
