"""What the server itself puts into an object at a write, and keeps of the stored one (each registry's strategy.go)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from mlscale.frozen import replace
from mlscale.kube.pod_resources import containers_of, is_best_effort
from mlscale.kube.quantity import nano_of
from mlscale.sandbox.resources import SERVED, is_custom
from mlscale.sandbox.statuses import Cause, StatusError, bad_request, conflict, internal_error, invalid

if TYPE_CHECKING:
    import random

    from mlscale.kube.kinds import Kind
    from mlscale.sandbox.resources import Resource

Json = dict[str, Any]

_SUFFIX_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
_LONGEST_PREFIX = 58

_SERVER_OWNED = ("uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation")
"""Fields of the metadata that no update changes."""

_NEW_STATUS: dict[str, Json] = {
    "pods": {"phase": "Pending"},
    "namespaces": {"phase": "Active"},
    "services": {"loadBalancer": {}},
    "resourcequotas": {},
    "replicationcontrollers": {"replicas": 0},
    "deployments.apps": {},
    "replicasets.apps": {"replicas": 0},
    "statefulsets.apps": {"replicas": 0, "availableReplicas": 0},
    "daemonsets.apps": {
        "currentNumberScheduled": 0, "numberMisscheduled": 0, "desiredNumberScheduled": 0, "numberReady": 0,
    },
    "jobs.batch": {},
    "cronjobs.batch": {},
    "horizontalpodautoscalers.autoscaling": {"desiredReplicas": 0, "currentMetrics": None},
    "poddisruptionbudgets.policy": {
        "disruptionsAllowed": 0, "currentHealthy": 0, "desiredHealthy": 0, "expectedPods": 0,
    },
}  # fmt: skip
"""What a new object's status is, whatever the request says of it. A node's is taken from the request."""

_EVENT: Json = {
    "source": {}, "firstTimestamp": None, "lastTimestamp": None, "eventTime": None,
    "reportingComponent": "", "reportingInstance": "",
}  # fmt: skip
"""What every event shows, be it empty."""

_RBAC_KINDS = ("ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding")
_NOT_STORED: dict[str, tuple[str, ...]] = {
    "apps/v1beta1": ("Deployment", "StatefulSet"),
    "apps/v1beta2": ("DaemonSet", "Deployment", "ReplicaSet", "StatefulSet"),
    "autoscaling/v1": ("HorizontalPodAutoscaler",),
    "batch/v1beta1": ("CronJob",),
    "extensions/v1beta1": ("DaemonSet", "Deployment", "ReplicaSet"),
    "policy/v1beta1": ("PodDisruptionBudget",),
    "rbac.authorization.k8s.io/v1alpha1": _RBAC_KINDS,
    "rbac.authorization.k8s.io/v1beta1": _RBAC_KINDS,
}
"""Kinds in versions other than that of storage, most of them of the past: the server still knows that they are."""

_CREATED_BY_UPDATE = ("events", "limitranges", "services")
_WITHOUT_GENERATION = ("namespaces", "nodes", "services", "resourcequotas")
_WHOLE_IN_GENERATION = ("deployments.apps",)
"""Kinds whose generation counts changes of the annotations too."""


def generated_name(prefix: str, random: random.Random) -> str:
    """``prefix`` and five random letters (apiserver pkg/storage/names/generate.go)."""
    return prefix[:_LONGEST_PREFIX] + "".join(random.choices(_SUFFIX_LETTERS, k=5))


def is_created_by_update(resource: Resource) -> bool:
    """Whether an update creates what is not there (AllowCreateOnUpdate)."""
    return resource.key in _CREATED_BY_UPDATE or resource.kind.group == "rbac.authorization.k8s.io"


def check_name(body: Json, name: str) -> None:
    """Raise StatusError 400 where the body of an update is not of the name in its URL."""
    stated = (body.get("metadata") or {}).get("name")
    if not stated:
        raise bad_request(f"the name of the object ({name} based on URL) was undeterminable: name must be provided")
    if stated != name:
        raise bad_request(f"the name of the object ({stated}) does not match the name on the URL ({name})")


def check_type(kind: Kind, body: Json) -> None:
    """Raise StatusError 400 where the body says that it is of another kind or version."""
    stated, version = body.get("kind"), body.get("apiVersion")
    if not is_custom(kind) and version and not _is_known(kind, stated or kind.kind, version):
        short = str(version or kind.version).rpartition("/")[2]
        why = why_not_converted(kind, stated or kind.kind, version)
        raise bad_request(f'{stated or kind.kind} in version "{short}" cannot be handled as a {kind.kind}: {why}')
    if version and version != kind.api_version and stated in (None, kind.kind):
        why = f"the API version in the data ({version}) does not match the expected API version ({kind.api_version})"
        raise bad_request(why)
    if is_custom(kind):
        _check_custom_type(kind, body)
    elif stated and stated != kind.kind:
        short = str(version or kind.version).rpartition("/")[2]
        why = why_not_converted(kind, stated, version or kind.api_version)
        raise bad_request(f'{stated} in version "{short}" cannot be handled as a {kind.kind}: {why}')


def why_not_converted(kind: Kind, stated: str, version: str) -> str:
    """Why an object that says it is ``stated`` of apiVersion ``version`` is none of ``kind``."""
    if _is_known(kind, stated, version):
        internal = f"{kind.group.partition('.')[0] or 'core'}.{kind.kind}"
        return f"converting ({version.rpartition('/')[2]}.{stated}) to ({internal}): unknown conversion"
    return f'no kind "{stated}" is registered for version "{version}" in scheme "pkg/runtime/scheme.go:111"'


def _is_known(kind: Kind, stated: str, version: str) -> bool:
    """Whether there is such a kind in such a version, be it of another resource than ``kind``."""
    known = {(each.kind.kind, each.kind.api_version) for each in SERVED} | {(kind.kind, kind.api_version)}
    return (stated, version) in known or stated in _NOT_STORED.get(version, ())


def new_object(resource: Resource, namespace: str, body: Json) -> Json:
    """The object that a create request means, before it has an identity. Raises StatusError 400 and 500."""
    kind = resource.kind
    check_type(kind, body)
    metadata = dict(body.get("metadata") or {})
    _check_namespace(kind, namespace, metadata)
    if metadata.get("resourceVersion"):
        raise internal_error("resourceVersion should not be set on objects to be created")
    for key in (*_SERVER_OWNED, "resourceVersion", "selfLink"):
        metadata.pop(key, None)
    obj = {**body, "apiVersion": kind.api_version, "kind": kind.kind, "metadata": metadata}
    return _with_new_state(resource, obj)


def check_new(kind: Kind, name: str, config: Json) -> None:
    """Raise StatusError 409 where what is applied is meant for an object that is gone."""
    if uid := (config.get("metadata") or {}).get("uid"):
        found = "and no existing object was found"
        raise conflict(kind, name, f"uid mismatch: the provided object specified uid {uid}, {found}")


def with_identity(resource: Resource, obj: Json, uid: str, now: str) -> Json:
    """A new object with its uid, first generation and creation time (RFC 3339)."""
    marks: Json = {"uid": uid, "creationTimestamp": now}
    if has_generation(resource):
        marks["generation"] = 1
    return {**obj, "metadata": {**obj["metadata"], **marks}}


def with_finalizer(namespace: Json) -> Json:
    """A new namespace that goes only when its controller has emptied it. No field manager has set that."""
    return {**namespace, "spec": {**(namespace.get("spec") or {}), "finalizers": ["kubernetes"]}}


def with_quality_of_service(pod: Json) -> Json:
    """A new pod with its ``qosClass``, which depends on what admission has made of its resources."""
    return {**pod, "status": {**pod["status"], "qosClass": quality_of_service(pod["spec"])}}


def quality_of_service(spec: Json) -> str:
    """BestEffort, Burstable or Guaranteed (pkg/apis/core/v1/helper/qos, v1.37.2)."""
    if is_best_effort(spec):
        return "BestEffort"
    resources = [container.get("resources") or {} for container in containers_of(spec)]
    if spec.get("resources"):
        resources = [spec["resources"]]
    return "Guaranteed" if all(_is_guaranteed(each) for each in resources) else "Burstable"


def check_identity(kind: Kind, before: Json, after: Json, subresource: str) -> None:
    """Raise StatusError 422 where a patch gives an object another uid, 409 where it is meant for another's Scale."""
    uid, stored = (after.get("metadata") or {}).get("uid"), before["metadata"]
    if not uid or uid == stored["uid"]:
        return
    if subresource == "scale":
        found = f"UID in precondition: {uid}, UID in object meta: {stored['uid']}"
        raise conflict(replace(kind, plural=f"{kind.plural}/scale"), stored["name"], f"Precondition failed: {found}")
    cause = Cause("metadata.uid", "FieldValueInvalid", f'Invalid value: "{uid}": field is immutable')
    raise invalid(kind, stored["name"], [cause])


