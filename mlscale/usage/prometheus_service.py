"""Which Prometheus to ask: the one at a URL, or one that runs in the cluster, through the API server's proxy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlscale.errors import NotAllowedError, NotFoundError
from mlscale.kube.kinds import SERVICE
from mlscale.kube.web import Web, environment_authorization, environment_headers, web_access
from mlscale.usage.prometheus_api import DEADLINE, ENVIRONMENT, Prometheus

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mlscale.kube.client import Client
    from mlscale.kube.transport import Debug

Json = dict[str, Any]

_OTHERWISE = "give --prometheus URL, --observe 2m or --samples FILE"
_PORT_NAMES = ("http-web", "web", "http-query", "http", "https", "https-web", "http-metrics")
_PORTS = (9090, 10902, 8481, 8428, 8080, 80, 443)


@dataclass(frozen=True)
class _Mark:
    """What tells a service that answers queries: its labels, or its name alone."""

    labels: Mapping[str, tuple[str, ...]]
    names: tuple[str, ...] = ()
    path: str = ""
    """Where the API begins below the service's root."""


_NAME, _COMPONENT = "app.kubernetes.io/name", "app.kubernetes.io/component"
_MARKS = (
    # What holds the history of several Prometheus servers, or a longer one, comes before a single server.
    _Mark({_NAME: ("thanos-query-frontend", "thanos-query", "thanos-querier")}),
    _Mark({_NAME: ("thanos",), _COMPONENT: ("query-frontend", "query")}),
    _Mark({_NAME: ("mimir",), _COMPONENT: ("gateway", "nginx", "query-frontend")}, path="/prometheus"),
    _Mark({_NAME: ("vmselect",)}, path="/select/0/prometheus"),
    _Mark({_NAME: ("victoria-metrics-cluster",), "app": ("vmselect",)}, path="/select/0/prometheus"),
    _Mark({_NAME: ("vmsingle", "victoria-metrics-single")}),
    # Charts kube-prometheus-stack and prometheus of prometheus-community, kube-prometheus, and the operator's own.
    _Mark({"app": ("kube-prometheus-stack-prometheus",)}),
    _Mark({_NAME: ("prometheus",), _COMPONENT: ("server", "prometheus")}),
    _Mark({"app": ("prometheus",), "component": ("server",)}),
    _Mark({}, names=("prometheus-k8s", "prometheus-server", "prometheus")),
    _Mark({}, names=("prometheus-operated",)),
)
"""In the order of preference."""


def prometheus_at(url: str, environ: Mapping[str, str], *, debug: Debug | None = None) -> Prometheus:
    """The Prometheus at ``url``, as the variables MLSCALE_PROMETHEUS_… of ``environ`` say; it is not asked yet.

    Raises UsageError for a URL that cannot be asked and ConfigError for variables that cannot be used.
    """
    access = web_access(url, environment_authorization(environ, ENVIRONMENT), option="--prometheus")
    web = Web(
        access,
        timeout=DEADLINE,
        headers=environment_headers(environ, ENVIRONMENT),
        hint="check --prometheus and the network; SSL_CERT_FILE can name a file of CAs to trust",
        debug=debug,
    )
    return Prometheus(web, f"Prometheus at {access.server}")


def prometheus_in_cluster(client: Client, *, debug: Debug | None = None) -> Prometheus:
    """The Prometheus, Thanos, Mimir or VictoriaMetrics that runs in the cluster, known by its Service.

    Raises NotFoundError where there is none, and NotAllowedError where services may not be listed.
    """
    try:
        services = client.list_all(SERVICE.path(None))
    except NotAllowedError as error:
        raise NotAllowedError(f"a Prometheus cannot be looked for: {error.message}", _OTHERWISE) from error
    found = _best(services)
    if found is None:
        raise NotFoundError("no Prometheus was found in the cluster by its Service", _OTHERWISE)
    service, mark = found
    metadata = service["metadata"]
    prefix = SERVICE.path(metadata["namespace"], _addressed(service), "proxy") + mark.path
    hint = "check --prometheus, or the connection to the API server"
    web = Web(client.access, timeout=DEADLINE, prefix=prefix, hint=hint, debug=debug)
    return Prometheus(web, f"Prometheus (service {metadata['namespace']}/{metadata['name']})")


def _best(services: Iterable[Json]) -> tuple[Json, _Mark] | None:
    """The service with the most preferred mark; of several, the first by namespace and name."""
    marked = [
        (rank, service["metadata"]["namespace"], service["metadata"]["name"], service)
        for service in services
        for rank, mark in enumerate(_MARKS)
        if (service.get("spec") or {}).get("ports") and _bears(service, mark)
    ]
    if not marked:
        return None
    rank, _, _, service = min(marked, key=lambda entry: entry[:3])
    return service, _MARKS[rank]


def _bears(service: Json, mark: _Mark) -> bool:
    labels = service["metadata"].get("labels") or {}
    if mark.names:
        return service["metadata"]["name"] in mark.names
    return all(labels.get(label) in values for label, values in mark.labels.items())


def _addressed(service: Json) -> str:
    """``https:NAME:PORT`` as the proxy subresource takes it (kubernetes API concepts, proxying to a Service)."""
    port = min(service["spec"]["ports"], key=_port_rank)
    secure = str(port.get("name") or "").startswith("https") or port["port"] == 443
    return f"{'https' if secure else 'http'}:{service['metadata']['name']}:{port['port']}"


def _port_rank(port: Json) -> tuple[int, int]:
    name, number = port.get("name"), port["port"]
    return (
        _PORT_NAMES.index(name) if name in _PORT_NAMES else len(_PORT_NAMES),
        _PORTS.index(number) if number in _PORTS else len(_PORTS),
    )
