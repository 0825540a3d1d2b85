"""Why an HPA does not scale, from its conditions.

The conditions and their messages are those of kubernetes pkg/controller/podautoscaler/horizontal.go,
replica_calculator.go and metrics/client.go, v1.37.2.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from mlscale.kube.finding import Finding, Level
from mlscale.kube.pods import short_age, timestamp
from mlscale.kube.text import printable
from mlscale.status.model import hpa_key, target_key

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

Json = dict[str, Any]

EVALUATED_WITHIN = timedelta(seconds=60)
"""The controller looks at a new HPA at once, every 15 s from then on; a busy one may take longer."""
COMPUTE_PREFIX = "the HPA was unable to compute the replica count: "
SCALE_PREFIX = "the HPA controller was unable to get the target's current scale: "


def explain_hpa(hpa: Json, workload: Json | None, now: datetime, *, where: str = "") -> list[Finding]:
    """What keeps ``hpa`` from scaling, or holds it back; nothing for one that works.

    ``workload`` is its target, where that was read; ``where`` goes before names (``ns/`` with ``-A``).
    """
    conditions = {c.get("type"): c for c in (hpa.get("status") or {}).get("conditions") or ()}
    if not conditions:
        return [_not_evaluated(hpa, workload, now, where)]
    able, active = conditions.get("AbleToScale") or {}, conditions.get("ScalingActive") or {}
    if able.get("status") == "False":
        return [_unable(hpa, able, where)]
    if active.get("status") == "False":
        return _inactive(hpa, active, workload, where)
    if active.get("status") != "True":
        return []
    limited = conditions.get("ScalingLimited") or {}
    at_max = limited.get("status") == "True" and limited.get("reason") == "TooManyReplicas"
    return [*([_at_max(hpa, where)] if at_max else []), *_partly_unknown(hpa, where)]


def explain_shared_targets(hpas: Iterable[Json], shown: set[tuple[str, str]], *, where: bool) -> list[Finding]:
    """One finding for each target that two or more HPAs scale, if one of these is shown.

    ``shown`` holds namespace and name; ``where`` asks for the namespace before names.
    """
    by_target: dict[tuple[str, ...], list[Json]] = {}
    for hpa in hpas:
        by_target.setdefault(target_key(hpa), []).append(hpa)
    return [
        _shared(group, where)
        for group in by_target.values()
        if len(group) > 1 and any(hpa_key(hpa) in shown for hpa in group)
    ]


def unknown_metrics(hpa: Json) -> list[str]:
    """The metrics of the spec that have no current value: those that TARGETS shows as ``<unknown>``.

    status.currentMetrics has an entry a metric of the spec, empty where it could not be read.
    """
    current = (hpa.get("status") or {}).get("currentMetrics") or []
    metrics = (hpa.get("spec") or {}).get("metrics") or []
    return [_metric_name(m) for i, m in enumerate(metrics) if i >= len(current) or not current[i].get("type")]


def _not_evaluated(hpa: Json, workload: Json | None, now: datetime, where: str) -> Finding:
    created = timestamp((hpa.get("metadata") or {}).get("creationTimestamp"))
    age = now - created if created else timedelta(0)
    name = _called(hpa, where)
    if age > EVALUATED_WITHIN:
        message = f"{name} was made {short_age(age)} ago and never evaluated; check that kube-controller-manager runs"
        return _finding(hpa, "warning", "NeverEvaluated", message)
    message = f"{name} is new and has not been evaluated yet; the controller does so every 15 s"
    gaps = _template_gaps(hpa, workload)
    hint = f"; {gaps}, so its use cannot be measured unless a LimitRange sets one" if gaps else ""
    return _finding(hpa, "note", "NotYetEvaluated", message + hint)


def _template_gaps(hpa: Json, workload: Json | None) -> str:
    """``container server has no cpu request``, if a utilization target needs one that the template lacks."""
    # Of the many HPAs that status sees few are this new, and these imports are a tenth of its own time.
    from mlscale.hpa.requests import missing_requests, needed_requests
    from mlscale.kube.pod_resources import admitted_spec

    spec = (((workload or {}).get("spec") or {}).get("template") or {}).get("spec") or {}
    template = admitted_spec(spec, ())
    needs = needed_requests((hpa.get("spec") or {}).get("metrics") or [])
    gaps = (gap for need in needs for gap in missing_requests(template, need) if gap.container and not gap.absent)
    gap = next(gaps, None)
    return f"container {printable(gap.container)} has no {printable(gap.resource)} request" if gap else ""


def _unable(hpa: Json, condition: Json, where: str) -> Finding:
    detail = _detail(condition, SCALE_PREFIX)
    target = _target_words(hpa)
    name = _called(hpa, where)
    if condition.get("reason") == "FailedGetScale":
        return _finding(hpa, "warning", "FailedGetScale", f"{name} cannot read the scale of {target}: {detail}")
    return _finding(hpa, "warning", str(condition.get("reason")), f"{name} cannot scale {target}: {detail}")


def _inactive(hpa: Json, condition: Json, workload: Json | None, where: str) -> list[Finding]:
    reason, name, target = str(condition.get("reason")), _called(hpa, where), _target_words(hpa)
    if reason == "ScalingDisabled":
        message = f"{name} is off while {target} has 0 replicas; scale it to 1 or more to switch the HPA on"
        return [_finding(hpa, "note", reason, message)]
    if reason == "InvalidSelector":
        message = f"{name} cannot find the pods of {target}: its scale has no valid selector ({_detail(condition)})"
        return [_finding(hpa, "warning", reason, message)]
    if reason == "AmbiguousSelector":
        message = f"{name} does not scale: {_detail(condition)}; keep one HPA for these pods"
        return [_finding(hpa, "warning", reason, message)]
    found, sentence = _why_no_value(hpa, condition, workload)
    metrics = ", ".join(map(printable, unknown_metrics(hpa))) or "its metrics"
    return [_finding(hpa, "warning", found, f"{name} has no value for {metrics}: {sentence}")]


def _why_no_value(hpa: Json, condition: Json, workload: Json | None) -> tuple[str, str]:
    """Reason and clause for a metric that the controller could not compute."""
    detail, target = _detail(condition, COMPUTE_PREFIX), _target_words(hpa)
    missing = _missing_request(detail)
    if missing:
        return "MissingRequest", f"{missing[0]} of {target} has no {missing[1]} request; {missing[2]}"
    for phrase, reason, sentence in _CAUSES:
        if phrase in detail:
            return reason, sentence.format(target=target)
    if any(phrase in detail for phrase in _NO_SAMPLES):
        if workload and not (workload.get("status") or {}).get("readyReplicas"):
            return "NoReadyPods", f"no pod of {target} is Ready"
        return "NoSamples", f"no pod of {target} is Ready and measured yet; a new pod's first sample takes 15 to 60 s"
    return str(condition.get("reason")), detail


_NO_SAMPLES = (
    "no metrics returned from resource metrics API",
    "did not receive metrics for targeted pods",
    "no metrics returned matched known pods",
)
# Looked for in this order: an API that is absent says "could not find", one that is down "unable to handle".
_CAUSES = (
    ("no custom metrics API", "NoMetricsAPI", "no API for custom metrics (custom.metrics.k8s.io) is registered"),
    ("no external metrics API", "NoMetricsAPI", "no API for external metrics (external.metrics.k8s.io) is registered"),
    (
        "resource metrics API: the server could not find the requested resource",
        "NoMetricsAPI",
        "the cluster has no resource metrics API (metrics.k8s.io); install metrics-server",
    ),
    (
        "external metrics API: the server could not find the requested resource",
        "NoMetricsAPI",
        "external.metrics.k8s.io does not serve it: no adapter is installed, or it does not know the metric",
    ),
    (
        "the server is currently unable to handle the request",
        "MetricsAPIUnavailable",
        "the metrics API does not answer; check the APIServices and metrics-server",
    ),
    ("no pods returned by selector", "NoPods", "the selector of {target} matches no pod"),
)  # fmt: skip


def _missing_request(detail: str) -> tuple[str, str, str] | None:
    """Who lacks which request, and the way out.

    "missing request for cpu in container server of Pod noreq-787f9f7979-jkh78", or "missing pod-level request
    for cpu in Pod …", or "container x not found in Pod …".
    """
    if "missing pod-level request for " in detail:
        resource = detail.partition("missing pod-level request for ")[2].split()[0]
        return "the pod as a whole", resource, f"set spec.resources.requests.{resource} of its template"
    if "missing request for " not in detail:
        return None
    resource, _, rest = detail.partition("missing request for ")[2].partition(" in container ")
    container = rest.partition(" of Pod ")[0]
    fix = f"set resources.requests.{resource} on it, or target an average value"
    return f"container {container}", resource, fix


def _at_max(hpa: Json, where: str) -> Finding:
    spec = hpa.get("spec") or {}
    uses = ", ".join(filter(None, map(_use_words, _current(hpa), spec.get("metrics") or ())))
    message = f"{_called(hpa, where)} wants more than max {spec.get('maxReplicas')}{f': {uses}' if uses else ''}"
    return _finding(hpa, "warning", "TooManyReplicas", f"{message}; raise max, or make each pod do more")


def _partly_unknown(hpa: Json, where: str) -> list[Finding]:
    unknown = unknown_metrics(hpa)
    if not unknown or len(unknown) == len((hpa.get("spec") or {}).get("metrics") or ()):
        return []
    names = ", ".join(map(printable, unknown))
    message = f"{_called(hpa, where)} has no value for {names}: the other metrics can scale it up, but not down"
    return [_finding(hpa, "warning", "MetricMissing", message)]


def _shared(group: list[Json], where: bool) -> Finding:
    names = [_called(hpa, _where(hpa) if where else "") for hpa in group]
    message = f"{', '.join(names)} all target {_target_words(group[0])}: none scales by its metrics; keep one"
    if len(names) == 2:
        message = (
            f"{' and '.join(names)} both target {_target_words(group[0])}: neither scales by its metrics; keep one"
        )
    return _finding(group[0], "warning", "AmbiguousSelector", message)


def _target_words(hpa: Json) -> str:
    """``Deployment/web``, as the REFERENCE column has it."""
    reference = (hpa.get("spec") or {}).get("scaleTargetRef") or {}
    return printable(f"{reference.get('kind')}/{reference.get('name')}")


def _called(hpa: Json, where: str) -> str:
    return printable(f"hpa/{where}{hpa_key(hpa)[1]}")


def _where(hpa: Json) -> str:
    return f"{hpa_key(hpa)[0]}/"


def _metric_name(metric: Json) -> str:
    kind = str(metric.get("type") or "")
    source = metric.get(kind[:1].lower() + kind[1:]) or {}
    return str(source.get("name") or (source.get("metric") or {}).get("name") or kind)


def _current(hpa: Json) -> list[Json]:
    return (hpa.get("status") or {}).get("currentMetrics") or []


def _use_words(current: Json, metric: Json) -> str:
    """``cpu 250% of 50%``, for a utilization; a quantity as the API has it."""
    kind = str(metric.get("type") or "")
    field = kind[:1].lower() + kind[1:]
    have = (current.get(field) or {}).get("current") or {}
    want = (metric.get(field) or {}).get("target") or {}
    for key, unit in (("averageUtilization", "%"), ("averageValue", ""), ("value", "")):
        if key in want and key in have:
            return printable(f"{_metric_name(metric)} is at {have[key]}{unit}, its target {want[key]}{unit}")
    return ""


def _detail(condition: Json, prefix: str = "") -> str:
    message = printable(" ".join(str(condition.get("message") or "").split()))
    return message.removeprefix(prefix).rstrip(".")


def _finding(hpa: Json, level: Level, reason: str, message: str) -> Finding:
    return Finding(
        level, printable(reason), message, printable(f"horizontalpodautoscaler.autoscaling/{hpa_key(hpa)[1]}")
    )
