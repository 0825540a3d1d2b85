"""Histories of whole namespaces from a Prometheus of the test's own."""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING

import numpy as np
import pytest

from mlscale.errors import MlscaleError, NotAllowedError, NotEnoughDataError
from mlscale.kube.kinds import DEPLOYMENT, STATEFULSET, Kind
from mlscale.kube.targets import Target
from mlscale.usage.model import History
from mlscale.usage.prometheus import read_histories, server_time
from mlscale.usage.prometheus_api import QuestionError, TooMuchError
from mlscale.usage.prometheus_reading import PARALLEL
from mlscale.usage.workloads import Resources, Workload
from tests.recording_server import Answer, RecordingServer, Request, recording_server
from tests.unit.usage.prometheus_server import INSTANT, RANGE, Known, failure, prometheus, success

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.unit.usage.prometheus_server import ValueAt

HOUR = 3600.0
START = 1_700_000_000 // 3600 * HOUR
END = START + 6 * HOUR
MIB = 2.0**20
CPU = "rate(container_cpu_usage_seconds_total"
MEMORY = "max_over_time(container_memory_working_set_bytes"
REQUESTS = 'last_over_time({__name__=~"kube_pod_container_resource_requests'
SCRAPES, CONTAINERS = "max(count_over_time(", "count(max by (pod, container)"
LOOKS = 6
"""Questions about the scrapes and the containers, before any other."""


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with recording_server() as running:
        yield running


def workload(name: str, kind: Kind = DEPLOYMENT) -> Workload:
    return Workload(Target(kind, "shop", name), {"app": Resources(0.5, 256 * MIB, 1.0, 512 * MIB)})


WEB = workload("web")
DB = workload("db", STATEFULSET)


def labels(pod: str, container: str = "app", **more: str) -> dict[str, str]:
    return {"pod": pod, "container": container, **more}


def constant(value: float, since: float = START, until: float = END) -> ValueAt:
    return lambda time: value if since <= time <= until else None


def shop() -> Known:
    """Two pods of deployment web, one of them for the last 2 hours only; one pod of statefulset db; 30 s apart."""
    late = END - 2 * HOUR
    return Known(
        ranges={
            CPU: [
                (labels("web-6d4-bcdfg", job="kubelet"), constant(0.25)),
                (labels("web-6d4-hjklm", job="kubelet"), constant(0.5, since=late)),
                (labels("db-0", job="kubelet"), constant(2)),
            ],
            MEMORY: [
                (labels("web-6d4-bcdfg"), constant(100 * MIB)),
                (labels("web-6d4-hjklm"), constant(300 * MIB, since=late)),
                (labels("db-0"), constant(50 * MIB)),
            ],
            REQUESTS: [
                (labels("web-6d4-bcdfg", resource="cpu"), constant(0.4)),
                (labels("web-6d4-hjklm", resource="cpu"), constant(0.6, since=late)),
                (labels("web-6d4-bcdfg", resource="memory"), constant(128 * MIB)),
            ],
            "max by (pod, container) (rate(container_cpu_cfs_throttled": [(labels("web-6d4-bcdfg"), constant(0.1))],
        },
        instants={
            SCRAPES: [({}, 60)],
            CONTAINERS: [({}, 3)],
            "max by (pod, owner_kind": [
                ({"pod": "web-6d4-bcdfg", "owner_kind": "ReplicaSet", "owner_name": "web-6d4"}, 1),
                ({"pod": "web-6d4-hjklm", "owner_kind": "ReplicaSet", "owner_name": "web-6d4"}, 1),
                ({"pod": "db-0", "owner_kind": "StatefulSet", "owner_name": "db"}, 1),
            ],
            "max by (replicaset": [
                ({"replicaset": "web-6d4", "owner_kind": "Deployment", "owner_name": "web"}, 1),
            ],
            "max by (pod, container) (changes(kube_pod_container_status_restarts": [
                (labels("web-6d4-bcdfg"), 2),
                (labels("web-6d4-hjklm"), 1),
            ],
            "max by (pod, container) (max_over_time(kube_pod_container_status_last": [(labels("web-6d4-bcdfg"), 1)],
        },
    )


def read(
    server: RecordingServer, known: Known, *workloads: Workload, start: float = START, end: float = END
) -> dict[str, History | MlscaleError]:
    known.serve(server)
    found = read_histories(prometheus(server), workloads, start, end, lambda *_: None)
    return {target.name: history for target, history in found}


def history_of(found: History | MlscaleError) -> History:
    assert isinstance(found, History)
    return found


