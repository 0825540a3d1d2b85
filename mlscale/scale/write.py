"""The write itself: one request that carries its own preconditions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlscale.errors import ConflictError, MlscaleError, NotFoundError, RefusedError
from mlscale.kube.api_errors import ApiConflictError, ApiError, ApiNotFoundError
from mlscale.kube.asks import Ask, ask_json_patch, ask_merge_patch
from mlscale.kube.targets import explain_not_found

if TYPE_CHECKING:
    from mlscale.kube.client import Client, Json
    from mlscale.kube.targets import Target
    from mlscale.scale.model import ScaleRequest

NOTHING_CHANGED = "nothing was changed"


def write_scale(client: Client, target: Target, request: ScaleRequest) -> Json:
    """Set spec.replicas through the scale subresource and return the Scale.

    Raises ConflictError where a precondition does not hold.
    """
    try:
        return client.ask(ask_scale(target, request))
    except ApiError as error:
        raise explained(client, target, request, error) from error


def ask_scale(target: Target, request: ScaleRequest) -> Ask:
    """The write. The server checks --current-replicas (a JSON patch ``test``) and --resource-version (the patch names
    it) in the same request, so nobody can come between."""
    query = {"dryRun": "All"} if request.dry_run == "server" else {}
    path = target.path("scale")
    if request.current_replicas is not None:
        return ask_json_patch(path, _guarded_operations(request), **query)
    return ask_merge_patch(path, _merge_body(request), **query)


def _merge_body(request: ScaleRequest) -> Json:
    body: Json = {"spec": {"replicas": request.replicas}}
    if request.resource_version:
        body["metadata"] = {"resourceVersion": request.resource_version}
    return body


def _guarded_operations(request: ScaleRequest) -> list[Json]:
    # A Scale at 0 has no spec.replicas at all; a test for null passes on a missing field
    # (evanphx/json-patch, which the API server uses), a test for 0 does not.
    expected = request.current_replicas or None
    operations: list[Json] = [{"op": "test", "path": "/spec/replicas", "value": expected}]
    if request.resource_version:
        operations.append({"op": "replace", "path": "/metadata/resourceVersion", "value": request.resource_version})
    return [*operations, {"op": "add", "path": "/spec/replicas", "value": request.replicas}]


def explained(client: Client, target: Target, request: ScaleRequest, error: ApiError) -> MlscaleError:
    """What the write failed with, in the words of the command line."""
    if isinstance(error, ApiNotFoundError):
        # A missing object is named in the details; a kind without the subresource is not.
        named = error.status.details.get("name")
        return explain_not_found(client, target) if named else no_scale_subresource(target)
    if isinstance(error, ApiConflictError) and request.resource_version:
        return ConflictError(
            f"{target.printed} is no longer at resource version {request.resource_version}",
            f"{NOTHING_CHANGED}; read it again and decide anew",
        )
    if error.status.code == 422 and request.current_replicas is not None and not error.status.causes:
        return _replicas_differ(client, target, request.current_replicas)
    return error


def _replicas_differ(client: Client, target: Target, expected: int) -> MlscaleError:
    try:
        actual = str((client.get(target.path("scale")).get("spec") or {}).get("replicas", 0))
    except NotFoundError:
        return explain_not_found(client, target)
    except MlscaleError:
        actual = "another number of"
    return ConflictError(f"{target.printed} has {actual} replicas, not {expected}", NOTHING_CHANGED)


def no_scale_subresource(target: Target) -> RefusedError:
    """The error for a kind that cannot be scaled."""
    return RefusedError(
        f"{target.printed} cannot be scaled: {target.kind.resource} have no scale subresource",
        "deployments, statefulsets, replicasets and custom resources with /scale have one",
    )
