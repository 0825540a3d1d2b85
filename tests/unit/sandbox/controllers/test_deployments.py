"""Deployments as the real control plane runs them (statuses, conditions and events were compared with v1.37.2)."""

from __future__ import annotations

from typing import Any

from tests.unit.sandbox.controllers.simulated import SimulatedCluster, template, workload

Json = dict[str, Any]


def conditions(cluster: SimulatedCluster, name: str = "web") -> list[tuple[str, str, str, str]]:
    """Type, status, reason and message of each condition of a Deployment."""
    listed = cluster.get("Deployment", name)["status"]["conditions"]
    return [(one["type"], one["status"], one["reason"], one["message"]) for one in listed]


def counts(cluster: SimulatedCluster, name: str = "web") -> Json:
    """The numbers of a Deployment's status."""
    status = cluster.get("Deployment", name)["status"]
    return {field: value for field, value in status.items() if field != "conditions"}


def test_a_new_deployment_gets_its_pods_at_once() -> None:
    cluster = SimulatedCluster()
    cluster.create(workload("Deployment", "web", 2))
    (replicaset,) = cluster.all("ReplicaSet")
    name, marked = replicaset["metadata"]["name"], replicaset["metadata"]["labels"]["pod-template-hash"]
    assert name == f"web-{marked}"
    assert replicaset["spec"]["selector"]["matchLabels"] == {"app": "web", "pod-template-hash": marked}
    assert replicaset["metadata"]["annotations"] == {
        "deployment.kubernetes.io/desired-replicas": "2",
        "deployment.kubernetes.io/max-replicas": "3",
        "deployment.kubernetes.io/revision": "1",
    }
    pods = cluster.all("Pod")
    assert [pod["metadata"]["generateName"] for pod in pods] == [f"{name}-"] * 2
    assert [pod["metadata"]["labels"] for pod in pods] == [{"app": "web", "pod-template-hash": marked}] * 2
    owner = replicaset["metadata"]["ownerReferences"][0]
    assert owner["uid"] == cluster.get("Deployment", "web")["metadata"]["uid"]
    assert (owner["controller"], owner["blockOwnerDeletion"]) == (True, True)
    assert cluster.said("web") == [f"ScalingReplicaSet: Scaled up replica set {name} from 0 to 2"]
    assert sorted(cluster.said(name)) == sorted(
        f"SuccessfulCreate: Created pod: {pod['metadata']['name']}" for pod in pods
    )


def test_its_status_before_and_after_the_pods_are_ready() -> None:
    cluster = SimulatedCluster()
    cluster.create(workload("Deployment", "web", 2))
    name = cluster.names("ReplicaSet")[0]
    assert counts(cluster) == {
        "observedGeneration": 1, "replicas": 2, "updatedReplicas": 2, "unavailableReplicas": 2,
        "terminatingReplicas": 0,
    }  # fmt: skip
    unavailable = "Deployment does not have minimum availability."
    assert conditions(cluster) == [
        ("Available", "False", "MinimumReplicasUnavailable", unavailable),
        ("Progressing", "True", "ReplicaSetUpdated", f'ReplicaSet "{name}" is progressing.'),
    ]
    cluster.run()
    assert counts(cluster) == {
        "observedGeneration": 1, "replicas": 2, "updatedReplicas": 2, "readyReplicas": 2, "availableReplicas": 2,
        "terminatingReplicas": 0,
    }  # fmt: skip
    assert conditions(cluster) == [
        ("Available", "True", "MinimumReplicasAvailable", "Deployment has minimum availability."),
        ("Progressing", "True", "NewReplicaSetAvailable", f'ReplicaSet "{name}" has successfully progressed.'),
    ]
    assert cluster.get("Deployment", "web")["metadata"]["annotations"] == {"deployment.kubernetes.io/revision": "1"}


def test_the_template_of_a_replicaset_stays_as_the_deployment_has_it() -> None:
    cluster = SimulatedCluster()
    cluster.create(workload("Deployment", "web", 2))
    mine = cluster.get("Deployment", "web")["spec"]["template"]
    theirs = cluster.all("ReplicaSet")[0]["spec"]["template"]
    assert theirs["spec"] == mine["spec"]
    assert cluster.all("Pod")[0]["spec"]["containers"] is not theirs["spec"]["containers"]


def test_scaling_is_no_rollout() -> None:
    cluster = SimulatedCluster()
    cluster.create(workload("Deployment", "web", 2))
    cluster.run()
    (before,) = [one for one in conditions(cluster) if one[0] == "Progressing"]
    cluster.merge("Deployment", "web", {"spec": {"replicas": 5}})
    name = cluster.names("ReplicaSet")[0]
    assert len(cluster.all("Pod")) == 5
    assert before in conditions(cluster)
    assert cluster.all("ReplicaSet")[0]["metadata"]["annotations"]["deployment.kubernetes.io/max-replicas"] == "7"
    cluster.run()
    cluster.merge("Deployment", "web", {"spec": {"replicas": 1}})
    assert counts(cluster)["terminatingReplicas"] == 4
    cluster.end_pods()
    assert counts(cluster)["replicas"] == len(cluster.all("Pod")) == 1
    assert cluster.said("web")[1:] == [
        f"ScalingReplicaSet: Scaled up replica set {name} from 2 to 5",
        f"ScalingReplicaSet: Scaled down replica set {name} from 5 to 1",
    ]


