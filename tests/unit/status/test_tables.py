"""Which requests ``status`` sends, and which rows it keeps."""

from __future__ import annotations

from typing import Any

import pytest

from mlscale.errors import UsageError
from mlscale.kube.kinds import DEPLOYMENT, REPLICATIONCONTROLLER, STATEFULSET, Kind
from mlscale.kube.targets import Target
from mlscale.status.events import EventsRead
from mlscale.status.model import StatusRequest
from mlscale.status.tables import TablesRead, read_tables
from tests.unit.status.objects import ago, deployment, hpa, pod
from tests.unit.status.server import Answer, Query, Server, forbidden, table

Json = dict[str, Any]
APPS = "/apis/apps/v1/namespaces/ml"
DEPLOYMENTS, STATEFULSETS = f"{APPS}/deployments", f"{APPS}/statefulsets"
PODS = "/api/v1/namespaces/ml/pods"
HPAS = "/apis/autoscaling/v2/namespaces/ml/horizontalpodautoscalers"
EVENTS = "/api/v1/namespaces/ml/events"
MODEL = Kind("ml.example.com", "v1", "Model", "models", scalable=True)


def web() -> Target:
    return Target(DEPLOYMENT, "ml", "web")


def namespace_ml(**more: Answer) -> Server:
    """Deployments web and api, one pod, HPAs web (of web), loose (of api) and labelled (of nothing here)."""
    every = [("web", hpa()), ("loose", hpa("loose", "api")), ("marked", hpa("marked", "elsewhere"))]

    def hpas(query: Query) -> Json:
        return table("Name", *(every[2:] if "labelSelector" in query else every))

    def deployments(query: Query) -> Json:
        both = [("web", deployment()), ("api", deployment("api"))]
        return table("Name", *(both[:1] if "labelSelector" in query else both))

    answers: dict[str, Answer] = {
        DEPLOYMENTS: deployments,
        f"{DEPLOYMENTS}/web": table("Name", ("web", deployment())),
        f"{DEPLOYMENTS}/api": table("Name", ("api", deployment("api"))),
        STATEFULSETS: table("Name"),
        PODS: table("Name Ready", ("web-1 1/1", None)),
        HPAS: hpas,
        "/api/v1/namespaces/ml": {},
    }
    return Server({**answers, **more})


def names(read: TablesRead) -> dict[str, list[str]]:
    return {one.kind.plural: list(one.cells("Name")) for one in read.tables}


def test_without_names_the_lists_come_in_kubectls_order_and_in_one_round() -> None:
    server = namespace_ml()
    read = read_tables(server, StatusRequest("ml"))
    assert names(read) == {
        "deployments": ["web", "api"],
        "statefulsets": [],
        "pods": ["web-1"],
        "horizontalpodautoscalers": ["web", "loose", "marked"],
    }
    assert sorted(server.paths()) == sorted([DEPLOYMENTS, STATEFULSETS, PODS, HPAS])


def test_pods_are_asked_for_without_objects() -> None:
    """With objects 5,000 pods are 17 MB, with metadata 8.5 MB, without 0.65 MB."""
    server = namespace_ml()
    read_tables(server, StatusRequest("ml"))
    assert dict(server.asked)[PODS]["includeObject"] == "None"
    read_tables(server, StatusRequest("ml", objects=True))
    assert dict(server.asked)[PODS]["includeObject"] == "Object"


def test_only_pods_is_one_request() -> None:
    server = namespace_ml()
    assert names(read_tables(server, StatusRequest("ml", selector="app=x", only=("pods",)))) == {"pods": ["web-1"]}
    assert server.asked == [(PODS, {"includeObject": "None", "limit": "5000", "labelSelector": "app=x"})]


def test_all_namespaces_need_metadata_for_their_column() -> None:
    server = Server({"/api/v1/pods": table("Name Ready", ("web-1 1/1", pod()))})
    read_tables(server, StatusRequest(None, only=("pods",)))
    assert server.asked == [("/api/v1/pods", {"includeObject": "Metadata", "limit": "500"})]