def test_the_history_of_a_workload(server: RecordingServer) -> None:
    web = history_of(read(server, shop(), WEB, DB)["web"])
    assert (web.source, web.step, web.span, web.gaps) == ("Prometheus at URL", 60, 6 * HOUR, ())
    assert web.cpu.times[[0, -1]].tolist() == [START, END]
    # 0.25 of one pod, and 0.75 of two of them in the last 2 hours, 121 samples with both ends.
    assert np.unique(web.cpu.values, return_counts=True)[1].tolist() == [240, 121]
    assert web.cpu.values[[0, -1]].tolist() == [0.25, 0.75]
    assert web.pods.values[[0, -1]].tolist() == [1, 2]
    app = web.containers["app"]
    assert app.cpu.values[[0, -1]].tolist() == [0.25, 0.5]
    assert app.memory.values[[0, -1]].tolist() == [100 * MIB, 300 * MIB]
    assert app.throttled is not None
    assert app.throttled.values[0] == pytest.approx(0.1)
    assert (app.restarts, app.oom_kills) == (3, 1)
    assert (app.cpu_limit, app.memory_limit) == (1.0, 512 * MIB)


def test_requests_are_those_of_the_time(server: RecordingServer) -> None:
    app = history_of(read(server, shop(), WEB)["web"]).containers["app"]
    assert app.cpu_request is not None
    # 0.4 of one pod, then the mean of 0.4 and 0.6; the template's 0.5 of now would be wrong before.
    assert app.cpu_request.values.tolist() == pytest.approx([0.4, 0.5])
    assert app.memory_request is not None
    assert app.memory_request.values.tolist() == [128 * MIB]


def test_the_number_of_questions_does_not_grow_with_workloads(server: RecordingServer) -> None:
    read(server, shop(), WEB)
    one = len(server.requests)
    server.requests.clear()
    read(server, shop(), WEB, DB, *(workload(f"w{i}") for i in range(50)))
    assert len(server.requests) == one == LOOKS + 10


def test_the_rate_window_follows_the_scrape_interval(server: RecordingServer) -> None:
    known = shop()
    known.instants[SCRAPES] = [({}, 30)]
    read(server, known, WEB)
    rates = [request.query for request in server.requests if request.query["query"].startswith(CPU)]
    assert [(query["query"][-6:], query["step"]) for query in rates] == [("240s])", "120")]


def test_a_container_that_two_jobs_scrape_counts_once(server: RecordingServer) -> None:
    known = shop()
    known.ranges[CPU].append((labels("web-6d4-bcdfg", job="annotations"), constant(0.25)))
    assert history_of(read(server, known, WEB)["web"]).cpu.values[0] == 0.25


def test_without_kube_state_metrics_pods_go_by_their_names(server: RecordingServer) -> None:
    known = shop()
    known.instants = {text: known.instants[text] for text in (SCRAPES, CONTAINERS)}
    del known.ranges[REQUESTS]
    found = read(server, known, WEB, DB)
    assert history_of(found["web"]).pods.values[-1] == 2
    assert history_of(found["db"]).cpu.values[0] == 2
    request = history_of(found["web"]).containers["app"].cpu_request
    assert request is not None
    assert request.values.tolist() == [0.5]  # what the template says now


def test_a_workload_without_samples_is_told_apart(server: RecordingServer) -> None:
    found = read(server, shop(), WEB, workload("idle"))
    assert isinstance(found["web"], History)
    assert isinstance(found["idle"], NotEnoughDataError)
    assert str(found["idle"]) == (
        "Prometheus at URL has no CPU use of deployment.apps/idle in namespace 'shop' in the last 6h; "
        "check that it scrapes the kubelets' cAdvisor, with labels namespace, pod and container"
    )


def test_an_empty_prometheus_is_looked_at_and_no_more(server: RecordingServer) -> None:
    found = read(server, Known(), WEB, DB)
    assert {type(history) for history in found.values()} == {NotEnoughDataError}
    assert server.lines == [*[INSTANT] * LOOKS, RANGE, RANGE]


def test_what_ran_between_the_looks_is_found(server: RecordingServer) -> None:
    known = shop()
    del known.instants[SCRAPES], known.instants[CONTAINERS]
    night = (END - 2 * HOUR, END - HOUR)
    known.ranges |= {SCRAPES: [({}, constant(60, *night))], CONTAINERS: [({}, constant(3, *night))]}
    # By its counts the interval is 30 s; an unknown one would be taken for 60 s, and the step for 120 s.
    assert history_of(read(server, known, WEB)["web"]).step == 60


def test_a_time_when_prometheus_was_down_is_a_gap(server: RecordingServer) -> None:
    known = shop()
    known.ranges[CPU] = [
        (labels("db-0"), lambda time: None if START + HOUR < time < START + 2 * HOUR else 2.0),
    ]
    db = history_of(read(server, known, DB)["db"])
    assert db.gaps == ((START + HOUR, START + 2 * HOUR),)
    assert db.cpu.values.tolist() == [2.0] * (361 - 59)


