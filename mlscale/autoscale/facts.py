"""What the cluster says about a target before an HPA is written for it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from mlscale.errors import MlscaleError
from mlscale.frozen import field, frozen, replace
from mlscale.kube.api_errors import ApiError, ApiNotAllowedError, ApiNotFoundError
from mlscale.kube.kinds import HPA, LIMITRANGE, POD, Kind
from mlscale.kube.pod_resources import admitted_spec
from mlscale.kube.targets import Found, explain_not_found

if TYPE_CHECKING:
    from mlscale.hpa.spec import HpaSettings
    from mlscale.kube.client import Client
    from mlscale.kube.targets import Target

Json = dict[str, Any]
Read = Callable[[], Any]

SAMPLE = 5
"""Pods looked at: what admission gave to these it gave to all of one template."""

SCALEDOBJECT = Kind("keda.sh", "v1alpha1", "ScaledObject", "scaledobjects")
PODMETRICS = Kind("metrics.k8s.io", "v1beta1", "PodMetrics", "pods")
METRICS_APIS = {
    "Resource": "/apis/metrics.k8s.io/v1beta1",
    "ContainerResource": "/apis/metrics.k8s.io/v1beta1",
    "Pods": "/apis/custom.metrics.k8s.io",
    "Object": "/apis/custom.metrics.k8s.io",
    "External": "/apis/external.metrics.k8s.io/v1beta1",
}
"""The API that the controller asks for each type of metric (pkg/controller/podautoscaler/metrics/client.go)."""


@frozen
class NamespaceFacts:
    """What holds for every target of one namespace; None stands for what could not be read."""

    hpas: tuple[Json, ...] | None = ()
    scaled_objects: tuple[Json, ...] | None = ()
    """KEDA's ScaledObjects; empty where KEDA is not installed."""
    limit_ranges: tuple[Json, ...] | None = ()
    unserved: tuple[str, ...] = ()
    """The metrics APIs that are needed and do not answer, such as ``metrics.k8s.io``."""
    unread: tuple[str, ...] = ()
    """What could not be read and why, each a clause."""

    def with_hpa(self, hpa: Json) -> NamespaceFacts:
        """The facts after ``hpa`` was written."""
        name = hpa["metadata"]["name"]
        others = [other for other in self.hpas or () if other["metadata"]["name"] != name]
        return replace(self, hpas=None if self.hpas is None else (*others, hpa))


@frozen
class TargetFacts:
    """A target as it is now."""

    target: Target
    workload: Json
    namespace: NamespaceFacts = field(default_factory=NamespaceFacts)
    scale: Json | None = None
    """Its autoscaling/v1 Scale; None if it could not be read."""
    scalable: bool = True
    """False where the server has no scale subresource for it."""
    pods: tuple[Json, ...] = ()
    """A few of its pods that are not being deleted."""
    pod_metrics: tuple[Json, ...] = ()
    """The PodMetrics of its pods."""
    now: float = 0.0
    """When they were read, by the server's clock, in seconds since the epoch."""

    @property
    def replicas(self) -> int | None:
        """The replicas that are asked for now; None if unknown."""
        return None if self.scale is None else int((self.scale.get("spec") or {}).get("replicas") or 0)

    @property
    def selector(self) -> str:
        """The label selector of its pods, empty if it has none."""
        return str(((self.scale or {}).get("status") or {}).get("selector") or "")

    @property
    def template_spec(self) -> Json | None:
        """The pod spec of its template as admission will leave it; None for a kind without a pod template."""
        template = (self.workload.get("spec") or {}).get("template")
        spec = template.get("spec") if isinstance(template, dict) else None
        if not isinstance(spec, dict) or not spec.get("containers"):
            return None
        return admitted_spec(spec, self.namespace.limit_ranges or ())

    @property
    def pod_specs(self) -> list[Json]:
        """The specs of the pods that were looked at, as they run."""
        return [pod["spec"] for pod in self.pods]


