"""How many copies fit, and the sentence that says why not all."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlscale.errors import NotAllowedError, NotFoundError
from mlscale.kube.capacity import CapacityFacts, Pods, plan_fit, read_capacity
from mlscale.kube.fit import Fit, Unknown
from mlscale.kube.pod_resources import occupied_by
from mlscale.kube.quantity import InvalidQuantityError
from tests.clients import client
from tests.recording_server import Answer, RecordingServer, recording_server, status

if TYPE_CHECKING:
    from collections.abc import Iterator

Json = dict[str, Any]


def _node(name: str, labels: Json | None = None, taints: list[Json] | None = None, **allocatable: str) -> Json:
    offered = {"cpu": "4", "memory": "8Gi", "pods": "10"}
    offered.update({key.replace("gpu", "nvidia.com/gpu"): value for key, value in allocatable.items()})
    return {
        "metadata": {"name": name, "labels": labels or {}},
        "spec": {"taints": taints or []},
        "status": {"allocatable": offered},
    }


def _pod(node: str | None, requests: Json, phase: str = "Running", namespace: str = "other") -> Json:
    spec: Json = {"containers": [{"name": "c", "resources": {"requests": requests}}]}
    if node:
        spec["nodeName"] = node
    return {"metadata": {"namespace": namespace, "labels": {"app": "x"}}, "spec": spec, "status": {"phase": phase}}


def _template(requests: Json | None = None, limits: Json | None = None, **spec: Any) -> Json:
    resources = {"requests": requests or {}, "limits": limits or {}}
    container = {"name": "web", "resources": resources}
    return {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [container], **spec}}


def _facts(template: Json, nodes: list[Json], pods: list[Json] | None = None, **lists: Any) -> CapacityFacts:
    others = {"quotas": (), "limit_ranges": (), **lists}
    return CapacityFacts("ns", template, tuple(nodes), tuple(pods or ()), **others)


ONE_GPU = _template(limits={"nvidia.com/gpu": "1"})
TAINT = {"key": "gpu", "value": "yes", "effect": "NoSchedule"}
SEVEN = [_node("g0", gpu="4"), _node("g1", gpu="4"), *(_node(f"n{i}") for i in range(5))]
APART = {
    "podAntiAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": [
            {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app": "web"}}}
        ]
    }
}


@pytest.mark.parametrize(
    ("template", "nodes", "pods", "message"),
    [
        (
            ONE_GPU,
            SEVEN,
            [_pod("g0", {"nvidia.com/gpu": "4"}), _pod("g1", {"nvidia.com/gpu": "2"})],
            "2 of 5 new copies fit: nvidia.com/gpu is short (each needs 1; 2 free on 2 eligible nodes of 7)",
        ),
        (
            _template(limits={"nvidia.com/gpu": "3"}),
            SEVEN,
            [],
            # 8 of 3 are 2 as well: that the GPUs are on two nodes costs no copy, so it is not said.
            "2 of 5 new copies fit: nvidia.com/gpu is short (each needs 3; 8 free on 2 eligible nodes of 7)",
        ),
        (
            _template(limits={"amd.com/gpu": "1"}),
            SEVEN,
            [],
            "0 of 5 new copies fit: no node offers amd.com/gpu (each needs 1; 7 eligible nodes of 7)",
        ),
        (
            _template({"cpu": "3"}),
            [_node("a"), _node("b")],
            [_pod("a", {"cpu": "1500m"})],
            "1 of 5 new copies fit: cpu is short (each needs 3; 6500m free on 2 eligible nodes of 2, at most 4 on one)",
        ),
        (
            _template({"memory": "3Gi"}),
            [_node("a", cpu="32")],
            [],
            "2 of 5 new copies fit: memory is short (each needs 3Gi; 8Gi free on 1 eligible node of 1)",
        ),
        (
            _template(),
            [_node("a", pods="3")],
            [_pod("a", {})],
            "2 of 5 new copies fit: pod slots are short (2 free on 1 eligible node of 1)",
        ),
        (
            ONE_GPU,
            [_node("a", taints=[TAINT], gpu="4"), _node("b", gpu="1")],
            [],
            "1 of 5 new copies fit: nvidia.com/gpu is short (each needs 1; 1 free on 1 eligible node of 2)",
        ),
        (
            _template(nodeSelector={"zone": "a"}),
            [_node("a", taints=[TAINT]), _node("b", {"zone": "b"}), _node("c")],
            [],
            "0 of 5 new copies fit: none of 3 nodes is eligible "
            "(2: nodeSelector zone=a does not match, 1: taint gpu=yes:NoSchedule is not tolerated)",
        ),
        (ONE_GPU, [], [], "0 of 5 new copies fit: there are no nodes"),
        (
            # Each resource alone would do for five; the GPUs and the cpu are on different nodes.
            _template({"cpu": "2", "nvidia.com/gpu": "1"}),
            [_node("a", cpu="2", gpu="8"), _node("b", cpu="64", gpu="1")],
            [],
            "2 of 5 new copies fit: cpu and nvidia.com/gpu are not free together on enough nodes "
            "(2 eligible nodes of 2)",
        ),
        (
            _template(affinity=APART),
            [_node("a"), _node("b"), _node("c")],
            [{**_pod("a", {}, namespace="ns"), "metadata": {"namespace": "ns", "labels": {"app": "web"}}}],
            "2 of 5 new copies fit: podAntiAffinity allows one copy per node (3 eligible nodes of 3, 1 of them taken)",
        ),
    ],
)
def test_what_is_short_is_said(template: Json, nodes: list[Json], pods: list[Json], message: str) -> None:
    fit = plan_fit(_facts(template, nodes, pods), 5)
    assert fit.message == message
    assert f"{fit.fits} of 5" in message
    assert fit.falls_short


def test_all_that_fit_have_no_shortage() -> None:
    fit = plan_fit(_facts(ONE_GPU, SEVEN), 8)
    assert fit == Fit(wanted=8, fits=8)
    assert (fit.message, fit.falls_short) == ("8 of 8 new copies fit", False)
    assert plan_fit(_facts(ONE_GPU, SEVEN), 1).message == "1 of 1 new copy fits"


def test_no_new_copies_need_no_room() -> None:
    assert plan_fit(_facts(ONE_GPU, []), 0) == Fit(wanted=0, fits=0)
    assert plan_fit(_facts(ONE_GPU, []), -3) == Fit(wanted=0, fits=0)


@pytest.mark.parametrize(
    ("pod", "free"),
    [
        (_pod("a", {"nvidia.com/gpu": "1"}), 3),
        (_pod("a", {"nvidia.com/gpu": "1"}, phase="Pending"), 3),  # bound, its image still being pulled
        (_pod("a", {"nvidia.com/gpu": "1"}, phase="Succeeded"), 4),
        (_pod("a", {"nvidia.com/gpu": "1"}, phase="Failed"), 4),
        (_pod(None, {"nvidia.com/gpu": "1"}, phase="Pending"), 4),  # waits for a node itself
        (_pod("gone", {"nvidia.com/gpu": "1"}), 4),
        (_pod("a", {"nvidia.com/gpu": "9"}), 0),  # more than there is: none free, not minus five
    ],
)
def test_which_pods_take_room(pod: Json, free: int) -> None:
    assert plan_fit(_facts(ONE_GPU, [_node("a", gpu="4")], [pod]), 9).fits == free


def test_what_pods_take_is_added_up_once_for_many_templates(monkeypatch: pytest.MonkeyPatch) -> None:
    pods = Pods([_pod("n0", {"cpu": "1"}), _pod("n1", {"cpu": "3"}), _pod(None, {"cpu": "4"})])
    counted = Mock(side_effect=occupied_by)
    monkeypatch.setattr("mlscale.kube.capacity.occupied_by", counted)
    fits = [
        plan_fit(CapacityFacts("ns", _template({"cpu": cpu}), (_node("n0"), _node("n1")), pods, (), ()), 9).fits
        for cpu in ("1", "2", "3")
    ]
    assert fits == [3 + 1, 1, 1]
    assert counted.call_count == 2  # for three templates


def test_each_pod_is_rounded_up_as_the_scheduler_does() -> None:
    # Half a millicore counts as one: 10m less four pods are 6 copies. Counted exactly, 8m would hold 16.
    pods = [_pod("a", {"cpu": "500u"}) for _ in range(4)]
    facts = _facts(_template({"cpu": "500u"}), [_node("a", cpu="10m", pods="110")], pods)
    assert plan_fit(facts, 99).fits == 6


def test_a_request_of_nothing_needs_no_room() -> None:
    full = [_pod("a", {"cpu": "4"})]
    assert plan_fit(_facts(_template({"cpu": "0"}), [_node("a")], full), 5).fits == 5


def test_pods_that_are_there_can_keep_copies_away() -> None:
    shy = _pod("a", {})
    shy["spec"]["affinity"] = {
        "podAntiAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": [
                {"topologyKey": "kubernetes.io/hostname", "labelSelector": {}, "namespaceSelector": {}}
            ]
        }
    }
    fit = plan_fit(_facts(_template({"cpu": "1"}), [_node("a"), _node("b")], [shy]), 6)
    assert (fit.fits, [limit.reason for limit in fit.limits]) == (4, ["PodAntiAffinity", "Insufficient"])
    assert "podAntiAffinity to pods that are there rules out 1 of 2 eligible nodes" in fit.message


def test_the_tightest_of_quota_and_nodes_decides_and_both_are_said() -> None:
    quota = {"metadata": {"name": "q"}, "spec": {}, "status": {"hard": {"pods": "3"}, "used": {"pods": "0"}}}
    fit = plan_fit(_facts(ONE_GPU, [_node("a", gpu="4")], quotas=(quota,)), 5)
    assert (fit.fits, [(limit.reason, limit.fits) for limit in fit.limits]) == (
        3,
        [("QuotaExceeded", 3), ("Insufficient", 4)],
    )
    assert fit.message == (
        "3 of 5 new copies fit: quota q on pods is short (each needs 1; 3 left of 3); "
        "nvidia.com/gpu is short (each needs 1; 4 free on 1 eligible node of 1)"
    )


def test_limit_range_defaults_are_what_the_scheduler_sees() -> None:
    item = {"type": "Container", "defaultRequest": {"cpu": "2"}}
    defaults = {"metadata": {"name": "lr"}, "spec": {"limits": [item]}}
    assert plan_fit(_facts(_template(), [_node("a")], limit_ranges=(defaults,)), 5).fits == 2
    assert plan_fit(_facts(_template(), [_node("a")]), 5).fits == 5


def test_what_is_not_considered_is_said() -> None:
    template = _template(
        volumes=[{"name": "v", "persistentVolumeClaim": {"claimName": "v"}}],
        topologySpreadConstraints=[{"whenUnsatisfiable": "DoNotSchedule"}],
    )
    fit = plan_fit(_facts(template, [_node("a")]), 2)
    assert fit.unmodelled == ("topologySpreadConstraints", "volumes")
    assert fit.message == "2 of 2 new copies fit; not considered: topologySpreadConstraints, volumes"


NO_NODES = Unknown("nodes could not be read (403)")
NO_PODS = Unknown("the pods of all namespaces could not be read (403)")


def test_without_nodes_nothing_is_claimed() -> None:
    fit = plan_fit(replace(_facts(ONE_GPU, []), nodes=NO_NODES), 5)
    assert fit.fits == Unknown(NO_NODES.why)
    assert not fit.falls_short
    assert fit.message == "cannot say how many of 5 new copies fit: nodes could not be read (403)"


def test_without_nodes_a_quota_still_binds() -> None:
    quota = {"metadata": {"name": "q"}, "spec": {}, "status": {"hard": {"pods": "3"}, "used": {"pods": "0"}}}
    fit = plan_fit(replace(_facts(ONE_GPU, [], quotas=(quota,)), nodes=NO_NODES), 5)
    assert (fit.fits, fit.falls_short) == (3, True)
    assert fit.message.endswith("; not checked: nodes could not be read (403)")


def test_without_pods_the_nodes_are_an_upper_bound() -> None:
    facts = replace(_facts(ONE_GPU, [_node("a", gpu="4")]), pods=NO_PODS)
    # Five GPUs are not there however empty the node is; four may be.
    assert (plan_fit(facts, 5).fits, plan_fit(facts, 4).fits) == (4, Unknown(NO_PODS.why))


def test_a_broken_quantity_of_the_cluster_is_one_sentence() -> None:
    with pytest.raises(InvalidQuantityError, match="'four' is not a Kubernetes quantity"):
        plan_fit(_facts(ONE_GPU, [_node("a", gpu="four")]), 1)


PLACES = ("/api/v1/nodes", "/api/v1/pods", "/api/v1/namespaces/ns/resourcequotas", "/api/v1/namespaces/ns/limitranges")


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with recording_server() as running:
        running.answers = {f"GET {place}": Answer({"items": []}) for place in PLACES}
        yield running


def test_four_lists_are_read_once_each(server: RecordingServer) -> None:
    server.answers["GET /api/v1/nodes"] = Answer({"items": SEVEN})
    facts = read_capacity(client(server), "ns", ONE_GPU)
    assert facts == CapacityFacts("ns", ONE_GPU, tuple(SEVEN), (), (), ())
    selectors = {request.path: request.query.get("fieldSelector") for request in server.requests}
    assert selectors == dict.fromkeys(PLACES) | {"/api/v1/pods": "status.phase!=Succeeded,status.phase!=Failed"}
    assert len(server.requests) == 4


def test_what_may_not_be_listed_is_unknown(server: RecordingServer) -> None:
    server.answers |= {f"GET {place}": status(403, "no", "Forbidden") for place in PLACES[:2]}
    facts = read_capacity(client(server), "ns", ONE_GPU)
    assert (facts.nodes, facts.pods, facts.quotas) == (NO_NODES, NO_PODS, ())


@pytest.mark.parametrize(("code", "error"), [(401, NotAllowedError), (404, NotFoundError)])
def test_other_errors_are_errors(server: RecordingServer, code: int, error: type[Exception]) -> None:
    server.answers["GET /api/v1/nodes"] = status(code, "no")
    with pytest.raises(error):
        read_capacity(client(server), "ns", ONE_GPU)


MILLICORES = st.integers(min_value=1, max_value=4000)


@given(
    st.lists(st.tuples(MILLICORES, st.integers(0, 5)), min_size=1, max_size=6),
    MILLICORES,
    st.lists(st.tuples(st.integers(0, 5), MILLICORES), max_size=8),
    st.integers(1, 40),
)
def test_counting_agrees_with_placing_one_by_one(
    sizes: list[tuple[int, int]], each: int, running: list[tuple[int, int]], wanted: int
) -> None:
    nodes = [_node(str(i), cpu=f"{cpu}m", pods=str(slots)) for i, (cpu, slots) in enumerate(sizes)]
    pods = [_pod(str(node), {"cpu": f"{cpu}m"}) for node, cpu in running]
    room = {i: [cpu, slots] for i, (cpu, slots) in enumerate(sizes)}
    for node, cpu in running:
        if node in room:
            room[node] = [room[node][0] - cpu, room[node][1] - 1]
    placed = 0
    while placed < wanted:
        home = next((i for i, (cpu, slots) in room.items() if cpu >= each and slots >= 1), None)
        if home is None:
            break
        room[home] = [room[home][0] - each, room[home][1] - 1]
        placed += 1
    fit = plan_fit(_facts(_template({"cpu": f"{each}m"}), nodes, pods), wanted)
    assert fit.fits == placed
    assert bool(fit.limits) is (placed < wanted)


@given(st.integers(1, 20), st.integers(0, 20))
def test_another_node_never_makes_fewer_fit(wanted: int, gpus: int) -> None:
    before = plan_fit(_facts(ONE_GPU, SEVEN), wanted).fits
    after = plan_fit(_facts(ONE_GPU, [*SEVEN, _node("new", gpu=str(gpus))]), wanted).fits
    assert isinstance(before, int)
    assert isinstance(after, int)
    assert before <= after <= before + gpus
