"""Which pods keep which others off their nodes: host ports, and required anti-affinity on the hostname.

The rules are those of kube-scheduler's filters, kubernetes v1.37.2 pkg/scheduler/framework/plugins: nodeports and
interpodaffinity (hostname only).
"""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property
from typing import TYPE_CHECKING, Any

from mlscale.kube.label_index import LabelIndex, SelectorIndex
from mlscale.kube.placement import hostname_terms, matches_labels

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

Json = dict[str, Any]
HostPort = tuple[str, str, int]
"""Protocol, address and number."""

_ANY_ADDRESS = "0.0.0.0"  # noqa: S104 - what Kubernetes calls every address of the node


class Neighbours:
    """Pods on nodes, looked through once however many templates are to go beside them."""

    def __init__(self, pods: Iterable[Json]) -> None:
        self._pods = list(pods)

    def blocked_nodes(self, namespace: str, template: Json) -> frozenset[str]:
        """Return the names of the nodes where a pod that is there already keeps a copy of ``template`` away.

        By a host port that is taken, or by required anti-affinity on the hostname, the copy's or the pod's own.
        """
        blocking = [
            *self._on_ports(_host_ports(template["spec"])),
            *(pod for term in hostname_terms(template["spec"]) for pod in self._selected(namespace, term)),
            *(
                pod
                for term, pod in self._repelling.selecting(_labels(template))
                if namespace in (_reached(term, _namespace(pod)) or (namespace,))
            ),
        ]
        return frozenset(str(pod["spec"].get("nodeName")) for pod in blocking)

    def _on_ports(self, ports: Iterable[HostPort]) -> Iterator[Json]:
        for protocol, address, number in ports:
            for theirs, pod in self._by_port.get((protocol, number), ()):
                if address == theirs or _ANY_ADDRESS in (address, theirs):
                    yield pod

    def _selected(self, namespace: str, term: Json) -> Iterator[Json]:
        """The pods that the anti-affinity ``term`` of a pod in ``namespace`` is about."""
        for name in _reached(term, namespace) or self._labelled:
            if name in self._labelled:
                yield from self._labelled[name].selected(term.get("labelSelector"))

    @cached_property
    def _by_port(self) -> Mapping[tuple[str, int], list[tuple[str, Json]]]:
        """Each pod with the address at which it has a host port, by protocol and number."""
        found: dict[tuple[str, int], list[tuple[str, Json]]] = defaultdict(list)
        for pod in self._pods:
            for protocol, address, number in _host_ports(pod["spec"]):
                found[protocol, number].append((address, pod))
        return found

    @cached_property
    def _labelled(self) -> Mapping[str, LabelIndex[Json]]:
        """The pods by namespace."""
        found: dict[str, list[Json]] = defaultdict(list)
        for pod in self._pods:
            found[_namespace(pod)].append(pod)
        return {name: LabelIndex((_labels(pod), pod) for pod in pods) for name, pods in found.items()}

    @cached_property
    def _repelling(self) -> SelectorIndex[tuple[Json, Json]]:
        """The anti-affinity terms of the pods, each with its pod."""
        return SelectorIndex(
            (term.get("labelSelector"), (term, pod))
            for pod in self._pods
            if "affinity" in pod["spec"]
            for term in hostname_terms(pod["spec"])
        )


def one_per_node(namespace: str, template: Json) -> str:
    """Return what keeps two copies off one node (``hostPort 8080``), or an empty string."""
    ports = sorted(port for _, _, port in _host_ports(template["spec"]))
    if ports:
        return f"hostPort {ports[0]}"
    repels = any(
        namespace in (_reached(term, namespace) or (namespace,))
        and matches_labels(term.get("labelSelector"), _labels(template))
        for term in hostname_terms(template["spec"])
    )
    return "podAntiAffinity" if repels else ""


def _reached(term: Json, namespace: str) -> list[str]:
    """Return the namespaces that the anti-affinity ``term`` of a pod in ``namespace`` is about; empty for all."""
    if term.get("namespaceSelector") == {}:
        return []
    return term.get("namespaces") or [namespace]


def _namespace(pod: Json) -> str:
    return str(pod["metadata"]["namespace"])


def _labels(pod: Json) -> Json:
    return (pod.get("metadata") or {}).get("labels") or {}


def _host_ports(spec: Json) -> frozenset[HostPort]:
    return frozenset(_each_host_port(spec))


def _each_host_port(spec: Json) -> Iterator[HostPort]:
    """Yield the host ports of the containers that run for the pod's whole life."""
    host_network = bool(spec.get("hostNetwork"))
    sidecars = [c for c in spec.get("initContainers") or () if c.get("restartPolicy") == "Always"]
    for container in [*(spec.get("containers") or ()), *sidecars]:
        for port in container.get("ports") or ():
            number = port.get("hostPort") or (port.get("containerPort") if host_network else None)
            if number:
                yield port.get("protocol") or "TCP", port.get("hostIP") or _ANY_ADDRESS, number
