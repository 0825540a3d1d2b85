"""The Service by which a Prometheus is found in the simulated cluster, and the namespace that it is in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlscale.sandbox.scenario import Scenario

Json = dict[str, Any]

NAMESPACE, NAME, PORT, PORT_NAME = "monitoring", "prometheus", 9090, "http-web"


def prometheus_objects(scenario: Scenario) -> list[Json]:
    """The objects to create, with the labels that prometheus-community's chart has; none where there is no past.

    A namespace that the scenario has already is left out.
    """
    if not (scenario.history and scenario.workloads):
        return []
    labels = {"app.kubernetes.io/name": "prometheus", "app.kubernetes.io/component": "server"}
    port = {"name": PORT_NAME, "port": PORT, "targetPort": PORT, "protocol": "TCP"}
    service: Json = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": NAME, "namespace": NAMESPACE, "labels": labels},
        "spec": {"ports": [port]},
    }
    namespace: Json = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    known = [(obj.get("kind"), (obj.get("metadata") or {}).get("name")) for obj in scenario.objects]
    return [service] if ("Namespace", NAMESPACE) in known else [namespace, service]
