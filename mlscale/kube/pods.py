"""What keeps a pod from doing its work, read from its own object.

The reasons are those of the kubelet and the scheduler, kubernetes v1.37.2: pkg/kubelet/images/types.go,
pkg/kubelet/container/sync_result.go, pkg/scheduler/framework/types.go (FitError).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from mlscale.frozen import frozen
from mlscale.kube.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Json = dict[str, Any]

NOT_READY_AFTER = timedelta(seconds=30)
"""A container may take so long to become Ready before that is worth a word."""
UNSEEN_AFTER = timedelta(seconds=30)
"""So long a new pod may be without a word of the scheduler or the kubelet."""
TERMINATING_SLACK = timedelta(seconds=10)
"""The kubelet may take so long after the grace period to report a pod's end."""
OOM_FORGOTTEN_AFTER = timedelta(hours=24)
"""A container that has run longer than this since it was killed for memory is taken as well."""

IMAGE_REASONS = (
    "ImagePullBackOff", "ErrImagePull", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError",
    "RegistryUnavailable", "SignatureValidationFailed",
)  # fmt: skip
CONFIG_REASONS = (
    "CreateContainerConfigError", "CreateContainerError", "RunContainerError", "PreCreateHookError",
    "PreStartHookError", "PostStartHookError",
)  # fmt: skip


@frozen
class Trouble:
    """Why a pod does not work: a CamelCase reason and a sentence."""

    reason: str
    message: str
    cause: str = ""
    """What pods with the same trouble share (the resource, image or container); the message where empty."""


@frozen
class TroubleGroup:
    """Pods with the same trouble; the message is that of the first."""

    reason: str
    message: str
    pods: tuple[str, ...]


@frozen
class _Container:
    """A container's status beside its spec; ``words`` is ``container server`` or ``init container migrate``."""

    words: str
    spec: Json
    status: Json

    def waiting(self) -> Json:
        return (self.status.get("state") or {}).get("waiting") or {}

    def ended(self) -> Json:
        """The end it is in now, or else its last one."""
        now = (self.status.get("state") or {}).get("terminated")
        return now or (self.status.get("lastState") or {}).get("terminated") or {}

    @property
    def restarts(self) -> int:
        return int(self.status.get("restartCount") or 0)


def is_ready(pod: Json) -> bool:
    """Whether its Ready condition is True."""
    return _condition(pod, "Ready").get("status") == "True"


def is_terminating(pod: Json) -> bool:
    """Whether it was told to end."""
    return bool((pod.get("metadata") or {}).get("deletionTimestamp"))


def oom_restarts(pod: Json) -> int:
    """Restarts of the containers whose last end was by the kernel for lack of memory (OOMKilled)."""
    return sum(container.restarts for container in _containers(pod) if _was_oom_killed(container))


def pod_trouble(pod: Json, now: datetime, *, not_ready_after: timedelta = NOT_READY_AFTER) -> Trouble | None:
    """Why ``pod`` does not work at ``now`` (with a time zone), or None while nothing is wrong with it.

    A pod that is merely starting, or ending within its grace period, is not in trouble.
    """
    phase = (pod.get("status") or {}).get("phase")
    if is_terminating(pod):
        return _stuck_terminating(pod, now)
    if phase == "Failed":
        return _failed(pod)
    if phase == "Succeeded":
        return None
    for container in _containers(pod):
        trouble = _container_trouble(container, pod, now)
        if trouble:
            return trouble
    return _unscheduled(pod, now) or _not_ready(pod, now, not_ready_after) or _oom_killed(pod, now)


def group_troubles(troubles: Iterable[tuple[str, Trouble]]) -> list[TroubleGroup]:
    """Pods with the same reason and cause together, in the order in which they were first seen."""
    groups: dict[tuple[str, str], tuple[Trouble, list[str]]] = {}
    for pod, trouble in troubles:
        key = (trouble.reason, trouble.cause or trouble.message)
        groups.setdefault(key, (trouble, []))[1].append(pod)
    return [TroubleGroup(first.reason, first.message, tuple(pods)) for first, pods in groups.values()]


def summarise(troubles: Iterable[tuple[str, Trouble]]) -> list[str]:
    """One line a group: ``3 pods Unschedulable: nvidia.com/gpu is short (…): web-1, web-2, web-3``."""
    return [group_line(group) for group in group_troubles(troubles)]


def group_line(group: TroubleGroup) -> str:
    """``pod web-1 CrashLoopBackOff: …`` for one pod; the number and the first three names for several."""
    names = [printable(name) for name in group.pods]
    if len(names) == 1:
        return f"pod {names[0]} {group.reason}: {group.message}"
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"{len(names)} pods {group.reason}: {group.message}: {', '.join(names[:3])}{more}"


