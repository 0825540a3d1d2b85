"""Deployments, scales and pods as an API server sends them, and a server that has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.recording_server import Answer, status

if TYPE_CHECKING:
    from tests.recording_server import RecordingServer

Json = dict[str, Any]


def deployment(name: str, replicas: int = 1, *, namespace: str = "default", version: str = "7", **more: Any) -> Json:
    metadata = {"name": name, "namespace": namespace, "resourceVersion": version}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata | more,
        "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": name}}},
        "status": {},
    }


def scale(name: str, replicas: int, counted: int | None = None, *, selector: str | None = None) -> Json:
    """A Scale; at 0 the server leaves spec.replicas out."""
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"replicas": replicas} if replicas else {},
        "status": {
            "replicas": replicas if counted is None else counted,
            "selector": f"app={name}" if selector is None else selector,
        },
    }


def pod(name: str, *, ready: bool = True, phase: str = "Running", terminating: bool = False, **state: Any) -> Json:
    """A pod with one container; ``state`` is the container's (``waiting={"reason": …}``)."""
    metadata: Json = {"name": name, "namespace": "default", "creationTimestamp": "2026-01-01T00:00:00Z"}
    if terminating:
        metadata |= {"deletionTimestamp": "2026-01-01T00:05:00Z", "deletionGracePeriodSeconds": 30}
    condition = {"type": "Ready", "status": "True" if ready else "False"}
    container = {"name": "server", "image": "model:1", "ready": ready, "restartCount": 0, "state": state}
    return {
        "metadata": metadata,
        "spec": {"containers": [{"name": "server", "image": "model:1"}], "nodeName": "n1"},
        "status": {"phase": phase, "conditions": [condition], "containerStatuses": [container]},
    }


def hpa(name: str, target: str, least: int = 1, most: int = 10) -> Json:
    return {
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": target},
            "minReplicas": least,
            "maxReplicas": most,
        },
    }


def path(name: str, subresource: str = "", namespace: str = "default") -> str:
    tail = f"/{subresource}" if subresource else ""
    return f"/apis/apps/v1/namespaces/{namespace}/deployments/{name}{tail}"


def hpas(namespace: str = "default") -> str:
    return f"/apis/autoscaling/v2/namespaces/{namespace}/horizontalpodautoscalers"


def listing(*items: Json) -> Answer:
    return Answer({"items": list(items), "metadata": {"resourceVersion": "9"}})


def not_found(resource: str, name: str) -> Answer:
    return status(404, f'{resource} "{name}" not found', "NotFound", name=name, kind=resource.partition(".")[0])


def serve(server: RecordingServer, *deployments: Json, governed_by: list[Json] | None = None) -> None:
    """Let ``server`` have the deployments, their scales, their namespaces, and the HPAs."""
    for item in deployments:
        name, namespace = item["metadata"]["name"], item["metadata"]["namespace"]
        replicas = item["spec"]["replicas"]
        server.answers |= {
            f"GET {path(name, namespace=namespace)}": Answer(item),
            f"GET {path(name, 'scale', namespace)}": Answer(scale(name, replicas)),
            f"PATCH {path(name, 'scale', namespace)}": Answer(scale(name, replicas)),
            f"GET {hpas(namespace)}": listing(*(governed_by or [])),
            f"GET /api/v1/namespaces/{namespace}": Answer({}),
        }
    names = [item["metadata"]["name"] for item in deployments]
    rows = Answer({"kind": "Table", "rows": [{"cells": [name]} for name in names]})
    server.answers.setdefault("GET /apis/apps/v1/namespaces/default/deployments", rows)