def replacement(resource: Resource, before: Json, body: Json, subresource: str) -> Json:
    """What an update stores: of ``body`` what may be changed here, the rest as it was.

    Raises StatusError 400 for another name, kind or namespace, 409 where ``body`` is of another version or object.
    """
    kind, stored = resource.kind, before["metadata"]
    check_type(kind, body)
    metadata = dict(body.get("metadata") or {})
    check_name(body, stored["name"])
    _check_namespace(kind, stored.get("namespace", ""), metadata)
    _check_current(kind, stored, metadata)
    for key in (*_SERVER_OWNED, "resourceVersion"):
        metadata.pop(key, None)
    kept = (*_SERVER_OWNED, "resourceVersion", "managedFields")
    metadata = {key: stored[key] for key in kept if key in stored} | metadata
    obj = {**body, "apiVersion": kind.api_version, "kind": kind.kind, "metadata": metadata}
    return _with_kept_state(resource, before, obj, subresource)


def with_generation(resource: Resource, before: Json, after: Json) -> Json:
    """``after`` of the next generation where what is wanted of it has changed."""
    generation = before["metadata"].get("generation")
    if not generation or _wanted(resource, before) == _wanted(resource, after):
        return after
    return {**after, "metadata": {**after["metadata"], "generation": generation + 1}}


