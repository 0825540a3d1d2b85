"""Many targets are read by lists, and what becomes of them is what would become of each alone."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from mlscale.autoscale import HpaOptions, WriteOptions, autoscale, flow, parse_settings
from mlscale.kube.kinds import DEPLOYMENT
from mlscale.kube.targets import Found, Target
from tests.clients import client
from tests.recording_server import Answer, RecordingServer, Request, recording_server, status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlscale.autoscale import Outcome

Json = dict[str, Any]
LAB = "/apis/apps/v1/namespaces/lab/deployments"
HPAS = "/apis/autoscaling/v2/namespaces/lab/horizontalpodautoscalers"
PODS = "/api/v1/namespaces/lab/pods"
PODMETRICS = "/apis/metrics.k8s.io/v1beta1/namespaces/lab/pods"
SETTINGS = parse_settings(HpaOptions(min="1", max="5", cpu="50%"), lambda _: DEPLOYMENT)
NAMES = [f"d{index:02}" for index in range(20)]
ODD = {"d03": "no request", "d07": "expressions", "d11": "pods without a request", "d13": "paused", "d17": "two labels"}


def workload(name: str) -> Json:
    odd = ODD.get(name)
    selector: Json = {"matchLabels": {"app": name}}
    if odd == "expressions":
        selector = {"matchExpressions": [{"key": "app", "operator": "In", "values": [name]}]}
    if odd == "two labels":
        selector["matchLabels"] |= {"tier": "gpu"}
    requests = {} if odd == "no request" else {"requests": {"cpu": "1"}}
    template = {"spec": {"containers": [{"name": "server", "resources": requests}]}}
    spec = {"replicas": 0 if odd == "paused" else 2, "selector": selector, "template": template}
    return {"metadata": {"name": name, "namespace": "lab"}, "spec": spec}


def pods_of(name: str) -> list[Json]:
    requests = {} if ODD.get(name) in ("no request", "pods without a request") else {"requests": {"cpu": "1"}}
    spec = {"containers": [{"name": "server", "resources": requests}]}
    tiers = ["gpu", "cpu"] if ODD.get(name) == "two labels" else ["gpu", "gpu"]
    return [
        {"metadata": {"name": f"{name}-{index}", "labels": {"app": name, "tier": tier}}, "spec": spec, "status": {}}
        for index, tier in enumerate(tiers)
    ]


def metrics_of(pod: Json) -> Json:
    return {"metadata": pod["metadata"], "containers": [{"name": "server", "usage": {"cpu": "900m"}}]}


class Lab:
    """The answers of an API server with the workloads and their pods; lists in pages of 7."""

    def __init__(self, server: RecordingServer) -> None:
        self.pods = [pod for name in NAMES for pod in pods_of(name)]
        lists = {LAB: [workload(name) for name in NAMES], PODS: self.pods, PODMETRICS: list(map(metrics_of, self.pods))}
        for path, items in lists.items():
            server.answers[f"GET {path}"] = partial(self.page, items)
        for path in (HPAS, "/api/v1/namespaces/lab/limitranges"):
            server.answers[f"GET {path}"] = Answer({"items": []})
        server.answers["GET /apis/metrics.k8s.io/v1beta1"] = Answer({})
        for obj in lists[LAB]:
            name = obj["metadata"]["name"]
            labels = ["app=" + name, *(["tier=gpu"] if ODD.get(name) == "two labels" else [])]
            scale = {"spec": {"replicas": obj["spec"]["replicas"]}, "status": {"selector": ",".join(labels)}}
            server.answers[f"GET {LAB}/{name}"] = Answer(obj)
            server.answers[f"GET {LAB}/{name}/scale"] = Answer(scale)
            server.answers[f"PATCH {HPAS}/{name}"] = lambda request: Answer(request.json())

    def page(self, items: list[Json], request: Request) -> Answer:
        wanted = [pair.split("=") for pair in request.query.get("labelSelector", "").split(",") if pair]
        chosen = [i for i in items if all(i["metadata"].get("labels", {}).get(key) == value for key, value in wanted)]
        if "limit" not in request.query:
            return Answer({"items": chosen})
        start, size = int(request.query.get("continue", 0)), min(7, int(request.query["limit"]))
        more = {"continue": str(start + size)} if start + size < len(chosen) else {}
        return Answer({"items": chosen[start : start + size], "metadata": more})


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with recording_server() as running:
        Lab(running)
        yield running


def run(server: RecordingServer, names: list[str]) -> list[Outcome]:
    found = [Found(Target(DEPLOYMENT, "lab", name), {"metadata": {"name": name}}, live=False) for name in names]
    return list(autoscale(client(server), found, SETTINGS, WriteOptions()))


def told(outcomes: list[Outcome]) -> list[tuple[str, str | None, str, list[str]]]:
    return [(o.name, o.action, str(o.error or ""), [str(finding) for finding in o.findings]) for o in outcomes]


def test_what_is_said_and_done_is_the_same_as_for_each_alone(
    server: RecordingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = run(server, [*NAMES, "gone"])
    asked = len(server.requests)
    server.requests.clear()
    monkeypatch.setattr(flow, "MANY", 1000)
    assert told(many) == told(run(server, [*NAMES, "gone"]))
    assert [o.action for o in many].count("created") == len(NAMES) - 1
    assert "has no cpu request" in str(many[3].error)
    assert any("pod/d11-0 has no cpu request though" in str(finding) for finding in many[11].findings)
    assert any("is scaled to 0" in str(finding) for finding in many[13].findings)
    assert "not found" in str(many[-1].error)
    assert asked < len(server.requests) / 2


def test_the_lists_are_read_once(server: RecordingServer) -> None:
    names = [name for name in NAMES if ODD.get(name) != "expressions"]
    run(server, names)
    reads = [request.path for request in server.requests if request.method == "GET"]
    assert {path: reads.count(path) for path in (LAB, PODS, PODMETRICS)} == {LAB: 3, PODS: 6, PODMETRICS: 6}
    assert [path for path in reads if path.startswith(f"{LAB}/")] == []


def test_where_they_may_not_be_listed_each_is_read(server: RecordingServer) -> None:
    server.answers[f"GET {LAB}"] = status(403, "deployments may not be listed", "Forbidden")
    assert [o.action for o in run(server, NAMES)].count("created") == len(NAMES) - 1
