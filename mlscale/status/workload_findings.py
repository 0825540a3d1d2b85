"""Why a workload has fewer pods than it should, from its conditions and events.

The conditions are those of kubernetes pkg/controller/deployment and pkg/controller/replicaset, v1.37.2;
a StatefulSet has none and tells of a refused pod by an event only (pkg/controller/statefulset).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlscale.kube.finding import Finding
from mlscale.kube.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlscale.kube.targets import Target

Json = dict[str, Any]


def explain_workload(target: Target, workload: Json, events: Iterable[Json] = (), *, where: str = "") -> list[Finding]:
    """What keeps ``workload`` from its replicas; ``events`` are its own with reason FailedCreate.

    ``where`` goes before its name (``ns/`` with ``-A``).
    """
    conditions = {c.get("type"): c for c in (workload.get("status") or {}).get("conditions") or ()}
    failure = conditions.get("ReplicaFailure") or {}
    findings = []
    if failure.get("status") == "True":
        reason = str(failure.get("reason") or "ReplicaFailure")
        findings.append(_short_of_pods(target, workload, reason, str(failure.get("message") or ""), where))
    elif lacks_pods(workload):
        refused = [str(event.get("message") or "") for event in events]
        findings += [_short_of_pods(target, workload, "FailedCreate", message, where) for message in refused[-1:]]
    progressing = conditions.get("Progressing") or {}
    if progressing.get("status") == "False" and progressing.get("reason") == "ProgressDeadlineExceeded":
        seconds = (workload.get("spec") or {}).get("progressDeadlineSeconds", 600)
        message = (
            f"{_called(target, where)} has made no progress for more than {seconds} s (its progressDeadlineSeconds)"
        )
        findings.append(Finding("warning", "ProgressDeadlineExceeded", message, target.printed))
    return findings


def lacks_pods(workload: Json) -> bool:
    """Whether fewer pods exist than spec.replicas asks for."""
    wanted, existing = _counts(workload)
    return existing < wanted


def _counts(workload: Json) -> tuple[int, int]:
    spec, status = workload.get("spec") or {}, workload.get("status") or {}
    wanted = spec.get("replicas")
    return int(1 if wanted is None else wanted), int(status.get("replicas") or 0)


def _short_of_pods(target: Target, workload: Json, reason: str, message: str, where: str) -> Finding:
    wanted, existing = _counts(workload)
    text = printable(" ".join(message.split())).rstrip(".")
    # 'pods "web-569bcfd6b-4s5xk" is forbidden: exceeded quota: q, …': the name is of a pod that never was.
    _, forbidden, why = text.partition(" is forbidden: ")
    sentence = f"{_called(target, where)} has {existing} of {wanted} pods: {why if forbidden else text}"
    return Finding("warning", printable(reason), sentence, target.printed)


def _called(target: Target, where: str) -> str:
    return f"{target.kind.printed}/{printable(where + target.name)}"
