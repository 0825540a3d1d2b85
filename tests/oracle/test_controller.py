"""Whole trajectories of an HPA by hpa/ against upstream's controller on a virtual clock, tick by tick.

MLSCALE_ORACLE_SEED repeats a run; the seed of a failure is in its message.
"""

from __future__ import annotations

import itertools
import random
from typing import TYPE_CHECKING, Any

import pytest

from mlscale.hpa.flags import ControllerFlags
from mlscale.hpa.memory import Memory
from mlscale.hpa.metric_results import Reading, Workload
from mlscale.hpa.pod_groups import Sample
from mlscale.hpa.reconcile import Seen, decide, rescaled
from mlscale.hpa.requests import RequestNeed, request_of
from mlscale.hpa.samples import pod_facts
from mlscale.hpa.scaling_spec import MetricTarget, read_scaling_spec
from tests.oracle import upstream
from tests.oracle.calculator_cases import NOW
from tests.oracle.controller_cases import trajectory
from tests.oracle.seeds import chosen_seed

if TYPE_CHECKING:
    from mlscale.hpa.conditions import Condition

Json = dict[str, Any]
Tick = tuple[int, int, Json, list[tuple[str, str, str, str]]]

TRAJECTORIES = 2_500
SYNC = 15.0
FIRST = NOW.timestamp() + 0.1
"""Upstream's first run comes once its caches are filled."""
ERROR = "no metrics returned from the metrics API"


def followed(given: Json) -> list[Tick]:
    """Replicas, desired, current metrics and conditions after each tick, by mlscale."""
    flags = ControllerFlags(tolerance=given["tolerance"], downscale_stabilization=given["stabilization"])
    spec = read_scaling_spec(given["hpa"]["spec"], flags)
    current, desired = given["replicas"], 0
    conditions: tuple[Condition, ...] = ()
    memory, ticks = Memory(), []
    for number, tick in enumerate(given["ticks"]):
        now = FIRST + number * SYNC
        current = tick.get("set", current)
        workload = Workload("oracle", current, current, tuple(pod_facts(pod) for pod in given["pods"]))
        seen = Seen(workload, [_reading(metric, tick, given["pods"]) for metric in spec.metrics])
        decision = decide(spec, seen, conditions, memory, now, flags)
        if decision.rescale:
            decision = rescaled(decision, spec, now)
            current = decision.desired or 0
        conditions, memory = decision.conditions, decision.memory
        desired = desired if decision.desired is None else decision.desired
        shown = [(one.type, one.status, one.reason, one.message) for one in conditions]
        ticks.append((current, desired, {"metrics": list(decision.metrics)}, shown))
    return ticks


def _reading(metric: MetricTarget, tick: Json, pods: list[Json]) -> Reading:
    if metric.type not in ("Resource", "Pods"):
        series = tick["values"].get(metric.name)
        return Reading(unread=ERROR) if series is None else Reading(series=tuple(series))
    if metric.name not in tick["samples"]:
        return Reading(unread=ERROR)
    samples = {
        name: Sample(one["value"], NOW.timestamp(), one["window"]) for name, one in tick["samples"][metric.name].items()
    }
    need = RequestNeed(metric.name)
    requests = {pod["metadata"]["name"]: request_of(pod["spec"], need) for pod in pods}
    return Reading(samples, requests if metric.utilization is not None else {})


def upstreams(ticks: list[Json]) -> list[Tick]:
    """Upstream's answer in the same form."""
    return [
        (
            tick["replicas"],
            tick["status"]["desiredReplicas"],
            {"metrics": [_shown(metric) for metric in tick["status"]["currentMetrics"] or []]},
            [(one["type"], one["status"], one["reason"], one["message"]) for one in tick["status"]["conditions"]],
        )
        for tick in ticks
    ]


def _shown(metric: Json) -> Json:
    """An object metric's reference without the field that Go writes empty."""
    if "object" in metric:
        metric["object"]["describedObject"] = {k: v for k, v in metric["object"]["describedObject"].items() if v}
    return metric


@pytest.mark.usefixtures("upstreams_controller")
def test_the_controller_is_upstreams() -> None:
    seed = chosen_seed()
    generator = random.Random(seed)
    given = [trajectory(generator) for _ in range(TRAJECTORIES)]
    said = upstream.ask("TestController", given, timeout=600)
    assert len(said) == TRAJECTORIES
    wrong = [
        (len(one["ticks"]), one, tick, theirs, mine)
        for one, answer in zip(given, said, strict=True)
        for tick, (theirs, mine) in enumerate(zip(upstreams(answer), followed(one), strict=True))
        if theirs != mine
    ]
    assert not wrong, f"seed {seed}: {len(wrong)} ticks differ, such as {min(wrong, key=lambda w: len(str(w)))}"
    # A generator whose targets never moved would agree on everything.
    moved = sum(
        before["replicas"] != after["replicas"] for answer in said for before, after in itertools.pairwise(answer)
    )
    assert moved > 2 * TRAJECTORIES, moved
