"""What to know of a workload before anything is changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlscale.kube.text import printable

if TYPE_CHECKING:
    from mlscale.recommend.evidence import WorkloadFacts

Json = dict[str, Any]


def workload_notes(facts: WorkloadFacts) -> tuple[str, ...]:
    """What to know before anything is changed: rollouts, other owners, budgets, and what was not read."""
    about = [f"not checked: {clause}" for clause in facts.unread]
    if facts.rollout_under_way:
        about.append("a rollout is under way: pods of two templates run, and the numbers are of both")
    if facts.owner is not None:
        about.append(f"{printable(facts.owner.tool)} deploys it: change its manifest too, or the change is set back")
    about += [_vpa_note(vpa) for vpa in facts.vpas]
    about += [note for pdb in facts.pdbs if (note := _pdb_note(pdb))]
    return tuple(about)


def _vpa_note(vpa: Json) -> str:
    name = printable(str(vpa["metadata"]["name"]))
    mode = str(((vpa.get("spec") or {}).get("updatePolicy") or {}).get("updateMode") or "Recreate")
    if mode == "Off":
        return f"VerticalPodAutoscaler {name} watches it and changes nothing (updateMode Off)"
    return (
        f"VerticalPodAutoscaler {name} sets its requests (updateMode {printable(mode)}): "
        "an HPA on CPU or memory beside it scales on a share of a moving request"
    )


def _pdb_note(pdb: Json) -> str:
    if (pdb.get("status") or {}).get("disruptionsAllowed") != 0:
        return ""
    name = printable(str(pdb["metadata"]["name"]))
    return f"PodDisruptionBudget {name} allows no disruption now: node drains wait, scaling does not"
