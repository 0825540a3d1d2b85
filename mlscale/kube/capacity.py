"""Preflight: how many new copies of a pod template fit, from free room, quotas and LimitRanges.

Pure but for ``read_capacity``. Copies are identical, so counting how many fit on each node by itself and
adding up is exact: kube-scheduler v1.37.2, pkg/scheduler/framework/plugins/noderesources/fit.go.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from mlscale.kube.admission import limit_range_refusals, quota_verdict
from mlscale.kube.fit import Fit, Shortage, Unknown, copies
from mlscale.kube.neighbours import Neighbours, one_per_node
from mlscale.kube.placement import Eligibility, eligible_nodes, unmodelled_rules
from mlscale.kube.pod_resources import Amounts, admitted_spec, amounts, occupied_by, pod_requests
from mlscale.kube.quantity import NANO, format_amount, rounded_up

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlscale.kube.client import Client

Json = dict[str, Any]
Listed = tuple[Json, ...]

_RUNNING = "status.phase!=Succeeded,status.phase!=Failed"
_SLOTS = "pods"


class Pods(tuple[Json, ...]):
    """Pods of every namespace; what they take is added up once, however many templates are to fit beside them."""

    @cached_property
    def holding(self) -> Listed:
        """Those that hold room on a node."""
        return tuple(pod for pod in self if _holds_room(pod))

    @cached_property
    def neighbours(self) -> Neighbours:
        """Those that may keep a copy off a node."""
        return Neighbours(self.holding)

    @cached_property
    def taken(self) -> dict[str, Amounts]:
        """What they take of each node, their slots included."""
        return _taken(self.holding)


@dataclass(frozen=True)
class CapacityFacts:
    """What decides whether new copies of ``template`` fit; a list that could not be read is Unknown."""

    namespace: str
    template: Json
    """The pod template: ``metadata`` with labels, and ``spec``."""
    nodes: Listed | Unknown
    pods: Listed | Unknown
    """Pods of every namespace; those in a terminal phase or without a node do not count."""
    quotas: Listed | Unknown
    limit_ranges: Listed | Unknown


@dataclass(frozen=True)
class Room:
    """What the eligible nodes have free, for the resources that one copy needs."""

    needed: Amounts
    """Of one copy, in nano-units, rounded up to the scheduler's millicores and whole units; with its pod slot."""
    free: tuple[Amounts, ...]
    """One entry a node that may take a copy, never negative."""
    offering: Counter[str]
    """How many of the eligible nodes have any of a resource allocatable."""
    eligibility: Eligibility
    node_count: int
    blocked: int
    """Eligible nodes where a pod that is there keeps copies away (host port, anti-affinity)."""
    once: str
    """What keeps two copies off one node (``hostPort 8080``), or empty."""


def read_capacity(client: Client, namespace: str, template: Json) -> CapacityFacts:
    """Read what decides whether new copies of ``template`` fit into ``namespace``.

    A list that the user may not read (403) becomes Unknown.

    Raises:
        MlscaleError: a list could not be read for another reason.
    """
    from mlscale.kube.kinds import LIMITRANGE, NODE, POD, RESOURCEQUOTA

    nodes, pods, quotas, limit_ranges = client.together(
        lambda: client.list_all(NODE.path(None)),
        lambda: client.list_all(POD.path(None), fieldSelector=_RUNNING),
        lambda: client.list_all(RESOURCEQUOTA.path(namespace)),
        lambda: client.list_all(LIMITRANGE.path(namespace)),
    )
    return CapacityFacts(
        namespace,
        template,
        nodes=_listed("nodes", nodes),
        pods=_listed("the pods of all namespaces", pods),
        quotas=_listed("resource quotas", quotas),
        limit_ranges=_listed("limit ranges", limit_ranges),
    )


