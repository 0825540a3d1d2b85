"""What the four kinds of patch store and answer, as Kubernetes 1.37.2 does."""

from __future__ import annotations

from typing import Any

import pytest

from mlscale.sandbox.patching import JSON_PATCH, MERGE_PATCH, STRATEGIC_MERGE_PATCH
from mlscale.sandbox.statuses import StatusError
from mlscale.sandbox.verbs import Api, Caller
from tests.unit.sandbox.api_objects import (
    DEPLOYMENTS,
    ME,
    MODIFIED,
    NAMESPACE,
    config_map,
    create,
    deployment,
    get,
    merge,
    new_api,
)

Json = dict[str, Any]
APPLY_PATCH = "application/apply-patch+yaml"


@pytest.fixture
def api() -> Api:
    return new_api()


@pytest.mark.parametrize(
    ("patch", "code", "message"),
    [
        ({"metadata": {"resourceVersion": "1"}}, 409, "Operation cannot be fulfilled on "
         f'deployments.apps "a": {MODIFIED}'),
        ({"metadata": {"uid": "zz"}}, 422, 'Deployment.apps "a" is invalid: metadata.uid: Invalid value: "zz": field '
         "is immutable"),
        ({"metadata": {"name": "b"}}, 400, "the name of the object (b) does not match the name on the URL (a)"),
    ],
)  # fmt: skip
def test_what_a_patch_may_not_change(api: Api, patch: Json, code: int, message: str) -> None:
    create(api, DEPLOYMENTS, deployment("a"))
    with pytest.raises(StatusError) as raised:
        merge(api, DEPLOYMENTS, "a", patch)
    assert (raised.value.code, raised.value.message) == (code, message)


@pytest.mark.parametrize(
    ("patch", "content_type", "why"),
    [
        ({"data": {"a": 1}}, MERGE_PATCH, "json: cannot unmarshal number into Go struct field ConfigMap.data of type "
         "string"),
        ({"data": []}, MERGE_PATCH, "json: cannot unmarshal array into Go struct field ConfigMap.data of type "
         "map[string]string"),
        ({"kind": "Pod"}, MERGE_PATCH, "converting (v1.Pod) to (core.ConfigMap): unknown conversion"),
        ({"apiVersion": "v2"}, MERGE_PATCH, 'no kind "ConfigMap" is registered for version "v2" in scheme '
         '"pkg/runtime/scheme.go:111"'),
    ],
)  # fmt: skip
def test_a_patch_that_spoils_the_object_is_invalid(api: Api, patch: Json, content_type: str, why: str) -> None:
    create(api, "configmaps", config_map("x"))
    with pytest.raises(StatusError) as raised:
        api.patch(api.resources["configmaps"], NAMESPACE, "x", patch, content_type, ME)
    assert (raised.value.code, raised.value.reason) == (422, "Invalid")
    assert raised.value.message.startswith(' "" is invalid: patch: Invalid value: "{')
    assert raised.value.message.endswith(f'}}": {why}')
    assert set(raised.value.details) == {"causes"}


def test_a_strategic_patch_cannot_change_the_kind(api: Api) -> None:
    before = create(api, "configmaps", config_map("x"))
    after = api.patch(api.resources["configmaps"], NAMESPACE, "x", {"kind": "Pod"}, STRATEGIC_MERGE_PATCH, ME)
    assert after == before


def test_a_strategic_patch_that_spoils_the_object_is_said_in_gos_form(api: Api) -> None:
    create(api, "configmaps", config_map("x"))
    patch = {"data": {"a": ["b", 1, True, None]}}
    with pytest.raises(StatusError) as raised:
        api.patch(api.resources["configmaps"], NAMESPACE, "x", patch, STRATEGIC_MERGE_PATCH, ME)
    said = ' "" is invalid: patch: Invalid value: "map[data:map[a:[b 1 true <nil>]]]": '
    assert (raised.value.code, raised.value.message.startswith(said)) == (422, True)


NO_QUANTITY = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"


def cpu(amount: object) -> Json:
    return {"template": {"spec": {"containers": [{"name": "c", "resources": {"requests": {"cpu": amount}}}]}}}


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        ({"replicas": "x"}, "unrecognized type: int32"),
        ({"replicas": True}, "unrecognized type: int32"),
        ({"replicas": [1]}, "unrecognized type: int32"),
        ({"replicas": {"a": 1}}, "unrecognized type: int32"),
        ({"replicas": 1.5}, "cannot convert float64 to int32"),
        ({"paused": 1}, "unrecognized type: bool"),
        ({"paused": "x"}, "unrecognized type: bool"),
        ({"template": {"spec": {"hostname": 3}}}, "cannot convert int64 to string"),
        ({"template": {"spec": {"hostname": True}}}, "unrecognized type: string"),
        ({"template": {"spec": {"containers": "x"}}}, "cannot restore slice from string"),
        ({"selector": {"matchLabels": "x"}}, "cannot restore map from string"),
        ({"template": 3}, "cannot restore struct from: int64"),
        (cpu("x"), NO_QUANTITY),
    ],
)
def test_what_a_strategic_patch_cannot_convert(api: Api, spec: Json, why: str) -> None:
    create(api, DEPLOYMENTS, deployment("a"))
    with pytest.raises(StatusError) as raised:
        api.patch(api.resources[DEPLOYMENTS], NAMESPACE, "a", {"spec": spec}, STRATEGIC_MERGE_PATCH, ME)
    assert raised.value.code == 422
    assert raised.value.message.endswith(f'": {why}')


