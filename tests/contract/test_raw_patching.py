"""Raw patches of every kind, and server-side apply with its conflicts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.exchanges import APPLY, JSON_PATCH, STRATEGIC, case, get, patch, post, put
from tests.contract.written import APPS, MAPS, PODS, config_map, deployment, pod, there

if TYPE_CHECKING:
    from tests.contract.exchanges import Case, Send
    from tests.contract.sides import Stage

pytestmark = pytest.mark.cluster

Json = dict[str, Any]

M = config_map("m", x="1", y="2")
ONE = f"{MAPS}/m"
WEB = f"{APPS}/web"
OLD = {"metadata": {"resourceVersion": "1"}, "data": {"x": "3"}}
TEMPLATE = "/spec/template/spec/containers"


def of_map(name: str, *sends: Send, differs: str = "") -> Case:
    return case(name, post(MAPS, M), *sends, get(ONE), differs=differs)


def operations(name: str, *steps: Json, differs: str = "") -> Case:
    return of_map(f"JSON patch: {name}", patch(ONE, list(steps), JSON_PATCH), differs=differs)


def of_deployment(name: str, body: Any) -> Case:
    return case(f"strategic: {name}", *there(), patch(f"{WEB}?dryRun=All", body, STRATEGIC))


def containers(*entries: Json) -> Json:
    return {"spec": {"template": {"spec": {"containers": list(entries)}}}}


def applied(manager: str, body: Json, extra: str = "") -> Send:
    return patch(f"{ONE}?fieldManager={manager}{extra}", {"apiVersion": "v1", "kind": "ConfigMap", **body}, APPLY)


MERGES = [
    of_map("merge: change", patch(ONE, {"data": {"x": "3"}})),
    of_map("merge: add and remove", patch(ONE, {"data": {"x": None, "z": "3"}, "metadata": {"labels": {"a": "b"}}})),
    of_map("merge: nothing", patch(ONE, {})),
    of_map("merge: the same", patch(ONE, {"data": {"x": "1"}})),
    of_map("merge: remove all data", patch(ONE, {"data": None})),
    of_map("merge: remove what is not there", patch(ONE, {"data": {"nosuch": None}})),
    of_map("merge: by a manager", patch(f"{ONE}?fieldManager=me", {"data": {"z": "3"}})),
    of_map("merge: in a dry run", patch(f"{ONE}?dryRun=All", {"data": {"z": "3"}})),
    of_map("merge: a number for a text", patch(ONE, {"data": {"x": 3}})),
    of_map("merge: another name", patch(ONE, {"metadata": {"name": "other"}})),
    of_map("merge: another kind", patch(ONE, {"kind": "Pod"})),
    of_map("merge: an old version", patch(ONE, OLD)),
    of_map("merge: the version", patch(ONE, '{"metadata":{"resourceVersion":"{version}"},"data":{"x":"3"}}')),
    of_map("merge: another uid", patch(ONE, {"metadata": {"uid": "x"}})),
    of_map("merge: a list", patch(ONE, [1])),
    of_map("merge: no JSON", patch(ONE, "x")),
    of_map("merge: unknown field", patch(f"{ONE}?fieldValidation=Warn", {"nosuch": 1})),
    of_map("merge: unknown field, strictly", patch(f"{ONE}?fieldValidation=Strict", {"nosuch": 1})),
    of_map("merge: one that is not there", patch(f"{MAPS}/nosuch", {"data": {}})),
    of_map("merge: a label that cannot be", patch(ONE, {"metadata": {"labels": {"a": "b c"}}})),
    of_map("merge: force", patch(f"{ONE}?force=true", {"data": {"x": "3"}})),
    of_map("merge: all", patch(MAPS, {"data": {}})),
    of_map("a patch of no kind", patch(ONE, {"data": {}}, "application/json")),
    of_map("a patch of an unknown kind", patch(ONE, {"data": {}}, "text/plain")),
    of_map("a patch with charset", patch(ONE, {"data": {"x": "3"}}, "application/merge-patch+json; charset=utf-8")),
    case("merge: replicas", *there(), patch(f"{WEB}?dryRun=All", {"spec": {"replicas": 3}})),
    case("merge: no replicas", *there(3), patch(f"{WEB}?dryRun=All", {"spec": {"replicas": None}})),
    case(
        "merge: the selector",
        *there(),
        patch(WEB, {"spec": {"selector": {"matchLabels": {"b": "c"}}}}),
    ),
    case("merge: a pod's labels", post(PODS, pod("lone")), patch(f"{PODS}/lone", {"metadata": {"labels": {"b": "c"}}})),
]

OPERATIONS = [
    operations("replace", {"op": "replace", "path": "/data/x", "value": "3"}),
    operations("add", {"op": "add", "path": "/data/z", "value": "3"}),
    operations("add below nothing", {"op": "add", "path": "/metadata/labels/a", "value": "b"}),
    operations("remove", {"op": "remove", "path": "/data/x"}),
    operations("remove what is not there", {"op": "remove", "path": "/data/nosuch"}),
    operations("replace what is not there", {"op": "replace", "path": "/data/nosuch", "value": "3"}),
    operations("test", {"op": "test", "path": "/data/x", "value": "1"}, {"op": "remove", "path": "/data/x"}),
    operations("test that fails", {"op": "test", "path": "/data/x", "value": "9"}),
    operations("test of what is not there", {"op": "test", "path": "/data/nosuch", "value": None}),
    operations(
        "copy and move",
        {"op": "copy", "from": "/data/x", "path": "/data/c"},
        {"op": "move", "from": "/data/y", "path": "/data/d"},
    ),
    operations("move of nothing", {"op": "move", "from": "/data/nosuch", "path": "/data/d"}),
    operations("an unknown operation", {"op": "grow", "path": "/data/x"}),
    operations("no path", {"op": "remove"}),
    operations("no operations"),
    operations("a name", {"op": "replace", "path": "/metadata/name", "value": "other"}),
    operations(
        "escapes",
        {"op": "add", "path": "/metadata/annotations", "value": {"a/b": "c"}},
        {"op": "remove", "path": "/metadata/annotations/a~1b"},
    ),
    of_map("JSON patch: no list", patch(ONE, {"op": "remove", "path": "/data/x"}, JSON_PATCH)),
    of_map("JSON patch: no JSON", patch(ONE, "x", JSON_PATCH)),
    case(
        "JSON patch: a container",
        *there(),
        patch(
            f"{WEB}?dryRun=All",
            [{"op": "add", "path": f"{TEMPLATE}/-", "value": {"name": "b", "image": "b:1"}}],
            JSON_PATCH,
        ),
    ),
    case(
        "JSON patch: an index beyond",
        *there(),
        patch(f"{WEB}?dryRun=All", [{"op": "remove", "path": f"{TEMPLATE}/7"}], JSON_PATCH),
    ),
]

STRATEGICS = [
    of_deployment("image of a container", containers({"name": "model", "image": "model:2"})),
    of_deployment("one more container", containers({"name": "proxy", "image": "proxy:1"})),
    of_deployment(
        "delete a container", containers({"name": "model", "$patch": "delete"}, {"name": "b", "image": "b:1"})
    ),
    of_deployment("replace the containers", containers({"name": "b", "image": "b:1"}, {"$patch": "replace"})),
    of_deployment("delete all containers", containers({"name": "model", "$patch": "delete"})),
    of_deployment(
        "order of containers",
        {
            "spec": {
                "template": {
                    "spec": {
                        "$setElementOrder/containers": [{"name": "b"}, {"name": "model"}],
                        "containers": [{"name": "b", "image": "b:1"}],
                    }
                }
            }
        },
    ),
    of_deployment("a container without a name", containers({"image": "b:1"})),
    of_deployment("environment", containers({"name": "model", "env": [{"name": "A", "value": "1"}]})),
    of_deployment(
        "strategy without its options", {"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}}
    ),
    of_deployment("an unknown directive", containers({"name": "model", "$patch": "grow"})),
    of_deployment("a text for a list", {"spec": {"template": {"spec": {"containers": "x"}}}}),
    of_deployment("remove a field", {"spec": {"paused": None}}),
    of_deployment("a number for a text", containers({"name": "model", "image": 3})),
    of_deployment("replicas", {"spec": {"replicas": 4}}),
    of_map("strategic: a map", patch(ONE, {"data": {"x": None, "z": "1"}}, STRATEGIC)),
    of_map("strategic: replace the data", patch(ONE, {"data": {"$patch": "replace", "z": "1"}}, STRATEGIC)),
]

APPLIES = [
    case("apply: create", applied("me", {"metadata": {"name": "m"}, "data": {"x": "1"}}), get(ONE)),
    case("apply: create in a dry run", applied("me", {"metadata": {"name": "m"}}, "&dryRun=All"), get(ONE)),
    case("apply: twice", applied("me", M), applied("me", M), get(ONE)),
    case("apply: less", applied("me", M), applied("me", config_map("m", y="2")), get(ONE)),
    case(
        "apply: shared",
        applied("me", M),
        applied("you", config_map("m", x="1", z="3")),
        applied("me", config_map("m")),
        get(ONE),
    ),
    case("apply: conflict", applied("me", M), applied("you", config_map("m", x="9", y="2")), get(ONE)),
    case("apply: two conflicts", applied("me", M), applied("you", config_map("m", x="9", y="8"))),
    case(
        "apply: conflict with two",
        applied("me", M),
        applied("you", config_map("m", x="1")),
        applied("she", config_map("m", x="2")),
    ),
    case("apply: conflict, forced", applied("me", M), applied("you", config_map("m", x="9"), "&force=true"), get(ONE)),
    case(
        "apply: conflict with an update",
        post(f"{MAPS}?fieldManager=kubectl-create", M),
        applied("me", config_map("m", x="9")),
    ),
    case(
        "apply: after an update, the same", post(f"{MAPS}?fieldManager=kubectl-create", M), applied("me", M), get(ONE)
    ),
    case(
        "apply: update of what was applied",
        applied("me", M),
        put(f"{ONE}?fieldManager=you", config_map("m", x="9")),
        get(ONE),
    ),
    case("apply: without a manager", patch(ONE, {"apiVersion": "v1", "kind": "ConfigMap"}, APPLY)),
    case("apply: without a kind", patch(f"{ONE}?fieldManager=me", {"metadata": {"name": "m"}}, APPLY)),
    case("apply: another name", applied("me", config_map("other"))),
    case("apply: another namespace", applied("me", {"metadata": {"name": "m", "namespace": "x"}})),
    case("apply: with managed fields", applied("me", {"metadata": {"name": "m", "managedFields": [{"manager": "x"}]}})),
    case("apply: an unknown field", applied("me", {"metadata": {"name": "m"}, "nosuch": 1})),
    case("apply: a number for a text", applied("me", {"metadata": {"name": "m"}, "data": {"x": 1}})),
    case(
        "apply: as YAML",
        patch(
            f"{ONE}?fieldManager=me", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m}\ndata:\n  x: 'on'\n", APPLY
        ),
    ),
    case("apply: no YAML", patch(f"{ONE}?fieldManager=me", "a: [", APPLY)),
    case("apply: an old version", applied("me", M), applied("me", {"metadata": {"name": "m", "resourceVersion": "1"}})),
    case("apply: a uid of one that is not there", applied("me", {"metadata": {"name": "m", "uid": "x"}})),
    case(
        "apply: a name that cannot be",
        patch(
            f"{MAPS}/Bad_Name?fieldManager=me",
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "Bad_Name"}},
            APPLY,
        ),
    ),
    case(
        "apply: a deployment",
        patch(f"{WEB}?fieldManager=me", {"apiVersion": "apps/v1", "kind": "Deployment", **deployment("web")}, APPLY),
    ),
    case(
        "apply: replicas of another",
        patch(f"{WEB}?fieldManager=me", {"apiVersion": "apps/v1", "kind": "Deployment", **deployment("web")}, APPLY),
        patch(
            f"{WEB}?fieldManager=you",
            {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {"replicas": 2}},
            APPLY,
        ),
    ),
]

CASES = [*MERGES, *OPERATIONS, *STRATEGICS, *APPLIES]


@pytest.mark.parametrize("one", CASES, ids=lambda one: one.name)
def test_patch(stage: Stage, one: Case) -> None:
    stage.check(one)