def plan_fit(facts: CapacityFacts, wanted: int) -> Fit:
    """Return how many of ``wanted`` new copies fit, and what is short where not all do.

    Raises:
        InvalidQuantityError: an object of the cluster holds a quantity that is none.
    """
    if wanted <= 0:
        return Fit(wanted=0, fits=0)
    limit_ranges = _known(facts.limit_ranges)
    template = {**facts.template, "spec": admitted_spec(facts.template["spec"], limit_ranges)}
    quotas = quota_verdict(template["spec"], _known(facts.quotas), wanted)
    limits = [*limit_range_refusals(template["spec"], limit_ranges, wanted), *quotas.shortages]
    if not isinstance(facts.nodes, Unknown):
        limits += _node_shortages(_room(facts, template, facts.nodes), wanted)
    unchecked = _unchecked(facts)
    fits: int | Unknown = min((limit.fits for limit in limits), default=wanted)
    if unchecked and not limits:
        fits = Unknown(", ".join(unchecked))
    return Fit(
        wanted=wanted,
        fits=fits,
        limits=tuple(limits),
        unmodelled=unmodelled_rules(template["spec"]) + quotas.unmodelled,
        unchecked=unchecked,
    )


def _listed(what: str, answer: list[Json] | Exception) -> Listed | Unknown:
    from mlscale.kube.api_errors import ApiNotAllowedError

    if isinstance(answer, ApiNotAllowedError) and answer.status.code == 403:
        return Unknown(f"{what} could not be read (403)")
    if isinstance(answer, Exception):
        raise answer
    return tuple(answer)


def _known(listed: Listed | Unknown) -> Listed:
    return () if isinstance(listed, Unknown) else listed


def _unchecked(facts: CapacityFacts) -> tuple[str, ...]:
    lists = (facts.nodes, facts.pods, facts.quotas, facts.limit_ranges)
    return tuple(listed.why for listed in lists if isinstance(listed, Unknown))


def _room(facts: CapacityFacts, template: Json, nodes: Listed) -> Room:
    eligibility = eligible_nodes(template["spec"], nodes)
    known = _known(facts.pods)
    pods = known if isinstance(known, Pods) else Pods(known)
    blocked = pods.neighbours.blocked_nodes(facts.namespace, template)
    needed = {_SLOTS: NANO, **_scheduled({k: v for k, v in pod_requests(template["spec"]).items() if v > 0})}
    free, offering = [], Counter[str]()
    for node in eligibility.nodes:
        offered = _scheduled(amounts((node.get("status") or {}).get("allocatable")))
        offering.update(name for name in needed if offered.get(name, 0) > 0)
        name = node["metadata"]["name"]
        if name not in blocked:
            used = pods.taken.get(name, {})
            free.append({key: max(offered.get(key, 0) - used.get(key, 0), 0) for key in needed})
    return Room(
        needed,
        tuple(free),
        offering,
        eligibility,
        node_count=len(nodes),
        blocked=len(eligibility.nodes) - len(free),
        once=one_per_node(facts.namespace, template),
    )


def _holds_room(pod: Json) -> bool:
    phase = (pod.get("status") or {}).get("phase")
    return bool(pod["spec"].get("nodeName")) and phase not in ("Succeeded", "Failed")


