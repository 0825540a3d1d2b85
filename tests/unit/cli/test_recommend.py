"""``mlscale recommend`` from the command line to its exit code, with a Prometheus that has a day of a load."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema  # type: ignore[import-untyped]
import pytest
import yaml

from tests.recording_server import Answer, RecordingServer
from tests.unit.cli.recommend_server import END, serve, workload, written
from tests.unit.scale.objects import path

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.command_line import CommandLine, Result

Run = "Callable[..., Result]"
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
