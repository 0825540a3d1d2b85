"""Objects that raw exchanges write. No controller has anything to do for them, so that nothing else changes them."""

from __future__ import annotations

from typing import Any

from tests.contract.exchanges import Send, get, post

Json = dict[str, Any]

MAPS = "/api/v1/namespaces/{ns}/configmaps"
PODS = "/api/v1/namespaces/{ns}/pods"
APPS = "/apis/apps/v1/namespaces/{ns}/deployments"
HPAS = "/apis/autoscaling/v2/namespaces/{ns}/horizontalpodautoscalers"


def config_map(name: str, **data: Any) -> Json:
    """A ConfigMap."""
    return {"metadata": {"name": name}, "data": data}


def deployment(name: str, replicas: Any = 0, app: str = "web", **changes: Any) -> Json:
    """A paused Deployment; ``changes`` are the template's labels or containers."""
    template = {
        "metadata": {"labels": changes.get("labels", {"app": app})},
        "spec": {"containers": changes.get("containers", [{"name": "model", "image": "model:1"}])},
    }
    selector = {"matchLabels": {"app": app}}
    return {
        "metadata": {"name": name},
        "spec": {"replicas": replicas, "paused": True, "selector": selector, "template": template},
    }


def pod(
    name: str, image: str = "model:1", requests: Json | None = None, limits: Json | None = None, **spec: Any
) -> Json:
    """A Pod that no scheduler looks at."""
    resources = {key: value for key, value in (("requests", requests), ("limits", limits)) if value}
    container = {"name": "model", "image": image, "resources": resources}
    return {
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": {"schedulerName": "nobody", "containers": [container], **spec},
    }


def there(replicas: int = 0) -> tuple[Send, Send]:
    """Makes the Deployment web, and waits until its controller has said all it has to say of it."""
    return post(APPS, deployment("web", replicas)), get(f"{APPS}/web", until='"reason":"MinimumReplicas')
