"""What controllers make of equal workloads: objects, tables, metrics and events once nothing moves any more."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from mlscale.kube.quantity import nano_of
from tests.cluster import manifests
from tests.contract.exchanges import TABLE, Player, case, get, told
from tests.contract.written import APPS, HPAS, PODS

if TYPE_CHECKING:
    from tests.contract.api import Api
    from tests.contract.exchanges import Case
    from tests.contract.sides import Stage

pytestmark = pytest.mark.cluster

Json = dict[str, Any]

CORE = "/api/v1/namespaces/{ns}"
SETS = "/apis/apps/v1/namespaces/{ns}"
BATCH = "/apis/batch/v1/namespaces/{ns}"
PDBS = "/apis/policy/v1/namespaces/{ns}/poddisruptionbudgets"
METRICS = "/apis/metrics.k8s.io/v1beta1/namespaces/{ns}/pods"
NODE_METRICS = "/apis/metrics.k8s.io/v1beta1/nodes"
CPU = {"cpu": "500m"}
USED = 250_000_000
"""Nanocores that each pod of web uses, as its annotation says."""


def _objects() -> list[tuple[str, Json]]:
    plain = {**manifests.deployment("plainrs", requests=CPU), "kind": "ReplicaSet"}
    old = manifests.deployment("oldrc", requests=CPU)
    old = {**old, "apiVersion": "v1", "kind": "ReplicationController"}
    old["spec"] = {**old["spec"], "selector": {"app": "oldrc"}}
    template = manifests.pod_template("job1")
    template["spec"]["restartPolicy"] = "Never"
    match = {"matchLabels": {"app": "web"}}
    return [
        (APPS, manifests.deployment("web", 2, requests=CPU)),
        (APPS, manifests.deployment("huge", 1, requests={"cpu": "1000"})),
        (APPS, manifests.deployment("empty", 0, requests=CPU)),
        (f"{SETS}/statefulsets", manifests.statefulset("db", 2, requests=CPU)),
        (f"{SETS}/replicasets", plain),
        (f"{CORE}/replicationcontrollers", old),
        (f"{BATCH}/jobs", {"metadata": {"name": "job1"}, "spec": {"suspend": True, "template": template}}),
        (
            f"{BATCH}/cronjobs",
            {
                "metadata": {"name": "night"},
                "spec": {"schedule": "0 3 * * *", "suspend": True, "jobTemplate": {"spec": {"template": template}}},
            },
        ),
        (PDBS, {"metadata": {"name": "web"}, "spec": {"minAvailable": 1, "selector": match}}),
        (
            f"{CORE}/services",
            {"metadata": {"name": "web"}, "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]}},
        ),
        (HPAS, manifests.hpa("web", least=2, most=5)),
        (HPAS, manifests.hpa("ghost")),
        (HPAS, manifests.hpa("empty")),
    ]


SETTLED = [
    (f"{APPS}/web", '"reason":"NewReplicaSetAvailable"'),
    (f"{APPS}/huge", '"unavailableReplicas":1'),
    (f"{SETS}/statefulsets/db", '"availableReplicas":2'),
    (f"{SETS}/replicasets/plainrs", '"availableReplicas":1'),
    (f"{CORE}/replicationcontrollers/oldrc", '"availableReplicas":1'),
    (f"{PODS}?labelSelector=app%3Dhuge", "Insufficient cpu"),
    (f"{HPAS}/ghost", "FailedGetScale"),
    (f"{HPAS}/empty", "ScalingDisabled"),
]
MEASURED = [
    (f"{HPAS}/web", '"reason":"DesiredWithinRange"'),
    (f"{METRICS}?labelSelector=app%3Dplainrs", '"containers"'),
]

UNMOVED = "kinds-that-nothing-runs"

TABLES = [
    case(f"table of {path.rsplit('/', 1)[1]}", get(f"{path}?includeObject=None", TABLE))
    for path in (
        *(APPS, PODS, HPAS),
        *(f"{SETS}/{plural}" for plural in ("statefulsets", "replicasets", "daemonsets")),
        *(f"{CORE}/{plural}" for plural in ("replicationcontrollers", "serviceaccounts", "configmaps")),
        f"{BATCH}/cronjobs",
    )
] + [
    case(f"table of {path.rsplit('/', 1)[1]}", get(f"{path}?includeObject=None", TABLE), differs=UNMOVED)
    for path in (PDBS, f"{BATCH}/jobs")
]
OBJECTS = [
    case("deployments", get(APPS)),
    case("a deployment", get(f"{APPS}/huge")),
    case("statefulsets", get(f"{SETS}/statefulsets")),
    case("a replicaset of its own", get(f"{SETS}/replicasets/plainrs")),
    case("a replicationcontroller", get(f"{CORE}/replicationcontrollers/oldrc")),
    case("replicasets of a deployment", get(f"{SETS}/replicasets?labelSelector=app%3Dhuge")),
    case("a scale", get(f"{APPS}/web/scale")),
    case("HPAs that find nothing", get(f"{HPAS}/ghost"), get(f"{HPAS}/empty")),
    case("a job that is suspended", get(f"{BATCH}/jobs/job1"), differs=UNMOVED),
    case("a pod that nothing can run", get(f"{PODS}?labelSelector=app%3Dhuge")),
    case("pods by node", get(f"{PODS}?fieldSelector=spec.nodeName%3D&includeObject=None", TABLE)),
    case("pods by phase", get(f"{PODS}?fieldSelector=status.phase%3DPending&includeObject=None", TABLE)),
]
CASES = [*TABLES, *OBJECTS]


@pytest.fixture(scope="module")
def settled(stage: Stage) -> Stage:
    for path, body in _objects():
        stage.create(path, body)
    _wait(stage, SETTLED)
    return stage


@pytest.fixture(scope="module")
def measured(settled: Stage) -> Stage:
    """metrics-server needs two scrapes of a pod: on the control plane that takes half a minute."""
    _wait(settled, MEASURED, seconds=120)
    return settled


def _wait(stage: Stage, wanted: list[tuple[str, str]], seconds: float = 30) -> None:
    for path, until in wanted:
        for api in stage.apis:
            reply = Player(api, stage.namespace).send(get(path, until=until), seconds)
            missing = "" if until in reply.text else f"{path} of {stage.namespace} does not come to {until}"
            assert not missing


@pytest.mark.parametrize("one", CASES, ids=lambda one: one.name)
def test_settled(settled: Stage, one: Case) -> None:
    settled.check(one)


MEASURES = [
    case("an HPA with a value", get(f"{HPAS}/web")),
    case("table of HPAs with values", get(f"{HPAS}?includeObject=None", TABLE)),
    case("metrics of a pod that is not there", get(f"{METRICS}/nosuch")),
    case("metrics of a node that is not there", get(f"{NODE_METRICS}/nosuch")),
]


@pytest.mark.parametrize("one", MEASURES, ids=lambda one: one.name)
def test_measured(measured: Stage, one: Case) -> None:
    measured.check(one)


def _metrics(api: Api, stage: Stage, path: str) -> list[Json]:
    answer: Json = json.loads(Player(api, stage.namespace).send(get(path)).text)
    return list(answer["items"])


def test_pod_metrics(measured: Stage) -> None:
    """Each pod of web uses what its annotation says, told in the same fields."""
    theirs, ours = (_metrics(api, measured, f"{METRICS}?labelSelector=app%3Dweb") for api in measured.apis)
    for items in (theirs, ours):
        assert [len(item["containers"]) for item in items] == [1, 1]
        used = [nano_of(item["containers"][0]["usage"]["cpu"]) for item in items]
        assert [round(cores / USED, 2) for cores in used] == [1, 1]
        assert {item["containers"][0]["usage"]["memory"] for item in items} == {"64Mi"}
    assert [set(item) for item in ours] == [set(item) for item in theirs]
    assert [set(item["metadata"]) for item in ours] == [set(item["metadata"]) for item in theirs]


def test_node_metrics(measured: Stage) -> None:
    theirs, ours = (_metrics(api, measured, NODE_METRICS) for api in measured.apis)
    assert [item["metadata"]["name"] for item in ours] == [item["metadata"]["name"] for item in theirs]
    assert [set(item) for item in ours] == [set(item) for item in theirs]


def _events(api: Api, stage: Stage, regarding: str) -> set[tuple[str, ...]]:
    """What is said of an object: type, reason, message, by whom."""
    path = f"{CORE}/events?fieldSelector=involvedObject.kind%3D{regarding}"
    reply = Player(api, stage.namespace).send(get(path))
    body = told(reply, stage.namespace)["body"]
    return {
        (one["type"], one["reason"], one["message"], one["source"].get("component") or one["reportingComponent"])
        for one in body["items"]
    }


@pytest.mark.parametrize(
    "kind", ["Deployment", "ReplicaSet", "StatefulSet", "ReplicationController", "HorizontalPodAutoscaler"]
)
def test_events(measured: Stage, kind: str) -> None:
    theirs, ours = (_events(api, measured, kind) for api in measured.apis)
    assert ours == theirs
    assert theirs


def test_events_of_pods(measured: Stage) -> None:
    """Those of the scheduler; a kubelet's are not there, where kwok plays it."""
    theirs, ours = (
        {one for one in _events(api, measured, "Pod") if one[3] == "default-scheduler"} for api in measured.apis
    )
    assert ours == theirs
    assert {one[1] for one in theirs} == {"Scheduled", "FailedScheduling"}
