"""What admission makes of a write, and refuses: the plugins that a plain API server has on, in their order.

The rules are those of apiserver pkg/admission/plugin/namespace/lifecycle and kubernetes
plugin/pkg/admission/{limitranger,serviceaccount,priority,defaulttolerationseconds}, v1.37.2, and ResourceQuota's.
Left out: PodSecurity (its default level admits everything), webhooks, TaintNodesByCondition (a node of the
simulation is ready when it is made).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlscale.kube.kinds import NAMESPACE
from mlscale.sandbox.admission_accounts import with_service_account
from mlscale.sandbox.admission_limits import limit_refusal, with_limit_defaults
from mlscale.sandbox.admission_quotas import quota_refusal
from mlscale.sandbox.generated import with_generated_fields
from mlscale.sandbox.statuses import StatusError, forbidden, not_found
from mlscale.sandbox.validation import validate

if TYPE_CHECKING:
    from mlscale.kube.kinds import Kind
    from mlscale.sandbox.store import Store

Json = dict[str, Any]

_PRIORITIES = {"": 0, "system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000}
_PREEMPTION = "PreemptLowerPriority"
_TOLERATED_SECONDS = 300
_TOLERATED = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")


def admit(store: Store, kind: Kind, obj: Json, before: Json | None) -> Json:
    """``obj``, which stays as it is, as admission completes it; ``before`` is the stored one, None at a creation.

    An invalid object is returned where a LimitRange or a quota would refuse it: upstream validates before these.

    Raises:
        StatusError: 404, no such namespace; 403, a plugin refuses.
    """
    if before is None and kind.namespaced:
        _check_namespace(store, kind, obj)
    admitted = _admitted_pod(store, kind, obj, before) if kind.resource == "pods" else obj
    admitted = with_generated_fields(store, kind, admitted, before)
    refusal = _refusal(store, kind, admitted, before)
    if refusal and not validate(kind, admitted, before):
        raise forbidden(kind, name_of(admitted), refusal)
    return admitted


def name_of(obj: Json) -> str:
    """The name, or what it will begin with."""
    metadata = obj.get("metadata") or {}
    return str(metadata.get("name") or metadata.get("generateName") or "")


def _refusal(store: Store, kind: Kind, obj: Json, before: Json | None) -> str:
    namespace = (obj.get("metadata") or {}).get("namespace") or ""
    if kind.resource == "pods" and before is None:
        refusal = limit_refusal(store.list("limitranges", namespace), obj)
        if refusal:
            return refusal
    return quota_refusal(store, kind, obj, before) if kind.namespaced else ""


def _check_namespace(store: Store, kind: Kind, obj: Json) -> None:
    name = (obj.get("metadata") or {}).get("namespace") or ""
    namespace = store.get(NAMESPACE.resource, "", name)
    if namespace is None:
        raise not_found(NAMESPACE, name)
    if (namespace.get("status") or {}).get("phase") == "Terminating":
        raise _terminating(kind, obj, name)


def _terminating(kind: Kind, obj: Json, namespace: str) -> StatusError:
    why = f"unable to create new content in namespace {namespace} because it is being terminated"
    refusal = forbidden(kind, name_of(obj), why)
    message = f"namespace {namespace} is being terminated"
    cause = {"reason": "NamespaceTerminating", "message": message, "field": "metadata.namespace"}
    return StatusError(refusal.code, refusal.reason, refusal.message, {**refusal.details, "causes": [cause]})


def _admitted_pod(store: Store, kind: Kind, pod: Json, before: Json | None) -> Json:
    if before is None:
        namespace = (pod.get("metadata") or {}).get("namespace") or ""
        pod = with_limit_defaults(store.list("limitranges", namespace), pod)
        pod = with_service_account(store, kind, pod)
    pod = _with_priority(kind, pod, before)
    return {**pod, "spec": {**pod["spec"], "tolerations": _tolerations(pod["spec"].get("tolerations") or [])}}


def _with_priority(kind: Kind, pod: Json, before: Json | None) -> Json:
    spec = dict(pod["spec"])
    if before is not None:
        for key in ("priority", "preemptionPolicy"):
            if key in before["spec"]:
                spec.setdefault(key, before["spec"][key])
        return {**pod, "spec": spec}
    named = spec.get("priorityClassName") or ""
    if named not in _PRIORITIES:
        raise forbidden(kind, name_of(pod), f"no PriorityClass with name {named} was found")
    priority = _PRIORITIES[named]
    if spec.setdefault("priority", priority) != priority:
        why = f"the integer value of priority ({spec['priority']}) must not be provided in pod spec; priority "
        why += f"admission controller computed {priority} from the given PriorityClass name"
        raise forbidden(kind, name_of(pod), why)
    if spec.setdefault("preemptionPolicy", _PREEMPTION) != _PREEMPTION:
        why = f"the string value of PreemptionPolicy ({spec['preemptionPolicy']}) must not be provided in pod spec; "
        why += f"priority admission controller computed {_PREEMPTION} from the given PriorityClass name"
        raise forbidden(kind, name_of(pod), why)
    return {**pod, "spec": spec}


def _tolerations(tolerations: list[Json]) -> list[Json]:
    """``tolerations``, and five minutes on a node that is not ready or out of reach."""
    added = [
        {"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": _TOLERATED_SECONDS}
        for key in _TOLERATED
        if not any(_tolerates(toleration, key) for toleration in tolerations)
    ]
    return [*tolerations, *added]


def _tolerates(toleration: Json, key: str) -> bool:
    return (toleration.get("key") or key) == key and (toleration.get("effect") or "NoExecute") == "NoExecute"
