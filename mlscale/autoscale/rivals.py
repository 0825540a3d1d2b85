"""Other autoscalers of the same target: two of them stop or fight each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlscale.kube.finding import Finding
from mlscale.kube.kinds import HPA
from mlscale.kube.owners import hpas_of, keda_scaled_object
from mlscale.kube.text import printable

if TYPE_CHECKING:
    from mlscale.autoscale.facts import TargetFacts
    from mlscale.kube.targets import Target

Json = dict[str, Any]


def find_rivals(facts: TargetFacts, name: str) -> list[Finding]:
    """Refusals for each HPA or KEDA ScaledObject that an HPA called ``name`` on the target would collide with."""
    hpas = facts.namespace.hpas or ()
    ours = next((hpa for hpa in hpas if hpa["metadata"]["name"] == name), None)
    here = hpas_of(list(hpas), facts.target)
    findings = [_second_hpa(hpa, facts.target) for hpa in here if hpa is not ours and not keda_scaled_object(hpa)]
    if ours is not None and ours not in here:
        findings.append(_name_taken(ours, facts.target))
    scaled_objects = _scaled_objects(facts, here if ours is None or ours in here else [*here, ours])
    return findings + [_keda(scaled_object, facts.target) for scaled_object in scaled_objects]


def _scaled_objects(facts: TargetFacts, hpas: list[Json]) -> list[str]:
    """The names of the ScaledObjects that scale the target, by their own word or by the HPAs they made."""
    listed = [
        scaled_object["metadata"]["name"]
        for scaled_object in facts.namespace.scaled_objects or ()
        if _is_target_of(scaled_object, facts.target)
    ]
    return list(dict.fromkeys([*listed, *(owner for hpa in hpas if (owner := keda_scaled_object(hpa)))]))


def _is_target_of(scaled_object: Json, target: Target) -> bool:
    """Whether a ScaledObject scales ``target``; its reference defaults to a Deployment of apps/v1."""
    reference = (scaled_object.get("spec") or {}).get("scaleTargetRef") or {}
    group = str(reference.get("apiVersion") or "apps/v1").rpartition("/")[0]
    kind = reference.get("kind") or "Deployment"
    return (group, kind, reference.get("name")) == (target.kind.group, target.kind.kind, target.name)


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
