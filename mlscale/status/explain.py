"""What a person would want to know about the tables: findings, in the order of the tables."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from mlscale.kube.finding import Finding
from mlscale.kube.kinds import HPA
from mlscale.kube.pods import short_age
from mlscale.kube.text import printable
from mlscale.status.events import involved_in
from mlscale.status.hpa_findings import explain_hpa, explain_shared_targets
from mlscale.status.model import hpa_key, scaled_key, target_key
from mlscale.status.pod_findings import explain_pods, explain_unread
from mlscale.status.workload_findings import explain_workload

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from mlscale.status.evidence import Evidence
    from mlscale.status.model import StatusRequest
    from mlscale.status.tables import TablesRead
    from mlscale.status.troubled import TroubledPods

Json = dict[str, Any]


def explain(
    request: StatusRequest, read: TablesRead, troubled: TroubledPods, evidence: Evidence, now: datetime
) -> list[Finding]:
    """The findings about what was read; none where all is well."""
    findings: list[Finding] = []
    if request.shows("workloads"):
        findings += _about_workloads(request, read, evidence)
    if request.shows("pods"):
        findings += explain_pods(list(evidence.pods.values()), now, where=request.namespace is None)
        findings += explain_unread(troubled.unread(evidence.pods))
    if request.shows("hpa"):
        findings += _about_hpas(request, read, evidence, now)
    return list(dict.fromkeys(findings))


def _about_workloads(request: StatusRequest, read: TablesRead, evidence: Evidence) -> Iterator[Finding]:
    for target, workload in read.workloads.items():
        events = [e for e in evidence.events.failures if involved_in(e, target.kind, target.namespace, target.name)]
        yield from explain_workload(target, workload, events, where=_where(request, target.namespace))


def _about_hpas(request: StatusRequest, read: TablesRead, evidence: Evidence, now: datetime) -> Iterator[Finding]:
    shown = [hpa for table in read.tables if table.kind == HPA for hpa in table.objects]
    yield from explain_shared_targets(read.hpas, set(map(hpa_key, shown)), where=request.namespace is None)
    whole = {scaled_key(target): workload for target, workload in read.workloads.items() if "spec" in workload}
    scaling = Counter(map(target_key, read.hpas))
    for hpa in shown:
        where, target = _where(request, hpa_key(hpa)[0]), target_key(hpa)
        # Where another HPA scales the same target, that is the one cause worth naming.
        if scaling[target] < 2:
            yield from explain_hpa(hpa, whole.get(target), now, where=where)
        yield from _flapping(hpa, evidence, where)


def _flapping(hpa: Json, evidence: Evidence, where: str) -> Iterator[Finding]:
    if not evidence.events.rescales:
        return
    from mlscale.status.flapping import find_flapping, rescales

    namespace, name = hpa_key(hpa)
    flapping = find_flapping(rescales(e for e in evidence.events.rescales if involved_in(e, HPA, namespace, name)))
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
