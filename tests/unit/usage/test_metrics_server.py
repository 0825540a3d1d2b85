"""metrics-server watched for a while."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from mlscale.errors import ExitCode, MlscaleError, NotEnoughDataError
from mlscale.kube.kinds import DEPLOYMENT
from mlscale.kube.targets import Target
from mlscale.usage.metrics_server import observe
from mlscale.usage.model import History
from mlscale.usage.workloads import Resources, Workload
from tests.clients import client
from tests.recording_server import NO_ANSWER, Answer, recording_server, status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlscale.usage.model import Series
    from tests.recording_server import Canned, RecordingServer

Json = dict[str, Any]
START = datetime(2026, 11, 1, tzinfo=UTC)
METRICS = "GET /apis/metrics.k8s.io/v1beta1/namespaces/shop/pods"
PODS = "GET /api/v1/namespaces/shop/pods"
REPLICASETS = "GET /apis/apps/v1/namespaces/shop/replicasets"
WEB = Workload(Target(DEPLOYMENT, "shop", "web"), {"server": Resources(1.0, None, 2.0, None)})
CACHE = Workload(Target(DEPLOYMENT, "shop", "cache"), {"server": Resources()})


@dataclass
class FakeClock:
    """Time that passes by sleeping only."""

    passed: float = 0.0
    slept: list[float] = field(default_factory=list)

    def now(self) -> float:
        return self.passed

    def sleep(self, seconds: float, /) -> None:
        self.slept.append(seconds)
        self.passed += seconds


def moment(seconds: float) -> str:
    return (START + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")


def measured(pod: str, at: float, cpu: str, memory: str = "100Mi", container: str = "server") -> Json:
    usage = {"cpu": cpu, "memory": memory}
    return {
        "metadata": {"name": pod, "namespace": "shop"},
        "timestamp": moment(at),
        "window": "15s",
        "containers": [{"name": container, "usage": usage}],
    }


def owned(name: str, kind: str, owner: str, **more: Any) -> Json:
    return {"metadata": {"name": name, "ownerReferences": [{"kind": kind, "name": owner, "controller": True}]}, **more}


def pod(name: str, owner: str, *, restarts: int = 0, request: str = "500m", last: Json | None = None) -> Json:
    spec = {"containers": [{"name": "server", "resources": {"requests": {"cpu": request, "memory": "1Gi"}}}]}
    state = {"name": "server", "restartCount": restarts, "lastState": {"terminated": last} if last else {}}
    return owned(name, "ReplicaSet", owner, spec=spec, status={"containerStatuses": [state]})


def listed(*items: Json) -> Answer:
    return Answer({"items": list(items)})


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with recording_server() as server:
        server.answers[PODS] = listed(pod("web-1", "web-5d"), pod("web-2", "web-5d"), pod("odd", "cache-77"))
        server.answers[REPLICASETS] = listed(
            owned("web-5d", "Deployment", "web"), owned("cache-77", "Deployment", "cache")
        )
        yield server


def watched(
    server: RecordingServer, answers: Canned, *workloads: Workload, seconds: float = 60, clock: FakeClock | None = None
) -> list[History | MlscaleError]:
    server.answers[METRICS] = answers
    found = observe(
        client(server, wall=lambda: START),
        ["shop"],
        seconds,
        lambda _done, _total: None,
        clock or FakeClock(),
    ).histories("shop", workloads or (WEB,))
    return [found[workload.target] for workload in workloads or (WEB,)]


def only(found: list[History | MlscaleError]) -> History:
    (history,) = found
    assert isinstance(history, History)
    return history


def pairs(series: Series | None) -> list[tuple[float, float]]:
    assert series is not None
    return [
        (time - START.timestamp(), round(value, 9))
        for time, value in zip(series.times.tolist(), series.values, strict=True)
    ]


def test_each_scrape_counts_once_and_pods_add_up(server: RecordingServer) -> None:
    looks = [0, 0, 15, 30, 30, 45, 60]
    answers: list[Answer] = [listed(measured("web-1", at, "250m"), measured("web-2", at, "1")) for at in looks]

    history = only(watched(server, answers))

    assert pairs(history.cpu) == [(at, 1.25) for at in (0, 15, 30, 45, 60)]
    assert pairs(history.pods) == [(at, 2) for at in (0, 15, 30, 45, 60)]
    assert history.step == 15
    assert history.source == "metrics-server, watched for 1 min"
    server_use = history.containers["server"]
    assert pairs(server_use.cpu)[0] == (0, 1.0)
    assert pairs(server_use.memory)[0] == (0, 100 * 2**20)
    assert (server_use.cpu_limit, server_use.memory_limit) == (2.0, None)


def test_one_request_a_look_however_many_workloads(server: RecordingServer) -> None:
    clock = FakeClock()
    answers = [listed(measured("web-1", at, "1"), measured("odd", at, "3")) for at in (0, 15, 30, 45)]

    web, cache = watched(server, list(answers), WEB, CACHE, seconds=25, clock=clock)

    assert server.lines.count(METRICS) == 4
    assert sorted(server.lines) == sorted([PODS, REPLICASETS] * 2 + [METRICS] * 4)
    assert clock.slept == [10, 10, 5]
    assert isinstance(web, History)
    assert isinstance(cache, History)
    assert pairs(web.cpu)[0] == (0, 1)
    # Its pod does not bear its name: the owner tells.
    assert pairs(cache.cpu)[0] == (0, 3)


def test_progress_goes_to_the_end(server: RecordingServer) -> None:
    told: list[tuple[float, float]] = []
    server.answers[METRICS] = listed(measured("web-1", 0, "1"))

    observe(client(server), ["shop"], 25, lambda done, total: told.append((done, total)), FakeClock())

    assert told == [(0, 25), (10, 25), (20, 25), (25, 25)]


def test_a_pod_that_is_gone_at_the_end_and_one_that_comes(server: RecordingServer) -> None:
    server.answers[PODS] = [listed(pod("web-1", "web-5d")), listed(pod("web-2", "web-5d"))]
    answers = [
        listed(measured("web-1", 0, "1")),
        listed(measured("web-1", 15, "1")),
        listed(measured("web-2", 30, "2")),
        listed(measured("web-2", 45, "2")),
    ]

    assert pairs(only(watched(server, answers, seconds=30)).cpu) == [(0, 1), (15, 1), (30, 2), (45, 2)]


def test_pods_are_told_by_their_names_where_they_may_not_be_listed(server: RecordingServer) -> None:
    server.answers[PODS] = server.answers[REPLICASETS] = status(403, "no", "Forbidden")
    names = ("web-5d-bcdfg", "webs-5d-bcdfg")
    answers = [listed(*(measured(name, at, "1") for name in names)) for at in (0, 15)]

    history = only(watched(server, list(answers), seconds=10))

    assert pairs(history.pods) == [(0, 1), (15, 1)]
    assert pairs(history.containers["server"].cpu_request) == [(0, 1.0)]


def test_requests_are_those_of_the_pods_that_run(server: RecordingServer) -> None:
    answers = [listed(measured("web-1", at, "1")) for at in (0, 15)]

    use = only(watched(server, list(answers), seconds=10)).containers["server"]

    # The template says 1 core; what admission, or a VPA, made of it counts.
    assert pairs(use.cpu_request) == [(0, 0.5)]
    assert pairs(use.memory_request) == [(0, 2.0**30)]


def test_several_namespaces_are_watched_at_once(server: RecordingServer) -> None:
    """Pods of the same name in two namespaces are two pods; those of a third are nobody's."""
    everywhere = "GET /apis/metrics.k8s.io/v1beta1/pods"
    bank = Workload(Target(DEPLOYMENT, "bank", "web"), {"server": Resources()})
    for kind, items in ((PODS, [pod("web-1", "web-9f")]), (REPLICASETS, [owned("web-9f", "Deployment", "web")])):
        server.answers[kind.replace("/shop/", "/bank/")] = listed(*items)
    looks: Canned = [
        listed(
            measured("web-1", at, "1"),
            *({**measured("web-1", at, cpu), "metadata": {"name": "web-1", "namespace": name}} for name, cpu in other),
        )
        for at in (0, 15)
        for other in [(("bank", "2"), ("zoo", "7"))]
    ]
    server.answers[everywhere] = looks
    told: list[float] = []

    found = observe(client(server), ["bank", "shop"], 10, lambda done, _total: told.append(done), FakeClock())

    assert pairs(only([found.histories("shop", [WEB])[WEB.target]]).cpu) == [(0, 1), (15, 1)]
    assert pairs(only([found.histories("bank", [bank])[bank.target]]).cpu) == [(0, 2), (15, 2)]
    assert server.lines.count(everywhere) == len(told) == 2
    assert METRICS not in server.lines


