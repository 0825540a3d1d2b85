"""What is read of the cluster, by the requests that are sent, and how it is narrowed to one workload."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from mlscale.errors import MlscaleError, NotEnoughDataError, RefusedError
from mlscale.kube.fit import Unknown
from mlscale.kube.kinds import DAEMONSET, REPLICATIONCONTROLLER
from mlscale.kube.targets import Found, Target
from mlscale.recommend.evidence import (
    ClusterFacts,
    is_accelerator,
    read_cluster,
    read_namespace,
    workload_facts,
)
from mlscale.recommend.flow import Histories, RecommendOptions, recommend
from mlscale.recommend.model import Recommendation
from mlscale.recommend.signs import read_signs, variation
from mlscale.recommend.workload_notes import workload_notes
from mlscale.usage.model import Series
from tests.clients import client
from tests.recording_server import Answer, RecordingServer, recording_server, status
from tests.unit.recommend.objects import (
    DAY,
    NOW,
    START,
    TARGET,
    container,
    daily,
    deployment,
    facts,
    flat,
    history,
    hpa,
    node,
    pod,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mlscale.usage.workloads import Workload

Json = dict[str, Any]

MODEL = container(cpu="500m", memory="512Mi", cpu_limit="1", memory_limit="1Gi")
WEB = deployment(MODEL)
POD_LIST = "/api/v1/pods"
HPAS = "/apis/autoscaling/v2/namespaces/shop/horizontalpodautoscalers"
OTHER = Target(TARGET.kind, "shop", "other")


@contextlib.contextmanager
def serving(*forbidden: str) -> Iterator[RecordingServer]:
    """One node, three pods of web and one of another namespace; the paths in ``forbidden`` answer 403."""
    stranger = pod(9, WEB)
    stranger["metadata"]["namespace"] = "elsewhere"
    pods = [pod(0, WEB), pod(1, WEB), pod(2, WEB)]
    lists: dict[str, Json] = {
        "/api/v1/nodes": {"items": [node()]},
        POD_LIST: {"items": [*pods, stranger]},
        "/api/v1/namespaces/shop/pods": {"items": pods},
        "/api/v1/namespaces/shop/resourcequotas": {"items": []},
        "/api/v1/namespaces/shop/limitranges": {"items": []},
        HPAS: {"items": [hpa(2, 8, 60)]},
        "/apis/policy/v1/namespaces/shop/poddisruptionbudgets": {"items": []},
        "/apis/custom.metrics.k8s.io/v1beta2": {
            "resources": [{"name": "pods/vllm_num_requests_waiting"}, {"name": "namespaces/x"}]
        },
    }
    with recording_server() as server:
        for path, page in lists.items():
            server.answers[f"GET {path}"] = status(403, "no", "Forbidden") if path in forbidden else Answer(page)
        yield server


@pytest.fixture
def cluster() -> Iterator[RecordingServer]:
    with serving() as server:
        yield server


def test_reads_nodes_and_pods_once_and_each_namespace_once(cluster: RecordingServer) -> None:
    found = [Found(TARGET, WEB), Found(OTHER, {**WEB, "metadata": {"name": "other", "namespace": "shop"}})]
    results = list(recommend(client(cluster), found, histories, RecommendOptions(), ignore))
    assert all(isinstance(result, Recommendation) for result in results)
    lines = [request.line for request in cluster.requests]
    assert sorted(lines) == sorted(set(lines)), "nothing is asked twice"
    assert lines.count(f"GET {POD_LIST}") == 1
    assert "GET /api/v1/namespaces/shop/pods" not in lines
    assert {request.method for request in cluster.requests} == {"GET"}


def ignore(done: float, of: float) -> None:
    """No progress is shown."""


def histories(workloads: Sequence[Workload]) -> Histories:
    return {workload.target: history(daily(0.3, 2.4)) for workload in workloads}


def test_what_is_served_is_known(cluster: RecordingServer) -> None:
    facts_of_cluster = read_cluster(client(cluster))
    namespace = read_namespace(client(cluster), "shop", facts_of_cluster)
    seen = workload_facts(Found(TARGET, WEB), namespace, facts_of_cluster, NOW)
    assert (seen.keda, seen.custom_metrics, seen.queue_metric) == (False, True, "vllm_num_requests_waiting")
    assert len(seen.pods) == 3, "the pod of another namespace is not its own"
    assert seen.hpa is not None
    assert seen.unread == ()


def test_what_may_not_be_read_is_unknown_and_said() -> None:
    with serving("/api/v1/nodes", POD_LIST, HPAS) as server:
        facts_of_cluster = read_cluster(client(server))
        namespace = read_namespace(client(server), "shop", facts_of_cluster)
    assert isinstance(facts_of_cluster.nodes, Unknown)
    seen = workload_facts(Found(TARGET, WEB), namespace, facts_of_cluster, NOW)
    assert len(seen.pods) == 3, "the namespace's own pods are read in their place"
    assert any("horizontalpodautoscalers" in note for note in workload_notes(seen))
    signs = read_signs(seen, history(flat(1.2)))
    assert (signs.node_cpu, signs.room) == (None, None)


def test_an_error_stands_for_its_workload_only(cluster: RecordingServer) -> None:
    missing = NotEnoughDataError("not enough data for web")

    def read(workloads: Sequence[Workload]) -> Histories:
        return {TARGET: missing, OTHER: history(flat(1.2))}

    other = Found(OTHER, {**WEB, "metadata": {"name": "other", "namespace": "shop"}})
    absent = MlscaleError("gone")
    first, second, third = recommend(
        client(cluster), [Found(TARGET, WEB), absent, other], read, RecommendOptions(), ignore
    )
    assert first is missing
    assert second is absent
    assert isinstance(third, Recommendation)


def test_a_source_that_fails_fails_for_its_workloads(cluster: RecordingServer) -> None:
    def read(workloads: Sequence[Workload]) -> Histories:
        raise MlscaleError("Prometheus answered 503")

    (only,) = recommend(client(cluster), [Found(TARGET, WEB)], read, RecommendOptions(), ignore)
    assert str(only) == "Prometheus answered 503"


def test_a_daemonset_has_no_count() -> None:
    found = Found(Target(DAEMONSET, "shop", "web"), WEB)
    with pytest.raises(RefusedError, match="no replica count"):
        workload_facts(found, facts_namespace(), ClusterFacts((), ()), NOW)


@pytest.mark.parametrize(("selector", "own"), [({"app": "web"}, 3), ({"app": "db"}, 0), ({}, 0)])
def test_a_replicationcontroller_selects_by_a_map_of_labels(cluster: RecordingServer, selector: Json, own: int) -> None:
    target = Target(REPLICATIONCONTROLLER, "shop", "web")
    known = read_cluster(client(cluster))
    controller = {**WEB, "spec": {**WEB["spec"], "selector": selector}}
    seen = workload_facts(Found(target, controller), read_namespace(client(cluster), "shop", known), known, NOW)
    assert len(seen.pods) == own


def test_a_custom_resource_without_a_template_cannot_be_sized() -> None:
    found = Found(TARGET, {"metadata": {"name": "web"}, "spec": {"replicas": 2}})
    with pytest.raises(RefusedError, match="no pod template"):
        workload_facts(found, facts_namespace(), ClusterFacts((), ()), NOW)


def facts_namespace() -> Any:
    with serving() as server:
        return read_namespace(client(server), "shop", ClusterFacts((), ()))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("nvidia.com/gpu", True),
        ("nvidia.com/mig-1g.5gb", False),
        ("amd.com/gpu", True),
        ("gpu.intel.com/i915", True),
        ("aws.amazon.com/neuroncore", True),
        ("google.com/tpu", True),
        ("cpu", False),
        ("gpu", False),
        ("example.com/fpga", False),
    ],
)
def test_accelerators_are_known_by_name(name: str, expected: bool) -> None:
    assert is_accelerator(name) is expected


def test_utilization_takes_the_requests_of_the_time() -> None:
    """Half of the time a pod asked for 1 core, since then for 500m, as the template does."""
    used = history(flat(1.5, noise=0.0))
    model = used.containers["model"]
    asked = Series(np.array([START, START + DAY]), np.array([1.0, 0.5]))
    known = type(used)(**{**vars(used), "containers": {"model": type(model)(**{**vars(model), "cpu_request": asked})}})
    then, unknown = read_signs(facts(WEB), known).utilization, read_signs(facts(WEB), used).utilization
    assert then is not None
    assert unknown is not None
    assert (then.low, then.peak) == pytest.approx((0.5, 1.0))
    assert (unknown.low, unknown.peak) == pytest.approx((1.0, 1.0))


def test_kills_for_memory_are_seen_in_pods_too() -> None:
    killed = pod(0, WEB)
    killed["status"]["containerStatuses"] = [
        {"name": "model", "restartCount": 4, "lastState": {"terminated": {"reason": "OOMKilled", "exitCode": 137}}}
    ]
    signs = read_signs(facts(WEB, pods=[killed, pod(1, WEB)]), history(flat(1.2)))
    assert signs.containers[0].oom_kills == 4


@pytest.mark.parametrize(
    ("cpu", "low", "high"), [(flat(2.0), 1.0, 1.1), (daily(0.5, 2.0), 3.0, 4.5), (flat(0.0), 1.0, 1.0)]
)
def test_variation_is_of_the_course_and_not_of_the_noise(cpu: np.ndarray[Any, Any], low: float, high: float) -> None:
    assert low <= variation(history(cpu)) <= high


def test_room_counts_what_nodes_and_quotas_leave() -> None:
    quota = {
        "metadata": {"name": "q", "namespace": "shop"},
        "spec": {"hard": {"requests.cpu": "2500m"}},
        "status": {"hard": {"requests.cpu": "2500m"}, "used": {"requests.cpu": "1500m"}},
    }
    assert read_signs(facts(WEB, nodes=[node(cpu="4")]), history(flat(1.2))).room == 5
    bounded = read_signs(facts(WEB, nodes=[node(cpu="4")], quotas=[quota]), history(flat(1.2)))
    assert bounded.room == 2
    assert "quota q" in bounded.room_why


@pytest.mark.parametrize(("period", "hpas", "rival"), [(5, [hpa()], True), (60, [hpa()], False), (5, [], False)])
def test_replicas_that_turn_under_steady_demand_have_two_owners(period: int, hpas: list[Json], rival: bool) -> None:
    """Back to 2 and up to 4 again every ``period`` minutes; without an HPA nobody is to be fought with."""
    used = history(flat(1.2, days=0.25))
    times = used.pods.times
    pods = Series(times, np.where((np.arange(times.size) // period) % 2 == 0, 2.0, 4.0))
    signs = read_signs(facts(WEB, hpas=hpas), type(used)(**{**vars(used), "pods": pods}))
    assert any("something else sets them" in clause for clause in signs.rivals) is rival


def test_pods_that_never_run_say_why_there_is_no_data(cluster: RecordingServer) -> None:
    killed = pod(0, WEB)
    killed["status"]["containerStatuses"] = [
        {
            "name": "model",
            "restartCount": 4,
            "state": {"waiting": {"reason": "CrashLoopBackOff"}},
            "lastState": {"terminated": {"reason": "OOMKilled", "exitCode": 137}},
        }
    ]
    cluster.answers[f"GET {POD_LIST}"] = Answer({"items": [killed]})

    def read(workloads: Sequence[Workload]) -> Histories:
        return {TARGET: NotEnoughDataError("not enough data for web")}

    (only,) = recommend(client(cluster), [Found(TARGET, WEB)], read, RecommendOptions(), ignore)
    assert isinstance(only, NotEnoughDataError)
    assert "killed for memory (limit 1Gi), 4 restarts" in str(only)
