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
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING, Any

from mlscale.hpa.memory import Memory
from mlscale.hpa.metric_results import Reading, Workload
from mlscale.hpa.reconcile import Decision, Seen, decide, rescaled
from mlscale.hpa.requests import RequestNeed, request_of
from mlscale.hpa.samples import pod_facts, resource_samples
from mlscale.hpa.scaling_spec import Behavior, read_behavior, read_scaling_spec
from mlscale.hpa.tolerance import Tolerance

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from mlscale.hpa.conditions import Condition
    from mlscale.hpa.scaling_spec import MetricTarget, ScalingSpec

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
    choice: int | None
    """Which of the views fitted what the controller reports, 0 for the newest before the sync; None for none."""

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


def replay_record(name: str, entries: Sequence[Json], spec: ScalingSpec, *, align: bool = True) -> list[Replayed]:
    """Every sync of the HPA ``name``, whose workload has its name, replayed in order by ``spec``.

    Without ``align`` each sync is taken to have seen the newest before it.
    """
    views = list(_views(name, entries))
    replayed: list[Replayed] = []
    memory, desired = Memory(), 0
    conditions: tuple[Condition, ...] = ()
    for sync in real_syncs(name, entries):
        candidates = _candidates(sync, views)[: None if align else 1]
        one = _replayed(spec, sync, candidates, (memory, conditions, desired))
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
    spec: ScalingSpec, sync: Sync, candidates: Sequence[View], before: tuple[Memory, tuple[Condition, ...], int]
) -> Replayed:
    """``before`` is what the replay remembers, its conditions, and its desired replicas."""
    memory, conditions, desired = before
    tried = (decide(spec, _seen(view), conditions, memory, sync.at) for view in candidates)
    fitting = ((place, decision) for place, decision in enumerate(tried) if _fits(decision, sync))
    choice, decision = next(fitting, (None, None))
    decision = decision or decide(spec, _seen(candidates[0]), conditions, memory, sync.at)
    if decision.rescale:
        decision = rescaled(decision, spec, sync.at)
    return Replayed(sync, decision, desired if decision.desired is None else decision.desired, choice)


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


def _render_hpa(name: str, entries: Sequence[Json], say: Callable[[str], None]) -> bool:
    body = next(_seen_of(name, "hpas", entries))[1]["spec"]
    spec = read_scaling_spec(body)
    replayed = replay_record(name, entries, spec)
    measured = _measured(replayed)
    say(f"\nHPA {name}, {'with' if spec.behavior else 'without'} spec.behavior: {len(replayed)} syncs")
    say(f"  {len(replayed) - len(measured)} of them before the first metric; none of these count below")
    _render_alignment(measured, say)
    for line in (*_agreement(measured), *_comparisons(name, entries, spec)):
        say(line)
    _render_disagreements(measured, say)
    return bool(measured) and sum(one.same_desired for one in measured) >= GOAL * len(measured)


def _agreement(replayed: Sequence[Replayed]) -> list[str]:
    pairs = list(pairwise(replayed))
    real_changes = [later.same_desired for one, later in pairs if _desired(one) != _desired(later)]
    own_changes = [later.same_desired for one, later in pairs if one.desired != later.desired]
    return [
        _row("desired replicas agree", [one.same_desired for one in replayed]),
        _row("  where the sync wrote a status", [one.same_desired for one in replayed if one.sync.written]),
        _row("  where the controller changed them", real_changes),
        _row("  where the replay changed them", own_changes),
        _row("utilization and use a pod agree", [one.same_metrics for one in replayed]),
        _row("conditions agree (status and reason)", [one.same_conditions for one in replayed]),
    ]


def _comparisons(name: str, entries: Sequence[Json], spec: ScalingSpec) -> list[str]:
    """What the agreement would be by other means: it must be worse, or it says nothing."""
    unaligned = _measured(replay_record(name, entries, spec, align=False))
    mistaken = {
        "no stabilization": replace(spec, behavior=_hasty(spec)),
        "tolerance 0.3": replace(spec, tolerance=Tolerance(0.3, 0.3)),
        "target 2 points higher": replace(spec, metrics=(_higher(spec.metrics[0]),)),
    }
    kept = [_desired(one) == _desired(later) for one, later in pairwise(unaligned)]
    return [
        _row("for comparison: without alignment", [one.same_desired for one in unaligned]),
        _row("for comparison: the last sync's count kept", kept),
        *(
            _row(f"for comparison: {mistake}", _same_desired(name, entries, wrong))
            for mistake, wrong in mistaken.items()
        ),
    ]


def _same_desired(name: str, entries: Sequence[Json], spec: ScalingSpec) -> list[bool]:
    return [one.same_desired for one in _measured(replay_record(name, entries, spec))]


def _hasty(spec: ScalingSpec) -> Behavior:
    """The behavior of ``spec``, or the API's default one, with both windows 0."""
    behavior = spec.behavior or read_behavior({})
    return Behavior(replace(behavior.up, window=0), replace(behavior.down, window=0))


def _higher(metric: MetricTarget) -> MetricTarget:
    return replace(metric, utilization=(metric.utilization or 0) + 2)


def _row(name: str, agree: Sequence[bool]) -> str:
    share = f"{sum(agree) / len(agree):8.2%}" if agree else ""
    return f"  {name:46}{sum(agree):5} of {len(agree):4}{share}"


def _measured(replayed: Sequence[Replayed]) -> list[Replayed]:
    """Without the syncs before the first metric, at which the controller has no desired count yet."""
    return [one for one in replayed if _desired(one)]


def _desired(one: Replayed) -> int:
    return int(one.sync.status.get("desiredReplicas") or 0)


def _render_alignment(replayed: Sequence[Replayed], say: Callable[[str], None]) -> None:
    writes = [one.sync.at for one in replayed if one.sync.written]
    gaps = [later - at for at, later in pairwise(writes) if later - at < 1.5 * SYNC_PERIOD]
    apart = f", neighbours {median(gaps):.2f} s apart (median)" if gaps else ""
    say(f"  {len(replayed)} syncs, {len(writes)} of which wrote a status{apart}")
    choices = Counter("newest" if one.choice == 0 else "none" if one.choice is None else "other" for one in replayed)
    say(
        f"  inputs: the newest before the sync at {choices['newest']}, older or just after it at {choices['other']}, "
        f"nothing fits what the controller reports at {choices['none']}"
    )
    counts = Counter(_desired(one) for one in replayed)
    say(f"  syncs by desired replicas: {', '.join(f'{count}: {syncs}' for count, syncs in sorted(counts.items()))}")


def _render_disagreements(replayed: Sequence[Replayed], say: Callable[[str], None]) -> None:
    wrong = [one for one in replayed if not one.same_desired]
    for one in wrong[:SHOWN]:
        why = "its inputs are not in the record" if one.choice is None else "its inputs were found"
        say(
            f"  {one.sync.at - replayed[0].sync.at:6.1f} s: desired {_desired(one)}, replayed {one.desired} "
            f"(from {one.decision.current}, proposed {one.decision.proposed}); {why}"
        )
    if len(wrong) > SHOWN:
        say(f"  and {len(wrong) - SHOWN} more")
