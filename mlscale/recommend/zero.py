"""Whether it pays to scale a workload to zero while no requests come, and KEDA's object that does it.

By keda.sh/docs: reference/scaledobject-spec (minReplicaCount, idleReplicaCount, cooldownPeriod, the annotation that
takes over an HPA) and scalers/prometheus (serverAddress, query, threshold).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mlscale.kube.text import counted
from mlscale.recommend import manifests
from mlscale.recommend.bottleneck import percent
from mlscale.recommend.gpu import most_replicas
from mlscale.recommend.model import Step
from mlscale.recommend.signs import held

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlscale.recommend.evidence import WorkloadFacts
    from mlscale.recommend.signs import Signs
    from mlscale.recommend.trial import Trial
    from mlscale.usage.model import FloatArray, History

DAY = 86400.0
COOLDOWN = 300.0
"""Seconds without requests after which the last pod goes: KEDA's default, in which a pod is paid for and idle."""
WORTH = 0.25
"""Share of the pod-hours to be saved from which the cold starts are worth it."""
BUSY_AT_MOST = 0.8
"""Share of the requests that a pod has served at its height to plan with."""


@dataclass(frozen=True)
class Rest:
    """The times at which no request came, ran or waited."""

    share: float
    """Of the history, 0 to 1."""
    stretches: float
    """A day, of those that outlast the cooldown."""
    saved_pod_hours: float
    """A day: what pods did in these stretches after the cooldown."""
    saved_share: float
    """Of all pod-hours."""
    rate_per_pod: float
    """Requests a second that one pod has served at its height (95th percentile of the times with requests)."""

    @property
    def pays(self) -> bool:
        """Whether it saves enough for the cold starts that it takes."""
        return self.saved_share >= WORTH and self.rate_per_pod > 0


def read_rest(history: History) -> Rest | None:
    """None where no signal tells requests: a low use of CPU may be work that waits for something."""
    rate = history.signals.get("request_rate")
    times = history.cpu.times
    if rate is None or times.size < 2:
        return None
    signals = [history.signals.get(name) for name in ("request_rate", "running_requests", "queue_length")]
    quiet = np.all([held(signal, times) == 0 for signal in signals if signal is not None], axis=0)
    pods = held(history.pods, times)
    begins, ends = _stretches(quiet)
    long = [(a, b) for a, b in zip(begins, ends, strict=True) if (b - a) * history.step > COOLDOWN]
    skipped = math.ceil(COOLDOWN / history.step)
    saved = sum(float(pods[a + skipped : b].sum()) for a, b in long)
    days, whole = times.size * history.step / DAY, float(pods.sum())
    served = held(rate, times)[~quiet] / np.maximum(pods[~quiet], 1.0)
    return Rest(
        share=float(quiet.mean()),
        stretches=len(long) / days,
        saved_pod_hours=saved * history.step / 3600.0 / days,
        saved_share=saved / whole if whole else 0.0,
        rate_per_pod=float(np.percentile(served, 95)) if served.size else 0.0,
    )


def _stretches(quiet: FloatArray) -> tuple[list[int], list[int]]:
    """Where those begin, and where they are over."""
    edges = np.diff(np.concatenate([[False], quiet, [False]]).astype(np.int8))
    return np.flatnonzero(edges == 1).tolist(), np.flatnonzero(edges == -1).tolist()


def zero_steps(facts: WorkloadFacts, signs: Signs, rest: Rest | None, trial: Trial | None) -> Iterator[Step]:
    """A ScaledObject, where KEDA is there to act on it and nothing of KEDA's scales the workload yet."""
    if rest is None or not rest.pays or not facts.keda or facts.scaled_objects:
        return
    low, high = _bounds(facts, signs, trial)
    threshold = max(0.01, float(f"{BUSY_AT_MOST * rest.rate_per_pod:.2g}"))
    why = (
        f"Scale to zero with KEDA while no requests come, which saves {saving(rest, signs)}; fill in where the "
        "requests are counted before they reach a pod (gateway or queue), since its own metrics end with its last pod"
    )
    scaling = manifests.ZeroScaling(low, high, threshold, COOLDOWN, _taken_over(facts, trial))
    yield Step("autoscale-metric", f"{why}.", manifest=manifests.scaled_object(facts.target, scaling))


def zero_note(facts: WorkloadFacts, signs: Signs, rest: Rest | None) -> str:
    """What would be saved where KEDA is not there to do it; empty where that is not known or does not pay."""
    if rest is None or not rest.pays or facts.keda:
        return ""
    return (
        f"no requests come {percent(rest.share)} of the time: KEDA, which is not installed, could scale it to zero "
        f"then and save {saving(rest, signs)}"
    )


def saving(rest: Rest, signs: Signs) -> str:
    """``14.9 pod-hours and 29.8 GPU-hours a day, for 2 cold starts a day``."""
    hours = f"{rest.saved_pod_hours:.3g} pod-hours"
    if signs.gpus:
        hours += f" and {rest.saved_pod_hours * signs.gpus:.3g} GPU-hours"
    starts = counted(max(1, round(rest.stretches)), "cold start")
    return f"{hours} a day, for {starts} a day"


def _taken_over(facts: WorkloadFacts, trial: Trial | None) -> str:
    """The HPA that is there, or that the step before makes."""
    is_made = trial is not None and trial.better and not trial.is_fixed
    return manifests.hpa_name(facts.target, facts.hpa) if facts.hpa is not None or is_made else ""


def _bounds(facts: WorkloadFacts, signs: Signs, trial: Trial | None) -> tuple[int, int]:
    """Replicas while requests come: those of the trial where there was one."""
    if trial is not None and trial.better and not trial.is_fixed:
        return trial.setting.min_replicas, trial.setting.max_replicas
    if facts.hpa is not None:
        spec = facts.hpa["spec"]
        return int(spec.get("minReplicas") or 1), int(spec["maxReplicas"])
    return 1, max(facts.replicas, most_replicas(facts, signs) if signs.gpus else facts.replicas)
