"""The way of a write from what a request means to what is stored: defaults, managed fields, admission, validation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlscale.frozen import replace
from mlscale.kube.kinds import Kind
from mlscale.sandbox import preparation
from mlscale.sandbox.admission import admit
from mlscale.sandbox.defaults import set_defaults
from mlscale.sandbox.managed_fields import record_update, server_side_apply
from mlscale.sandbox.resizing import RESIZE, resize_causes
from mlscale.sandbox.statuses import Cause, bad_request, conflict, invalid
from mlscale.sandbox.store import copied
from mlscale.sandbox.validation import validate

if TYPE_CHECKING:
    from mlscale.sandbox.resources import Resource
    from mlscale.sandbox.store import Store

Json = dict[str, Any]

PATCH_OPTIONS = Kind("meta.k8s.io", "v1", "PatchOptions", "patchoptions")


@dataclass(frozen=True)
class Caller:
    """Who writes: the user, and the field manager that the write is recorded under."""

    user: str
    manager: str
    groups: tuple[str, ...] = ()


CONTROLLER = Caller("system:kube-controller-manager", "kube-controller-manager", ("system:authenticated",))
SCHEDULER = Caller("system:kube-scheduler", "kube-scheduler", ("system:authenticated",))
KUBELET = Caller("system:node", "kubelet", ("system:nodes", "system:authenticated"))


@dataclass(frozen=True)
class Write:
    """How a write is done: by whom, to which part of the object, and whether it is only tried."""

    caller: Caller
    subresource: str = ""
    dry_run: bool = False


def completed(
    store: Store, resource: Resource, before: Json | None, after: Json, write: Write, *, applied: bool, now: str
) -> Json:
    """``after`` as it is to be stored; an ``applied`` one has its managed fields already. ``now`` is RFC 3339.

    As upstream, what admission adds belongs to no field manager. Raises StatusError of 403, 404 and 422.
    """
    kind, subresource = resource.kind, write.subresource
    is_partial = subresource in ("status", "binding", "finalize")
    if not is_partial:
        after = _defaulted(resource, before, after)
    if not applied and subresource != "binding":
        after = record_update(before, after, write.caller.manager, subresource, now)
    if is_partial:
        return after
    after = admit(store, kind, after, before)
    if before is None and resource.key == "pods":
        after = preparation.with_quality_of_service(after)
    if before is None and resource.key == "namespaces":
        after = preparation.with_finalizer(after)
    if before is not None:
        after = preparation.with_generation(resource, before, after)
    _check(kind, after, before, subresource)
    return after


def applied(
    before: Json | None, namespace: str, name: str, config: Json, write: Write, *, force: bool, now: str
) -> Json:
    """``before`` (None: nothing yet) with the applied ``config``. Raises StatusError 400, 409 and 422."""
    manager = write.caller.manager
    if not manager:
        cause = Cause("fieldManager", "FieldValueRequired", "Required value: is required for apply patch")
        raise invalid(PATCH_OPTIONS, "", [cause])
    metadata = {"name": name, **(config.get("metadata") or {})}
    if metadata["name"] != name:
        why = f"the name of the object ({metadata['name']}) does not match the name on the URL ({name})"
        raise bad_request(why)
    config = {**copied(config), "metadata": metadata}
    merged = server_side_apply(before, config, manager, now, force=force, subresource=write.subresource)
    if namespace and not merged["metadata"].get("namespace"):
        merged = {**merged, "metadata": {**merged["metadata"], "namespace": namespace}}
    return merged


def bound(kind: Kind, pod: Json, node: str, now: str) -> Json:
    """A pod on its node (pkg/registry/core/pod/storage assignPod). Raises StatusError 409."""
    kind, name = replace(kind, plural="pods/binding"), pod["metadata"]["name"]
    if "deletionTimestamp" in pod["metadata"]:
        raise conflict(kind, name, f"pod {name} is being deleted, cannot be assigned to a host")
    if held := pod["spec"].get("nodeName"):
        raise conflict(kind, name, f'pod {name} is already assigned to node "{held}"')
    condition = {"type": "PodScheduled", "status": "True", "lastProbeTime": None, "lastTransitionTime": now}
    others = [each for each in pod["status"].get("conditions") or () if each["type"] != "PodScheduled"]
    status = {**pod["status"], "conditions": [*others, condition]}
    return {**pod, "spec": {**pod["spec"], "nodeName": node}, "status": status}


def is_unchanged(before: Json, after: Json) -> bool:
    """Whether a write would change nothing but the time in the managed fields; then nothing is stored."""
    return _untimed(before) == _untimed(after)


def _defaulted(resource: Resource, before: Json | None, after: Json) -> Json:
    """Decoding drops nulls, which a status keeps for times and lists that are written even where they are empty."""
    complete = set_defaults(resource.kind, after)
    is_given = resource.key == "nodes" and before is None
    return complete if is_given or "status" not in after else {**complete, "status": after["status"]}


def _check(kind: Kind, after: Json, before: Json | None, subresource: str) -> None:
    name = after["metadata"].get("name") or ""
    if before is not None and (refusal := preparation.added_finalizers(kind, before, after)):
        raise refusal
    is_resize = before is not None and subresource == RESIZE
    causes = list(validate(kind, after, None if is_resize else before))
    if before is not None and is_resize:
        causes += resize_causes(before, after)
    if not name and not any(cause.field == "metadata.name" for cause in causes):
        message = "Required value: name or generateName is required"
        causes.insert(0, Cause("metadata.name", "FieldValueRequired", message))
    if causes:
        raise invalid(kind, name, causes)


def _untimed(obj: Json) -> Json:
    metadata = dict(obj["metadata"])
    entries = metadata.pop("managedFields", None) or []
    return {**obj, "metadata": metadata, "managed": [{**entry, "time": None} for entry in entries]}