def read_namespace(client: Client, namespace: str, settings: HpaSettings) -> NamespaceFacts:
    """Read the other autoscalers, the LimitRanges and whether the metrics APIs answer, side by side.

    What the user may not read is left unknown; any other error of the server is raised.
    """
    apis = sorted({METRICS_APIS[metric["type"]] for metric in settings.effective_metrics})
    lists = [partial(client.list_all, kind.path(namespace)) for kind in (HPA, SCALEDOBJECT, LIMITRANGE)]
    results = client.together(*lists, *[partial(client.get, path) for path in apis])
    hpas, scaled_objects, limit_ranges = results[:3]
    unread: list[str] = []
    return NamespaceFacts(
        hpas=_listed("horizontalpodautoscalers", hpas, unread),
        scaled_objects=_listed("scaledobjects.keda.sh", scaled_objects, unread, absent=()),
        limit_ranges=_listed("limitranges", limit_ranges, unread),
        unserved=tuple(path.split("/")[2] for path, page in zip(apis, results[3:], strict=True) if _unserved(page)),
        unread=tuple(unread),
    )


def read_target(client: Client, found: Found, namespace: NamespaceFacts, settings: HpaSettings) -> TargetFacts:
    """Read the workload (unless it is there already), its scale, and a few of its pods with their metrics.

    Raises NotFoundError, with near names, for a workload that does not exist.
    """
    target = found.target
    known: Read = partial(_same, found.object)
    workload, scale = client.together(
        known if found.live else partial(client.get, target.path()), partial(client.get, target.path("scale"))
    )
    if isinstance(workload, ApiNotFoundError):
        raise explain_not_found(client, target)
    if isinstance(workload, MlscaleError):
        raise workload
    if isinstance(scale, MlscaleError) and not isinstance(scale, (ApiNotFoundError, ApiNotAllowedError)):
        raise scale
    facts = TargetFacts(target, workload, namespace, scalable=not isinstance(scale, ApiNotFoundError))
    if isinstance(scale, MlscaleError):
        return facts
    return _with_pods(client, replace(facts, scale=scale), settings)


def _with_pods(client: Client, facts: TargetFacts, settings: HpaSettings) -> TargetFacts:
    types = {metric["type"] for metric in settings.effective_metrics}
    if not facts.selector or not types & {"Resource", "ContainerResource"}:
        return facts
    namespace = facts.target.namespace
    pods, metrics = client.together(
        partial(client.get, POD.path(namespace), labelSelector=facts.selector, limit=str(SAMPLE)),
        partial(client.get, PODMETRICS.path(namespace), labelSelector=facts.selector),
    )
    # Both only sharpen the checks: without them the template decides.
    now = client.now().timestamp()
    return replace(facts, pods=tuple(_running(pods)), pod_metrics=tuple(_items(metrics)), now=now)


def _running(page: Json | MlscaleError) -> list[Json]:
    return [
        pod
        for pod in _items(page)
        if not pod["metadata"].get("deletionTimestamp")
        and (pod.get("status") or {}).get("phase") not in ("Failed", "Succeeded")
    ]


def _items(page: Json | MlscaleError) -> list[Json]:
    return [] if isinstance(page, MlscaleError) else list(page.get("items") or [])


def _listed(
    what: str, items: Any, unread: list[str], absent: tuple[Json, ...] | None = None
) -> tuple[Json, ...] | None:
    """The items of a list; ``absent`` where the server has no such kind, None where it may not be read."""
    if isinstance(items, ApiNotFoundError):
        return absent
    if isinstance(items, ApiNotAllowedError) and items.status.code == 403:
        unread.append(f"{what} may not be listed")
        return None
    if isinstance(items, MlscaleError):
        raise items
    return tuple(items)


def _unserved(page: Any) -> bool:
    """404 where no such API is registered, 503 where its server does not answer."""
    return isinstance(page, ApiError) and page.status.code in (404, 503)


def _same(workload: Json) -> Json:
    return workload
