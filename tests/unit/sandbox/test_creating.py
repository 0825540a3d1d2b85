"""What a creation stores and answers, as Kubernetes 1.37.2 does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from mlscale.sandbox.statuses import StatusError
from tests.unit.sandbox.api_objects import (
    DEPLOYMENTS,
    ME,
    NAMESPACE,
    config_map,
    create,
    deployment,
    get,
    new_api,
    pod,
    update,
)

if TYPE_CHECKING:
    from mlscale.sandbox.verbs import Api

Json = dict[str, Any]


@pytest.fixture
def api() -> Api:
    return new_api()


def test_a_new_object_has_an_identity(api: Api) -> None:
    made = create(api, DEPLOYMENTS, deployment("a"))
    metadata = made["metadata"]
    assert (metadata["namespace"], metadata["generation"]) == (NAMESPACE, 1)
    assert metadata["creationTimestamp"] == "2026-11-24T08:00:00Z"
    assert metadata["uid"][14] == "4"
    assert made == get(api, DEPLOYMENTS, "a")


def test_the_same_seed_gives_the_same_identities() -> None:
    def run(seed: int) -> Json:
        return create(new_api(seed), "configmaps", {"metadata": {"generateName": "gen-"}})

    assert run(1) == run(1)
    assert run(1)["metadata"]["uid"] != run(2)["metadata"]["uid"]


def test_the_server_ignores_what_a_new_object_says_of_itself(api: Api) -> None:
    body = deployment("a")
    body["metadata"] |= {"uid": "mine", "generation": 9, "creationTimestamp": "2001-01-01T00:00:00Z"}
    made = create(api, DEPLOYMENTS, {**body, "status": {"replicas": 5}})
    assert made["metadata"]["uid"] != "mine"
    assert (made["metadata"]["generation"], made["status"]) == (1, {})


@pytest.mark.parametrize(
    ("key", "body", "status"),
    [
        ("pods", pod("a"), {"phase": "Pending", "qosClass": "BestEffort"}),
        ("replicasets.apps", {**deployment("a"), "kind": "ReplicaSet"}, {"replicas": 0}),
    ],
)
def test_the_status_of_a_new_object(api: Api, key: str, body: Json, status: Json) -> None:
    assert create(api, key, {**body, "status": {"phase": "Running"}})["status"] == status


def test_an_event_shows_what_it_leaves_empty(api: Api) -> None:
    event = {"metadata": {"name": "e"}, "involvedObject": {"kind": "Pod", "name": "a", "namespace": NAMESPACE}}
    made = create(api, "events", {**event, "reason": "R", "type": "Normal", "lastTimestamp": "2026-11-24T08:00:00Z"})
    assert (made["source"], made["firstTimestamp"], made["eventTime"]) == ({}, None, None)
    assert (made["reportingComponent"], made["reportingInstance"]) == ("", "")
    assert made["lastTimestamp"] == "2026-11-24T08:00:00Z"


def test_a_new_namespace(api: Api) -> None:
    made = api.create(api.resources["namespaces"], "", {"metadata": {"name": "b"}}, ME)
    assert made["metadata"]["labels"] == {"kubernetes.io/metadata.name": "b"}
    assert (made["spec"], made["status"]) == ({"finalizers": ["kubernetes"]}, {"phase": "Active"})
    assert "namespace" not in made["metadata"]
    assert "generation" not in made["metadata"]


def test_a_generated_name(api: Api) -> None:
    name = create(api, "configmaps", {"metadata": {"generateName": "gen-"}})["metadata"]["name"]
    assert name.startswith("gen-")
    assert len(name) == len("gen-") + 5
    assert set(name.removeprefix("gen-")) <= set("bcdfghjklmnpqrstvwxz2456789")


@pytest.mark.parametrize(
    ("key", "body", "code", "message"),
    [
        ("configmaps", config_map("taken"), 409, 'configmaps "taken" already exists'),
        ("configmaps", config_map("q", resourceVersion="5"), 500, "resourceVersion should not be set on objects to be "
         "created"),
        ("configmaps", config_map("q", namespace="other"), 400, "the namespace of the provided object does not match "
         "the namespace sent on the request"),
        ("configmaps", {"metadata": {}}, 422, 'ConfigMap "" is invalid: metadata.name: Required value: name or '
         "generateName is required"),
        ("configmaps", pod("q"), 400, 'Pod in version "v1" cannot be handled as a ConfigMap: converting (v1.Pod) to '
         "(core.ConfigMap): unknown conversion"),
        ("configmaps", {**config_map("q"), "kind": "Foo"}, 400, 'Foo in version "v1" cannot be handled as a '
         'ConfigMap: no kind "Foo" is registered for version "v1" in scheme "pkg/runtime/scheme.go:111"'),
        (DEPLOYMENTS, {**deployment("q"), "apiVersion": "apps/v1beta1"}, 400, "the API version in the data "
         "(apps/v1beta1) does not match the expected API version (apps/v1)"),
    ],
)  # fmt: skip
def test_what_a_creation_may_not_be(api: Api, key: str, body: Json, code: int, message: str) -> None:
    create(api, "configmaps", config_map("taken"))
    version = api.store.version
    with pytest.raises(StatusError) as raised:
        create(api, key, body)
    assert (raised.value.code, raised.value.message, api.store.version) == (code, message, version)


def test_a_dry_run_creates_nothing(api: Api) -> None:
    version = api.store.version
    made = create(api, "configmaps", config_map("dry"), dry_run=True)
    assert "resourceVersion" not in made["metadata"]
    assert made["metadata"]["uid"]
    assert api.store.version == version


def test_a_callers_body_is_left_alone(api: Api) -> None:
    body = deployment("a")
    create(api, DEPLOYMENTS, body)
    update(api, DEPLOYMENTS, "a", body)
    assert body == deployment("a")
