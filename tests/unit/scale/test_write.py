"""The write: one request that carries its own preconditions, and its refusals in the words of the command line."""

from __future__ import annotations

from typing import Any

import pytest

from mlscale.errors import ConflictError, ExitCode, MlscaleError
from mlscale.kube.kinds import DEPLOYMENT, Kind
from mlscale.kube.targets import Target
from mlscale.scale.model import ScaleRequest
from mlscale.scale.write import write_scale
from tests.clients import client
from tests.recording_server import NO_ANSWER, Answer, RecordingServer, status
from tests.unit.scale.objects import not_found, path, scale

WEB = Target(DEPLOYMENT, "default", "web")
MERGE, PATCH = "application/merge-patch+json", "application/json-patch+json"


def guarded(expected: int | None, replicas: int, *between: dict[str, Any]) -> list[dict[str, Any]]:
    test = {"op": "test", "path": "/spec/replicas", "value": expected}
    return [test, *between, {"op": "add", "path": "/spec/replicas", "value": replicas}]


VERSION = {"op": "replace", "path": "/metadata/resourceVersion", "value": "7"}
BODIES: list[tuple[ScaleRequest, str, Any]] = [
    (ScaleRequest(3), MERGE, {"spec": {"replicas": 3}}),
    (ScaleRequest(0), MERGE, {"spec": {"replicas": 0}}),
    (ScaleRequest(3, resource_version="7"), MERGE, {"spec": {"replicas": 3}, "metadata": {"resourceVersion": "7"}}),
    (ScaleRequest(3, current_replicas=2), PATCH, guarded(2, 3)),
    # A Scale at 0 has no spec.replicas: a test for 0 would never pass.
    (ScaleRequest(3, current_replicas=0), PATCH, guarded(None, 3)),
    (ScaleRequest(3, current_replicas=2, resource_version="7"), PATCH, guarded(2, 3, VERSION)),
]


@pytest.mark.parametrize(("request_", "content_type", "body"), BODIES)
@pytest.mark.parametrize("dry_run", ["none", "server"])
def test_one_request_says_all(
    server: RecordingServer, request_: ScaleRequest, content_type: str, body: Any, dry_run: str
) -> None:
    server.answers[f"PATCH {path('web', 'scale')}"] = Answer(scale("web", 3))
    asked = ScaleRequest(**{**vars(request_), "dry_run": dry_run})
    assert write_scale(client(server), WEB, asked) == scale("web", 3)
    (request,) = server.requests
    assert request.header("Content-Type") == content_type
    assert request.json() == body
    assert request.query == {"fieldManager": "mlscale"} | ({"dryRun": "All"} if dry_run == "server" else {})


def refused(server: RecordingServer, answer: Answer, request: ScaleRequest) -> MlscaleError:
    server.answers[f"PATCH {path('web', 'scale')}"] = answer
    with pytest.raises(MlscaleError) as caught:
        write_scale(client(server), WEB, request)
    return caught.value


# What the API server answers to a JSON patch whose test fails: no causes.
TEST_FAILED = status(422, "the server rejected our request due to an error in our request", "Invalid")
STALE = status(409, "Operation cannot be fulfilled: the object has been modified", "Conflict", name="web")


@pytest.mark.parametrize(("actual", "said"), [(5, "has 5 replicas, not 2"), (0, "has 0 replicas, not 2")])
def test_other_replicas_than_expected_is_a_conflict(server: RecordingServer, actual: int, said: str) -> None:
    server.answers[f"GET {path('web', 'scale')}"] = Answer(scale("web", actual))
    error = refused(server, TEST_FAILED, ScaleRequest(3, current_replicas=2))
    assert str(error) == f"deployment.apps/web {said}; nothing was changed"
    assert error.exit_code == ExitCode.CONFLICT


def test_the_conflict_stands_where_the_actual_number_cannot_be_read(server: RecordingServer) -> None:
    server.answers[f"GET {path('web', 'scale')}"] = status(403, "forbidden", "Forbidden")
    error = refused(server, TEST_FAILED, ScaleRequest(3, current_replicas=2))
    assert str(error) == "deployment.apps/web has another number of replicas, not 2; nothing was changed"
    assert isinstance(error, ConflictError)


def test_a_target_that_went_away_meanwhile_is_not_found(server: RecordingServer) -> None:
    server.answers[f"GET {path('web', 'scale')}"] = not_found("deployments.apps", "web")
    error = refused(server, TEST_FAILED, ScaleRequest(3, current_replicas=2))
    assert error.exit_code == ExitCode.NOT_FOUND


@pytest.mark.parametrize("current", [None, 2])
def test_another_resource_version_is_a_conflict(server: RecordingServer, current: int | None) -> None:
    error = refused(server, STALE, ScaleRequest(3, current_replicas=current, resource_version="7"))
    assert str(error) == (
        "deployment.apps/web is no longer at resource version 7; nothing was changed; read it again and decide anew"
    )
    assert error.exit_code == ExitCode.CONFLICT
    assert len(server.requests) == 1


REFUSALS: list[tuple[Answer, ExitCode, str]] = [
    (not_found("deployments.apps", "web"), ExitCode.NOT_FOUND, '"web" not found in namespace "default"'),
    (
        status(404, "the server could not find the requested resource", "NotFound"),
        ExitCode.REFUSED,
        "deployment.apps/web cannot be scaled: deployments.apps have no scale subresource; ",
    ),
    (status(403, "cannot patch resource", "Forbidden"), ExitCode.NOT_ALLOWED, "cannot patch resource"),
    (STALE, ExitCode.CONFLICT, "the object has been modified"),
    # With causes it is a value that the server refuses, whatever else was asked.
    (
        status(422, "spec.replicas: Invalid value", "Invalid", causes=[{"field": "spec.replicas"}]),
        ExitCode.ERROR,
        "spec.replicas: Invalid value",
    ),
    (status(500, "boom"), ExitCode.ERROR, "boom"),
]


@pytest.mark.parametrize(("answer", "code", "message"), REFUSALS)
def test_a_refusal_in_the_words_of_the_command_line(
    server: RecordingServer, answer: Answer, code: ExitCode, message: str
) -> None:
    server.answers["GET /api/v1/namespaces/default"] = Answer({})
    error = refused(server, answer, ScaleRequest(3))
    assert error.exit_code == code
    assert message in str(error)


def test_a_custom_resource_is_written_at_its_own_path(server: RecordingServer) -> None:
    rollout = Kind("argoproj.io", "v1alpha1", "Rollout", "rollouts", scalable=True)
    place = "/apis/argoproj.io/v1alpha1/namespaces/default/rollouts/web/scale"
    server.answers[f"PATCH {place}"] = Answer(scale("web", 3))
    write_scale(client(server), Target(rollout, "default", "web"), ScaleRequest(3))
    assert server.lines == [f"PATCH {place}"]


def test_a_write_without_an_answer_is_sent_once(server: RecordingServer) -> None:
    server.answers[f"PATCH {path('web', 'scale')}"] = NO_ANSWER
    with pytest.raises(MlscaleError, match="whether the change was made is not known"):
        write_scale(client(server), WEB, ScaleRequest(3))
    assert server.lines == [f"PATCH {path('web', 'scale')}"]
