"""What the cluster says about a target before an HPA is written for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlscale.errors import MlscaleError
from mlscale.frozen import field, frozen, replace
from mlscale.kube.api_errors import ApiError, ApiNotAllowedError, ApiNotFoundError
from mlscale.kube.asks import Ask, ask_get, ask_page
from mlscale.kube.kinds import HPA, LIMITRANGE, POD, Kind
from mlscale.kube.pod_resources import admitted_spec
from mlscale.kube.targets import Found, explain_not_found

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from mlscale.hpa.spec import HpaSettings
    from mlscale.kube.client import Client
    from mlscale.kube.targets import Target

Json = dict[str, Any]

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
    """Read the other autoscalers, the LimitRanges and whether the metrics APIs answer, in one round trip.

    What the user may not read is left unknown; any other error of the server is raised.
    """
    return _namespace_facts(client, namespace, settings, client.in_one_round(_namespace_asks(namespace, settings)))


def read_target(client: Client, found: Found, namespace: NamespaceFacts) -> TargetFacts:
    """Read the workload (unless it is there already) and its scale, in one round trip.

    Raises NotFoundError, with near names, for a workload that does not exist.
    """
    asks = _target_asks(found)
    return _target_facts(client, found, namespace, client.in_one_round(asks))


def read_alone(client: Client, found: Found, settings: HpaSettings) -> TargetFacts:
    """All that ``read_namespace`` and ``read_target`` read, in one round trip."""
    namespace, asks = found.target.namespace, _target_asks(found)
    answers = client.in_one_round([*asks, *_namespace_asks(namespace, settings)])
    shared = _namespace_facts(client, namespace, settings, answers[len(asks) :])
    return _target_facts(client, found, shared, answers[: len(asks)])


def pod_asks(facts: TargetFacts, settings: HpaSettings) -> list[Ask]:
    """What to ask for a few pods of the target and for their metrics; nothing where no metric is about them."""
    if not facts.selector or not wants_pods(settings):
        return []
    namespace = facts.target.namespace
    return [
        ask_get(POD.path(namespace), labelSelector=facts.selector, limit=str(SAMPLE)),
        ask_get(PODMETRICS.path(namespace), labelSelector=facts.selector),
    ]


def wants_pods(settings: HpaSettings) -> bool:
    """Whether a metric is about the pods' own use."""
    return any(metric["type"] in ("Resource", "ContainerResource") for metric in settings.effective_metrics)


def with_pods(facts: TargetFacts, answers: Sequence[Json | MlscaleError], now: datetime) -> TargetFacts:
    """``facts`` with the answers to ``pod_asks``. They only sharpen the checks: without them the template decides."""
    if not answers:
        return facts
    pods, metrics = answers
    return replace(facts, pods=tuple(_running(pods)), pod_metrics=tuple(_items(metrics)), now=now.timestamp())


def _namespace_asks(namespace: str, settings: HpaSettings) -> list[Ask]:
    return [
        *(ask_page(kind.path(namespace)) for kind in (HPA, SCALEDOBJECT, LIMITRANGE)),
        *(ask_get(path) for path in _metrics_apis(settings)),
    ]


def _metrics_apis(settings: HpaSettings) -> list[str]:
    return sorted({METRICS_APIS[metric["type"]] for metric in settings.effective_metrics})


def _namespace_facts(
    client: Client, namespace: str, settings: HpaSettings, answers: Sequence[Json | MlscaleError]
) -> NamespaceFacts:
    unread: list[str] = []

    def listed(kind: Kind, page: Json | MlscaleError, absent: tuple[Json, ...] | None = None) -> Any:
        return _listed(client, kind, namespace, page, unread, absent)

    hpas, scaled_objects, limit_ranges, *pages = answers
    apis = _metrics_apis(settings)
    return NamespaceFacts(
        hpas=listed(HPA, hpas),
        scaled_objects=listed(SCALEDOBJECT, scaled_objects, ()),
        limit_ranges=listed(LIMITRANGE, limit_ranges),
        unserved=tuple(path.split("/")[2] for path, page in zip(apis, pages, strict=True) if _unserved(page)),
        unread=tuple(unread),
    )


def _target_asks(found: Found) -> list[Ask]:
    scale = ask_get(found.target.path("scale"))
    return [scale] if found.live else [scale, ask_get(found.target.path())]


def _target_facts(
    client: Client, found: Found, namespace: NamespaceFacts, answers: Sequence[Json | MlscaleError]
) -> TargetFacts:
    scale, workload = (*answers, found.object)[:2]
    if isinstance(workload, ApiNotFoundError):
        raise explain_not_found(client, found.target)
    if isinstance(workload, MlscaleError):
        raise workload
    if isinstance(scale, MlscaleError) and not isinstance(scale, (ApiNotFoundError, ApiNotAllowedError)):
        raise scale
    facts = TargetFacts(found.target, workload, namespace, scalable=not isinstance(scale, ApiNotFoundError))
    return facts if isinstance(scale, MlscaleError) else replace(facts, scale=scale)


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
    client: Client,
    kind: Kind,
    namespace: str,
    page: Json | MlscaleError,
    unread: list[str],
    absent: tuple[Json, ...] | None,
) -> tuple[Json, ...] | None:
    """The items of a list; ``absent`` where the server has no such kind, None where it may not be read."""
    if isinstance(page, ApiNotFoundError):
        return absent
    if isinstance(page, ApiNotAllowedError) and page.status.code == 403:
        unread.append(f"{kind.resource if kind == SCALEDOBJECT else kind.plural} may not be listed")
        return None
    if isinstance(page, MlscaleError):
        raise page
    return tuple(client.items_from(page, kind.path(namespace)))


def _unserved(page: Any) -> bool:
    """404 where no such API is registered, 503 where its server does not answer."""
    return isinstance(page, ApiError) and page.status.code in (404, 503)
