"""Patches of each kind, tried on two objects of which several field managers own parts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

JSON_PATCH, MERGE, STRATEGIC, APPLY = (
    f"application/{name}"
    for name in ("json-patch+json", "merge-patch+json", "strategic-merge-patch+json", "apply-patch+yaml")
)

HEADS: dict[str, Json] = {
    "web": {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}},
    "auto": {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "auto"}},
}
PLURALS = {
    "web": "apis/apps/v1/namespaces/{}/deployments",
    "auto": "apis/autoscaling/v2/namespaces/{}/horizontalpodautoscalers",
}


@dataclass(frozen=True)
class Case:
    """One patch of one of the objects."""

    name: str
    type: str
    body: Any
    target: str = "web"
    manager: str = "tester"
    force: bool = False


@dataclass(frozen=True)
class Past:
    """A write that was done before, so that there are owners."""

    type: str
    body: Json
    manager: str
    target: str = "web"


def containers(*items: Any, **pod: Any) -> Json:
    """A patch of the pod template's containers."""
    return {"spec": {"template": {"spec": {"containers": list(items), **pod}}}}


def metadata(**fields: Any) -> Json:
    """A patch of the metadata; ``order_`` and ``delete_`` before a name make the directives of a list."""
    names = {"order_": "$setElementOrder/", "delete_": "$deleteFromPrimitiveList/"}
    return {
        "metadata": {next((names[p] + k[len(p) :] for p in names if k.startswith(p)), k): v for k, v in fields.items()}
    }


def applied(target: str = "web", meta: Json | None = None, **spec: Any) -> Json:
    """A configuration to apply."""
    head = HEADS[target]
    return {**head, "metadata": {**head["metadata"], **(meta or {})}, "spec": spec}


def at(path: str, op: str = "replace", **members: Any) -> Json:
    """One operation of a JSON patch."""
    return {"op": op, "path": path, **members}