def short_age(age: timedelta) -> str:
    """``45s``, ``12m``, ``5h``, ``3d``: the largest whole unit, minutes from two on."""
    seconds = max(0, int(age.total_seconds()))
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def timestamp(text: object) -> datetime | None:
    """An API time (``2026-11-24T20:58:07Z``), or None where there is none."""
    try:
        return datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None


def short_resources(scheduler_message: str) -> list[str]:
    """The resources that the scheduler calls ``Insufficient``, in its order, each once."""
    after = scheduler_message.split("Insufficient ")[1:]
    names = [part.split(",")[0].split()[0].rstrip(".") for part in after if part.strip()]
    return list(dict.fromkeys(printable(name) for name in names if name))


def _containers(pod: Json) -> Iterator[_Container]:
    spec, status = pod.get("spec") or {}, pod.get("status") or {}
    kinds = (
        ("init container", "initContainers", "initContainerStatuses"),
        ("container", "containers", "containerStatuses"),
    )
    for words, specs, statuses in kinds:
        by_name = {container.get("name"): container for container in spec.get(specs) or ()}
        for entry in status.get(statuses) or ():
            name = entry.get("name") or ""
            yield _Container(f"{words} {printable(name)}", by_name.get(name) or {}, entry)


def _container_trouble(container: _Container, pod: Json, now: datetime) -> Trouble | None:
    waiting = container.waiting()
    reason = waiting.get("reason") or ""
    if reason in IMAGE_REASONS:
        return _image_trouble(container, reason, waiting)
    if reason in CONFIG_REASONS:
        message = f"{container.words} cannot be created{_because(waiting.get('message'))}"
        return Trouble(reason, message, container.words)
    if reason == "CrashLoopBackOff":
        return Trouble(reason, f"{_end_words(container)}{_restarts(container)}", _end_words(container))
    return _ended_trouble(container) or _slow_start(container, reason, pod, now)


def _image_trouble(container: _Container, reason: str, waiting: Json) -> Trouble:
    image = printable(str(container.status.get("image") or container.spec.get("image") or ""))
    verb = "is no valid name of an image" if reason == "InvalidImageName" else "cannot be pulled"
    # The back-off's own message only repeats the image; the error before it says what is wrong.
    detail = "" if reason in ("ImagePullBackOff", "InvalidImageName") else _because(waiting.get("message"))
    return Trouble(reason, f'image "{image}" of {container.words} {verb}{detail}', image)


def _ended_trouble(container: _Container) -> Trouble | None:
    """A container that has ended with an error, between its end and the next start or the back-off."""
    ended = (container.status.get("state") or {}).get("terminated") or {}
    if not ended or ended.get("exitCode") == 0:
        return None
    reason = printable(str(ended.get("reason") or "Error"))
    return Trouble(reason, f"{_end_words(container)}{_restarts(container)}", _end_words(container))


def _slow_start(container: _Container, reason: str, pod: Json, now: datetime) -> Trouble | None:
    age = _age(pod, now)
    if reason != "ContainerCreating" or age < UNSEEN_AFTER * 4:
        return None
    node = printable(str((pod.get("spec") or {}).get("nodeName") or ""))
    message = f"{container.words} has not started for {short_age(age)} on node {node}; the pod's events say why"
    return Trouble("ContainerCreating", message, container.words)


def _end_words(container: _Container) -> str:
    """``container server was killed for memory (limit 512Mi)``, or its last exit code and reason."""
    if _was_oom_killed(container):
        limit = ((container.spec.get("resources") or {}).get("limits") or {}).get("memory")
        return f"{container.words} was killed for memory ({_limit(limit)})"
    ended = container.ended()
    reason = printable(str(ended.get("reason") or ""))
    known = f" ({reason})" if reason and reason != "Error" else ""
    if "exitCode" not in ended:
        return f"{container.words} keeps ending"
    return f"{container.words} ended with exit code {ended['exitCode']}{known}"


def _limit(limit: object) -> str:
    return f"limit {printable(str(limit))}" if limit else "no limit of its own"


def _restarts(container: _Container) -> str:
    count = container.restarts
    return f", {count} restart{'s' if count != 1 else ''}" if count else ""


def _was_oom_killed(container: _Container) -> bool:
    return container.ended().get("reason") == "OOMKilled"