def test_a_long_history_is_asked_in_parts_of_at_most_11000_points(server: RecordingServer) -> None:
    known = shop()
    known.most_points = 40_000
    start = END - 20 * 24 * HOUR
    known.ranges[CPU] = [(labels("db-0"), constant(2, since=start))]
    db = history_of(read(server, known, DB, start=start)["db"])
    parts = [request.query for request in server.requests if request.query["query"].startswith(CPU)]
    spans = sorted((float(query["start"]), float(query["end"])) for query in parts)
    assert spans == [(start, start + 10_999 * 120), (start + 11_000 * 120, END)]
    assert db.cpu.values.tolist() == [2.0] * 14_401


def test_an_answer_that_is_too_much_is_asked_in_halves(server: RecordingServer) -> None:
    known = shop()
    whole = history_of(read(server, known, WEB)["web"])
    known.most_points = 300  # three series of 361 points are 1,083
    asked = len(server.requests)
    server.requests.clear()
    parts = history_of(read(server, known, WEB)["web"])
    np.testing.assert_array_equal(parts.cpu.times, whole.cpu.times)
    np.testing.assert_array_equal(parts.cpu.values, whole.cpu.values)
    assert len(server.requests) > asked


def fleet(pods: int) -> Known:
    """Each pod of its own workload, at 120 s for 7 days."""
    names = [f"w{number:03}-6d4-bcdfg" for number in range(pods)]
    return Known(
        ranges={CPU: [(labels(name), constant(number, since=0)) for number, name in enumerate(names)]},
        instants={SCRAPES: [({}, 60)], CONTAINERS: [({}, pods)]},
        most_points=10**9,
    )


def test_many_pods_are_asked_by_name_over_the_whole_time(server: RecordingServer) -> None:
    known = fleet(60)  # of 5,041 points: 302,460 samples, more than one answer holds
    known.serve(server)
    names = [found["pod"] for found, _ in known.ranges[CPU]]
    server.answers["GET /api/v1/label/pod/values"] = Answer({"status": "success", "data": names})

    def of_pods(request: Request) -> Answer:
        chosen = re.search(r'pod=~"([^"]*)"', request.query["query"])
        some = [one for one in known.ranges[CPU] if chosen and one[0]["pod"] in chosen[1].split("|")]
        return Known(ranges={CPU: some}, most_points=10**9).range(request)

    server.answers[RANGE] = of_pods
    start = END - 7 * 24 * HOUR
    workloads = [workload(f"w{i:03}") for i in range(60)]
    found = dict(read_histories(prometheus(server), workloads, start, END, lambda *_: None))
    assert [history_of(one).cpu.values.tolist() for one in found.values()] == [[i] * 5041 for i in range(60)]
    parts = [request.query for request in server.requests if request.query.get("query", "").startswith(CPU)]
    assert [query["query"].count("|") for query in parts] == [29, 29]
    assert {(float(query["start"]), float(query["end"])) for query in parts} == {(start, END)}


@pytest.mark.parametrize("answer", [failure(404, "no such path"), Answer({"status": "success", "data": ['a"b']}), None])
def test_where_pods_cannot_be_named_the_time_is_cut(server: RecordingServer, answer: Answer | None) -> None:
    known = fleet(60)
    known.serve(server)
    if answer is not None:
        server.answers["GET /api/v1/label/pod/values"] = answer
    start = END - 7 * 24 * HOUR
    found = dict(read_histories(prometheus(server), [workload("w007")], start, END, lambda *_: None))
    assert history_of(found[workload("w007").target]).cpu.values.tolist() == [7] * 5041
    parts = [request.query for request in server.requests if request.query.get("query", "").startswith(CPU)]
    assert len(parts) == 2
    assert not any("pod=~" in query["query"] for query in parts)


def test_counts_over_two_halves_of_the_range_add_up(server: RecordingServer) -> None:
    known = shop()
    known.serve(server)

    def limited(request: Request) -> Answer:
        over_all = "[21600s]" in request.query["query"]
        return failure(422, "the query hit the limit of samples") if over_all else known.instant(request)

    server.answers[INSTANT] = limited
    found = dict(read_histories(prometheus(server), [WEB], START, END, lambda *_: None))
    app = history_of(found[WEB.target]).containers["app"]
    # Each half says 2 and 1: restarts are summed, being killed at all is not.
    assert (app.restarts, app.oom_kills) == (6, 1)
    halves = {(q["time"], q["query"][-8:]) for q in (r.query for r in server.requests) if "10800s" in q["query"]}
    assert {time for time, _ in halves} == {f"{END - 3 * HOUR:.0f}", f"{END:.0f}"}