def has_generation(resource: Resource) -> bool:
    """Whether objects of this resource count their generations."""
    kind = resource.kind
    return is_custom(kind) or (kind.resource in _NEW_STATUS and kind.resource not in _WITHOUT_GENERATION)


def added_finalizers(kind: Kind, before: Json, after: Json) -> StatusError | None:
    """422 where a terminating object would get a finalizer that it does not have."""
    held = before["metadata"].get("finalizers") or []
    added = [each for each in after["metadata"].get("finalizers") or [] if each not in held]
    if "deletionTimestamp" not in before["metadata"] or not added:
        return None
    listed = ", ".join(f'"{each}"' for each in added)
    why = "no new finalizers can be added if the object is being deleted, found new finalizers "
    cause = Cause("metadata.finalizers", "FieldValueForbidden", f"Forbidden: {why}[]string{{{listed}}}")
    return invalid(kind, before["metadata"]["name"], [cause])


def _check_custom_type(kind: Kind, body: Json) -> None:
    stated, name = body.get("kind"), (body.get("metadata") or {}).get("name") or ""
    if not stated:
        raw = json.dumps(body)
        why = f"Object 'Kind' is missing in '{raw}' ({raw})"
        raise bad_request(f"the object provided is unrecognized (must be of type {kind.kind}): {why}")
    if stated != kind.kind:
        cause = Cause("kind", "FieldValueInvalid", f'Invalid value: "{stated}": must be {kind.kind}')
        raise invalid(replace(kind, kind=stated), name, [cause])


