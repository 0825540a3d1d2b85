"""Writing the sizes of containers: into the workload's template, or into the pods that run."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from mlscale.errors import ConflictError, MlscaleError, NotFoundError, RefusedError
from mlscale.kube.api_errors import ApiConflictError, ApiNotFoundError
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

    ``force`` takes fields over from other field managers. Raises ConflictError naming them, RefusedError for a step
    without a manifest, and ApiError.
    """
    if step.manifest is None:
        raise RefusedError(f"{target.printed} was not resized: there is no manifest for it", "run the command by hand")
    try:
        return client.apply(target.path(), step.manifest, force=force, dry_run=dry_run)
    except ApiConflictError as error:
        managers = sorted({_manager(str(cause.get("message") or "")) for cause in error.status.causes})
        raise ConflictError(
            f"{target.printed} was not changed: its resources were set by {', '.join(managers) or 'someone else'}",
            "--force-conflicts takes over, or change them where they were set",
        ) from error


def resize_pods(client: Client, target: Target, step: Step) -> list[str | MlscaleError]:
    """Resize the pods that run, without a restart, through ``pods/resize`` (stable from Kubernetes 1.35 on).

    The name of each pod, or why it was not resized. The template stays as it is, so new pods come with the old sizes.
    Requests and limits are set, never taken away, since the server allows only that. Raises MlscaleError where the
    pods could not be read, NotFoundError where there are none.
    """
    sizes = {resize.then.container: resize.then for resize in step.resizes}
    pods = _own_pods(client, target)
    if not pods:
        raise NotFoundError(f"{target.printed} has no pods to resize", "leave --in-place out to change its template")
    return client.together(*[partial(_resize_pod, client, pod, sizes) for pod in pods])


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


def _resize_pod(client: Client, pod: Json, sizes: dict[str, Size]) -> str:
    name = str(pod["metadata"]["name"])
    operations = list(_operations(pod["spec"], sizes))
    try:
        client.json_patch(POD.path(pod["metadata"]["namespace"], name, "resize"), operations)
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


def _manager(message: str) -> str:
    """The name in ``conflict with "kubectl-client-side-apply" using apps/v1``."""
    parts = message.split('"')
    return f"field manager {printable(parts[1])}" if len(parts) >= 3 else "another field manager"
