"""One simulated cluster: set up as its scenario says, and the same again from the same seed."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from mlscale.sandbox.scenario import NodePool, Scenario
from mlscale.sandbox.scenario_fields import ScenarioError
from mlscale.sandbox.simulation import AUTHOR, Simulation
from tests.unit.sandbox.controllers.simulated import workload

if TYPE_CHECKING:
    from mlscale.sandbox.store import Change

Json = dict[str, Any]

START = datetime(2026, 11, 25, 8, 0, tzinfo=UTC)
TAINT = {"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"}
CPU = NodePool("cpu-{index}", 2, {"cpu": "8", "memory": "32Gi", "pods": "110"})
GPU = NodePool("gpu-{index}", 1, {"cpu": "8", "memory": "32Gi", "pods": "110"}, {"accelerator": "gpu"}, (TAINT,))
QUOTA = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "q"}, "spec": {"hard": {"pods": "2"}}}


def simulation(*objects: Json, seed: int = 1, warm_up: float = 60.0) -> Simulation:
    return Simulation(Scenario("test", "A test.", (CPU, GPU), objects, warm_up=warm_up), seed, START)


def test_it_is_warm_at_its_start() -> None:
    cluster = simulation(workload("Deployment", "web", 3))
    assert cluster.agenda.now == START
    deployment = cluster.store.get("deployments.apps", "default", "web")
    assert deployment is not None
    assert deployment["metadata"]["creationTimestamp"] == "2026-11-25T07:59:00Z"
    assert deployment["status"]["availableReplicas"] == 3


def test_its_nodes_are_as_the_pools_say_and_ready() -> None:
    cluster = simulation()
    nodes = {node["metadata"]["name"]: node for node in cluster.store.list("nodes")}
    assert list(nodes) == ["cpu-0", "cpu-1", "gpu-0"]
    gpu = nodes["gpu-0"]
    assert gpu["metadata"]["labels"].items() >= {"accelerator": "gpu", "kubernetes.io/hostname": "gpu-0"}.items()
    assert gpu["spec"]["taints"] == [TAINT]
    assert gpu["status"]["allocatable"] == GPU.allocatable
    ready = next(one for one in gpu["status"]["conditions"] if one["type"] == "Ready")
    assert (ready["status"], ready["reason"]) == ("True", "KubeletReady")


def test_nodes_report_each_five_minutes_that_they_are_there() -> None:
    cluster = simulation(warm_up=0.0)
    cluster.advance(START + timedelta(minutes=11))
    (*_, ready) = cluster.store.list("nodes")[0]["status"]["conditions"]
    assert ready["lastHeartbeatTime"] == "2026-11-25T08:10:00Z"
    assert ready["lastTransitionTime"] == "2026-11-25T08:00:00Z"


def test_a_pod_stays_off_a_tainted_node() -> None:
    cluster = simulation(workload("Deployment", "web", 4))
    assert {pod["spec"]["nodeName"] for pod in cluster.store.list("pods")} == {"cpu-0", "cpu-1"}


def test_what_a_write_sets_going_is_done_without_time_passing() -> None:
    cluster = simulation()
    cluster.api.create(cluster.api.resources["deployments.apps"], "default", workload("Deployment", "web", 2), AUTHOR)
    assert cluster.store.list("pods") == []
    cluster.settle()
    assert len(cluster.store.list("pods")) == 2
    assert cluster.agenda.now == START


def test_time_does_not_run_back() -> None:
    cluster = simulation()
    cluster.advance(START - timedelta(days=1))
    assert cluster.agenda.now == START


def test_a_quota_holds_pods_back_and_says_so() -> None:
    cluster = simulation(QUOTA, workload("Deployment", "web", 3), warm_up=0.0)
    assert len(cluster.store.list("pods")) == 2
    quota = cluster.store.get("resourcequotas", "default", "q")
    assert quota is not None
    assert quota["status"] == {"hard": {"pods": "2"}, "used": {"pods": "2"}}
    (replicaset,) = cluster.store.list("replicasets.apps")
    (failure,) = replicaset["status"]["conditions"]
    assert (failure["type"], failure["status"], failure["reason"]) == ("ReplicaFailure", "True", "FailedCreate")
    assert failure["message"].endswith(
        "is forbidden: exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2"
    )
    (deployment,) = cluster.store.list("deployments.apps")
    kinds = {one["type"]: one for one in deployment["status"]["conditions"]}
    assert kinds["ReplicaFailure"]["message"] == failure["message"]
    # 25 % of three pods, rounded down, may be missing: none.
    assert kinds["Available"]["reason"] == "MinimumReplicasUnavailable"


def run(seed: int) -> str:
    """All writes of a run with a rollout, in one text."""
    cluster = simulation(workload("Deployment", "web", 3), seed=seed)
    changes: list[Change] = []
    cluster.store.subscribe(changes.append)
    patch = {"spec": {"replicas": 5, "template": {"metadata": {"annotations": {"round": "2"}}}}}
    deployments = cluster.api.resources["deployments.apps"]
    cluster.api.patch(deployments, "default", "web", patch, "application/merge-patch+json", AUTHOR)
    cluster.advance(START + timedelta(minutes=10))
    assert len(changes) > 50
    return json.dumps([(change.type, change.object) for change in changes])


def test_the_same_seed_makes_the_same_run_to_the_byte() -> None:
    assert run(1) == run(1)
    assert run(1) != run(2)


@pytest.mark.parametrize(
    ("obj", "message"),
    [
        (
            {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}},
            "scenario test: the sandbox does not serve v1 Secret",
        ),
        (
            workload("Deployment", "web", -1),
            'scenario test: Deployment web is refused: Deployment.apps "web" is invalid: spec.replicas: Invalid value: '
            "-1: must be greater than or equal to 0",
        ),
    ],
)
def test_an_object_that_cannot_be_there_is_named(obj: Json, message: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        simulation(obj)
    assert str(caught.value) == message
