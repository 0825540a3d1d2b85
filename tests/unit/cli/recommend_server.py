"""A server that is API server and Prometheus in one, with one Deployment whose load has the course of a day."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from tests.recording_server import Answer, Request
from tests.unit.scale.objects import deployment, listing, path, scale

if TYPE_CHECKING:
    from tests.recording_server import RecordingServer

Json = dict[str, Any]

END = 1_700_006_400.0
"""The server's time, 2023-11-15 00:00:00 UTC."""
HOURS = 24
POD = "web-7d9f8c6b5-bcdfg"

HPAS = "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers"

_ROOM = {"cpu": "16", "memory": "64Gi", "pods": "110"}
NODE: Json = {
    "metadata": {"name": "n1"},
    "status": {"allocatable": _ROOM, "conditions": [{"type": "Ready", "status": "True"}]},
}


def workload(name: str = "web", replicas: int = 4) -> Json:
    """A Deployment of pods that request half a core each."""
    made = deployment(name, replicas)
    resources = {"requests": {"cpu": "500m", "memory": "256Mi"}, "limits": {"memory": "1Gi"}}
    container = {"name": "server", "image": "model:1", "resources": resources}
    made["spec"]["template"] = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container]}}
    made["status"] = {"replicas": replicas, "updatedReplicas": replicas}
    return made


def demand(time: float) -> float:
    """Cores: 0.3 at night, 1.5 at noon, with a short-lived unrest of a tenth."""
    hour = (time / 3600) % 24
    return 0.9 - 0.6 * math.cos(2 * math.pi * hour / 24) + 0.05 * math.sin(time / 97)


def serve(server: RecordingServer, *, hours: float = HOURS) -> None:
    """Let ``server`` have the Deployment web, and ``hours`` of its history at ``/api/v1``."""
    api = {
        path("web"): Answer(workload()),
        path("web", "scale"): Answer(scale("web", 4)),
        "/api/v1/nodes": listing(NODE),
        "/api/v1/pods": listing(),
        "/api/v1/services": listing(),
        "/api/v1/namespaces/default/pods": listing(),
        "/apis/apps/v1/namespaces/default/deployments": listing(workload()),
        "/apis/apps/v1/namespaces/default/statefulsets": listing(),
        "/apis/apps/v1/namespaces/default/replicasets": listing(),
        "/apis/apps/v1/deployments": listing(workload()),
        "/apis/apps/v1/statefulsets": listing(),
        "/api/v1/namespaces/default": Answer({}),
    }
    server.answers |= {f"GET {where}": answer for where, answer in api.items()}
    server.answers["GET /api/v1/query"] = _instant
    server.answers["GET /api/v1/query_range"] = lambda request: _ranged(request, END - 3600 * hours)


def written(server: RecordingServer) -> list[str]:
    """The requests that may have changed something."""
    return [request.line for request in server.requests if request.method != "GET"]


def _instant(request: Request) -> Answer:
    text = request.query["query"]
    if text == "time()":
        return _answer("scalar", [END, str(END)])
    return _answer("vector", [])


def _ranged(request: Request, begin: float) -> Answer:
    query = request.query
    labels, value = _series(query["query"])
    if value is None:
        return _answer("matrix", [])
    start, end, step = (float(query[name]) for name in ("start", "end", "step"))
    times = [start + step * index for index in range(round((end - start) / step) + 1)]
    values = [[time, f"{value(time):.6f}"] for time in times if time >= begin]
    return _answer("matrix", [{"metric": labels, "values": values}] if values else [])


def _series(text: str) -> tuple[Json, Any]:
    """What a query is about, by the metric that it names."""
    container = {"pod": POD, "container": "server"}
    if text.startswith("max(count_over_time"):
        return {}, lambda _: 60.0
    if text.startswith("count(") or "count by" in text:
        return {}, lambda _: 1.0
    if "throttled" in text or "resource_requests" in text:
        return {}, None
    if "memory_working_set" in text:
        return container, lambda _: 200 * 2.0**20
    return (container, demand) if "cpu_usage_seconds" in text else ({}, None)


def _answer(kind: str, result: Any) -> Answer:
    return Answer({"status": "success", "data": {"resultType": kind, "result": result}})