def test_a_selector_finds_hpas_by_label_and_by_what_it_selects() -> None:
    """``kubectl get hpa -l`` finds none of those that ``autoscale`` made: they carry no labels."""
    read = read_tables(namespace_ml(), StatusRequest("ml", selector="app=web"))
    assert names(read)["horizontalpodautoscalers"] == ["web", "marked"]


def test_hpas_alone_by_selector_show_no_workloads_but_look_at_their_names() -> None:
    server = namespace_ml()
    read = read_tables(server, StatusRequest("ml", selector="app=web", only=("hpa",)))
    assert names(read) == {"horizontalpodautoscalers": ["web", "marked"]}
    assert dict(server.asked)[DEPLOYMENTS]["includeObject"] == "Metadata"


def test_names_show_workloads_pods_and_hpas_by_target() -> None:
    server = namespace_ml()
    read = read_tables(server, StatusRequest("ml", (web(),)))
    assert names(read) == {"deployments": ["web"], "pods": ["web-1"], "horizontalpodautoscalers": ["web"]}
    assert dict(server.asked)[PODS]["labelSelector"] == "app=web"
    assert len(read.hpas) == 3


def test_a_name_takes_two_rounds_and_the_second_only_for_its_pods() -> None:
    server = namespace_ml()
    read_tables(server, StatusRequest("ml", (web(),)))
    assert sorted(server.paths()[:2]) == sorted([f"{DEPLOYMENTS}/web", HPAS])
    assert server.paths()[2:] == [PODS]
    assert len(server.connections) == 1


def test_the_events_that_explain_a_name_are_read_beside_its_pods() -> None:
    """Behind the pods they would be one more round: 40 ms to a server that is far away."""
    server = namespace_ml(
        **{HPAS: table("Name", ("web", hpa(status={"lastScaleTime": ago(minutes=1)}))), EVENTS: {"items": [{"a": 1}]}}
    )
    read = read_tables(server, StatusRequest("ml", (web(),)))
    assert sorted(server.paths()[2:]) == sorted([PODS, EVENTS])
    assert read.events == EventsRead(rescales=({"a": 1},))


def test_pods_of_a_name_alone_take_no_events_for_the_workload() -> None:
    database = deployment("db", replicas=3)
    database["status"]["replicas"] = 1
    target = Target(STATEFULSET, "ml", "db")
    server = namespace_ml(**{f"{STATEFULSETS}/db": table("Name", ("db", database)), EVENTS: {"items": []}})
    read_tables(server, StatusRequest("ml", (target,), only=("pods",)))
    assert server.paths() == [f"{STATEFULSETS}/db", PODS]
    read_tables(server, StatusRequest("ml", (target,)))
    assert EVENTS in server.paths()


def test_two_names_of_a_kind_share_a_table() -> None:
    read = read_tables(namespace_ml(), StatusRequest("ml", (Target(DEPLOYMENT, "ml", "api"), web())))
    assert names(read) == {
        "deployments": ["api", "web"],
        "pods": ["web-1"],
        "horizontalpodautoscalers": ["web", "loose"],
    }
    assert read.pod_selectors == ("app=api", "app=web")


SELECTORS = [
    (DEPLOYMENT, {"matchLabels": {"app": "web", "tier": "x"}}, "app=web,tier=x"),
    (
        STATEFULSET,
        {
            "matchExpressions": [
                {"key": "app", "operator": "In", "values": ["a", "b"]},
                {"key": "t", "operator": "NotIn", "values": ["c"]},
                {"key": "e", "operator": "Exists"},
                {"key": "n", "operator": "DoesNotExist"},
            ]
        },
        "app in (a,b),t notin (c),e,!n",
    ),
    (REPLICATIONCONTROLLER, {"app": "old"}, "app=old"),
]