def _scheduled(asked: Amounts) -> Amounts:
    """Return amounts rounded up as the scheduler holds them: millicores, and whole units of all else."""
    units = {name: NANO // 1000 if name == "cpu" else NANO for name in asked}
    return {name: rounded_up(nano, units[name]) * units[name] for name, nano in asked.items()}


def _taken(pods: Iterable[Json]) -> dict[str, Amounts]:
    """Return what ``pods`` take of each node, their slots included."""
    taken: dict[str, Amounts] = {}
    for pod in pods:
        total = taken.setdefault(pod["spec"]["nodeName"], {_SLOTS: 0})
        total[_SLOTS] += NANO
        for name, nano in _scheduled(occupied_by(pod)).items():
            total[name] = total.get(name, 0) + nano
    return taken


def _node_shortages(room: Room, wanted: int) -> list[Shortage]:
    """Return why the nodes take fewer than ``wanted`` copies; empty if they take them all."""
    fits = sum(_copies_on(free, room) for free in room.free)
    if fits >= wanted:
        return []
    if not room.eligibility.nodes:
        return [_no_eligible_node(room, wanted)]
    alone = {name: sum(free[name] // each for free in room.free) for name, each in room.needed.items()}
    bounds = [count for count in alone.values() if count < wanted]
    shortages = [_short(room, name, fits, wanted) for name, count in alone.items() if count < wanted]
    if room.once and len(room.free) < wanted:
        bounds.append(len(room.free))
        shortages.insert(0, _one_per_node(room, fits, wanted))
    elif room.blocked:
        shortages.insert(0, _kept_away(room, fits, wanted))
    if fits < min(bounds, default=wanted):
        shortages.insert(0, _short_together(room, fits, wanted))
    return shortages


def _copies_on(free: Amounts, room: Room) -> int:
    count = min(free[name] // each for name, each in room.needed.items())
    return min(count, 1) if room.once else count


def _short(room: Room, name: str, fits: int, wanted: int) -> Shortage:
    """Return the sentence for one resource: what each copy needs, what is free and on how many nodes."""
    each, each_free = room.needed[name], [free[name] for free in room.free]
    needed, available = format_amount(name, each), format_amount(name, sum(each_free))
    nodes = f"{_eligible(room.offering[name])} of {room.node_count}"
    scattered = sum(each_free) // each > sum(free // each for free in each_free)
    largest = f", at most {format_amount(name, max(each_free))} on one" if scattered else ""
    if name == _SLOTS:
        what = f"pod slots are short ({available} free on {nodes})"
    elif not room.offering[name]:
        offered = f"{_eligible(len(room.eligibility.nodes))} of {room.node_count}"
        what = f"no node offers {name} (each needs {needed}; {offered})"
    else:
        what = f"{name} is short (each needs {needed}; {available} free on {nodes}{largest})"
    reason = "TooManyPods" if name == _SLOTS else "Insufficient"
    return Shortage(reason, name, available, needed, fits, f"{fits} of {copies(wanted)} fit: {what}")


def _short_together(room: Room, fits: int, wanted: int) -> Shortage:
    """Return the sentence for resources that are free, but not on the same nodes."""
    binding = sorted({_scarcest(free, room.needed) for free in room.free})
    names = " and ".join("pod slots" if name == _SLOTS else name for name in binding)
    nodes = f"{_eligible(len(room.free))} of {room.node_count}"
    message = f"{fits} of {copies(wanted)} fit: {names} are not free together on enough nodes ({nodes})"
    return Shortage("Insufficient", names, "", "", fits, message)


def _scarcest(free: Amounts, needed: Amounts) -> str:
    return min(needed, key=lambda name: free[name] // needed[name])


def _one_per_node(room: Room, fits: int, wanted: int) -> Shortage:
    nodes = f"{_eligible(len(room.eligibility.nodes))} of {room.node_count}, {room.blocked} of them taken"
    message = f"{fits} of {copies(wanted)} fit: {room.once} allows one copy per node ({nodes})"
    return Shortage("OnePerNode", "", str(len(room.free)), "1", fits, message)


def _kept_away(room: Room, fits: int, wanted: int) -> Shortage:
    nodes = f"{room.blocked} of {_eligible(len(room.eligibility.nodes))}"
    message = f"{fits} of {copies(wanted)} fit: podAntiAffinity to pods that are there rules out {nodes}"
    return Shortage("PodAntiAffinity", "", str(len(room.free)), "", fits, message)


def _no_eligible_node(room: Room, wanted: int) -> Shortage:
    clauses = ", ".join(f"{count}: {clause}" for clause, count in room.eligibility.rejected)
    what = f"none of {room.node_count} nodes is eligible ({clauses})" if clauses else "there are no nodes"
    return Shortage("NoEligibleNode", "", "", "", 0, f"0 of {copies(wanted)} fit: {what}")


def _eligible(count: int) -> str:
    return f"{count} eligible {'node' if count == 1 else 'nodes'}"
