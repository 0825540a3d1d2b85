"""Who sets the replicas of a workload, and whether that works: HPAs, KEDA, and tools that deploy a manifest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlscale.hpa.scaling_spec import read_scaling_spec
from mlscale.kube.client import FIELD_MANAGER
from mlscale.kube.owners import marked_tool
from mlscale.kube.text import printable

if TYPE_CHECKING:
    from mlscale.recommend.evidence import WorkloadFacts
    from mlscale.usage.model import History

FIGHT = 6.0
"""Changes of direction an hour: an HPA alone waits 5 minutes before it goes down, and rests under steady demand."""
STEADY = 1.5
"""Peak over trough of smoothed demand."""


def find_rivals(facts: WorkloadFacts, history: History, variation: float) -> tuple[str, ...]:
    """Two HPAs on one target both stop (AmbiguousSelector: pkg/controller/podautoscaler/horizontal.go, v1.37.2)."""
    rivals = []
    if len(facts.hpas) > 1:
        names = ", ".join(printable(str(hpa["metadata"]["name"])) for hpa in facts.hpas)
        rivals.append(f"{len(facts.hpas)} HPAs ({names}) scale it: none of them acts on its metrics")
    if facts.hpas and facts.owner is not None and facts.owner.certain:
        rivals.append(f"{printable(facts.owner.tool)} sets spec.replicas, which an HPA sets too: each undoes the other")
    elif facts.hpas and variation < STEADY and (turmoil := _turmoil(history)):
        tool = marked_tool(facts.object)
        who = f"{printable(tool)}, which deploys it, may set" if tool else "something else sets"
        rivals.append(f"{turmoil} under steady demand: {who} them too")
    return tuple(rivals)


def _turmoil(history: History) -> str:
    """What pods did that an HPA alone does not; a pod of minutes shows by its name, not in the count of pods."""
    if reversals_an_hour(history) >= FIGHT:
        return f"its replicas changed direction {reversals_an_hour(history):.0f} times an hour"
    if new_pods_an_hour(history) >= FIGHT:
        return f"{new_pods_an_hour(history):.0f} new pods an hour came"
    return ""


def new_pods_an_hour(history: History) -> float:
    """How many pods came beyond those that there were at once; 0 for less than half an hour."""
    hours, at_once = history.span / 3600.0, float(history.pods.values.max(initial=0.0))
    return max(0.0, history.pods_seen - at_once) / hours if hours >= 0.5 else 0.0


def spec_writers(facts: WorkloadFacts) -> tuple[str, ...]:
    """The field managers that set the spec of the HPA, which a server-side apply has to take over from (409)."""
    entries = (facts.hpa["metadata"].get("managedFields") or ()) if facts.hpa else ()
    writers = (
        str(entry.get("manager"))
        for entry in entries
        if "f:spec" in (entry.get("fieldsV1") or {}) and entry.get("manager") != FIELD_MANAGER
    )
    return tuple(dict.fromkeys(writers))


def reversals_an_hour(history: History) -> float:
    """How often the count of pods turned from growing to shrinking, or back; 0 for less than half an hour."""
    moves = np.sign(np.diff(history.pods.values))
    moves = moves[moves != 0]
    hours = history.span / 3600.0
    return float(np.count_nonzero(np.diff(moves))) / hours if hours >= 0.5 else 0.0


def time_at_max(facts: WorkloadFacts, history: History) -> float:
    """The share of the history in which there were at least maxReplicas pods, 0 to 1."""
    if facts.hpa is None or not history.pods.values.size:
        return 0.0
    return float(np.mean(history.pods.values >= facts.hpa["spec"]["maxReplicas"]))


def cpu_target(facts: WorkloadFacts) -> float | None:
    """The share of the requested CPU that an HPA keeps to; None where none scales on that."""
    metrics = read_scaling_spec(facts.hpas[0]["spec"]).metrics if facts.hpas else ()
    targets = [metric.utilization for metric in metrics if metric.name == "cpu" and metric.utilization is not None]
    return min(targets) / 100.0 if targets else None


def why_blind(facts: WorkloadFacts) -> str:
    """The controller's own words where it cannot compute (condition ScalingActive False)."""
    if facts.hpa is None:
        return ""
    for condition in (facts.hpa.get("status") or {}).get("conditions") or ():
        if condition.get("type") == "ScalingActive" and condition.get("status") == "False":
            reason, message = str(condition.get("reason") or ""), str(condition.get("message") or "")
            return "" if reason == "ScalingDisabled" else printable(" ".join(message.split()))
    return ""
