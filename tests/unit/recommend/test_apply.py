"""Sizes written into the template, and into the pods that run."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from mlscale.errors import ConflictError, MlscaleError, NotFoundError, RefusedError
from mlscale.recommend.apply import applied_before, resize_pods, resize_template
from tests.clients import client
from tests.recording_server import Answer, RecordingServer, recording_server, status
from tests.unit.output.recommendations import RESIZE, RESOURCES, target
from tests.unit.scale.objects import deployment, listing, path, pod, scale

if TYPE_CHECKING:
    from collections.abc import Iterator

Json = dict[str, Any]
PODS = "/api/v1/namespaces/default/pods"


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with recording_server() as running:
        running.answers |= {
            f"GET {path('web')}": Answer(deployment("web")),
            f"PATCH {path('web')}": Answer(deployment("web")),
            f"GET {path('web', 'scale')}": Answer(scale("web", 2)),
        }
        yield running


def owned(name: str, owner: str, **resources: Json) -> Json:
    """A pod of the ReplicaSet ``owner`` whose container server has ``resources``."""
    made = pod(name)
    made["metadata"]["ownerReferences"] = [{"kind": "ReplicaSet", "name": owner, "controller": True}]
    made["spec"]["containers"] = [{"name": "proxy"}, {"name": "server", "resources": resources}]
    return made


def serve_pods(server: RecordingServer, *pods: Json) -> None:
    server.answers[f"GET {PODS}"] = listing(*pods)
    for each in pods:
        server.answers[f"PATCH {PODS}/{each['metadata']['name']}/resize"] = Answer(each)


def test_the_template_is_server_side_applied_as_mlscale(server: RecordingServer) -> None:
    resize_template(client(server), target(), RESIZE, force=False, dry_run=False)
    patch = server.requests[-1]

    assert server.lines == [f"GET {path('web')}", f"PATCH {path('web')}"]
    assert patch.header("Content-Type") == "application/apply-patch+yaml"
    assert patch.query == {"fieldManager": "mlscale"}
    assert patch.json() == RESOURCES


@pytest.mark.parametrize(
    ("force", "dry_run", "query"), [(True, False, {"force": "true"}), (False, True, {"dryRun": "All"})]
)
def test_taking_over_and_dry_runs_are_said_to_the_server(
    server: RecordingServer, force: bool, dry_run: bool, query: dict[str, str]
) -> None:
    resize_template(client(server), target(), RESIZE, force=force, dry_run=dry_run)

    assert server.requests[-1].query == {"fieldManager": "mlscale"} | query


def test_what_mlscale_applied_before_is_applied_again(server: RecordingServer) -> None:
    """Else an apply of memory alone would take away the CPU that an earlier one had set."""
    before = deployment("web")
    before["spec"]["template"] = {
        "spec": {
            "containers": [
                {"name": "proxy", "image": "p", "resources": {"requests": {"cpu": "50m"}}},
                {"name": "server", "image": "s", "resources": {"requests": {"cpu": "700m", "memory": "1Gi"}}},
            ]
        }
    }
    below: Json = {"f:name": {}, "f:resources": {"f:requests": {"f:cpu": {}}}}
    containers = {'k:{"name":"server"}': {".": {}, **below}}
    fields = {"f:spec": {"f:template": {"f:spec": {"f:containers": containers}}}}
    replicas: Json = {"f:spec": {"f:replicas": {}}}
    before["metadata"]["managedFields"] = [
        {"manager": "kubectl", "operation": "Update", "fieldsV1": replicas},
        {"manager": "mlscale", "operation": "Update", "subresource": "scale", "fieldsV1": replicas},
        {"manager": "mlscale", "operation": "Apply", "fieldsV1": fields},
    ]
    server.answers[f"GET {path('web')}"] = Answer(before)

    resize_template(client(server), target(), RESIZE, force=False, dry_run=False)

    assert server.requests[-1].json()["spec"]["template"]["spec"]["containers"] == [
        {"name": "server", "resources": {"requests": {"cpu": "700m", "memory": "2Gi"}}}
    ]
    assert applied_before(deployment("web")) == {}


def test_an_item_that_has_gone_is_not_brought_back() -> None:
    obj = deployment("web")
    obj["spec"]["template"] = {"spec": {"containers": [{"name": "other"}]}}
    containers: Json = {'k:{"name":"server"}': {"f:resources": {}}}
    fields = {"f:spec": {"f:template": {"f:spec": {"f:containers": containers}}, "f:paused": {}}}
    obj["metadata"]["managedFields"] = [{"manager": "mlscale", "operation": "Apply", "fieldsV1": fields}]

    assert applied_before(obj) == {"spec": {"template": {"spec": {"containers": []}}}}


def test_a_conflict_names_who_set_the_resources(server: RecordingServer) -> None:
    message = 'conflict with "kubectl-client-side-apply" using apps/v1'
    cause = {"reason": "FieldManagerConflict", "message": message, "field": ".spec"}
    server.answers[f"PATCH {path('web')}"] = status(409, "Apply failed", "Conflict", causes=[cause])

    with pytest.raises(ConflictError, match="field manager kubectl-client-side-apply; --force-conflicts") as caught:
        resize_template(client(server), target(), RESIZE, force=False, dry_run=False)
    assert caught.value.exit_code == 5


def test_a_step_without_a_manifest_is_refused_before_anything_is_asked(server: RecordingServer) -> None:
    with pytest.raises(RefusedError, match="no manifest"):
        resize_template(client(server), target(), replace(RESIZE, manifest=None), force=False, dry_run=False)
    assert server.requests == []


def test_pods_are_resized_in_place_and_keep_what_is_not_theirs_to_change(server: RecordingServer) -> None:
    gpu = {"nvidia.com/gpu": "1", "cpu": "1"}
    serve_pods(server, owned("web-1", "web-7d9f", limits=gpu, requests={"cpu": "500m"}))

    assert resize_pods(client(server), target(), RESIZE, dry_run=False) == ["web-1"]
    patch = server.requests[-1]
    assert patch.line == f"PATCH {PODS}/web-1/resize"
    assert patch.header("Content-Type") == "application/json-patch+json"
    # The second container, which the test holds in its place; the size has no CPU limit, and the old one stays.
    assert patch.json() == [
        {"op": "test", "path": "/spec/containers/1/name", "value": "server"},
        {
            "op": "add",
            "path": "/spec/containers/1/resources",
            "value": {
                "limits": {"nvidia.com/gpu": "1", "cpu": "1", "memory": "2Gi"},
                "requests": {"cpu": "500m", "memory": "2Gi"},
            },
        },
    ]


def test_pods_of_another_workload_with_the_same_labels_are_left_alone(server: RecordingServer) -> None:
    serve_pods(server, owned("web-1", "web-7d9f"), owned("api-1", "api-5c4d"), pod("bare"))

    assert resize_pods(client(server), target(), RESIZE, dry_run=False) == ["web-1"]
    assert [line for line in server.lines if line.startswith("PATCH")] == [f"PATCH {PODS}/web-1/resize"]


def test_a_dry_run_is_said_to_the_server(server: RecordingServer) -> None:
    serve_pods(server, owned("web-1", "web-7d9f"))
    resize_pods(client(server), target(), RESIZE, dry_run=True)

    assert server.requests[-1].query["dryRun"] == "All"


def test_a_pod_that_is_refused_does_not_stop_the_others(server: RecordingServer) -> None:
    serve_pods(server, owned("web-1", "web-7d9f"), owned("web-2", "web-7d9f"))
    server.answers[f"PATCH {PODS}/web-1/resize"] = status(422, "Pod web-1 is invalid: QoS class", "Invalid")

    refused, done = resize_pods(client(server), target(), RESIZE, dry_run=False)

    assert isinstance(refused, MlscaleError)
    assert "QoS class" in str(refused)
    assert done == "web-2"


def test_an_old_server_without_resize_is_named(server: RecordingServer) -> None:
    serve_pods(server, owned("web-1", "web-7d9f"))
    server.answers[f"PATCH {PODS}/web-1/resize"] = status(404, "the server could not find the requested resource")

    (refused,) = resize_pods(client(server), target(), RESIZE, dry_run=False)

    assert isinstance(refused, NotFoundError)
    assert "older than Kubernetes 1.33" in str(refused)


def test_no_pods_is_an_answer(server: RecordingServer) -> None:
    serve_pods(server)

    with pytest.raises(NotFoundError, match="has no pods to resize"):
        resize_pods(client(server), target(), RESIZE, dry_run=False)
