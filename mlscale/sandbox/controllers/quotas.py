"""What a ResourceQuota's status says is used.

The rules are those of kubernetes pkg/controller/resourcequota/resource_quota_controller.go and
pkg/quota/v1/evaluator/core, v1.37.2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlscale.kube.admission import pod_usage
from mlscale.kube.pod_resources import is_best_effort
from mlscale.kube.quantity import Quantity, parse_quantity
from mlscale.sandbox.controllers.pod_facts import has_ended
from mlscale.sandbox.verbs import CONTROLLER

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlscale.sandbox.controllers.cluster import Cluster
    from mlscale.sandbox.store import Change, Key

Json = dict[str, Any]

_QUEUE = "resourcequotas"
_PLAIN_COUNTS = ("services", "configmaps", "replicationcontrollers", "resourcequotas")


class QuotaController:
    """Keeps the status of ResourceQuotas."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._quotas = cluster.api.resources["resourcequotas"]
        cluster.queue.register(_QUEUE, self._sync)
        cluster.watch("*", self._observe)

    def _observe(self, change: Change) -> None:
        metadata = change.object["metadata"]
        namespace = metadata.get("namespace")
        if not namespace or change.resource == "events":
            return
        if change.resource == "resourcequotas":
            if change.type != "DELETED":
                self._cluster.queue.add(_QUEUE, (namespace, metadata["name"]))
        elif change.before is None or change.type == "DELETED" or _pod_use_changed(change):
            for quota in self._cluster.store.list("resourcequotas", namespace):
                self._cluster.queue.add(_QUEUE, (namespace, quota["metadata"]["name"]))

    def _sync(self, key: Key) -> None:
        quota = self._cluster.store.get("resourcequotas", *key)
        if quota is None:
            return
        hard: Json = (quota.get("spec") or {}).get("hard") or {}
        pods = [pod for pod in self._cluster.store.list("pods", key[0]) if not has_ended(pod)]
        counted = [pod for pod in pods if in_scope(quota, pod)]
        used = pods_used(hard, counted)
        used |= {name: str(self._count(name, key[0])) for name in hard if name not in used}
        status = {"hard": hard, "used": {name: used[name] for name in hard}}
        if status != (quota.get("status") or {}):
            body = {**quota, "status": status}
            self._cluster.api.update(self._quotas, *key, body, CONTROLLER, subresource="status")

    def _count(self, name: str, namespace: str) -> int:
        resource = name.removeprefix("count/").removesuffix(".")
        if name.startswith("count/") or name in _PLAIN_COUNTS:
            return len(self._cluster.store.list(resource, namespace))
        if name in ("services.nodeports", "services.loadbalancers"):
            return self._services(namespace, "NodePort" if name.endswith("nodeports") else "LoadBalancer")
        return 0

    def _services(self, namespace: str, kind: str) -> int:
        services = self._cluster.store.list("services", namespace)
        return sum((service.get("spec") or {}).get("type") == kind for service in services)


def pods_used(hard: Iterable[str], pods: Iterable[Json]) -> dict[str, str]:
    """What ``pods`` use of the resources of ``hard`` that pods use, as quantities.

    A sum is written in the format of what is summed: 512Mi and 512Mi are 1Gi.
    """
    listed = [(pod_usage(pod["spec"]), pod["spec"]) for pod in pods]
    used = {}
    for name in hard:
        if name in ("pods", "count/pods") or _of_pods(name):
            total = sum((usage.get(name, 0) for usage, _ in listed), 0)
            used[name] = str(Quantity(total, _format(name, [spec for usage, spec in listed if usage.get(name)])))
    return used


def _of_pods(name: str) -> bool:
    bare = name.removeprefix("requests.").removeprefix("limits.")
    return bare in ("cpu", "memory", "ephemeral-storage") or (name != bare and bare != "storage") or "hugepages" in bare


def _format(name: str, specs: list[Json]) -> Any:
    side = "limits" if name.startswith("limits.") else "requests"
    bare = name.removeprefix("requests.").removeprefix("limits.")
    for spec in specs:
        for container in spec.get("containers") or ():
            written = ((container.get("resources") or {}).get(side) or {}).get(bare)
            if written is not None:
                return parse_quantity(written).format
    return "DecimalSI"


def in_scope(quota: Json, pod: Json) -> bool:
    """Whether a quota counts ``pod``."""
    spec = quota.get("spec") or {}
    scopes = [{"scopeName": scope, "operator": "Exists"} for scope in spec.get("scopes") or ()]
    selectors = scopes + ((spec.get("scopeSelector") or {}).get("matchExpressions") or [])
    return all(_matches(selector, pod["spec"]) for selector in selectors)


def _matches(selector: Json, spec: Json) -> bool:
    scope = selector["scopeName"]
    if scope == "PriorityClass":
        name, values = spec.get("priorityClassName"), selector.get("values") or ()
        return {"In": name in values, "NotIn": name not in values, "Exists": bool(name)}.get(
            selector.get("operator", ""), not name
        )
    terminating = spec.get("activeDeadlineSeconds") is not None
    return {
        "BestEffort": is_best_effort(_with_resources(spec)),
        "NotBestEffort": not is_best_effort(_with_resources(spec)),
        "Terminating": terminating,
        "NotTerminating": not terminating,
    }.get(scope, False)


def _with_resources(spec: Json) -> Json:
    return {**spec, "containers": [{**one, "resources": one.get("resources") or {}} for one in spec["containers"]]}


def _pod_use_changed(change: Change) -> bool:
    if change.resource != "pods" or change.before is None:
        return False
    ended = has_ended(change.object) != has_ended(change.before)
    return ended or change.object["spec"].get("containers") != change.before["spec"].get("containers")