def _oom_killed(pod: Json, now: datetime) -> Trouble | None:
    for container in _containers(pod):
        when = timestamp(container.ended().get("finishedAt"))
        if _was_oom_killed(container) and (when is None or now - when <= OOM_FORGOTTEN_AFTER):
            ago = f", the last {short_age(now - when)} ago" if when else ""
            message = f"{_end_words(container)}{_restarts(container)}{ago}"
            return Trouble("OOMKilled", message, _end_words(container))
    return None


def _unscheduled(pod: Json, now: datetime) -> Trouble | None:
    scheduled = _condition(pod, "PodScheduled")
    reason, message = scheduled.get("reason"), str(scheduled.get("message") or "")
    if scheduled.get("status") == "False" and reason == "SchedulingGated":
        gates = [str(gate.get("name")) for gate in (pod.get("spec") or {}).get("schedulingGates") or ()]
        names = printable(", ".join(gates))
        return Trouble("SchedulingGated", f"held back until its scheduling gates are removed: {names}", names)
    if scheduled.get("status") == "False":
        return _unschedulable(printable(str(reason or "Unschedulable")), message)
    age = _age(pod, now)
    status = pod.get("status") or {}
    unseen = not scheduled and status.get("phase") == "Pending" and not status.get("containerStatuses")
    if unseen and not (pod.get("spec") or {}).get("nodeName") and age >= UNSEEN_AFTER:
        name = printable(str((pod.get("spec") or {}).get("schedulerName") or "default-scheduler"))
        message = f"scheduler {name} has not looked at it for {short_age(age)}; check that it runs"
        return Trouble("Pending", message, name)
    return None


def _unschedulable(reason: str, message: str) -> Trouble:
    # "0/7 nodes are available: 7 Insufficient nvidia.com/gpu. preemption: 0/7 …" is said twice over.
    fit = printable(" ".join(message.split(" preemption:")[0].split())).rstrip(". ")
    short = short_resources(fit)
    if short:
        verb = "is" if len(short) == 1 else "are"
        return Trouble(reason, f"{' and '.join(short)} {verb} short ({fit})", f"{short}")
    return Trouble(reason, f"no node fits ({fit})" if "nodes are available" in fit else fit)


def _not_ready(pod: Json, now: datetime, after: timedelta) -> Trouble | None:
    ready = _condition(pod, "Ready")
    since = timestamp(ready.get("lastTransitionTime"))
    if (pod.get("status") or {}).get("phase") != "Running" or ready.get("status") == "True" or since is None:
        return None
    if now - since < after:
        return None
    waiting = [c for c in _containers(pod) if "running" in (c.status.get("state") or {}) and not c.status.get("ready")]
    if not waiting:
        detail = _because(ready.get("message") or ready.get("reason"))
        return Trouble("NotReady", f"running but not Ready for {short_age(now - since)}{detail}", "no container")
    container = waiting[0]
    probe = ": its readiness probe fails" if container.spec.get("readinessProbe") else ""
    probe = ": its startup probe has not succeeded" if container.status.get("started") is False else probe
    message = f"{container.words} is running but not Ready for {short_age(now - since)}{probe}"
    return Trouble("NotReady", message, container.words)


def _failed(pod: Json) -> Trouble:
    status = pod.get("status") or {}
    reason = printable(str(status.get("reason") or "Failed"))
    if status.get("message"):
        return Trouble(reason, printable(" ".join(str(status["message"]).split())).rstrip("."))
    ended = next((c for c in _containers(pod) if c.ended().get("exitCode") not in (0, None)), None)
    return Trouble(reason, _end_words(ended) if ended else "the pod has failed")


def _stuck_terminating(pod: Json, now: datetime) -> Trouble | None:
    metadata = pod.get("metadata") or {}
    # deletionTimestamp lies in the future: it is the time of the deletion plus the grace period.
    due = timestamp(metadata.get("deletionTimestamp"))
    if due is None or now - due < TERMINATING_SLACK:
        return None
    finalizers = printable(", ".join(map(str, metadata.get("finalizers") or ())))
    node = printable(str((pod.get("spec") or {}).get("nodeName") or ""))
    holder = f"finalizers hold it: {finalizers}" if finalizers else f"node {node} has not reported its end"
    message = f"still there {short_age(now - due)} after its grace period; {holder}"
    return Trouble("Terminating", message, holder)


def _age(pod: Json, now: datetime) -> timedelta:
    created = timestamp((pod.get("metadata") or {}).get("creationTimestamp"))
    return now - created if created else timedelta(0)


def _condition(pod: Json, name: str) -> Json:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return next((condition for condition in conditions if condition.get("type") == name), {})


def _because(message: object) -> str:
    text = printable(" ".join(str(message or "").split())).rstrip(".")
    return f": {text}" if text else ""
