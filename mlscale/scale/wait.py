"""Waiting for what a scale has set off, and saying why it does not come."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlscale.errors import ChangedMeanwhileError, MlscaleError, WaitTimeoutError
from mlscale.frozen import frozen
from mlscale.kube.api_errors import ApiError, shortened
from mlscale.kube.asks import ask_get
from mlscale.kube.connection_errors import ConnectionFailedError
from mlscale.kube.kinds import EVENT, HPA, POD
from mlscale.kube.owners import HPA_CONTROLLER, hpas_of, last_writer_of_replicas
from mlscale.kube.pods import group_line, group_troubles, is_ready, is_terminating, pod_trouble
from mlscale.kube.text import printable
from mlscale.scale.model import Clock, Progress, ScalePlan

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from mlscale.kube.client import Client, Json
    from mlscale.kube.targets import Target

FIRST_PAUSE = 0.1
LONGEST_PAUSE = 1.0
"""Seconds between two looks: quick at first, then once a second as kubectl does."""
HPA_SYNC = 20.0
"""Seconds in which an HPA brings replicas that are out of its range back: it looks every 15 s
(--horizontal-pod-autoscaler-sync-period), and what it sets has to arrive."""
OUT_OF_RANGE = ("AboveHPAMax", "BelowHPAMin")


@frozen
class Seen:
    """One look at a target while waiting."""

    scale: Json
    pods: Sequence[Json]
    object: Json

    @property
    def replicas(self) -> int:
        """spec.replicas; a Scale at 0 leaves the field out."""
        return int((self.scale.get("spec") or {}).get("replicas") or 0)

    @property
    def counted(self) -> int:
        """status.replicas: the pods that the controller knows of."""
        return int((self.scale.get("status") or {}).get("replicas") or 0)


def wait_counts(client: Client, plan: ScalePlan, timeout: float, clock: Clock, since: float) -> None:
    """Wait until status.replicas is spec.replicas, as ``kubectl scale --timeout`` does, for ``timeout`` seconds
    from ``since`` on.

    Also done when someone else changed spec.replicas (kubectl pkg/scale/scale.go, ScaleHasDesiredReplicas).
    Raises WaitTimeoutError.
    """
    target = plan.target

    def look() -> tuple[bool, str]:
        seen = Seen(client.get(target.path("scale")), (), {})
        done = seen.replicas != plan.after or seen.counted == seen.replicas
        return done, f"{seen.counted} of {plan.after} pods exist"

    last = _until(look, since + timeout, clock)
    if last:
        raise WaitTimeoutError(
            f"{target.printed} was scaled, but timed out after {timeout:g} s: {last}", "--wait says why"
        )


def wait_ready(
    client: Client, plan: ScalePlan, timeout: float, clock: Clock, since: float, progress: Callable[[Progress], None]
) -> None:
    """Wait until exactly ``plan.after`` pods exist and all are Ready, for ``timeout`` seconds from ``since`` on.

    Where an HPA will bring them back into its range, they have to stay until it would have done so.
    Raises WaitTimeoutError with the reasons that pods, controller and events give, and
    ChangedMeanwhileError naming who set another number of replicas meanwhile.
    """
    target = plan.target
    stays = any(finding.reason in OUT_OF_RANGE for finding in plan.owners)
    settled = since + min(timeout, HPA_SYNC if stays else 0.0)

    def look() -> tuple[bool, str]:
        seen = read_seen(client, target)
        if seen.replicas != plan.after:
            raise _changed(client, plan, seen)
        state = judge(target, plan.after, seen, client.now())
        progress(state)
        return state.ready == plan.after and not state.removed and clock.now() >= settled, state.sentence

    last = _until(look, since + timeout, clock)
    if last:
        created = _failed_creates(client, target) if "FailedCreate" not in last else ""
        raise WaitTimeoutError(
            f"{target.printed} was scaled to {plan.after}, but after {timeout:g} s {last}{created}",
            "the replicas stay as set; mend the cause or scale back",
        )


def read_seen(client: Client, target: Target) -> Seen:
    """The scale, the object and the pods that the scale's selector matches."""
    scale, obj = client.in_one_round([ask_get(target.path("scale")), ask_get(target.path())])
    if isinstance(scale, MlscaleError):
        raise scale
    if isinstance(obj, MlscaleError):
        raise obj
    selector = (scale.get("status") or {}).get("selector")
    pods = client.list_all(POD.path(target.namespace), labelSelector=selector) if selector else []
    return Seen(scale, pods, obj)


