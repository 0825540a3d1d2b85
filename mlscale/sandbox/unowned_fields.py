"""What no write owns: fields that a strategy resets, the server's own metadata, and the state before a creation.

Sources: GetResetFields of the strategies in pkg/registry, stripmeta.go and the Go types of the API (v1.37.2).
"""

from __future__ import annotations

from typing import Any

from mlscale.sandbox.field_sets import MEMBER, Fields, at, union

Json = dict[str, Any]

_METADATA = ("name", "namespace", "creationTimestamp", "selfLink", "uid", "clusterName", "generation")
SERVER_FIELDS: Fields = {
    "f:apiVersion": MEMBER,
    "f:kind": MEMBER,
    "f:metadata": {
        ".": MEMBER,
        **{f"f:{name}": MEMBER for name in (*_METADATA, "managedFields", "resourceVersion")},
    },
}
"""Never owned; ``f:metadata`` only as a node, its labels and the like are."""

_SPEC, _STATUS = at("f:spec"), at("f:status")
_WITH_STATUS = frozenset(
    [
        "CronJob",
        "DaemonSet",
        "Deployment",
        "HorizontalPodAutoscaler",
        "Job",
        "Namespace",
        "Node",
        "Pod",
        "PodDisruptionBudget",
        "ReplicaSet",
        "ReplicationController",
        "ResourceQuota",
        "Service",
        "StatefulSet",
    ]
)
_MORE_RESET_BY_STATUS = {
    "Deployment": at("f:metadata", "f:labels"),
    "Pod": {"f:metadata": {"f:deletionTimestamp": MEMBER, "f:ownerReferences": MEMBER}},
}

_POD_TEMPLATE: Json = {"metadata": {}, "spec": {"containers": None}}
_WORKLOAD: Json = {"selector": None, "template": _POD_TEMPLATE}
_REFERENCE: Json = {"kind": "", "name": ""}
_BLANK_SPECS: dict[str, Json] = {
    "CronJob": {"schedule": "", "jobTemplate": {"metadata": {}, "spec": {"template": _POD_TEMPLATE}}},
    "DaemonSet": {**_WORKLOAD, "updateStrategy": {}},
    "Deployment": {**_WORKLOAD, "strategy": {}},
    "HorizontalPodAutoscaler": {"scaleTargetRef": _REFERENCE, "maxReplicas": 0},
    "Job": {"template": _POD_TEMPLATE},
    "LimitRange": {"limits": None},
    "Namespace": {},
    "Node": {},
    "Pod": {"containers": None},
    "PodDisruptionBudget": {},
    "ReplicaSet": _WORKLOAD,
    "ReplicationController": {},
    "ResourceQuota": {},
    "Scale": {},
    "Service": {},
    "StatefulSet": {**_WORKLOAD, "serviceName": "", "updateStrategy": {}},
}
_ROLE_REF: Json = {"apiGroup": "", "kind": "", "name": ""}
_BLANK_ROOTS: dict[str, Json] = {
    "ClusterRole": {"rules": None},
    "ClusterRoleBinding": {"roleRef": _ROLE_REF},
    "Event": {
        **{"involvedObject": {}, "source": {}, "firstTimestamp": None, "lastTimestamp": None, "eventTime": None},
        **{"reportingComponent": "", "reportingInstance": ""},
    },
    "Role": {"rules": None},
    "RoleBinding": {"roleRef": _ROLE_REF},
}


def blank(obj: Json) -> Json:
    """The object that a creation is compared with: what Go's zero value of the kind serialises to."""
    kind = str(obj.get("kind"))
    root = {"apiVersion": obj.get("apiVersion"), "kind": kind, "metadata": {}, **_BLANK_ROOTS.get(kind, {})}
    return {**root, "spec": _BLANK_SPECS[kind]} if kind in _BLANK_SPECS else root


def reset_fields(kind: str, subresource: str) -> Fields:
    """What a write through ``subresource`` (empty for the object itself) cannot change."""
    if kind not in _WITH_STATUS:
        return {}
    if subresource != "status":
        return _STATUS
    return union(_SPEC, _MORE_RESET_BY_STATUS.get(kind, {}))
