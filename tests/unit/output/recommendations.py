"""Recommendations to be printed: one workload of each sort."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mlscale.hpa.spec import HpaOptions
from mlscale.kube.kinds import DEPLOYMENT
from mlscale.kube.targets import Target
from mlscale.recommend.model import (
    Gain,
    HeldOut,
    HistoryFacts,
    Limit,
    Recommendation,
    Resize,
    RowName,
    ScoreRow,
    Size,
    Step,
)

DAY = 86400.0
START = 1_700_006_400.0
"""2023-11-15 00:00:00 UTC."""
MANIFEST = {
    "apiVersion": "autoscaling/v2",
    "kind": "HorizontalPodAutoscaler",
    "metadata": {"name": "web", "namespace": "default"},
    "spec": {"minReplicas": 2, "maxReplicas": 9},
}
RESOURCES = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web", "namespace": "default"},
    "spec": {"template": {"spec": {"containers": [{"name": "server", "resources": {"requests": {"memory": "2Gi"}}}]}}},
}
AUTOSCALE = Step(
    "autoscale",
    "the load varies 4-fold over a day",
    "mlscale autoscale web --min 2 --max 9 --cpu 65% -n default",
    MANIFEST,
    hpa=HpaOptions(min="2", max="9", cpu="65%"),
    hpa_name="web",
)
RESIZE = Step(
    "vertical",
    "copies do not make a model smaller",
    "kubectl set resources deployment web -c server --requests=memory=2Gi -n default",
    RESOURCES,
    resizes=(
        Resize(
            Size("server", "500m", "1", "1Gi", "1Gi"),
            Size("server", "500m", None, "2Gi", "2Gi"),
            ("killed for its memory 3 times",),
        ),
    ),
)
SCALE = Step("horizontal", "flat at 95 % of the request", "mlscale scale web --replicas 4 -n default", None, replicas=4)
QUOTA = Step("cluster", "ask for 8 more cores in the quota compute-quota")


def target(name: str = "web", namespace: str = "default") -> Target:
    return Target(DEPLOYMENT, namespace, name)


def row(name: RowName, setting: str, *, unmet: float = 0.0, gpu_hours: float = 0.0, curves: bool = False) -> ScoreRow:
    return ScoreRow(
        name=name,
        setting=setting,
        pod_hours=240.0,
        core_hours=120.0,
        gpu_hours=gpu_hours,
        unmet=unmet,
        saturated_minutes=90.0 if unmet else 0.0,
        changes_per_day=2.5,
        peak_replicas=9,
        replicas=np.array([2.0, 9.0, 4.0]) if curves else None,
        capacity=np.array([1.0, 4.5, 2.0]) if curves else None,
    )


def autoscaled(name: str = "web", *, namespace: str = "default") -> Recommendation:
    """A load that varies, to be autoscaled."""
    return Recommendation(
        target=target(name, namespace),
        verdict="autoscale on CPU: min 2, max 9, target 65 %",
        method="autoscale",
        limits=(Limit("CpuVarying", "high", ("use follows the load", "its peak is 4.1 times its median"), "server"),),
        steps=(AUTOSCALE,),
        history=HistoryFacts("Prometheus at https://prometheus.example", 7 * DAY, 60.0, 2),
        reasons=("of 480 settings it is the cheapest within the budget of 0.1 %",),
        scores=(
            row("now", "5 replicas", unmet=0.023, curves=True),
            row("recommended", "2..9 at 65 % of 500m", curves=True),
            row("default", "1..9 at 80 % of 500m", unmet=0.00004, curves=True),
        ),
        held_out=HeldOut(START + np.array([0.0, DAY, 2 * DAY]), np.array([0.9, 4.0, 1.5])),
        notes=("not checked: nodes could not be read (403)",),
        differs=True,
        gain=Gain(core_hours=31.25, unmet=0.023),
    )


def left_alone(name: str = "idle-api") -> Recommendation:
    """Nothing to do."""
    return replace(
        autoscaled(name),
        verdict="leave it: 2 replicas are within the noise of the best",
        method="none",
        limits=(Limit("Nothing", "high", ()),),
        steps=(),
        reasons=(),
        scores=(),
        held_out=None,
        notes=(),
        differs=False,
        gain=Gain(),
    )


def resized(name: str = "bert") -> Recommendation:
    """Memory limits it; then more copies."""
    return replace(
        autoscaled(name),
        verdict="give each copy 2Gi of memory",
        method="vertical",
        limits=(Limit("Memory", "high", ("killed for its memory 3 times",), "server"),),
        steps=(RESIZE, AUTOSCALE, QUOTA),
        gain=Gain(core_hours=-4.0, unmet=0.0),
    )
