"""Raw writes: create, update and delete, with preconditions and dry runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.exchanges import TABLE, YAML, Send, case, delete, get, post, put
from tests.contract.written import APPS, MAPS, PODS, config_map, deployment, pod

if TYPE_CHECKING:
    from tests.contract.exchanges import Case
    from tests.contract.sides import Stage

pytestmark = pytest.mark.cluster

Json = dict[str, Any]

M = config_map("m", x="1")
STAMPED = "metadata: {name: y, labels: {a: b}}\ndata: {x: '1'}\n"

CREATE = [
    case("create", post(MAPS, M)),
    case("create as YAML", post(MAPS, STAMPED, kind=YAML)),
    case("create of what is no YAML", post(MAPS, "a: b: c", kind=YAML)),
    case("create of what is no YAML in a later line", post(MAPS, "x: 1\na: b: c", kind=YAML)),
    case("create of YAML that breaks off", post(MAPS, "a: [", kind=YAML)),
    *(case(f"create of {text}", post(MAPS, text)) for text in ("tr", "[1 2", '{"a":1,}', '{"a" 1}', "{} x", '"\x01"')),
    case("create, shown as YAML", post(MAPS, M, accept=YAML)),
    case("create, shown as a Table", post(MAPS, M, accept=TABLE)),
    case("create with kind and version", post(MAPS, {"apiVersion": "v1", "kind": "ConfigMap", **M})),
    case("create of another kind", post(MAPS, {"apiVersion": "v1", "kind": "Pod", **M})),
    case("create of another version", post(MAPS, {"apiVersion": "v2", "kind": "ConfigMap", **M})),
    case("create of an unknown group", post(MAPS, {"apiVersion": "x.example.com/v1", "kind": "ConfigMap", **M})),
    case("create twice", post(MAPS, M), post(MAPS, M)),
    case("create in a dry run", post(f"{MAPS}?dryRun=All", M), get(f"{MAPS}/m")),
    case("create in a dry run that is none", post(f"{MAPS}?dryRun=Some", M)),
    case("create by a field manager", post(f"{MAPS}?fieldManager=me", M)),
    case("create by a field manager with a long name", post(f"{MAPS}?fieldManager={'m' * 129}", M)),
    case("create by a field manager that cannot be", post(f"{MAPS}?fieldManager=%07", M)),
    case("create without a name", post(MAPS, {"data": {}})),
    case("create with a name that cannot be", post(MAPS, config_map("Bad_Name"))),
    case("create with a long name", post(MAPS, config_map("n" * 254))),
    case("create with another namespace", post(MAPS, {"metadata": {"name": "m", "namespace": "default"}})),
    case("create in a namespace that is not there", post("/api/v1/namespaces/nosuch-ns/configmaps", M)),
    case("create with labels that cannot be", post(MAPS, {"metadata": {"name": "m", "labels": {"a b": "c d"}}})),
    case("create with annotations that cannot be", post(MAPS, {"metadata": {"name": "m", "annotations": {"A b": ""}}})),
    case("create with a key that cannot be", post(MAPS, config_map("m", **{"a/b": "1"}))),
    case("create with a resourceVersion", post(MAPS, {"metadata": {"name": "m", "resourceVersion": "1"}})),
    case("create with a uid", post(MAPS, {"metadata": {"name": "m", "uid": "x"}})),
    case("create with an owner without fields", post(MAPS, {"metadata": {"name": "m", "ownerReferences": [{}]}})),
    case("create with a finalizer that cannot be", post(MAPS, {"metadata": {"name": "m", "finalizers": ["a b"]}})),
    case("create of what is no JSON", post(MAPS, "{")),
    case("create of a list", post(MAPS, [M])),
    case("create of nothing", post(MAPS, "")),
    case("create with a number for a text", post(MAPS, {"metadata": {"name": "m"}, "data": {"x": 1}})),
    case("create with a text for a mapping", post(MAPS, {"metadata": {"name": "m"}, "data": "x"})),
    case("create with metadata that is none", post(MAPS, {"metadata": "m"})),
    case("an unknown field, ignored", post(f"{MAPS}?fieldValidation=Ignore", {**M, "nosuch": 1})),
    case("an unknown field, warned of", post(f"{MAPS}?fieldValidation=Warn", {**M, "nosuch": 1})),
    case("an unknown field, refused", post(f"{MAPS}?fieldValidation=Strict", {**M, "nosuch": 1, "other": 2})),
    case("an unknown validation", post(f"{MAPS}?fieldValidation=Nonsense", M)),
    case("a field twice", post(f"{MAPS}?fieldValidation=Strict", '{"metadata":{"name":"m"},"data":{"x":"1","x":"2"}}')),
    case("create of another media type", post(MAPS, "x", kind="text/plain")),
    case(
        "create shown in a form that is none",
        post(MAPS, M, accept="text/html"),
        differs="protobuf-is-read-and-not-written",
    ),
    case("create of an immutable one", post(MAPS, {**M, "immutable": True}), put(f"{MAPS}/m", {**M, "data": {}})),
    case("create of an account", post("/api/v1/namespaces/{ns}/serviceaccounts", {"metadata": {"name": "m"}})),
    case("create of a deployment", post(APPS, deployment("web"))),
    case("create of a deployment of version 1beta1", post(APPS.replace("v1", "v1beta1"), deployment("web"))),
    case("create of a deployment without anything", post(APPS, {"metadata": {"name": "web"}})),
    case("create of a deployment with another selector", post(APPS, deployment("web", labels={"app": "other"}))),
    case("create of a deployment without containers", post(APPS, deployment("web", containers=[]))),
    case("create of a deployment with -1 replicas", post(APPS, deployment("web", replicas=-1))),
    case("create of a deployment with replicas in words", post(APPS, deployment("web", replicas="two"))),
    case("create of a deployment with a fraction", post(APPS, deployment("web", replicas=1.5))),
    case("create of a deployment beyond int32", post(APPS, deployment("web", replicas=2**31))),
    case("create of a pod", post(PODS, pod("lone"))),
    case("create of a pod with a bad quantity", post(PODS, pod("lone", requests={"cpu": "much"}))),
    case(
        "create of a pod with more requested than its limit",
        post(PODS, pod("lone", requests={"cpu": "2"}, limits={"cpu": "1"})),
    ),
    case("create of a pod with half a GPU", post(PODS, pod("lone", limits={"nvidia.com/gpu": "500m"}))),
    case("create of a pod with a negative request", post(PODS, pod("lone", requests={"memory": "-1"}))),
    case("create of a pod of an account that is not there", post(PODS, pod("lone", serviceAccountName="nosuch"))),
]

UPDATE = [
    case("update", post(MAPS, M), put(f"{MAPS}/m", config_map("m", y="2"))),
    case(
        "update by another manager",
        post(f"{MAPS}?fieldManager=a", M),
        put(f"{MAPS}/m?fieldManager=b", config_map("m", x="1", y="2")),
    ),
    case("update that changes nothing", post(MAPS, M), put(f"{MAPS}/m", M)),
    case("update in a dry run", post(MAPS, M), put(f"{MAPS}/m?dryRun=All", config_map("m", y="2")), get(f"{MAPS}/m")),
    case(
        "update of an old version", post(MAPS, M), put(f"{MAPS}/m", {"metadata": {"name": "m", "resourceVersion": "1"}})
    ),
    case(
        "update of the version",
        post(MAPS, M),
        put(f"{MAPS}/m", '{"metadata":{"name":"m","resourceVersion":"{version}"}}'),
    ),
    case("update of another uid", post(MAPS, M), put(f"{MAPS}/m", {"metadata": {"name": "m", "uid": "x"}})),
    case("update of another name", post(MAPS, M), put(f"{MAPS}/m", config_map("other"))),
    case("update of another namespace", post(MAPS, M), put(f"{MAPS}/m", {"metadata": {"name": "m", "namespace": "x"}})),
    case("update of one that is not there", put(f"{MAPS}/nosuch", config_map("nosuch"))),
    case(
        "update with a version of one that is not there",
        put(f"{MAPS}/nosuch", {"metadata": {"name": "nosuch", "resourceVersion": "1"}}),
    ),
    case("update of one without a name", post(MAPS, M), put(f"{MAPS}/m", {"data": {}})),
    case("update of a selector", post(APPS, deployment("web")), put(f"{APPS}/web", deployment("web", app="x"))),
    case(
        "update of a pod's image",
        post(PODS, pod("lone")),
        put(f"{PODS}/lone", pod("lone", image="model:2")),
        differs="how-two-pod-specs-differ",
    ),
    case(
        "update of a pod's request",
        post(PODS, pod("lone")),
        put(f"{PODS}/lone", pod("lone", requests={"cpu": "2"})),
        differs="how-two-pod-specs-differ",
    ),
    case("update of all", Send("PUT", MAPS, M)),
]

DELETE = [
    case("delete", post(MAPS, M), delete(f"{MAPS}/m"), get(f"{MAPS}/m")),
    case("delete in a dry run", post(MAPS, M), delete(f"{MAPS}/m?dryRun=All"), get(f"{MAPS}/m")),
    case("delete of one that is not there", delete(f"{MAPS}/nosuch")),
    case("delete with the uid", post(MAPS, M), delete(f"{MAPS}/m", '{"preconditions":{"uid":"{uid}"}}')),
    case("delete with another uid", post(MAPS, M), delete(f"{MAPS}/m", {"preconditions": {"uid": "x"}})),
    case("delete of an old version", post(MAPS, M), delete(f"{MAPS}/m", {"preconditions": {"resourceVersion": "1"}})),
    case("delete in a way that is none", post(MAPS, M), delete(f"{MAPS}/m?propagationPolicy=Sometimes")),
    case(
        "delete in two ways",
        post(MAPS, M),
        delete(f"{MAPS}/m", {"propagationPolicy": "Orphan", "orphanDependents": True}),
    ),
    case("delete with a negative grace", post(PODS, pod("lone")), delete(f"{PODS}/lone?gracePeriodSeconds=-1")),
    case(
        "delete with options of another kind", post(MAPS, M), delete(f"{MAPS}/m", {"apiVersion": "v1", "kind": "Pod"})
    ),
    case("delete with options that are none", post(MAPS, M), delete(f"{MAPS}/m", "x")),
    case(
        "delete of one with a finalizer",
        post(MAPS, {"metadata": {"name": "m", "finalizers": ["example.com/wait"]}}),
        delete(f"{MAPS}/m"),
        get(f"{MAPS}/m"),
        put(f"{MAPS}/m", M),
        get(f"{MAPS}/m"),
    ),
    case("delete of a pod that no node has", post(PODS, pod("lone")), delete(f"{PODS}/lone"), get(f"{PODS}/lone")),
    case(
        "delete of a pod at once",
        post(PODS, pod("lone")),
        delete(f"{PODS}/lone?gracePeriodSeconds=0"),
        get(f"{PODS}/lone"),
    ),
    case(
        "delete of an account",
        post("/api/v1/namespaces/{ns}/serviceaccounts", {"metadata": {"name": "m"}}),
        delete("/api/v1/namespaces/{ns}/serviceaccounts/m"),
    ),
    case(
        "delete of some",
        post(MAPS, {"metadata": {"name": "one", "labels": {"a": "b"}}}),
        post(MAPS, {"metadata": {"name": "two", "labels": {"a": "b"}}}),
        delete(f"{MAPS}?labelSelector=a%3Db"),
        get(f"{MAPS}?labelSelector=a%3Db"),
    ),
    case("delete of none", delete(f"{MAPS}?labelSelector=a%3Dnosuch")),
    case("delete of all events in a dry run", delete("/api/v1/namespaces/{ns}/limitranges?dryRun=All")),
]

CASES = [*CREATE, *UPDATE, *DELETE]


@pytest.mark.parametrize("one", CASES, ids=lambda one: one.name)
def test_write(stage: Stage, one: Case) -> None:
    stage.check(one)
