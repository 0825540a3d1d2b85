"""``status`` as a whole: read the tables, read what explains them, explain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlscale.kube.finding import Finding
from mlscale.kube.kinds import HPA
from mlscale.kube.owners import hpas_of
from mlscale.kube.pods import short_age
from mlscale.kube.text import printable
from mlscale.status.evidence import Evidence, involved_in, read_evidence
from mlscale.status.flapping import find_flapping, rescales
from mlscale.status.hpa_findings import explain_hpa, explain_shared_targets, hpa_key
from mlscale.status.model import StatusRequest, StatusResult
from mlscale.status.pod_findings import explain_pods, explain_unread
from mlscale.status.tables import TablesRead, read_tables, unknown_namespace
from mlscale.status.workload_findings import explain_workload

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from mlscale.kube.client import Client

Json = dict[str, Any]


def read_status(client: Client, request: StatusRequest) -> StatusResult:
    """The tables, findings and errors of ``request``.

    Raises UsageError for a request that makes no sense. What cannot be read is among the result's errors, and the
    rest is there all the same, as with ``kubectl get``.
    """
    read = read_tables(client, request)
    now = client.now()
    evidence = read_evidence(client, request, read, now)
    errors = [*{str(error): error for error in read.errors}.values(), *unknown_namespace(client, request, read)]
    return StatusResult(request, read.tables, tuple(explain(request, read, evidence, now)), tuple(errors))


def explain(request: StatusRequest, read: TablesRead, evidence: Evidence, now: datetime) -> list[Finding]:
    """What a person would want to know about these tables, in their order; nothing where all is well."""
    findings: list[Finding] = []
    if request.shows("workloads"):
        findings += _about_workloads(request, read, evidence)
    if request.shows("pods"):
        findings += explain_pods(list(evidence.pods.values()), now, where=request.namespace is None)
        findings += explain_unread(evidence.troubled, evidence.pods)
    if request.shows("hpa"):
        findings += _about_hpas(request, read, evidence, now)
    return list(dict.fromkeys(findings))


def _about_workloads(request: StatusRequest, read: TablesRead, evidence: Evidence) -> Iterator[Finding]:
    for target, workload in read.workloads.items():
        events = [e for e in evidence.failure_events if involved_in(e, target.kind, target.namespace, target.name)]
        yield from explain_workload(target, workload, events, where=_where(request, target.namespace))


def _about_hpas(request: StatusRequest, read: TablesRead, evidence: Evidence, now: datetime) -> Iterator[Finding]:
    shown = [hpa for table in read.tables if table.kind == HPA for hpa in table.objects]
    yield from explain_shared_targets(read.hpas, set(map(hpa_key, shown)), where=request.namespace is None)
    for hpa in shown:
        where = _where(request, hpa_key(hpa)[0])
        if not _shares_target(hpa, read.hpas):
            workload = next(
                (obj for target, obj in read.workloads.items() if "spec" in obj and hpas_of([hpa], target)), None
            )
            yield from explain_hpa(hpa, workload, now, where=where)
        yield from _flapping(hpa, evidence, where)


def _target_of(hpa: Json, read: TablesRead) -> Json | None:
    """The workload that ``hpa`` scales, where it was read whole."""
    whole = ((target, workload) for target, workload in read.workloads.items() if "spec" in workload)
    return next((workload for target, workload in whole if hpas_of([hpa], target)), None)


def _shares_target(hpa: Json, hpas: tuple[Json, ...]) -> bool:
    """Whether another HPA scales the same target; that is then the one cause worth naming."""
    reference = (hpa.get("spec") or {}).get("scaleTargetRef") or {}
    return any(
        (other.get("spec") or {}).get("scaleTargetRef") == reference
        and hpa_key(other)[0] == hpa_key(hpa)[0]
        and hpa_key(other) != hpa_key(hpa)
        for other in hpas
    )


def _flapping(hpa: Json, evidence: Evidence, where: str) -> Iterator[Finding]:
    namespace, name = hpa_key(hpa)
    flapping = find_flapping(rescales(e for e in evidence.rescale_events if involved_in(e, HPA, namespace, name)))
    if flapping is None:
        return
    sizes = " → ".join(str(change.size) for change in flapping.changes[-6:])
    message = (
        f"hpa/{printable(where + name)} changed direction {flapping.reversals} times within {short_age(flapping.span)} "
        f"({sizes}); a longer scaleDown stabilization window would steady it"
    )
    yield Finding("warning", "Flapping", message, f"{HPA.printed}/{printable(name)}")


def _where(request: StatusRequest, namespace: str) -> str:
    return f"{namespace}/" if request.namespace is None else ""
