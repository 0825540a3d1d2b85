"""Each scenario that comes with mlscale shows its lesson."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from mlscale.kube.quantity import nano_of
from mlscale.sandbox.scenario_file import load_scenario, scenario_names
from tests.unit.sandbox.lives import USER, Json, Living, living

if TYPE_CHECKING:
    from mlscale.sandbox.store import Change

DEPLOYMENTS = "deployments.apps"
HOUR = 3600.0


def replicas(life: Living, name: str = "my-ml-model", namespace: str = "default") -> int:
    return int(life.one(DEPLOYMENTS, name, namespace)["spec"]["replicas"])


def utilization(life: Living) -> int:
    (hpa,) = life.all("horizontalpodautoscalers.autoscaling")
    return int(hpa["status"]["currentMetrics"][0]["resource"]["current"]["averageUtilization"])


def use(life: Living, resource: str) -> list[float]:
    """What the one container of each pod uses, in cores or bytes, by the metrics."""
    pods = life.all("pods.metrics.k8s.io")
    return [nano_of(pod["containers"][0]["usage"][resource]) / 1e9 for pod in pods]


def history(life: Living, until: float, step: float = 60) -> list[int]:
    """The replicas each ``step`` seconds."""
    found = []
    for index in range(1, int(until / step) + 1):
        life.after(index * step)
        found.append(replicas(life))
    return found


@pytest.mark.parametrize("name", scenario_names())
def test_every_one_has_running_pods_and_their_metrics_at_its_start(name: str) -> None:
    life = living(name)
    ready = [
        pod
        for pod in life.all("pods")
        if any((each["type"], each["status"]) == ("Ready", "True") for each in pod["status"].get("conditions", ()))
    ]
    assert ready
    assert len(life.all("pods.metrics.k8s.io")) == len(ready)
    assert len(life.all("nodes.metrics.k8s.io")) == len(life.all("nodes"))


@pytest.mark.parametrize("name", scenario_names())
def test_every_one_repeats_from_its_seed(name: str) -> None:
    one, other = living(name), living(name)
    for life in (one, other):
        life.after(200)
    for resource in ("pods", "events", "pods.metrics.k8s.io", "horizontalpodautoscalers.autoscaling"):
        assert json.dumps(one.all(resource)) == json.dumps(other.all(resource))


def test_steady_the_hpa_has_nothing_to_do() -> None:
    life = living("steady")
    assert set(history(life, 30 * 60)) == {3}
    assert life.condition("ScalingActive")["reason"] == "ValidMetricFound"


def test_daily_the_load_varies_between_night_and_day() -> None:
    life = living("daily")
    assert replicas(life) == 1  # The four workflows of the README begin with one.
    assert life.all("horizontalpodautoscalers.autoscaling") == []
    assert life.simulation.life.traffic.loads["my-ml-model"].arriving == pytest.approx(14, rel=0.2)
    life.after(6 * HOUR)
    assert use(life, "cpu") == pytest.approx([1.0])
    life.after(18 * HOUR)
    assert use(life, "cpu") == pytest.approx([0.21], rel=0.2)


@pytest.mark.parametrize(("hour", "expected"), [(14, 5), (2, 1)], ids=["day", "night"])
def test_daily_an_hpa_follows_it(hour: int, expected: int) -> None:
    # At 60 % of 500m a pod carries 6 requests per second: 24 by day take 4.2 pods with what each needs itself.
    life = Living(replace(load_scenario("daily"), clock=hour * HOUR))
    target = {"type": "Utilization", "averageUtilization": 60}
    hpa: Json = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "my-ml-model"},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "my-ml-model"},
            "minReplicas": 1,
            "maxReplicas": 8,
            "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}],
        },
    }
    life.api.create(life.api.resources["horizontalpodautoscalers.autoscaling"], "default", hpa, USER)
    life.after(20 * 60)
    assert replicas(life) == expected


def test_spike_the_hpa_goes_up_at_once_and_comes_down_later() -> None:
    life = living("spike")
    life.after(4 * 60)
    before = replicas(life)
    life.after(8 * 60)
    assert (before, replicas(life)) == (3, 12)
    life.after(16 * 60)
    assert replicas(life) == 12  # The spike ended a minute ago; the window of five minutes holds the replicas.
    life.after(25 * 60)
    assert replicas(life) < 6


def test_slow_start_pods_come_after_the_queue_is_full() -> None:
    life = living("slow-start")
    life.after(6.5 * 60)
    load = life.simulation.life.traffic.loads["my-ml-model"]
    assert replicas(life) == 10
    assert life.one(DEPLOYMENTS)["status"]["readyReplicas"] < 4
    assert load.dropped > 0
    life.after(12 * 60)
    assert life.one(DEPLOYMENTS)["status"]["readyReplicas"] == 10
    assert life.simulation.life.traffic.loads["my-ml-model"].waiting == pytest.approx(0)


def test_cpu_throttled_the_use_cannot_reach_the_target() -> None:
    life = living("cpu-throttled")
    life.after(20 * 60)
    load = life.simulation.life.traffic.loads["my-ml-model"]
    assert (load.throttled, load.dropped > 0) == (1, True)
    assert (utilization(life), replicas(life)) == (100, 2)  # Its target is 120 %, and it never adds a pod.


def test_memory_bound_a_burst_gets_it_oom_killed() -> None:
    life = living("memory-bound")
    (pod,) = life.all("pods")
    assert pod["status"]["containerStatuses"][0]["restartCount"] == 0
    limit = nano_of(pod["spec"]["containers"][0]["resources"]["limits"]["memory"]) / 1e9
    (used,) = use(life, "memory")
    assert 0.85 < used / limit < 1
    life.after(4 * 60)
    (pod,) = life.all("pods")
    status = pod["status"]["containerStatuses"][0]
    assert status["restartCount"] >= 1
    assert (status["lastState"]["terminated"]["reason"], status["lastState"]["terminated"]["exitCode"]) == (
        "OOMKilled",
        137,
    )


def test_gpu_queue_the_gpus_are_busy_and_the_cpu_is_idle() -> None:
    life = living("gpu-queue")
    life.after(10 * 60)
    load = life.simulation.life.traffic.loads["llm-server"]
    assert (load.gpu, load.waiting > 100) == (1, True)
    assert utilization(life) < 10
    assert replicas(life, "llm-server") == 2


def test_gpu_queue_more_replicas_help() -> None:
    life = living("gpu-queue")
    minimum = {"spec": {"minReplicas": 4}}
    resource = life.api.resources["horizontalpodautoscalers.autoscaling"]
    life.api.patch(resource, "default", "llm-server", minimum, "application/merge-patch+json", USER)
    life.after(10 * 60)
    load = life.simulation.life.traffic.loads["llm-server"]
    assert (load.waiting, load.dropped) == (0, 0)


def test_downstream_more_replicas_change_nothing() -> None:
    life = living("downstream")
    life.after(60)
    before = life.simulation.life.traffic.loads["my-ml-model"]
    assert (before.served, before.latency) == (10, 30)
    assert utilization(life) < 20
    minimum = {"spec": {"minReplicas": 8}}
    resource = life.api.resources["horizontalpodautoscalers.autoscaling"]
    life.api.patch(resource, "default", "my-ml-model", minimum, "application/merge-patch+json", USER)
    life.after(600)
    assert life.one(DEPLOYMENTS)["status"]["readyReplicas"] == 8
    assert life.simulation.life.traffic.loads["my-ml-model"].served == pytest.approx(10)


def test_no_requests_the_hpa_stays_unknown() -> None:
    life = living("no-requests")
    condition = life.condition("ScalingActive")
    assert (condition["status"], condition["reason"]) == ("False", "FailedGetResourceMetric")
    assert "missing request for cpu in container model of Pod my-ml-model-" in condition["message"]
    (hpa,) = life.all("horizontalpodautoscalers.autoscaling")
    assert not any("resource" in metric for metric in hpa["status"].get("currentMetrics") or ())
    assert len(life.all("pods.metrics.k8s.io")) == 2  # The use itself is measured.


def test_quota_the_last_pods_cannot_be_created() -> None:
    life = living("quota")
    assert replicas(life, namespace="team-a") > 4
    assert len(life.all("pods")) == 4  # 500m each, and 2 CPUs in all.
    failures = [event for event in life.all("events") if event["reason"] == "FailedCreate"]
    assert any("exceeded quota: compute" in event["message"] for event in failures)
    conditions = {each["type"]: each for each in life.one(DEPLOYMENTS, namespace="team-a")["status"]["conditions"]}
    assert conditions["ReplicaFailure"]["reason"] == "FailedCreate"


def test_full_cluster_the_last_pods_stay_pending() -> None:
    life = living("full-cluster")
    pending = [pod for pod in life.all("pods") if pod["status"]["phase"] == "Pending"]
    assert len(pending) == replicas(life) - 4
    scheduled = next(each for each in pending[0]["status"]["conditions"] if each["type"] == "PodScheduled")
    assert (scheduled["status"], scheduled["reason"]) == ("False", "Unschedulable")
    assert scheduled["message"].startswith("0/2 nodes are available: 2 Insufficient cpu.")


def test_hpa_fight_the_replicas_are_reset_again_and_again() -> None:
    life = living("hpa-fight")
    written = [(replicas(life), "")]

    def note(change: Change) -> None:
        if change.resource == DEPLOYMENTS:
            entries = change.object["metadata"]["managedFields"]
            owners = [each["manager"] for each in entries if "f:replicas" in each["fieldsV1"].get("f:spec", {})]
            written.append((change.object["spec"]["replicas"], *owners))

    life.simulation.store.subscribe(note)
    life.after(15 * 60)
    changes = [(before, now) for before, now in pairwise(written) if before[0] != now[0]]
    resets = [now for before, now in changes if now[0] < before[0]]
    assert resets == 5 * [(2, "argocd-controller")]  # One each three minutes,
    undone = [now for before, now in changes if before[0] == 2]
    assert [owner for _, owner in undone] == 5 * ["kube-controller-manager"]  # and the HPA undoes each.


def test_idle_next_to_nothing_of_the_request_is_used() -> None:
    life = living("idle")
    life.after(10 * 60)
    assert len(use(life, "cpu")) == 6
    assert max(use(life, "cpu")) < 0.05 * 2  # They request 2 CPUs
    assert max(use(life, "memory")) < 0.1 * 8 * 2**30  # and 8 GiB.


@pytest.mark.parametrize("name", scenario_names())
def test_the_usual_image_tag_is_there_and_a_third_is_not(name: str) -> None:
    life = living(name)
    (deployment,) = life.all(DEPLOYMENTS)
    image = deployment["spec"]["template"]["spec"]["containers"][0]["image"]
    patch = {"spec": {"template": {"spec": {"containers": [{"name": "model", "image": image[:-1] + "3"}]}}}}
    place = deployment["metadata"]["namespace"], deployment["metadata"]["name"]
    strategic = "application/strategic-merge-patch+json"
    life.api.patch(life.api.resources[DEPLOYMENTS], *place, patch, strategic, USER)
    life.after(20)
    reasons = [
        status["state"].get("waiting", {}).get("reason")
        for pod in life.all("pods")
        for status in pod["status"].get("containerStatuses", ())
    ]
    if name not in ("full-cluster", "quota"):  # There no new pod finds room.
        assert "ImagePullBackOff" in reasons