@pytest.mark.parametrize(("kind", "selector", "text"), SELECTORS, ids=["labels", "expressions", "plain map"])
def test_pods_are_found_by_the_workloads_own_selector(kind: Kind, selector: Json, text: str) -> None:
    obj = {"metadata": {"name": "w", "namespace": "ml"}, "spec": {"selector": selector}}
    target = Target(kind, "ml", "w")
    server = Server({target.path(): table("Name", ("w", obj)), PODS: table("Name Ready"), HPAS: table("Name")})
    read_tables(server, StatusRequest("ml", (target,)))
    assert dict(server.asked)[PODS]["labelSelector"] == text


def test_a_custom_resource_tells_its_selector_by_scale() -> None:
    target = Target(MODEL, "ml", "m")
    obj = {"metadata": {"name": "m", "namespace": "ml"}, "spec": {"replicas": 1}}
    answers: dict[str, Answer] = {
        target.path(): table("Name", ("m", obj)),
        target.path("scale"): {"status": {"selector": "model=m"}},
        PODS: table("Name Ready"),
        HPAS: table("Name"),
    }
    server = Server(answers)
    assert list(names(read_tables(server, StatusRequest("ml", (target,))))) == [
        "models",
        "pods",
        "horizontalpodautoscalers",
    ]
    assert dict(server.asked)[PODS]["labelSelector"] == "model=m"


def test_without_a_selector_no_pod_is_taken_for_its_own() -> None:
    """An empty selector would list every pod of the namespace."""
    target = Target(MODEL, "ml", "m")
    obj = {"metadata": {"name": "m", "namespace": "ml"}, "spec": {}}
    answers: dict[str, Answer] = {
        target.path(): table("Name", ("m", obj)), target.path("scale"): {"status": {}}, HPAS: table("Name")
    }  # fmt: skip
    read = read_tables(Server(answers), StatusRequest("ml", (target,)))
    assert names(read)["pods"] == []
    assert read.errors == ()


def test_a_name_that_is_missing_leaves_the_others() -> None:
    read = read_tables(namespace_ml(), StatusRequest("ml", (Target(DEPLOYMENT, "ml", "wbe"), web())))
    assert names(read)["deployments"] == ["web"]
    assert [str(error) for error in read.errors] == [
        'deployments.apps "wbe" not found in namespace "ml"; did you mean "web"?'
    ]


def test_only_hpa_by_name_takes_the_target_and_the_hpas_own_name() -> None:
    server = namespace_ml()
    asked = StatusRequest("ml", (Target(DEPLOYMENT, "ml", "api"), Target(DEPLOYMENT, "ml", "marked")), only=("hpa",))
    assert names(read_tables(server, asked)) == {"horizontalpodautoscalers": ["loose", "marked"]}
    assert server.paths() == [HPAS]


def test_only_hpa_by_a_name_that_no_hpa_has() -> None:
    read = read_tables(namespace_ml(), StatusRequest("ml", (Target(DEPLOYMENT, "ml", "losse"),), only=("hpa",)))
    assert [str(error) for error in read.errors] == [
        'no HPA targets deployment.apps/losse or is called "losse" in namespace "ml"; did you mean "loose"?'
    ]


def test_what_may_not_be_read_is_an_error_beside_the_rest() -> None:
    read = read_tables(namespace_ml(**{PODS: forbidden("pods is forbidden")}), StatusRequest("ml"))
    assert [str(error) for error in read.errors] == ["pods is forbidden"]
    assert list(names(read)) == ["deployments", "statefulsets", "horizontalpodautoscalers"]


def test_names_go_with_one_namespace_and_without_a_selector() -> None:
    with pytest.raises(UsageError, match="names and a selector"):
        read_tables(namespace_ml(), StatusRequest("ml", (web(),), "app=web"))
    with pytest.raises(UsageError, match="-A asks for all"):
        read_tables(namespace_ml(), StatusRequest(None, (web(),)))
