"""Who governs spec.replicas: autoscalers, and tools that set it again from a manifest.

Autoscalers are found by what they target. managedFields tell of manifests only: an HPA that scaled an object
through 0 leaves no entry there.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from mlscale.frozen import frozen
from mlscale.kube.finding import Finding
from mlscale.kube.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlscale.kube.targets import Target

Json = dict[str, Any]

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
HPA_CONTROLLER = "kube-controller-manager"

_OWN_MANAGER = "mlscale"
_SYNC = "at its next sync (15 s by default)"
_ARGO_CD, _FLUX, _HELM, _KUBECTL_APPLY = "Argo CD", "Flux", "Helm", "kubectl apply"
_TOOL_OF_MANAGER = {
    "argocd-controller": _ARGO_CD,
    "argocd-application-controller": _ARGO_CD,
    "kustomize-controller": _FLUX,
    "helm-controller": _FLUX,
    "flux": _FLUX,
    "helm": _HELM,
    "kubectl": "kubectl apply --server-side",
}
_NEXT = {
    _ARGO_CD: "its next sync may set them back",
    _FLUX: "its next reconciliation may set them back",
    _HELM: "the next helm upgrade may set them back",
    _KUBECTL_APPLY: "the next kubectl apply sets them back",
    "kubectl apply --server-side": "the next one stops at a conflict, or sets them back with --force-conflicts",
}
_TOOL_OF_MARK = {
    "argocd.argoproj.io/tracking-id": _ARGO_CD,
    "argocd.argoproj.io/instance": _ARGO_CD,
    "kustomize.toolkit.fluxcd.io/name": _FLUX,
    "helm.toolkit.fluxcd.io/name": _FLUX,
    "meta.helm.sh/release-name": _HELM,
}
"""Labels and annotations with which the tools mark what they deploy; Flux before the Helm that it runs."""


@frozen
class ReplicasOwner:
    """A tool that sets spec.replicas from a manifest whenever it deploys the object."""

    manager: str
    """The field manager, as managedFields spell it."""
    tool: str
    """For a person: ``Argo CD``, ``Flux``, ``Helm``, ``kubectl apply``; the manager of any other tool."""
    evidence: str
    certain: bool = True
    """False where the manifest may leave replicas out and the manager owns the server's default, 1."""


def hpas_of(hpas: list[Json], target: Target) -> list[Json]:
    """Return the HorizontalPodAutoscalers that scale ``target``: same namespace, kind, name and API group.

    The version of scaleTargetRef.apiVersion is ignored: the server converts between versions.
    """
    wanted = (target.namespace, target.kind.group, target.kind.kind, target.name)
    return [hpa for hpa in hpas if _scaled_by(hpa) == wanted]


def keda_scaled_object(hpa: Json) -> str | None:
    """Return the name of the KEDA ScaledObject that made ``hpa``, or None."""
    metadata = hpa["metadata"]
    for reference in metadata.get("ownerReferences") or []:
        if reference.get("kind") == "ScaledObject" and str(reference.get("apiVersion")).startswith("keda.sh/"):
            return str(reference["name"])
    labels = metadata.get("labels") or {}
    name = labels.get("scaledobject.keda.sh/name")
    return str(name) if name and labels.get("app.kubernetes.io/managed-by") == "keda-operator" else None


def replicas_owner(obj: Json) -> ReplicasOwner | None:
    """Return the tool whose manifest sets spec.replicas of ``obj``, or None.

    A tool that deploys the object but leaves spec.replicas out of its manifest is none, and neither are
    writers of the scale subresource (kubectl scale, the HPA controller): they do not come back to a value.
    """
    applied = [entry for entry in _replicas_entries(obj) if entry.get("operation") == "Apply"]
    for entry in applied:
        manager = str(entry.get("manager"))
        if manager != _OWN_MANAGER:
            tool = _TOOL_OF_MANAGER.get(manager, manager)
            return ReplicasOwner(manager, tool, f"{manager} owns spec.replicas by server-side apply")
    return _client_side_applier(obj) or _updating_deployer(obj)


def controller_finding(target: Target, obj: Json) -> Finding | None:
    """Return the warning that another object controls ``target``, as a Deployment its ReplicaSets, or None."""
    references = obj["metadata"].get("ownerReferences") or []
    controller = next((reference for reference in references if reference.get("controller")), None)
    if controller is None:
        return None
    who = f"{printable(str(controller.get('kind')))} {printable(str(controller.get('name')))}"
    message = f"{target.printed} is controlled by {who}, which may set the replicas back: scale that one instead"
    return _warning(target, "ControlledByAnother", message)


