"""Which node a pod gets, and what is said when it gets none (messages compared with kube-scheduler v1.37.2)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.sandbox.controllers.simulated import SimulatedCluster, bare_pod, node, workload

Json = dict[str, Any]

NO_HELP = "Preemption is not helpful for scheduling"
NO_VICTIMS = "No preemption victims found for incoming pod"


def scheduled(cluster: SimulatedCluster, name: str) -> Json:
    """The PodScheduled condition of a pod."""
    conditions: list[Json] = cluster.get("Pod", name)["status"]["conditions"]
    return next(one for one in conditions if one["type"] == "PodScheduled")


def test_a_pod_that_fits_is_bound_and_that_is_said() -> None:
    cluster = SimulatedCluster(nodes=1)
    cluster.create(bare_pod("web"))
    assert cluster.get("Pod", "web")["spec"]["nodeName"] == "node-0"
    assert (scheduled(cluster, "web")["status"], scheduled(cluster, "web")["lastProbeTime"]) == ("True", None)
    assert cluster.said("web") == ["Scheduled: Successfully assigned default/web to node-0"]


def test_copies_are_spread_over_the_nodes() -> None:
    cluster = SimulatedCluster(nodes=3)
    cluster.create(workload("ReplicaSet", "web", 6))
    names = [pod["spec"]["nodeName"] for pod in cluster.all("Pod")]
    assert sorted(names) == ["node-0", "node-0", "node-1", "node-1", "node-2", "node-2"]


TAINT = {"key": "gpu", "value": "a", "effect": "NoSchedule"}
SOFT_TAINT = {"key": "old", "effect": "PreferNoSchedule"}
TOLERATION = {"key": "gpu", "operator": "Exists"}
HOST_PORT = {"containers": [{"name": "web", "image": "i", "ports": [{"containerPort": 80, "hostPort": 80}]}]}


@pytest.mark.parametrize(
    ("nodes", "pod", "reasons", "preemption"),
    [
        pytest.param([], bare_pod("web"), None, None, id="no nodes"),
        pytest.param(
            [node("a")], bare_pod("web", cpu="100"), "1 Insufficient cpu", f"1 {NO_HELP}", id="larger than any"
        ),
        pytest.param(
            [node("a", unschedulable=True), node("b", taints=[TAINT])],
            bare_pod("web"),
            "1 node(s) had untolerated taint(s), 1 node(s) were unschedulable",
            f"2 {NO_HELP}",
            id="a cordon and a taint",
        ),
        pytest.param(
            [node("a"), node("b")],
            bare_pod("web", nodeSelector={"disk": "ssd"}),
            "2 node(s) didn't match Pod's node affinity/selector",
            f"2 {NO_HELP}",
            id="a label that no node has",
        ),
    ],
)
def test_what_is_said_of_a_pod_that_no_node_takes(
    nodes: list[Json], pod: Json, reasons: str | None, preemption: str | None
) -> None:
    cluster = SimulatedCluster(nodes=0)
    for one in nodes:
        cluster.create(one)
    cluster.create(pod)
    message = "no nodes available to schedule pods"
    if reasons is not None:
        head = f"0/{len(nodes)} nodes are available:"
        message = f"{head} {reasons}. preemption: {head} {preemption}."
    condition = scheduled(cluster, "web")
    assert condition == {
        "type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message,
        "observedGeneration": 1, "lastProbeTime": None, "lastTransitionTime": "2026-11-25T08:00:00Z",
    }  # fmt: skip
    assert cluster.said("web") == [f"FailedScheduling: {message}"]


def test_nodes_that_are_full_and_nodes_that_do_not_match_are_counted_apart() -> None:
    cluster = SimulatedCluster(nodes=2)
    labelled = node("gpu")
    labelled["metadata"]["labels"]["gpu"] = "yes"
    cluster.create(labelled)
    cluster.create(bare_pod("first", cpu="20", nodeSelector={"gpu": "yes"}))
    cluster.create(bare_pod("second", cpu="20", nodeSelector={"gpu": "yes"}))
    assert scheduled(cluster, "second")["message"] == (
        "0/3 nodes are available: 1 Insufficient cpu, 2 node(s) didn't match Pod's node affinity/selector. "
        f"preemption: 0/3 nodes are available: 1 {NO_VICTIMS}, 2 {NO_HELP}."
    )


def test_a_host_port_is_taken_once_a_node() -> None:
    cluster = SimulatedCluster(nodes=1)
    cluster.create(bare_pod("first") | {"spec": HOST_PORT})
    cluster.create(bare_pod("second") | {"spec": HOST_PORT})
    assert "1 node(s) didn't have free ports for the requested pod ports." in scheduled(cluster, "second")["message"]


def test_a_tolerated_taint_does_not_matter_and_a_soft_one_is_avoided() -> None:
    cluster = SimulatedCluster(nodes=0)
    cluster.create(node("hard", taints=[TAINT]))
    cluster.create(node("soft", taints=[SOFT_TAINT]))
    cluster.create(bare_pod("any"))
    cluster.create(bare_pod("gpu", tolerations=[TOLERATION]))
    assert cluster.get("Pod", "any")["spec"]["nodeName"] == "soft"
    assert cluster.get("Pod", "gpu")["spec"]["nodeName"] == "hard"


def test_room_that_appears_is_used_after_the_backoff() -> None:
    cluster = SimulatedCluster(nodes=1)
    cluster.create(bare_pod("large", cpu="20"))
    cluster.create(bare_pod("waiting", cpu="20"))
    cluster.run()
    cluster.delete("Pod", "large")
    # It ends within its grace period; until then it holds its room.
    cluster.pass_time(5)
    assert "nodeName" not in cluster.get("Pod", "waiting")["spec"]
    cluster.end_pods()
    assert cluster.get("Pod", "waiting")["spec"]["nodeName"] == "node-0"


def test_a_new_node_takes_what_waits_and_an_uncordoned_one_too() -> None:
    cluster = SimulatedCluster(nodes=0)
    cluster.create(node("a", unschedulable=True))
    cluster.create(bare_pod("web"))
    cluster.pass_time(60)
    assert "nodeName" not in cluster.get("Pod", "web")["spec"]
    cluster.merge("Node", "a", {"spec": {"unschedulable": None}})
    cluster.pass_time(11)
    assert cluster.get("Pod", "web")["spec"]["nodeName"] == "a"


def test_gates_hold_a_pod_back() -> None:
    cluster = SimulatedCluster(nodes=1)
    cluster.create(bare_pod("web", schedulingGates=[{"name": "example.com/wait"}]))
    condition = scheduled(cluster, "web")
    assert condition["reason"] == "SchedulingGated"
    assert condition["message"] == "Scheduling is blocked due to non-empty scheduling gates"
    assert cluster.said("web") == []
    cluster.merge("Pod", "web", {"spec": {"schedulingGates": []}})
    cluster.pass_time(1)
    assert cluster.get("Pod", "web")["spec"]["nodeName"] == "node-0"


def test_another_schedulers_pods_are_left_alone() -> None:
    cluster = SimulatedCluster(nodes=1)
    cluster.create(bare_pod("web", schedulerName="mine"))
    assert "nodeName" not in cluster.get("Pod", "web")["spec"]


def test_no_node_holds_more_pods_than_it_may() -> None:
    cluster = SimulatedCluster(nodes=1)
    cluster.create(workload("ReplicaSet", "web", 112))
    without = [pod for pod in cluster.all("Pod") if "nodeName" not in pod["spec"]]
    assert len(without) == 2
    condition = next(one for one in without[0]["status"]["conditions"] if one["type"] == "PodScheduled")
    head = "0/1 nodes are available:"
    assert condition["message"] == f"{head} 1 Too many pods. preemption: {head} 1 {NO_VICTIMS}."
