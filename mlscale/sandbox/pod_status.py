"""The status of a pod as its kubelet writes it.

From kubernetes pkg/kubelet/kubelet_pods.go (generateAPIPodStatus) and status/generate.go, v1.37.2.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from mlscale.sandbox.agenda import timestamp
from mlscale.sandbox.container_life import WAITING, ContainerLife, State, pull_error

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from mlscale.sandbox.container_life import End

Json = dict[str, Any]


def pod_status(
    pod: Json, containers: Sequence[ContainerLife], pod_ip: str, host_ip: str, started: datetime, now: datetime
) -> Json:
    """The whole status; ``started`` is when the kubelet first saw the pod, ``host_ip`` may be empty."""
    before = pod.get("status") or {}
    phase = _phase(pod["spec"], containers)
    up = any(life.state is not State.CREATING for life in containers)
    status: Json = {
        "observedGeneration": pod["metadata"].get("generation", 1),
        "phase": phase,
        "conditions": _conditions(pod, containers, phase, up, timestamp(now)),
    }
    if host_ip:
        status |= {"hostIP": host_ip, "hostIPs": [{"ip": host_ip}]}
    if up:
        status |= {"podIP": pod_ip, "podIPs": [{"ip": pod_ip}]}
    status["startTime"] = timestamp(started)
    if starting := pod["spec"].get("initContainers"):
        status["initContainerStatuses"] = [_init_status(pod, each, timestamp(started)) for each in starting]
    specs = {each["name"]: each for each in pod["spec"]["containers"]}
    status["containerStatuses"] = [_container_status(pod, specs[life.plan.name], life) for life in containers]
    kept = {name: before[name] for name in ("qosClass", "nominatedNodeName") if name in before}
    return status | kept


def pod_title(pod: Json) -> str:
    """What the kubelet's messages call a pod: ``web-1_default(UID)``."""
    metadata = pod["metadata"]
    return f"{metadata['name']}_{metadata['namespace']}({metadata['uid']})"


def _phase(spec: Json, containers: Sequence[ContainerLife]) -> str:
    """Running as soon as each container has been started once (getPhase)."""
    if any(life.state in WAITING and life.last is None for life in containers):
        return "Pending"
    over = [life for life in containers if life.state is State.ENDED and not life.plan.restarts]
    if len(over) < len(containers) or spec.get("restartPolicy", "Always") == "Always":
        return "Running"
    failed = any(life.last and life.last.exit_code for life in over)
    return "Failed" if failed else "Succeeded"


def _conditions(
    pod: Json, containers: Sequence[ContainerLife], phase: str, up: bool, now: str
) -> list[Json]:  # fmt: skip
    unready = [life.plan.name for life in containers if not life.ready]
    reason = {"Failed": "PodFailed", "Succeeded": "PodCompleted"}.get(phase, "ContainersNotReady")
    why: Json = {"reason": reason} if unready else {}
    if reason == "ContainersNotReady" and unready:
        why["message"] = f"containers with unready status: [{' '.join(unready)}]"
    values = {
        "PodReadyToStartContainers": (up, {}),
        "Initialized": (True, {}),
        "Ready": (not unready, why),
        "ContainersReady": (not unready, why),
        "PodScheduled": (True, {}),
    }
    before = {each["type"]: each for each in (pod.get("status") or {}).get("conditions") or ()}
    generation = pod["metadata"].get("generation", 1)
    made = [_condition(name, *value, before.pop(name, {}), generation, now) for name, value in values.items()]
    return [*made, *before.values()]


def _condition(name: str, true: bool, why: Json, before: Json, generation: int, now: str) -> Json:
    status = "True" if true else "False"
    since = before["lastTransitionTime"] if before.get("status") == status else now
    return {
        "type": name,
        "observedGeneration": generation,
        "status": status,
        "lastProbeTime": None,
        "lastTransitionTime": since,
        **why,
    }


def _container_status(pod: Json, spec: Json, life: ContainerLife) -> Json:
    state, last = _states(pod, life)
    has_image = life.running or life.last is not None
    status: Json = {
        "name": life.plan.name,
        "state": state,
        "lastState": last,
        "ready": life.ready,
        "restartCount": life.restarts,
        "image": life.plan.image,
        "imageID": image_id(life.plan.image) if has_image else "",
    }
    if has_image:
        status["containerID"] = _container_id(pod, life.plan.name, life.restarts)
    status["started"] = life.running
    resources = spec.get("resources") or {}
    if has_image and resources.get("requests"):
        status["allocatedResources"] = resources["requests"]
    if has_image:
        status["resources"] = resources
    return status


def _states(pod: Json, life: ContainerLife) -> tuple[Json, Json]:
    """The present state, and the last one where the container has ended before."""
    ended = {"terminated": _terminated(pod, life.plan.name, life.last)} if life.last else {}
    if life.running:
        return {"running": {"startedAt": timestamp(life.since)}}, ended
    if life.state is State.ENDED:
        return ended, {}
    waiting = {"reason": life.state.value}
    if message := _waiting_message(pod, life):
        waiting["message"] = message
    return {"waiting": waiting}, ended


def _waiting_message(pod: Json, life: ContainerLife) -> str:
    if life.state is State.PULL_FAILED:
        return pull_error(life.plan.image)
    if life.state is State.PULL_BACKOFF:
        return f'Back-off pulling image "{life.plan.image}": ErrImagePull: {pull_error(life.plan.image)}'
    if life.state is State.CRASH_BACKOFF:
        wait = _go_duration(int(life.backoff))
        return f"back-off {wait} restarting failed container={life.plan.name} pod={pod_title(pod)}"
    return ""


def _go_duration(seconds: int) -> str:
    """``10s``, ``1m20s``, ``5m0s``."""
    minutes, rest = divmod(seconds, 60)
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"


def _terminated(pod: Json, name: str, end: End) -> Json:
    return {
        "exitCode": end.exit_code,
        "reason": end.reason,
        "startedAt": timestamp(end.started),
        "finishedAt": timestamp(end.finished),
        "containerID": _container_id(pod, name, end.run),
    }


def _init_status(pod: Json, spec: Json, started: str) -> Json:
    """An init container that has done its work at once, or a sidecar that runs."""
    name = spec["name"]
    container_id = _container_id(pod, name, 0)
    sidecar = spec.get("restartPolicy") == "Always"
    done = {"exitCode": 0, "reason": "Completed", "startedAt": started, "finishedAt": started}
    ended = {"terminated": {**done, "containerID": container_id}}
    return {
        "name": name,
        "state": {"running": {"startedAt": started}} if sidecar else ended,
        "lastState": {},
        "ready": True,
        "restartCount": 0,
        "image": spec["image"],
        "imageID": image_id(spec["image"]),
        "containerID": container_id,
        "started": sidecar,
    }  # fmt: skip


def image_id(image: str) -> str:
    """The image by its digest."""
    last = image.rsplit("/", 1)[-1]
    repository = image[: len(image) - len(last)] + last.partition(":")[0]
    return f"{repository}@sha256:{hashlib.sha256(image.encode()).hexdigest()}"


def _container_id(pod: Json, name: str, run: int) -> str:
    text = f"{pod['metadata']['uid']}/{name}/{run}"
    return f"containerd://{hashlib.sha256(text.encode()).hexdigest()}"
