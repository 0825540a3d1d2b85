"""The preflight against the real scheduler, quota and LimitRange: as many pods as it says get a node."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from mlscale.kube.access import Overrides
from mlscale.kube.capacity import plan_fit, read_capacity
from mlscale.kube.client import Client
from mlscale.kube.fit import Fit, Unknown
from mlscale.kube.kubeconfig import read_access
from mlscale.kube.transport import Transport
from tests.cluster import access, manifests

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.cluster

Json = dict[str, Any]

POOL = "mlscale.example.com/pool"
RANK = "mlscale.example.com/rank"
MAINTENANCE: Json = {"key": "maintenance", "value": "now", "effect": "NoSchedule"}
HOSTNAME = "kubernetes.io/hostname"


@dataclass(frozen=True)
class Pool:
    """Nodes that only the test's own pods tolerate, so that tests side by side do not take each other's room."""

    name: str

    def node(self, rank: int, allocatable: Json, *taints: Json) -> Json:
        name = f"{self.name}-{rank}"
        labels = {POOL: self.name, RANK: str(rank), HOSTNAME: name}
        ready = {"type": "Ready", "status": "True", "reason": "KubeletReady", "message": ""}
        return {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": name, "labels": labels, "annotations": {"kwok.x-k8s.io/node": "fake"}},
            "spec": {"taints": [{"key": POOL, "value": self.name, "effect": "NoSchedule"}, *taints]},
            "status": {"allocatable": allocatable, "capacity": allocatable, "conditions": [ready]},
        }

    def nodes(self) -> list[Json]:
        gpu_node = {"cpu": "4", "memory": "8Gi", "ephemeral-storage": "100Gi", "pods": "10", "nvidia.com/gpu": "4"}
        cpu_node = {"cpu": "8", "memory": "16Gi", "ephemeral-storage": "100Gi", "pods": "5"}
        return [self.node(1, gpu_node), self.node(2, gpu_node, MAINTENANCE), self.node(3, cpu_node)]

    def template(self, spec: Json) -> Json:
        body = manifests.pod_template("web")
        body["spec"]["nodeSelector"] = {POOL: self.name, **spec.get("nodeSelector", {})}
        body["spec"]["tolerations"] = [{"key": POOL, "operator": "Exists"}, *spec.get("tolerations", [])]
        body["spec"].update({k: v for k, v in spec.items() if k not in ("nodeSelector", "tolerations")})
        return body


@dataclass(frozen=True)
class Case:
    """A pod spec, what is in its namespace, and how many of ``wanted`` copies fit."""

    name: str
    spec: Json
    wanted: int
    fits: int
    reasons: tuple[str, ...]
    objects: tuple[Json, ...] = ()
    running: int = field(default=0)
    """Copies that run already."""


def _container(*, requests: Json | None = None, limits: Json | None = None, **fields: Any) -> Json:
    resources = {kind: value for kind, value in (("requests", requests), ("limits", limits)) if value}
    return {"name": "model", "image": "model:1", "resources": resources, **fields}


def _spec(*, requests: Json | None = None, limits: Json | None = None, **spec: Any) -> Json:
    return {"containers": [_container(requests=requests, limits=limits)], **spec}


def _quota(hard: Json, **spec: Any) -> Json:
    return {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "q"}, "spec": {"hard": hard, **spec}}


def _limit_range(**item: Any) -> Json:
    limits = [{"type": "Container", **item}]
    return {"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "lr"}, "spec": {"limits": limits}}


def _node_affinity(term: Json) -> Json:
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}
    return {"nodeAffinity": required}


_TOLERATES = {"key": "maintenance", "operator": "Equal", "value": "now", "effect": "NoSchedule"}
_APART: Json = {
    "podAntiAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": [
            {"topologyKey": HOSTNAME, "labelSelector": {"matchLabels": {"app": "web"}}}
        ]
    }
}
_RANK_OVER_2 = {"matchExpressions": [{"key": RANK, "operator": "Gt", "values": ["2"]}]}
_HOST_PORT: Json = {"containers": [_container(ports=[{"containerPort": 80, "hostPort": 8080}])]}
_GPU_QUOTA = _quota({"requests.nvidia.com/gpu": "2"})
_TWO_BEST_EFFORT = _quota({"pods": "2"}, scopes=["BestEffort"])
_DEFAULT_ONE_CPU = _limit_range(defaultRequest={"cpu": "1"})
_INIT = {"name": "load", "image": "model:1", "resources": {"requests": {"cpu": "3"}}}

# Node 1: 4 cpu, 4 GPUs, 10 pods; node 2 the same with a taint; node 3: 8 cpu, no GPU, 5 pods.
CASES = [
    Case("gpus", _spec(limits={"nvidia.com/gpu": "1"}), 6, 4, ("Insufficient",)),
    Case("gpus running", _spec(limits={"nvidia.com/gpu": "1"}), 4, 1, ("Insufficient",), running=3),
    Case(
        "gpus scattered",
        _spec(limits={"nvidia.com/gpu": "3"}, tolerations=[_TOLERATES]),
        *(3, 2, ("Insufficient",)),
    ),
    Case("huge cpu", _spec(requests={"cpu": "100"}), 2, 0, ("Insufficient",)),
    Case("cpu by node", _spec(requests={"cpu": "3"}), 5, 3, ("Insufficient",)),
    Case("pod slots", _spec(), 17, 15, ("TooManyPods",)),
    Case("init container", _spec(requests={"cpu": "100m"}, initContainers=[_INIT]), 5, 3, ("Insufficient",)),
    Case("pod-level", _spec(resources={"requests": {"cpu": "2"}}), 8, 6, ("Insufficient",)),
    Case("no such node", _spec(nodeSelector={"gpu": "a100"}), 2, 0, ("NoEligibleNode",)),
    Case("affinity", _spec(requests={"cpu": "3"}, affinity=_node_affinity(_RANK_OVER_2)), 5, 2, ("Insufficient",)),
    Case("anti-affinity", _spec(affinity=_APART), 4, 2, ("OnePerNode",)),
    Case("host port", _HOST_PORT, 4, 2, ("OnePerNode",)),
    Case("all fit", _spec(requests={"cpu": "1"}, tolerations=[_TOLERATES]), 13, 13, ()),
    Case("quota", _spec(requests={"cpu": "500m"}), 6, 4, ("QuotaExceeded",), (_quota({"requests.cpu": "2"}),)),
    Case("quota on gpus", _spec(limits={"nvidia.com/gpu": "1"}), 4, 2, ("QuotaExceeded",), (_GPU_QUOTA,)),
    Case("quota needs a request", _spec(), 2, 0, ("QuotaConstraint",), (_quota({"requests.memory": "8Gi"}),)),
    Case("best effort", _spec(), 4, 2, ("QuotaExceeded",), (_TWO_BEST_EFFORT,)),
    Case("not best effort", _spec(requests={"cpu": "1m"}), 4, 4, (), (_TWO_BEST_EFFORT,)),
    Case("default request", _spec(), 8, 6, ("Insufficient",), (_limit_range(defaultRequest={"cpu": "2"}),)),
    Case("limit as request", _spec(limits={"cpu": "2"}), 8, 6, ("Insufficient",), (_DEFAULT_ONE_CPU,)),
    Case("over max", _spec(limits={"cpu": "3"}), 2, 0, ("LimitRange",), (_limit_range(max={"cpu": "2"}),)),
    Case(
        "default and quota",
        *(_spec(), 4, 1, ("QuotaExceeded",)),
        (_limit_range(defaultRequest={"cpu": "1500m"}), _quota({"cpu": "2"})),
    ),
]  # fmt: skip


@pytest.fixture
def pool(cluster: access.Cluster) -> Iterator[Pool]:
    """Three fresh nodes, ready for pods."""
    pool = Pool(f"pool-{secrets.token_hex(3)}")
    cluster.apply(pool.nodes())
    access.poll(lambda: _all_ready(cluster, pool), 30, f"ready nodes of {pool.name}")
    yield pool
    cluster.kubectl("delete", "nodes", "-l", f"{POOL}={pool.name}", "--wait=false")


def _all_ready(cluster: access.Cluster, pool: Pool) -> bool:
    nodes = cluster.get("nodes", "-l", f"{POOL}={pool.name}")["items"]
    taints = {taint["key"] for node in nodes for taint in node["spec"].get("taints", [])}
    return taints == {POOL, MAINTENANCE["key"]}


def _client(kubeconfig: Path) -> Client:
    reached = read_access(Overrides(kubeconfig=str(kubeconfig)), {})
    return Client(reached, Transport(reached, timeout=30))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_as_many_pods_get_a_node_as_predicted(
    cluster: access.Cluster, namespace: str, kubeconfig: Path, pool: Pool, case: Case
) -> None:
    _prepare(cluster, namespace, pool, case)
    fit = _predict(cluster, namespace, kubeconfig)(case.wanted)
    cluster.kubectl("scale", "deployment/web", "-n", namespace, f"--replicas={case.running + case.wanted}")
    scheduled = access.poll(
        lambda: _settled(cluster, namespace, case.running + case.wanted, case.running + case.fits),
        *(30, "verdict on every pod"),
    )
    assert (fit.fits, tuple(limit.reason for limit in fit.limits)) == (case.fits, case.reasons), fit.message
    assert scheduled == [case.running + case.fits]


def test_a_cordoned_node_takes_none(cluster: access.Cluster, namespace: str, kubeconfig: Path, pool: Pool) -> None:
    case = Case("cordoned", _spec(requests={"cpu": "3"}), 5, 1, ("Insufficient",))
    cluster.kubectl("cordon", f"{pool.name}-3")
    _prepare(cluster, namespace, pool, case)
    fit = _predict(cluster, namespace, kubeconfig)(case.wanted)
    cluster.kubectl("scale", "deployment/web", "-n", namespace, "--replicas=5")
    scheduled = access.poll(lambda: _settled(cluster, namespace, 5, 1), 30, "verdict on every pod")
    # Uncordoned, node 3 would take two more.
    assert (fit.fits, scheduled) == (1, [1]), fit.message


def test_who_may_not_list_nodes_learns_what_was_not_checked(
    cluster: access.Cluster, namespace: str, tmp_path: Path
) -> None:
    rules = [{"apiGroups": [""], "resources": ["resourcequotas", "limitranges"], "verbs": ["get", "list"]}]
    restricted = access.kubeconfig_restricted(cluster, namespace, tmp_path / "restricted", rules)
    facts = read_capacity(_client(restricted), namespace, manifests.pod_template("web"))
    fit = plan_fit(facts, 3)
    assert isinstance(fit.fits, Unknown)
    assert not fit.falls_short
    assert fit.message == (
        "cannot say how many of 3 new copies fit: nodes could not be read (403), "
        "the pods of all namespaces could not be read (403)"
    )


def _prepare(cluster: access.Cluster, namespace: str, pool: Pool, case: Case) -> None:
    if case.objects:
        cluster.apply(list(case.objects), namespace)
    access.poll(lambda: _quotas_counted(cluster, namespace), 20, "usage of the quotas")
    workload = manifests.deployment("web", replicas=case.running)
    workload["spec"]["template"] = pool.template(case.spec)
    cluster.apply(workload, namespace)
    access.poll(lambda: _settled(cluster, namespace, case.running, case.running), 30, "running copies")


def _quotas_counted(cluster: access.Cluster, namespace: str) -> bool:
    quotas = cluster.get("resourcequotas", "-n", namespace)["items"]
    return all((quota.get("status") or {}).get("used") for quota in quotas)


def _predict(cluster: access.Cluster, namespace: str, kubeconfig: Path) -> Any:
    template = cluster.get("deployment", "web", "-n", namespace)["spec"]["template"]
    facts = read_capacity(_client(kubeconfig), namespace, template)

    def predict(wanted: int) -> Fit:
        return plan_fit(facts, wanted)

    return predict


def _settled(cluster: access.Cluster, namespace: str, replicas: int, at_least: int) -> list[int] | None:
    """The number of pods with a node, in a list, once each pod is judged and admission refused the missing ones."""
    pods = cluster.get("pods", "-n", namespace)["items"]
    placed = sum(1 for pod in pods if pod["spec"].get("nodeName"))
    waiting = sum(1 for pod in pods if _unschedulable(pod))
    refused = len(pods) == replicas or _creation_fails(cluster, namespace)
    return [placed] if placed + waiting == len(pods) and refused and placed >= at_least else None


def _unschedulable(pod: Json) -> bool:
    conditions = pod["status"].get("conditions", [])
    return any(c["type"] == "PodScheduled" and c.get("reason") == "Unschedulable" for c in conditions)


def _creation_fails(cluster: access.Cluster, namespace: str) -> bool:
    conditions = cluster.get("deployment", "web", "-n", namespace)["status"].get("conditions", [])
    return any(c["type"] == "ReplicaFailure" and c["status"] == "True" for c in conditions)