def test_an_amount_that_is_none_is_the_patchs_fault(api: Api) -> None:
    create(api, DEPLOYMENTS, deployment("a"))
    with pytest.raises(StatusError) as raised:
        merge(api, DEPLOYMENTS, "a", {"spec": cpu("x")})
    assert raised.value.code == 422
    assert raised.value.message.endswith(f'": {NO_QUANTITY}')


@pytest.mark.parametrize(
    ("spec", "why"), [({"replicas": 1.5}, "cannot convert float64 to int32"), (cpu("x"), NO_QUANTITY)]
)
def test_what_an_apply_cannot_convert(api: Api, spec: Json, why: str) -> None:
    config = deployment("a")
    with pytest.raises(StatusError) as raised:
        apply(api, "a", {**config, "spec": {**config["spec"], **spec}})
    kind = "apps/v1, Kind=Deployment"
    said = f"failed to convert new object (/a; {kind}) to proper version: unable to convert unstructured object to "
    assert (raised.value.code, raised.value.message) == (500, f"{said}{kind}: {why}")


def test_each_kind_of_patch_is_taken(api: Api) -> None:
    create(api, DEPLOYMENTS, deployment("a"))
    resource = api.resources[DEPLOYMENTS]
    operations = [{"op": "replace", "path": "/spec/replicas", "value": 2}]
    assert api.patch(resource, NAMESPACE, "a", operations, JSON_PATCH, ME)["spec"]["replicas"] == 2
    change = {"spec": {"template": {"spec": {"containers": [{"name": "c", "image": "j"}]}}}}
    after = api.patch(resource, NAMESPACE, "a", change, STRATEGIC_MERGE_PATCH, ME)
    assert after["spec"]["template"]["spec"]["containers"][0]["image"] == "j"


def test_another_content_type_is_not(api: Api) -> None:
    create(api, DEPLOYMENTS, deployment("a"))
    with pytest.raises(StatusError) as raised:
        api.patch(api.resources[DEPLOYMENTS], NAMESPACE, "a", {}, "application/json", ME)
    assert (raised.value.code, raised.value.message) == (415, "415: Unsupported Media Type")


def apply(api: Api, name: str, config: Json, manager: str = "me", **rest: Any) -> Json:
    caller = Caller("admin", manager)
    return api.patch(api.resources[DEPLOYMENTS], NAMESPACE, name, config, APPLY_PATCH, caller, **rest)


def test_an_applied_object_may_be_new(api: Api) -> None:
    made = apply(api, "a", deployment("a"))
    assert made["metadata"]["managedFields"][0]["operation"] == "Apply"
    assert apply(api, "a", deployment("a")) == made
    after = apply(api, "a", deployment("a", replicas=2))
    assert (after["spec"]["replicas"], after["metadata"]["generation"]) == (2, 2)


def test_applying_what_another_owns_conflicts_until_it_is_forced(api: Api) -> None:
    apply(api, "a", deployment("a"))
    with pytest.raises(StatusError) as raised:
        apply(api, "a", deployment("a", replicas=2), "you")
    assert (raised.value.code, raised.value.reason) == (409, "Conflict")
    assert apply(api, "a", deployment("a", replicas=2), "you", force=True)["spec"]["replicas"] == 2


@pytest.mark.parametrize(
    ("config", "manager", "code", "message"),
    [
        ({"metadata": {"name": "a"}}, "me", 400, "invalid object type: /, Kind="),
        ([1], "me", 400, "error decoding patch: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal "
         "array into Go value of type map[string]interface {}"),
        (deployment("a"), "", 422, 'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required '
         "for apply patch"),
    ],
)  # fmt: skip
def test_what_cannot_be_applied(api: Api, config: Any, manager: str, code: int, message: str) -> None:
    with pytest.raises(StatusError) as raised:
        apply(api, "a", config, manager)
    assert (raised.value.code, raised.value.message) == (code, message)


def test_a_scale_can_be_applied(api: Api) -> None:
    create(api, DEPLOYMENTS, deployment("a"))
    config = {"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "a"}, "spec": {"replicas": 2}}
    after = apply(api, "a", config, "q", subresource="scale", force=True)
    assert (after["kind"], after["spec"]) == ("Scale", {"replicas": 2})
    entries = get(api, DEPLOYMENTS, "a")["metadata"]["managedFields"]
    assert ("q", "Apply", "scale") in [(e["manager"], e["operation"], e.get("subresource")) for e in entries]
