"""Who governs spec.replicas, and what they will do to a scale."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mlscale.kube.finding import Finding
from mlscale.kube.kinds import DEPLOYMENT, REPLICASET, Kind
from mlscale.kube.owners import (
    LAST_APPLIED,
    ReplicasOwner,
    controller_finding,
    hpas_of,
    keda_scaled_object,
    last_writer_of_replicas,
    owner_findings,
    replicas_owner,
)
from mlscale.kube.targets import Target

Json = dict[str, Any]

WEB = Target(DEPLOYMENT, "ns", "web")
ROLLOUT = Kind("argoproj.io", "v1alpha1", "Rollout", "rollouts", scalable=True)


def _hpa(
    name: str = "web",
    least: int | None = 2,
    most: int = 5,
    *,
    reference: tuple[str, str, str] = ("apps/v1", "Deployment", "web"),
    namespace: str = "ns",
    conditions: dict[str, tuple[str, str]] | None = None,
    metrics: tuple[str, ...] = ("Resource",),
    **metadata: Any,
) -> Json:
    api_version, kind, target = reference
    spec: Json = {"scaleTargetRef": {"apiVersion": api_version, "kind": kind, "name": target}, "maxReplicas": most}
    if least is not None:
        spec["minReplicas"] = least
    spec["metrics"] = [{"type": metric} for metric in metrics]
    listed = [{"type": k, "status": s, "reason": r} for k, (s, r) in (conditions or {}).items()]
    return {
        "metadata": {"name": name, "namespace": namespace, **metadata},
        "spec": spec,
        "status": {"conditions": listed},
    }


@pytest.mark.parametrize(
    ("reference", "namespace", "target", "found"),
    [
        (("apps/v1", "Deployment", "web"), "ns", WEB, True),
        (("apps/v1beta2", "Deployment", "web"), "ns", WEB, True),  # an old version of the same group
        (("extensions/v1beta1", "Deployment", "web"), "ns", WEB, False),
        (("", "Deployment", "web"), "ns", WEB, False),  # the core group has no Deployment
        (("v1", "Deployment", "web"), "ns", WEB, False),
        (("apps/v1", "StatefulSet", "web"), "ns", WEB, False),
        (("apps/v1", "Deployment", "web2"), "ns", WEB, False),
        (("apps/v1", "Deployment", "web"), "other", WEB, False),
        (("argoproj.io/v1alpha1", "Rollout", "web"), "ns", Target(ROLLOUT, "ns", "web"), True),
        (("argoproj.io/v1alpha1", "Rollout", "web"), "ns", WEB, False),
        (
            ("v1", "ReplicationController", "web"),
            "ns",
            Target(Kind("", "v1", "ReplicationController", "replicationcontrollers"), "ns", "web"),
            True,
        ),
    ],
)
def test_hpas_are_found_by_what_they_target(
    reference: tuple[str, str, str], namespace: str, target: Target, found: bool
) -> None:
    hpa = _hpa("any-name", reference=reference, namespace=namespace)
    assert hpas_of([hpa], target) == ([hpa] if found else [])


KEDA_LABELS = {"app.kubernetes.io/managed-by": "keda-operator", "scaledobject.keda.sh/name": "web"}


@pytest.mark.parametrize(
    ("metadata", "name"),
    [
        ({}, None),
        ({"labels": KEDA_LABELS}, "web"),
        ({"labels": {**KEDA_LABELS, "app.kubernetes.io/managed-by": "Helm"}}, None),
        ({"labels": {"app.kubernetes.io/managed-by": "keda-operator"}}, None),
        ({"ownerReferences": [{"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "name": "queue"}]}, "queue"),
        ({"ownerReferences": [{"apiVersion": "other.io/v1", "kind": "ScaledObject", "name": "queue"}]}, None),
        ({"ownerReferences": [{"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}]}, None),
    ],
)
def test_keda_scaled_objects(metadata: Json, name: str | None) -> None:
    assert keda_scaled_object(_hpa(**metadata)) == name


def _entry(manager: str, operation: str = "Update", *, field: str = "f:replicas", **more: str) -> Json:
    return {"manager": manager, "operation": operation, "fieldsV1": {"f:spec": {field: {}}}, **more}


SCALED = _entry("kubectl", subresource="scale")
AUTOSCALED = _entry("kube-controller-manager", subresource="scale")


def _object(
    *entries: Json,
    replicas: int = 3,
    applied: object = None,
    annotations: Json | None = None,
    labels: Json | None = None,
) -> Json:
    notes = dict(annotations or {})
    if applied is not None:
        notes[LAST_APPLIED] = applied if isinstance(applied, str) else json.dumps(applied)
    metadata = {"name": "web", "managedFields": list(entries), "annotations": notes, "labels": labels or {}}
    return {"metadata": metadata, "spec": {"replicas": replicas}}


WITH_REPLICAS = {"kind": "Deployment", "spec": {"replicas": 2}}
WITHOUT_REPLICAS = {"kind": "Deployment", "spec": {"template": {}}}
TRACKED = {"argocd.argoproj.io/tracking-id": "app:apps/Deployment:ns/web"}
RELEASED = {"meta.helm.sh/release-name": "web"}
FLUX_KUSTOMIZE = {"kustomize.toolkit.fluxcd.io/name": "web"}
FLUX_HELM = {"helm.toolkit.fluxcd.io/name": "web"}
CLIENT_SIDE = _entry("kubectl-client-side-apply")


@pytest.mark.parametrize(
    ("obj", "manager", "tool"),
    [
        # Server-side apply: the owner is whoever applied the field.
        (_object(_entry("kubectl", "Apply")), "kubectl", "kubectl apply --server-side"),
        (_object(_entry("argocd-controller", "Apply")), "argocd-controller", "Argo CD"),
        (_object(_entry("kustomize-controller", "Apply")), "kustomize-controller", "Flux"),
        (_object(_entry("helm", "Apply")), "helm", "Helm"),
        (_object(_entry("platform-operator", "Apply")), "platform-operator", "platform-operator"),
        # Client-side apply: the annotation tells whether the manifest sets replicas, whoever wrote them last.
        (_object(CLIENT_SIDE, applied=WITH_REPLICAS), "kubectl-client-side-apply", "kubectl apply"),
        (_object(SCALED, applied=WITH_REPLICAS), "kubectl-client-side-apply", "kubectl apply"),
        (
            _object(_entry("argocd-controller"), applied=WITH_REPLICAS, annotations=TRACKED),
            "argocd-controller",
            "Argo CD",
        ),
        # Helm keeps no annotation: kubectl apply it was, on an object that Helm made.
        (_object(SCALED, applied=WITH_REPLICAS, annotations=RELEASED), "kubectl-client-side-apply", "kubectl apply"),
        # Plain updates of tools that deploy.
        (_object(_entry("helm"), annotations=RELEASED), "helm", "Helm"),
        (_object(_entry("helm"), annotations=RELEASED, labels=FLUX_HELM), "helm", "Flux"),
        (_object(_entry("helm-controller")), "helm-controller", "Flux"),
        (_object(_entry("argocd-controller"), annotations=TRACKED), "argocd-controller", "Argo CD"),
    ],
)
def test_a_tool_that_sets_replicas_from_a_manifest_owns_them(obj: Json, manager: str, tool: str) -> None:
    owner = replicas_owner(obj)
    assert owner is not None
    assert (owner.manager, owner.tool, owner.certain) == (manager, tool, True)
    assert "spec.replicas" in owner.evidence


@pytest.mark.parametrize(
    "obj",
    [
        _object(),
        {"metadata": {"name": "web"}, "spec": {}},
        _object(_entry("kubectl-create")),
        _object(_entry("kubectl-patch")),
        _object(SCALED),
        _object(AUTOSCALED),
        _object(_entry("mlscale", subresource="scale")),
        _object(_entry("mlscale", "Apply")),
        _object(_entry("argocd-controller", subresource="scale"), annotations=TRACKED),
        # Deployed by a tool, whose manifest leaves replicas to the autoscaler.
        _object(_entry("argocd-controller", "Apply", field="f:template"), annotations=TRACKED),
        _object(_entry("argocd-controller", "Apply", field="f:template"), AUTOSCALED, annotations=TRACKED),
        _object(_entry("kustomize-controller", "Apply", field="f:template"), labels=FLUX_KUSTOMIZE),
        _object(_entry("helm", field="f:template"), SCALED, annotations=RELEASED),
        _object(AUTOSCALED, annotations=TRACKED),
        # kubectl apply of a manifest without replicas: it owns the field for the server's default's sake.
        _object(CLIENT_SIDE, replicas=1, applied=WITHOUT_REPLICAS),
        _object(_entry("argocd-controller"), replicas=1, applied=WITHOUT_REPLICAS, annotations=TRACKED),
        # An annotation that is no manifest says nothing.
        _object(CLIENT_SIDE, applied="{"),
        _object(CLIENT_SIDE, applied="[]"),
        _object(CLIENT_SIDE, applied={"spec": None}),
    ],
)  # fmt: skip
def test_others_do_not_own_replicas(obj: Json) -> None:
    assert replicas_owner(obj) is None


def test_owning_the_default_of_1_is_no_proof() -> None:
    # Helm's chart may say replicas: 1, or leave them out: the server writes 1 in Helm's name either way.
    owner = replicas_owner(_object(_entry("helm"), replicas=1, annotations=RELEASED))
    assert owner == ReplicasOwner("helm", "Helm", "helm wrote spec.replicas", certain=False)
    (finding,) = owner_findings(WEB, 3, [], owner)
    assert (finding.level, finding.reason) == ("note", "ManifestMaySetReplicas")
    assert finding.message == (
        "Helm (manager helm) owns spec.replicas of deployment.apps/web: if its manifest sets them, "
        "the next helm upgrade may set them back"
    )


OLD, NEW = "2026-11-24T20:00:00Z", "2026-11-24T21:00:00Z"


@pytest.mark.parametrize(
    ("entries", "writer"),
    [
        ([], None),
        ([_entry("kubectl-create", field="f:template")], None),
        ([_entry("kubectl-create", time=OLD)], "kubectl-create"),
        ([AUTOSCALED], "the HPA controller (kube-controller-manager)"),
        ([SCALED], "kubectl (subresource scale)"),
        # Only /scale is the autoscaler; the controller manager writes the object for other reasons too.
        ([_entry("kube-controller-manager", time=OLD)], "kube-controller-manager"),
        ([_entry("argocd-controller", "Apply", time=NEW), _entry("kubectl-edit", time=OLD)], "argocd-controller"),
        ([_entry("argocd-controller", "Apply", time=NEW), SCALED], "kubectl (subresource scale)"),
        ([_entry("evil\x1b[2J", time=OLD)], "evil\\x1b[2J"),
    ],
)
def test_who_wrote_replicas_last(entries: list[Json], writer: str | None) -> None:
    assert last_writer_of_replicas(_object(*entries)) == writer


SYNC = "at its next sync (15 s by default)"
ITSELF = f"it will set the replicas itself {SYNC}"
BACK_TO_5, BACK_TO_2 = (f"it will bring the replicas back to {bound} {SYNC}" for bound in (5, 2))
ON = "replicas above 0 switch it on again, and "
STAYS = f"it stays active at 0 (ScaledToZero) and will set the replicas itself {SYNC}"
SWITCHED_OFF = "scaling to 0 switches HPA web off (ScalingDisabled) until replicas are set above 0"
PAUSED = {"ScalingActive": ("False", "ScalingDisabled")}
AT_ZERO = {"ScaledToZero": ("True", "ScaledToZero")}
FROM_ZERO = _hpa(least=0, metrics=("External",))
BY_ITSELF_AT_ZERO = _hpa(least=0, metrics=("External",), conditions=AT_ZERO)


@pytest.mark.parametrize(
    ("hpa", "replicas", "current", "reason", "clause"),
    [
        (_hpa(), 3, 2, "GovernedByHPA", ITSELF),
        (_hpa(), 2, 3, "GovernedByHPA", ITSELF),
        (_hpa(), 5, 3, "GovernedByHPA", ITSELF),
        (_hpa(), 6, 3, "AboveHPAMax", BACK_TO_5),
        (_hpa(), 1, 3, "BelowHPAMin", BACK_TO_2),
        (_hpa(least=None), 1, 3, "GovernedByHPA", ITSELF),  # minReplicas absent is 1
        (_hpa(), 0, 3, "HPASwitchedOff", SWITCHED_OFF),
        (_hpa(), 3, 0, "HPASwitchedOn", ON + ITSELF),
        (_hpa(), 9, 0, "AboveHPAMax", ON + BACK_TO_5),
        (_hpa(), 1, 0, "BelowHPAMin", ON + BACK_TO_2),
        # Where the current replicas are not known, the HPA's own word counts.
        (_hpa(conditions=PAUSED), 3, None, "HPASwitchedOn", ON + ITSELF),
        (_hpa(conditions=PAUSED), 3, 2, "GovernedByHPA", ITSELF),
        # At 0 by its own doing it goes on computing and may leave 0 again; at 0 by hand it is paused.
        (BY_ITSELF_AT_ZERO, 0, 0, "GovernedByHPA", STAYS),
        (BY_ITSELF_AT_ZERO, 3, 0, "GovernedByHPA", ITSELF),
        (FROM_ZERO, 0, 3, "HPASwitchedOff", SWITCHED_OFF),
        (FROM_ZERO, 3, 0, "HPASwitchedOn", ON + ITSELF),
        # Without a metric that is there at 0, and min 0, it is paused whatever ScaledToZero says.
        (_hpa(least=0, conditions=AT_ZERO), 0, 0, "HPASwitchedOff", SWITCHED_OFF),
    ],
)
def test_what_an_hpa_will_do(hpa: Json, replicas: int, current: int | None, reason: str, clause: str) -> None:
    (finding,) = owner_findings(WEB, replicas, [hpa], None, current)
    least = hpa["spec"].get("minReplicas", 1)
    governed = f"deployment.apps/web is governed by HPA web (min {least}, max 5): "
    assert finding == Finding("warning", reason, governed + clause, "deployment.apps/web")


def test_keda_is_named_with_what_it_does_at_zero() -> None:
    hpa = _hpa("keda-hpa-web", labels=KEDA_LABELS)
    governed = "deployment.apps/web is governed by KEDA ScaledObject web through HPA keda-hpa-web (min 2, max 5): "
    (above,) = owner_findings(WEB, 6, [hpa], None, 3)
    assert above.message == governed + BACK_TO_5
    (zero,) = owner_findings(WEB, 0, [hpa], None, 3)
    assert zero.message == (
        f"{governed}scaling to 0 switches HPA keda-hpa-web off (ScalingDisabled) until replicas are set above 0, "
        "which KEDA does when a trigger is active"
    )


def test_two_hpas_stop_each_other_but_keep_their_bounds() -> None:
    hpas = [_hpa("a"), _hpa("b", most=9)]
    (within,) = owner_findings(WEB, 3, hpas, None, 3)
    assert (within.reason, within.message) == (
        "AmbiguousSelector",
        "2 HPAs (a, b) target deployment.apps/web: none of them scales by its metrics (AmbiguousSelector)",
    )
    # 7 is above the maximum of a alone; the bound is enforced before the selectors are compared.
    assert [finding.reason for finding in owner_findings(WEB, 7, hpas, None, 3)] == ["AmbiguousSelector", "AboveHPAMax"]


@pytest.mark.parametrize(
    ("owner", "message"),
    [
        (
            ReplicasOwner("argocd-controller", "Argo CD", ""),
            "Argo CD (manager argocd-controller) sets spec.replicas of deployment.apps/web: "
            "its next sync may set them back",
        ),
        (
            ReplicasOwner("kubectl-client-side-apply", "kubectl apply", ""),
            "kubectl apply (manager kubectl-client-side-apply) sets spec.replicas of deployment.apps/web: "
            "the next kubectl apply sets them back",
        ),
        (
            ReplicasOwner("kubectl", "kubectl apply --server-side", ""),
            "kubectl apply --server-side (manager kubectl) sets spec.replicas of deployment.apps/web: "
            "the next one stops at a conflict, or sets them back with --force-conflicts",
        ),
        (
            ReplicasOwner("x\x1b", "x\x1b", ""),
            "x\\x1b (manager x\\x1b) sets spec.replicas of deployment.apps/web: its next run may set them back",
        ),
    ],
)
def test_what_a_manifest_will_do(owner: ReplicasOwner, message: str) -> None:
    expected = [Finding("warning", "ManifestSetsReplicas", message, "deployment.apps/web")]
    assert owner_findings(WEB, 3, [], owner) == expected


def test_nobody_governs() -> None:
    assert owner_findings(WEB, 3, [], None) == []


def test_a_replicaset_of_a_deployment_is_said_to_be_controlled() -> None:
    references = [{"kind": "Deployment", "name": "web", "controller": True}]
    target = Target(REPLICASET, "default", "web-1")
    finding = controller_finding(target, {"metadata": {"name": "web-1", "ownerReferences": references}})
    assert finding is not None
    assert finding.message == (
        "replicaset.apps/web-1 is controlled by Deployment web, which may set the replicas back: scale that one instead"
    )


@pytest.mark.parametrize("references", [None, [], [{"kind": "Application", "name": "web"}]])
def test_an_owner_that_does_not_control_is_none(references: list[Json] | None) -> None:
    # An owner reference without controller is for garbage collection only: no one would set the replicas back.
    target = Target(DEPLOYMENT, "default", "web")
    assert controller_finding(target, {"metadata": {"name": "web", "ownerReferences": references}}) is None
