"""One container of a pod as the kubelet runs it: pulled, started, loaded, ready; crashed or killed, and started again.

The rules are those of kubernetes pkg/kubelet, v1.37.2: images/image_manager.go, kuberuntime/kuberuntime_manager.go
(doBackOff) and kubelet.go (the lengths of back-offs), with k8s.io/client-go util/flowcontrol/backoff.go.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum

FIRST_BACKOFF = 10.0
LONGEST_BACKOFF = 300.0
BACKOFF_FORGOTTEN = 2 * LONGEST_BACKOFF
"""Seconds without a restart after which the next back-off is the first again."""
SHOWN = 1.0
"""So long a state that leads at once to another one stands in the status, in seconds."""


class State(Enum):
    """What the container is doing."""

    CREATING = "ContainerCreating"
    PULL_FAILED = "ErrImagePull"
    PULL_BACKOFF = "ImagePullBackOff"
    RUNNING = "Running"
    ENDED = "Terminated"
    CRASH_BACKOFF = "CrashLoopBackOff"


WAITING = (State.CREATING, State.PULL_FAILED, State.PULL_BACKOFF, State.CRASH_BACKOFF)


@dataclass(frozen=True, slots=True)
class ContainerPlan:
    """What is to become of a container; durations in seconds."""

    name: str
    image: str
    pull: float | None = None
    """None: its node has the image."""
    missing: bool = False
    """Whether the registry has no such image."""
    load: float = 0.0
    probe: Probe | None = None
    crash_after: float | None = None
    exit_code: int = 1
    restarts: bool = True
    """Whether the pod's restartPolicy starts it again after it has failed."""


@dataclass(frozen=True, slots=True)
class Probe:
    """When readiness is asked for, in seconds, and how (``httpGet``, ``tcpSocket``, ``grpc``, ``exec``)."""

    delay: float
    period: float
    how: str


