"""Writing the sizes of containers: into the workload's template, or into the pods that run."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

from mlscale.errors import ConflictError, MlscaleError, NotFoundError, RefusedError
from mlscale.kube.api_errors import ApiConflictError, ApiNotFoundError
from mlscale.kube.client import FIELD_MANAGER
from mlscale.kube.kinds import POD
from mlscale.kube.pods import is_terminating
from mlscale.kube.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlscale.kube.client import Client
    from mlscale.kube.targets import Target
    from mlscale.recommend.model import Size, Step

Json = dict[str, Any]


def resize_template(client: Client, target: Target, step: Step, *, force: bool, dry_run: bool) -> Json:
    """Server-side apply the step's manifest to the workload, whose controller then replaces its pods; the workload.

    What mlscale applied before goes with it, since an apply takes away what it no longer says. ``force`` takes fields
    over from other field managers. Raises ConflictError naming them, RefusedError for a step without a manifest, and
    ApiError.
    """
    if step.manifest is None:
        raise RefusedError(f"{target.printed} was not resized: there is no manifest for it", "run the command by hand")
    manifest = _merged(applied_before(client.get(target.path())), step.manifest)
    try:
        return client.apply(target.path(), manifest, force=force, dry_run=dry_run)
    except ApiConflictError as error:
        managers = sorted({_manager(str(cause.get("message") or "")) for cause in error.status.causes})
        raise ConflictError(
            f"{target.printed} was not changed: its resources were set by {', '.join(managers) or 'someone else'}",
            "--force-conflicts takes over, or change them where they were set",
        ) from error


def resize_pods(client: Client, target: Target, step: Step, *, dry_run: bool) -> list[str | MlscaleError]:
    """Ask for new sizes of the pods that run, without a restart, through ``pods/resize`` (Kubernetes 1.35 on: stable).

    The name of each pod, or why it was refused; ``wait_resized`` tells what came of it. The template stays as it is,
    so new pods come with the old sizes. Requests and limits are set, never taken away, since the server allows only
    that. Raises MlscaleError where the pods could not be read, NotFoundError where there are none.
    """
    sizes = {resize.then.container: resize.then for resize in step.resizes}
    pods = _own_pods(client, target)
    if not pods:
        raise NotFoundError(f"{target.printed} has no pods to resize", "leave --in-place out to change its template")
    query = {"dryRun": "All"} if dry_run else {}
    return client.together(*[partial(_resize_pod, client, pod, sizes, query) for pod in pods])


def _own_pods(client: Client, target: Target) -> list[Json]:
    """Those that its selector selects and that are not another workload's, whatever their labels."""
    selector = str((client.get(target.path("scale")).get("status") or {}).get("selector") or "")
    if not selector:
        return []
    pods = client.list_all(POD.path(target.namespace), labelSelector=selector)
    return [pod for pod in pods if not is_terminating(pod) and _is_of(pod["metadata"], target)]


def _is_of(metadata: Json, target: Target) -> bool:
    """Its controller is the workload, or is named after it as a Deployment's ReplicaSets are."""
    owners = (owner for owner in metadata.get("ownerReferences") or [] if owner.get("controller"))
    names = (str(owner.get("name")) for owner in owners)
    return any(name == target.name or name.startswith(f"{target.name}-") for name in names)


def _resize_pod(client: Client, pod: Json, sizes: dict[str, Size], query: dict[str, str]) -> str:
    name = str(pod["metadata"]["name"])
    operations = list(_operations(pod["spec"], sizes))
    try:
        client.json_patch(POD.path(pod["metadata"]["namespace"], name, "resize"), operations, **query)
    except ApiNotFoundError as error:
        raise NotFoundError(
            f"pod/{printable(name)} was not resized: {error.message}",
            "it may have gone, or the server is older than Kubernetes 1.33",
        ) from error
    return name


def _operations(spec: Json, sizes: dict[str, Size]) -> Iterator[Json]:
    """A JSON patch that tests, before it sets anything, that each container stands where it stood when it was read."""
    for group in ("containers", "initContainers"):
        for index, container in enumerate(spec.get(group) or []):
            size = sizes.get(container["name"])
            if size is None:
                continue
            at = f"/spec/{group}/{index}"
            yield {"op": "test", "path": f"{at}/name", "value": container["name"]}
            yield {"op": "add", "path": f"{at}/resources", "value": _resized(container.get("resources") or {}, size)}


def _resized(resources: Json, size: Size) -> Json:
    """``resources`` with what ``size`` sets; GPUs and all else stay."""
    given = {
        "requests": {"cpu": size.cpu_request, "memory": size.memory_request},
        "limits": {"cpu": size.cpu_limit, "memory": size.memory_limit},
    }
    merged = {
        name: {**(resources.get(name) or {}), **{key: value for key, value in new.items() if value is not None}}
        for name, new in given.items()
    }
    return {**resources, **{name: quantities for name, quantities in merged.items() if quantities}}


def applied_before(obj: Json) -> Json:
    """The part of ``obj`` that mlscale has server-side applied, with its present values.

    By the workload's managedFields (kubernetes.io/docs/reference/using-api/server-side-apply, FieldsV1): ``f:`` names
    a field, ``k:`` an item of a list by its key.
    """
    for entry in (obj.get("metadata") or {}).get("managedFields") or []:
        applied = (entry.get("manager"), entry.get("operation")) == (FIELD_MANAGER, "Apply")
        if applied and not entry.get("subresource"):
            part: Json = _part(obj, entry.get("fieldsV1") or {})
            return part
    return {}


def _part(value: Any, fields: Json) -> Any:
    """What ``fields`` name of ``value``."""
    keys = {name[2:]: below for name, below in fields.items() if name.startswith("k:")}
    if keys and isinstance(value, list):
        found = ((key, _item(value, key), below) for key, below in ((json.loads(k), b) for k, b in keys.items()))
        return [{**key, **_part(item, below)} for key, item, below in found if item is not None]
    named = {name[2:]: below for name, below in fields.items() if name.startswith("f:")}
    if not named or not isinstance(value, dict):
        return value
    return {name: _part(value[name], below) for name, below in named.items() if name in value}


def _item(items: list[Json], key: Json) -> Json | None:
    return next((item for item in items if all(item.get(name) == value for name, value in key.items())), None)


def _merged(old: Any, new: Any) -> Any:
    """``new`` over ``old``: objects field by field, lists of named items by the names."""
    if isinstance(old, dict) and isinstance(new, dict):
        both = {name: _merged(old[name], new[name]) for name in old.keys() & new.keys()}
        return {**old, **new, **both}
    if isinstance(old, list) and isinstance(new, list):
        before = {item["name"]: item for item in old}
        after = {item["name"]: item for item in new}
        return list(_merged(before, after).values())
    return new


def _manager(message: str) -> str:
    """The name in ``conflict with "kubectl-client-side-apply" using apps/v1``."""
    parts = message.split('"')
    return f"field manager {printable(parts[1])}" if len(parts) >= 3 else "another field manager"
