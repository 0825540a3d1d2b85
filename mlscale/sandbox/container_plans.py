"""What a scenario has in store for the containers of a pod."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from mlscale.sandbox.container_life import ContainerPlan, Probe

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from mlscale.sandbox.scenario import Workload

Json = dict[str, Any]

_PROBES = ("httpGet", "grpc", "tcpSocket", "exec")


def container_plans(
    spec: Json, workload: Workload | None, on_node: Collection[str], registry: Sequence[str]
) -> list[ContainerPlan]:
    """One for each container; ``on_node`` are the images that the pod's node has, ``registry`` the scenario's."""
    if workload is None:
        return [_bare_plan(container, spec, registry) for container in spec["containers"]]
    wanted = workload.container or spec["containers"][0]["name"]
    return [
        _main_plan(container, spec, workload, on_node, registry)
        if container["name"] == wanted
        else _side_plan(container, spec, workload, on_node, registry)
        for container in spec["containers"]
    ]


def is_missing(image: str, registry: Sequence[str]) -> bool:
    """Whether another tag of the image's repository is in ``registry``, and this one is not."""
    return image not in registry and _repository(image) in {_repository(known) for known in registry}


def _bare_plan(container: Json, spec: Json, registry: Sequence[str]) -> ContainerPlan:
    missing = is_missing(container["image"], registry)
    return ContainerPlan(container["name"], container["image"], missing=missing, restarts=_restarts(spec))


def _side_plan(
    container: Json, spec: Json, workload: Workload, on_node: Collection[str], registry: Sequence[str]
) -> ContainerPlan:
    image = container["image"]
    return ContainerPlan(
        container["name"],
        image,
        pull=None if image in on_node else workload.startup.pull,
        missing=is_missing(image, registry),
        restarts=_restarts(spec),
    )


def _main_plan(
    container: Json, spec: Json, workload: Workload, on_node: Collection[str], registry: Sequence[str]
) -> ContainerPlan:
    image, crash = container["image"], workload.crash
    crashes = crash is not None and fnmatchcase(image, crash.images)
    return ContainerPlan(
        container["name"],
        image,
        pull=None if image in on_node else workload.startup.pull,
        missing=is_missing(image, registry),
        load=workload.startup.load,
        probe=_probe(container),
        crash_after=crash.after if crash and crashes else None,
        exit_code=crash.exit_code if crash else 1,
        restarts=_restarts(spec),
    )


def _probe(container: Json) -> Probe | None:
    """The readiness probe, or else the startup probe; None: ready as soon as it runs."""
    asked = container.get("readinessProbe") or container.get("startupProbe")
    if not asked:
        return None
    how = next((name for name in _PROBES if name in asked), "exec")
    return Probe(float(asked.get("initialDelaySeconds") or 0), float(asked.get("periodSeconds") or 10), how)


def _repository(image: str) -> str:
    """The image without its tag."""
    head, slash, last = image.rpartition("/")
    return head + slash + last.partition(":")[0]


def _restarts(spec: Json) -> bool:
    """Whether a container that has failed is started again."""
    return bool(spec.get("restartPolicy", "Always") != "Never")
