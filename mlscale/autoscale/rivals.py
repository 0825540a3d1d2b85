"""Other autoscalers of the same target: two of them stop or fight each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlscale.kube.finding import Finding
from mlscale.kube.kinds import HPA
from mlscale.kube.text import printable

if TYPE_CHECKING:
    from mlscale.autoscale.facts import TargetFacts
    from mlscale.kube.targets import Target

Json = dict[str, Any]

KEDA_LABEL = ("app.kubernetes.io/managed-by", "keda-operator")
"""What KEDA puts on the HPAs that it makes, beside an owner reference to the ScaledObject."""


def find_rivals(facts: TargetFacts, name: str) -> list[Finding]:
    """Refusals for each HPA or KEDA ScaledObject that an HPA called ``name`` on the target would collide with."""
    hpas = facts.namespace.hpas or ()
    ours = next((hpa for hpa in hpas if hpa["metadata"]["name"] == name), None)
    others = [hpa for hpa in hpas if hpa is not ours and scales(hpa, facts.target)]
    findings = [_second_hpa(hpa, facts.target) for hpa in others if not keda_owner(hpa)]
    if ours is not None and not scales(ours, facts.target):
        findings.append(_name_taken(ours, facts.target))
    scaled_objects = _scaled_objects(facts, [*others, *([ours] if ours else [])])
    return findings + [_keda(scaled_object, facts.target) for scaled_object in scaled_objects]


def scales(hpa: Json, target: Target) -> bool:
    """Whether the scaleTargetRef of an HPA or a ScaledObject is ``target``; versions of one group are the same.

    A ScaledObject's may leave out what defaults to a Deployment of apps/v1 (keda.sh/v1alpha1 ScaleTarget).
    """
    reference = (hpa.get("spec") or {}).get("scaleTargetRef") or {}
    defaults = ("apps/v1", "Deployment") if hpa.get("kind") == "ScaledObject" else (target.kind.api_version, "")
    group = _group(reference.get("apiVersion") or defaults[0])
    return (group, reference.get("kind") or defaults[1], reference.get("name")) == (
        target.kind.group,
        target.kind.kind,
        target.name,
    )


def keda_owner(hpa: Json) -> str:
    """The name of the ScaledObject that made ``hpa``; empty for an HPA of another origin."""
    metadata = hpa["metadata"]
    for owner in metadata.get("ownerReferences") or []:
        if owner.get("kind") == "ScaledObject" and _group(owner.get("apiVersion") or "") == "keda.sh":
            return str(owner["name"])
    label, value = KEDA_LABEL
    labelled = (metadata.get("labels") or {}).get(label) == value
    return str(metadata["name"]).removeprefix("keda-hpa-") if labelled else ""


def _scaled_objects(facts: TargetFacts, hpas: list[Json]) -> list[str]:
    """The names of the ScaledObjects that scale the target, by their own word or by the HPAs they made."""
    listed = [
        scaled_object["metadata"]["name"]
        for scaled_object in facts.namespace.scaled_objects or ()
        if scales({**scaled_object, "kind": "ScaledObject"}, facts.target)
    ]
    return list(dict.fromkeys([*listed, *(owner for hpa in hpas if (owner := keda_owner(hpa)))]))


def _second_hpa(hpa: Json, target: Target) -> Finding:
    name = printable(hpa["metadata"]["name"])
    message = (
        f"{HPA.printed}/{name} scales it already, and with two neither works (AmbiguousSelector); "
        f"give --name {name} to change that one, or delete it"
    )
    return Finding("refusal", "SecondHpa", message, target.printed)


def _name_taken(hpa: Json, target: Target) -> Finding:
    reference = (hpa.get("spec") or {}).get("scaleTargetRef") or {}
    other = printable(f"{reference.get('kind')}/{reference.get('name')}")
    message = f"{HPA.printed}/{printable(hpa['metadata']['name'])} scales {other}; give this one another --name"
    return Finding("refusal", "NameTaken", message, target.printed)


def _keda(name: str, target: Target) -> Finding:
    message = (
        f"scaledobject.keda.sh/{printable(name)} scales it through an HPA of KEDA's own, which would fight this one; "
        "change the ScaledObject instead"
    )
    return Finding("refusal", "KedaScaledObject", message, target.printed)


def _group(api_version: str) -> str:
    return api_version.rpartition("/")[0]
