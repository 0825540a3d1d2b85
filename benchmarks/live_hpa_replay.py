"""A record of real HPAs replayed through mlscale's controller rules, sync by sync, and how far both agree.

What is taken from the record at each sync are the controller's inputs: the scale, the pods, the PodMetrics. What it
came to (desired replicas, utilization, conditions) and what it remembers (recommendations, scale events) is replayed
from the first sync on and is never corrected from the record.

**When a sync was.** A status is written only where it differs, so each write is a sync, seen when its watch event
arrived. Between two writes lie syncs that changed nothing, one a sync period: as many as fit, evenly spaced.

**What a sync saw.** The controller's reads are not the recorder's. Of what the record shows from 2.5 s before the
sync on, newest first, the first is taken that gives the ``currentReplicas`` and ``currentMetrics`` that the controller
reports of that sync; since PodMetrics are polled, each is tried with those seen up to 0.5 s after the sync too. The
desired replicas take no part in this choice. Where nothing fits, the newest before the sync is taken, and said so.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING, Any

from mlscale.hpa.memory import Memory
from mlscale.hpa.metric_results import Reading, Workload
from mlscale.hpa.reconcile import Decision, Seen, decide, rescaled
from mlscale.hpa.requests import RequestNeed, request_of
from mlscale.hpa.samples import pod_facts, resource_samples
from mlscale.hpa.scaling_spec import read_scaling_spec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from mlscale.hpa.conditions import Condition
    from mlscale.hpa.scaling_spec import ScalingSpec

Json = dict[str, Any]

SYNC_PERIOD = 2.0
"""``--horizontal-pod-autoscaler-sync-period`` of the control plane of the tests, in seconds."""
LOOK_BACK, LOOK_AHEAD = 2.5, 0.5
"""Seconds around a sync within which its inputs are looked for; ahead only for PodMetrics."""
GOAL = 0.99
SHOWN = 12
"""Disagreements printed of each HPA."""


@dataclass(frozen=True)
class View:
    """What the record shows of one workload from ``at`` on, in seconds since the epoch."""

    at: float
    replicas: int
    status_replicas: int
    pods: Mapping[str, Json]
    metrics: Sequence[Json]


@dataclass(frozen=True)
class Sync:
    """One run of the real controller over one HPA."""

    at: float
    status: Json
    written: bool
    """Whether this sync wrote the status; else it came to the same one as the sync before."""


@dataclass(frozen=True)
class Replayed:
    """One sync beside its replay."""

    sync: Sync
    decision: Decision
    desired: int
    """What the replay has in the status after this sync."""
    aligned: bool
    age: float
    """How many seconds before the sync the view that was taken began."""

    @property
    def same_desired(self) -> bool:
        """Whether both want as many replicas."""
        return self.desired == int(self.sync.status.get("desiredReplicas") or 0)

    @property
    def same_metrics(self) -> bool:
        """Whether both measured the same utilization and the same use a pod, to the millicore."""
        return list(self.decision.metrics) == (self.sync.status.get("currentMetrics") or [])

    @property
    def same_conditions(self) -> bool:
        """Whether all conditions have the same status and the same reason."""
        real = {(one["type"], one["status"], one["reason"]) for one in self.sync.status.get("conditions") or []}
        return real == {(one.type, one.status, one.reason) for one in self.decision.conditions}


def render_comparison(entries: Sequence[Json], say: Callable[[str], None]) -> bool:
    """Print the comparison of each HPA of a record; whether all reach the goal."""
    names = list(dict.fromkeys(one["seen"]["metadata"]["name"] for one in entries if one["kind"] == "hpas"))
    span = float(entries[-1]["at"]) - float(entries[0]["at"])
    say(f"{span:.0f} s, {len(entries)} recorded events, {len(names)} HPAs")
    agreed = [_render_hpa(name, entries, say) for name in names]
    return bool(agreed) and all(agreed)


def replay_record(name: str, entries: Sequence[Json]) -> list[Replayed]:
    """Every sync of the HPA ``name``, whose workload has its name, replayed in order."""
    views = list(_views(name, entries))
    spec = read_scaling_spec(next(_seen_of(name, "hpas", entries))[1]["spec"])
    replayed: list[Replayed] = []
    memory, desired = Memory(), 0
    conditions: tuple[Condition, ...] = ()
    for sync in real_syncs(name, entries):
        one = _replayed(spec, sync, views, (memory, conditions, desired))
        memory, conditions, desired = one.decision.memory, one.decision.conditions, one.desired
        replayed.append(one)
    return replayed


def real_syncs(name: str, entries: Sequence[Json]) -> list[Sync]:
    """The syncs of the real controller: those that wrote a status, and those between that changed nothing."""
    statuses = ((at, hpa["status"]) for at, hpa in _seen_of(name, "hpas", entries))
    writes = [(at, status) for at, status in statuses if "observedGeneration" in status]
    syncs: list[Sync] = []
    for (at, status), (until, _) in pairwise([*writes, (float(entries[-1]["at"]), {})]):
        quiet = max(0, round((until - at) / SYNC_PERIOD) - 1)
        step = (until - at) / (quiet + 1)
        syncs.append(Sync(at, status, written=True))
        syncs += [Sync(at + step * (place + 1), status, written=False) for place in range(quiet)]
    return syncs


def _seen_of(name: str, kind: str, entries: Sequence[Json]) -> Iterator[tuple[float, Json]]:
    for entry in entries:
        if entry["kind"] == kind and entry["seen"]["metadata"]["name"] == name:
            yield float(entry["at"]), entry["seen"]


def _views(name: str, entries: Sequence[Json]) -> Iterator[View]:
    view = View(0.0, 0, 0, {}, ())
    for entry in entries:
        changed = _changed(view, name, entry)
        if changed is not view:
            view = replace(changed, at=float(entry["at"]))
            yield view


def _changed(view: View, name: str, entry: Json) -> View:
    """``view`` after ``entry``, or itself where that is of another workload."""
    kind, seen = entry["kind"], entry["seen"]
    if kind == "metrics":
        return replace(view, metrics=[one for one in seen if one["metadata"]["name"].startswith(f"{name}-")])
    if kind == "deployments" and seen["metadata"]["name"] == name:
        return replace(view, replicas=seen["spec"]["replicas"], status_replicas=seen["status"].get("replicas") or 0)
    if kind == "pods" and seen["metadata"]["labels"]["app"] == name:
        others = {pod: body for pod, body in view.pods.items() if pod != seen["metadata"]["name"]}
        gone = entry["type"] == "DELETED"
        return replace(view, pods=others if gone else {**others, seen["metadata"]["name"]: seen})
    return view


def _replayed(
    spec: ScalingSpec, sync: Sync, views: Sequence[View], before: tuple[Memory, tuple[Condition, ...], int]
) -> Replayed:
    """``before`` is what the replay remembers, its conditions, and its desired replicas."""
    memory, conditions, desired = before
    candidates = _candidates(sync, views)
    decisions = (decide(spec, _seen(view), conditions, memory, sync.at) for view in candidates)
    tried = ((view, decision) for view, decision in zip(candidates, decisions, strict=True) if _fits(decision, sync))
    found = next(tried, None)
    view, decision = found or (candidates[0], decide(spec, _seen(candidates[0]), conditions, memory, sync.at))
    if decision.rescale:
        decision = rescaled(decision, spec, sync.at)
    wanted = desired if decision.desired is None else decision.desired
    return Replayed(sync, decision, wanted, found is not None, sync.at - view.at)


def _candidates(sync: Sync, views: Sequence[View]) -> list[View]:
    """What the sync may have seen, newest first; the last view before ``LOOK_BACK`` still held within it."""
    known = [view for view in views if view.at <= sync.at]
    recent = [view for view in known if view.at > sync.at - LOOK_BACK]
    recent = [*known[: len(known) - len(recent)][-1:], *recent] or list(views[:1])
    later = [view.metrics for view in views if view.at <= sync.at + LOOK_AHEAD][-1:]
    candidates: list[View] = []
    for view in reversed(recent):
        candidates += [view, *(replace(view, metrics=metrics) for metrics in later if metrics is not view.metrics)]
    return candidates


def _fits(decision: Decision, sync: Sync) -> bool:
    same_replicas = decision.current == int(sync.status.get("currentReplicas") or 0)
    return same_replicas and list(decision.metrics) == (sync.status.get("currentMetrics") or [])


def _seen(view: View) -> Seen:
    pods = list(view.pods.values())
    requests = {pod["metadata"]["name"]: request_of(pod["spec"], RequestNeed("cpu")) for pod in pods}
    reading = Reading(resource_samples(view.metrics, "cpu"), requests)
    if not view.metrics:
        reading = Reading(unread="no metrics returned from resource metrics API")
    workload = Workload("", view.replicas, view.status_replicas, tuple(pod_facts(pod) for pod in pods))
    return Seen(workload, (reading,))


@dataclass
class _Tally:
    """Agreement over some of the syncs."""

    name: str
    all: list[bool] = field(default_factory=list)

    def __str__(self) -> str:
        share = sum(self.all) / len(self.all) if self.all else 1.0
        return f"  {self.name:52}{sum(self.all):5} of {len(self.all):4}  {share:7.2%}"


def _render_hpa(name: str, entries: Sequence[Json], say: Callable[[str], None]) -> bool:
    replayed = replay_record(name, entries)
    behavior = next(_seen_of(name, "hpas", entries))[1]["spec"].get("behavior")
    writes = [one for one in replayed if one.sync.written]
    gaps = [later.sync.at - one.sync.at for one, later in pairwise(replayed) if one.sync.written and later.sync.written]
    say(f"\nHPA {name}, {'with' if behavior else 'without'} spec.behavior: {len(replayed)} syncs")
    say(f"  {len(writes)} wrote a status; syncs side by side that both wrote lie {_middle(gaps)} s apart (median)")
    for tally in _tallies(replayed):
        say(str(tally))
    _render_alignment(replayed, say)
    _render_disagreements(replayed, say)
    same = sum(one.same_desired for one in replayed)
    return bool(replayed) and same >= GOAL * len(replayed)


def _middle(gaps: Sequence[float]) -> str:
    return f"{median(gaps):.2f}" if gaps else "-"


def _tallies(replayed: Sequence[Replayed]) -> list[_Tally]:
    writes = [one for one in replayed if one.sync.written]
    pairs = list(pairwise(replayed))
    changes = [later for one, later in pairs if _desired(one) != _desired(later)]
    own = [(one, later) for one, later in pairs if one.desired != later.desired]
    return [
        _Tally("desired replicas agree, all syncs", [one.same_desired for one in replayed]),
        _Tally("desired replicas agree, syncs that wrote a status", [one.same_desired for one in writes]),
        _Tally("changes of the desired replicas met at their sync", [one.same_desired for one in changes]),
        _Tally("changes by the replay that are the controller's too", [later.same_desired for _, later in own]),
        _Tally("utilization and use a pod agree, all syncs", [one.same_metrics for one in replayed]),
        _Tally("conditions (status and reason) agree, all syncs", [one.same_conditions for one in replayed]),
        _Tally("by comparison: the count of the sync before kept", [_desired(a) == _desired(b) for a, b in pairs]),
    ]


def _desired(one: Replayed) -> int:
    return int(one.sync.status.get("desiredReplicas") or 0)


def _render_alignment(replayed: Sequence[Replayed], say: Callable[[str], None]) -> None:
    counts = Counter(_desired(one) for one in replayed)
    unaligned = sum(not one.aligned for one in replayed)
    say(f"  nothing in the record fits what the controller reports: {unaligned} syncs")
    say(f"  syncs at each desired count: {', '.join(f'{count}: {n}' for count, n in sorted(counts.items()))}")


def _render_disagreements(replayed: Sequence[Replayed], say: Callable[[str], None]) -> None:
    start = replayed[0].sync.at if replayed else 0.0
    wrong = [one for one in replayed if not one.same_desired]
    for one in wrong[:SHOWN]:
        why = "its inputs were found" if one.aligned else "its inputs are not in the record"
        say(
            f"  at {one.sync.at - start:6.1f} s: {_desired(one)} desired, replayed {one.desired} "
            f"(from {one.decision.current}, proposed {one.decision.proposed}); {why}"
        )
    if len(wrong) > SHOWN:
        say(f"  and {len(wrong) - SHOWN} more")
