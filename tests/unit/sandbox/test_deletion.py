"""What a deletion does: rules of apiserver's registry store, cases seen on Kubernetes 1.37.2."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlscale.sandbox.deletion import check_options, is_finished, plan_deletion
from mlscale.sandbox.resources import SERVED, Resource
from mlscale.sandbox.statuses import StatusError

Json = dict[str, Any]
NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
BY_KEY = {resource.key: resource for resource in SERVED}
DEPLOYMENTS = BY_KEY["deployments.apps"]
PODS = BY_KEY["pods"]


def obj(**metadata: Any) -> Json:
    return {"metadata": {"name": "a", "uid": "u", "resourceVersion": "7", "generation": 1, **metadata}, "spec": {}}


def running(**metadata: Any) -> Json:
    spec = {"nodeName": "n1", "terminationGracePeriodSeconds": 30}
    return {**obj(**metadata), "spec": spec, "status": {"phase": "Running"}}


@pytest.mark.parametrize(
    ("key", "options", "held", "finalizers"),
    [
        ("deployments.apps", {}, [], []),
        ("deployments.apps", {"propagationPolicy": "Background"}, [], []),
        ("deployments.apps", {"propagationPolicy": "Foreground"}, [], ["foregroundDeletion"]),
        ("deployments.apps", {"propagationPolicy": "Orphan"}, [], ["orphan"]),
        ("deployments.apps", {"orphanDependents": True}, [], ["orphan"]),
        ("deployments.apps", {"orphanDependents": False}, [], []),
        ("deployments.apps", {}, ["a/b"], ["a/b"]),
        ("deployments.apps", {"propagationPolicy": "Foreground"}, ["a/b"], ["a/b", "foregroundDeletion"]),
        ("deployments.apps", {"propagationPolicy": "Background"}, ["foregroundDeletion"], []),
        ("deployments.apps", {}, ["foregroundDeletion"], ["foregroundDeletion"]),
        ("deployments.apps", {"propagationPolicy": "Orphan"}, ["foregroundDeletion"], ["orphan"]),
        ("jobs.batch", {}, [], ["orphan"]),
        ("replicationcontrollers", {}, [], ["orphan"]),
        ("jobs.batch", {"propagationPolicy": "Background"}, [], []),
        ("events", {"propagationPolicy": "Orphan"}, [], []),
    ],
)
def test_who_holds_a_deleted_object(key: str, options: Json, held: list[str], finalizers: list[str]) -> None:
    plan = plan_deletion(BY_KEY[key], obj(finalizers=held), options, NOW)
    assert plan.removed is (finalizers == [])
    assert plan.object["metadata"].get("finalizers", []) == finalizers


def test_a_held_object_is_marked() -> None:
    metadata = plan_deletion(DEPLOYMENTS, obj(finalizers=["a/b"]), {}, NOW).object["metadata"]
    assert metadata["deletionTimestamp"] == "2026-11-24T08:00:00Z"
    assert (metadata["deletionGracePeriodSeconds"], metadata["generation"]) == (0, 2)


def test_a_second_deletion_of_a_held_object_changes_nothing() -> None:
    first = plan_deletion(DEPLOYMENTS, obj(finalizers=["a/b"]), {}, NOW).object
    again = plan_deletion(DEPLOYMENTS, first, {}, NOW + timedelta(seconds=9))
    assert (again.object, again.removed) == (first, False)


def test_objects_without_generation_get_none() -> None:
    bare = {"metadata": {"name": "a", "uid": "u", "resourceVersion": "7", "finalizers": ["a/b"]}, "spec": {}}
    assert "generation" not in plan_deletion(BY_KEY["configmaps"], bare, {}, NOW).object["metadata"]


@pytest.mark.parametrize(
    ("pod", "options", "period"),
    [
        (running(), {}, 30),
        (running(), {"gracePeriodSeconds": 5}, 5),
        (running(), {"gracePeriodSeconds": 0}, 0),
        (running(), {"gracePeriodSeconds": -1}, 1),
        ({**running(), "spec": {"terminationGracePeriodSeconds": 30}}, {}, 0),
        ({**running(), "status": {"phase": "Succeeded"}}, {}, 0),
        ({**running(), "status": {"phase": "Failed"}}, {"gracePeriodSeconds": 9}, 0),
    ],
)
def test_how_long_a_pod_has_to_end(pod: Json, options: Json, period: int) -> None:
    plan = plan_deletion(PODS, pod, options, NOW)
    metadata = plan.object["metadata"]
    assert plan.removed is (period == 0)
    assert metadata["deletionTimestamp"] == f"2026-11-24T08:00:{period:02}Z"
    assert (metadata["deletionGracePeriodSeconds"], metadata["generation"]) == (period, 2)


def ending() -> Json:
    """A pod that was given 30 s at 08:00:00."""
    return plan_deletion(PODS, running(), {}, NOW).object


@pytest.mark.parametrize(
    ("options", "period", "ends"),
    [({}, 30, "08:00:30"), ({"gracePeriodSeconds": 60}, 30, "08:00:30"), ({"gracePeriodSeconds": 5}, 5, "08:00:05")],
)
def test_a_grace_period_can_only_get_shorter(options: Json, period: int, ends: str) -> None:
    plan = plan_deletion(PODS, ending(), options, NOW + timedelta(seconds=2))
    metadata = plan.object["metadata"]
    assert not plan.removed
    assert (metadata["deletionGracePeriodSeconds"], metadata["generation"]) == (period, 2)
    assert metadata["deletionTimestamp"] == f"2026-11-24T{ends}Z"


def test_the_kubelets_last_word_removes_the_pod_unless_a_finalizer_holds_it() -> None:
    assert plan_deletion(PODS, ending(), {"gracePeriodSeconds": 0}, NOW).removed
    held = ending()
    held["metadata"]["finalizers"] = ["a/b"]
    assert not plan_deletion(PODS, held, {"gracePeriodSeconds": 0}, NOW).removed


@given(st.integers(0, 60), st.integers(0, 60))
def test_the_end_of_a_pod_never_moves_away(first: int, second: int) -> None:
    once = plan_deletion(PODS, running(), {"gracePeriodSeconds": first}, NOW).object
    twice = plan_deletion(PODS, once, {"gracePeriodSeconds": second}, NOW).object
    assert twice["metadata"]["deletionTimestamp"] <= once["metadata"]["deletionTimestamp"]


def test_a_namespace_terminates_until_its_content_is_gone() -> None:
    namespaces = BY_KEY["namespaces"]
    before: Json = {**obj(), "spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"}}
    plan = plan_deletion(namespaces, before, {}, NOW)
    assert not plan.removed
    assert plan.object["status"] == {"phase": "Terminating"}
    assert "deletionGracePeriodSeconds" not in plan.object["metadata"]
    assert plan_deletion(namespaces, plan.object, {}, NOW) == plan
    assert not is_finished(namespaces, plan.object)
    assert is_finished(namespaces, {**plan.object, "spec": {}})


@pytest.mark.parametrize(
    ("metadata", "finished"),
    [
        ({}, False),
        ({"deletionTimestamp": "t", "deletionGracePeriodSeconds": 0}, True),
        ({"deletionTimestamp": "t", "deletionGracePeriodSeconds": 0, "finalizers": ["a/b"]}, False),
        ({"deletionTimestamp": "t", "deletionGracePeriodSeconds": 30}, False),
    ],
)
def test_when_an_update_lets_an_object_go(metadata: Json, finished: bool) -> None:
    assert is_finished(PODS, obj(**metadata)) is finished


_RECORD = "The object might have been"


@pytest.mark.parametrize(
    ("resource", "options", "code", "message"),
    [
        (
            DEPLOYMENTS,
            {"preconditions": {"resourceVersion": "3"}},
            409,
            'Operation cannot be fulfilled on Deployment.apps "a": the ResourceVersion in the precondition (3) does '
            f"not match the ResourceVersion in record (7). {_RECORD} modified",
        ),
        (
            PODS,
            {"preconditions": {"uid": "v"}},
            409,
            'Operation cannot be fulfilled on Pod "a": the UID in the precondition (v) does not match the UID in '
            f"record (u). {_RECORD} deleted and then recreated",
        ),
        (
            BY_KEY["namespaces"],
            {"preconditions": {"uid": "v"}},
            409,
            'Operation cannot be fulfilled on namespaces "a": Precondition failed: UID in precondition: v, UID in '
            "object meta: u",
        ),
        (
            BY_KEY["namespaces"],
            {"preconditions": {"resourceVersion": "3"}},
            409,
            'Operation cannot be fulfilled on namespaces "a": Precondition failed: ResourceVersion in precondition: 3, '
            "ResourceVersion in object meta: 7",
        ),
    ],
)
def test_what_a_deletion_may_not_ask(resource: Resource, options: Json, code: int, message: str) -> None:
    with pytest.raises(StatusError) as raised:
        plan_deletion(resource, obj(), options, NOW)
    assert (raised.value.code, raised.value.message) == (code, message)


_SUPPORTED = 'supported values: "Foreground", "Background", "Orphan", "nil"'
_BOTH = "orphanDependents and deletionPropagation cannot be both set"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"propagationPolicy": "Fore"}, f'propagationPolicy: Unsupported value: "Fore": {_SUPPORTED}'),
        (
            {"propagationPolicy": "Orphan", "orphanDependents": True},
            f'propagationPolicy: Invalid value: "Orphan": {_BOTH}',
        ),
        ({"dryRun": ["Some"]}, 'dryRun: Unsupported value: ["Some"]: supported values: "All"'),
        (
            {"propagationPolicy": "Bad", "orphanDependents": False, "dryRun": ["Bad"]},
            f'[propagationPolicy: Invalid value: "Bad": {_BOTH}, propagationPolicy: Unsupported value: "Bad": '
            f'{_SUPPORTED}, dryRun: Unsupported value: ["Bad"]: supported values: "All"]',
        ),
    ],
)
def test_options_that_cannot_be(options: Json, said: str) -> None:
    with pytest.raises(StatusError) as raised:
        check_options(options)
    expected = f'DeleteOptions.meta.k8s.io "" is invalid: {said}'
    assert (raised.value.code, raised.value.message) == (422, expected)


def test_options_that_can_be() -> None:
    for options in ({}, {"dryRun": ["All"], "propagationPolicy": "Orphan"}, {"orphanDependents": False}):
        check_options(options)


@pytest.mark.parametrize("name", ["default", "kube-public", "kube-system"])
def test_some_namespaces_stay(name: str) -> None:
    with pytest.raises(StatusError) as raised:
        plan_deletion(BY_KEY["namespaces"], obj(name=name), {}, NOW)
    expected = f'namespaces "{name}" is forbidden: this namespace may not be deleted'
    assert (raised.value.code, raised.value.message) == (403, expected)


def test_preconditions_that_hold_let_it_pass() -> None:
    options = {"preconditions": {"uid": "u", "resourceVersion": "7"}}
    assert plan_deletion(DEPLOYMENTS, obj(), options, NOW).removed
