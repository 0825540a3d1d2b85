"""One target scaled in one round trip: the write need not wait for reads that only say who else sets the replicas."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from mlscale.errors import MlscaleError
from mlscale.kube.api_errors import ApiError, ApiNotFoundError
from mlscale.kube.asks import ask_get, ask_page
from mlscale.kube.kinds import HPA
from mlscale.kube.targets import Found, explain_not_found
from mlscale.scale.model import ScaleOutcome, ScalePlan, ScaleRequest
from mlscale.scale.plan import ScaleFacts, plan_scale
from mlscale.scale.write import ask_scale, explained, no_scale_subresource

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mlscale.kube.client import Client, Json


def can_scale_at_once(found: Sequence[Found], request: ScaleRequest) -> bool:
    """Whether nothing has been read yet that the write of the one target would wait for."""
    return len(found) == 1 and not found[0].live and not request.strict and request.dry_run != "client"


def scale_at_once(
    client: Client, found: Found, request: ScaleRequest, announce: Callable[[ScalePlan], None] | None = None
) -> ScaleOutcome:
    """Read the target and the HPAs of its namespace and write its scale, in this order and without waiting between.

    An object that may not be read does not keep its scale from being written: ``found.object`` stands in for it.
    """
    target = found.target
    if not target.kind.scalable:
        raise no_scale_subresource(target)
    hpas = HPA.path(target.namespace)
    read, page, written = client.in_one_round([ask_get(target.path()), ask_page(hpas), ask_scale(target, request)])
    if isinstance(written, MlscaleError):
        raise _failure(client, found, request, read, written)
    live = found if isinstance(read, MlscaleError) else Found(target, read)
    plan = plan_scale(ScaleFacts(live, _listed(client, page, hpas)), request)
    if announce:
        announce(plan)
    return ScaleOutcome(plan, with_replicas(live.object, request.replicas), written=request.dry_run == "none")


def with_replicas(obj: Json, replicas: int) -> Json:
    """The object as read, with spec.replicas set: what `kubectl scale -o yaml` prints."""
    printed = copy.deepcopy(obj)
    printed.setdefault("spec", {})["replicas"] = replicas
    return printed


def _failure(
    client: Client, found: Found, request: ScaleRequest, read: Json | MlscaleError, written: MlscaleError
) -> MlscaleError:
    """What to say of a write that failed: what the read failed with, where the server refused both.

    An object of a file is not read by kubectl, which then speaks of its scale.
    """
    if not isinstance(written, ApiError):
        return written
    if isinstance(read, ApiNotFoundError):
        return explain_not_found(client, found.target)
    is_of_file = "spec" in found.object
    return read if isinstance(read, ApiError) and not is_of_file else explained(client, found.target, request, written)


def _listed(client: Client, page: Json | MlscaleError, path: str) -> list[Json] | MlscaleError:
    if isinstance(page, MlscaleError):
        return page
    try:
        return client.items_from(page, path)
    except MlscaleError as error:
        return error
