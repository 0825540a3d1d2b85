"""``status`` as a whole: what is read beyond the tables, and what is said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest

from mlscale.kube.kinds import DEPLOYMENT
from mlscale.kube.targets import Target
from mlscale.status.model import StatusRequest, StatusResult
from mlscale.status.read import read_status
from mlscale.status.report import status_report
from tests.unit.status.objects import ago, deployment, hpa, pod, unschedulable
from tests.unit.status.server import Answer, Server, forbidden, table

Json = dict[str, Any]
APPS = "/apis/apps/v1/namespaces/ml"
PODS = "/api/v1/namespaces/ml/pods"
HPAS = "/apis/autoscaling/v2/namespaces/ml/horizontalpodautoscalers"
EVENTS = "/api/v1/namespaces/ml/events"
POD_COLUMNS = "Name Ready Status Restarts Age"
NO_GPU = "0/7 nodes are available: 7 Insufficient nvidia.com/gpu."
SCHEMA = Path(__file__).parents[3] / "docs" / "reference" / "schemas" / "status-v1.json"


def server(**parts: Answer) -> Server:
    """A healthy namespace, but for the ``pods``, ``hpas``, ``deployments``, ``statefulsets`` and ``events`` given."""
    answers: dict[str, Answer] = {
        f"{APPS}/deployments": parts.pop("deployments", table("Name", ("web", deployment()))),
        f"{APPS}/statefulsets": parts.pop("statefulsets", table("Name")),
        PODS: parts.pop("pods", table(POD_COLUMNS, ("web-1 1/1 Running 0 5m", None))),
        HPAS: parts.pop("hpas", table("Name", ("web", hpa()))),
        EVENTS: parts.pop("events", {"items": []}),
        "/api/v1/namespaces/ml": {},
    }
    return Server({**answers, **parts})


def status(given: Server, **more: Any) -> StatusResult:
    return read_status(given, StatusRequest("ml", **more))


def test_a_healthy_namespace_takes_four_requests_and_no_words() -> None:
    given = server()
    result = status(given)
    assert (result.findings, result.errors, result.exit_code) == ((), (), 0)
    assert len(given.asked) == 4


def test_pods_in_trouble_are_read_and_explained() -> None:
    waiting = {f"{PODS}/web-{n}": pod(f"web-{n}", **unschedulable(NO_GPU)) for n in (2, 3)}
    listed = table(
        POD_COLUMNS,
        *[(f"web-{n} {cells} 0 5m", None) for n, cells in ((1, "1/1 Running"), (2, "0/1 Pending"), (3, "0/1 Pending"))],
    )
    given = server(pods=listed, **waiting)
    [found] = status(given).findings
    assert found.message == (
        "2 pods Unschedulable: nvidia.com/gpu is short (0/7 nodes are available: 7 Insufficient nvidia.com/gpu): "
        "web-2, web-3"
    )
    assert f"{PODS}/web-1" not in given.paths()


def test_at_most_twenty_pods_are_read_and_the_rest_is_counted() -> None:
    many = table(POD_COLUMNS, *[(f"web-{n} 0/1 Pending 0 5m", None) for n in range(300)])
    given = server(pods=many, **{f"{PODS}/web-{n}": pod(f"web-{n}", **unschedulable(NO_GPU)) for n in range(300)})
    messages = [f.message for f in status(given).findings]
    assert messages[0].startswith("20 pods Unschedulable")
    assert messages[1] == "280 more pods are not well and were not looked at one by one: 280 Pending"
    assert len([path for path in given.paths() if path.startswith(f"{PODS}/")]) == 20


def test_objects_at_hand_are_not_read_again_and_all_are_explained() -> None:
    many = [pod(f"web-{n}", **unschedulable(NO_GPU)) for n in range(30)]
    listed = table(POD_COLUMNS, *[(f"{one['metadata']['name']} 0/1 Pending 0 5m", one) for one in many])
    given = server(pods=listed)
    [found] = status(given, objects=True).findings
    assert found.message.startswith("30 pods Unschedulable")
    assert len(given.asked) == 4


def test_a_pod_that_is_gone_by_then_is_no_error() -> None:
    result = status(server(pods=table(POD_COLUMNS, ("web-2 0/1 Pending 0 5m", None))))
    assert result.errors == ()


def rescale(size: int, minutes: float) -> Json:
    about = {"kind": "HorizontalPodAutoscaler", "namespace": "ml", "name": "web"}
    return {"involvedObject": about, "message": f"New size: {size}; reason: x", "lastTimestamp": ago(minutes=minutes)}


FLAPS = {"items": [rescale(5, 12), rescale(2, 9), rescale(5, 6), rescale(2, 1)]}


def test_an_hpa_that_goes_up_and_down_is_flapping() -> None:
    given = server(hpas=table("Name", ("web", hpa(status={"lastScaleTime": ago(minutes=1)}))), events=FLAPS)
    [found] = status(given).findings
    assert (found.reason, found.message) == (
        "Flapping",
        "hpa/web changed direction 2 times within 11m (5 → 2 → 5 → 2); "
        "a longer scaleDown stabilization window would steady it",
    )
    assert (
        dict(given.asked)[EVENTS]["fieldSelector"]
        == "involvedObject.kind=HorizontalPodAutoscaler,reason=SuccessfulRescale"
    )


def test_events_are_not_read_for_hpas_that_have_been_still_for_an_hour() -> None:
    given = server(hpas=table("Name", ("web", hpa(status={"lastScaleTime": ago(minutes=61)}))), events=FLAPS)
    assert status(given).findings == ()
    assert EVENTS not in given.paths()


def test_events_that_may_not_be_read_leave_the_tables_as_they_are() -> None:
    given = server(hpas=table("Name", ("web", hpa(status={"lastScaleTime": ago(minutes=1)}))))
    del given.answers[EVENTS]
    assert (status(given).findings, status(given).errors) == ((), ())


def test_a_statefulset_without_its_pods_is_explained_by_events() -> None:
    database = deployment("db", replicas=3)
    database["status"]["replicas"] = 1
    event = {"involvedObject": {"kind": "StatefulSet", "namespace": "ml", "name": "db"}, "message": "exceeded quota: q"}
    given = server(statefulsets=table("Name", ("db", database)), events={"items": [event]})
    assert [f.message for f in status(given).findings] == ["statefulset.apps/db has 1 of 3 pods: exceeded quota: q"]
    assert dict(given.asked)[EVENTS]["fieldSelector"] == "reason=FailedCreate"


def test_two_hpas_on_a_target_are_said_once_even_if_one_is_shown() -> None:
    pair = table("Name", ("web", hpa(conditions=[])), ("web2", hpa("web2", conditions=[])))
    assert [f.reason for f in status(server(hpas=pair)).findings] == ["AmbiguousSelector"]
    named = server(hpas=pair, **{f"{APPS}/deployments/web": table("Name", ("web", deployment()))})
    result = status(named, targets=(Target(DEPLOYMENT, "ml", "web"),))
    assert [f.reason for f in result.findings] == ["AmbiguousSelector"]


def test_sections_that_are_not_shown_are_not_explained() -> None:
    pair = table("Name", ("web", hpa()), ("web2", hpa("web2")))
    given = server(hpas=pair, pods=table(POD_COLUMNS, ("web-2 0/1 Pending 0 5m", None)))
    assert status(given, only=("workloads",)).findings == ()


def test_hpas_alone_by_selector_do_not_take_metadata_for_a_workload_without_ready_pods() -> None:
    """The workloads are then read by name only: readyReplicas is absent because nobody asked."""
    sampleless = hpa(
        conditions=[
            {"type": "AbleToScale", "status": "True"},
            {
                "type": "ScalingActive",
                "status": "False",
                "reason": "F",
                "message": "no metrics returned matched known pods",
            },
        ],
        current=[],
    )
    bare = {"metadata": deployment()["metadata"]}
    given = server(deployments=table("Name", ("web", bare)), hpas=table("Name", ("web", sampleless)))
    assert [f.reason for f in status(given, selector="app=web", only=("hpa",)).findings] == ["NoSamples"]


def test_an_empty_namespace_and_one_that_does_not_exist_are_told_apart() -> None:
    """``kubectl get`` says "No resources found" for both, and exits 0."""
    empty = server(deployments=table("Name"), pods=table(POD_COLUMNS), hpas=table("Name"))
    assert status(empty).errors == ()
    assert status(empty).is_empty
    del empty.answers["/api/v1/namespaces/ml"]
    empty.answers["/api/v1/namespaces"] = {"items": [{"metadata": {"name": "mll"}}]}
    result = status(empty)
    assert [str(error) for error in result.errors] == ['namespace "ml" not found; did you mean "mll"?']
    assert result.exit_code == 3


def test_the_same_error_of_several_lists_is_said_once() -> None:
    lists = [f"{APPS}/deployments", f"{APPS}/statefulsets", PODS, HPAS]
    assert [str(error) for error in status(Server(dict.fromkeys(lists, forbidden()))).errors] == ["forbidden"]


def test_the_document_obeys_its_schema_and_leaves_managed_fields_out() -> None:
    many = [pod("web-1", **unschedulable(NO_GPU))]
    given = server(pods=table(POD_COLUMNS, ("web-1 0/1 Pending 0 5m", many[0])))
    document = json.loads(json.dumps(status_report(status(given, objects=True))))
    jsonschema.validate(document, json.loads(SCHEMA.read_text()))
    assert document["schema"] == "mlscale.status/v1"
    assert document["pods"] == many
    assert "managedFields" not in document["workloads"][0]["metadata"]
    assert [finding["reason"] for finding in document["findings"]] == ["Unschedulable"]


def test_a_section_that_was_left_out_is_null_and_an_empty_one_a_list() -> None:
    document = status_report(status(server(hpas=table("Name")), objects=True, only=("hpa",)))
    jsonschema.validate(document, json.loads(SCHEMA.read_text()))
    assert (document["workloads"], document["pods"], document["hpas"]) == (None, None, [])


def test_the_schema_refuses_what_is_not_in_it() -> None:
    document = status_report(status(server(), objects=True))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**document, "extra": 1}, json.loads(SCHEMA.read_text()))


def test_types_are_named_where_more_than_one_was_asked_for() -> None:
    assert status(server()).with_kind
    assert status(server(), only=("workloads",)).with_kind
    assert not status(server(), only=("pods",)).with_kind
