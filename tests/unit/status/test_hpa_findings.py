"""What an HPA's conditions mean; the messages are those of the controller, v1.37.2."""

from __future__ import annotations

from typing import Any

import pytest

from mlscale.kube.finding import Finding
from mlscale.status.hpa_findings import (
    explain_hpa,
    explain_shared_targets,
    unknown_metrics,
)
from mlscale.status.model import hpa_key
from tests.unit.status.objects import NOW, WORKS, ago, condition, deployment, hpa, measured, utilization

Json = dict[str, Any]
COMPUTE = "the HPA was unable to compute the replica count: "
ABLE = condition("AbleToScale", "True", "SucceededGetScale")


def said(given: Json, workload: Json | None = None, where: str = "") -> list[tuple[str, str, str]]:
    return [(f.level, f.reason, f.message) for f in explain_hpa(given, workload, NOW, where=where)]


def inactive(reason: str, message: str = "") -> list[Json]:
    return [ABLE, condition("ScalingActive", "False", reason, message)]


def failed(message: str, reason: str = "FailedGetResourceMetric") -> Json:
    return hpa(conditions=inactive(reason, f"{COMPUTE}{message}"), current=[{"type": ""}])


def test_an_hpa_that_works_needs_no_explanation() -> None:
    assert said(hpa()) == []


UNKNOWN = [
    (
        "failed to get cpu utilization: missing request for cpu in container server of Pod noreq-787f9f7979-jkh78",
        "MissingRequest",
        "container server of Deployment/web has no cpu request; "
        "set resources.requests.cpu on it, or target an average value",
    ),
    (
        "failed to get cpu utilization: missing pod-level request for cpu in Pod noreq-787f9f7979-jkh78",
        "MissingRequest",
        "the pod as a whole of Deployment/web has no cpu request; set spec.resources.requests.cpu of its template",
    ),
    (
        "failed to get cpu utilization: unable to get metrics for resource cpu: unable to fetch metrics from resource "
        "metrics API: the server could not find the requested resource (get pods.metrics.k8s.io)",
        "NoMetricsAPI",
        "the cluster has no resource metrics API (metrics.k8s.io); install metrics-server",
    ),
    (
        "failed to get cpu utilization: unable to get metrics for resource cpu: unable to fetch metrics from resource "
        "metrics API: the server is currently unable to handle the request (get pods.metrics.k8s.io)",
        "MetricsAPIUnavailable",
        "the metrics API does not answer; check the APIServices and metrics-server",
    ),
    (
        "unable to get metric qps: unable to fetch metrics from custom metrics API: "
        "no custom metrics API (custom.metrics.k8s.io) registered",
        "NoMetricsAPI",
        "no API for custom metrics (custom.metrics.k8s.io) is registered",
    ),
    (
        "unable to get external metric ml/queue/nil: unable to fetch metrics from external metrics API: "
        "the server could not find the requested resource (get queue.external.metrics.k8s.io)",
        "NoMetricsAPI",
        "external.metrics.k8s.io does not serve it: no adapter is installed, or it does not know the metric",
    ),
    (
        "failed to get cpu utilization: no pods returned by selector while calculating replica count",
        "NoPods",
        "the selector of Deployment/web matches no pod",
    ),
    (
        "failed to get cpu utilization: did not receive metrics for targeted pods (pods might be unready)",
        "NoSamples",
        "no pod of Deployment/web is Ready and measured yet; a new pod's first sample takes 15 to 60 s",
    ),
    (
        "failed to get cpu utilization: unable to get metrics for resource cpu: no metrics returned from resource "
        "metrics API",
        "NoSamples",
        "no pod of Deployment/web is Ready and measured yet; a new pod's first sample takes 15 to 60 s",
    ),
    ("something new", "FailedGetResourceMetric", "something new"),
]  # fmt: skip


@pytest.mark.parametrize(("message", "reason", "sentence"), UNKNOWN)
def test_why_a_target_is_unknown(message: str, reason: str, sentence: str) -> None:
    """``get hpa`` shows all of these as ``cpu: <unknown>/50%``."""
    assert said(failed(message)) == [("warning", reason, f"hpa/web has no value for cpu: {sentence}")]


def test_pods_that_are_not_ready_are_the_cause_where_the_workload_shows_none() -> None:
    given = failed("failed to get cpu utilization: did not receive metrics for targeted pods (pods might be unready)")
    assert said(given, deployment(ready=0)) == [
        ("warning", "NoReadyPods", "hpa/web has no value for cpu: no pod of Deployment/web is Ready")
    ]
    assert said(given, deployment(ready=1))[0][1] == "NoSamples"


