"""What updates store and answer, of a whole object or a part, as Kubernetes 1.37.2 does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from mlscale.sandbox.patching import APPLY, MERGE_PATCH, STRATEGIC_MERGE_PATCH
from mlscale.sandbox.statuses import StatusError
from tests.unit.sandbox.api_objects import (
    DEPLOYMENTS,
    ME,
    MODIFIED,
    NAMESPACE,
    create,
    deployment,
    get,
    merge,
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


@pytest.mark.parametrize(
    ("patch", "generation"),
    [
        ({"spec": {"replicas": 2}}, 2),
        ({"spec": {"replicas": 1}}, 1),
        ({"metadata": {"labels": {"a": "b"}}}, 1),
        ({"metadata": {"annotations": {"a": "b"}}}, 2),
        ({"status": {"replicas": 7}}, 1),
    ],
)
def test_what_makes_a_new_generation_of_a_deployment(api: Api, patch: Json, generation: int) -> None:
    create(api, DEPLOYMENTS, deployment("a"))
    assert merge(api, DEPLOYMENTS, "a", patch)["metadata"]["generation"] == generation


def test_annotations_make_no_new_generation_of_a_replica_set(api: Api) -> None:
    create(api, "replicasets.apps", {**deployment("a"), "kind": "ReplicaSet"})
    after = merge(api, "replicasets.apps", "a", {"metadata": {"annotations": {"a": "b"}}})
    assert after["metadata"]["generation"] == 1


def test_a_write_that_changes_nothing_is_not_stored(api: Api) -> None:
    create(api, DEPLOYMENTS, deployment("a"))
    version = api.store.version
    after = merge(api, DEPLOYMENTS, "a", {"spec": {"replicas": 1}, "status": {"replicas": 4}})
    assert (api.store.version, after) == (version, get(api, DEPLOYMENTS, "a"))


def test_a_status_write_keeps_the_spec_and_the_other_way_round(api: Api) -> None:
    create(api, DEPLOYMENTS, deployment("a"))
    merge(api, DEPLOYMENTS, "a", {"spec": {"replicas": 9}, "status": {"replicas": 1}}, subresource="status")
    assert get(api, DEPLOYMENTS, "a")["spec"]["replicas"] == 1
    merge(api, DEPLOYMENTS, "a", {"spec": {"replicas": 3}, "status": {"replicas": 8}})
    stored = get(api, DEPLOYMENTS, "a")
    assert (stored["spec"]["replicas"], stored["status"]["replicas"], stored["metadata"]["generation"]) == (3, 1, 2)


@pytest.mark.parametrize(
    ("key", "body", "labels", "owned"),
    [
        (DEPLOYMENTS, deployment("a"), None, True),
        ("pods", pod("a"), {"l": "m"}, False),
        ("replicasets.apps", {**deployment("a"), "kind": "ReplicaSet"}, {"l": "m"}, True),
    ],
)
def test_what_of_the_metadata_a_status_write_changes(
    api: Api, key: str, body: Json, labels: Json | None, owned: bool
) -> None:
    create(api, key, body)
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "x", "uid": "y"}
    patch = {"metadata": {"labels": {"l": "m"}, "ownerReferences": [owner]}}
    metadata = merge(api, key, "a", patch, subresource="status")["metadata"]
    assert (metadata.get("labels"), "ownerReferences" in metadata) == (labels, owned)


def test_a_few_kinds_are_created_by_an_update(api: Api) -> None:
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "r"}, "rules": []}
    resource = api.resources["roles.rbac.authorization.k8s.io"]
    assert api.creates(resource, NAMESPACE, "r")
    assert update(api, resource.key, "r", role)["metadata"]["uid"]
    assert not api.creates(resource, NAMESPACE, "r")
    assert not api.creates(api.resources["configmaps"], NAMESPACE, "r")


def test_a_dry_run_updates_nothing(api: Api) -> None:
    before = create(api, DEPLOYMENTS, deployment("a"))
    after = merge(api, DEPLOYMENTS, "a", {"spec": {"replicas": 2}}, dry_run=True)
    assert (after["spec"]["replicas"], after["metadata"]["generation"]) == (2, 2)
    assert after["metadata"]["resourceVersion"] == before["metadata"]["resourceVersion"]
    assert get(api, DEPLOYMENTS, "a") == before


def test_an_update_without_a_version_is_unconditional_and_keeps_the_identity(api: Api) -> None:
    before = create(api, DEPLOYMENTS, deployment("a"))
    after = update(api, DEPLOYMENTS, "a", deployment("a", replicas=4))
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert after["metadata"]["creationTimestamp"] == before["metadata"]["creationTimestamp"]


@pytest.mark.parametrize(
    ("name", "body", "code", "message"),
    [
        ("b", deployment("c"), 400, "the name of the object (c) does not match the name on the URL (b)"),
        ("b", deployment("b"), 404, 'deployments.apps "b" not found'),
        ("a", deployment("b"), 400, "the name of the object (b) does not match the name on the URL (a)"),
        ("a", {"spec": {}}, 400, "the name of the object (a based on URL) was undeterminable: name must be provided"),
        ("a", {"metadata": {"name": "a", "resourceVersion": "1"}}, 409, 'Operation cannot be fulfilled on '
         f'deployments.apps "a": {MODIFIED}'),
        ("a", {"metadata": {"name": "a", "resourceVersion": "zz"}}, 500, 'strconv.ParseUint: parsing "zz": invalid '
         "syntax"),
        ("a", {"metadata": {"name": "a", "namespace": "zz"}}, 400, "the namespace of the provided object does not "
         "match the namespace sent on the request"),
    ],
)  # fmt: skip
def test_what_an_update_may_not_be(api: Api, name: str, body: Json, code: int, message: str) -> None:
    create(api, DEPLOYMENTS, deployment("a"))
    with pytest.raises(StatusError) as raised:
        update(api, DEPLOYMENTS, name, body)
    assert (raised.value.code, raised.value.message) == (code, message)


def test_an_update_of_another_object_of_that_name_conflicts(api: Api) -> None:
    uid = create(api, DEPLOYMENTS, deployment("a"))["metadata"]["uid"]
    with pytest.raises(StatusError) as raised:
        update(api, DEPLOYMENTS, "a", {"metadata": {"name": "a", "uid": "abc"}})
    assert raised.value.message == (
        'Operation cannot be fulfilled on deployments.apps "a": StorageError: invalid object, Code: 4, Key: '
        "/registry/deployments/lab/a, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in "
        f"precondition: abc, UID in object meta: {uid}"
    )


def test_a_scale_is_read_and_written(api: Api) -> None:
    create(api, DEPLOYMENTS, deployment("a"))
    assert get(api, DEPLOYMENTS, "a", "scale")["spec"] == {"replicas": 1}
    after = merge(api, DEPLOYMENTS, "a", {"spec": {"replicas": 5}}, subresource="scale")
    assert (after["kind"], after["spec"]) == ("Scale", {"replicas": 5})
    stored = get(api, DEPLOYMENTS, "a")
    assert (stored["spec"]["replicas"], stored["metadata"]["generation"]) == (5, 2)
    assert after["metadata"]["resourceVersion"] == stored["metadata"]["resourceVersion"]
    assert [entry.get("subresource") for entry in stored["metadata"]["managedFields"]] == ["scale", None]


def test_a_scale_of_words_is_a_bad_request(api: Api) -> None:
    create(api, DEPLOYMENTS, deployment("a"))
    body = {"metadata": {"name": "a"}, "spec": {"replicas": "many"}}
    with pytest.raises(StatusError) as raised:
        update(api, DEPLOYMENTS, "a", body, subresource="scale")
    why = "json: cannot unmarshal string into Go struct field ScaleSpec.spec.replicas of type int32"
    message = f'Scale in version "v1" cannot be handled as a Scale: {why}'
    assert (raised.value.code, raised.value.message) == (400, message)


SCALE_OF_X: Json = {"metadata": {"name": "a", "uid": "x"}, "spec": {"replicas": 5}}


def test_a_scale_of_another_object_conflicts(api: Api) -> None:
    uid = create(api, DEPLOYMENTS, deployment("a"))["metadata"]["uid"]
    applied = {"apiVersion": "autoscaling/v1", "kind": "Scale", **SCALE_OF_X}
    failed = f"Precondition failed: UID in precondition: x, UID in object meta: {uid}"
    message = f'Operation cannot be fulfilled on deployments/scale.apps "a": {failed}'
    for content_type, patch in ((MERGE_PATCH, SCALE_OF_X), (STRATEGIC_MERGE_PATCH, SCALE_OF_X), (APPLY[0], applied)):
        with pytest.raises(StatusError) as raised:
            api.patch(api.resources[DEPLOYMENTS], NAMESPACE, "a", patch, content_type, ME, subresource="scale")
        assert (raised.value.code, raised.value.message) == (409, message)
        assert raised.value.details == {"name": "a", "group": "apps", "kind": "deployments/scale"}


def test_an_update_with_a_scale_of_another_object_conflicts(api: Api) -> None:
    create(api, DEPLOYMENTS, deployment("a"))
    with pytest.raises(StatusError) as raised:
        update(api, DEPLOYMENTS, "a", SCALE_OF_X, subresource="scale")
    assert raised.value.code == 409
    assert "StorageError: invalid object, Code: 4, Key: /registry/deployments/lab/a" in raised.value.message


def test_a_scale_of_an_older_version_conflicts(api: Api) -> None:
    create(api, DEPLOYMENTS, deployment("a"))
    patch = {"metadata": {"resourceVersion": "1"}, "spec": {"replicas": 5}}
    with pytest.raises(StatusError) as raised:
        merge(api, DEPLOYMENTS, "a", patch, subresource="scale")
    assert raised.value.message == f'Operation cannot be fulfilled on deployments.apps "a": {MODIFIED}'
