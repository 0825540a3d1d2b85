"""Quotas, limit ranges, services and the rest; and what a bounded namespace admits."""

from __future__ import annotations

from typing import Any

from mlscale.kube.kinds import (
    DEPLOYMENT,
    EVENT,
    LIMITRANGE,
    NAMESPACE,
    NODE,
    POD,
    RESOURCEQUOTA,
    SERVICE,
)
from mlscale.sandbox.resources import CLUSTERROLE, CONFIGMAP, PDB, ROLE, ROLEBINDING, SERVICEACCOUNT
from tests.unit.sandbox.rule_base import BOUNDED, LIMITED, REMOVED, Case, Cases, metadata, workload

Json = dict[str, Any]


def quota_cases() -> list[Case]:
    cases = Cases(RESOURCEQUOTA, {"metadata": metadata("q"), "spec": {"hard": {"pods": "5"}}})
    cases.new(
        "plain", spec__hard={"requests.cpu": "1000m", "count/deployments.apps": "2", "requests.nvidia.com/gpu": 1}
    )
    for name in ("foo", "a b", "services.foo", "x.com/g"):
        cases.new(f"name {name}", spec__hard={name: "1"})
    for name, amount in {"cpu": "-1", "pods": "1500m", "requests.x.com/g": "1500m"}.items():
        cases.new(f"amount {amount} of {name}", spec__hard={name: amount})
    cases.new("scope unknown", spec__scopes=["Foo", "BestEffort"])
    cases.new("scope of other resource", spec__hard={"configmaps": "1", "cpu": "1"}, spec__scopes=["BestEffort"])
    cases.new("scopes conflict", spec__scopes=["Terminating", "NotTerminating"])
    cases.new(
        "scope by operator", spec__scopeSelector={"matchExpressions": [{"scopeName": "Terminating", "operator": "In"}]}
    )
    cases.update("scopes", spec__scopes=["Terminating"])
    ranges = Cases(LIMITRANGE, {"metadata": metadata("l"), "spec": {"limits": []}})
    item = {"type": "Container", "max": {"cpu": "2"}, "min": {"memory": "1Mi"}}
    ranges.new("plain", spec__limits=[item])
    ranges.new("type unknown", spec__limits=[{"type": "Foo"}, {"type": "Foo"}])
    ranges.new("pod defaults", spec__limits=[{"type": "Pod", "default": {"cpu": "1"}}])
    ranges.new("names unknown", spec__limits=[{"type": "Container", "max": {"foo": "1"}}])
    ranges.new("claim unbounded", spec__limits=[{"type": "PersistentVolumeClaim"}])
    for name, bounds in {
        "minimum over maximum": {"min": {"cpu": "3"}, "max": {"cpu": "2"}},
        "default over maximum": {"default": {"cpu": "3"}, "max": {"cpu": "2"}},
        "request over default": {"defaultRequest": {"cpu": "3"}, "default": {"cpu": "2"}},
        "request under minimum": {"defaultRequest": {"cpu": "1"}, "min": {"cpu": "2"}},
        "ratio below 1": {"maxLimitRequestRatio": {"cpu": "500m"}},
        "ratio too large": {"maxLimitRequestRatio": {"cpu": "5"}, "min": {"cpu": "1"}, "max": {"cpu": "2"}},
        "device overcommitted": {"defaultRequest": {"x.com/g": "1"}, "default": {"x.com/g": "2"}},
    }.items():
        ranges.new(name, spec__limits=[{"type": "Container", **bounds}])
    return cases.found + ranges.found


def other_cases() -> list[Case]:
    services = Cases(SERVICE, {"metadata": metadata("s"), "spec": {"ports": [{"port": 80}]}})
    services.new("plain")
    services.new("of nothing", spec={})
    services.new("name malformed", metadata__name="S.a")
    services.new(
        "ports wrong",
        spec__ports=[{"port": 0}, {"port": 80, "name": "a"}, {"port": 80, "name": "a", "targetPort": "B"}],
    )
    services.new("type unknown", spec__type="Foo")
    services.new("headless", spec__clusterIP="None", spec__ports=REMOVED)
    services.new("of another name", spec={"type": "ExternalName", "externalName": "a.example"})
    services.new("of no other name", spec={"type": "ExternalName"})
    services.new("affinity", spec__sessionAffinity="ClientIP")
    services.new("affinity unknown", spec__sessionAffinity="Foo")
    namespaces = Cases(NAMESPACE, {"metadata": metadata("mlscale-rule-case")})
    namespaces.new("name malformed", metadata__name="A.b")
    namespaces.new("name with dots", metadata__name="a.b")
    namespaces.new("name too long", metadata__name="a" * 64)
    nodes = Cases(NODE, {"metadata": metadata("mlscale-rule-node")})
    nodes.new("taints", spec__taints=[{"key": "a b", "value": "c d"}, {"key": "e", "effect": "Foo"}])
    nodes.new("amount below 0", status__capacity={"cpu": "-1"})
    nodes.new("amount cut", status__capacity={"pods": "1500m"})
    events = Cases(
        EVENT, {"metadata": metadata("e"), "involvedObject": {"kind": "Pod", "name": "p", "namespace": "elsewhere"}}
    )
    events.new("of another namespace")
    maps = Cases(CONFIGMAP, {"metadata": metadata("c"), "data": {"a": "b"}})
    maps.new("plain")
    for key in ("a b", "..", "..a", "a" * 254):
        maps.new(f"key {key[:3]} malformed", data={key: "x"})
    accounts = Cases(SERVICEACCOUNT, {"metadata": metadata("A")})
    accounts.new("name malformed")
    budgets = Cases(PDB, {"metadata": metadata("b"), "spec": {"minAvailable": 1}})
    budgets.new("plain")
    budgets.new("both", spec__maxUnavailable="150%")
    return [
        case for cases in (services, namespaces, nodes, events, maps, accounts, budgets) for case in cases.found
    ] + _access_cases()