def test_a_target_that_is_not_there() -> None:
    message = 'the HPA controller was unable to get the target\'s current scale: deployments.apps "web" not found'
    given = hpa(conditions=[condition("AbleToScale", "False", "FailedGetScale", message)], current=[])
    assert said(given) == [
        (
            "warning",
            "FailedGetScale",
            'hpa/web cannot read the scale of Deployment/web: deployments.apps "web" not found',
        )
    ]


def test_a_scale_that_cannot_be_written() -> None:
    given = hpa(conditions=[condition("AbleToScale", "False", "FailedUpdateScale", "admission webhook denied it")])
    assert said(given) == [
        ("warning", "FailedUpdateScale", "hpa/web cannot scale Deployment/web: admission webhook denied it")
    ]


def test_zero_replicas_switch_it_off_which_is_a_note() -> None:
    given = hpa(
        conditions=inactive("ScalingDisabled", "scaling is disabled since the replica count of the target is zero")
    )
    assert said(given) == [
        (
            "note",
            "ScalingDisabled",
            "hpa/web is off while Deployment/web has 0 replicas; scale it to 1 or more to switch the HPA on",
        )
    ]


def test_a_scale_without_selector() -> None:
    given = hpa(conditions=inactive("InvalidSelector", "the HPA target's scale is missing a selector"))
    assert said(given)[0][1:] == (
        "InvalidSelector",
        "hpa/web cannot find the pods of Deployment/web: its scale has no valid selector "
        "(the HPA target's scale is missing a selector)",
    )


def test_pods_of_two_targets_that_overlap() -> None:
    message = "pods by selector app=web are controlled by more than one HPA (e.g. [ml/web ml/other])"
    assert said(hpa(conditions=inactive("AmbiguousSelector", message)))[0][1:] == (
        "AmbiguousSelector",
        f"hpa/web does not scale: {message}; keep one HPA for these pods",
    )


def limited(status: str, reason: str) -> list[Json]:
    return [*WORKS[:2], condition("ScalingLimited", status, reason)]


def test_more_wanted_than_max_is_said_with_the_use() -> None:
    given = hpa(conditions=limited("True", "TooManyReplicas"), current=[measured(percent=250)])
    assert said(given) == [
        (
            "warning",
            "TooManyReplicas",
            "hpa/web wants more than max 5: cpu is at 250%, its target 50%; raise max, or make each pod do more",
        )
    ]


def test_quantities_are_shown_as_the_api_has_them() -> None:
    metric = {
        "type": "External",
        "external": {"metric": {"name": "queue"}, "target": {"type": "AverageValue", "averageValue": "30"}},
    }
    current = {"type": "External", "external": {"metric": {"name": "queue"}, "current": {"averageValue": "12500m"}}}
    given = hpa(conditions=limited("True", "TooManyReplicas"), metrics=[metric], current=[current])
    assert "queue is at 12500m, its target 30;" in said(given)[0][2]


@pytest.mark.parametrize("reason", ["TooFewReplicas", "ScaleUpLimit", "ScaleDownLimit"])
def test_other_limits_are_the_ordinary_course_of_things(reason: str) -> None:
    """An idle workload at min is TooFewReplicas for ever; it is where it should be."""
    assert said(hpa(conditions=limited("True", reason))) == []


def test_a_limit_from_before_it_stopped_is_not_repeated() -> None:
    """ScalingLimited keeps its last value while ScalingActive is False."""
    given = hpa(conditions=[*inactive("ScalingDisabled"), condition("ScalingLimited", "True", "TooManyReplicas")])
    assert [reason for _, reason, _ in said(given)] == ["ScalingDisabled"]


def test_one_metric_of_two_without_a_value() -> None:
    given = hpa(metrics=[utilization(), utilization("memory", 70)], current=[measured(), {"type": ""}])
    assert said(given) == [
        (
            "warning",
            "MetricMissing",
            "hpa/web has no value for memory: the other metrics can scale it up, but not down",
        )
    ]


def test_all_values_gone_while_active_is_a_forced_step_into_bounds() -> None:
    """Moving into min..max reads no metric and empties currentMetrics; the next sync fills them again."""
    assert said(hpa(current=[])) == []


def test_a_new_hpa_is_not_evaluated_yet() -> None:
    given = hpa(conditions=[], current=[], creationTimestamp=ago(seconds=5))
    assert said(given) == [
        (
            "note",
            "NotYetEvaluated",
            "hpa/web is new and has not been evaluated yet; the controller does so every 15 s",
        )
    ]


