"""What an HPA's status and events say of a metric, word for word as a real controller of v1.37.2 said it."""

from __future__ import annotations

from typing import Any

import pytest

from mlscale.hpa.memory import Memory
from mlscale.hpa.metric_results import Invalid, Reading, Valid, Workload, evaluated
from mlscale.hpa.reconcile import Seen, decide
from mlscale.hpa.scaling_spec import read_scaling_spec, read_target
from tests.unit.hpa.worked import DEFAULT, FLAGS, NOW, Member, measured

Json = dict[str, Any]

_SELECTOR = {
    "matchLabels": {"b": "c", "a": "d"},
    "matchExpressions": [{"key": "z", "operator": "In", "values": ["x", "w"]}],
}
_SELECTOR_WORDS = (
    "&LabelSelector{MatchLabels:map[string]string{a: d,b: c,},MatchExpressions:[]LabelSelectorRequirement{"
    "LabelSelectorRequirement{Key:z,Operator:In,Values:[x w],},},}"
)
_SERVICE = {"apiVersion": "v1", "kind": "Service", "name": "s"}


def resource(name: str, **target: Any) -> Json:
    return {"type": "Resource", "resource": {"name": name, "target": target}}


def container(**target: Any) -> Json:
    return {"type": "ContainerResource", "containerResource": {"name": "cpu", "container": "c", "target": target}}


def custom(kind: str, target: Json, **more: Any) -> Json:
    selector = {"selector": more.pop("selector")} if "selector" in more else {}
    return {"type": kind, kind.lower(): {"metric": {"name": "q", **selector}, "target": target, **more}}


PERCENT = {"averageUtilization": 50}
VALUE, AVERAGE = {"type": "Value", "value": "10"}, {"type": "AverageValue", "averageValue": "10"}


def outcome(metric: Json, reading: Reading, pods: list[Member]) -> Valid | Invalid:
    workload = Workload("shop", 2, 2, tuple(measured(pods).pods))
    return evaluated(read_target(metric), reading, workload, DEFAULT, NOW, FLAGS)


def reading(use: int) -> Reading:
    facts = measured([Member(use, request=500)] * 2)
    return Reading(facts.samples, facts.requests, (30_000,))


@pytest.mark.parametrize(
    ("metric", "use", "name", "status"),
    [
        (
            resource("cpu", **PERCENT),
            450,
            "cpu resource utilization (percentage of request)",
            {"name": "cpu", "current": {"averageUtilization": 90, "averageValue": "450m"}},
        ),
        (
            resource("memory", averageValue="150Mi"),
            100 * 2**20 * 1000,
            "memory resource",
            {"name": "memory", "current": {"averageValue": "100Mi"}},
        ),
        (
            container(**PERCENT),
            450,
            "cpu container resource utilization (percentage of request)",
            {"name": "cpu", "container": "c", "current": {"averageUtilization": 90, "averageValue": "450m"}},
        ),
        (custom("Pods", AVERAGE), 12, "pods metric q", {"metric": {"name": "q"}, "current": {"averageValue": "12m"}}),
        (
            custom("Object", VALUE, describedObject=_SERVICE),
            0,
            "Service metric q",
            {"metric": {"name": "q"}, "describedObject": _SERVICE, "current": {"value": "30"}},
        ),
        (
            custom("Object", AVERAGE, describedObject=_SERVICE),
            0,
            "external metric q(nil)",
            {"metric": {"name": "q"}, "describedObject": _SERVICE, "current": {"averageValue": "15"}},
        ),
        (
            custom("External", AVERAGE, selector=_SELECTOR),
            0,
            f"external metric q({_SELECTOR_WORDS})",
            {"metric": {"name": "q", "selector": _SELECTOR}, "current": {"averageValue": "15"}},
        ),
        (
            custom("External", VALUE),
            0,
            "external metric q(nil)",
            {"metric": {"name": "q"}, "current": {"value": "30"}},
        ),
    ],
)
def test_names_and_statuses(metric: Json, use: int, name: str, status: Json) -> None:
    result = outcome(metric, reading(use), [Member(use)] * 2)
    assert isinstance(result, Valid)
    kind = metric["type"]
    assert (result.name, result.status) == (name, {"type": kind, kind[0].lower() + kind[1:]: status})


