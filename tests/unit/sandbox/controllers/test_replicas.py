"""ReplicaSets and ReplicationControllers (kubernetes pkg/controller/replicaset, v1.37.2)."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from mlscale.sandbox.statuses import StatusError
from tests.unit.sandbox.controllers.simulated import SimulatedCluster, bare_pod, workload

if TYPE_CHECKING:
    import pytest

    from mlscale.sandbox.resources import Resource

Json = dict[str, Any]


def test_a_pod_that_is_gone_or_has_ended_is_replaced() -> None:
    cluster = SimulatedCluster()
    cluster.create(workload("ReplicaSet", "web", 2))
    cluster.run()
    first, second = cluster.all("Pod")
    cluster.delete("Pod", first["metadata"]["name"])
    assert len(cluster.all("Pod")) == 3
    cluster.finish(second, "Failed")
    # A pod that has failed stays to be looked at, and no longer counts.
    assert len(cluster.all("Pod")) == 4
    assert cluster.get("ReplicaSet", "web")["status"]["replicas"] == 2


def test_a_bare_pod_that_the_selector_takes_is_adopted_and_counts() -> None:
    cluster = SimulatedCluster()
    cluster.create(bare_pod("mine", labels={"app": "web"}))
    cluster.create(bare_pod("other", labels={"app": "else"}))
    cluster.create(workload("ReplicaSet", "web", 2))
    owners = {pod["metadata"]["name"]: pod["metadata"].get("ownerReferences") for pod in cluster.all("Pod")}
    assert owners["mine"][0]["name"] == "web"
    assert owners["other"] is None
    assert len(cluster.all("Pod")) == 3


def test_a_pod_whose_labels_no_longer_match_is_let_go_and_replaced() -> None:
    cluster = SimulatedCluster()
    cluster.create(workload("ReplicaSet", "web", 1))
    name = cluster.names("Pod")[0]
    cluster.merge("Pod", name, {"metadata": {"labels": {"app": "debug"}}})
    assert "ownerReferences" not in cluster.get("Pod", name)["metadata"]
    assert len(cluster.all("Pod")) == 2


def test_pods_are_available_only_after_min_ready_seconds() -> None:
    cluster = SimulatedCluster()
    cluster.create(workload("ReplicaSet", "web", 1, minReadySeconds=30))
    cluster.run()
    status = cluster.get("ReplicaSet", "web")["status"]
    assert (status["readyReplicas"], status.get("availableReplicas")) == (1, None)
    cluster.pass_time(30)
    assert cluster.get("ReplicaSet", "web")["status"]["availableReplicas"] == 1


def test_a_replicationcontroller_counts_no_terminating_pods() -> None:
    cluster = SimulatedCluster()
    body = workload("ReplicationController", "web", 1) | {"apiVersion": "v1"}
    body["spec"]["selector"] = {"app": "web"}
    cluster.create(body)
    cluster.run()
    assert cluster.get("ReplicationController", "web")["status"] == {
        "replicas": 1, "fullyLabeledReplicas": 1, "readyReplicas": 1, "availableReplicas": 1, "observedGeneration": 1,
    }  # fmt: skip
    assert cluster.said("web") == [f"SuccessfulCreate: Created pod: {cluster.names('Pod')[0]}"]


def test_pods_that_are_refused_are_tried_again_ever_later(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = SimulatedCluster()
    create, tried = cluster.api.create, []

    def refusing(resource: Resource, namespace: str, body: Json, *rest: Any, **options: Any) -> Json:
        if resource.key != "pods":
            return create(resource, namespace, body, *rest, **options)
        tried.append(cluster.agenda.now)
        raise StatusError(403, "Forbidden", 'pods "web-x" is forbidden: exceeded quota: q')

    with monkeypatch.context() as patched:
        patched.setattr(cluster.api, "create", refusing)
        cluster.create(workload("ReplicaSet", "web", 3))
        cluster.pass_time(60)
    # 0.1 s at the least, then doubled from 5 ms on: 0.005, 0.01, … 20.48, 40.96.
    gaps = [later - earlier for earlier, later in itertools.pairwise(tried)]
    assert gaps[-1] == 2 * gaps[-2] == timedelta(seconds=20.48)
    status = cluster.get("ReplicaSet", "web")["status"]
    (failure,) = status["conditions"]
    assert (failure["type"], failure["reason"]) == ("ReplicaFailure", "FailedCreate")
    assert failure["message"] == 'pods "web-x" is forbidden: exceeded quota: q'
    (event,) = cluster.all("Event")
    assert event["message"] == 'Error creating: pods "web-x" is forbidden: exceeded quota: q'
    assert event["count"] == len(tried)
    # Once it works, the condition goes.
    cluster.pass_time(60)
    assert "conditions" not in cluster.get("ReplicaSet", "web")["status"]
    assert len(cluster.all("Pod")) == 3


def test_a_thousand_pods_have_their_numbers_in_one_status() -> None:
    cluster = SimulatedCluster(nodes=10)
    cluster.create(workload("ReplicaSet", "web", 1000))
    cluster.run()
    assert cluster.get("ReplicaSet", "web")["status"] == {
        "observedGeneration": 1, "replicas": 1000, "fullyLabeledReplicas": 1000, "readyReplicas": 1000,
        "availableReplicas": 1000, "terminatingReplicas": 0,
    }  # fmt: skip
