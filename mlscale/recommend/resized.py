"""What the kubelets have made of a resize that the server has taken.

By kubernetes.io/docs/tasks/configure-pod-container/resize-container-resources (1.37): the sizes in effect are in
``status.containerStatuses[].resources``, and the conditions PodResizePending and PodResizeInProgress tell the way.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from mlscale.errors import MlscaleError, NotFoundError, RefusedError, WaitTimeoutError
from mlscale.kube.api_errors import ApiNotFoundError, shortened
from mlscale.kube.kinds import POD
from mlscale.kube.pod_resources import amounts
from mlscale.kube.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mlscale.kube.client import Client
    from mlscale.scale.model import Clock

Json = dict[str, Any]

PATIENCE = 60.0
"""Seconds that a kubelet is given."""
PAUSE = 1.0


def wait_resized(client: Client, namespace: str, names: Iterable[str], clock: Clock) -> Iterator[str | MlscaleError]:
    """Each pod of ``names``, or why its containers do not have their new sizes; after PATIENCE seconds at most."""
    waiting, end = list(names), clock.now() + PATIENCE
    while waiting:
        read = client.together(*[partial(client.get, POD.path(namespace, name)) for name in waiting])
        late = clock.now() >= end
        left = []
        for name, pod in zip(waiting, read, strict=True):
            outcome = _gone(name, pod) if isinstance(pod, MlscaleError) else outcome_of(pod, late=late)
            if outcome is None:
                left.append(name)
            else:
                yield outcome
        waiting = left
        if waiting:
            clock.sleep(PAUSE)


def outcome_of(pod: Json, *, late: bool) -> str | MlscaleError | None:
    """The name of a ``pod`` that has its sizes, why it will not have them, or None while that is not known."""
    name = str(pod["metadata"]["name"])
    printed, status = f"pod/{printable(name)}", pod.get("status") or {}
    conditions = {one.get("type"): one for one in status.get("conditions") or [] if one.get("status") == "True"}
    pending = conditions.get("PodResizePending") or {}
    why = shortened(str(pending.get("message") or ""))
    if pending.get("reason") == "Infeasible":
        return RefusedError(
            f"{printed} keeps its sizes: {why}", "leave --in-place out: a new pod may find another node"
        )
    if has_new_sizes(pod) and not conditions.keys() & {"PodResizePending", "PodResizeInProgress"}:
        return name
    if not late:
        return None
    if pending:
        hint = "it follows once there is room; leave --in-place out for new pods, which may find another node"
        return WaitTimeoutError(f"{printed} keeps its sizes for now ({pending.get('reason')}): {why}", hint)
    return WaitTimeoutError(
        f"{printed} asks for its new sizes, but its node has not put them into effect in {PATIENCE:g} s",
        "see its conditions and the kubelet of its node, or leave --in-place out",
    )


def has_new_sizes(pod: Json) -> bool:
    """Whether each container that runs has the CPU and memory that the spec asks for."""
    specs = {
        str(one["name"]): one for group in ("containers", "initContainers") for one in pod["spec"].get(group) or []
    }
    status = pod.get("status") or {}
    running = (
        one
        for group in ("containerStatuses", "initContainerStatuses")
        for one in status.get(group) or []
        if (one.get("state") or {}).get("running") is not None and one.get("name") in specs
    )
    return all(_sizes(one.get("resources")) == _sizes(specs[one["name"]].get("resources")) for one in running)


def _sizes(resources: Json | None) -> list[dict[str, int]]:
    kinds = (amounts((resources or {}).get(kind)) for kind in ("requests", "limits"))
    return [{name: nano for name, nano in own.items() if name in ("cpu", "memory")} for own in kinds]


def _gone(name: str, error: MlscaleError) -> MlscaleError:
    if isinstance(error, ApiNotFoundError):
        return NotFoundError(f"pod/{printable(name)} has gone before it had its new sizes")
    return error
