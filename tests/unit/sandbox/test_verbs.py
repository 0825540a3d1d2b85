"""The verbs as a whole: what each answers and stores, as Kubernetes 1.37.2 does."""

from __future__ import annotations

from typing import Any

import pytest

from mlscale.sandbox.patching import JSON_PATCH, MERGE_PATCH, STRATEGIC_MERGE_PATCH
from mlscale.sandbox.statuses import StatusError
from mlscale.sandbox.verbs import KUBELET, SCHEDULER, Api, Caller, WatchOptions
from tests.unit.sandbox.api_objects import ME, NAMESPACE, config_map, deployment, new_api, pod

Json = dict[str, Any]
APPLY_PATCH = "application/apply-patch+yaml"


@pytest.fixture
def api() -> Api:
    return new_api()


def create(api: Api, key: str, body: Json, **rest: Any) -> Json:
    return api.create(api.resources[key], NAMESPACE, body, ME, **rest)


def get(api: Api, key: str, name: str, subresource: str = "") -> Json:
    return api.get(api.resources[key], NAMESPACE, name, subresource)


def merge(api: Api, key: str, name: str, patch: Json, **rest: Any) -> Json:
    return api.patch(api.resources[key], NAMESPACE, name, patch, MERGE_PATCH, ME, **rest)


def update(api: Api, key: str, name: str, body: Json, **rest: Any) -> Json:
    return api.update(api.resources[key], NAMESPACE, name, body, ME, **rest)


def delete(api: Api, key: str, name: str, options: Json | None = None, **rest: Any) -> Json:
    return api.delete(api.resources[key], NAMESPACE, name, options or {}, ME, **rest)


DEPLOYMENTS = "deployments.apps"
MODIFIED = "the object has been modified; please apply your changes to the latest version and try again"


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


def test_a_scale_is_read_and_written(api: Api) -> None:
    create(api, DEPLOYMENTS, deployment("a"))
    assert get(api, DEPLOYMENTS, "a", "scale")["spec"] == {"replicas": 1}
    after = merge(api, DEPLOYMENTS, "a", {"spec": {"replicas": 5}}, subresource="scale")
    assert (after["kind"], after["spec"]) == ("Scale", {"replicas": 5})
    stored = get(api, DEPLOYMENTS, "a")
    assert (stored["spec"]["replicas"], stored["metadata"]["generation"]) == (5, 2)
    assert after["metadata"]["resourceVersion"] == stored["metadata"]["resourceVersion"]
    assert [entry.get("subresource") for entry in stored["metadata"]["managedFields"]] == ["scale", None]


def test_a_scale_of_an_older_version_conflicts(api: Api) -> None:
    create(api, DEPLOYMENTS, deployment("a"))
    patch = {"metadata": {"resourceVersion": "1"}, "spec": {"replicas": 5}}
    with pytest.raises(StatusError) as raised:
        merge(api, DEPLOYMENTS, "a", patch, subresource="scale")
    assert raised.value.message == f'Operation cannot be fulfilled on deployments.apps "a": {MODIFIED}'


def test_a_scale_can_be_applied(api: Api) -> None:
    create(api, DEPLOYMENTS, deployment("a"))
    config = {"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "a"}, "spec": {"replicas": 2}}
    after = apply(api, "a", config, "q", subresource="scale", force=True)
    assert (after["kind"], after["spec"]) == ("Scale", {"replicas": 2})
    entries = get(api, DEPLOYMENTS, "a")["metadata"]["managedFields"]
    assert ("q", "Apply", "scale") in [(e["manager"], e["operation"], e.get("subresource")) for e in entries]


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
