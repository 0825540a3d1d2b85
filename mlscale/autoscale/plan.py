"""From the facts about a target to the HPA that will be written, with every reason for or against it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlscale.autoscale.rivals import find_rivals
from mlscale.errors import RefusedError
from mlscale.frozen import frozen, replace
from mlscale.hpa.pod_groups import group_pods
from mlscale.hpa.requests import MissingRequest, RequestNeed, counted_containers, missing_requests, needed_requests
from mlscale.hpa.samples import pod_facts, resource_samples
from mlscale.hpa.scaling_spec import DEFAULT_FLAGS
from mlscale.hpa.spec import HpaSettings, build_hpa
from mlscale.hpa.thresholds import Threshold, judge_thresholds, read_thresholds, wanted_now
from mlscale.kube.finding import Finding
from mlscale.kube.kinds import BUILT_IN
from mlscale.kube.owners import owner_findings, replicas_owner
from mlscale.kube.text import counted, printable

if TYPE_CHECKING:
    from mlscale.autoscale.facts import TargetFacts
    from mlscale.kube.targets import Target

Json = dict[str, Any]

EXAMPLE_REQUEST = {"cpu": "500m", "memory": "512Mi"}


@frozen
class Plan:
    """What would be written for one target."""

    target: Target
    manifest: Json
    existing: Json | None
    """The HPA of that name as it is now; None too where the HPAs could not be listed (``existing_known``)."""
    findings: tuple[Finding, ...]
    existing_known: bool = True

    @property
    def name(self) -> str:
        """The name of the HPA."""
        return str(self.manifest["metadata"]["name"])

    def refusal(self) -> RefusedError | None:
        """The error that stops the verb unless it is forced; None where nothing speaks against the write."""
        reasons = [finding.message for finding in self.findings if finding.level == "refusal"]
        if not reasons:
            return None
        message = f"{self.target.printed} was not autoscaled: {'; '.join(reasons)}"
        return RefusedError(message, "--force writes the HPA all the same")


def plan_autoscale(facts: TargetFacts, settings: HpaSettings, name: str = "") -> Plan:
    """Decide what to write; ``name`` is the HPA's, that of the target if empty.

    Raises RefusedError for a target that the API cannot scale: no HPA could ever work on it.
    """
    if not facts.scalable:
        raise cannot_scale(facts.target)
    name = name or facts.target.name
    findings = [
        *settings.notes,
        *find_rivals(facts, name),
        *find_missing_requests(facts, settings),
        *find_obstacles(facts, settings),
        *_judge_settings(facts, settings),
    ]
    hpas = facts.namespace.hpas or ()
    existing = next((hpa for hpa in hpas if hpa["metadata"]["name"] == name), None)
    return Plan(
        target=facts.target,
        manifest=build_hpa(name, facts.target, settings),
        existing=existing,
        findings=tuple(findings),
        existing_known=facts.namespace.hpas is not None,
    )


def cannot_scale(target: Target) -> RefusedError:
    """The error for a target without a scale subresource, such as a DaemonSet."""
    kind = target.kind
    return RefusedError(
        f"cannot autoscale a {printable(kind.kind)}: {printable(kind.resource)} have no scale subresource",
        "autoscale a Deployment, a StatefulSet, or another kind with one",
    )


def find_missing_requests(facts: TargetFacts, settings: HpaSettings) -> list[Finding]:
    """The requests that a metric divides by and that are not there.

    What runs decides over the template: admission (a LimitRange, a webhook) may add requests to pods.
    """
    return [finding for need in needed_requests(settings.effective_metrics) for finding in _missing_for(facts, need)]


def find_obstacles(facts: TargetFacts, settings: HpaSettings) -> list[Finding]:
    """What will keep the HPA from working as meant, although it can be written."""
    about = facts.target.printed
    findings = [
        Finding(
            "warning",
            "MetricsApiAbsent",
            f"{api} does not answer: the HPA shows <unknown> and does not scale until a metrics server does",
            api,
        )
        for api in facts.namespace.unserved
    ]
    findings += [Finding("warning", "NotChecked", f"not checked: {clause}") for clause in facts.namespace.unread]
    if facts.scale is None:
        findings.append(Finding("warning", "NotChecked", f"not checked: the scale of {about} may not be read", about))
    elif not facts.selector:
        message = f"the scale of {about} has no selector: an HPA needs one to find the pods"
        findings.append(Finding("warning", "NoSelector", message, about))
    return [*findings, *_find_owner(facts), *_replicas_now(facts, settings)]


def _find_owner(facts: TargetFacts) -> list[Finding]:
    """A manifest that sets replicas takes back what the HPA set."""
    owner = replicas_owner(facts.workload)
    return [
        replace(finding, message=f"{finding.message}; leave spec.replicas out of the manifest under an HPA")
        for finding in owner_findings(facts.target, 0, [], owner)
    ]


def _replicas_now(facts: TargetFacts, settings: HpaSettings) -> list[Finding]:
    """Zero pauses an HPA; a count out of range is moved into it at once.

    Source: kubernetes pkg/controller/podautoscaler/horizontal.go, reconcileAutoscaler, v1.37.2.
    """
    about, replicas, low, high = facts.target.printed, facts.replicas, settings.effective_min, settings.max_replicas
    if replicas is None:
        return []
    if replicas == 0 and low > 0:
        message = f"{about} is scaled to 0, which pauses an HPA: scale it to {low} for the HPA to start"
        return [Finding("warning", "ScaledToZero", message, about)]
    if replicas > high or replicas < low:
        bound = high if replicas > high else low
        message = f"{about} has {counted(replicas, 'replica')}: the HPA sets {bound} at once"
        return [Finding("note", "OutOfRange", message, about)]
    return []


def _judge_settings(facts: TargetFacts, settings: HpaSettings) -> list[Finding]:
    spec = facts.pod_specs[0] if facts.pod_specs else facts.template_spec
    thresholds = read_thresholds(settings, spec, list(facts.pod_metrics))
    judged = [replace(finding, about=facts.target.printed) for finding in judge_thresholds(settings, thresholds)]
    return [*judged, *_judge_present(facts, settings, thresholds)]


def _judge_present(facts: TargetFacts, settings: HpaSettings, thresholds: list[Threshold]) -> list[Finding]:
    wanted = wanted_now(thresholds, settings)
    if not facts.replicas or wanted in (None, facts.replicas) or len(facts.pod_metrics) != facts.replicas:
        return []
    if _are_starting(facts):
        return []
    uses = ", ".join(f"{t.shown(t.present)} of {t.label}" for t in thresholds if t.present is not None)
    message = f"at the present use ({uses}) the HPA wants {counted(wanted or 0, 'replica')}; there are {facts.replicas}"
    return [Finding("note", "PresentUse", message, facts.target.printed)]


def _are_starting(facts: TargetFacts) -> bool:
    """Whether the controller would leave out the CPU use of some pod, as of one measured before it was Ready."""
    samples = resource_samples(facts.pod_metrics, "cpu")
    return bool(group_pods(map(pod_facts, facts.pods), samples, "cpu", facts.now, DEFAULT_FLAGS).unready)


def _missing_for(facts: TargetFacts, need: RequestNeed) -> list[Finding]:
    template, running = facts.template_spec, facts.pod_specs
    in_template = missing_requests(template, need) if template is not None else []
    in_pods = [missing for spec in running for missing in missing_requests(spec, need)]
    if running and not in_pods:
        return []
    if template is not None and not in_template:
        return [_pod_without_request(facts, need)] if in_pods else []
    unique = dict.fromkeys(in_template or in_pods)
    return [_missing_request(facts, missing) for missing in unique]


def _pod_without_request(facts: TargetFacts, need: RequestNeed) -> Finding:
    pod = next(pod for pod in facts.pods if missing_requests(pod["spec"], need))
    message = (
        f"pod/{printable(pod['metadata']['name'])} has no {need.resource} request though the template has: "
        "the HPA does not scale before it is gone"
    )
    return Finding("warning", "PodWithoutRequest", message, facts.target.printed)


def _missing_request(facts: TargetFacts, missing: MissingRequest) -> Finding:
    about, resource = facts.target.printed, missing.resource
    if missing.absent:
        specs = [facts.template_spec, *facts.pod_specs]
        names = dict.fromkeys(c["name"] for spec in specs if spec for c in counted_containers(spec))
        known = ", ".join(printable(name) for name in names)
        message = f"{about} has no container {missing.container!r}; it has {known}"
        return Finding("refusal", "NoSuchContainer", message, about)
    who = f"container {printable(missing.container)} of {about}" if missing.container else f"the pod of {about}"
    message = f"{who} has no {resource} request, which the target is a share of; {_fix(facts.target, missing)}"
    return Finding("refusal", "MissingRequest", message, about)


def _fix(target: Target, missing: MissingRequest) -> str:
    amount = f"{missing.resource}={EXAMPLE_REQUEST.get(missing.resource, '1')}"
    if target.kind in BUILT_IN and missing.container:
        kind, name, container = target.kind.singular, printable(target.name), printable(missing.container)
        command = f"kubectl set resources {kind} {name} -c {container} --requests={amount} -n {target.namespace}"
        return f"set one, such as: {command}"
    return f"set one in its manifest, such as {amount}"
