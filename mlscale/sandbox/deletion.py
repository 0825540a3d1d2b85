"""What a deletion does to an object: take it out, or mark it and wait for who still holds it.

From apiserver pkg/registry/generic/registry/store.go and rest/delete.go, v1.37.2.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from mlscale.kube.kinds import Kind
from mlscale.sandbox.agenda import moment_of, timestamp
from mlscale.sandbox.statuses import Cause, StatusError, conflict, forbidden, invalid

if TYPE_CHECKING:
    from mlscale.sandbox.resources import Resource

Json = dict[str, Any]

DELETE_OPTIONS = Kind("meta.k8s.io", "v1", "DeleteOptions", "deleteoptions")
ORPHAN = "orphan"
FOREGROUND = "foregroundDeletion"

_ORPHANS_BY_DEFAULT = ("jobs.batch", "replicationcontrollers")
_NOT_COLLECTED = ("events",)
_ANSWERED_WITH_OBJECT = (
    "pods",
    "services",
    "serviceaccounts",
    "resourcequotas",
    "customresourcedefinitions.apiextensions.k8s.io",
)
_IMMORTAL = ("default", "kube-public", "kube-system")
_POLICIES = ("Foreground", "Background", "Orphan")


@dataclass(frozen=True)
class Deletion:
    """What to do. ``object`` is its last state where ``removed``, else what to store (unchanged where equal)."""

    object: Json
    removed: bool


def plan_deletion(resource: Resource, obj: Json, options: Json, now: datetime) -> Deletion:
    """What ``options`` (a DeleteOptions that was checked) do to ``obj`` at ``now``. Raises StatusError 403 and 409."""
    if resource.key == "namespaces":
        return _namespace_deletion(resource.kind, obj, options, now)
    _check_preconditions(resource.kind, obj, options.get("preconditions") or {})
    marked, waits, pending = obj, False, False
    if resource.key == "pods":
        marked, waits, pending = _graceful(obj, options, now)
    if pending:
        return Deletion(marked, removed=False)
    finalizers = _finalizers(resource, marked, options)
    if finalizers:
        marked = _terminating(_with_finalizers(marked, finalizers), now)
    elif marked["metadata"].get("finalizers"):
        marked = _with_finalizers(marked, finalizers)
    return Deletion(marked, removed=not (finalizers or waits))


def answers_with_object(resource: Resource) -> bool:
    """Whether a finished deletion is answered with the object rather than with a Status (ReturnDeletedObject)."""
    return resource.key in _ANSWERED_WITH_OBJECT


def is_finished(resource: Resource, obj: Json) -> bool:
    """Whether an update has let go of a terminating object, so that it goes (ShouldDeleteDuringUpdate)."""
    metadata = obj["metadata"]
    if "deletionTimestamp" not in metadata or metadata.get("finalizers"):
        return False
    if resource.key == "namespaces":
        return not obj["spec"].get("finalizers")
    return not metadata.get("deletionGracePeriodSeconds")


def check_options(options: Json) -> None:
    """Raise StatusError 422 for a policy or a way to try it that there is not, or a policy with its former spelling."""
    policy, causes = options.get("propagationPolicy"), []
    if policy is not None and options.get("orphanDependents") is not None:
        message = f'Invalid value: "{policy}": orphanDependents and deletionPropagation cannot be both set'
        causes.append(Cause("propagationPolicy", "FieldValueInvalid", message))
    if policy not in (None, *_POLICIES):
        supported = ", ".join(f'"{each}"' for each in (*_POLICIES, "nil"))
        message = f'Unsupported value: "{policy}": supported values: {supported}'
        causes.append(Cause("propagationPolicy", "FieldValueNotSupported", message))
    if any(each != "All" for each in options.get("dryRun") or ()):
        message = f'Unsupported value: {json.dumps(options["dryRun"])}: supported values: "All"'
        causes.append(Cause("dryRun", "FieldValueNotSupported", message))
    if causes:
        raise invalid(DELETE_OPTIONS, "", causes)


def _check_preconditions(kind: Kind, obj: Json, wanted: Json) -> None:
    uid, version = obj["metadata"]["uid"], obj["metadata"]["resourceVersion"]
    if wanted.get("uid") not in (None, uid):
        why = f"the UID in the precondition ({wanted['uid']}) does not match the UID in record ({uid}). "
        raise _unmet(kind, obj, why + "The object might have been deleted and then recreated")
    if wanted.get("resourceVersion") not in (None, version):
        why = f"the ResourceVersion in the precondition ({wanted['resourceVersion']}) does not match "
        raise _unmet(kind, obj, why + f"the ResourceVersion in record ({version}). The object might have been modified")


def _unmet(kind: Kind, obj: Json, why: str) -> StatusError:
    """Upstream names the kind here, not the resource."""
    name = obj["metadata"]["name"]
    qualified = f"{kind.kind}.{kind.group}" if kind.group else kind.kind
    group = {"group": kind.group} if kind.group else {}
    message = f'Operation cannot be fulfilled on {qualified} "{name}": {why}'
    return StatusError(409, "Conflict", message, {"name": name, **group, "kind": kind.kind})


def _namespace_deletion(kind: Kind, obj: Json, options: Json, now: datetime) -> Deletion:
    """As pkg/registry/core/namespace/storage and admission/plugin/namespace/lifecycle."""
    name, wanted = obj["metadata"]["name"], options.get("preconditions") or {}
    for field, spoken in (("uid", "UID"), ("resourceVersion", "ResourceVersion")):
        held = obj["metadata"][field]
        if wanted.get(field) not in (None, held):
            found = f"{spoken} in precondition: {wanted[field]}, {spoken} in object meta: {held}"
            raise conflict(kind, name, f"Precondition failed: {found}")
    if name in _IMMORTAL:
        raise forbidden(kind, name, "this namespace may not be deleted")
    if "deletionTimestamp" in obj["metadata"]:
        return Deletion(obj, removed=not (obj["spec"].get("finalizers") or obj["metadata"].get("finalizers")))
    metadata = {**obj["metadata"], "deletionTimestamp": timestamp(now)}
    return Deletion({**obj, "metadata": metadata, "status": {**obj["status"], "phase": "Terminating"}}, removed=False)


def _graceful(pod: Json, options: Json, now: datetime) -> tuple[Json, bool, bool]:
    """The pod marked with its grace period, whether that is still to pass, and whether one already runs."""
    metadata = pod["metadata"]
    if "deletionTimestamp" not in metadata:
        period = _grace_period(pod, options)
        ends = timestamp(now + timedelta(seconds=period))
        marks = {"deletionTimestamp": ends, "deletionGracePeriodSeconds": period, **_next_generation(metadata)}
        return {**pod, "metadata": {**metadata, **marks}}, period > 0, False
    running, asked = metadata.get("deletionGracePeriodSeconds") or 0, options.get("gracePeriodSeconds")
    if not running:
        return pod, False, False
    if asked is None or asked >= running:
        return pod, True, True
    ends = timestamp(moment_of(metadata["deletionTimestamp"]) - timedelta(seconds=running - asked))
    marks = {"deletionTimestamp": ends, "deletionGracePeriodSeconds": asked}
    return {**pod, "metadata": {**metadata, **marks}}, asked > 0, False


def _grace_period(pod: Json, options: Json) -> int:
    """Seconds (pkg/registry/core/pod/strategy.go CheckGracefulDelete): none for a pod that runs nowhere."""
    if not pod["spec"].get("nodeName") or pod.get("status", {}).get("phase") in ("Succeeded", "Failed"):
        return 0
    asked = options.get("gracePeriodSeconds")
    period: int = pod["spec"].get("terminationGracePeriodSeconds", 0) if asked is None else asked
    return period if period >= 0 else 1


def _finalizers(resource: Resource, obj: Json, options: Json) -> list[str]:
    held: list[str] = obj["metadata"].get("finalizers") or []
    if resource.key in _NOT_COLLECTED:
        return held
    wanted = _collected_by(resource, held, options)
    rest = [each for each in held if each not in (ORPHAN, FOREGROUND)]
    after = [*rest, wanted] if wanted else rest
    return held if set(after) == set(held) else after


def _collected_by(resource: Resource, held: list[str], options: Json) -> str:
    """The garbage collector's finalizer that the object is to carry: what is asked, what it has, or its default."""
    if (orphan := options.get("orphanDependents")) is not None:
        return ORPHAN if orphan else ""
    if policy := options.get("propagationPolicy"):
        return {"Orphan": ORPHAN, "Foreground": FOREGROUND}.get(policy, "")
    carried = next((each for each in (ORPHAN, FOREGROUND) if each in held), "")
    return carried or (ORPHAN if resource.key in _ORPHANS_BY_DEFAULT else "")


def _with_finalizers(obj: Json, finalizers: list[str]) -> Json:
    metadata = {key: value for key, value in obj["metadata"].items() if key != "finalizers"}
    if finalizers:
        metadata["finalizers"] = finalizers
    return {**obj, "metadata": metadata}


def _terminating(obj: Json, now: datetime) -> Json:
    metadata = obj["metadata"]
    if "deletionTimestamp" in metadata:
        return obj
    marks = {"deletionTimestamp": timestamp(now), "deletionGracePeriodSeconds": 0, **_next_generation(metadata)}
    return {**obj, "metadata": {**metadata, **marks}}


def _next_generation(metadata: Json) -> Json:
    return {"generation": metadata["generation"] + 1} if metadata.get("generation") else {}
