"""Which pods are whose, and what a template asks for."""

from __future__ import annotations

import pytest

from mlscale.kube.kinds import DAEMONSET, DEPLOYMENT, REPLICASET, STATEFULSET, Kind
from mlscale.kube.quantity import InvalidQuantityError
from mlscale.kube.targets import Target
from mlscale.usage.workloads import Resources, Workload, owners_of_pods, read_workload


def workload(name: str, kind: Kind = DEPLOYMENT) -> Workload:
    return Workload(Target(kind, "shop", name))


@pytest.mark.parametrize(
    ("pod", "owner"),
    [
        ("web-6d4b9c8f5-x2x9z", "web"),
        ("web-x2-6d4b9c8f5-x2x9z", "web-x2"),
        # Both could have made it, web-x2 by a ReplicaSet "web-x2" and a pod of it: the longer name is the nearer one.
        ("web-x2-bcdfg-x2x9z", "web-x2"),
        ("db-0", "db"),
        ("db-12", "db"),
        ("agent-x2x9z", "agent"),
        ("bare-x2x9z", "bare"),
        ("web", None),
        ("web-6d4b9c8f5", None),
        ("web-6d4b9c8f5-x2x9za", None),
        ("web-6d4b9c8f5-aeiou", None),  # no vowels in generated names
        ("db-x2x9z", None),
        ("other-0", None),
    ],
)
def test_without_a_recorded_owner_the_name_tells(pod: str, owner: str | None) -> None:
    workloads = [
        workload("web"),
        workload("web-x2"),
        workload("db", STATEFULSET),
        workload("agent", DAEMONSET),
        workload("bare", REPLICASET),
    ]
    found = owners_of_pods(workloads, [pod], {}, {})
    assert {name: target.name for name, target in found.items()} == ({pod: owner} if owner else {})


def test_a_recorded_owner_counts_more_than_a_name() -> None:
    pod = "web-6d4b9c8f5-x2x9z"
    owners = {pod: ("ReplicaSet", "job-runner-abc")}
    replicasets = {"job-runner-abc": ("Deployment", "job-runner")}
    assert owners_of_pods([workload("web")], [pod], owners, replicasets) == {}
    runner = workload("job-runner")
    assert owners_of_pods([workload("web"), runner], [pod], owners, replicasets) == {pod: runner.target}


def test_a_replicaset_that_nothing_made_is_the_workload() -> None:
    bare = workload("bare", REPLICASET)
    assert owners_of_pods([bare], ["p"], {"p": ("ReplicaSet", "bare")}, {}) == {"p": bare.target}


def test_a_replicaset_of_a_deployment_can_itself_be_asked_for() -> None:
    chosen = workload("web-6d4", REPLICASET)
    owners, replicasets = {"p": ("ReplicaSet", "web-6d4")}, {"web-6d4": ("Deployment", "web")}
    assert owners_of_pods([chosen], ["p"], owners, replicasets) == {"p": chosen.target}


def test_workloads_of_one_name_and_two_kinds_are_two() -> None:
    pair = [workload("web"), workload("web", STATEFULSET)]
    owners = {"a": ("StatefulSet", "web"), "b": ("ReplicaSet", "web-1")}
    found = owners_of_pods(pair, ["a", "b"], owners, {"web-1": ("Deployment", "web")})
    assert found == {"a": pair[1].target, "b": pair[0].target}


def test_resources_of_a_template() -> None:
    spec = {
        "containers": [
            {"name": "app", "resources": {"requests": {"cpu": "250m", "memory": "1Gi"}, "limits": {"cpu": "2"}}},
            {"name": "limited", "resources": {"limits": {"cpu": "1", "memory": "64Mi"}}},
            {"name": "free"},
        ],
        "initContainers": [{"name": "proxy", "restartPolicy": "Always", "resources": {"requests": {"cpu": "10m"}}}],
    }
    assert read_workload(workload("web").target, spec).containers == {
        "app": Resources(0.25, 2.0**30, 2.0, None),
        # The API server makes a request of a limit that has none.
        "limited": Resources(1.0, 64 * 2.0**20, 1.0, 64 * 2.0**20),
        "free": Resources(),
        "proxy": Resources(0.01),
    }


def test_a_quantity_that_is_none_is_an_error() -> None:
    with pytest.raises(InvalidQuantityError):
        read_workload(
            workload("web").target, {"containers": [{"name": "app", "resources": {"limits": {"cpu": "much"}}}]}
        )