RECENT, OLD = moment(-3600), moment(-2 * 86400)


@pytest.mark.parametrize(
    ("last", "kills"),
    [
        ({"reason": "OOMKilled", "finishedAt": RECENT}, 1),
        ({"reason": "OOMKilled", "finishedAt": OLD}, 0),
        ({"reason": "Error", "finishedAt": RECENT}, 0),
        (None, 0),
    ],
    ids=["an hour ago", "two days ago", "another end", "never"],
)
def test_kills_for_memory_that_pods_remember(server: RecordingServer, last: Json | None, kills: float) -> None:
    server.answers[PODS] = [
        listed(pod("web-1", "web-5d", restarts=3)),
        listed(pod("web-1", "web-5d", restarts=4, last=last), pod("web-2", "web-5d", restarts=2)),
    ]
    answers = [listed(measured("web-1", at, "1"), measured("web-2", at, "1")) for at in (0, 15)]

    use = only(watched(server, list(answers), seconds=10)).containers["server"]

    assert use.oom_kills == kills
    assert use.restarts == 1 + 2


def test_a_look_that_fails_is_left_out(server: RecordingServer) -> None:
    answers = [listed(measured("web-1", 0, "1")), status(500, "etcd"), listed(measured("web-1", 15, "2"))]

    assert pairs(only(watched(server, answers, seconds=20)).cpu) == [(0, 1), (15, 2)]