def judge(target: Target, wanted: int, seen: Seen, now: datetime) -> Progress:
    """How far it is, from one look. Without a selector (a custom resource that gives none) pods cannot be
    seen, and the controller's own count stands in for them."""
    if not (seen.scale.get("status") or {}).get("selector"):
        return Progress(target, min(seen.counted, wanted), wanted, max(0, seen.counted - wanted), ())
    ready = sum(1 for pod in seen.pods if is_ready(pod) and not is_terminating(pod))
    troubles = [(pod["metadata"]["name"], pod_trouble(pod, now)) for pod in seen.pods]
    groups = group_troubles([(name, trouble) for name, trouble in troubles if trouble])
    failures = _replica_failures(seen.object)
    reasons = [*failures, *map(group_line, groups)]
    causes = [*(failure.partition(":")[0] for failure in failures), *(group.reason for group in groups)]
    removed = max(0, sum(1 for pod in seen.pods if not _is_left_over(pod)) - wanted)
    return Progress(target, min(ready, wanted), wanted, removed, tuple(reasons), tuple(causes))


def _is_left_over(pod: Json) -> bool:
    """Whether it has ended and nobody counts it any more, as an evicted pod, which stays until it is collected."""
    return (pod.get("status") or {}).get("phase") in ("Failed", "Succeeded") and not is_terminating(pod)


def _until(look: Callable[[], tuple[bool, str]], deadline: float, clock: Clock) -> str:
    """Look until it is done; the last look's sentence if the time ran out, else nothing.

    A server that is away for a while, as while it is updated, does not end a wait.
    """
    pause = FIRST_PAUSE
    while True:
        started = clock.now()
        try:
            done, sentence = look()
        except (ConnectionFailedError, ApiError) as error:
            if isinstance(error, ApiError) and error.status.code < 500:
                raise
            done, sentence = False, f"the last look failed: {error.message}"
        if done:
            return ""
        if clock.now() >= deadline:
            return sentence
        # A look at thousands of pods takes long: rest four times as long as it took, to spare the server.
        rest = max(pause, 4 * (clock.now() - started))
        clock.sleep(min(rest, max(0.0, deadline - clock.now())))
        pause = min(2 * pause, LONGEST_PAUSE)


def _replica_failures(obj: Json) -> list[str]:
    """``FailedCreate: …`` of a Deployment's or ReplicaSet's ReplicaFailure condition (quota, LimitRange)."""
    conditions = (obj.get("status") or {}).get("conditions") or []
    return [
        f"{printable(str(condition.get('reason')))}: {shortened(str(condition.get('message') or ''))}"
        for condition in conditions
        if condition.get("type") == "ReplicaFailure" and condition.get("status") == "True"
    ]


def _failed_creates(client: Client, target: Target) -> str:
    """``; FailedCreate: …`` from the newest event: a StatefulSet has no condition that says it."""
    selector = f"involvedObject.kind={target.kind.kind},involvedObject.name={target.name},reason=FailedCreate"
    try:
        events = client.list_all(EVENT.path(target.namespace), fieldSelector=selector)
    except MlscaleError:
        return ""
    newest = max(events, key=lambda event: str(event.get("lastTimestamp") or ""), default=None)
    return f"; FailedCreate: {shortened(str(newest.get('message') or ''))}" if newest else ""


def _changed(client: Client, plan: ScalePlan, seen: Seen) -> ChangedMeanwhileError:
    target = plan.target
    return ChangedMeanwhileError(
        f"{target.printed} was scaled to {plan.after}, then {_who(client, target, seen)} set it to {seen.replicas}",
        "change its settings instead, or stop it first",
    )


def _who(client: Client, target: Target, seen: Seen) -> str:
    try:
        hpas = hpas_of(client.list_all(HPA.path(target.namespace)), target)
    except MlscaleError:
        hpas = []
    writer = last_writer_of_replicas(seen.object)
    if hpas and (writer is None or HPA_CONTROLLER in writer):
        return f"HPA {printable(hpas[0]['metadata']['name'])}"
    return printable(writer) if writer else "someone else"
