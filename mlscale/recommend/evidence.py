"""What the cluster says about a workload: its template, its pods, who scales it, and the room there is for more."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from mlscale.errors import MlscaleError, RefusedError
from mlscale.kube.api_errors import ApiNotAllowedError, ApiNotFoundError
from mlscale.kube.capacity import CapacityFacts, Pods
from mlscale.kube.fit import Unknown
from mlscale.kube.kinds import HPA, LIMITRANGE, NODE, POD, REPLICATIONCONTROLLER, RESOURCEQUOTA, Kind
from mlscale.kube.label_index import LabelIndex, SelectorIndex
from mlscale.kube.owners import hpas_of, keda_scaled_object, replicas_owner
from mlscale.kube.pod_resources import admitted_spec, pod_requests
from mlscale.kube.pods import group_troubles, is_ready, is_terminating, pod_trouble
from mlscale.kube.quantity import NANO

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from mlscale.kube.client import Client
    from mlscale.kube.owners import ReplicasOwner
    from mlscale.kube.pods import TroubleGroup
    from mlscale.kube.targets import Found, Target

Json = dict[str, Any]
Listed = tuple[Json, ...]

SCALEDOBJECT = Kind("keda.sh", "v1alpha1", "ScaledObject", "scaledobjects")
VPA = Kind("autoscaling.k8s.io", "v1", "VerticalPodAutoscaler", "verticalpodautoscalers")
PDB = Kind("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets")
CUSTOM_METRICS = "/apis/custom.metrics.k8s.io"
QUEUE_METRICS = (
    "vllm:num_requests_waiting",
    "nv_inference_pending_request_count",
    "ray_serve_deployment_queued_queries",
    "queue_length",
)
"""Metrics that count waiting requests, as servers name them; adapters write an underscore for the colon."""
_ALIVE = "status.phase!=Succeeded,status.phase!=Failed"
_DEVICES = ("gpu", "neuron", "tpu", "gaudi")
"""What the last part of an extended resource's name holds where it is an accelerator: nvidia.com/gpu,
amd.com/gpu, gpu.intel.com/i915 (by its domain), aws.amazon.com/neuron, google.com/tpu, habana.ai/gaudi."""


@dataclass(frozen=True)
class ClusterFacts:
    """What holds for every workload."""

    nodes: Listed | Unknown
    pods: Listed | Unknown
    """Of all namespaces, those that ended left out."""
    keda: bool = False
    """Whether KEDA is installed."""
    custom_metrics: frozenset[str] | None = None
    """The names of the metrics of pods that custom.metrics.k8s.io serves; None where it does not answer."""

    @cached_property
    def pods_by_namespace(self) -> Mapping[str, Listed]:
        """Empty where they could not be read."""
        found: dict[str, list[Json]] = defaultdict(list)
        for pod in _known(self.pods):
            found[str((pod.get("metadata") or {}).get("namespace"))].append(pod)
        return {name: tuple(pods) for name, pods in found.items()}


@dataclass(frozen=True)
class NamespaceFacts:
    """What holds for every workload of one namespace; a list that could not be read is Unknown."""

    name: str
    pods: Listed | Unknown
    hpas: Listed | Unknown
    scaled_objects: Listed | Unknown
    vpas: Listed | Unknown
    pdbs: Listed | Unknown
    quotas: Listed | Unknown
    limit_ranges: Listed | Unknown

    @cached_property
    def pods_by_label(self) -> LabelIndex[Json]:
        """Those that are not being deleted."""
        alive = (pod for pod in _known(self.pods) if not is_terminating(pod))
        return LabelIndex(((pod.get("metadata") or {}).get("labels") or {}, pod) for pod in alive)

    @cached_property
    def hpas_by_name(self) -> Mapping[str, list[Json]]:
        """By the name of what they scale."""
        return _by_name(self.hpas, "scaleTargetRef")

    @cached_property
    def scaled_objects_by_name(self) -> Mapping[str, list[Json]]:
        """Likewise."""
        return _by_name(self.scaled_objects, "scaleTargetRef")

    @cached_property
    def vpas_by_name(self) -> Mapping[str, list[Json]]:
        """Likewise."""
        return _by_name(self.vpas, "targetRef")

    @cached_property
    def pdbs_by_selector(self) -> SelectorIndex[Json]:
        """By what they are about."""
        return SelectorIndex(((pdb.get("spec") or {}).get("selector"), pdb) for pdb in _known(self.pdbs))

    @property
    def unread(self) -> tuple[str, ...]:
        """Clauses saying what could not be read."""
        lists = (self.pods, self.hpas, self.scaled_objects, self.vpas, self.pdbs, self.quotas, self.limit_ranges)
        return tuple(listed.why for listed in lists if isinstance(listed, Unknown))


@dataclass(frozen=True)
class WorkloadFacts:
    """One workload as it is now."""

    target: Target
    object: Json
    template: Json
    """Its pod template, the spec as admission leaves it."""
    replicas: int
    """spec.replicas."""
    pods: Listed
    """Its own, those that are being deleted left out."""
    troubles: tuple[TroubleGroup, ...]
    """Why pods of it do not work."""
    hpas: Listed
    scaled_objects: tuple[str, ...]
    """The names of KEDA's ScaledObjects on it."""
    vpas: Listed
    pdbs: Listed
    capacity: CapacityFacts
    keda: bool = False
    custom_metrics: bool = False
    """Whether custom.metrics.k8s.io answers."""
    queue_metric: str = ""
    """The name under which it serves the requests that wait, if it does."""
    owner: ReplicasOwner | None = None
    """The tool whose manifest sets spec.replicas."""
    unread: tuple[str, ...] = ()

    @property
    def pod_spec(self) -> Json:
        """The spec of its template, as admission leaves it."""
        spec: Json = self.template["spec"]
        return spec

    @property
    def hpa(self) -> Json | None:
        """The one HPA on it that is its owner's to change: not KEDA's, and not one of several."""
        return self.hpas[0] if len(self.hpas) == 1 and not keda_scaled_object(self.hpas[0]) else None

    @property
    def ready(self) -> int:
        """Pods of it that are Ready."""
        return sum(is_ready(pod) for pod in self.pods)

    @property
    def rollout_under_way(self) -> bool:
        """Whether pods of more than one template run, so that not all are alike."""
        status = self.object.get("status") or {}
        return int(status.get("updatedReplicas") or 0) < int(status.get("replicas") or 0)

    @property
    def gpus(self) -> float:
        """GPUs and other accelerators that one pod asks for."""
        return sum(nano for name, nano in pod_requests(self.pod_spec).items() if is_accelerator(name)) / NANO

    @property
    def accelerator(self) -> str:
        """The name of the resource (``nvidia.com/gpu``), or empty."""
        return next((name for name in pod_requests(self.pod_spec) if is_accelerator(name)), "")


