"""Where ``mlscale recommend`` reads what was used: Prometheus, a file, or metrics-server."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from mlscale.cli import recommend_source
from tests.recording_server import Answer, RecordingServer, Request
from tests.unit.cli.recommend_server import END, POD, demand, serve, workload
from tests.unit.scale.objects import path

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.command_line import CommandLine, Result


def test_secrets_of_the_prometheus_never_reach_the_output(
    recommend: Callable[..., Result], server: RecordingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLSCALE_PROMETHEUS_TOKEN", "s3cr3t-token")

    def refuse(request: Request) -> Answer:
        return Answer({"error": f"bad {request.header('Authorization')}"}, 401)

    server.answers["GET /api/v1/query"] = server.answers["GET /api/v1/query_range"] = refuse
    result = recommend("web", "-o", "json")

    assert result.code == 4
    assert "s3cr3t-token" not in result.out + result.err


def test_a_prometheus_that_refuses_is_one_error_not_one_a_workload(
    recommend: Callable[..., Result], server: RecordingServer
) -> None:
    server.answers[f"GET {path('api')}"] = Answer(workload("api"))
    server.answers["GET /api/v1/query"] = Answer({"error": "no"}, 403)
    result = recommend("deploy/web", "deploy/api")

    assert (result.code, result.out) == (4, "")
    assert len(result.errors) == 1


SAMPLES = "time,pods,cpu\n" + "".join(
    f"{END + 300 * index},4,{demand(300.0 * index):.4f}\n" for index in range(24 * 13)
)


def test_samples_of_a_file_or_of_stdin_need_no_prometheus(
    command_line: Callable[..., CommandLine], server: RecordingServer, tmp_path: Path
) -> None:
    serve(server)
    file = tmp_path / "samples.csv"
    file.write_text(SAMPLES)
    run = command_line(server.url)
    of_file = run("recommend", "web", "--samples", str(file), "-o", "json")
    of_stdin = run("recommend", "web", "--samples", "-", "-o", "json", stdin=SAMPLES)

    assert (of_file.code, of_stdin.code) == (0, 0), of_file.err + of_stdin.err
    one, other = (json.loads(result.out)["recommendations"][0] for result in (of_file, of_stdin))
    assert one["scores"] == other["scores"] != []
    assert (one["history"]["source"], other["history"]["source"]) == (str(file), "standard input")
    assert [line for line in server.lines if "query" in line or "services" in line] == []


def test_a_bad_samples_file_is_named_with_its_line(
    command_line: Callable[..., CommandLine], server: RecordingServer
) -> None:
    serve(server)
    result = command_line(server.url)("recommend", "web", "--samples", "-", stdin="time,pods,cpu\n0,1,1\n60,1,lots\n")

    assert (result.code, result.out) == (2, "")
    assert "line 3" in result.errors[0]


class FakeTime:
    """Monotonic time that passes only while one sleeps; metrics-server's samples are stamped with it."""

    def __init__(self) -> None:
        self.passed = 0.0

    def monotonic(self) -> float:
        return self.passed

    def sleep(self, seconds: float) -> None:
        self.passed += seconds


def measured(clock: FakeTime, pod: str, namespace: str = "default") -> dict[str, Any]:
    """A PodMetrics of the last scrape."""
    stamp = datetime.fromtimestamp(END + clock.passed // 15 * 15, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    usage = [{"name": "server", "usage": {"cpu": "250m", "memory": "200Mi"}}]
    return {"metadata": {"name": pod, "namespace": namespace}, "timestamp": stamp, "containers": usage}


@pytest.mark.parametrize("arguments", [["--observe", "2m"], []], ids=["asked for", "nothing else there"])
def test_metrics_server_is_watched_where_there_is_no_history(
    command_line: Callable[..., CommandLine],
    server: RecordingServer,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
) -> None:
    clock = FakeTime()
    monkeypatch.setattr(recommend_source, "time", clock)
    serve(server)

    server.answers["GET /apis/metrics.k8s.io/v1beta1/namespaces/default/pods"] = lambda _: Answer(
        {"items": [measured(clock, POD)]}
    )
    result = command_line(server.url)("recommend", "web", *arguments)

    assert result.code == 0, result.err
    assert "Seen by metrics-server, watched for 2 min" in result.out
    assert clock.passed >= 120
    assert ("no Prometheus was found" in result.err) is not bool(arguments)


def test_metrics_server_is_watched_in_all_namespaces_at_once(
    command_line: Callable[..., CommandLine], server: RecordingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = FakeTime()
    monkeypatch.setattr(recommend_source, "time", clock)
    serve(server)
    far = workload("far")
    far["metadata"]["namespace"] = "far"
    of_default = [(line, answer) for line, answer in server.answers.items() if "/namespaces/default" in line]
    server.answers |= {line.replace("/namespaces/default", "/namespaces/far"): answer for line, answer in of_default}
    server.answers["GET /apis/apps/v1/deployments"] = Answer({"items": [workload(), far]})
    server.answers["GET /apis/metrics.k8s.io/v1beta1/pods"] = lambda _: Answer(
        {"items": [measured(clock, POD), measured(clock, "far-7d9f8c6b5-bcdfg", "far")]}
    )
    result = command_line(server.url)("recommend", "-A", "--observe", "2m", "-o", "json")

    assert result.code == 0, result.err
    found = json.loads(result.out)["recommendations"]
    assert {(one["target"]["namespace"], one["history"]["source"]) for one in found} == {
        ("default", "metrics-server, watched for 2 min"),
        ("far", "metrics-server, watched for 2 min"),
    }
    assert 120 <= clock.passed < 130
