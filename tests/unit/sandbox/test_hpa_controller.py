"""The sandbox's HPA controller; statuses and events are those of a real v1.37.2 control plane on the same objects."""

from __future__ import annotations

from typing import Any

import pytest

from mlscale.sandbox.statuses import forbidden
from tests.unit.sandbox.hpa_bench import HPAS, Bench

Json = dict[str, Any]
NO_METRICS = (
    "failed to get cpu utilization: unable to get metrics for resource cpu: "
    "no metrics returned from resource metrics API"
)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_it_scales_at_once(bench: Bench) -> None:
    bench.workload("web", 2)
    bench.use["web"] = "450m"
    bench.hpa("web")
    bench.run()
    assert bench.replicas("web") == 4
    metric = "cpu resource utilization (percentage of request)"
    assert bench.events("web") == [f"Normal SuccessfulRescale New size: 4; reason: {metric} above target x1"]
    status = bench.status("web")
    conditions = status.pop("conditions")
    assert status == {
        "currentMetrics": [
            {
                "resource": {"current": {"averageUtilization": 90, "averageValue": "450m"}, "name": "cpu"},
                "type": "Resource",
            }
        ],
        "currentReplicas": 2,
        "desiredReplicas": 4,
        "lastScaleTime": "2026-11-24T08:00:00Z",
        "observedGeneration": 1,
    }
    assert [(one["type"], one["status"], one["reason"], one["message"]) for one in conditions] == [
        ("AbleToScale", "True", "SucceededRescale", "the HPA controller was able to update the target scale to 4"),
        (
            "ScalingActive",
            "True",
            "ValidMetricFound",
            f"the HPA was able to successfully calculate a replica count from {metric}",
        ),
        ("ScalingLimited", "False", "DesiredWithinRange", "the desired count is within the acceptable range"),
        ("ScaledToZero", "False", "NotScaledToZero", "the HPA controller did not scale the workload to zero"),
    ]
    assert {one["lastTransitionTime"] for one in conditions} == {"2026-11-24T08:00:00Z"}


def test_it_looks_again_after_15_seconds_and_at_once_when_the_spec_changes(bench: Bench) -> None:
    bench.workload("web", 2)
    bench.use["web"] = "250m"
    bench.hpa("web")
    bench.run(1)
    bench.use["web"] = "450m"
    bench.run(13.9)
    assert bench.replicas("web") == 2
    bench.run(0.2)
    assert bench.replicas("web") == 4
    bench.change(HPAS, "web", minReplicas=5)
    bench.run()
    assert bench.replicas("web") == 5


def test_it_comes_down_when_the_window_has_passed(bench: Bench) -> None:
    bench.workload("web", 4)
    bench.use["web"] = "100m"
    bench.hpa("web")
    bench.run(299)
    assert bench.replicas("web") == 4
    assert bench.conditions("web")["AbleToScale"].startswith("True ScaleDownStabilized: recent recommendations were hi")
    bench.run(2)
    assert bench.replicas("web") == 2
    assert bench.events("web") == ["Normal SuccessfulRescale New size: 2; reason: All metrics below target x1"]


def test_without_metrics(bench: Bench) -> None:
    bench.workload("web", 1)
    bench.hpa("web")
    bench.run(16)
    assert bench.conditions("web") == {
        "AbleToScale": "True SucceededGetScale: the HPA controller was able to get the target's current scale",
        "ScalingActive": "False FailedGetResourceMetric: the HPA was unable to compute the replica count: "
        + NO_METRICS,
    }
    assert bench.status("web") | {"conditions": []} == {
        "conditions": [],
        "currentMetrics": [{"type": ""}],
        "currentReplicas": 1,
        "desiredReplicas": 0,
        "observedGeneration": 1,
    }
    whole = "invalid metrics (1 invalid out of 1), first error is: failed to get cpu resource metric value: "
    assert sorted(bench.events("web")) == [
        f"Warning FailedComputeMetricsReplicas {whole}{NO_METRICS} x2",
        f"Warning FailedGetResourceMetric {NO_METRICS} x2",
    ]


def test_without_requests(bench: Bench) -> None:
    bench.workload("web", 1, request="")
    bench.use["web"] = "450m"
    bench.hpa("web")
    bench.run()
    missing = "failed to get cpu utilization: missing request for cpu in container c of Pod web-0"
    assert bench.conditions("web")["ScalingActive"].endswith(f"compute the replica count: {missing}")


@pytest.mark.parametrize(
    ("target", "error"),
    [
        ({"apiVersion": "apps/v1", "kind": "Deployment", "name": "absent"}, 'deployments.apps "absent" not found'),
        ({"apiVersion": "apps/v7", "kind": "Foo", "name": "absent"}, 'no matches for kind "Foo" in group "apps"'),
        (
            {"apiVersion": "apps/v1", "kind": "DaemonSet", "name": "absent"},
            "the server could not find the requested resource",
        ),
    ],
)
def test_without_a_scale(bench: Bench, target: Json, error: str) -> None:
    bench.hpa("web", target)
    bench.run()
    message = f"the HPA controller was unable to get the target's current scale: {error}"
    assert bench.conditions("web") == {"AbleToScale": f"False FailedGetScale: {message}"}
    assert bench.status("web") | {"conditions": []} == {"conditions": [], "currentMetrics": None, "desiredReplicas": 0}
    assert bench.events("web") == [f"Warning FailedGetScale {error} x1"]