def _access_cases() -> list[Case]:
    roles = Cases(
        ROLE, {"metadata": metadata("r"), "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]}
    )
    roles.new("plain")
    roles.new("rule empty", rules=[{}])
    roles.new("rule of URLs", rules=[{"nonResourceURLs": ["/a"], "resources": ["pods"], "verbs": ["get"]}])
    cluster_roles = Cases(
        CLUSTERROLE, {"metadata": metadata("a/b"), "rules": [{"nonResourceURLs": ["/a"], "verbs": ["get"]}]}
    )
    cluster_roles.new("name malformed")
    reference = {"kind": "Role", "name": "r"}
    bindings = Cases(
        ROLEBINDING, {"metadata": metadata("b"), "roleRef": reference, "subjects": [{"kind": "User", "name": "u"}]}
    )
    bindings.new("plain")
    bindings.new("role unknown", roleRef={"kind": "Foo", "name": ""})
    bindings.new(
        "subjects wrong",
        subjects=[
            {"kind": "Foo"},
            {"kind": "ServiceAccount", "name": "A", "apiGroup": "x"},
            {"kind": "Group", "name": "g", "apiGroup": "x"},
        ],
    )
    return roles.found + cluster_roles.found + bindings.found


def limited_cases() -> list[Case]:
    """Pods in a namespace with LimitRanges, and in one with ResourceQuotas."""
    spec = {"containers": [{"name": "c", "image": "i:1"}, {"name": "d", "image": "i:1"}]}
    limited = Cases(POD, {"metadata": metadata("limited"), "spec": spec}, LIMITED)
    bounded = Cases(POD, {"metadata": metadata("bounded"), "spec": {"containers": spec["containers"][:1]}}, BOUNDED)
    limited.new("completed by a LimitRange")
    for name, amounts in {
        "over": {"limits": {"cpu": "3"}},
        "under": {"requests": {"memory": "1Mi"}},
        "of wide ratio": {"limits": {"cpu": "1"}, "requests": {"cpu": "100m"}},
        "large as a whole": {"limits": {"memory": "900Mi"}},
    }.items():
        limited.new(f"{name} for a LimitRange", spec__containers__0__resources=amounts)
    limited.new(
        "invalid before the LimitRange",
        spec__containers__0__resources={"limits": {"cpu": "3"}, "requests": {"cpu": "4"}},
    )
    bounded.new("without the requests that a quota wants")
    fitting = {"requests": {"cpu": "500m", "memory": "100Mi"}, "limits": {"cpu": "500m", "memory": "100Mi"}}
    bounded.new("within a quota", spec__containers__0__resources=fitting)
    bounded.new(
        "over a quota",
        spec__containers__0__resources={
            "requests": {"cpu": "1500m", "memory": "2Gi"},
            "limits": {"cpu": "3", "memory": "2Gi"},
        },
    )
    bounded.new(
        "invalid before the quota", spec__containers__0__resources={"requests": {"cpu": "5"}, "limits": {"cpu": "4"}}
    )
    maps = Cases(CONFIGMAP, {"metadata": metadata("another")}, BOUNDED)
    maps.new("over a quota")
    deployments = Cases(DEPLOYMENT, workload("another"), BOUNDED)
    deployments.new("over a quota")
    services = Cases(
        SERVICE, {"metadata": metadata("another"), "spec": {"ports": [{"port": 1}], "type": "NodePort"}}, BOUNDED
    )
    services.new("over a quota")
    return limited.found + bounded.found + maps.found + deployments.found + services.found


LIMIT_RANGES: list[Json] = [
    {
        "apiVersion": "v1",
        "kind": "LimitRange",
        "metadata": {"name": "bounds"},
        "spec": {
            "limits": [
                {
                    "type": "Container",
                    "max": {"cpu": "2"},
                    "min": {"memory": "4Mi"},
                    "default": {"cpu": "500m", "memory": "64Mi"},
                    "defaultRequest": {"cpu": "250m"},
                    "maxLimitRequestRatio": {"cpu": "4"},
                },
                {"type": "Pod", "max": {"memory": "900Mi"}},
            ]
        },
    }
]
QUOTAS: list[Json] = [
    {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "compute"},
        "spec": {"hard": {"requests.cpu": "1", "limits.memory": "1Gi", "pods": "3"}},
    },
    {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "objects"},
        "spec": {"hard": {"configmaps": "1", "count/deployments.apps": "0", "services.nodeports": "0"}},
    },
]