def test_a_new_hpa_of_a_template_without_requests_is_told_at_once() -> None:
    given = hpa(conditions=[], current=[], creationTimestamp=ago(seconds=5))
    workload = deployment(template={"spec": {"containers": [{"name": "server"}]}})
    assert said(given, workload)[0][2].endswith(
        "; container server has no cpu request, so its use cannot be measured unless a LimitRange sets one"
    )


def test_an_old_hpa_that_was_never_evaluated_points_at_the_controller() -> None:
    assert said(hpa(conditions=[], current=[])) == [
        (
            "warning",
            "NeverEvaluated",
            "hpa/web was made 60m ago and never evaluated; check that kube-controller-manager runs",
        )
    ]


def test_all_namespaces_put_the_namespace_before_the_name() -> None:
    assert said(failed("something new"), where="ml/")[0][2].startswith("hpa/ml/web has no value")


def test_text_of_the_cluster_cannot_steer_the_terminal() -> None:
    [(_, _, message)] = said(failed("a\x1b[31m\nb"))
    assert message == "hpa/web has no value for cpu: a\\x1b[31m b"


def test_two_hpas_on_one_target_are_named_together() -> None:
    pair = [hpa("web"), hpa("web2"), hpa("api", "api"), hpa("web", namespace="other")]
    assert explain_shared_targets(pair, {("ml", "web2")}, where=False) == [
        Finding(
            "warning",
            "AmbiguousSelector",
            "hpa/web and hpa/web2 both target Deployment/web: neither scales by its metrics; keep one",
            "horizontalpodautoscaler.autoscaling/web",
        )
    ]
    assert explain_shared_targets(pair, {("ml", "api")}, where=False) == []


def test_three_hpas_in_all_namespaces() -> None:
    [found] = explain_shared_targets([hpa("a"), hpa("b"), hpa("c")], {("ml", "a")}, where=True)
    assert found.message.startswith("hpa/ml/a, hpa/ml/b, hpa/ml/c all target Deployment/web: none scales")


def test_the_same_name_of_another_kind_is_another_target() -> None:
    pair = [hpa("a"), hpa("b", kind="StatefulSet")]
    assert explain_shared_targets(pair, set(map(hpa_key, pair)), where=False) == []


def test_unknown_metrics_are_those_of_the_spec_without_a_value() -> None:
    container = {"type": "ContainerResource", "containerResource": {"name": "cpu", "container": "server", "target": {}}}
    pods = {"type": "Pods", "pods": {"metric": {"name": "qps"}, "target": {}}}
    assert unknown_metrics(hpa(metrics=[utilization(), container, pods], current=[measured(), {"type": ""}])) == [
        "cpu",
        "qps",
    ]


REQUESTS = {"resources": {"requests": {"cpu": "1"}}}
TEMPLATES = [
    ({"containers": [{"name": "a", **REQUESTS}, {"name": "b"}]}, "", ["b"]),
    ({"containers": [{"name": "a", **REQUESTS}, {"name": "b"}]}, "a", []),
    ({"containers": [{"name": "a", "resources": {"limits": {"cpu": "1"}}}]}, "", []),
    ({"containers": [{"name": "a"}], "resources": {"requests": {"cpu": "2"}}}, "", []),
    ({"containers": [{"name": "a"}], "resources": {"requests": {"cpu": "2"}}}, "a", ["a"]),
    ({"initContainers": [{"name": "side", "restartPolicy": "Always"}, {"name": "init"}]}, "", ["side"]),
]  # fmt: skip


@pytest.mark.parametrize(("pod_spec", "container", "missing"), TEMPLATES)
def test_a_new_hpa_names_the_first_request_that_its_template_lacks(
    pod_spec: Json, container: str, missing: list[str]
) -> None:
    """Init containers that end do not count; sidecars do (replica_calculator.go, v1.37.2)."""
    target = {"type": "Utilization", "averageUtilization": 50}
    metric: Json = {"type": "Resource", "resource": {"name": "cpu", "target": target}}
    if container:
        source = {"name": "cpu", "container": container, "target": target}
        metric = {"type": "ContainerResource", "containerResource": source}
    young = hpa(metrics=[metric], conditions=[])
    young["metadata"]["creationTimestamp"] = ago(seconds=5)
    [(_, reason, message)] = said(young, {"spec": {"template": {"spec": pod_spec}}})
    assert reason == "NotYetEvaluated"
    assert message.partition("; container ")[2].partition(" has no cpu request")[0] == "".join(missing[:1])
