"""Manifests for the tests: workloads whose simulated usage is set by annotation, and scalable custom resources."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

GROUP = "ml.example.com"


def deployment(name: str, replicas: int = 1, **template: Any) -> Json:
    """A Deployment; `template` are the arguments of `pod_template`."""
    return _workload("Deployment", name, replicas, template)


def statefulset(name: str, replicas: int = 1, **template: Any) -> Json:
    """A StatefulSet of the headless service of the same name; `template` are the arguments of `pod_template`."""
    body = _workload("StatefulSet", name, replicas, template)
    body["spec"]["serviceName"] = name
    return body


def pod_template(
    name: str,
    *,
    labels: dict[str, str] | None = None,
    requests: dict[str, str] | None = None,
    limits: dict[str, str] | None = None,
    usage_cpu: str = "250m",
    usage_memory: str = "64Mi",
    image: str = "model:1",
    annotations: dict[str, str] | None = None,
    node_selector: dict[str, str] | None = None,
) -> Json:
    """A pod template with one container, using `usage_cpu` and `usage_memory` (quantities) in each pod.

    Pods run on simulated nodes: they are Running and Ready at once, unless nothing can schedule them.
    """
    usage = {"kwok.x-k8s.io/usage-cpu": usage_cpu, "kwok.x-k8s.io/usage-memory": usage_memory}
    container: Json = {"name": "model", "image": image}
    resources = {"requests": requests or {}, "limits": limits or {}}
    container["resources"] = {kind: amounts for kind, amounts in resources.items() if amounts}
    spec: Json = {"containers": [container], "terminationGracePeriodSeconds": 0}
    if node_selector:
        spec["nodeSelector"] = node_selector
    metadata = {"labels": labels or {"app": name}, "annotations": {**usage, **(annotations or {})}}
    return {"metadata": metadata, "spec": spec}


def hpa(
    target: str, *, kind: str = "Deployment", least: int = 1, most: int = 5, cpu_percent: int = 50, name: str = ""
) -> Json:
    """An autoscaling/v2 HPA on average CPU utilization, in percent of the request."""
    api_version = {"Deployment": "apps/v1", "StatefulSet": "apps/v1"}.get(kind, f"{GROUP}/v1")
    utilization = {"type": "Utilization", "averageUtilization": cpu_percent}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": name or target},
        "spec": {
            "scaleTargetRef": {"apiVersion": api_version, "kind": kind, "name": target},
            "minReplicas": least,
            "maxReplicas": most,
            "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": utilization}}],
        },
    }


def custom_resource_definition(kind: str = "ModelServer", *, scalable: bool = True) -> Json:
    """A namespaced CustomResourceDefinition, with the scale subresource where `scalable`."""
    plural = f"{kind.lower()}s"
    version: Json = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {
            "openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        },
    }
    if scalable:
        paths = {
            "specReplicasPath": ".spec.replicas",
            "statusReplicasPath": ".status.replicas",
            "labelSelectorPath": ".status.selector",
        }
        version["subresources"] = {"scale": paths}
    names = {"kind": kind, "listKind": f"{kind}List", "plural": plural, "singular": kind.lower()}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{GROUP}"},
        "spec": {"group": GROUP, "scope": "Namespaced", "names": names, "versions": [version]},
    }


def custom_resource(name: str, replicas: int = 1, *, kind: str = "ModelServer") -> Json:
    """An instance of `custom_resource_definition`; no controller acts on it, so its status says what the test says."""
    return {
        "apiVersion": f"{GROUP}/v1",
        "kind": kind,
        "metadata": {"name": name},
        "spec": {"replicas": replicas},
        "status": {"replicas": replicas, "selector": f"app={name}"},
    }


def _workload(kind: str, name: str, replicas: int, template: Json) -> Json:
    body = pod_template(name, **template)
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": name, "labels": body["metadata"]["labels"]},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": body["metadata"]["labels"]},
            "template": body,
        },
    }
