"""StatefulSets as the real control plane runs them (statuses and events were compared with v1.37.2)."""

from __future__ import annotations

from mlscale.sandbox.controllers.statefulsets import REVISION_LABEL
from tests.unit.sandbox.controllers.simulated import SimulatedCluster, template, workload


def test_pods_come_one_after_the_other_with_names_that_stay() -> None:
    cluster = SimulatedCluster()
    cluster.create(workload("StatefulSet", "db", 2))
    assert cluster.names("Pod") == ["db-0"]
    cluster.run()
    cluster.run()
    assert cluster.names("Pod") == ["db-0", "db-1"]
    pod = cluster.get("Pod", "db-1")
    revision = cluster.get("StatefulSet", "db")["status"]["updateRevision"]
    assert pod["metadata"]["generateName"] == "db-"
    assert pod["metadata"]["labels"] == {
        "app": "db",
        "apps.kubernetes.io/pod-index": "1",
        REVISION_LABEL: revision,
        "statefulset.kubernetes.io/pod-name": "db-1",
    }
    assert (pod["spec"]["hostname"], pod["spec"]["subdomain"]) == ("db-1", "db")
    assert cluster.get("StatefulSet", "db")["status"] == {
        "observedGeneration": 1, "replicas": 2, "readyReplicas": 2, "availableReplicas": 2, "currentReplicas": 2,
        "updatedReplicas": 2, "currentRevision": revision, "updateRevision": revision, "collisionCount": 0,
    }  # fmt: skip
    assert cluster.said("db") == [
        "SuccessfulCreate: Create Pod db-0 in StatefulSet db successful",
        "SuccessfulCreate: Create Pod db-1 in StatefulSet db successful",
    ]


def started(replicas: int, **spec: object) -> SimulatedCluster:
    """A cluster with a StatefulSet that is ready."""
    cluster = SimulatedCluster()
    cluster.create(workload("StatefulSet", "db", replicas, None, **spec))
    for _ in range(replicas):
        cluster.run()
    return cluster


def test_the_last_pod_goes_first() -> None:
    cluster = started(3)
    cluster.merge("StatefulSet", "db", {"spec": {"replicas": 1}})
    ending = [pod["metadata"]["name"] for pod in cluster.all("Pod") if pod["metadata"].get("deletionTimestamp")]
    assert ending == ["db-2"]
    cluster.end_pods()
    cluster.end_pods()
    assert cluster.names("Pod") == ["db-0"]
    assert cluster.said("db")[-1] == "SuccessfulDelete: Delete Pod db-1 in StatefulSet db successful"


def test_an_update_replaces_the_last_pod_first_and_stops_at_the_partition() -> None:
    cluster = started(3)
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"partition": 1}}
    cluster.merge("StatefulSet", "db", {"spec": {"template": template("db", "db:2"), "updateStrategy": strategy}})
    for _ in range(4):
        cluster.end_pods()
        cluster.run()
    images = [pod["spec"]["containers"][0]["image"] for pod in cluster.all("Pod")]
    assert images == ["web:1", "db:2", "db:2"]
    status = cluster.get("StatefulSet", "db")["status"]
    assert (status["currentReplicas"], status["updatedReplicas"]) == (1, 2)
    assert status["currentRevision"] != status["updateRevision"]
    # A pod below the partition comes back as it was.
    cluster.delete("Pod", "db-0")
    cluster.end_pods()
    assert cluster.get("Pod", "db-0")["spec"]["containers"][0]["image"] == "web:1"


def test_parallel_pods_come_and_go_at_once() -> None:
    cluster = SimulatedCluster()
    cluster.create(workload("StatefulSet", "db", 3, podManagementPolicy="Parallel"))
    assert len(cluster.all("Pod")) == 3
    cluster.run()
    cluster.merge("StatefulSet", "db", {"spec": {"replicas": 0}})
    cluster.end_pods()
    assert cluster.all("Pod") == []
