"""Garbage collection, namespaces, quotas and nodes."""

from __future__ import annotations

from typing import Any

import pytest

from mlscale.sandbox.controllers.quotas import in_scope, pods_used
from mlscale.sandbox.statuses import StatusError
from tests.unit.sandbox.controllers.simulated import SimulatedCluster, bare_pod, template, workload

Json = dict[str, Any]


def everything(cluster: SimulatedCluster) -> list[str]:
    """The kinds of the workload objects that there are."""
    return [obj["kind"] for kind in ("Deployment", "ReplicaSet", "Pod") for obj in cluster.all(kind)]


@pytest.fixture
def web() -> SimulatedCluster:
    cluster = SimulatedCluster()
    cluster.create(workload("Deployment", "web", 2))
    cluster.run()
    return cluster


def test_in_the_background_the_owner_goes_first(web: SimulatedCluster) -> None:
    web.delete("Deployment", "web")
    assert everything(web) == ["Pod", "Pod"]
    web.end_pods()
    assert everything(web) == []


def test_in_the_foreground_the_owner_goes_last(web: SimulatedCluster) -> None:
    web.delete("Deployment", "web", "Foreground")
    assert everything(web) == ["Deployment", "ReplicaSet", "Pod", "Pod"]
    for kind in ("Deployment", "ReplicaSet"):
        (obj,) = web.all(kind)
        assert obj["metadata"]["finalizers"] == ["foregroundDeletion"]
    web.end_pods()
    assert everything(web) == []


def test_orphans_stay_and_are_adopted_again(web: SimulatedCluster) -> None:
    pods = web.names("Pod")
    web.delete("Deployment", "web", "Orphan")
    (replicaset,) = web.all("ReplicaSet")
    assert "ownerReferences" not in replicaset["metadata"]
    web.create(workload("Deployment", "web", 2))
    (adopted,) = web.all("ReplicaSet")
    assert adopted["metadata"]["ownerReferences"][0]["uid"] == web.get("Deployment", "web")["metadata"]["uid"]
    assert web.names("Pod") == pods


def test_an_object_of_two_owners_goes_with_the_last_one() -> None:
    cluster = SimulatedCluster(nodes=0)
    owners = [cluster.create(bare_pod(name)) for name in ("one", "two")]
    references = [
        {"apiVersion": "v1", "kind": "Pod", "name": owner["metadata"]["name"], "uid": owner["metadata"]["uid"]}
        for owner in owners
    ]
    metadata = {"name": "shared", "namespace": "default", "ownerReferences": references}
    cluster.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata})
    cluster.delete("Pod", "one")
    assert "shared" in cluster.names("ConfigMap")
    cluster.delete("Pod", "two")
    assert "shared" not in cluster.names("ConfigMap")


def test_an_object_whose_owner_never_was_is_removed() -> None:
    cluster = SimulatedCluster(nodes=0)
    reference = {"apiVersion": "v1", "kind": "Pod", "name": "never", "uid": "0"}
    metadata = {"name": "lost", "namespace": "default", "ownerReferences": [reference]}
    cluster.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata})
    assert "lost" not in cluster.names("ConfigMap")


def test_each_namespace_has_its_service_account_and_root_ca() -> None:
    cluster = SimulatedCluster(nodes=0)
    cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "mine"}})
    assert cluster.get("ServiceAccount", "default", "mine")
    assert cluster.get("ConfigMap", "kube-root-ca.crt", "mine")
    # What is deleted comes back.
    cluster.delete("ServiceAccount", "default")
    assert cluster.get("ServiceAccount", "default")