def is_accelerator(resource: str) -> bool:
    """Whether ``resource`` is an extended resource that names an accelerator."""
    domain, slash, name = resource.rpartition("/")
    return bool(slash) and (any(word in name for word in _DEVICES) or domain.startswith("gpu."))


def read_cluster(client: Client) -> ClusterFacts:
    """Read nodes, pods, and what is installed; what the user may not read is Unknown.

    Raises MlscaleError where a list could not be read for another reason than 403.
    """
    calls: list[Callable[[], Any]] = [
        partial(client.list_all, NODE.path(None)),
        partial(client.list_all, POD.path(None), fieldSelector=_ALIVE),
        partial(client.get, "/apis/keda.sh"),
        partial(client.get, f"{CUSTOM_METRICS}/v1beta2"),
        partial(client.get, f"{CUSTOM_METRICS}/v1beta1"),
    ]
    nodes, pods, keda, *custom = client.together(*calls)
    present = _listed("the pods of all namespaces", pods)
    return ClusterFacts(
        nodes=_listed("nodes", nodes),
        pods=present if isinstance(present, Unknown) else Pods(present),
        keda=not isinstance(keda, MlscaleError),
        custom_metrics=_pod_metrics([page for page in custom if not isinstance(page, MlscaleError)]),
    )


def read_namespace(client: Client, namespace: str, cluster: ClusterFacts) -> NamespaceFacts:
    """Read what governs and bounds the workloads of ``namespace``; raises as ``read_cluster`` does."""
    kinds = (HPA, SCALEDOBJECT, VPA, PDB, RESOURCEQUOTA, LIMITRANGE)
    calls = [partial(client.list_all, kind.path(namespace)) for kind in kinds]
    if isinstance(cluster.pods, Unknown):
        calls.append(partial(client.list_all, POD.path(namespace), fieldSelector=_ALIVE))
    answers = client.together(*calls)
    hpas, scaled, vpas, pdbs, quotas, ranges = (
        _listed(kind.resource, answer) for kind, answer in zip(kinds, answers, strict=False)
    )
    present = cluster.pods_by_namespace.get(namespace, ())
    return NamespaceFacts(
        name=namespace,
        pods=_listed("pods", answers[-1]) if isinstance(cluster.pods, Unknown) else present,
        hpas=hpas,
        scaled_objects=scaled,
        vpas=vpas,
        pdbs=pdbs,
        quotas=quotas,
        limit_ranges=ranges,
    )


