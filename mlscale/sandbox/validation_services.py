"""What is wrong with a Service (pkg/apis/core/validation/validation.go, v1.37.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlscale.sandbox import formats
from mlscale.sandbox.causes import duplicate, each_invalid, forbidden, invalid, not_supported, required
from mlscale.sandbox.validation_metadata import label_causes
from mlscale.sandbox.validation_probes import port_causes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlscale.sandbox.statuses import Cause

Json = dict[str, Any]

_TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
_PROTOCOLS = ("SCTP", "TCP", "UDP")
_LONGEST_AFFINITY_SECONDS = 86400


def service_causes(spec: Json, before: Json | None) -> Iterator[Cause]:
    """A Service's spec: ports, type, affinity; a stored cluster IP does not change."""
    kind, ports = spec.get("type") or "", spec.get("ports") or []
    headless = spec.get("clusterIP") == "None"
    if before is not None and "ExternalName" not in (kind, before.get("type")):
        yield from _same_address(spec, before)
    if not ports and not headless and kind != "ExternalName":
        yield required("spec.ports")
    if headless and kind in ("LoadBalancer", "NodePort"):
        yield invalid("spec.clusterIPs[0]", "None", f"may not be set to 'None' for {kind} services")
    if kind == "ExternalName":
        yield from _external_name(spec)
    seen: set[str] = set()
    for index, port in enumerate(ports):
        yield from _port(f"spec.ports[{index}]", port, len(ports) > 1, seen)
    yield from label_causes("spec.selector", spec.get("selector"))
    yield from _affinity(spec)
    if kind not in _TYPES:
        yield not_supported("spec.type", kind, _TYPES)
    yield from _repeated_ports(kind, ports)


def _same_address(spec: Json, before: Json) -> Iterator[Cause]:
    old = before.get("clusterIPs") or []
    new = spec.get("clusterIPs") or ([spec["clusterIP"]] if spec.get("clusterIP") else [])
    if old and new and new[0] != old[0]:
        yield invalid("spec.clusterIPs[0]", new, "may not change once set")


def _external_name(spec: Json) -> Iterator[Cause]:
    if spec.get("clusterIPs"):
        yield forbidden("spec.clusterIPs", "may not be set for ExternalName services")
    name = (spec.get("externalName") or "").removesuffix(".")
    if not name:
        yield required("spec.externalName")
    else:
        yield from each_invalid("spec.externalName", name, formats.dns_subdomain(name))


def _port(path: str, port: Json, named: bool, seen: set[str]) -> Iterator[Cause]:
    name, number = port.get("name") or "", port.get("port") or 0
    if name:
        yield from each_invalid(f"{path}.name", name, formats.dns_label(name))
        if name in seen:
            yield duplicate(f"{path}.name", name)
        seen.add(name)
    elif named:
        yield required(f"{path}.name")
    yield from each_invalid(f"{path}.port", number, formats.port_number(number))
    if port.get("protocol") not in _PROTOCOLS:
        yield not_supported(f"{path}.protocol", port.get("protocol") or "", _PROTOCOLS)
    yield from port_causes(f"{path}.targetPort", port.get("targetPort", 0))


def _affinity(spec: Json) -> Iterator[Cause]:
    affinity = spec.get("sessionAffinity") or ""
    if affinity not in ("ClientIP", "None"):
        yield not_supported("spec.sessionAffinity", affinity, ("ClientIP", "None"))
    if affinity == "ClientIP":
        config = (spec.get("sessionAffinityConfig") or {}).get("clientIP") or {}
        seconds = config.get("timeoutSeconds") or 0
        if not 0 < seconds <= _LONGEST_AFFINITY_SECONDS:
            words = f"must be greater than 0 and less than {_LONGEST_AFFINITY_SECONDS}"
            yield invalid("spec.sessionAffinityConfig.clientIP.timeoutSeconds", seconds, words)


def _repeated_ports(kind: str, ports: list[Json]) -> Iterator[Cause]:
    if kind == "ClusterIP":
        for index, port in enumerate(ports):
            if port.get("nodePort"):
                yield forbidden(f"spec.ports[{index}].nodePort", "may not be used when `type` is 'ClusterIP'")
    seen: set[tuple[str, int]] = set()
    for index, port in enumerate(ports):
        protocol, number = port.get("protocol") or "", port.get("port") or 0
        if (protocol, number) in seen:
            shown = {"Name": "", "Protocol": protocol, "AppProtocol": None, "Port": number}
            yield duplicate(f"spec.ports[{index}]", {**shown, "TargetPort": 0, "NodePort": 0})
        seen.add((protocol, number))
