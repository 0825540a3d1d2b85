"""A resize is done when the containers that run have their sizes, and not when the server has taken it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from mlscale.errors import ExitCode, MlscaleError
from mlscale.recommend.resized import PATIENCE, outcome_of, wait_resized
from mlscale.scale.model import Clock
from tests.clients import client
from tests.recording_server import Answer, recording_server, status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.recording_server import RecordingServer

Json = dict[str, Any]

NEW = {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"memory": "2Gi"}}
SAME = {"requests": {"cpu": "1000m", "memory": "1024Mi"}, "limits": {"memory": "2Gi"}}
OLD = {"requests": {"cpu": "500m", "memory": "1Gi"}, "limits": {"memory": "2Gi"}}
RUNNING: Json = {"running": {"startedAt": "2026-11-25T08:00:00Z"}}
GET = "GET /api/v1/namespaces/default/pods/web-1"


def pod(resources: Json | None, state: Json | None = None, **condition: str) -> Json:
    shown = {} if resources is None else {"resources": resources}
    statuses = [{"name": "server", "state": RUNNING if state is None else state, **shown}]
    conditions = [{"status": "True", **condition}] if condition else []
    return {
        "metadata": {"name": "web-1"},
        "spec": {"containers": [{"name": "server", "resources": NEW}]},
        "status": {"containerStatuses": statuses, "conditions": conditions},
    }


def deferred() -> Json:
    return pod(OLD, type="PodResizePending", reason="Deferred", message="no room: cpu")


@pytest.mark.parametrize(
    ("seen", "early", "late"),
    [
        (pod(NEW), "web-1", "web-1"),
        (pod(SAME), "web-1", "web-1"),
        (pod(OLD, state={"waiting": {"reason": "CrashLoopBackOff"}}), "web-1", "web-1"),
        (pod(OLD), None, ExitCode.TIMED_OUT),
        (pod(None), None, ExitCode.TIMED_OUT),
        (pod(NEW, type="PodResizeInProgress"), None, ExitCode.TIMED_OUT),
        (deferred(), None, ExitCode.TIMED_OUT),
        (pod(OLD, type="PodResizePending", reason="Infeasible"), ExitCode.REFUSED, ExitCode.REFUSED),
    ],
    ids=["in effect", "as other words", "starts with them", "old", "unknown", "on its way", "deferred", "infeasible"],
)
def test_when_a_pod_has_its_sizes(seen: Json, early: str | ExitCode | None, late: str | ExitCode) -> None:
    for expected, is_late in ((early, False), (late, True)):
        outcome = outcome_of(seen, late=is_late)
        assert (outcome.exit_code if isinstance(outcome, MlscaleError) else outcome) == expected


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with recording_server() as server:
        yield server


def waited(server: RecordingServer) -> tuple[list[str], float]:
    passed = [0.0]
    clock = Clock(lambda: passed[0], lambda seconds: passed.__setitem__(0, passed[0] + seconds))
    found = [str(one) for one in wait_resized(client(server), "default", ["web-1"], clock)]
    return found, passed[0]


def test_it_is_looked_at_until_it_is_there(server: RecordingServer) -> None:
    server.answers[GET] = [Answer(pod(OLD)), Answer(pod(NEW, type="PodResizeInProgress")), Answer(pod(NEW))]
    assert waited(server) == (["web-1"], 2.0)
    assert server.lines.count(GET) == 3


@pytest.mark.parametrize(
    ("answer", "said", "seconds"),
    [
        (Answer(pod(None)), "pod/web-1 asks for its new sizes, but its node has not put them into effect", PATIENCE),
        (Answer(deferred()), "pod/web-1 keeps its sizes for now (Deferred): no room: cpu; it follows", PATIENCE),
        (status(404, 'pods "web-1" not found', "NotFound"), "pod/web-1 has gone before it had", 0.0),
        (status(403, "pods is forbidden", "Forbidden"), "forbidden", 0.0),
    ],
    ids=["a kubelet that does nothing", "no room", "gone", "not allowed"],
)
def test_what_did_not_come_is_no_success(server: RecordingServer, answer: Answer, said: str, seconds: float) -> None:
    server.answers[GET] = answer
    (found,), passed = waited(server)
    assert said in found
    assert passed == seconds
