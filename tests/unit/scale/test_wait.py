"""Waiting: what counts as done, what is said when it does not come, and who changed the replicas meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from mlscale.errors import ChangedMeanwhileError, ExitCode, MlscaleError, WaitTimeoutError
from mlscale.kube.finding import Finding
from mlscale.kube.kinds import STATEFULSET
from mlscale.kube.targets import Target
from mlscale.scale.model import Clock, Progress, ScalePlan
from mlscale.scale.wait import wait_counts, wait_ready
from tests.clients import client
from tests.recording_server import Answer, RecordingServer, recording_server, status
from tests.unit.scale.objects import deployment, hpa, hpas, listing, not_found, path, pod, scale
from tests.unit.scale.waits import CRASHING, NOW, WEB, plan, ready_pods

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.recording_server import Canned

PODS = "GET /api/v1/namespaces/default/pods"


class FakeTime:
    """A clock that moves only when it is slept on."""

    def __init__(self) -> None:
        self.seconds = 100.0
        self.sleeps: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.seconds += seconds

    @property
    def clock(self) -> Clock:
        return Clock(lambda: self.seconds, self.sleep)


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with recording_server() as running:
        yield running


def served(
    server: RecordingServer, scales: list[dict[str, Any]], pods: list[list[dict[str, Any]]], **more: Canned
) -> None:
    """Let the server show these states one after another, and then the last one."""
    server.answers |= {
        f"GET {path('web', 'scale')}": [Answer(item) for item in scales],
        f"GET {path('web')}": Answer(deployment("web", 3)),
        PODS: [listing(*items) for items in pods],
        "GET /api/v1/namespaces/default/events": listing(),
        f"GET {hpas()}": listing(),
        **more,
    }


def waited(server: RecordingServer, after: int, timeout: float = 5) -> tuple[FakeTime, list[Progress]]:
    time, seen = FakeTime(), list[Progress]()
    wait_ready(client(server, wall=lambda: NOW), plan(after), timeout, time.clock, time.seconds, seen.append)
    return time, seen


def test_it_waits_until_the_new_pods_are_ready(server: RecordingServer) -> None:
    served(server, [scale("web", 3)], [ready_pods(1), [*ready_pods(2), pod("web-2", ready=False)], ready_pods(3)])
    time, seen = waited(server, 3)
    assert [(state.ready, state.wanted) for state in seen] == [(1, 3), (2, 3), (3, 3)]
    assert time.sleeps == [0.1, 0.2]
    assert {request.query["labelSelector"] for request in server.requests if "pods" in request.path} == {"app=web"}


def test_it_waits_until_the_old_pods_are_gone(server: RecordingServer) -> None:
    served(server, [scale("web", 1)], [ready_pods(3), [*ready_pods(1), pod("web-2", terminating=True)], ready_pods(1)])
    _, seen = waited(server, 1)
    assert [state.removed for state in seen] == [2, 1, 0]


def test_it_is_done_at_once_where_all_is_as_wanted(server: RecordingServer) -> None:
    served(server, [scale("web", 2)], [ready_pods(2)])
    time, _ = waited(server, 2)
    assert time.sleeps == []


def test_a_timeout_says_what_the_last_look_saw(server: RecordingServer) -> None:
    served(server, [scale("web", 2)], [[*ready_pods(1), pod("web-1", ready=False, **CRASHING)]])
    with pytest.raises(WaitTimeoutError) as caught:
        waited(server, 2, 5)
    message = str(caught.value)
    assert message.startswith("deployment.apps/web was scaled to 2, but after 5 s 1 of 2 pods ready: ")
    assert "CrashLoopBackOff" in message
    assert message.endswith("; the replicas stay as set; mend the cause or scale back")
    assert caught.value.exit_code == ExitCode.TIMED_OUT


def test_a_timeout_looks_for_pods_that_could_not_be_created(server: RecordingServer) -> None:
    # A StatefulSet has no condition that says so.
    events: list[dict[str, Any]] = [
        {"lastTimestamp": "2026-01-01T00:00:01Z", "message": "old"},
        {"lastTimestamp": "2026-01-01T00:00:09Z", "message": "exceeded quota: q"},
        {"lastTimestamp": None, "message": "never"},
    ]
    served(server, [scale("web", 2)], [ready_pods(1)], **{"GET /api/v1/namespaces/default/events": listing(*events)})
    with pytest.raises(WaitTimeoutError, match="1 of 2 pods ready; FailedCreate: exceeded quota: q; the replicas stay"):
        waited(server, 2)
    assert server.requests[-1].query["fieldSelector"] == (
        "involvedObject.kind=Deployment,involvedObject.name=web,reason=FailedCreate"
    )


def test_events_that_are_forbidden_do_not_hide_the_timeout(server: RecordingServer) -> None:
    forbidden = status(403, "events is forbidden", "Forbidden")
    served(server, [scale("web", 2)], [ready_pods(1)], **{"GET /api/v1/namespaces/default/events": forbidden})
    with pytest.raises(WaitTimeoutError, match="1 of 2 pods ready; the replicas stay as set"):
        waited(server, 2)


def test_the_deadline_is_kept_and_the_last_look_is_at_it(server: RecordingServer) -> None:
    served(server, [scale("web", 2)], [ready_pods(1)])
    time = FakeTime()
    with pytest.raises(WaitTimeoutError):
        wait_ready(client(server, wall=lambda: NOW), plan(2), 3, time.clock, time.seconds, lambda _: None)
    assert sum(time.sleeps) == pytest.approx(3)
    assert max(time.sleeps) == 1.0
    assert time.sleeps == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.0, 0.5])


def by_manager(manager: str, subresource: str = "", time: str = "2026-01-01T00:00:00Z") -> dict[str, Any]:
    entry = {"manager": manager, "operation": "Update", "fieldsV1": {"f:spec": {"f:replicas": {}}}}
    return entry | ({"subresource": subresource} if subresource else {"time": time})


CHANGED = [
    ([], [], "someone else"),
    ([by_manager("kubectl", "scale")], [], "kubectl (subresource scale)"),
    ([by_manager("argocd-controller")], [], "argocd-controller"),
    # The HPA's own writes go by the name of the controller that runs it, or by none after a scale through 0.
    ([by_manager("kube-controller-manager", "scale")], [hpa("web-hpa", "web")], "HPA web-hpa"),
    ([], [hpa("web-hpa", "web")], "HPA web-hpa"),
    ([by_manager("kubectl", "scale")], [hpa("web-hpa", "web")], "kubectl (subresource scale)"),
    ([by_manager("evil\x1b[31m")], [], "evil\\x1b[31m"),
]


@pytest.mark.parametrize(("managed", "governing", "who"), CHANGED)
def test_who_changed_the_replicas_meanwhile(
    server: RecordingServer, managed: list[dict[str, Any]], governing: list[dict[str, Any]], who: str
) -> None:
    served(
        server,
        [scale("web", 8), scale("web", 5)],
        [ready_pods(1)],
        **{
            f"GET {path('web')}": Answer(deployment("web", 5, managedFields=managed)),
            f"GET {hpas()}": listing(*governing),
        },
    )
    with pytest.raises(ChangedMeanwhileError) as caught:
        waited(server, 8)
    assert caught.value.exit_code == ExitCode.CHANGED_MEANWHILE
    assert caught.value.message == f"deployment.apps/web was scaled to 8, then {who} set it to 5"


def test_who_it_was_is_told_without_the_hpas_too(server: RecordingServer) -> None:
    served(server, [scale("web", 0)], [[]], **{f"GET {hpas()}": status(403, "forbidden", "Forbidden")})
    with pytest.raises(ChangedMeanwhileError, match="then someone else set it to 0"):
        waited(server, 8)


@pytest.mark.parametrize("gone", [path("web"), path("web", "scale")])
def test_an_object_that_goes_away_ends_the_wait(server: RecordingServer, gone: str) -> None:
    served(server, [scale("web", 2)], [ready_pods(1)])
    found = server.answers[f"GET {gone}"]
    first = found[0] if isinstance(found, list) else found
    assert isinstance(first, Answer)
    server.answers[f"GET {gone}"] = [first, not_found("deployments.apps", "web")]
    with pytest.raises(MlscaleError, match=r'deployments\.apps "web" not found') as caught:
        waited(server, 2)
    assert caught.value.exit_code == ExitCode.NOT_FOUND


def test_a_custom_resource_without_a_selector_is_waited_for_by_its_count(server: RecordingServer) -> None:
    served(server, [scale("web", 3, counted, selector="") for counted in (1, 2, 3)], [])
    _, seen = waited(server, 3)
    assert [state.ready for state in seen] == [1, 2, 3]
    assert PODS not in server.lines


# What `kubectl scale --timeout` waits for: the counts alone.
COUNTS = [
    ([scale("web", 3, 1), scale("web", 3, 3)], [0.1]),
    ([scale("web", 3, 3)], []),
    ([scale("web", 0, 1), scale("web", 0, 0)], [0.1]),
    # Someone else set another number: kubectl takes that for done.
    ([scale("web", 3, 1), scale("web", 5, 1)], [0.1]),
]


@pytest.mark.parametrize(("scales", "sleeps"), COUNTS)
def test_counts(server: RecordingServer, scales: list[dict[str, Any]], sleeps: list[float]) -> None:
    time = FakeTime()
    served(server, scales, [])
    wait_counts(
        client(server, wall=lambda: NOW), plan(int(scales[0]["spec"].get("replicas", 0))), 20, time.clock, time.seconds
    )
    assert time.sleeps == sleeps
    assert set(server.lines) == {f"GET {path('web', 'scale')}"}


def test_counts_that_do_not_come_time_out(server: RecordingServer) -> None:
    served(server, [scale("web", 5, 2)], [])
    with pytest.raises(
        WaitTimeoutError, match="was scaled, but timed out after 2 s: 2 of 5 pods exist; --wait says why"
    ):
        wait_counts(client(server, wall=lambda: NOW), plan(5), 2, FakeTime().clock, 100.0)


def test_a_slow_server_is_looked_at_less_often(server: RecordingServer) -> None:
    time = FakeTime()

    def slow(_: object) -> Answer:
        time.seconds += 0.5
        return Answer(scale("web", 5, 2))

    served(server, [], [], **{f"GET {path('web', 'scale')}": slow})
    with pytest.raises(WaitTimeoutError):
        wait_counts(client(server, wall=lambda: NOW), plan(5), 10, time.clock, time.seconds)
    # A look of half a second is followed by four times as long a rest.
    assert time.sleeps[0] == pytest.approx(2)


def test_the_kind_is_the_target_s(server: RecordingServer) -> None:
    db = Target(STATEFULSET, "default", "db")
    place = "/apis/apps/v1/namespaces/default/statefulsets/db"
    server.answers |= {
        f"GET {place}/scale": Answer(scale("db", 1)),
        f"GET {place}": Answer({"metadata": {}}),
        PODS: listing(pod("db-0")),
    }
    wait_ready(client(server, wall=lambda: NOW), ScalePlan(db, 0, 1), 5, FakeTime().clock, 100.0, lambda _: None)
    assert sorted(server.lines) == sorted([f"GET {place}/scale", f"GET {place}", PODS])


def test_a_server_that_is_away_for_a_while_does_not_end_the_wait(server: RecordingServer) -> None:
    # As while it is updated; a wait that ended here would call a rollout failed that goes well.
    away = status(503, "shutting down", "ServiceUnavailable")
    served(server, [], [ready_pods(2)], **{f"GET {path('web', 'scale')}": [away, Answer(scale("web", 2))]})
    time, _ = waited(server, 2)
    assert time.sleeps == [0.1]


def test_a_server_that_stays_away_is_said_at_the_deadline(server: RecordingServer) -> None:
    gone = status(500, "etcd is gone", "InternalError")
    served(server, [], [ready_pods(1)], **{f"GET {path('web', 'scale')}": gone})
    with pytest.raises(WaitTimeoutError, match="after 5 s the last look failed: etcd is gone"):
        waited(server, 2)


def test_credentials_that_expire_end_the_wait_at_once(server: RecordingServer) -> None:
    expired = status(401, "Unauthorized", "Unauthorized")
    served(server, [], [ready_pods(1)], **{f"GET {path('web', 'scale')}": expired})
    with pytest.raises(MlscaleError) as caught:
        waited(server, 2)
    assert caught.value.exit_code == ExitCode.NOT_ALLOWED


def test_the_time_counts_from_the_write(server: RecordingServer) -> None:
    # The 17th target of a command is looked at later than the first, and must not wait longer for that.
    served(server, [scale("web", 2)], [ready_pods(1)])
    time = FakeTime()
    with pytest.raises(WaitTimeoutError):
        wait_ready(client(server, wall=lambda: NOW), plan(2), 3, time.clock, time.seconds - 3, lambda _: None)
    assert time.sleeps == []


def out_of_range(after: int) -> ScalePlan:
    finding = Finding("warning", "AboveHPAMax", "it will bring the replicas back to 2", WEB.printed)
    return ScalePlan(WEB, 1, after, (finding,))


def test_replicas_that_an_hpa_takes_back_are_no_success(server: RecordingServer) -> None:
    # All three are Ready at once; the HPA, whose maximum is 2, comes only 15 s later.
    governed = {f"GET {hpas()}": listing(hpa("web-hpa", "web", 1, 2))}
    served(server, [scale("web", 3)] * 8 + [scale("web", 2)], [ready_pods(3)], **governed)
    time = FakeTime()
    with pytest.raises(ChangedMeanwhileError, match="scaled to 3, then HPA web-hpa set it to 2"):
        wait_ready(client(server, wall=lambda: NOW), out_of_range(3), 60, time.clock, time.seconds, lambda _: None)


@pytest.mark.parametrize(("timeout", "waits"), [(60, 20), (5, 5)])
def test_replicas_that_stay_past_the_hpa_s_turn_are_one(server: RecordingServer, timeout: float, waits: float) -> None:
    served(server, [scale("web", 3)], [ready_pods(3)])
    time = FakeTime()
    asking = client(server, wall=lambda: NOW)
    wait_ready(asking, out_of_range(3), timeout, time.clock, time.seconds, lambda _: None)
    assert waits <= time.seconds - 100 <= waits + 1
