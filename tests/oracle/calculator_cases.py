"""Generated questions to upstream's replica calculator: pods as the API has them, samples, targets.

The clock stands at NOW. Values are drawn from small sets where they meet: uses on the edges of the tolerance, ages
on the edges of the start-up periods, several pods alike.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from random import Random

Json = dict[str, Any]

NOW = datetime(2000, 1, 1, tzinfo=UTC)
CALLS = ("resource", "resource", "resource", "raw_resource", "pods", "object", "object_per_pod", "external",
         "external_per_pod")  # fmt: skip
_AGES = (5, 29, 30, 31, 60, 120, 299, 300, 301, 3600)
"""Seconds: around the readiness delay of 30 s and the initialization period of 300 s."""
_REQUESTS = (1, 100, 250, 500, 1000, 1000, 1000, 3333)
_SHARES = (0, 0.09, 0.3, 0.45, 0.5, 0.55, 0.5501, 0.66, 0.8, 0.88, 0.9, 1.0, 1.1, 1.5, 4.0)


def calculator_case(random: Random) -> Json:
    """One call of the calculator."""
    call = random.choice(CALLS)
    resource = random.choice(("cpu", "cpu", "memory")) if "resource" in call else ""
    container = "model" if call == "resource" and random.random() < 0.15 else ""
    pods = [_pod(random, f"web-{n}", resource) for n in range(random.choice((0, 1, 2, 3, 4, 5, 6, 25)))]
    return {
        "call": call,
        "current": random.choice((0, 1, 2, len(pods), len(pods), len(pods), len(pods) + 3, 10)),
        "target": _target(random, call),
        "resource": resource,
        "container": container,
        **_tolerances(random),
        "initialization": 300.0,
        "readiness_delay": 30.0,
        "pods": pods,
        "samples": _samples(random, pods),
        "values": _values(random, call),
    }


def _target(random: Random, call: str) -> int:
    if call == "resource":
        return random.choice((1, 30, 40, 50, 50, 60, 80, 100, 150, 300))
    return random.choice((1, 10, 100, 500, 1000, 1000, 2500, 10**9))


def _tolerances(random: Random) -> Json:
    if random.random() < 0.7:
        return {"down": 0.1, "up": 0.1}
    return {"down": random.choice((0.0, 0.05, 0.3, 0.5)), "up": random.choice((0.0, 0.01, 0.3, 1.0))}


def _pod(random: Random, name: str, resource: str) -> Json:
    started = random.choice(_AGES)
    phase = random.choices(("Running", "Pending", "Failed", "Succeeded"), (20, 2, 1, 1))[0]
    ready = random.choices(("True", "False", "Unknown", None), (10, 3, 1, 1))[0]
    status: Json = {"phase": phase}
    if random.random() < 0.97:
        status["startTime"] = _time(started)
    if ready is not None:
        changed = random.choice((0, 1, 10, 29, 30, 31, started, max(0, started - 30), max(0, started - 20)))
        status["conditions"] = [{"type": "Ready", "status": ready, "lastTransitionTime": _time(changed)}]
    metadata: Json = {"name": name}
    if random.random() < 0.06:
        metadata |= {"deletionTimestamp": _time(3), "finalizers": ["example.com/kept"]}
    return {"metadata": metadata, "spec": _spec(random, resource), "status": status}


def _spec(random: Random, resource: str) -> Json:
    spec: Json = {"containers": [_container(random, "model", resource, 0.995)]}
    if random.random() < 0.2:
        spec["containers"].append(_container(random, "proxy", resource, 0.99))
    if random.random() < 0.2:
        spec["initContainers"] = [_container(random, "load", resource, 0.5)]
    if random.random() < 0.2:
        sidecar = {**_container(random, "logs", resource, 0.99), "restartPolicy": "Always"}
        spec["initContainers"] = [*spec.get("initContainers", []), sidecar]
    if random.random() < 0.1:
        spec["resources"] = {"requests": {random.choice(("cpu", "memory")): _quantity(random)}}
    if random.random() < 0.1:
        spec["overhead"] = {"cpu": "200m", "memory": "50m"}
    return spec


def _container(random: Random, name: str, resource: str, has_request: float) -> Json:
    requests = {resource or "cpu": _quantity(random)} if random.random() < has_request else {}
    return {"name": name, "resources": {"requests": requests}}


def _quantity(random: Random) -> str:
    return f"{random.choice(_REQUESTS)}m"


def _samples(random: Random, pods: list[Json]) -> Json:
    """What each pod used; the same for all of them every other time, as in a service with even load."""
    even = random.choice(_SHARES) if random.random() < 0.5 else None
    samples = {
        pod["metadata"]["name"]: _sample(random, random.choice(_SHARES) if even is None else even)
        for pod in pods
        if random.random() < 0.93
    }
    if random.random() < 0.05:
        samples["stranger"] = _sample(random, 1.0)
    return samples


def _sample(random: Random, share: float) -> Json:
    age = random.choice((0, 1, 10, 20, 30, 75))
    return {
        "value": round(share * 1000) + random.choice((0, 0, 0, 1, -1)),
        "timestamp": _time(age),
        "window": random.choice((15.0, 30.0, 10.024, 60.0)),
    }


def _values(random: Random, call: str) -> list[int]:
    if random.random() < 0.03:
        return []
    count = 1 if call.startswith("object") else random.choice((1, 1, 2, 5))
    return [random.choice((0, 1, 50, 1000, 1100, 1101, 4400, 6100, 41000, -3, 10**12, 2**63 - 1)) for _ in range(count)]


def _time(seconds_ago: int) -> str:
    return (NOW - timedelta(seconds=seconds_ago)).strftime("%Y-%m-%dT%H:%M:%SZ")