def test_the_version_of_the_reference_does_not_matter(bench: Bench) -> None:
    bench.workload("web", 9)
    bench.hpa("web", {"apiVersion": "apps/v1beta7", "kind": "Deployment", "name": "web"})
    bench.run()
    assert bench.replicas("web") == 6


def test_a_target_at_zero_is_left_alone(bench: Bench) -> None:
    bench.workload("web", 0)
    bench.hpa("web")
    bench.run()
    disabled = "scaling is disabled since the replica count of the target is zero"
    assert bench.conditions("web")["ScalingActive"] == f"False ScalingDisabled: {disabled}"
    assert bench.status("web") | {"conditions": []} == {
        "conditions": [],
        "currentMetrics": None,
        "desiredReplicas": 0,
        "observedGeneration": 1,
    }


def test_above_max_comes_down_without_metrics(bench: Bench) -> None:
    bench.workload("web", 9)
    bench.hpa("web")
    bench.run()
    assert bench.replicas("web") == 6
    reason = "Current number of replicas above Spec.MaxReplicas"
    assert bench.events("web") == [f"Normal SuccessfulRescale New size: 6; reason: {reason} x1"]
    assert list(bench.conditions("web")) == ["AbleToScale", "ScaledToZero"]


def test_two_hpas_of_the_same_pods(bench: Bench) -> None:
    bench.workload("two", 1)
    bench.use["two"] = "450m"
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "two"}
    bench.hpa("two-a", target)
    bench.hpa("two-b", target)
    bench.run(16)
    text = "pods by selector app=two are controlled by more than one HPA (e.g. [shop/two-a shop/two-b])"
    for name in ("two-a", "two-b"):
        assert bench.conditions(name)["ScalingActive"] == f"False AmbiguousSelector: {text}"
        assert any(event.startswith(f"Warning AmbiguousSelector {text}") for event in bench.events(name))
    bench.store.remove(HPAS, "shop", "two-a")
    bench.run(15)
    assert bench.conditions("two-b")["ScalingActive"].startswith("True ValidMetricFound")


@pytest.mark.parametrize(
    ("metric", "message"),
    [
        (
            {"type": "External", "external": {"metric": {"name": "q"}, "target": {"averageValue": "10"}}},
            "unable to get external metric shop/q/nil: unable to fetch metrics from external metrics API: the server "
            "could not find the requested resource (get q.external.metrics.k8s.io)",
        ),
        (
            {"type": "Pods", "pods": {"metric": {"name": "q"}, "target": {"averageValue": "10"}}},
            "unable to get metric q: unable to fetch metrics from custom metrics API: no custom metrics API "
            "(custom.metrics.k8s.io) registered",
        ),
    ],
)
def test_metrics_that_nobody_serves(bench: Bench, metric: Json, message: str) -> None:
    bench.workload("web", 1)
    bench.hpa("web", metrics=[metric])
    bench.run()
    assert bench.conditions("web")["ScalingActive"].endswith(f"compute the replica count: {message}")


def test_nothing_is_written_while_nothing_changes(bench: Bench) -> None:
    bench.workload("web", 2)
    bench.use["web"] = "250m"
    bench.hpa("web")
    bench.run(31)
    version = bench.store.version
    bench.run(300)
    assert bench.store.version == version


def test_a_scale_that_cannot_be_written(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    update = bench.api.update

    def refusing(resource: Any, *arguments: Any, **options: Any) -> Json:
        if options.get("subresource") == "scale":
            raise forbidden(resource.kind, "web", "no more")
        return update(resource, *arguments, **options)

    monkeypatch.setattr(bench.api, "update", refusing)
    bench.workload("web", 9)
    bench.hpa("web")
    bench.run()
    error = 'deployments.apps "web" is forbidden: no more'
    message = f"the HPA controller was unable to update the target scale: {error}"
    assert bench.conditions("web") == {"AbleToScale": f"False FailedUpdateScale: {message}"}
    reason = "Current number of replicas above Spec.MaxReplicas"
    assert bench.events("web") == [f"Warning FailedRescale New size: 6; reason: {reason}; error: {error} x1"]
    assert bench.status("web")["desiredReplicas"] == 0


def test_a_new_hpa_of_the_same_name_remembers_nothing_after_15_seconds(bench: Bench) -> None:
    bench.workload("web", 4)
    bench.use["web"] = "100m"
    bench.hpa("web")
    bench.run(290)
    bench.store.remove(HPAS, "shop", "web")
    bench.run(16)
    bench.hpa("web")
    bench.run(20)
    assert bench.replicas("web") == 4  # 326 s after the first look, it would have come down
