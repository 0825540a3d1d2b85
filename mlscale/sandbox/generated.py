"""What the server itself gives an object before it is stored: a Service's address, a Job's selector.

The rules are those of pkg/registry/core/service/storage/alloc.go, pkg/registry/batch/job/strategy.go and
pkg/registry/apps/daemonset/strategy.go, v1.37.2.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mlscale.kube.kinds import Kind
    from mlscale.sandbox.store import Store

Json = dict[str, Any]

_FIRST_NODE_PORT = 30000
_TEMPLATE_GENERATION = "deprecated.daemonset.template.generation"


def with_generated_fields(store: Store, kind: Kind, obj: Json, before: Json | None) -> Json:
    """``obj``, which stays as it is, with what its kind's strategy adds; of ``before`` what may not get lost."""
    generate = _GENERATED.get(kind.resource)
    return obj if generate is None else generate(store, obj, before)


def _service(store: Store, service: Json, before: Json | None) -> Json:
    spec = dict(service["spec"])
    if before is not None:
        for key in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"):
            if key in before["spec"] and spec.get("type") != "ExternalName":
                spec[key] = spec.get(key) or before["spec"][key]
    if spec.get("type") == "ExternalName":
        return {**service, "spec": spec}
    if not spec.get("clusterIP"):
        spec["clusterIP"] = _free_address(store)
    spec.setdefault("clusterIPs", [spec["clusterIP"]])
    is_open = spec["clusterIP"] == "None" and not spec.get("selector")
    spec.setdefault("ipFamilies", ["IPv4", "IPv6"] if is_open else ["IPv4"])
    spec.setdefault("ipFamilyPolicy", "RequireDualStack" if is_open else "SingleStack")
    if spec.get("type") in ("NodePort", "LoadBalancer"):
        free = _free_node_ports(store)
        spec["ports"] = [{**port, "nodePort": port.get("nodePort") or next(free)} for port in spec.get("ports") or []]
    return {**service, "spec": spec}


def _free_address(store: Store) -> str:
    """The lowest address of 10.96.0.0/12 that no Service has, after the one of the API itself."""
    taken = {(service.get("spec") or {}).get("clusterIP") for service in store.list("services")}
    addresses = (f"10.96.{number // 256}.{number % 256}" for number in count(2))
    return next(address for address in addresses if address not in taken)


def _free_node_ports(store: Store) -> Iterator[int]:
    services = [service.get("spec") or {} for service in store.list("services")]
    taken = {port.get("nodePort") for spec in services for port in spec.get("ports") or []}
    return (port for port in count(_FIRST_NODE_PORT) if port not in taken)


def _job(_store: Store, job: Json, before: Json | None) -> Json:
    uid, name = job["metadata"].get("uid"), job["metadata"].get("name")
    if before is not None or job["spec"].get("manualSelector") or not uid:
        return job
    labels = {
        "batch.kubernetes.io/controller-uid": uid,
        "batch.kubernetes.io/job-name": name,
        "controller-uid": uid,
        "job-name": name,
    }
    template = job["spec"]["template"]
    metadata = template.get("metadata") or {}
    template = {**template, "metadata": {**metadata, "labels": {**(metadata.get("labels") or {}), **labels}}}
    selector = {"matchLabels": {"batch.kubernetes.io/controller-uid": uid}}
    spec = {**job["spec"], "selector": job["spec"].get("selector") or selector, "template": template}
    own = job["metadata"].get("labels") or template["metadata"]["labels"]
    return {**job, "metadata": {**job["metadata"], "labels": own}, "spec": spec}


def _daemon_set(_store: Store, daemon_set: Json, before: Json | None) -> Json:
    generation = 1
    if before is not None:
        held = (before["metadata"].get("annotations") or {}).get(_TEMPLATE_GENERATION, "1")
        generation = int(held) + (before["spec"].get("template") != daemon_set["spec"].get("template"))
    metadata = daemon_set["metadata"]
    annotations = {**(metadata.get("annotations") or {}), _TEMPLATE_GENERATION: str(generation)}
    return {**daemon_set, "metadata": {**metadata, "annotations": annotations}}


_GENERATED: dict[str, Callable[[Store, Json, Json | None], Json]] = {
    "services": _service,
    "jobs.batch": _job,
    "daemonsets.apps": _daemon_set,
}
