"""Deletion, binding, computed resources and watches through the Api, as Kubernetes 1.37.2 does them."""

from __future__ import annotations

from typing import Any

import pytest

from mlscale.sandbox.statuses import StatusError
from mlscale.sandbox.verbs import KUBELET, SCHEDULER, Api, WatchOptions
from tests.unit.sandbox.api_objects import (
    DEPLOYMENTS,
    ME,
    NAMESPACE,
    config_map,
    create,
    delete,
    deployment,
    get,
    merge,
    new_api,
    pod,
)

Json = dict[str, Any]


@pytest.fixture
def api() -> Api:
    return new_api()


def test_a_deletion_is_answered_with_a_status(api: Api) -> None:
    uid = create(api, DEPLOYMENTS, deployment("a"))["metadata"]["uid"]
    details = {"name": "a", "group": "apps", "kind": "deployments", "uid": uid}
    body = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}
    assert delete(api, DEPLOYMENTS, "a") == body
    with pytest.raises(StatusError) as raised:
        get(api, DEPLOYMENTS, "a")
    assert raised.value.details == {"name": "a", "group": "apps", "kind": "deployments"}


def test_a_dry_run_deletes_nothing(api: Api) -> None:
    before = create(api, DEPLOYMENTS, deployment("a"))
    assert delete(api, DEPLOYMENTS, "a", dry_run=True)["status"] == "Success"
    assert delete(api, DEPLOYMENTS, "a", {"dryRun": ["All"]})["status"] == "Success"
    marked = delete(api, DEPLOYMENTS, "a", {"propagationPolicy": "Foreground", "dryRun": ["All"]})
    assert marked["metadata"]["finalizers"] == ["foregroundDeletion"]
    assert get(api, DEPLOYMENTS, "a") == before


def test_a_held_object_goes_with_its_last_finalizer(api: Api) -> None:
    create(api, "configmaps", config_map("f", finalizers=["a/b"]))
    assert delete(api, "configmaps", "f")["metadata"]["deletionGracePeriodSeconds"] == 0
    with pytest.raises(StatusError) as raised:
        merge(api, "configmaps", "f", {"metadata": {"finalizers": ["a/b", "c/d"]}})
    assert raised.value.message == (
        'ConfigMap "f" is invalid: metadata.finalizers: Forbidden: no new finalizers can be added if the object is '
        'being deleted, found new finalizers []string{"c/d"}'
    )
    last = merge(api, "configmaps", "f", {"metadata": {"finalizers": None}})
    assert "finalizers" not in last["metadata"]
    assert api.store.get("configmaps", NAMESPACE, "f") is None


def test_the_name_of_an_ending_object_is_taken(api: Api) -> None:
    create(api, "configmaps", config_map("f", finalizers=["a/b"]))
    delete(api, "configmaps", "f")
    with pytest.raises(StatusError) as raised:
        create(api, "configmaps", config_map("f"))
    assert raised.value.message == 'object is being deleted: configmaps "f" already exists'


def test_options_are_looked_at_before_the_object(api: Api) -> None:
    options = {"propagationPolicy": "Bad"}
    with pytest.raises(StatusError, match="propagationPolicy"):
        delete(api, "configmaps", "nosuch", options)
    with pytest.raises(StatusError, match="propagationPolicy"):
        api.delete_collection(api.resources["configmaps"], NAMESPACE, options, ME, labels="app=nosuch")


def test_the_life_of_a_pod(api: Api) -> None:
    create(api, "pods", pod("p", terminationGracePeriodSeconds=30))
    bound = api.bind(NAMESPACE, "p", "n1", SCHEDULER)
    condition = {"type": "PodScheduled", "status": "True", "lastProbeTime": None,
                 "lastTransitionTime": "2026-11-24T08:00:00Z"}  # fmt: skip
    assert (bound["spec"]["nodeName"], bound["metadata"]["generation"]) == ("n1", 1)
    assert bound["status"]["conditions"] == [condition]
    assert delete(api, "pods", "p")["metadata"]["deletionTimestamp"] == "2026-11-24T08:00:30Z"
    assert get(api, "pods", "p")["metadata"]["generation"] == 2
    last = api.delete(api.resources["pods"], NAMESPACE, "p", {"gracePeriodSeconds": 0}, KUBELET)
    assert last["kind"] == "Pod"
    assert api.store.get("pods", NAMESPACE, "p") is None


def test_a_pod_is_bound_once(api: Api) -> None:
    create(api, "pods", pod("p"))
    api.bind(NAMESPACE, "p", "n1", SCHEDULER)
    with pytest.raises(StatusError) as raised:
        api.bind(NAMESPACE, "p", "n2", SCHEDULER)
    message = 'Operation cannot be fulfilled on pods/binding "p": pod p is already assigned to node "n1"'
    assert (raised.value.message, raised.value.details) == (message, {"name": "p", "kind": "pods/binding"})


def test_a_namespace_goes_when_it_is_finalized(api: Api) -> None:
    resource = api.resources["namespaces"]
    made = api.create(resource, "", {"metadata": {"name": "b"}}, ME)
    assert api.update(resource, "", "b", {**made, "spec": {"finalizers": []}}, ME)["spec"] == made["spec"]
    assert api.delete(resource, "", "b", {}, ME)["status"]["phase"] == "Terminating"
    ending = api.get(resource, "", "b")
    api.update(resource, "", "b", {**ending, "spec": {}}, ME, subresource="finalize")
    assert api.store.get("namespaces", "", "b") is None


def test_a_collection_is_listed_as_it_is_deleted(api: Api) -> None:
    for name in ("a", "b", "c"):
        create(api, "configmaps", config_map(name, labels={"app": name}))
    resource = api.resources["configmaps"]
    answer = api.delete_collection(resource, NAMESPACE, {}, ME, labels="app in (a,c)")
    assert (answer["kind"], [item["metadata"]["name"] for item in answer["items"]]) == ("ConfigMapList", ["a", "c"])
    assert [item["metadata"]["name"] for item in api.list(resource, NAMESPACE)["items"]] == ["b"]


def test_computed_objects_are_listed_and_got(api: Api) -> None:
    resource = api.resources["nodes.metrics.k8s.io"]
    metric = {"metadata": {"name": "n1"}, "usage": {"cpu": "1"}}
    api.sources[resource.key] = lambda namespace: [metric] if namespace is None else []
    assert api.get(resource, "", "n1") == metric
    answer = api.list(resource, None)
    assert (answer["kind"], answer["metadata"], answer["items"]) == ("NodeMetricsList", {}, [metric])
    with pytest.raises(StatusError) as raised:
        api.get(resource, "", "zz")
    assert (raised.value.message, raised.value.details) == ('node "zz" not found', {"name": "zz", "kind": "node"})


def test_a_watch_sees_what_is_written(api: Api) -> None:
    watch = api.watch(api.resources[DEPLOYMENTS], NAMESPACE, WatchOptions())
    create(api, DEPLOYMENTS, deployment("a"))
    delete(api, DEPLOYMENTS, "a")
    assert [event["type"] for event in watch.take()] == ["ADDED", "DELETED"]