def workload_facts(found: Found, namespace: NamespaceFacts, cluster: ClusterFacts, now: datetime) -> WorkloadFacts:
    """What was read, narrowed to one workload; ``now`` has a time zone.

    Raises RefusedError for a kind without a pod template or without a replica count: there is nothing to size.
    """
    template = _template(found, namespace)
    name = found.target.name
    pods = tuple(namespace.pods_by_label.selected(_selector(found)))
    troubles = [(str(pod["metadata"]["name"]), trouble) for pod in pods if (trouble := pod_trouble(pod, now))]
    hpas = tuple(hpas_of(namespace.hpas_by_name.get(name, []), found.target))
    return WorkloadFacts(
        target=found.target,
        object=found.object,
        template=template,
        replicas=_replicas(found.object),
        pods=pods,
        troubles=tuple(group_troubles(troubles)),
        hpas=hpas,
        scaled_objects=_scaled_objects(found.target, namespace.scaled_objects_by_name.get(name, ()), hpas),
        vpas=tuple(vpa for vpa in namespace.vpas_by_name.get(name, ()) if _refers_to(vpa, "targetRef", found.target)),
        pdbs=tuple(namespace.pdbs_by_selector.selecting(template["metadata"].get("labels") or {})),
        capacity=CapacityFacts(
            namespace.name, template, cluster.nodes, cluster.pods, namespace.quotas, namespace.limit_ranges
        ),
        keda=cluster.keda,
        custom_metrics=cluster.custom_metrics is not None,
        queue_metric=_queue_metric(cluster.custom_metrics or frozenset()),
        owner=replicas_owner(found.object),
        unread=namespace.unread,
    )


def _pod_metrics(pages: list[Json]) -> frozenset[str] | None:
    """Names of ``pods/NAME`` in the resource lists of custom.metrics.k8s.io."""
    if not pages:
        return None
    names = (str(resource.get("name") or "") for page in pages for resource in page.get("resources") or ())
    return frozenset(name.removeprefix("pods/") for name in names if name.startswith("pods/"))


def _queue_metric(served: frozenset[str]) -> str:
    spellings = (spelling for name in QUEUE_METRICS for spelling in (name, name.replace(":", "_")))
    return next((spelling for spelling in spellings if spelling in served), "")


def _template(found: Found, namespace: NamespaceFacts) -> Json:
    template = (found.object.get("spec") or {}).get("template")
    spec = (template or {}).get("spec") if isinstance(template, dict) else None
    if not isinstance(template, dict) or not isinstance(spec, dict) or not spec.get("containers"):
        raise RefusedError(
            f"{found.target.printed} has no pod template to size", "give a Deployment, a StatefulSet or a ReplicaSet"
        )
    if not found.target.kind.scalable:
        raise RefusedError(
            f"{found.target.printed} has no replica count to set", "give a Deployment, a StatefulSet or a ReplicaSet"
        )
    admitted = admitted_spec(spec, _known(namespace.limit_ranges))
    return {"metadata": template.get("metadata") or {}, "spec": admitted}


def _selector(found: Found) -> Json | None:
    """What selects its pods; none where that is empty, which for the API selects every pod."""
    selector: Json | None = (found.object.get("spec") or {}).get("selector") or None
    # A map of labels, as before there were LabelSelectors (k8s.io/api core/v1 types.go, ReplicationControllerSpec).
    return {"matchLabels": selector} if selector and found.target.kind == REPLICATIONCONTROLLER else selector


def _replicas(workload: Json) -> int:
    wanted = (workload.get("spec") or {}).get("replicas")
    return 1 if wanted is None else int(wanted)


def _scaled_objects(target: Target, scaled_objects: Iterable[Json], hpas: Listed) -> tuple[str, ...]:
    by_reference = [str(obj["metadata"]["name"]) for obj in scaled_objects if _refers_to(obj, "scaleTargetRef", target)]
    by_hpa = [name for hpa in hpas if (name := keda_scaled_object(hpa))]
    return tuple(dict.fromkeys([*by_reference, *by_hpa]))


def _refers_to(obj: Json, field: str, target: Target) -> bool:
    """Whether the reference in ``field`` names ``target``; KEDA's defaults to a Deployment of apps/v1."""
    reference: Mapping[str, Any] = (obj.get("spec") or {}).get(field) or {}
    group = str(reference.get("apiVersion") or "apps/v1").rpartition("/")[0]
    return (group, reference.get("kind") or "Deployment", reference.get("name")) == (
        target.kind.group,
        target.kind.kind,
        target.name,
    )


def _by_name(listed: Listed | Unknown, field: str) -> Mapping[str, list[Json]]:
    """By the name in the reference ``field``."""
    found: dict[str, list[Json]] = defaultdict(list)
    for obj in _known(listed):
        found[str(((obj.get("spec") or {}).get(field) or {}).get("name"))].append(obj)
    return found


def _known(listed: Listed | Unknown) -> Listed:
    return () if isinstance(listed, Unknown) else listed


def _listed(what: str, answer: Any) -> Listed | Unknown:
    """The items of a list; none where the server has no such kind, Unknown where it may not be read."""
    if isinstance(answer, ApiNotFoundError):
        return ()
    if isinstance(answer, ApiNotAllowedError) and answer.status.code == 403:
        return Unknown(f"{what} could not be read (403)")
    if isinstance(answer, MlscaleError):
        raise answer
    return tuple(answer)
