"""The rows of pods: what STATUS, READY and RESTARTS say.

The rules are those of printPod in pkg/printers/internalversion/printers.go, v1.37.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlscale.kube.pods import is_ready
from mlscale.sandbox.tables_layout import AGE, NAME, Column, Layout, age, has_condition, name_of, part, since

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from mlscale.sandbox.tables_layout import Cells

Json = dict[str, Any]

_NONE = "<none>"


@dataclass(frozen=True)
class _Containers:
    """What the statuses of some containers come to."""

    word: str | None = None
    """What they make of the pod's status; None: nothing."""
    ready: int = 0
    counted: tuple[Json, ...] = ()
    """The statuses whose restarts count."""


def pod_cells(pod: Json, now: datetime) -> Cells:
    """The row of one pod."""
    spec, status = part(pod, "spec"), part(pod, "status")
    sidecars = {one["name"] for one in spec.get("initContainers") or () if one.get("restartPolicy") == "Always"}
    total = len(spec.get("containers") or ()) + len(sidecars)
    init = _init_containers(pod, sidecars)
    main = _main_containers(pod, sidecars, init)
    word = _deleted_word(pod) or main.word or _phase_word(status)
    restarts = _restarts(main.counted, now)
    row = [name_of(pod), f"{init.ready + main.ready}/{total}", word, restarts, age(pod, now)]
    return [*row, *_wide_cells(spec, status)]


def _phase_word(status: Json) -> str:
    for condition in status.get("conditions") or ():
        if condition.get("type") == "PodScheduled" and condition.get("reason") == "SchedulingGated":
            return "SchedulingGated"
    word: str = status.get("reason") or status.get("phase") or ""
    return word


def _deleted_word(pod: Json) -> str | None:
    if not part(pod, "metadata").get("deletionTimestamp"):
        return None
    status = part(pod, "status")
    if status.get("reason") == "NodeLost":
        return "Unknown"
    return None if status.get("phase") in ("Succeeded", "Failed") else "Terminating"


def _init_containers(pod: Json, sidecars: set[str]) -> _Containers:
    """The init containers, up to the first that has not done its part."""
    statuses = part(pod, "status").get("initContainerStatuses") or ()
    total = len(part(pod, "spec").get("initContainers") or ())
    ready = 0
    for index, container in enumerate(statuses):
        if _exit_code(container) == 0:
            continue
        if container["name"] in sidecars and container.get("started"):
            ready += bool(container.get("ready"))
            continue
        word = f"Init:{_init_word(container) or f'{index}/{total}'}"
        return _Containers(word, ready, tuple(statuses[: index + 1]))
    return _Containers(None, ready, tuple(statuses))


def _init_word(container: Json) -> str | None:
    state = part(container, "state")
    if state.get("terminated") is not None:
        return _end_word(state["terminated"])
    reason: str | None = part(state, "waiting").get("reason")
    return None if reason == "PodInitializing" else reason


def _main_containers(pod: Json, sidecars: set[str], init: _Containers) -> _Containers:
    """The containers proper; they say nothing while the pod is not initialized."""
    status = part(pod, "status")
    if init.word and not has_condition(status.get("conditions"), "Initialized"):
        return _Containers(init.word, 0, init.counted)
    statuses = status.get("containerStatuses") or ()
    words = [word for word in map(_word, statuses) if word]
    ready = sum(_runs(one) for one in statuses)
    word = words[0] if words else init.word
    if word == "Completed":
        word = _completed_word(pod, ready)
    counted = [one for one in init.counted if one["name"] in sidecars]
    return _Containers(word, ready, (*counted, *statuses))


def _completed_word(pod: Json, ready: int) -> str:
    """One container has ended well: what the others make of it."""
    if ready and is_ready(pod):
        return "Running"
    failed = (one for one in part(pod, "status")["containerStatuses"] if _exit_code(one) not in (None, 0))
    word = next((_word(one) for one in failed), None)
    return word or ("NotReady" if ready else "Completed")


def _word(container: Json) -> str | None:
    state = part(container, "state")
    reason: str | None = part(state, "waiting").get("reason")
    if reason:
        return reason
    return None if state.get("terminated") is None else _end_word(state["terminated"])


def _end_word(ended: Json) -> str:
    reason: str = ended.get("reason") or ""
    if reason:
        return reason
    return f"Signal:{ended['signal']}" if ended.get("signal") else f"ExitCode:{ended.get('exitCode', 0)}"


def _exit_code(container: Json) -> int | None:
    ended = part(container, "state").get("terminated")
    return None if ended is None else ended.get("exitCode", 0)


def _runs(container: Json) -> bool:
    return bool(container.get("ready")) and part(container, "state").get("running") is not None


def _restarts(containers: Iterable[Json], now: datetime) -> str:
    """``3 (5m ago)``: how often, and when the last of them had ended before it."""
    count, last = 0, ""
    for one in containers:
        count += one.get("restartCount") or 0
        # Timestamps of one form compare as texts.
        last = max(last, part(one, "lastState", "terminated").get("finishedAt") or "")
    return f"{count} ({since(last, now)} ago)" if count and last else str(count)


def _wide_cells(spec: Json, status: Json) -> Cells:
    addresses = status.get("podIPs") or [{}]
    address = status.get("podIP") or addresses[0].get("ip") or _NONE
    nominated = status.get("nominatedNodeName") or _NONE
    return [address, spec.get("nodeName") or _NONE, nominated, _gates(spec, status)]


def _gates(spec: Json, status: Json) -> str:
    gates = spec.get("readinessGates") or ()
    passed = sum(has_condition(status.get("conditions"), gate["conditionType"]) for gate in gates)
    return f"{passed}/{len(gates)}" if gates else _NONE


PODS = Layout(
    (
        NAME,
        Column("Ready", "Containers that are ready, of all that should be."),
        Column("Status", "What the containers' states and the phase come to."),
        Column("Restarts", "How often containers were restarted, and when one last ended."),
        AGE,
        Column("IP", "Address of the pod.", priority=1),
        Column("Node", "Node that the pod is bound to.", priority=1),
        Column("Nominated Node", "Node on which room is being made for the pod.", priority=1),
        Column("Readiness Gates", "Gates that are passed, of all.", priority=1),
    ),
    pod_cells,
)