def last_writer_of_replicas(obj: Json) -> str | None:
    """Return who wrote spec.replicas last, in words (``the HPA controller``), or None where nobody is recorded.

    None proves nothing: scaling to 0 through the scale subresource removes the record.
    """
    entries = sorted(_replicas_entries(obj), key=_recency)
    if not entries:
        return None
    manager, subresource = str(entries[-1].get("manager")), entries[-1].get("subresource")
    if manager == HPA_CONTROLLER and subresource == "scale":
        return f"the HPA controller ({HPA_CONTROLLER})"
    return printable(f"{manager} (subresource {subresource})" if subresource else manager)


def owner_findings(
    target: Target, replicas: int, hpas: list[Json], owner: ReplicasOwner | None, current: int | None = None
) -> list[Finding]:
    """Return what the governors of ``target`` will do to a scale to ``replicas``.

    Args:
        target: what is scaled.
        replicas: the number it is scaled to.
        hpas: those of ``hpas_of``.
        owner: that of ``replicas_owner``.
        current: spec.replicas before the scale; None where not known.
    """
    several = len(hpas) > 1
    findings = [_ambiguous(target, hpas)] if several else []
    for hpa in hpas:
        reason, what = _hpa_effect(hpa, replicas, current)
        if not several or reason != "GovernedByHPA":
            findings.append(_warning(target, reason, f"{_governed(target, hpa)}: {what}"))
    if owner is not None:
        findings.append(_owner_finding(target, owner))
    return findings


def _scaled_by(hpa: Json) -> tuple[str, str, str, str]:
    reference = hpa["spec"].get("scaleTargetRef") or {}
    group, slash, _ = str(reference.get("apiVersion") or "").partition("/")
    return (
        str(hpa["metadata"].get("namespace")),
        group if slash else "",
        str(reference.get("kind")),
        str(reference.get("name")),
    )


def _replicas_entries(obj: Json) -> Iterator[Json]:
    for entry in obj["metadata"].get("managedFields") or []:
        if "f:replicas" in ((entry.get("fieldsV1") or {}).get("f:spec") or {}):
            yield entry


def _recency(entry: Json) -> tuple[bool, str]:
    """Order entries by time; one of the scale subresource has none and is the latest, or it had been replaced."""
    return "time" not in entry, str(entry.get("time", ""))


def _client_side_applier(obj: Json) -> ReplicasOwner | None:
    """Return the tool of the last-applied annotation, if that manifest sets spec.replicas."""
    applied = (obj["metadata"].get("annotations") or {}).get(LAST_APPLIED)
    if not applied or "replicas" not in _spec_of(applied):
        return None
    marked = marked_tool(obj)
    # Helm keeps its manifests in release secrets: on a Helm object the annotation is from kubectl.
    tool = marked if marked in (_ARGO_CD, _FLUX) else _KUBECTL_APPLY
    managers = [str(entry.get("manager")) for entry in obj["metadata"].get("managedFields") or []]
    manager = next((name for name in managers if _TOOL_OF_MANAGER.get(name) == tool), "kubectl-client-side-apply")
    return ReplicasOwner(manager, tool, f"annotation {LAST_APPLIED} sets spec.replicas")


def _spec_of(manifest: str) -> Json:
    try:
        spec = json.loads(manifest).get("spec")
    except (ValueError, AttributeError):
        return {}
    return spec if isinstance(spec, dict) else {}


def _updating_deployer(obj: Json) -> ReplicasOwner | None:
    """Return Helm, Argo CD or Flux where it wrote spec.replicas by a plain update.

    The creator of an object owns the server's default too, so a value of 1 does not show that the manifest
    sets it; any other value does.
    """
    if LAST_APPLIED in (obj["metadata"].get("annotations") or {}):
        return None
    for entry in _replicas_entries(obj):
        manager = str(entry.get("manager"))
        tool = _TOOL_OF_MANAGER.get(manager)
        if tool in (_ARGO_CD, _FLUX, _HELM) and not entry.get("subresource"):
            marked = marked_tool(obj) if tool == _HELM else None
            certain = obj["spec"].get("replicas", 1) != 1
            return ReplicasOwner(manager, marked or tool, f"{manager} wrote spec.replicas", certain)
    return None