def test_a_namespace_goes_when_all_in_it_is_gone() -> None:
    cluster = SimulatedCluster()
    cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "mine"}})
    body = workload("Deployment", "web", 1)
    body["metadata"]["namespace"] = "mine"
    cluster.create(body)
    cluster.run()
    cluster.delete("Namespace", "mine")
    ending = cluster.get("Namespace", "mine")
    assert ending["status"]["phase"] == "Terminating"
    remaining = next(one for one in ending["status"]["conditions"] if one["type"] == "NamespaceContentRemaining")
    assert (remaining["status"], remaining["reason"]) == ("True", "SomeResourcesRemain")
    assert remaining["message"] == "Some resources are remaining: pods. has 1 resource instances"
    cluster.end_pods()
    with pytest.raises(StatusError, match='namespaces "mine" not found'):
        cluster.get("Namespace", "mine")
    assert [obj for kind in ("Pod", "ConfigMap", "ServiceAccount", "Event") for obj in cluster.all(kind)
            if obj["metadata"]["namespace"] == "mine"] == []  # fmt: skip


def test_a_quota_counts_what_is_there() -> None:
    cluster = SimulatedCluster()
    hard = {"pods": "10", "requests.cpu": "4", "count/deployments.apps": "5", "services": "3"}
    spec = {"hard": hard}
    cluster.create({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "q"}, "spec": spec})
    cluster.create(workload("Deployment", "web", 3, template("web", cpu="250m")))
    used = cluster.get("ResourceQuota", "q")["status"]["used"]
    assert used == {"pods": "3", "requests.cpu": "750m", "count/deployments.apps": "1", "services": "0"}
    cluster.finish(cluster.all("Pod")[0], "Failed")
    cluster.merge("Deployment", "web", {"spec": {"replicas": 0}})
    cluster.end_pods()
    assert cluster.get("ResourceQuota", "q")["status"]["used"]["pods"] == "0"


def test_a_sum_is_written_in_the_format_of_what_is_summed() -> None:
    def pod(memory: str) -> Json:
        return {"spec": {"containers": [{"name": "web", "resources": {"requests": {"memory": memory}}}]}}

    assert pods_used(["requests.memory"], [pod("512Mi"), pod("512Mi")]) == {"requests.memory": "1Gi"}
    assert pods_used(["requests.memory"], [pod("500M"), pod("500M")]) == {"requests.memory": "1G"}
    assert pods_used(["requests.memory", "services"], []) == {"requests.memory": "0"}


@pytest.mark.parametrize(
    ("scope", "cpu", "deadline", "expected"),
    [
        ("BestEffort", None, None, True),
        ("BestEffort", "1", None, False),
        ("NotBestEffort", "1", None, True),
        ("Terminating", None, 60, True),
        ("Terminating", None, None, False),
        ("NotTerminating", None, None, True),
    ],
)
def test_a_scope_leaves_pods_out(scope: str, cpu: str | None, deadline: int | None, expected: bool) -> None:
    resources = {"requests": {"cpu": cpu}} if cpu else {}
    spec: Json = {"containers": [{"name": "web", "resources": resources}]}
    if deadline:
        spec["activeDeadlineSeconds"] = deadline
    assert in_scope({"spec": {"scopes": [scope]}}, {"spec": spec}) is expected


def test_a_cordon_has_its_taint() -> None:
    cluster = SimulatedCluster(nodes=1)
    cluster.merge("Node", "node-0", {"spec": {"unschedulable": True}})
    (taint,) = cluster.get("Node", "node-0")["spec"]["taints"]
    assert (taint["key"], taint["effect"]) == ("node.kubernetes.io/unschedulable", "NoSchedule")
    cluster.merge("Node", "node-0", {"spec": {"unschedulable": None}})
    assert "taints" not in cluster.get("Node", "node-0")["spec"]


def test_the_pods_of_a_removed_node_are_removed_and_replaced() -> None:
    cluster = SimulatedCluster(nodes=2)
    cluster.create(workload("ReplicaSet", "web", 2))
    cluster.run()
    cluster.delete("Node", "node-0")
    cluster.pass_time(41)
    assert [pod["spec"]["nodeName"] for pod in cluster.all("Pod")] == ["node-1", "node-1"]
