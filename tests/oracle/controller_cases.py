"""Generated trajectories of an HPA: what its metrics say at each reconcile, and when somebody scales by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.oracle.calculator_cases import NOW

if TYPE_CHECKING:
    from random import Random

Json = dict[str, Any]

_WINDOWS = (0, 15, 30, 60, 61, 120, 300)
_PERIODS = (1, 15, 30, 60, 90, 300)


def trajectory(random: Random) -> Json:
    """One HPA and 8 to 40 ticks of 15 s."""
    metrics = [_metric(random, f"m{n}") for n in range(random.choice((1, 1, 1, 2, 3)))]
    most = random.choice((1, 5, 10, 10, 30, 100))
    spec: Json = {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
        "maxReplicas": most,
        "metrics": metrics,
    }
    if random.random() < 0.9:
        spec["minReplicas"] = random.choice((0, 0, 1, 1, 2, min(4, most)))
    if random.random() < 0.6:
        spec["behavior"] = _behavior(random)
    replicas = random.choice((0, 1, 2, 3, 4, 5, 8, 12, 20))
    pods = [_ready_pod(f"web-{n}") for n in range(random.choice((1, 3, 4, 10)))]
    return {
        "hpa": {"metadata": {"name": "web"}, "spec": spec},
        "replicas": replicas,
        "tolerance": random.choice((0.1, 0.1, 0.1, 0.0, 0.25)),
        "stabilization": float(random.choice((300, 60, 60, 15, 0))),
        "initialization": 300.0,
        "readiness_delay": 30.0,
        "pods": pods,
        "ticks": _ticks(random, metrics, pods),
    }


def _metric(random: Random, name: str) -> Json:
    kind = random.choice(("External", "External", "External", "Object", "Pods", "Resource"))
    if kind == "Resource":
        target = random.choice(
            ({"type": "Utilization", "averageUtilization": 50}, {"type": "AverageValue", "averageValue": "400m"})
        )
        return {"type": kind, "resource": {"name": random.choice(("cpu", "memory")), "target": target}}
    metric = {"name": name}
    average, value = {"type": "AverageValue", "averageValue": "1"}, {"type": "Value", "value": "1"}
    if kind == "Pods":
        return {"type": kind, "pods": {"metric": metric, "target": average}}
    source: Json = {"metric": metric, "target": random.choice((average, average, value))}
    if kind == "Object":
        return {"type": kind, "object": {"describedObject": {"kind": "Service", "name": "web"}, **source}}
    return {"type": kind, "external": source}


def _behavior(random: Random) -> Json:
    if random.random() < 0.2:
        return {}
    sides = random.choice((("scaleUp",), ("scaleDown",), ("scaleUp", "scaleDown"), ("scaleUp", "scaleDown")))
    return {side: _rules(random) for side in sides}


def _rules(random: Random) -> Json:
    rules: Json = {}
    if random.random() < 0.7:
        rules["stabilizationWindowSeconds"] = random.choice(_WINDOWS)
    if random.random() < 0.6:
        rules["selectPolicy"] = random.choice(("Max", "Max", "Min", "Disabled"))
    if random.random() < 0.8:
        rules["policies"] = [_policy(random) for _ in range(random.choice((1, 1, 2, 3)))]
    if random.random() < 0.3:
        rules["tolerance"] = random.choice(("0", "10m", "100m", "300m", "500m"))
    return rules


def _policy(random: Random) -> Json:
    kind = random.choice(("Pods", "Percent"))
    value = random.choice((1, 2, 3, 4) if kind == "Pods" else (10, 25, 50, 90, 100, 300))
    return {"type": kind, "value": value, "periodSeconds": random.choice(_PERIODS)}


def _ready_pod(name: str) -> Json:
    long_ago = "1999-12-31T12:00:00Z"
    container = {"name": "model", "resources": {"requests": {"cpu": "1", "memory": "1"}}}
    return {
        "metadata": {"name": name},
        "spec": {"containers": [container]},
        "status": {
            "phase": "Running",
            "startTime": long_ago,
            "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": long_ago}],
        },
    }


def _ticks(random: Random, metrics: list[Json], pods: list[Json]) -> list[Json]:
    """A load that stays for some ticks and then steps, so that windows and periods come to act."""
    level, ticks = 1.0, []
    fails = random.choice((0.0, 0.0, 0.05, 0.4))
    by_hand = random.choice((0.0, 0.0, 0.05))
    for _ in range(random.randint(8, 40)):
        if random.random() < 0.3:
            level = random.choice((0, 0.3, 0.9, 1, 1.05, 1.1, 1.5, 2, 4, 7, 10, 20, 50))
        one = _tick(random, metrics, pods, level, fails)
        if random.random() < by_hand:
            one["set"] = random.choice((0, 1, 3, 6, 15))
        ticks.append(one)
    return ticks


def _tick(random: Random, metrics: list[Json], pods: list[Json], level: float, fails: float) -> Json:
    values: dict[str, list[int]] = {}
    samples: dict[str, Json] = {}
    for metric in metrics:
        if random.random() < fails:
            continue
        kind = metric["type"]
        if kind in ("Pods", "Resource"):
            name = metric["resource"]["name"] if kind == "Resource" else metric["pods"]["metric"]["name"]
            samples[name] = {pod["metadata"]["name"]: _sample(level) for pod in pods}
        else:
            values[metric[kind.lower()]["metric"]["name"]] = [round(level * 1000)]
    return {"values": values, "samples": samples}


def _sample(level: float) -> Json:
    return {"value": round(level * 500), "timestamp": NOW.strftime("%Y-%m-%dT%H:%M:%SZ"), "window": 30.0}