def marked_tool(obj: Json) -> str | None:
    """Return the deploying tool whose label or annotation ``obj`` bears, for a person, or None."""
    metadata = obj["metadata"]
    marks = {**(metadata.get("labels") or {}), **(metadata.get("annotations") or {})}
    return next((tool for mark, tool in _TOOL_OF_MARK.items() if mark in marks), None)


def _owner_finding(target: Target, owner: ReplicasOwner) -> Finding:
    who = f"{printable(owner.tool)} (manager {printable(owner.manager)})"
    outcome = _NEXT.get(owner.tool, "its next run may set them back")
    if owner.certain:
        return _warning(target, "ManifestSetsReplicas", f"{who} sets spec.replicas of {target.printed}: {outcome}")
    message = f"{who} owns spec.replicas of {target.printed}: if its manifest sets them, {outcome}"
    return Finding("note", "ManifestMaySetReplicas", message, target.printed)


def _bounds(hpa: Json) -> tuple[int, int]:
    """Return minReplicas (1 where absent, 0 is a value) and maxReplicas."""
    least = hpa["spec"].get("minReplicas")
    return 1 if least is None else int(least), int(hpa["spec"]["maxReplicas"])


def _governed(target: Target, hpa: Json) -> str:
    least, most = _bounds(hpa)
    scaled_object = keda_scaled_object(hpa)
    by = f"KEDA ScaledObject {printable(scaled_object)} through " if scaled_object else ""
    name = printable(hpa["metadata"]["name"])
    return f"{target.printed} is governed by {by}HPA {name} (min {least}, max {most})"


def _hpa_effect(hpa: Json, replicas: int, current: int | None) -> tuple[str, str]:
    """Return reason and clause: what ``hpa`` does after a scale to ``replicas``.

    kubernetes pkg/controller/podautoscaler/horizontal.go, v1.37.2: 0 replicas are tested first, then max, then min.
    """
    least, most = _bounds(hpa)
    if replicas == 0:
        return _effect_of_zero(hpa, least)
    again = "replicas above 0 switch it on again, and " if _is_off(hpa, current) else ""
    if replicas > most:
        return "AboveHPAMax", f"{again}it will bring the replicas back to {most} {_SYNC}"
    if replicas < least:
        return "BelowHPAMin", f"{again}it will bring the replicas back to {least} {_SYNC}"
    if again:
        return "HPASwitchedOn", f"{again}it will set the replicas itself {_SYNC}"
    return "GovernedByHPA", f"it will set the replicas itself {_SYNC}"


def _effect_of_zero(hpa: Json, least: int) -> tuple[str, str]:
    name = printable(hpa["metadata"]["name"])
    if _condition(hpa, "ScaledToZero").get("status") == "True" and (least != 0 or _scales_from_zero(hpa)):
        return "GovernedByHPA", f"it stays active at 0 (ScaledToZero) and will set the replicas itself {_SYNC}"
    clause = f"scaling to 0 switches HPA {name} off (ScalingDisabled) until replicas are set above 0"
    if keda_scaled_object(hpa):
        clause += ", which KEDA does when a trigger is active"
    return "HPASwitchedOff", clause


def _is_off(hpa: Json, current: int | None) -> bool:
    off = _condition(hpa, "ScalingActive").get("reason") == "ScalingDisabled"
    if current is None:
        return off
    return current == 0 and _condition(hpa, "ScaledToZero").get("status") != "True"


def _scales_from_zero(hpa: Json) -> bool:
    return any(metric.get("type") in ("Object", "External") for metric in hpa["spec"].get("metrics") or [])


def _condition(hpa: Json, kind: str) -> Json:
    conditions = (hpa.get("status") or {}).get("conditions") or []
    return next((condition for condition in conditions if condition.get("type") == kind), {})


def _ambiguous(target: Target, hpas: list[Json]) -> Finding:
    names = ", ".join(printable(hpa["metadata"]["name"]) for hpa in hpas)
    message = (
        f"{len(hpas)} HPAs ({names}) target {target.printed}: none of them scales by its metrics (AmbiguousSelector)"
    )
    return _warning(target, "AmbiguousSelector", message)


def _warning(target: Target, reason: str, message: str) -> Finding:
    return Finding("warning", reason, message, target.printed)