_A = {"name": "a", "image": "a:1", "env": [{"name": "X", "value": "1"}, {"name": "Y", "value": "2"}]}
_PORTS = [{"containerPort": 80, "name": "http"}, {"containerPort": 80, "protocol": "UDP"}]
_LABELS = {"app": "web"}
_POD = {
    "containers": [{**_A, "ports": _PORTS}, {"name": "b", "image": "b:1", "args": ["p", "q"]}],
    "volumes": [{"name": "v", "emptyDir": {}}],
    "nodeSelector": {"disk": "ssd"},
    "tolerations": [{"key": "k", "operator": "Exists"}],
}
CREATED: dict[str, Json] = {
    "web": applied(
        meta={"labels": {"l1": "1", "l2": "2"}, "finalizers": ["x.io/a", "x.io/b"]},
        replicas=0,
        paused=True,
        selector={"matchLabels": _LABELS},
        template={"metadata": {"labels": _LABELS}, "spec": _POD},
    ),
    "auto": applied(
        "auto",
        maxReplicas=5,
        minReplicas=2,
        scaleTargetRef={"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
    ),
}
_BASE = applied(
    minReadySeconds=7,
    template={
        "spec": containers({"name": "c", "image": "c:1"}, {"name": "b", "args": ["p", "q"]})["spec"]["template"]["spec"]
    },
)
PAST = (
    Past(MERGE, {"spec": {"revisionHistoryLimit": 3}, **metadata(annotations={"note": "x"})}, "editor"),
    Past(APPLY, _BASE, "applier"),
    Past(APPLY, applied(minReadySeconds=7, meta={"labels": {"l2": "2"}}), "second"),
    Past(MERGE, {"spec": {"maxReplicas": 6}}, "editor", "auto"),
    Past(
        APPLY,
        applied("auto", minReplicas=2, behavior={"scaleDown": {"stabilizationWindowSeconds": 60}}),
        "applier",
        "auto",
    ),
)
_CONTAINERS = "/spec/template/spec/containers"

CASES = (
    Case("json: replaces", JSON_PATCH, [at("/spec/revisionHistoryLimit", value=4)]),
    Case(
        "json: a test that holds", JSON_PATCH, [at("/spec/replicas", "test", value=0), at("/spec/paused", value=False)]
    ),
    Case("json: a test that fails", JSON_PATCH, [at("/spec/replicas", "test", value=7)]),
    Case("json: true is not 1", JSON_PATCH, [at("/spec/paused", "test", value=1)]),
    Case("json: an absent key tests equal to null", JSON_PATCH, [at("/spec/foo", "test", value=None)]),
    Case("json: replace adds a key", JSON_PATCH, [at("/metadata/annotations/new", value="n")]),
    Case("json: remove of nothing", JSON_PATCH, [at("/spec/foo", "remove")]),
    Case("json: under nothing", JSON_PATCH, [at("/spec/foo/bar", "add", value=1)]),
    Case("json: unknown operation", JSON_PATCH, [at("/spec/paused", "set", value=1)]),
    Case("json: appends", JSON_PATCH, [at(f"{_CONTAINERS}/-", "add", value={"name": "n", "image": "n:1"})]),
    Case("json: inserts", JSON_PATCH, [at(f"{_CONTAINERS}/1", "add", value={"name": "n", "image": "n:1"})]),
    Case("json: beyond the end", JSON_PATCH, [at(f"{_CONTAINERS}/9", "add", value={"name": "n", "image": "n:1"})]),
    Case("json: counts from the end", JSON_PATCH, [at(f"{_CONTAINERS}/-1/image", value="z:1")]),
    Case("json: an index of two digits", JSON_PATCH, [at(f"{_CONTAINERS}/01/name", "test", value="zzz")]),
    Case("json: copies", JSON_PATCH, [at("/spec/minReadySeconds", "copy", **{"from": "/spec/revisionHistoryLimit"})]),
    Case(
        "json: moves",
        JSON_PATCH,
        [
            at(f"{_CONTAINERS}/0/image", "move", **{"from": f"{_CONTAINERS}/1/image"}),
            at(f"{_CONTAINERS}/1/image", "add", value="m"),
        ],
    ),
    Case("json: moves nothing", JSON_PATCH, [at("/spec/minReadySeconds", "move", **{"from": "/spec/foo"})]),
    Case("json: escapes", JSON_PATCH, [at("/metadata/annotations/x.io~1b", "add", value="e")]),
    Case("json: no list", JSON_PATCH, {"a": 1}),
    Case("json: no object", JSON_PATCH, [1]),
    Case("merge: null removes", MERGE, metadata(labels={"l1": None, "l9": "9"})),
    Case("merge: lists are replaced", MERGE, containers({"name": "n", "image": "n:1"})),
    Case("merge: null", MERGE, None),
    Case("merge: a list", MERGE, [1]),
    Case("merge: takes a field from its owner", MERGE, {"spec": {"minReadySeconds": 8, "revisionHistoryLimit": 4}}),
    Case("merge: the same value takes nothing", MERGE, {"spec": {"minReadySeconds": 7, "revisionHistoryLimit": 3}}),
    Case("merge: forgets all owners", MERGE, metadata(managedFields=[{}])),
    Case("merge: null forgets none", MERGE, metadata(managedFields=None, labels={"l5": "5"})),
    Case("merge: two empty ones forget none", MERGE, metadata(managedFields=[{}, {}], labels={"l5": "5"})),
    Case(
        "merge: sets the owners",
        MERGE,
        metadata(
            managedFields=[
                {
                    "manager": "me",
                    "operation": "Update",
                    "apiVersion": "apps/v1",
                    "fieldsType": "FieldsV1",
                    "fieldsV1": {"f:spec": {"f:replicas": {}}},
                }
            ]
        ),
    ),
    Case("merge: an empty list forgets them too", MERGE, metadata(managedFields=[], labels={"l5": "5"})),
    Case("strategic: merges by name", STRATEGIC, containers({"name": "a", "image": "a:2"})),
    Case(
        "strategic: new items go first",
        STRATEGIC,
        containers({"name": "n", "image": "n:1"}, {"name": "m", "image": "m:1"}),
    ),
    Case("strategic: deletes an item", STRATEGIC, containers({"name": "a", "$patch": "delete"})),
    Case("strategic: replaces the list", STRATEGIC, containers({"name": "n", "image": "n:1"}, {"$patch": "replace"})),
    Case(
        "strategic: orders",
        STRATEGIC,
        containers({"name": "a", "image": "a:3"}, **{"$setElementOrder/containers": [{"name": "b"}, {"name": "a"}]}),
    ),
    Case(
        "strategic: only orders",
        STRATEGIC,
        {
            "spec": {
                "template": {"spec": {"$setElementOrder/containers": [{"name": "c"}, {"name": "b"}, {"name": "a"}]}}
            }
        },
    ),
    Case(
        "strategic: an order that lacks an item",
        STRATEGIC,
        containers({"name": "a", "image": "q"}, **{"$setElementOrder/containers": [{"name": "b"}]}),
    ),
    Case(
        "strategic: an order that is none",
        STRATEGIC,
        {"spec": {"template": {"spec": {"$setElementOrder/containers": "x"}}}},
    ),
    Case(
        "strategic: an order of nothing",
        STRATEGIC,
        containers({"name": "b", "env": [], "$setElementOrder/env": [{"name": "X"}]}),
    ),
    Case(
        "strategic: ports merge by number",
        STRATEGIC,
        containers({"name": "a", "ports": [{"containerPort": 80, "name": "web"}, {"containerPort": 81}]}),
    ),
    Case("strategic: args are replaced", STRATEGIC, containers({"name": "b", "args": ["r"]})),
    Case(
        "strategic: tolerations are replaced", STRATEGIC, containers(tolerations=[{"key": "z", "operator": "Exists"}])
    ),
    Case("strategic: finalizers are joined", STRATEGIC, metadata(finalizers=["x.io/c", "x.io/a"])),
    Case("strategic: deletes from a list of strings", STRATEGIC, metadata(delete_finalizers=["x.io/a"])),
    Case("strategic: orders a list of strings", STRATEGIC, metadata(order_finalizers=["x.io/b", "x.io/a"])),
    Case("strategic: replaces a map", STRATEGIC, metadata(labels={"$patch": "replace", "l8": "8"})),
    Case("strategic: deletes a map", STRATEGIC, metadata(labels={"$patch": "delete"})),
    Case(
        "strategic: a replacement of nothing is dropped",
        STRATEGIC,
        containers(nodeSelector=None, affinity={"$patch": "replace", "nodeAffinity": {}}),
    ),
    Case("strategic: retains keys", STRATEGIC, {"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}}),
    Case(
        "strategic: retains a volume's source",
        STRATEGIC,
        containers(volumes=[{"name": "v", "$retainKeys": ["name", "configMap"], "configMap": {"name": "m"}}]),
    ),
    Case(
        "strategic: keys that are not retained",
        STRATEGIC,
        {"spec": {"strategy": {"$retainKeys": ["type"], "rollingUpdate": {"maxSurge": 1}}}},
    ),
    Case("strategic: an item without its key", STRATEGIC, containers({"image": "x"})),
    Case("strategic: deletes without a key", STRATEGIC, containers({"$patch": "delete"})),
    Case("strategic: an unknown directive", STRATEGIC, containers({"$patch": "foo", "name": "x"})),
    Case("strategic: an unknown directive of a map", STRATEGIC, {"spec": {"$patch": "foo"}}),
    Case("strategic: a list that is to merge", STRATEGIC, containers({"$patch": "merge", "name": "a"})),
    Case(
        "strategic: metrics are replaced",
        STRATEGIC,
        {
            "spec": {
                "maxReplicas": 9,
                "metrics": [
                    {
                        "type": "Resource",
                        "resource": {"name": "memory", "target": {"type": "Utilization", "averageUtilization": 70}},
                    }
                ],
            }
        },
        "auto",
    ),
    Case("apply: the same again", APPLY, _BASE, manager="applier"),
    Case("apply: leaves a field out", APPLY, applied(template=_BASE["spec"]["template"]), manager="applier"),
    Case("apply: leaves a container out", APPLY, applied(minReadySeconds=7), manager="applier"),
    Case("apply: leaves all out", APPLY, HEADS["web"], manager="applier"),
    Case("apply: leaves out what another owns too", APPLY, HEADS["web"], manager="second"),
    Case("apply: a conflict", APPLY, applied(revisionHistoryLimit=9)),
    Case("apply: several conflicts of one manager", APPLY, applied(replicas=3, paused=False)),
    Case("apply: conflicts of several managers", APPLY, applied(minReadySeconds=9, revisionHistoryLimit=9, replicas=3)),
    Case(
        "apply: a conflict in a container",
        APPLY,
        applied(template={"spec": {"containers": [{"name": "a", "image": "z"}]}}),
    ),
    Case("apply: forced", APPLY, applied(minReadySeconds=9, revisionHistoryLimit=9), force=True),
    Case("apply: owned together", APPLY, applied(minReadySeconds=7, revisionHistoryLimit=3)),
    Case(
        "apply: new items keep the configuration's order",
        APPLY,
        applied(
            template={
                "spec": {"containers": [{"name": "n", "image": "n:1"}, {"name": "a"}, {"name": "m", "image": "m:1"}]}
            }
        ),
    ),
    Case(
        "apply: a port without its protocol",
        APPLY,
        applied(
            template={
                "spec": {
                    "containers": [
                        {"name": "a", "ports": [{"containerPort": 80, "name": "http"}, {"containerPort": 81}]}
                    ]
                }
            }
        ),
    ),
    Case("apply: finalizers are a set", APPLY, applied(meta={"finalizers": ["x.io/b", "x.io/c"]})),
    Case(
        "apply: atomic lists and maps",
        APPLY,
        applied(template={"spec": {"tolerations": [], "nodeSelector": {"z": "y"}}}),
        force=True,
    ),
    Case(
        "apply: nulls",
        APPLY,
        applied(minReadySeconds=None, template={"spec": {"nodeSelector": None, "volumes": None, "tolerations": None}}),
        force=True,
    ),
    Case(
        "apply: empty lists and maps",
        APPLY,
        applied(template={"spec": {"volumes": [], "affinity": {}}}, meta={"annotations": {}}),
    ),
    Case("apply: a status is not owned", APPLY, {**applied(paused=True), "status": {"replicas": 4}}),
    Case("apply: an unknown field", APPLY, applied(foo=1)),
    Case("apply: unknown fields in two places", APPLY, {**applied(bar=1), "zip": 1}),
    Case("apply: a text for a number", APPLY, applied(replicas="x")),
    Case("apply: a number for a text", APPLY, applied(template={"spec": {"nodeName": 3}})),
    Case("apply: a map for a text", APPLY, applied(template={"spec": {"nodeName": {"a": 1}}})),
    Case("apply: a text for a boolean", APPLY, applied(paused="yes")),
    Case("apply: a number for a map", APPLY, applied(template=3)),
    Case("apply: a map for a list", APPLY, applied(template={"spec": {"containers": {"a": 1}}})),
    Case("apply: a number for an item", APPLY, applied(template={"spec": {"containers": [1]}})),
    Case(
        "apply: a map for a quantity",
        APPLY,
        applied(template={"spec": {"containers": [{"name": "a", "resources": {"limits": {"cpu": {"a": 1}}}}]}}),
    ),
    Case("apply: an item twice", APPLY, applied(template={"spec": {"containers": [{"name": "a"}, {"name": "a"}]}})),
    Case("apply: a finalizer twice", APPLY, applied(meta={"finalizers": ["x.io/a", "x.io/a"]})),
    Case("apply: managed fields", APPLY, applied(meta={"managedFields": []})),
    Case("apply: another kind", APPLY, {**HEADS["web"], "kind": "StatefulSet"}),
    Case("apply: an autoscaler's behavior goes", APPLY, applied("auto", minReplicas=2), "auto", "applier"),
    Case("apply: an autoscaler's conflict", APPLY, applied("auto", maxReplicas=9), "auto"),
    Case(
        "apply: an autoscaler's metrics are one whole",
        APPLY,
        applied(
            "auto",
            metrics=[
                {
                    "type": "Resource",
                    "resource": {"name": "memory", "target": {"type": "Utilization", "averageUtilization": 70}},
                }
            ],
        ),
        "auto",
        force=True,
    ),
)