_GONE = "unable to fetch metrics from external metrics API: gone"


@pytest.mark.parametrize(
    ("metric", "reason", "message", "error"),
    [
        (
            resource("cpu", **PERCENT),
            "FailedGetResourceMetric",
            "failed to get cpu utilization: unable to get metrics for resource cpu: gone",
            "failed to get cpu resource metric value: failed to get cpu utilization: unable to get metrics for "
            "resource cpu: gone",
        ),
        (
            resource("memory", averageValue="1Mi"),
            "FailedGetResourceMetric",
            "failed to get memory usage: unable to get metrics for resource memory: gone",
            "failed to get memory resource metric value: failed to get memory usage: unable to get metrics for "
            "resource memory: gone",
        ),
        (
            container(**PERCENT),
            "FailedGetContainerResourceMetric",
            "failed to get cpu utilization: unable to get metrics for resource cpu: gone",
            "failed to get c container metric value: failed to get cpu utilization: unable to get metrics for "
            "resource cpu: gone",
        ),
        (
            resource("cpu"),
            "FailedGetResourceMetric",
            "invalid resource metric source: neither an average utilization target nor an average value (usage) "
            "target was set",
            "failed to get cpu resource metric value: invalid resource metric source: neither an average utilization "
            "target nor an average value (usage) target was set",
        ),
        (
            custom("Pods", AVERAGE),
            "FailedGetPodsMetric",
            "unable to get metric q: gone",
            "failed to get pods metric value: unable to get metric q: gone",
        ),
        (
            custom("Object", VALUE, describedObject=_SERVICE),
            "FailedGetObjectMetric",
            "unable to get metric q on Service shop/s: gone",
            "failed to get object metric value: unable to get metric q on Service shop/s: gone",
        ),
        (
            custom("Object", AVERAGE, describedObject=_SERVICE),
            "FailedGetObjectMetric",
            "unable to get metric q on Service shop/s: gone",
            "failed to get object metric value: failed to get q object metric: unable to get metric q on Service "
            "shop/s: gone",
        ),
        (
            custom("Object", {"type": "Value", "averageValue": "1"}, describedObject=_SERVICE),
            "FailedGetObjectMetric",
            "invalid object metric source: neither a value target nor an average value target was set",
            "failed to get object metric value: invalid object metric source: neither a value target nor an average "
            "value target was set",
        ),
        (
            custom("External", AVERAGE, selector=_SELECTOR),
            "FailedGetExternalMetric",
            f"unable to get external metric shop/q/{_SELECTOR_WORDS}: gone",
            f"failed to get q external metric value: failed to get q external metric: unable to get external metric "
            f"shop/q/{_SELECTOR_WORDS}: gone",
        ),
        (
            custom("External", VALUE),
            "FailedGetExternalMetric",
            "unable to get external metric shop/q/nil: gone",
            "failed to get q external metric value: failed to get external metric q: unable to get external metric "
            "shop/q/nil: gone",
        ),
        (
            {"type": "Tarot"},
            "InvalidMetricSourceType",
            'unknown metric source type "Tarot"',
            'unknown metric source type "Tarot"',
        ),
    ],
)
def test_failures(metric: Json, reason: str, message: str, error: str) -> None:
    assert outcome(metric, Reading(unread="gone"), [Member(1)]) == Invalid(reason, message, error)


def test_a_failed_metric_keeps_its_place_in_the_status() -> None:
    spec = read_scaling_spec({"maxReplicas": 9, "metrics": [custom("External", AVERAGE), custom("External", VALUE)]})
    readings = [Reading(unread=_GONE), Reading(unread=_GONE)]
    decision = decide(spec, Seen(Workload("shop", 3, 3), readings), (), Memory(), NOW)
    assert decision.metrics == ({"type": ""}, {"type": ""})
    assert (decision.desired, decision.rescale) == (None, False)
    assert [event.reason for event in decision.events] == [
        "FailedGetExternalMetric",
        "FailedGetExternalMetric",
        "FailedComputeMetricsReplicas",
    ]
    assert decision.events[-1].message.startswith("invalid metrics (2 invalid out of 2), first error is: failed to get")
    active = next(one for one in decision.conditions if one.type == "ScalingActive")
    assert active.message == f"the HPA was unable to compute the replica count: {decision.events[0].message}"