def _check_namespace(kind: Kind, namespace: str, metadata: Json) -> None:
    if not kind.namespaced:
        metadata.pop("namespace", None)
    elif (metadata.get("namespace") or namespace) != namespace:
        raise bad_request("the namespace of the provided object does not match the namespace sent on the request")
    else:
        metadata["namespace"] = namespace


def _check_current(kind: Kind, stored: Json, metadata: Json) -> None:
    uid, version, name = metadata.get("uid"), metadata.get("resourceVersion"), stored["name"]
    if uid and uid != stored["uid"]:
        key = "/".join(filter(None, ("/registry", kind.plural, stored.get("namespace"), name)))
        why = f"StorageError: invalid object, Code: 4, Key: {key}, ResourceVersion: 0, AdditionalErrorMsg: "
        why += f"Precondition failed: UID in precondition: {uid}, UID in object meta: {stored['uid']}"
        raise conflict(kind, name, why)
    if not version and is_custom(kind):
        message = "Invalid value: 0: must be specified for an update"
        cause = Cause("metadata.resourceVersion", "FieldValueInvalid", message)
        raise invalid(replace(kind, kind=kind.plural), name, [cause])
    if version and not str(version).isdigit():
        raise internal_error(f'strconv.ParseUint: parsing "{version}": invalid syntax')
    if version and version != stored["resourceVersion"]:
        why = "the object has been modified; please apply your changes to the latest version and try again"
        raise conflict(kind, name, why)


def _with_new_state(resource: Resource, obj: Json) -> Json:
    if resource.key == "namespaces":
        labels = {**(obj["metadata"].get("labels") or {}), "kubernetes.io/metadata.name": obj["metadata"].get("name")}
        obj = {**obj, "metadata": {**obj["metadata"], "labels": labels}}
    if resource.key == "events":
        return {**_EVENT, **obj}
    if resource.key in _NEW_STATUS:
        return {**obj, "status": dict(_NEW_STATUS[resource.key])}
    if "status" in obj and is_custom(resource.kind) and "status" in resource.subresources:
        return {key: value for key, value in obj.items() if key != "status"}
    return obj


def _with_kept_state(resource: Resource, before: Json, obj: Json, subresource: str) -> Json:
    if subresource == "status":
        metadata = before["metadata"] if is_custom(resource.kind) else obj["metadata"]
        return {**before, "metadata": _kept_in_status(resource, before, metadata), "status": obj.get("status") or {}}
    if subresource == "finalize":
        spec = {**before["spec"], "finalizers": (obj.get("spec") or {}).get("finalizers") or []}
        return {**before, "spec": spec}
    if resource.key == "namespaces":
        obj = {**obj, "spec": before["spec"]}
    if is_custom(resource.kind) and "status" not in resource.subresources:
        return obj
    rest = {key: value for key, value in obj.items() if key != "status"}
    return {**rest, "status": before["status"]} if "status" in before else rest


def _kept_in_status(resource: Resource, before: Json, metadata: Json) -> Json:
    """The metadata after a status write: of a Deployment it leaves the labels, of a Pod the owners as they were."""
    kept = {"deployments.apps": "labels", "pods": "ownerReferences"}.get(resource.key)
    if kept is None:
        return metadata
    stored = {kept: before["metadata"][kept]} if kept in before["metadata"] else {}
    return {key: value for key, value in metadata.items() if key != kept} | stored


def _wanted(resource: Resource, obj: Json) -> Json:
    if is_custom(resource.kind):
        status = ("status",) if "status" in resource.subresources else ()
        return {key: value for key, value in obj.items() if key not in ("metadata", *status)}
    wanted: Json = {"spec": obj.get("spec")}
    if resource.key in _WHOLE_IN_GENERATION:
        wanted["annotations"] = obj["metadata"].get("annotations") or {}
    return wanted


def _is_guaranteed(resources: Json) -> bool:
    limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
    amounts = [(nano_of(limits.get(name, 0)), nano_of(requests.get(name, 0))) for name in ("cpu", "memory")]
    return all(limit == request > 0 for limit, request in amounts)
