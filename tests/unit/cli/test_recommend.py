"""``mlscale recommend`` from the command line to its exit code, with a Prometheus that has a day of a load."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema  # type: ignore[import-untyped]
import pytest
import yaml

from mlscale.cli import recommend_source
from tests.recording_server import Answer, RecordingServer, Request, status
from tests.unit.cli.recommend_server import END, POD, demand, serve, workload
from tests.unit.scale.objects import path, scale

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.command_line import CommandLine, Result

Run = "Callable[..., Result]"
HPAS = "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers"
SCHEMA = json.loads(
    (Path(__file__).resolve().parents[3] / "docs/reference/schemas/recommend-v1.json").read_text(encoding="utf-8")
)

USAGE = [
    ("web -o wide", "-o wide is not an output format of this command; give one of command, json, yaml"),
    ("web --objective speed", "--objective speed is not known; give one of cost, balanced, reliability"),
    ("web --budget 0.1", "--budget '0.1' is not a share in per cent; give it as in --budget 0.1%"),
    ("web --budget 100%", "--budget 100% tolerates that all demand goes unserved; give less than 100%"),
    ("web --history 3h", "--history 3h is shorter than a day; give a day or more, as in --history 7d"),
    ("web --history soon", "--history 'soon' is not a duration; give it with a unit, as in --history 30s or 5m"),
    ("web --observe 5s", "--observe 5s is too short; give 30s or more: samples come every 15 s"),
    ("web --observe 2m --samples s.csv", "--observe and --samples were both given; give one source of the history"),
    ("web --yes", "--yes was given without --apply; give --apply too"),
    ("web --in-place", "--in-place was given without --apply; give --apply too"),
    ("web --apply --check", "--check changes nothing, and --apply was given; leave one of them out"),
    ("web --apply --yes -o yaml", "--apply prints what it does, and -o yaml was given; leave one of them out"),
    ("web --apply", "--apply asks before it changes anything, and stdin is no terminal; give --yes too"),
    ("web -A", "-A was given with a name or a file; give names and -n NAMESPACE, or -A"),
    ("web --html nosuch/dir/page.html", "--html nosuch/dir/page.html cannot be written; give a file in a directory"),
    (
        "deploy/web deploy/api --samples s.csv",
        "--samples has the history of one workload, and there are 2; name one workload",
    ),
    ("web --prometheus ftp://x", "--prometheus is not a URL that can be asked; give one such as https://HOST:9090"),
]


@pytest.fixture
def recommend(server: RecordingServer, command_line: Callable[..., CommandLine]) -> Callable[..., Result]:
    """``mlscale recommend`` with the server's a day of history."""
    serve(server)
    run = command_line(server.url)

    def recommended(*arguments: str, stdin: str = "") -> Result:
        return run("recommend", "--prometheus", server.url, "--history", "1d", *arguments, stdin=stdin)

    return recommended


def written(server: RecordingServer) -> list[str]:
    return [request.line for request in server.requests if request.method != "GET"]


@pytest.mark.parametrize(("line", "message"), USAGE)
def test_a_usage_error_is_one_line_and_changes_nothing(
    command_line: Callable[..., CommandLine], server: RecordingServer, line: str, message: str
) -> None:
    serve(server)
    server.answers[f"GET {path('api')}"] = Answer(workload("api"))
    result = command_line(server.url)("recommend", *line.split())

    assert (result.code, result.out) == (2, "")
    assert len(result.err.splitlines()) == len(result.errors) == 1
    assert message in result.err
    assert written(server) == []


def test_the_verdict_comes_first_and_the_command_can_be_run(recommend: Callable[..., Result]) -> None:
    result = recommend("web")
    command = recommend("web", "-o", "command").out

    assert result.code == 0
    assert result.out.startswith("deployment.apps/web: CPU")
    assert command.startswith("mlscale autoscale deployment/web ")
    assert f"     {command}" in result.out
    assert result.errors == []


