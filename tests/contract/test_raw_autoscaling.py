"""Raw exchanges about scaling: the scale subresource, and HPAs of both versions, valid and not."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest

from tests.cluster import manifests
from tests.contract.exchanges import (
    APPLY,
    JSON_PATCH,
    METADATA,
    STRATEGIC,
    TABLE,
    Send,
    case,
    delete,
    get,
    patch,
    post,
    put,
)
from tests.contract.written import APPS, HPAS, deployment, there

if TYPE_CHECKING:
    from tests.contract.exchanges import Case
    from tests.contract.sides import Stage

pytestmark = pytest.mark.cluster

Json = dict[str, Any]

WEB = f"{APPS}/web"
SCALE = f"{WEB}/scale"
HPA = manifests.hpa("ghost", least=2, most=5, cpu_percent=50)
V1 = HPAS.replace("v2", "v1")
SCALED = '{"metadata":{"name":"web","namespace":"{ns}"},"spec":{"replicas":3}}'


def hpa(**changes: Any) -> Json:
    """The HPA of a deployment that is not there, with fields of its spec changed; None takes one away."""
    changed = copy.deepcopy(HPA)
    spec = {**changed["spec"], **changes}
    return {**changed, "spec": {key: value for key, value in spec.items() if value is not None}}


def ghost(query: str = "") -> tuple[Send, Send]:
    """Makes the HPA, and waits until its controller has said that there is nothing to scale."""
    return post(f"{HPAS}{query}", HPA), get(f"{HPAS}/ghost", until="FailedGetScale")


def refused(name: str, **changes: Any) -> Case:
    return case(f"HPA {name}", post(f"{HPAS}?dryRun=All", hpa(**changes)))


def metric(kind: str, **source: Any) -> list[Json]:
    return [{"type": kind, kind[0].lower() + kind[1:]: source}]


def cpu(**target: Any) -> list[Json]:
    return metric("Resource", name="cpu", target=target)


HALF = {"type": "Utilization", "averageUtilization": 50}
AVERAGE = {"type": "AverageValue", "averageValue": "10"}
POLICY = {"type": "Pods", "value": 4, "periodSeconds": 15}

SCALES = [
    case("scale: get", *there(2), get(SCALE)),
    case("scale: get as a Table", *there(2), get(SCALE, TABLE)),
    case("scale: get as metadata", *there(2), get(SCALE, METADATA)),
    case("scale: get of 0", *there(), get(SCALE)),
    case("scale: put", *there(2), put(SCALE, SCALED), get(SCALE)),
    case(
        "scale: put with the version",
        *there(2),
        get(SCALE),
        put(
            f"{SCALE}?dryRun=All",
            '{"metadata":{"name":"web","namespace":"{ns}","resourceVersion":"{version}"},"spec":{"replicas":3}}',
        ),
    ),
    case(
        "scale: put of an old version",
        *there(2),
        put(SCALE, {"metadata": {"name": "web", "resourceVersion": "1"}, "spec": {"replicas": 3}}),
    ),
    case(
        "scale: put of another kind",
        *there(2),
        put(SCALE, {"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "web"}}),
    ),
    case(
        "scale: put of another name",
        *there(2),
        put(SCALE, {"metadata": {"name": "other"}, "spec": {"replicas": 3}}),
    ),
    case(
        "scale: put below 0",
        *there(2),
        put(SCALE, {"metadata": {"name": "web"}, "spec": {"replicas": -1}}),
    ),
    case(
        "scale: put of nothing",
        *there(2),
        put(f"{SCALE}?dryRun=All", {"metadata": {"name": "web"}}),
    ),
    case(
        "scale: merge",
        *there(2),
        patch(f"{SCALE}?fieldManager=me", {"spec": {"replicas": 4}}),
        get(SCALE),
    ),
    case(
        "scale: merge in a dry run",
        *there(2),
        patch(f"{SCALE}?dryRun=All", {"spec": {"replicas": 4}}),
        get(SCALE),
    ),
    case("scale: merge below 0", *there(2), patch(SCALE, {"spec": {"replicas": -4}})),
    case("scale: merge in words", *there(2), patch(SCALE, {"spec": {"replicas": "x"}})),
    case(
        "scale: merge of an old version",
        *there(2),
        patch(SCALE, {"metadata": {"resourceVersion": "1"}, "spec": {"replicas": 4}}),
    ),
    case(
        "scale: strategic",
        *there(2),
        patch(f"{SCALE}?dryRun=All", {"spec": {"replicas": 4}}, STRATEGIC),
    ),
    case(
        "scale: JSON patch",
        *there(2),
        patch(
            f"{SCALE}?dryRun=All",
            [
                {"op": "test", "path": "/spec/replicas", "value": 2},
                {"op": "replace", "path": "/spec/replicas", "value": 4},
            ],
            JSON_PATCH,
        ),
    ),
    case(
        "scale: JSON patch whose test fails",
        *there(2),
        patch(SCALE, [{"op": "test", "path": "/spec/replicas", "value": 9}], JSON_PATCH),
    ),
    case(
        "scale: apply",
        *there(2),
        patch(
            f"{SCALE}?fieldManager=me&force=true",
            {"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "web"}, "spec": {"replicas": 4}},
            APPLY,
        ),
    ),
    case(
        "scale: apply with a conflict",
        post(f"{APPS}?fieldManager=you", deployment("web", 2)),
        patch(
            f"{SCALE}?fieldManager=me",
            {"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "web"}, "spec": {"replicas": 4}},
            APPLY,
        ),
    ),
    case(
        "scale: of one that is not there",
        get(f"{APPS}/nosuch/scale"),
        patch(f"{APPS}/nosuch/scale", {"spec": {"replicas": 1}}),
    ),
    case("scale: of a kind without", get("/apis/apps/v1/namespaces/{ns}/daemonsets/x/scale")),
    case("scale: delete", *there(2), delete(SCALE)),
    case("scale: post", *there(2), post(SCALE, {"spec": {"replicas": 2}})),
    case("an unknown subresource", *there(2), get(f"{WEB}/nosuch")),
    case("status: get", get("/api/v1/namespaces/{ns}/status")),
    case(
        "status: merge",
        *there(2),
        patch(f"{WEB}/status?dryRun=All&fieldManager=me", {"spec": {"replicas": 9}}),
    ),
]

VALID = [
    case("HPA create", post(f"{HPAS}?fieldManager=kubectl-autoscale", HPA)),
    case(
        "HPA create as v1",
        post(
            f"{V1}?dryRun=All",
            {
                "metadata": {"name": "ghost"},
                "spec": {
                    "scaleTargetRef": HPA["spec"]["scaleTargetRef"],
                    "maxReplicas": 3,
                    "targetCPUUtilizationPercentage": 70,
                },
            },
        ),
        differs="managed-fields-of-an-hpa-written-as-v1",
    ),
    refused(
        "on memory", metrics=metric("Resource", name="memory", target={"type": "AverageValue", "averageValue": "1Gi"})
    ),
    refused("without metrics", metrics=None),
    refused("without a minimum", minReplicas=None),
    refused("on pods' metric", metrics=metric("Pods", metric={"name": "rps"}, target=AVERAGE)),
    refused("on a container", metrics=metric("ContainerResource", name="cpu", container="model", target=HALF)),
    refused(
        "on an external metric",
        metrics=metric(
            "External",
            metric={"name": "q", "selector": {"matchLabels": {"a": "b"}}},
            target={"type": "Value", "value": "30"},
        ),
    ),
    refused(
        "on an object",
        metrics=metric(
            "Object",
            describedObject={"kind": "Service", "name": "web", "apiVersion": "v1"},
            metric={"name": "rps"},
            target={"type": "Value", "value": "2k"},
        ),
    ),
    refused("with behaviour", behavior={"scaleDown": {"stabilizationWindowSeconds": 60, "policies": [POLICY]}}),
    refused("with tolerance", behavior={"scaleUp": {"tolerance": "0.05"}}),
    refused(
        "with min 0 and an external metric",
        minReplicas=0,
        metrics=metric("External", metric={"name": "q"}, target=AVERAGE),
    ),
    case("HPA update in a dry run", *ghost(), put(f"{HPAS}/ghost?dryRun=All&fieldManager=me", hpa(maxReplicas=9))),
    case(
        "HPA merge in a dry run",
        *ghost(),
        patch(f"{HPAS}/ghost?dryRun=All&fieldManager=me", {"spec": {"maxReplicas": 9}}),
    ),
    case(
        "HPA strategic in a dry run",
        *ghost(),
        patch(f"{HPAS}/ghost?dryRun=All", {"spec": {"metrics": cpu(type="AverageValue", averageValue="1")}}, STRATEGIC),
    ),
    case("HPA apply", patch(f"{HPAS}/ghost?fieldManager=me", HPA, APPLY)),
    case(
        "HPA apply with a conflict",
        *ghost("?fieldManager=kubectl-autoscale"),
        patch(f"{HPAS}/ghost?fieldManager=me", hpa(maxReplicas=9, minReplicas=3), APPLY),
    ),
    case(
        "HPA apply, forced, in a dry run",
        *ghost("?fieldManager=kubectl-autoscale"),
        patch(f"{HPAS}/ghost?fieldManager=me&force=true&dryRun=All", hpa(maxReplicas=9), APPLY),
    ),
    case("HPA delete", *ghost(), delete(f"{HPAS}/ghost")),
    case("HPA twice", post(HPAS, HPA), post(HPAS, HPA)),
    case("HPA patched to what cannot be", *ghost(), patch(f"{HPAS}/ghost", {"spec": {"maxReplicas": 1}})),
    case("HPAs of a Table that is empty", get(HPAS, TABLE)),
    case("HPAs as v1", get(V1)),
    case("HPA status below its spec", *ghost(), Send("GET", f"{HPAS}/ghost/scale")),
]

INVALID = [
    refused("with max 0", maxReplicas=0),
    refused("with max below min", maxReplicas=1),
    refused("without max", maxReplicas=None),
    refused("with a negative min", minReplicas=-1),
    refused("with min 0", minReplicas=0),
    refused("without a target", scaleTargetRef=None),
    refused("of a target without a kind", scaleTargetRef={"name": "x"}),
    refused("of a target without a name", scaleTargetRef={"kind": "Deployment", "apiVersion": "apps/v1"}),
    refused("of a kind that cannot be", scaleTargetRef={"kind": "A/B", "name": "x"}),
    refused("of a version that cannot be", scaleTargetRef={"kind": "A", "name": "x", "apiVersion": "a/b/c"}),
    refused("with 0 %", metrics=cpu(type="Utilization", averageUtilization=0)),
    refused("with a use without a number", metrics=cpu(type="Utilization")),
    refused("with both targets", metrics=cpu(type="Utilization", averageUtilization=50, averageValue="1")),
    refused("with a Value of a resource", metrics=cpu(type="Value", value="1")),
    refused("with a negative average", metrics=cpu(type="AverageValue", averageValue="-1")),
    refused("with no type of target", metrics=cpu(averageUtilization=50)),
    refused("with an unknown type of target", metrics=cpu(type="Guess", averageUtilization=50)),
    refused("with an unknown type of metric", metrics=[{"type": "Guess"}]),
    refused("with a metric without a source", metrics=[{"type": "Resource"}]),
    refused(
        "with two sources",
        metrics=[
            {
                "type": "Resource",
                "resource": {"name": "cpu", "target": HALF},
                "pods": {"metric": {"name": "x"}, "target": AVERAGE},
            }
        ],
    ),
    refused("with a resource without a name", metrics=metric("Resource", name="", target=HALF)),
    refused(
        "with a container without a name", metrics=metric("ContainerResource", name="cpu", container="", target=HALF)
    ),
    refused("with a metric without a name", metrics=metric("Pods", metric={"name": ""}, target=AVERAGE)),
    refused(
        "with a metric of a name that cannot be", metrics=metric("External", metric={"name": "a/b"}, target=AVERAGE)
    ),
    refused("with a quantity that is none", metrics=cpu(type="AverageValue", averageValue="much")),
    refused("with a use in words", metrics=cpu(type="Utilization", averageUtilization="half")),
    refused("with a window too long", behavior={"scaleDown": {"stabilizationWindowSeconds": 3601}}),
    refused("with a negative window", behavior={"scaleDown": {"stabilizationWindowSeconds": -1}}),
    refused("with an unknown selection", behavior={"scaleUp": {"selectPolicy": "Any"}}),
    refused("without policies", behavior={"scaleUp": {"policies": []}}),
    refused("with a policy of 0", behavior={"scaleUp": {"policies": [{**POLICY, "value": 0}]}}),
    refused("with a policy of 0 s", behavior={"scaleUp": {"policies": [{**POLICY, "periodSeconds": 0}]}}),
    refused("with a policy of an hour", behavior={"scaleUp": {"policies": [{**POLICY, "periodSeconds": 3600}]}}),
    refused("with an unknown policy", behavior={"scaleUp": {"policies": [{**POLICY, "type": "Guess"}]}}),
    refused("with a negative tolerance", behavior={"scaleUp": {"tolerance": "-1"}}),
    refused(
        "with everything wrong", maxReplicas=0, minReplicas=-2, metrics=cpu(type="Utilization", averageUtilization=-3)
    ),
    case("HPA with an unknown field", post(f"{HPAS}?dryRun=All&fieldValidation=Strict", hpa(nosuch=1))),
    case("HPA with an unknown field, warned of", post(f"{HPAS}?dryRun=All&fieldValidation=Warn", hpa(nosuch=1))),
    case("HPA with a name that cannot be", post(HPAS, {**HPA, "metadata": {"name": "Bad_Name"}})),
    case("HPA of another version", post(HPAS, {**hpa(metrics=None), "apiVersion": "autoscaling/v1"})),
]

CASES = [*SCALES, *VALID, *INVALID]


@pytest.mark.parametrize("one", CASES, ids=lambda one: one.name)
def test_scaling(stage: Stage, one: Case) -> None:
    stage.check(one)
