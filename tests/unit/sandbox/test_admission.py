"""What admission refuses beyond the recorded answers: namespaces that end, quotas that are not counted yet."""

from __future__ import annotations

from typing import Any

import pytest

from mlscale.kube.kinds import DEPLOYMENT, POD, Kind
from mlscale.sandbox.admission import admit
from mlscale.sandbox.admission_quotas import quota_refusal
from mlscale.sandbox.defaults import set_defaults
from mlscale.sandbox.statuses import StatusError
from mlscale.sandbox.store import Store

Json = dict[str, Any]

CASES: list[tuple[str, Json, int, str]] = [
    ("one pod fits", {"hard": {"pods": "2"}, "used": {"pods": "1"}}, 1, ""),
    ("no pod fits", {"hard": {"pods": "1"}, "used": {"pods": "0"}}, 1,
     "exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1"),
    ("its usage is unknown", {"hard": {"pods": "2"}}, 0, "status unknown for quota: q, resources: pods"),
    ("the quota is not seen yet", {}, 5, ""),
    ("other things are bounded", {"hard": {"configmaps": "0"}, "used": {"configmaps": "0"}}, 5, ""),
]  # fmt: skip


def pod(name: str, **spec: Any) -> Json:
    body = {"metadata": {"name": name, "namespace": "n"}, "spec": {"containers": [{"name": "c", "image": "i"}], **spec}}
    return set_defaults(POD, body)


def quota(status: Json, **spec: Any) -> Json:
    return {"metadata": {"name": "q", "namespace": "n"}, "spec": {"hard": {}, **spec}, "status": status}


def namespace(phase: str) -> Store:
    store = Store()
    store.put("namespaces", {"metadata": {"name": "n"}, "status": {"phase": phase}})
    store.put("serviceaccounts", {"metadata": {"name": "default", "namespace": "n"}})
    return store


@pytest.mark.parametrize(("name", "status", "running", "refusal"), CASES, ids=lambda value: str(value)[:30])
def test_a_quota_counts_the_pods_that_are_there(name: str, status: Json, running: int, refusal: str) -> None:
    """Not those that its status had counted when it was last written."""
    store = namespace("Active")
    store.put("resourcequotas", quota(status))
    for number in range(running):
        store.put("pods", pod(f"p{number}"))
    assert quota_refusal(store, POD, pod("new"), None) == refusal


def test_a_pod_that_has_ended_uses_no_quota() -> None:
    store = namespace("Active")
    store.put("resourcequotas", quota({"hard": {"pods": "1"}, "used": {"pods": "1"}}))
    store.put("pods", {**pod("done"), "status": {"phase": "Succeeded"}})
    assert quota_refusal(store, POD, pod("new"), None) == ""


@pytest.mark.parametrize(("scope", "spec", "held"), [
    ("BestEffort", {}, True),
    ("NotBestEffort", {}, False),
    ("Terminating", {"activeDeadlineSeconds": 5}, True),
    ("NotTerminating", {"activeDeadlineSeconds": 5}, False),
    ("PriorityClass", {"priorityClassName": "high"}, True),
    ("PriorityClass", {}, False),
])  # fmt: skip
def test_a_quota_bounds_only_the_pods_of_its_scopes(scope: str, spec: Json, held: bool) -> None:
    store = namespace("Active")
    store.put("resourcequotas", quota({"hard": {"pods": "0"}, "used": {"pods": "0"}}, scopes=[scope]))
    assert bool(quota_refusal(store, POD, pod("new", **spec), None)) is held


@pytest.mark.parametrize("kind", [POD, DEPLOYMENT], ids=lambda kind: kind.kind)
def test_a_namespace_that_ends_takes_nothing_new(kind: Kind) -> None:
    """The words and the cause are those of a real server, v1.37.2."""
    with pytest.raises(StatusError) as refused:
        admit(namespace("Terminating"), kind, pod("new"), None)
    where = "unable to create new content in namespace n because it is being terminated"
    assert refused.value.message == f'{kind.resource} "new" is forbidden: {where}'
    cause = {
        "reason": "NamespaceTerminating",
        "message": "namespace n is being terminated",
        "field": "metadata.namespace",
    }
    assert refused.value.details["causes"] == [cause]


def test_a_namespace_that_ends_lets_change_what_it_has() -> None:
    stored = admit(namespace("Active"), POD, pod("old"), None)
    assert admit(namespace("Terminating"), POD, stored, stored) == stored


def test_the_same_pod_gets_the_same_volume_name() -> None:
    """So a run repeats; pods of different uids get different ones."""
    names = []
    for uid in ("u1", "u1", "u2"):
        obj = pod("p")
        obj["metadata"]["uid"] = uid
        names.append(admit(namespace("Active"), POD, obj, None)["spec"]["volumes"][0]["name"])
    assert names[0] == names[1] != names[2]