def test_one_point_that_is_still_too_much_is_an_error(server: RecordingServer) -> None:
    known = shop()
    known.serve(server)
    server.answers[RANGE] = failure(422, "too many samples")
    error = dict(read_histories(prometheus(server), [WEB], START, END, lambda *_: None))[WEB.target]
    assert isinstance(error, TooMuchError)
    assert "cannot answer for so much at once" in str(error)
    # The first question's 361 points halved down to one: a few requests, not one a point.
    assert len(server.requests) <= LOOKS + 6 + PARALLEL * 10


def test_at_most_four_questions_are_under_way(server: RecordingServer) -> None:
    known = shop()
    known.serve(server)
    under_way, most, lock, together = 0, 0, threading.Lock(), threading.Semaphore(0)

    def counting(request: Request) -> Answer:
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
            if under_way == PARALLEL:
                together.release(100)
        together.acquire(timeout=0.2)
        with lock:
            under_way -= 1
        return known.range(request)

    server.answers[RANGE] = counting
    list(read_histories(prometheus(server), [WEB], START, END, lambda *_: None))
    assert most == PARALLEL


def test_progress_counts_to_its_end(server: RecordingServer) -> None:
    known = shop()
    known.serve(server)
    told: list[tuple[int, int]] = []
    list(read_histories(prometheus(server), [WEB], START, END, lambda done, total: told.append((done, total))))
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_a_question_that_is_refused_half_way_is_what_its_workloads_have(server: RecordingServer) -> None:
    known = shop()
    known.serve(server)
    server.answers[RANGE] = lambda request: (
        failure(400, "boom", "bad_data") if request.query["query"].startswith(MEMORY) else known.range(request)
    )
    error = dict(read_histories(prometheus(server), [WEB], START, END, lambda *_: None))[WEB.target]
    assert isinstance(error, QuestionError)
    assert "boom" in str(error)


def test_a_server_that_fails_for_good_is_raised(server: RecordingServer) -> None:
    known = shop()
    known.serve(server)
    server.answers[RANGE] = failure(403, "no", "forbidden")
    with pytest.raises(NotAllowedError):
        list(read_histories(prometheus(server), [WEB], START, END, lambda *_: None))


def test_signals_of_old_and_new_names(server: RecordingServer) -> None:
    known = shop()
    known.instants["count by (__name__)"] = [
        ({"__name__": name}, 1)
        for name in ("vllm:num_requests_waiting", "vllm:kv_cache_usage_perc", "vllm:gpu_cache_usage_perc")
    ]
    known.ranges |= {
        "sum by (pod) (vllm:num_requests_waiting": [
            ({"pod": "web-6d4-bcdfg"}, constant(3)),
            ({"pod": "web-6d4-hjklm"}, constant(4, since=END - HOUR)),
            ({"pod": "db-0"}, constant(100)),  # another workload's
        ],
        "avg by (pod) (vllm:kv_cache_usage_perc": [({"pod": "web-6d4-bcdfg"}, constant(0.5))],
        "avg by (pod) (vllm:gpu_cache_usage_perc": [({"pod": "web-6d4-bcdfg"}, constant(0.9))],
    }
    signals = history_of(read(server, known, WEB)["web"]).signals
    assert sorted(signals) == ["kv_cache_usage", "queue_length"]
    assert signals["queue_length"].values[[0, -1]].tolist() == [3, 7]
    assert set(signals["kv_cache_usage"].values) == {0.5}


def test_a_gpu_exporter_without_honor_labels_is_read_by_exported_pod(server: RecordingServer) -> None:
    known = shop()
    known.serve(server)
    server.answers[INSTANT] = lambda request: (
        success("vector", [{"metric": {"__name__": "DCGM_FI_DEV_GPU_UTIL"}, "value": [0, "1"]}])
        if 'exported_namespace="shop"' in request.query["query"]
        else known.instant(request)
    )
    known.ranges['avg by (exported_pod) (DCGM_FI_DEV_GPU_UTIL{exported_namespace="shop"})'] = [
        ({"exported_pod": "web-6d4-bcdfg"}, constant(80))
    ]
    found = dict(read_histories(prometheus(server), [WEB], START, END, lambda *_: None))
    assert history_of(found[WEB.target]).signals["gpu_utilization"].values[0] == pytest.approx(0.8)


def test_the_servers_clock(server: RecordingServer) -> None:
    server.answers[INSTANT] = success("scalar", [1_700_000_000.25, "1700000000.25"])
    assert server_time(prometheus(server)) == 1_700_000_000.25
    assert server.requests[0].query == {"query": "time()", "timeout": "50s"}
