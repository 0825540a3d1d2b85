"""Bodies of requests; refusals as Kubernetes 1.37.2 words them."""

from __future__ import annotations

import pytest

from mlscale.kube.kinds import DEPLOYMENT
from mlscale.sandbox.patching import JSON_PATCH, MERGE_PATCH
from mlscale.sandbox.resources import CONFIGMAP
from mlscale.sandbox.server.bodies import (
    known_fields,
    known_patch_fields,
    read_delete_options,
    read_object,
    read_patch,
)
from mlscale.sandbox.statuses import StatusError

WITH_UNKNOWN = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "w", "foo": 1},
    "spec": {"bar": 2, "template": {"spec": {"containers": [{"name": "c", "baz": 3}]}}},
}
PATHS = ["metadata.foo", "spec.bar", "spec.template.spec.containers[0].baz"]


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b'{"metadata":{"name":"a"}}', "application/json"),
        (b'{"metadata":{"name":"a"}}', ""),
        (b'{"metadata":{"name":"a"}}', "application/json; charset=utf-8"),
        (b"metadata: {name: a}", "application/yaml"),
    ],
)
def test_a_body_without_its_kind_is_of_the_path(body: bytes, content_type: str) -> None:
    expected = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}
    assert read_object(body, content_type, CONFIGMAP) == expected


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml"])
def test_a_form_that_is_not_read(content_type: str) -> None:
    with pytest.raises(StatusError) as refused:
        read_object(b"{}", content_type, CONFIGMAP)
    assert (refused.value.code, refused.value.reason) == (415, "UnsupportedMediaType")
    assert refused.value.message == (
        "the body of the request was in an unknown format - accepted media types include: application/json, "
        "application/yaml, application/vnd.kubernetes.protobuf"
    )


@pytest.mark.parametrize("body", [b"x", b"", b"[1]", b"\xff", b'"a"'])
def test_what_is_no_object(body: bytes) -> None:
    with pytest.raises(StatusError) as refused:
        read_object(body, "application/json", CONFIGMAP)
    assert refused.value.code == 400
    start = (
        "the object provided is unrecognized (must be of type ConfigMap): couldn't get version/kind; json parse error: "
    )
    assert refused.value.message.startswith(start)


def test_unknown_fields_are_dropped_and_warned_of() -> None:
    known, warnings = known_fields(WITH_UNKNOWN, DEPLOYMENT, "Warn")
    assert known["spec"] == {"template": {"spec": {"containers": [{"name": "c"}]}}}
    assert known["metadata"] == {"name": "w"}
    assert list(warnings) == [f'unknown field "{path}"' for path in PATHS]


def test_unknown_fields_are_dropped_in_silence_where_asked() -> None:
    known, warnings = known_fields(WITH_UNKNOWN, DEPLOYMENT, "Ignore")
    assert known["metadata"] == {"name": "w"}
    assert warnings == ()


def test_unknown_fields_are_refused_where_asked() -> None:
    with pytest.raises(StatusError) as refused:
        known_fields(WITH_UNKNOWN, DEPLOYMENT, "Strict")
    assert refused.value.code == 400
    assert refused.value.message == (
        'Deployment in version "v1" cannot be handled as a Deployment: strict decoding error: unknown field '
        '"metadata.foo", unknown field "spec.bar", unknown field "spec.template.spec.containers[0].baz"'
    )


def test_a_value_of_the_wrong_type_is_refused() -> None:
    body = {"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"replicas": "x"}}
    with pytest.raises(StatusError) as refused:
        known_fields(body, DEPLOYMENT, "Ignore")
    assert refused.value.message == (
        'Deployment in version "v1" cannot be handled as a Deployment: json: cannot unmarshal string into Go struct '
        "field DeploymentSpec.spec.replicas of type int32"
    )


def test_a_merge_patch_may_not_add_unknown_fields() -> None:
    patch = {"spec": {"xx": 1, "replicas": 2}}
    assert known_patch_fields(patch, DEPLOYMENT, "Warn") == ({"spec": {"replicas": 2}}, ('unknown field "spec.xx"',))
    with pytest.raises(StatusError) as refused:
        known_patch_fields(patch, DEPLOYMENT, "Strict")
    assert refused.value.code == 422
    assert refused.value.message.endswith('strict decoding error: unknown field "spec.xx"')


def test_the_directives_of_a_strategic_patch_are_no_fields() -> None:
    container = {"name": "c", "$patch": "delete"}
    pod = {"containers": [container], "$setElementOrder/containers": [{"name": "c"}], "$retainKeys": ["containers"]}
    patch = {"spec": {"template": {"spec": pod}}}
    assert known_patch_fields(patch, DEPLOYMENT, "Strict") == (patch, ())


@pytest.mark.parametrize(
    ("body", "content_type", "message"),
    [
        (b"{bad", MERGE_PATCH, "invalid JSON patch"),
        (b"", MERGE_PATCH, "invalid JSON patch"),
        (b"{bad", JSON_PATCH, "invalid JSON patch"),
        (b"[1]", MERGE_PATCH,
         "error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}"),
        (b'{"a":1}', JSON_PATCH,
         "error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp"),
    ],
)  # fmt: skip
def test_what_is_no_patch(body: bytes, content_type: str, message: str) -> None:
    with pytest.raises(StatusError) as refused:
        read_patch(body, content_type)
    assert (refused.value.code, refused.value.message) == (400, message)


def test_an_applied_patch_may_be_yaml() -> None:
    assert read_patch(b"spec: {replicas: 3}", "application/apply-patch+yaml") == {"spec": {"replicas": 3}}
    with pytest.raises(StatusError, match="error encoding patch: yaml: "):
        read_patch(b"a: [b", "application/apply-patch+yaml")


def test_the_options_of_a_deletion() -> None:
    assert read_delete_options(b"", "") == {}
    body = b'{"kind":"DeleteOptions","apiVersion":"v1","propagationPolicy":"Orphan"}'
    assert read_delete_options(body, "application/json")["propagationPolicy"] == "Orphan"
    with pytest.raises(StatusError, match='no kind "Foo" is registered for version "v1"'):
        read_delete_options(b'{"kind":"Foo","apiVersion":"v1"}', "application/json")
    with pytest.raises(StatusError, match="json parse error"):
        read_delete_options(b"{bad", "")