@pytest.mark.parametrize(
    ("answer", "said", "code"),
    [
        (status(404, "not found", "NotFound"), "no resource metrics API (metrics.k8s.io); install", ExitCode.NOT_FOUND),
        (status(503, "service unavailable"), "does not answer: service unavailable; check the pods", ExitCode.ERROR),
        (status(403, 'pods.metrics.k8s.io is forbidden: "x"', "Forbidden"), "is forbidden", ExitCode.NOT_ALLOWED),
        (NO_ANSWER, "", ExitCode.ERROR),
        (Answer(b"<html>"), "not a JSON object", ExitCode.ERROR),
    ],
    ids=["404", "503", "403", "closed", "html"],
)
def test_a_first_look_that_fails_ends_it(server: RecordingServer, answer: Answer, said: str, code: ExitCode) -> None:
    clock = FakeClock()

    with pytest.raises(MlscaleError) as raised:
        watched(server, answer, clock=clock)

    assert said in str(raised.value)
    assert raised.value.exit_code == code
    assert not clock.slept


def test_pods_that_were_never_measured(server: RecordingServer) -> None:
    (error,) = watched(server, [listed(), status(500, "etcd is down")], seconds=10)

    assert isinstance(error, NotEnoughDataError)
    assert "measured no pod of it: the last look failed: etcd is down" in error.message


def test_pods_that_were_measured_once(server: RecordingServer) -> None:
    (error,) = watched(server, listed(measured("web-1", 0, "1")), seconds=10)

    assert isinstance(error, NotEnoughDataError)
    assert "measured its pods only once" in error.message


@pytest.mark.parametrize("time", [None, "soon", 5])
def test_a_measure_without_a_time_is_left_out(server: RecordingServer, time: object) -> None:
    odd = {**measured("web-2", 0, "9"), "timestamp": time}
    answers = [listed(measured("web-1", at, "1"), odd) for at in (0, 15)]

    assert pairs(only(watched(server, list(answers), seconds=10)).cpu) == [(0, 1), (15, 1)]


def test_a_measure_that_is_no_quantity_is_an_error(server: RecordingServer) -> None:
    with pytest.raises(MlscaleError, match="'lots' is not a Kubernetes quantity"):
        watched(server, listed(measured("web-1", 0, "lots")))
