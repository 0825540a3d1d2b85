"""``services/NAME/proxy``: requests that the API server passes on; only the simulated Prometheus answers them.

The refusals are those of apimachinery pkg/util/net/port_split.go and pkg/registry/core/service/storage/storage.go
(ResourceLocation), v1.37.2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlscale.sandbox.prometheus_service import NAME, NAMESPACE, PORT
from mlscale.sandbox.server.calls import method_not_allowed
from mlscale.sandbox.statuses import StatusError, not_found

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlscale.sandbox.prometheus import Page, SimulatedPrometheus
    from mlscale.sandbox.server.request_info import RequestInfo
    from mlscale.sandbox.simulation import Simulation

Json = dict[str, Any]

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


class ServiceProxy:
    """Passes requests on."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self._prometheus: SimulatedPrometheus | None = None

    @staticmethod
    def takes(info: RequestInfo) -> bool:
        """Whether a request is one to pass on."""
        return (info.group, info.resource, info.subresource) == ("", "services", "proxy") and bool(info.namespace)

    def page(self, info: RequestInfo, query: Mapping[str, str]) -> Page:
        """The service's answer. Raises StatusError 400, 404, 405 and 503."""
        if info.method not in _METHODS:
            raise method_not_allowed()
        name, port = _addressed(info.name)
        service = self._simulation.store.get("services", info.namespace, name)
        if service is None:
            raise not_found(self._simulation.api.resources["services"].kind, name)
        number = _port_of(service, port)
        if (info.namespace, name, number) != (NAMESPACE, NAME, PORT):
            raise _unavailable(f'no endpoints available for service "{name}"')
        if self._prometheus is None:
            # It brings numpy, which nothing else here needs.
            from mlscale.sandbox.prometheus import SimulatedPrometheus

            self._prometheus = SimulatedPrometheus(self._simulation.recorder)
        return self._prometheus.page(info.method, "/" + "/".join(info.rest), query)


def _addressed(text: str) -> tuple[str, str]:
    """Name and port of ``NAME``, ``NAME:PORT`` or ``SCHEME:NAME:PORT`` (SplitSchemeNamePort)."""
    parts = text.split(":")
    if len(parts) == 3 and parts[0] in ("", "http", "https"):
        parts = parts[1:]
    if len(parts) > 2 or not parts[0]:
        raise StatusError(400, "BadRequest", f'invalid service request "{text}"')
    return parts[0], parts[1] if len(parts) == 2 else ""


def _port_of(service: Json, wanted: str) -> int | None:
    """The number of the port that is asked for; None for a name that no port has. Raises StatusError 503."""
    ports = service["spec"].get("ports") or []
    if not wanted and len(ports) == 1:
        return int(ports[0]["port"])
    if wanted.isdecimal():
        if int(wanted) not in (port["port"] for port in ports):
            raise _unavailable(f'no service port {wanted} found for service "{service["metadata"]["name"]}"')
        return int(wanted)
    return next((int(port["port"]) for port in ports if port.get("name", "") == wanted), None)


def _unavailable(message: str) -> StatusError:
    return StatusError(503, "ServiceUnavailable", message)