def test_the_document_holds_to_its_schema(recommend: Callable[..., Result]) -> None:
    result = recommend("web", "-o", "json")
    document: dict[str, Any] = json.loads(result.out)

    jsonschema.validate(document, SCHEMA)
    assert result.code == 0
    assert [row["name"] for row in document["recommendations"][0]["scores"]] == ["now", "recommended", "default"]


def test_the_manifest_is_what_the_command_would_write(recommend: Callable[..., Result]) -> None:
    manifest = yaml.safe_load(recommend("web", "-o", "yaml").out)
    command = recommend("web", "-o", "command").out.split()

    assert manifest["kind"] == "HorizontalPodAutoscaler"
    assert str(manifest["spec"]["maxReplicas"]) == command[command.index("--max") + 1]
    assert f"{manifest['spec']['metrics'][0]['resource']['target']['averageUtilization']}%" in command


def test_a_check_exits_with_10_and_names_the_difference(recommend: Callable[..., Result]) -> None:
    result = recommend("web", "--check")

    assert result.code == 10
    assert result.out.startswith("deployment.apps/web: differs from what is recommended")
    assert result.errors == []


def test_a_check_with_json_exits_with_10_too(recommend: Callable[..., Result]) -> None:
    result = recommend("web", "--check", "-o", "json")

    assert result.code == 10
    assert json.loads(result.out)["recommendations"][0]["differs"] is True


def test_too_little_history_exits_with_9_and_is_never_a_guess(
    recommend: Callable[..., Result], server: RecordingServer
) -> None:
    serve(server, hours=3)
    result = recommend("web")

    assert (result.code, result.out) == (9, "")
    assert "not enough data for deployment.apps/web: 3 h of " in result.err
    document = json.loads(recommend("web", "-o", "json").out)
    jsonschema.validate(document, SCHEMA)
    assert (document["recommendations"], document["errors"][0]["exitCode"]) == ([], 9)


def test_a_day_that_was_asked_for_may_lack_its_first_minutes(
    command_line: Callable[..., CommandLine], server: RecordingServer
) -> None:
    serve(server, hours=23.9)
    run = command_line(server.url)

    assert run("recommend", "web", "--prometheus", server.url, "--history", "1d").code == 0
    assert run("recommend", "web", "--prometheus", server.url, "--history", "7d").code == 9


def test_the_history_ends_at_the_clock_of_the_prometheus(
    recommend: Callable[..., Result], server: RecordingServer
) -> None:
    recommend("web")
    ends = [float(request.query["end"]) for request in server.requests if request.path.endswith("query_range")]

    assert max(ends) <= END
    assert max(ends) > END - 3600


@pytest.mark.parametrize("arguments", [(), ("-l", "app=web"), ("deployments", "--all"), ("-A",)])
def test_without_names_all_workloads_are_looked_at(
    recommend: Callable[..., Result], server: RecordingServer, arguments: tuple[str, ...]
) -> None:
    result = recommend(*arguments, "-o", "json")

    assert result.code == 0
    assert [one["target"]["name"] for one in json.loads(result.out)["recommendations"]] == ["web"]


def test_several_workloads_are_a_table_and_one_without_history_does_not_hide_the_other(
    recommend: Callable[..., Result], server: RecordingServer
) -> None:
    server.answers[f"GET {path('api')}"] = Answer(workload("api"))
    result = recommend("deploy/web", "deploy/api")

    assert result.code == 9
    assert [line.split()[0] for line in result.out.splitlines()] == ["NAME", "deployment.apps/web"]
    assert len(result.errors) == 1
    assert "deployment.apps/api" in result.errors[0]