@dataclass(frozen=True, slots=True)
class End:
    """How one run of a container ended."""

    reason: str
    exit_code: int
    started: datetime
    finished: datetime
    run: int
    """Which run it was; the first is 0."""


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that the kubelet records an event of."""

    type: str
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class ContainerLife:
    """The state of a container."""

    plan: ContainerPlan
    state: State
    since: datetime
    due: datetime | None
    """When it next changes by itself."""
    ready: bool = False
    restarts: int = 0
    last: End | None = None
    backoff: float = 0.0
    backoff_set: datetime | None = None

    @property
    def running(self) -> bool:
        """Whether its process runs."""
        return self.state is State.RUNNING

    def loaded(self, now: datetime) -> bool:
        """Whether it can serve."""
        return self.running and now >= self.since + timedelta(seconds=self.plan.load)


Step = tuple[ContainerLife, list[Happening]]


def begin(plan: ContainerPlan, now: datetime) -> Step:
    """A container of a pod that has just come to its node."""
    if plan.pull is None and not plan.missing:
        return ContainerLife(plan, State.CREATING, now, now), []
    takes = SHOWN if plan.missing else plan.pull or 0.0
    pulling = Happening("Normal", "Pulling", f'Pulling image "{plan.image}"')
    return ContainerLife(plan, State.CREATING, now, now + timedelta(seconds=takes)), [pulling]


def advance(life: ContainerLife, now: datetime, pod: str) -> Step:
    """What has become of it by ``now``; ``pod`` is what messages call its pod (``web-1_default(UID)``)."""
    happened: list[Happening] = []
    while life.due is not None and life.due <= now:
        life, more = _STEPS[life.state](life, life.due, pod)
        happened += more
    return life, happened


def killed(life: ContainerLife, now: datetime, reason: str, exit_code: int) -> ContainerLife:
    """The container after its process was ended from outside: ``OOMKilled`` with 137."""
    return _ended(life, now, reason, exit_code)


def _pulled(life: ContainerLife, now: datetime, pod: str) -> Step:
    plan = life.plan
    if plan.missing:
        return _pull_failed(life, now, pod)
    if plan.pull is None:
        message = f'Container image "{plan.image}" already present on machine and can be accessed by the pod'
    else:
        took = f"{plan.pull:.3f}".rstrip("0").rstrip(".") + "s"
        message = (
            f'Successfully pulled image "{plan.image}" in {took} ({took} including waiting). '
            f"Image size: {image_size(plan.image)} bytes."
        )
    started, happened = _started(life, now)
    return started, [Happening("Normal", "Pulled", message), *happened]


def _pull_failed(life: ContainerLife, now: datetime, _pod: str) -> Step:
    image = life.plan.image
    happened = [
        Happening("Warning", "Failed", f'Failed to pull image "{image}": {pull_error(image)}'),
        Happening("Warning", "Failed", "Error: ErrImagePull"),
    ]
    if life.state is State.PULL_BACKOFF:
        happened.insert(0, Happening("Normal", "Pulling", f'Pulling image "{image}"'))
    shown = now + timedelta(seconds=SHOWN)
    return replace(_backed_off(life, now), state=State.PULL_FAILED, since=now, due=shown), happened


def _pull_backoff(life: ContainerLife, now: datetime, _pod: str) -> Step:
    again = life.since + timedelta(seconds=life.backoff)
    happened = [
        Happening("Normal", "BackOff", f'Back-off pulling image "{life.plan.image}"'),
        Happening("Warning", "Failed", "Error: ImagePullBackOff"),
    ]
    return replace(life, state=State.PULL_BACKOFF, since=now, due=again), happened


def _started(life: ContainerLife, now: datetime) -> Step:
    happened = [
        Happening("Normal", "Created", "Container created"),
        Happening("Normal", "Started", "Container started"),
    ]
    started = replace(life, state=State.RUNNING, since=now, ready=False, due=None)
    return _with_next(started, now), happened


def _runs(life: ContainerLife, now: datetime, _pod: str) -> Step:
    """A probe is due, or the crash."""
    plan = life.plan
    if plan.crash_after is not None and now >= life.since + timedelta(seconds=plan.crash_after):
        return _ended(life, now, "Error", plan.exit_code), []
    if plan.probe is None or life.loaded(now):
        return _with_next(replace(life, ready=True), now), []
    failed = Happening("Warning", "Unhealthy", f"Readiness probe failed: {_PROBE_FAILURES.get(plan.probe.how, '')}")
    return _with_next(life, now), [failed]


def _with_next(life: ContainerLife, now: datetime) -> ContainerLife:
    """``life``, ready where nothing has to be asked, and due when something next happens to it."""
    plan = life.plan
    if plan.probe is None:
        life = replace(life, ready=True)
    due = None if life.ready or plan.probe is None else _next_probe(plan.probe, life.since, now)
    if plan.crash_after is not None:
        crash = life.since + timedelta(seconds=plan.crash_after)
        due = crash if due is None else min(due, crash)
    return replace(life, due=due)


def _next_probe(probe: Probe, started: datetime, now: datetime) -> datetime:
    first, period = started + timedelta(seconds=max(probe.delay, SHOWN)), timedelta(seconds=probe.period)
    if now < first:
        return first
    return first + ((now - first) // period + 1) * period


def _ended(life: ContainerLife, now: datetime, reason: str, exit_code: int) -> ContainerLife:
    end = End(reason, exit_code, life.since, now, life.restarts)
    due = now + timedelta(seconds=SHOWN) if life.plan.restarts else None
    return replace(life, state=State.ENDED, since=now, due=due, ready=False, last=end)


def _after_end(life: ContainerLife, now: datetime, pod: str) -> Step:
    """Start it again at once, unless it has failed before in the last minutes."""
    if life.backoff_set is None or (life.since - life.backoff_set).total_seconds() > BACKOFF_FORGOTTEN:
        return _restarted(life, now, pod)
    message = f"Back-off restarting failed container {life.plan.name} in pod {pod}"
    again = life.since + timedelta(seconds=life.backoff)
    waiting = replace(life, state=State.CRASH_BACKOFF, since=now, due=again)
    return waiting, [Happening("Warning", "BackOff", message)]


def _restarted(life: ContainerLife, now: datetime, _pod: str) -> Step:
    message = f'Container image "{life.plan.image}" already present on machine and can be accessed by the pod'
    failed = life.last.finished if life.last else now
    life = replace(_backed_off(life, now, failed), restarts=life.restarts + 1)
    started, happened = _started(life, now)
    return started, [Happening("Normal", "Pulled", message), *happened]


def _backed_off(life: ContainerLife, now: datetime, failed: datetime | None = None) -> ContainerLife:
    """The next back-off: 10 s, then twice the last, at most 5 min."""
    forgotten = life.backoff_set is None or ((failed or now) - life.backoff_set).total_seconds() > BACKOFF_FORGOTTEN
    backoff = FIRST_BACKOFF if forgotten else min(2 * life.backoff, LONGEST_BACKOFF)
    return replace(life, backoff=backoff, backoff_set=now)


def pull_error(image: str) -> str:
    """What containerd says of an image that its registry does not have."""
    full = image if "/" in image else f"docker.io/library/{image}"
    full = full if ":" in full.rsplit("/", 1)[-1] else f"{full}:latest"
    return (
        f'rpc error: code = NotFound desc = failed to pull and unpack image "{full}": '
        f'failed to resolve reference "{full}": {full}: not found'
    )


def image_size(image: str) -> int:
    """Bytes; every image has its own size, between 1 and 5 GB."""
    digest = hashlib.sha256(image.encode()).digest()
    return 10**9 + int.from_bytes(digest[:8], "big") % (4 * 10**9)


_PROBE_FAILURES = {
    "httpGet": "HTTP probe failed with statuscode: 503",
    "grpc": "service unhealthy (responded with \"NOT_SERVING\")",
}  # fmt: skip
_STEPS = {
    State.CREATING: _pulled,
    State.PULL_FAILED: _pull_backoff,
    State.PULL_BACKOFF: _pull_failed,
    State.RUNNING: _runs,
    State.ENDED: _after_end,
    State.CRASH_BACKOFF: _restarted,
}
