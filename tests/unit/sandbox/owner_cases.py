"""Objects of each kind that are created, and a history of writes to one, of which the owners are recorded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.unit.sandbox.patch_cases import APPLY, MERGE

Json = dict[str, Any]

_LABELS = {"matchLabels": {"app": "x"}}
_CONTAINER = {"name": "a", "image": "a:1", "resources": {"requests": {"cpu": "1"}}}
_TEMPLATE = {"metadata": {"labels": {"app": "x"}}, "spec": {"containers": [_CONTAINER]}}
_CLAIM = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
_TERMS = {"nodeSelectorTerms": [{"matchExpressions": [{"key": "a", "operator": "Exists"}]}]}
_POD = {
    "automountServiceAccountToken": False,
    "containers": [{**_CONTAINER, "env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]}],
    "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": _TERMS}},
    "tolerations": [{"operator": "Exists"}],
}
_RBAC = "rbac.authorization.k8s.io"
_ROLE = {"apiGroup": _RBAC, "name": "x"}
_EVENT: Json = {"involvedObject": {"kind": "Pod", "name": "x", "namespace": "{}"}, "reason": "R", "type": "Normal"}
_TIMES: Json = {"firstTimestamp": "2026-01-01T00:00:00Z", "lastTimestamp": "2026-01-01T00:00:00Z"}
_TARGET = {"kind": "Deployment", "name": "x", "apiVersion": "apps/v1"}
_TAINTS = [{"key": "a", "effect": "NoSchedule"}]


def _object(version: str, kind: str, *, namespaced: bool = True, **body: Any) -> tuple[str, Json]:
    """The path, for a namespace to be filled in, and the body."""
    root = "api" if "/" not in version else "apis"
    place = "/namespaces/{}" if namespaced else ""
    return f"/{root}/{version}{place}/{kind.lower()}s", {"apiVersion": version, "kind": kind, **body}


CREATED = (
    _object("v1", "Pod", spec=_POD),
    _object("v1", "ReplicationController", spec={"selector": {"app": "x"}, "template": _TEMPLATE}),
    _object("v1", "ConfigMap", data={"a": "b"}),
    _object("v1", "ServiceAccount", secrets=[{"name": "q"}]),
    _object("v1", "ResourceQuota", spec={"hard": {"pods": "1"}}),
    _object("v1", "LimitRange", spec={"limits": [{"type": "Container", "default": {"cpu": "1"}}]}),
    _object("v1", "Event", **_EVENT, **_TIMES, count=1, source={"component": "c"}, reportingComponent="c"),
    _object("v1", "Node", namespaced=False, spec={"taints": _TAINTS, "podCIDR": "10.244.0.0/24"}),
    _object("apps/v1", "Deployment", spec={"selector": _LABELS, "template": _TEMPLATE}),
    _object("apps/v1", "ReplicaSet", spec={"selector": _LABELS, "template": _TEMPLATE}),
    _object("apps/v1", "DaemonSet", spec={"selector": _LABELS, "template": _TEMPLATE}),
    _object(
        *("apps/v1", "StatefulSet"),
        spec={
            **{"serviceName": "s", "selector": _LABELS, "template": _TEMPLATE},
            "volumeClaimTemplates": [{"metadata": {"name": "d"}, "spec": _CLAIM}],
        },
    ),
    _object(
        *("autoscaling/v2", "HorizontalPodAutoscaler"),
        spec={"scaleTargetRef": _TARGET, "maxReplicas": 3, "behavior": {"scaleDown": {"selectPolicy": "Max"}}},
    ),
    _object(
        *("batch/v1", "CronJob"),
        spec={
            "schedule": "* * * * *",
            "jobTemplate": {"spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [_CONTAINER]}}}},
        },
    ),
    _object("policy/v1", "PodDisruptionBudget", spec={"minAvailable": 1, "selector": _LABELS}),
    _object(f"{_RBAC}/v1", "Role", rules=[{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]),
    _object(f"{_RBAC}/v1", "RoleBinding", roleRef={**_ROLE, "kind": "Role"}, subjects=[]),
    _object(f"{_RBAC}/v1", "ClusterRoleBinding", namespaced=False, roleRef={**_ROLE, "kind": "ClusterRole"}),
)
METADATA = {
    "annotations": {"a": "b"},
    "finalizers": ["x.io/a"],
    "ownerReferences": [{"apiVersion": "v1", "kind": "Q", "name": "q", "uid": "u-1"}],
}


@dataclass(frozen=True)
class Step:
    """One write to the deployment."""

    name: str
    body: Json
    manager: str
    subresource: str = ""
    type: str = MERGE
    force: bool = False


def _replicas(count: int, manager: str, name: str = "") -> Step:
    return Step(name or f"{manager} scales to {count}", {"spec": {"replicas": count}}, manager, "scale")


def _scale_apply(count: int, manager: str, *, force: bool = False) -> Step:
    body = {"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "web"}, "spec": {"replicas": count}}
    how = "forces" if force else "applies"
    return Step(f"{manager} {how} a scale of {count}", body, manager, "scale", APPLY, force)


def _apply(name: str, manager: str, *, force: bool = False, **spec: Any) -> Step:
    head = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}}
    return Step(name, {**head, "spec": spec}, manager, type=APPLY, force=force)


LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_NOTED = '{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web"},"spec":{"minReadySeconds":3}}\n'
_CONDITIONS = {"conditions": [{"type": "X", "status": "True"}], "replicas": 4}
HISTORY = (
    Step("status", {"status": _CONDITIONS, "metadata": {"annotations": {"s": "t"}, "labels": {"l": "m"}},
                    "spec": {"replicas": 7}}, "kubelet", "status"),
    *(_replicas(3, "first"), _replicas(3, "second", "the same value by another"), _replicas(4, "second")),
    *(_replicas(5, "creator"), _replicas(0, "first"), _replicas(2, "first", "from 0, of which nobody owns the field")),
    Step("an update owns it again", {"spec": {"replicas": 1}}, "first"),
    *(_replicas(2, "first", "the owner by update scales"), _replicas(3, "first", "and once more")),
    *(_scale_apply(4, "applier"), _scale_apply(4, "applier", force=True), _scale_apply(5, "applier")),
    *(_scale_apply(6, "other"), _scale_apply(5, "other"), _scale_apply(0, "applier", force=True)),
    _scale_apply(3, "third"),
    _apply("a conflict with whom scaled", "gitops", replicas=9),
    _apply("forced", "gitops", force=True, replicas=1, paused=True),
    Step("client-side apply", {"spec": {"minReadySeconds": 3}, "metadata": {"annotations": {LAST_APPLIED: _NOTED}}},
         "kubectl-client-side-apply"),
    _apply("another may not take what client-side apply wrote", "gitops", minReadySeconds=4, paused=True),
    _apply("kubectl may", "kubectl", minReadySeconds=4),
    Step("all forgotten", {"metadata": {"managedFields": [{}]}}, "first"),
    Step("then an update owns nothing", {"spec": {"minReadySeconds": 5}}, "first"),
    _apply("then the first apply sees an earlier owner", "gitops", minReadySeconds=6),
    _apply("and takes what it forces", "gitops", force=True, minReadySeconds=6),
    *(Step(f"updater {n}", {"metadata": {"annotations": {f"k{n}": "x"}}}, f"updater-{n:02d}") for n in range(12)),
)  # fmt: skip