def test_a_page_is_written_beside_the_answer(recommend: Callable[..., Result], tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    result = recommend("web", "--html", str(page))
    text = page.read_text(encoding="utf-8")

    assert result.code == 0
    assert result.out.startswith("deployment.apps/web")
    assert text.count("<svg") == 2


def test_a_page_that_cannot_be_written_is_an_error(recommend: Callable[..., Result], tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.symlink_to("/dev/full")
    result = recommend("web", "--html", str(page))

    assert result.code == 1
    assert "No space left on device" in result.err


def test_yes_applies_by_the_code_of_autoscale(recommend: Callable[..., Result], server: RecordingServer) -> None:
    server.answers[f"GET {HPAS}"] = Answer({"items": []})
    server.answers[f"PATCH {HPAS}/web"] = lambda request: Answer(request.json())
    result = recommend("web", "--apply", "--yes")
    patches = [request for request in server.requests if request.method == "PATCH"]

    assert result.code == 0, result.err
    assert result.out.splitlines()[-1] == "horizontalpodautoscaler.autoscaling/web autoscaled"
    assert "note: deployment.apps/web: would create horizontalpodautoscaler.autoscaling/web" in result.err
    # First as the server's dry run, to show and to be refused before anything is written.
    assert [patch.query.get("dryRun") for patch in patches] == ["All", None]
    assert all(patch.line == f"PATCH {HPAS}/web" for patch in patches)
    assert patches[-1].query["fieldManager"] == "mlscale"
    assert patches[-1].json()["spec"]["scaleTargetRef"]["name"] == "web"


def test_a_change_of_an_hpa_is_shown_field_by_field(recommend: Callable[..., Result], server: RecordingServer) -> None:
    target = {"type": "Utilization", "averageUtilization": 20}
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    metrics = [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]
    spec = {"scaleTargetRef": reference, "minReplicas": 4, "maxReplicas": 30, "metrics": metrics}
    hpa = {"metadata": {"name": "web", "namespace": "default"}, "spec": spec}
    server.answers[f"GET {HPAS}"] = Answer({"items": [hpa]})
    server.answers[f"PATCH {HPAS}/web"] = lambda request: Answer(request.json())
    result = recommend("web", "--apply", "--yes")

    assert result.code == 0, result.err
    assert "would change minReplicas: 4 -> " in result.err


class Terminal(io.StringIO):
    """stdin of a person."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("typed", "done"), [("y\n", True), ("yes\n", True), ("n\n", False), ("\n", False), ("", False)]
)
def test_apply_asks_and_only_yes_means_yes(
    server: RecordingServer,
    command_line: Callable[..., CommandLine],
    monkeypatch: pytest.MonkeyPatch,
    typed: str,
    done: bool,
) -> None:
    serve(server)
    server.answers[f"GET {HPAS}"] = Answer({"items": []})
    server.answers[f"PATCH {HPAS}/web"] = lambda request: Answer(request.json())
    monkeypatch.setattr(io, "StringIO", Terminal)
    line = ("recommend", "web", "--prometheus", server.url, "--history", "1d", "--apply")
    result = command_line(server.url)(*line, stdin=typed)
    patches = [request.query.get("dryRun") for request in server.requests if request.method == "PATCH"]

    assert "Apply this to deployment.apps/web in default? [y/N] " in result.err
    assert patches == (["All", None] if done else ["All"])
    assert ("nothing was changed" in result.err) is not done
    assert result.code == 0


def test_a_refusal_of_the_server_ends_it_before_anything_is_asked_or_written(
    recommend: Callable[..., Result], server: RecordingServer
) -> None:
    server.answers[f"GET {HPAS}"] = Answer({"items": []})
    server.answers[f"PATCH {HPAS}/web"] = status(403, "horizontalpodautoscalers is forbidden", "Forbidden")
    result = recommend("web", "--apply", "--yes")
    patches = [request.query.get("dryRun") for request in server.requests if request.method == "PATCH"]

    assert result.code == 4
    assert patches == ["All"]
    assert len(result.errors) == 1


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

    def metrics(_: Request) -> Answer:
        stamp = datetime.fromtimestamp(END + clock.passed // 15 * 15, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        usage = [{"name": "server", "usage": {"cpu": "250m", "memory": "200Mi"}}]
        return Answer({"items": [{"metadata": {"name": POD}, "timestamp": stamp, "containers": usage}]})

    server.answers["GET /apis/metrics.k8s.io/v1beta1/namespaces/default/pods"] = metrics
    result = command_line(server.url)("recommend", "web", *arguments)

    assert result.code == 0, result.err
    assert "Seen by metrics-server, watched for 2 min" in result.out
    assert clock.passed >= 120
    assert ("no Prometheus was found" in result.err) is not bool(arguments)


def test_metrics_server_is_not_watched_in_one_namespace_after_another(
    command_line: Callable[..., CommandLine], server: RecordingServer
) -> None:
    serve(server)
    far = workload("far")
    far["metadata"]["namespace"] = "far"
    server.answers["GET /apis/apps/v1/deployments"] = Answer({"items": [workload(), far]})
    result = command_line(server.url)("recommend", "-A", "--observe", "2m")

    assert result.code == 2
    assert "in one namespace at a time, and there are 2" in result.errors[0]


KILLED = "time,pod,container,cpu,memory,oom_kills\n" + "".join(
    f"{END + 300 * index},{POD},server,0.2,{1000 * 2**20},{int(index > 100)}\n" for index in range(24 * 13)
)
"""At 1000Mi of the limit of 1Gi, and killed for it."""


def served_for_resize(server: RecordingServer) -> None:
    serve(server)
    owner = {"kind": "ReplicaSet", "name": "web-7d9f8c6b5", "controller": True}
    pod = {
        "metadata": {"name": POD, "namespace": "default", "ownerReferences": [owner]},
        "spec": workload()["spec"]["template"]["spec"],
        "status": {"phase": "Running"},
    }
    server.answers |= {
        f"PATCH {path('web')}": Answer(workload()),
        f"PATCH {path('web', 'scale')}": Answer(scale("web", 2)),
        f"GET {HPAS}": Answer({"items": []}),
        "GET /api/v1/namespaces/default/pods": Answer({"items": [pod]}),
        f"PATCH /api/v1/namespaces/default/pods/{POD}/resize": Answer(pod),
    }


@pytest.mark.parametrize(
    ("flags", "line", "said"),
    [
        ([], f"PATCH {path('web')}", "deployment.apps/web resized"),
        (["--in-place"], f"PATCH /api/v1/namespaces/default/pods/{POD}/resize", f"pod/{POD} resized"),
    ],
    ids=["template", "in place"],
)
def test_sizes_are_shown_tried_and_written(
    command_line: Callable[..., CommandLine], server: RecordingServer, flags: list[str], line: str, said: str
) -> None:
    served_for_resize(server)
    result = command_line(server.url)("recommend", "web", "--samples", "-", "--apply", "--yes", *flags, stdin=KILLED)
    patches = [request for request in server.requests if request.line == line]

    assert result.code == 0, result.err
    assert said in result.out.splitlines()
    assert [patch.query.get("dryRun") for patch in patches] == ["All", None]
    assert set(written(server)) <= {line, f"PATCH {path('web', 'scale')}"}
    assert "would change container server: cpu 500m (no limit), memory 256Mi (limit 1Gi) -> " in result.err


def test_sizes_that_someone_else_set_are_a_conflict_before_anything_is_written(
    command_line: Callable[..., CommandLine], server: RecordingServer
) -> None:
    served_for_resize(server)
    cause = {"reason": "FieldManagerConflict", "message": 'conflict with "argocd" using apps/v1', "field": ".spec"}
    server.answers[f"PATCH {path('web')}"] = status(409, "Apply failed", "Conflict", causes=[cause])
    result = command_line(server.url)("recommend", "web", "--samples", "-", "--apply", "--yes", stdin=KILLED)

    assert result.code == 5
    assert "its resources were set by field manager argocd; --force-conflicts takes over" in result.errors[0]
    assert [r.query.get("dryRun") for r in server.requests if r.method == "PATCH"] == ["All"]
