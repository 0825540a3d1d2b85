"""Why a workload lacks pods."""

from __future__ import annotations

from typing import Any

import pytest

from mlscale.kube.finding import Finding
from mlscale.kube.kinds import DEPLOYMENT, STATEFULSET
from mlscale.kube.targets import Target
from mlscale.status.workload_findings import explain_workload, lacks_pods
from tests.unit.status.objects import condition, deployment

Json = dict[str, Any]
WEB = Target(DEPLOYMENT, "ml", "web")
DB = Target(STATEFULSET, "ml", "db")
QUOTA = "exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2"


def short(existing: int, wanted: int, *conditions: Json) -> Json:
    made = deployment(replicas=wanted, conditions=list(conditions))
    made["status"]["replicas"] = existing
    return made


def test_a_workload_with_its_pods_needs_no_explanation() -> None:
    progressing = condition("Progressing", "True", "NewReplicaSetAvailable")
    assert explain_workload(WEB, deployment(conditions=[progressing])) == []


def test_a_quota_is_named_without_the_name_of_the_pod_that_never_was() -> None:
    failure = condition("ReplicaFailure", "True", "FailedCreate", f'pods "web-569bcfd6b-4s5xk" is forbidden: {QUOTA}')
    assert explain_workload(WEB, short(2, 5, failure)) == [
        Finding("warning", "FailedCreate", f"deployment.apps/web has 2 of 5 pods: {QUOTA}", "deployment.apps/web")
    ]


def test_a_failure_that_is_over_is_not_told() -> None:
    failure = condition("ReplicaFailure", "False", "FailedCreate", "x")
    assert explain_workload(WEB, short(2, 5, failure)) == []


def test_a_statefulset_tells_by_its_latest_event_and_only_while_pods_are_lacking() -> None:
    """Its events stay for an hour after the quota was raised."""
    events = [
        {"message": "older"},
        {"message": f'create Pod db-1 in StatefulSet db failed error: pods "db-1" is forbidden: {QUOTA}'},
    ]
    found = explain_workload(DB, short(1, 3), events, where="ml/")
    assert [f.message for f in found] == [f"statefulset.apps/ml/db has 1 of 3 pods: {QUOTA}"]
    assert explain_workload(DB, short(3, 3), events) == []


def test_a_rollout_past_its_deadline() -> None:
    stuck = condition("Progressing", "False", "ProgressDeadlineExceeded")
    [found] = explain_workload(WEB, deployment(conditions=[stuck], progressDeadlineSeconds=300))
    assert found.message == "deployment.apps/web has made no progress for more than 300 s (its progressDeadlineSeconds)"


def test_text_of_the_cluster_cannot_steer_the_terminal() -> None:
    failure = condition("ReplicaFailure", "True", "FailedCreate", "a\x1b[31m\nb.")
    [found] = explain_workload(WEB, short(2, 5, failure))
    assert found.message.endswith("a\\x1b[31m b")


@pytest.mark.parametrize(
    ("workload", "lacks"),
    [
        ({"spec": {}, "status": {}}, True),
        ({"spec": {"replicas": 0}, "status": {}}, False),
        ({"spec": {"replicas": 2}, "status": {"replicas": 3}}, False),
        ({"spec": {"replicas": 2}, "status": {"replicas": 1}}, True),
    ],
)
def test_replicas_default_to_one(workload: Json, lacks: bool) -> None:
    assert lacks_pods(workload) == lacks
