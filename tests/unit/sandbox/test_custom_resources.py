"""Custom resources: served from their definition on, in the server's words for what it knows less of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from mlscale.sandbox.patching import MERGE_PATCH, STRATEGIC_MERGE_PATCH
from mlscale.sandbox.resources import DEFINITIONS, Resource
from mlscale.sandbox.statuses import StatusError
from tests.unit.sandbox.api_objects import ME, NAMESPACE, definition, new_api, thing

if TYPE_CHECKING:
    from mlscale.sandbox.verbs import Api

Json = dict[str, Any]
KEY = "things.a1.example.com"


def served(*, status: bool = False) -> tuple[Api, Resource]:
    api = new_api()
    api.create(DEFINITIONS, "", definition(status=status), ME)
    return api, api.resources[KEY]


def test_a_definition_is_completed_and_established() -> None:
    api, resource = served()
    stored = api.get(DEFINITIONS, "", KEY)
    assert stored["spec"]["names"] == {
        "plural": "things",
        "singular": "thing",
        "kind": "Thing",
        "listKind": "ThingList",
    }
    assert stored["spec"]["conversion"] == {"strategy": "None"}
    assert [(each["type"], each["status"]) for each in stored["status"]["conditions"]] == [
        ("NamesAccepted", "True"),
        ("Established", "True"),
    ]
    assert stored["status"]["storedVersions"] == ["v1"]
    assert (resource.kind.api_version, resource.kind.scalable, resource.kind.namespaced) == (
        "a1.example.com/v1",
        True,
        True,
    )


def test_its_objects_go_with_it() -> None:
    api, resource = served()
    api.create(resource, NAMESPACE, thing("t"), ME)
    assert api.delete(DEFINITIONS, "", KEY, {}, ME)["kind"] == "CustomResourceDefinition"
    assert KEY not in api.resources
    assert api.store.list(KEY) == []


def test_an_object_is_scaled_by_a_merge_patch() -> None:
    api, resource = served()
    api.create(resource, NAMESPACE, thing("t", replicas=0), ME)
    assert api.get(resource, NAMESPACE, "t", "scale")["spec"] == {}
    patch = {"spec": {"replicas": 2}}
    after = api.patch(resource, NAMESPACE, "t", patch, MERGE_PATCH, ME, subresource="scale")
    assert (after["spec"], after["status"]) == ({"replicas": 2}, {"replicas": 0})
    assert api.get(resource, NAMESPACE, "t")["metadata"]["generation"] == 2


def test_without_a_status_subresource_the_status_is_a_field_like_others() -> None:
    api, resource = served()
    made = api.create(resource, NAMESPACE, {**thing("t"), "status": {"replicas": 1}}, ME)
    assert made["status"] == {"replicas": 1}
    after = api.patch(resource, NAMESPACE, "t", {"status": {"replicas": 2}}, MERGE_PATCH, ME)
    assert (after["status"], after["metadata"]["generation"]) == ({"replicas": 2}, 2)


def test_with_one_it_is_written_apart() -> None:
    api, resource = served(status=True)
    assert "status" not in api.create(resource, NAMESPACE, {**thing("t"), "status": {"replicas": 1}}, ME)
    patch = {"metadata": {"labels": {"a": "b"}}, "status": {"replicas": 2}}
    assert "status" not in api.patch(resource, NAMESPACE, "t", patch, MERGE_PATCH, ME)
    after = api.patch(resource, NAMESPACE, "t", patch, MERGE_PATCH, ME, subresource="status")
    assert (after["status"], after["metadata"]["generation"]) == ({"replicas": 2}, 1)


def refused(api: Api, resource: Resource, method: str, body: Json) -> StatusError:
    calls = {
        "create": lambda: api.create(resource, NAMESPACE, body, ME),
        "update": lambda: api.update(resource, NAMESPACE, "t", body, ME),
        "patch": lambda: api.patch(resource, NAMESPACE, "t", body, STRATEGIC_MERGE_PATCH, ME),
    }
    with pytest.raises(StatusError) as raised:
        calls[method]()
    return raised.value


@pytest.mark.parametrize(
    ("method", "body", "code", "message"),
    [
        ("update", thing("t"), 422, 'things.a1.example.com "t" is invalid: metadata.resourceVersion: Invalid value: 0: '
         "must be specified for an update"),
        ("create", {**thing("t"), "kind": "Foo"}, 422, 'Foo.a1.example.com "t" is invalid: kind: Invalid value: "Foo": '
         "must be Thing"),
        ("create", {**thing("t"), "apiVersion": "a1.example.com/v2"}, 400, "the API version in the data "
         "(a1.example.com/v2) does not match the expected API version (a1.example.com/v1)"),
        ("create", {"metadata": {"name": "t2"}}, 400, "the object provided is unrecognized (must be of type Thing): "
         "Object 'Kind' is missing in '{\"metadata\": {\"name\": \"t2\"}}' ({\"metadata\": {\"name\": \"t2\"}})"),
        ("patch", {}, 415, "the body of the request was in an unknown format - accepted media types include: "
         "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml"),
    ],
)  # fmt: skip
def test_what_is_not_taken(method: str, body: Json, code: int, message: str) -> None:
    api, resource = served()
    api.create(resource, NAMESPACE, thing("t"), ME)
    error = refused(api, resource, method, body)
    assert (error.code, error.message) == (code, message)