def roll(cluster: SimulatedCluster, image: str) -> None:
    """Give the Deployment another image and see the rollout through."""
    cluster.merge("Deployment", "web", {"spec": {"template": template("web", image)}})
    for _ in range(12):
        cluster.run()
        cluster.end_pods()


def test_a_rolling_update_keeps_to_surge_and_availability() -> None:
    cluster = SimulatedCluster()
    cluster.create(workload("Deployment", "web", 4))
    cluster.run()
    old = cluster.names("ReplicaSet")[0]
    cluster.merge("Deployment", "web", {"spec": {"template": template("web", "web:2")}})
    new = next(name for name in cluster.names("ReplicaSet") if name != old)
    # 25 % of 4: one pod more, one fewer.
    assert cluster.said("web")[1:] == [
        f"ScalingReplicaSet: Scaled up replica set {new} from 0 to 1",
        f"ScalingReplicaSet: Scaled down replica set {old} from 4 to 3",
        f"ScalingReplicaSet: Scaled up replica set {new} from 1 to 2",
    ]
    assert cluster.get("Deployment", "web")["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "2"
    roll(cluster, "web:2")
    assert counts(cluster)["updatedReplicas"] == counts(cluster)["replicas"] == 4
    assert cluster.get("ReplicaSet", old)["status"] == {
        "observedGeneration": cluster.get("ReplicaSet", old)["metadata"]["generation"],
        "replicas": 0,
        "terminatingReplicas": 0,
    }


def test_going_back_takes_up_the_old_replicaset_as_the_newest_revision() -> None:
    cluster = SimulatedCluster()
    cluster.create(workload("Deployment", "web", 1))
    cluster.run()
    first = cluster.names("ReplicaSet")[0]
    roll(cluster, "web:2")
    roll(cluster, "web:1")
    annotations = cluster.get("ReplicaSet", first)["metadata"]["annotations"]
    assert annotations["deployment.kubernetes.io/revision"] == "3"
    assert annotations["deployment.kubernetes.io/revision-history"] == "1"
    assert len(cluster.all("ReplicaSet")) == 2


def test_old_replicasets_go_beyond_the_history_limit() -> None:
    cluster = SimulatedCluster()
    cluster.create(workload("Deployment", "web", 1, revisionHistoryLimit=1))
    cluster.run()
    for image in ("web:2", "web:3", "web:4"):
        roll(cluster, image)
    revisions = [
        one["metadata"]["annotations"]["deployment.kubernetes.io/revision"] for one in cluster.all("ReplicaSet")
    ]
    assert sorted(revisions) == ["3", "4"]


def test_recreate_ends_all_old_pods_before_it_starts_new_ones() -> None:
    cluster = SimulatedCluster()
    cluster.create(workload("Deployment", "web", 2, strategy={"type": "Recreate"}))
    cluster.run()
    cluster.merge("Deployment", "web", {"spec": {"template": template("web", "web:2")}})
    assert len(cluster.all("ReplicaSet")) == 1
    assert all(pod["metadata"].get("deletionTimestamp") for pod in cluster.all("Pod"))
    cluster.end_pods()
    assert [pod["spec"]["containers"][0]["image"] for pod in cluster.all("Pod")] == ["web:2", "web:2"]


def test_a_rollout_without_progress_times_out() -> None:
    cluster = SimulatedCluster()
    cluster.create(workload("Deployment", "web", 1, progressDeadlineSeconds=60))
    name = cluster.names("ReplicaSet")[0]
    cluster.pass_time(59)
    assert conditions(cluster)[1][2] == "ReplicaSetUpdated"
    cluster.pass_time(5)
    message = f'ReplicaSet "{name}" has timed out progressing.'
    assert conditions(cluster)[1] == ("Progressing", "False", "ProgressDeadlineExceeded", message)
    # It is not given up: pods that become ready late still complete it.
    cluster.run()
    assert conditions(cluster)[1][2] == "NewReplicaSetAvailable"


def test_a_paused_deployment_scales_but_does_not_roll() -> None:
    cluster = SimulatedCluster()
    cluster.create(workload("Deployment", "web", 1))
    cluster.run()
    cluster.merge("Deployment", "web", {"spec": {"paused": True}})
    assert ("Progressing", "Unknown", "DeploymentPaused", "Deployment is paused") in conditions(cluster)
    cluster.merge("Deployment", "web", {"spec": {"replicas": 3, "template": template("web", "web:2")}})
    assert [pod["spec"]["containers"][0]["image"] for pod in cluster.all("Pod")] == ["web:1"] * 3
    cluster.merge("Deployment", "web", {"spec": {"paused": False}})
    assert len(cluster.all("ReplicaSet")) == 2


def test_two_runs_are_the_same_and_another_seed_is_not() -> None:
    def run(seed: int) -> tuple[list[Json], list[Json]]:
        cluster = SimulatedCluster(seed=seed)
        cluster.create(workload("Deployment", "web", 5))
        cluster.run()
        return cluster.all("Pod"), cluster.all("Event")

    assert run(1) == run(1)
    assert run(1) != run(2)
