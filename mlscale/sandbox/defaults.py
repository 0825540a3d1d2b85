"""What the server fills in of an object that leaves it open.

The rules are those of pkg/apis/{core,apps,batch,autoscaling,rbac}/*/defaults.go, v1.37.2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlscale.sandbox.canonical import FormError, canonical
from mlscale.sandbox.decoding import MismatchError, decode
from mlscale.sandbox.defaults_pods import default_pod, default_pod_spec, default_volume_claim, round_amounts
from mlscale.sandbox.schema import object_type
from mlscale.sandbox.statuses import bad_request

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlscale.kube.kinds import Kind

Json = dict[str, Any]

_RBAC = "rbac.authorization.k8s.io"
_AFFINITY_SECONDS = 10800
_RESTARTED_PER_INDEX = 2**31 - 1
_SCALE_UP = {
    "stabilizationWindowSeconds": 0,
    "selectPolicy": "Max",
    "policies": (("Pods", 4, 15), ("Percent", 100, 15)),
}
_SCALE_DOWN = {"selectPolicy": "Max", "policies": (("Percent", 100, 15),)}


def set_defaults(kind: Kind, obj: Json) -> Json:
    """``obj``, which stays as it is, decoded as a ``kind`` and completed.

    Raises:
        StatusError: 400, a value does not fit its type.
    """
    complete = _decoded(kind, {**obj, "apiVersion": kind.api_version, "kind": kind.kind})
    fill = _DEFAULTS.get(kind.resource)
    if fill is not None:
        fill(complete)
    return complete


def _decoded(kind: Kind, obj: Json) -> Json:
    try:
        typed: Json = canonical(object_type(kind.api_version, kind.kind), decode(obj).object)
    except (MismatchError, FormError) as error:
        why = f'{kind.kind} in version "{kind.version}" cannot be handled as a {kind.kind}: {error}'
        raise bad_request(why) from None
    return typed


def _deployment(obj: Json) -> None:
    spec = _template_of(obj)
    spec.setdefault("replicas", 1)
    strategy = spec.setdefault("strategy", {})
    strategy["type"] = strategy.get("type") or "RollingUpdate"
    if strategy["type"] == "RollingUpdate":
        update = strategy.setdefault("rollingUpdate", {})
        update.setdefault("maxUnavailable", "25%")
        update.setdefault("maxSurge", "25%")
    spec.setdefault("revisionHistoryLimit", 10)
    spec.setdefault("progressDeadlineSeconds", 600)


def _replica_set(obj: Json) -> None:
    _template_of(obj).setdefault("replicas", 1)


def _replication_controller(obj: Json) -> None:
    spec = _spec(obj)
    if "template" in spec:
        default_pod_spec(spec["template"].setdefault("spec", {}))
        labels = (spec["template"].setdefault("metadata", {})).get("labels")
        if labels:
            spec["selector"] = spec.get("selector") or dict(labels)
            metadata = obj.setdefault("metadata", {})
            metadata["labels"] = metadata.get("labels") or dict(labels)
    spec.setdefault("replicas", 1)


def _daemon_set(obj: Json) -> None:
    spec = _template_of(obj)
    strategy = spec.setdefault("updateStrategy", {})
    strategy["type"] = strategy.get("type") or "RollingUpdate"
    if strategy["type"] == "RollingUpdate":
        update = strategy.setdefault("rollingUpdate", {})
        update.setdefault("maxUnavailable", 1)
        update.setdefault("maxSurge", 0)
    spec.setdefault("revisionHistoryLimit", 10)


def _stateful_set(obj: Json) -> None:
    spec = _template_of(obj)
    spec["podManagementPolicy"] = spec.get("podManagementPolicy") or "OrderedReady"
    strategy = spec.setdefault("updateStrategy", {})
    if not strategy.get("type"):
        strategy["type"] = "RollingUpdate"
        strategy.setdefault("rollingUpdate", {})
    if strategy["type"] == "RollingUpdate" and "rollingUpdate" in strategy:
        strategy["rollingUpdate"].setdefault("partition", 0)
        strategy["rollingUpdate"].setdefault("maxUnavailable", 1)
    retention = spec.setdefault("persistentVolumeClaimRetentionPolicy", {})
    for key in ("whenDeleted", "whenScaled"):
        retention[key] = retention.get(key) or "Retain"
    for claim in spec.get("volumeClaimTemplates") or []:
        default_volume_claim(claim)
    spec.setdefault("serviceName", "")
    spec.setdefault("replicas", 1)
    spec.setdefault("revisionHistoryLimit", 10)


def _job(obj: Json) -> None:
    spec = _template_of(obj)
    if "completions" not in spec and "parallelism" not in spec:
        spec["completions"] = 1
    spec.setdefault("parallelism", 1)
    spec.setdefault("backoffLimit", _RESTARTED_PER_INDEX if "backoffLimitPerIndex" in spec else 6)
    labels, metadata = spec["template"]["metadata"].get("labels"), obj.setdefault("metadata", {})
    if labels and not metadata.get("labels"):
        metadata["labels"] = dict(labels)
    spec.setdefault("completionMode", "NonIndexed")
    spec.setdefault("suspend", False)
    spec.setdefault("podReplacementPolicy", "Failed" if "podFailurePolicy" in spec else "TerminatingOrFailed")
    spec.setdefault("manualSelector", False)


def _cron_job(obj: Json) -> None:
    spec = _spec(obj)
    spec["concurrencyPolicy"] = spec.get("concurrencyPolicy") or "Allow"
    spec.setdefault("suspend", False)
    spec.setdefault("successfulJobsHistoryLimit", 3)
    spec.setdefault("failedJobsHistoryLimit", 1)
    template = spec.setdefault("jobTemplate", {})
    template.setdefault("metadata", {})
    _template_of(template)


def _autoscaler(obj: Json) -> None:
    spec = _spec(obj)
    spec.setdefault("minReplicas", 1)
    if not spec.get("metrics"):
        target = {"type": "Utilization", "averageUtilization": 80}
        spec["metrics"] = [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]
    behavior = spec.get("behavior")
    if behavior is not None:
        for direction, rules in (("scaleUp", _SCALE_UP), ("scaleDown", _SCALE_DOWN)):
            behavior[direction] = _rules(rules) | (behavior.get(direction) or {})


def _rules(rules: Json) -> Json:
    policies = [{"type": kind, "value": value, "periodSeconds": period} for kind, value, period in rules["policies"]]
    return {**rules, "policies": policies}


def _service(obj: Json) -> None:
    spec = _spec(obj)
    spec["sessionAffinity"] = spec.get("sessionAffinity") or "None"
    if spec["sessionAffinity"] == "None":
        spec.pop("sessionAffinityConfig", None)
    elif spec["sessionAffinity"] == "ClientIP":
        client = spec.setdefault("sessionAffinityConfig", {}).setdefault("clientIP", {})
        client.setdefault("timeoutSeconds", _AFFINITY_SECONDS)
    kind = spec["type"] = spec.get("type") or "ClusterIP"
    for port in spec.get("ports") or []:
        port["protocol"] = port.get("protocol") or "TCP"
        port["targetPort"] = port.get("targetPort") or port.get("port", 0)
    if kind in ("NodePort", "LoadBalancer"):
        spec["externalTrafficPolicy"] = spec.get("externalTrafficPolicy") or "Cluster"
    if kind != "ExternalName":
        spec.setdefault("internalTrafficPolicy", "Cluster")
    if kind == "LoadBalancer":
        spec.setdefault("allocateLoadBalancerNodePorts", True)


def _namespace(obj: Json) -> None:
    metadata = obj.setdefault("metadata", {})
    if metadata.get("name"):
        metadata.setdefault("labels", {})["kubernetes.io/metadata.name"] = metadata["name"]
    obj.setdefault("status", {}).setdefault("phase", "Active")


def _node(obj: Json) -> None:
    status = obj.setdefault("status", {})
    for key in ("capacity", "allocatable"):
        round_amounts(status.get(key))
    if "capacity" in status:
        status.setdefault("allocatable", dict(status["capacity"]))


def _limit_range(obj: Json) -> None:
    for item in _spec(obj).setdefault("limits", None) or []:
        for key in ("max", "min", "default", "defaultRequest", "maxLimitRequestRatio"):
            round_amounts(item.get(key))
        if item.get("type") == "Container":
            default = {**(item.get("max") or {}), **(item.get("default") or {})}
            request = {**(item.get("min") or {}), **default, **(item.get("defaultRequest") or {})}
            item |= {key: value for key, value in (("default", default), ("defaultRequest", request)) if value}


def _quota(obj: Json) -> None:
    round_amounts(_spec(obj).get("hard"))
    for key in ("hard", "used"):
        round_amounts((obj.get("status") or {}).get(key))


def _role(obj: Json) -> None:
    obj.setdefault("rules", None)


def _binding(obj: Json) -> None:
    reference = obj.setdefault("roleRef", {})
    reference["apiGroup"] = reference.get("apiGroup") or _RBAC
    for subject in obj.get("subjects") or []:
        if subject.get("kind") in ("User", "Group"):
            subject["apiGroup"] = subject.get("apiGroup") or _RBAC


def _spec(obj: Json) -> Json:
    spec: Json = obj.setdefault("spec", {})
    return spec


def _template_of(obj: Json) -> Json:
    """The spec, with its pod template completed."""
    spec = _spec(obj)
    template = spec.setdefault("template", {})
    template.setdefault("metadata", {})
    default_pod_spec(template.setdefault("spec", {}))
    return spec


_DEFAULTS: dict[str, Callable[[Json], None]] = {
    "deployments.apps": _deployment,
    "replicasets.apps": _replica_set,
    "replicationcontrollers": _replication_controller,
    "daemonsets.apps": _daemon_set,
    "statefulsets.apps": _stateful_set,
    "jobs.batch": _job,
    "cronjobs.batch": _cron_job,
    "horizontalpodautoscalers.autoscaling": _autoscaler,
    "services": _service,
    "namespaces": _namespace,
    "nodes": _node,
    "limitranges": _limit_range,
    "resourcequotas": _quota,
    "pods": default_pod,
    f"roles.{_RBAC}": _role,
    f"clusterroles.{_RBAC}": _role,
    f"rolebindings.{_RBAC}": _binding,
    f"clusterrolebindings.{_RBAC}": _binding,
}
