"""Many namespaces asked together: how often, in which texts, and that what one of them does is its own affair."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlscale.errors import MlscaleError, NotEnoughDataError
from mlscale.kube.kinds import DEPLOYMENT
from mlscale.kube.targets import Target
from mlscale.usage.model import History
from mlscale.usage.prometheus import read_histories, server_time
from mlscale.usage.prometheus_api import QuestionError
from mlscale.usage.queries import query_text
from mlscale.usage.rates import plan_namespaces
from mlscale.usage.workloads import Resources, Workload
from tests.recording_server import Answer, RecordingServer, Request, recording_server
from tests.unit.usage.prometheus_server import INSTANT, RANGE, failure, prometheus, success

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

Json = dict[str, Any]

HOUR = 3600.0
START = 1_700_000_000 // 3600 * HOUR
WEEK = START + 7 * 24 * HOUR
KRR_QUERIES, KRR_QUERIES_A_WORKLOAD = 6, 7
"""What robusta-dev/krr asks for requests alone."""


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with recording_server() as running:
        yield running


def workload(namespace: str, name: str = "web") -> Workload:
    return Workload(Target(DEPLOYMENT, namespace, name), {"app": Resources(cpu_request=0.5)})


class Namespaces:
    """A Prometheus that answers for each namespace of a query by itself, with the labels that the query keeps."""

    def __init__(self, pods: Mapping[str, int], *, scrapes: Mapping[str, int] | None = None) -> None:
        self.pods = pods
        self.scrapes = scrapes or {}
        self.refuses: Callable[[list[str], str], Answer | None] = lambda _namespaces, _text: None
        """Instead of an answer for these namespaces."""

    def serve(self, server: RecordingServer) -> None:
        server.answers[INSTANT], server.answers[RANGE] = self._instant, self._range
        server.answers["GET /api/v1/label/pod/values"] = self._pods

    def _instant(self, request: Request) -> Answer:
        text = request.query["query"]
        if text == "time()":
            return success("scalar", [WEEK, str(WEEK)])
        namespaces, several = asked_about(text)
        result: list[Json] = []
        for name in namespaces:
            for labels, value in self._values(name, text):
                where: dict[str, str] = {self._label(text): name} if several else {}
                result.append({"metric": {**labels, **where}, "value": [0, str(value)]})
        return self.refuses(namespaces, text) or success("vector", result)

    def _values(self, name: str, text: str) -> list[tuple[dict[str, str], float]]:
        pods = self.pods.get(name, 0)
        if text.startswith("max") and "count_over_time" in text:
            return [({}, self.scrapes.get(name, 60))] if pods else []
        if text.startswith("count") and "container_cpu" in text:
            return [({}, pods)] if pods else []
        if "kube_pod_owner" in text:
            return [({"pod": pod, "owner_kind": "ReplicaSet", "owner_name": "rs"}, 1) for pod in pod_names(name, pods)]
        if "kube_replicaset_owner" in text:
            return [({"replicaset": "rs", "owner_kind": "Deployment", "owner_name": "web"}, 1)] if pods else []
        if "restarts_total" in text:
            return [({"pod": pod, "container": "app"}, len(name)) for pod in pod_names(name, pods)]
        return self._signals(name, text)

    def _signals(self, name: str, text: str) -> list[tuple[dict[str, str], float]]:
        exported = "exported_namespace" in text
        if "count by" in text and name.startswith("outside" if exported else "gpu"):
            return [({"__name__": "DCGM_FI_DEV_GPU_UTIL"}, 1)]
        return []

    def _range(self, request: Request) -> Answer:
        text = request.query["query"]
        start, end, step = (float(request.query[name]) for name in ("start", "end", "step"))
        times = [start + i * step for i in range(round((end - start) / step) + 1)]
        namespaces, several = asked_about(text)
        chosen = re.search(r'pod=~"([^"]*)"', text)
        result: list[Json] = []
        for name in namespaces:
            pods = chosen[1].split("|") if chosen else pod_names(name, self.pods.get(name, 0))
            where: dict[str, str] = {self._label(text): name} if several or text.startswith("rate(") else {}
            for pod in pods if text.startswith(("rate(", "max_over_time(")) or "DCGM" in text else []:
                label = "exported_pod" if "exported_pod" in text else "pod"
                value = f"{cores(name)}" if text.startswith("rate(") else "50"
                values = [[time, value] for time in times]
                result.append({"metric": {label: pod, "container": "app", **where}, "values": values})
        refusal = self.refuses(namespaces, text)
        return refusal or success("matrix", result)

    def _pods(self, request: Request) -> Answer:
        (name,), _ = asked_about(request.query["match[]"])
        return Answer({"status": "success", "data": pod_names(name, self.pods[name])})

    @staticmethod
    def _label(text: str) -> str:
        return "exported_namespace" if "exported_namespace" in text else "namespace"


def asked_about(text: str) -> tuple[list[str], bool]:
    """The namespaces that a query is about, and whether it is in the form for several."""
    found = set(re.findall(r'namespace(=~?)"([^"]*)"', text))
    ((operator, names),) = found
    return (names.split("|"), True) if operator == "=~" else ([names], False)


def pod_names(namespace: str, pods: int) -> list[str]:
    # The same in every namespace: only the label tells them apart.
    return [f"web-6d4-{number:05}" for number in range(pods)]


def cores(namespace: str) -> float:
    return float(sum(namespace.encode()) % 97 + 1)


def read(
    server: RecordingServer, known: Namespaces, *workloads: Workload, start: float = START, end: float = WEEK
) -> dict[Target, History | MlscaleError]:
    known.serve(server)
    found = list(read_histories(prometheus(server), workloads, start, end, lambda *_: None))
    assert len(found) == len(workloads)
    return dict(found)


def queries(server: RecordingServer) -> list[str]:
    return [request.query.get("query", "") for request in server.requests]


def test_a_hundred_namespaces_take_at_most_a_tenth_of_krrs_queries(server: RecordingServer) -> None:
    workloads = [workload(f"team-{number:03}") for number in range(100)]
    known = Namespaces({each.target.namespace: 1 for each in workloads})
    known.serve(server)
    source = prometheus(server)
    end = server_time(source)
    found = dict(read_histories(source, workloads, end - 7 * 24 * HOUR, end, lambda *_: None))
    for target, one in found.items():
        assert isinstance(one, History)
        assert set(one.cpu.values) == {cores(target.namespace)}, "each has what is its own"
    assert len(server.requests) <= 0.1 * (KRR_QUERIES + 100 * KRR_QUERIES_A_WORKLOAD)


def test_one_namespace_is_asked_as_ever(server: RecordingServer) -> None:
    read(server, Namespaces({"shop": 3}), *(workload("shop", f"w{number}") for number in range(100)), end=START + HOUR)
    assert len(server.requests) == 16
    assert all('namespace="shop"' in text and "by (namespace" not in text for text in queries(server))


def test_a_history_does_not_depend_on_what_else_is_read(server: RecordingServer) -> None:
    """Two namespaces of other scrape intervals are read at other steps, as each would be alone."""
    known = Namespaces({"fast": 2, "slow": 1, "idle": 0, "slow-too": 3}, scrapes={"fast": 120})
    end = START + 6 * HOUR
    together = read(server, known, *map(workload, known.pods), end=end)
    assert [type(one) for one in together.values()].count(NotEnoughDataError) == 1
    for name in ("fast", "slow", "slow-too"):
        (alone,) = read(server, known, workload(name), end=end).values()
        both = together[workload(name).target]
        assert isinstance(alone, History)
        assert isinstance(both, History)
        assert (both.step, both.pods_seen) == (alone.step, alone.pods_seen)
        assert both.containers["app"].restarts == alone.containers["app"].restarts == len(name) * known.pods[name]
        np.testing.assert_array_equal(both.cpu.times, alone.cpu.times)
        np.testing.assert_array_equal(both.cpu.values, alone.cpu.values)


def test_an_answer_is_bounded_and_a_large_namespace_is_asked_alone(
    server: RecordingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    most = 10_000
    for module in ("rates", "prometheus_questions"):
        monkeypatch.setattr(f"mlscale.usage.{module}.ANSWER_SAMPLES", most)
    pods = {f"small-{number}": 10 for number in range(8)} | {"large": 90}
    found = read(server, Namespaces(pods), *map(workload, pods), end=START + 6 * HOUR)
    assert {name: one.pods_seen for (name, one) in _named(found)} == pods
    for request in server.requests:
        text = request.query.get("query", "")
        if request.path.endswith("query_range") and text.startswith("rate("):
            names, _ = asked_about(text)
            times = (float(request.query["end"]) - float(request.query["start"])) / float(request.query["step"]) + 1
            chosen = re.search(r'pod=~"([^"]*)"', text)
            series = len(chosen[1].split("|")) if chosen else sum(pods[name] for name in names)
            assert series * times <= most
            assert names == ["large"] or "large" not in names


def _named(found: Mapping[Target, History | MlscaleError]) -> list[tuple[str, History]]:
    return [(target.namespace, one) for target, one in found.items() if isinstance(one, History)]


@pytest.mark.parametrize("only", ["rate(", "kube_pod_owner", "count_over_time", "count by (namespace, __name__)"])
def test_what_is_too_much_for_several_is_asked_of_fewer(server: RecordingServer, only: str) -> None:
    known = Namespaces(dict.fromkeys(("a", "b", "c", "d", "e"), 1))
    known.refuses = lambda names, text: failure(422, "too many samples") if only in text and len(names) > 2 else None
    found = read(server, known, *map(workload, known.pods), end=START + 6 * HOUR)
    assert {name: set(one.cpu.values) for name, one in _named(found)} == {name: {cores(name)} for name in known.pods}
    spans = {(request.query.get("start"), request.query.get("end")) for request in server.requests}
    assert len(spans - {(None, None)}) == 1, "time is not cut where namespaces can be"


@pytest.mark.parametrize("only", ["rate(", "kube_pod_owner", "count_over_time"])
def test_a_namespace_about_which_a_question_is_refused_fails_alone(server: RecordingServer, only: str) -> None:
    known = Namespaces(dict.fromkeys(("a", "b", "c", "d", "e"), 1))
    known.refuses = lambda names, text: failure(400, "boom", "bad_data") if only in text and "d" in names else None
    found = read(server, known, *map(workload, known.pods), end=START + 6 * HOUR)
    errors = {target.namespace: one for target, one in found.items() if isinstance(one, MlscaleError)}
    assert list(errors) == ["d"]
    assert isinstance(errors["d"], QuestionError)
    assert "boom" in str(errors["d"])


def test_each_namespace_has_its_own_signals(server: RecordingServer) -> None:
    """One has a GPU exporter that tells its pods by exported_pod, one that tells them by pod, one none."""
    known = Namespaces({"gpu": 1, "outside": 1, "plain": 1})
    found = dict(_named(read(server, known, *map(workload, known.pods), end=START + 6 * HOUR)))
    assert {name: list(one.signals) for name, one in found.items()} == {
        "gpu": ["gpu_utilization"],
        "outside": ["gpu_utilization"],
        "plain": [],
    }
    asked = [text for text in queries(server) if "DCGM_FI_DEV_GPU_UTIL{" in text]
    assert sorted(asked) == [
        'avg by (exported_pod) (DCGM_FI_DEV_GPU_UTIL{exported_namespace="outside"})',
        'avg by (pod) (DCGM_FI_DEV_GPU_UTIL{namespace="gpu"})',
    ]


def test_series_of_a_namespace_that_was_not_asked_about_are_left_out(server: RecordingServer) -> None:
    known = Namespaces({"a": 1, "b": 1})
    known.serve(server)
    honest = known._range

    def stray(request: Request) -> Answer:
        answer = honest(request)
        for series in answer.body["data"]["result"]:
            if series["metric"].get("namespace") == "b":
                series["metric"]["namespace"] = "c"
        return answer

    server.answers[RANGE] = stray
    found = dict(read_histories(prometheus(server), [workload("a"), workload("b")], START, WEEK, lambda *_: None))
    assert isinstance(found[workload("a").target], History)
    assert isinstance(found[workload("b").target], NotEnoughDataError)


def test_progress_never_goes_back(server: RecordingServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mlscale.usage.prometheus_batches.BATCH_SAMPLES", 3 * 6 * 361)
    pods = {f"n{number}": 6 for number in range(5)} | {"fast": 1}
    Namespaces(pods, scrapes={"fast": 120}).serve(server)
    told: list[tuple[int, int]] = []
    histories = read_histories(
        prometheus(server), [*map(workload, pods)], START, START + 6 * HOUR, lambda done, of: told.append((done, of))
    )
    assert len(list(histories)) == len(pods)
    # The fast one at its own step, and three and two of the others: 4 questions each.
    assert len(told) == 12
    assert [done for done, _ in told] == list(range(1, len(told) + 1))
    assert told[-1] == (len(told), len(told))


NAMES = st.text(st.sampled_from("abc-"), min_size=1, max_size=63)


@given(st.dictionaries(NAMES, st.integers(0, 50), max_size=60), st.integers(0, 100))
def test_each_namespace_is_in_one_group_which_is_bounded(sizes: dict[str, int], most: int) -> None:
    groups = list(plan_namespaces(sizes, most))
    assert sorted(name for group in groups for name in group) == sorted(sizes)
    for group in groups:
        assert group
        assert len(group) == 1 or sum(sizes[name] for name in group) <= most
        url = urlencode({"query": query_text("throttled", group, step="600s")})
        assert len(url) < 6000
