"""`mlscale scale` against a server: exactly which requests, in which order, and what is printed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.recording_server import Answer, RecordingServer, Request, status
from tests.unit.scale.objects import deployment, hpa, hpas, listing, not_found, path, pod, scale, serve

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.command_line import CommandLine

    Make = Callable[..., CommandLine]

LIST = "/apis/apps/v1/namespaces/default/deployments"


def patches(server: RecordingServer) -> list[Request]:
    return [request for request in server.requests if request.method == "PATCH"]


def test_scale_sends_three_requests(command_line: Make, server: RecordingServer) -> None:
    serve(server, deployment("web", 1))
    result = command_line(server.url)("scale", "web", "--replicas", "3")
    assert (result.code, result.out) == (0, "deployment.apps/web scaled\n")
    assert "note: deployment.apps/web: 1 -> 3 replicas\n" in result.err
    assert server.lines == [f"GET {path('web')}", f"GET {hpas()}", f"PATCH {path('web', 'scale')}"]
    (patch,) = patches(server)
    assert patch.json() == {"spec": {"replicas": 3}}
    assert patch.header("Content-Type") == "application/merge-patch+json"
    assert patch.query == {"fieldManager": "mlscale"}
    assert server.connections == 1


def test_an_unchanged_number_is_written_too(command_line: Make, server: RecordingServer) -> None:
    # As kubectl: what was read may be old by the time of the write.
    serve(server, deployment("web", 3))
    result = command_line(server.url)("scale", "web", "--replicas", "3")
    assert result.out == "deployment.apps/web scaled\n"
    assert "had 3 replicas already" in result.err
    assert len(patches(server)) == 1


BODIES: list[tuple[list[str], str, Any]] = [
    (
        ["--current-replicas", "1"],
        "application/json-patch+json",
        [
            {"op": "test", "path": "/spec/replicas", "value": 1},
            {"op": "add", "path": "/spec/replicas", "value": 3},
        ],
    ),
    (
        ["--current-replicas=0"],
        "application/json-patch+json",
        [
            {"op": "test", "path": "/spec/replicas", "value": None},
            {"op": "add", "path": "/spec/replicas", "value": 3},
        ],
    ),
    (["--current-replicas=-1"], "application/merge-patch+json", {"spec": {"replicas": 3}}),
    (
        ["--resource-version", "7"],
        "application/merge-patch+json",
        {"spec": {"replicas": 3}, "metadata": {"resourceVersion": "7"}},
    ),
    (
        ["--resource-version=7", "--current-replicas=1"],
        "application/json-patch+json",
        [
            {"op": "test", "path": "/spec/replicas", "value": 1},
            {"op": "replace", "path": "/metadata/resourceVersion", "value": "7"},
            {"op": "add", "path": "/spec/replicas", "value": 3},
        ],
    ),
]


@pytest.mark.parametrize(("options", "content_type", "body"), BODIES)
def test_preconditions_travel_in_the_write(
    command_line: Make, server: RecordingServer, options: list[str], content_type: str, body: Any
) -> None:
    serve(server, deployment("web", 1))
    assert command_line(server.url)("scale", "web", "--replicas", "3", *options).code == 0
    (patch,) = patches(server)
    assert (patch.header("Content-Type"), patch.json()) == (content_type, body)


DRY_RUNS = [
    (
        "--dry-run=server",
        "deployment.apps/web scaled (server dry run)\n",
        [{"fieldManager": "mlscale", "dryRun": "All"}],
    ),
    ("--dry-run=client", "deployment.apps/web scaled (dry run)\n", []),
    ("--dry-run", "deployment.apps/web scaled (dry run)\n", []),
    ("--dry-run=none", "deployment.apps/web scaled\n", [{"fieldManager": "mlscale"}]),
]


@pytest.mark.parametrize(("option", "out", "queries"), DRY_RUNS)
def test_dry_runs(
    command_line: Make, server: RecordingServer, option: str, out: str, queries: list[dict[str, str]]
) -> None:
    serve(server, deployment("web", 1))
    result = command_line(server.url)("scale", "web", "--replicas", "3", option)
    assert (result.code, result.out) == (0, out)
    assert [patch.query for patch in patches(server)] == queries


def test_a_dry_run_on_the_client_checks_the_precondition(command_line: Make, server: RecordingServer) -> None:
    serve(server, deployment("web", 1))
    result = command_line(server.url)("scale", "web", "--replicas=3", "--dry-run=client", "--current-replicas=2")
    assert (result.code, result.out) == (5, "")
    assert result.errors == ["deployment.apps/web has 1 replicas, not 2; nothing was changed"]


OUTPUTS = [
    ("name", ["deployment.apps/a\n", "deployment.apps/b\n"]),
    ("json", ['    "kind": "Deployment",\n', "}\n{\n", '        "replicas": 3,\n']),
    ("yaml", ["apiVersion: apps/v1\n", "\n---\napiVersion", "  replicas: 3\n"]),
]


@pytest.mark.parametrize(("form", "parts"), OUTPUTS)
def test_objects_are_printed_as_read_with_the_new_number(
    command_line: Make, server: RecordingServer, form: str, parts: list[str]
) -> None:
    serve(server, deployment("a", 1, managedFields=[{"manager": "x"}]), deployment("b", 1))
    result = command_line(server.url)("scale", "deploy/a", "deploy/b", "--replicas", "3", "-o", form)
    assert result.code == 0
    assert all(part in result.out for part in parts)
    assert "managedFields" not in result.out
    assert " replicas\n" not in result.err


def test_yaml_of_several_objects_is_several_documents(command_line: Make, server: RecordingServer) -> None:
    # Without --- between them the second would overwrite the first, or not parse at all.
    serve(server, deployment("a", 1), deployment("b", 1))
    result = command_line(server.url)("scale", "deploy/a", "deploy/b", "--replicas", "3", "-o", "yaml")
    assert [item["metadata"]["name"] for item in yaml.safe_load_all(result.out)] == ["a", "b"]


def test_forty_deployments_in_the_order_of_the_list(command_line: Make, server: RecordingServer) -> None:
    names = [f"d{(n * 7) % 40:02d}" for n in range(40)]
    deployments = [deployment(name, 1) for name in names]
    serve(server, *deployments)
    server.answers[f"GET {LIST}"] = listing(*deployments)

    def slow(request: Request) -> Answer:
        time.sleep(0.01 if "d0" in request.path else 0)
        return Answer(scale("x", 3))

    server.answers |= {f"PATCH {path(name, 'scale')}": slow for name in names}
    result = command_line(server.url)("scale", "deploy", "--all", "--replicas", "3")
    assert result.code == 0
    assert result.out.splitlines() == [f"deployment.apps/{name} scaled" for name in names]
    assert server.lines.count(f"GET {hpas()}") == 1
    assert len(server.lines) == 42
    assert server.connections <= 16


def test_all_is_written_before_the_first_wait(command_line: Make, server: RecordingServer) -> None:
    # With the wait behind each write, the 17th of 20 would be scaled only when one of the first 16 is done.
    names = [f"d{n:02d}" for n in range(20)]
    serve(server, *[deployment(name, 1) for name in names])
    server.answers |= {f"GET {path(name, 'scale')}": Answer(scale(name, 3)) for name in names}
    result = command_line(server.url)("scale", "deploy", *names, "--replicas", "3", "--timeout", "5s")
    assert (result.code, len(result.out.splitlines())) == (0, 20)
    looks = [place for place, line in enumerate(server.lines) if line.startswith("GET") and line.endswith("/scale")]
    writes = [place for place, line in enumerate(server.lines) if line.startswith("PATCH")]
    assert (len(writes), len(looks)) == (20, 20)
    assert max(writes) < min(looks)


def test_strict_stops_at_a_name_that_is_not_there(command_line: Make, server: RecordingServer) -> None:
    # Without --strict the other one is scaled.
    serve(server, deployment("web", 1))
    server.answers[f"GET {path('wbe')}"] = not_found("deployments.apps", "wbe")
    result = command_line(server.url)("scale", "deploy/web", "deploy/wbe", "--replicas", "2", "--strict")
    assert (result.code, result.out, patches(server)) == (3, "", [])


MIDDLE = [
    (status(403, 'deployments.apps "b" is forbidden: cannot patch', "Forbidden"), 4),
    (not_found("deployments.apps", "b"), 3),
    (status(409, "the object has been modified", "Conflict"), 5),
    (status(422, "spec.replicas: Invalid value", "Invalid", causes=[{"field": "spec.replicas"}]), 1),
    (Answer(b"<html>", 502), 1),
]


@pytest.mark.parametrize(("answer", "code"), MIDDLE)
def test_a_refusal_in_the_middle_does_not_stop_the_rest(
    command_line: Make, server: RecordingServer, answer: Answer, code: int
) -> None:
    serve(server, *[deployment(name, 1) for name in "abc"])
    server.answers[f"PATCH {path('b', 'scale')}"] = answer
    result = command_line(server.url)("scale", "deploy", "a", "b", "c", "--replicas", "3")
    assert result.code == code
    assert result.out == "deployment.apps/a scaled\ndeployment.apps/c scaled\n"
    assert len(result.errors) == 1
    assert len(patches(server)) == 3


def test_a_name_that_is_not_there_does_not_stop_the_rest(command_line: Make, server: RecordingServer) -> None:
    serve(server, deployment("web", 1), deployment("api", 1))
    server.answers[f"GET {path('wbe')}"] = not_found("deployments.apps", "wbe")
    result = command_line(server.url)("scale", "deploy/web", "deploy/wbe", "deploy/api", "--replicas", "2")
    assert (result.code, result.out) == (3, "deployment.apps/web scaled\ndeployment.apps/api scaled\n")
    assert result.errors == ['deployments.apps "wbe" not found in namespace "default"; did you mean "web"?']


def test_hpas_that_are_forbidden_are_a_warning(command_line: Make, server: RecordingServer) -> None:
    serve(server, deployment("web", 1))
    server.answers[f"GET {hpas()}"] = status(403, "horizontalpodautoscalers is forbidden", "Forbidden")
    result = command_line(server.url)("scale", "web", "--replicas", "3")
    assert (result.code, result.out) == (0, "deployment.apps/web scaled\n")
    assert result.err.startswith(
        "warning: cannot see whether an HPA governs deployment.apps/web: horizontalpodautoscalers is forbidden\n"
    )


def test_a_governing_hpa_is_named(command_line: Make, server: RecordingServer) -> None:
    serve(server, deployment("web", 1), governed_by=[hpa("web-hpa", "web", 2, 5), hpa("other", "api")])
    result = command_line(server.url)("scale", "web", "--replicas", "8")
    assert result.code == 0
    assert "warning: deployment.apps/web is governed by HPA web-hpa (min 2, max 5): " in result.err
    assert "bring the replicas back to 5" in result.err
    assert "other" not in result.err


def test_strict_refuses_before_anything_is_written(command_line: Make, server: RecordingServer) -> None:
    serve(server, deployment("api", 1), deployment("web", 1), governed_by=[hpa("web-hpa", "web", 2, 5)])
    result = command_line(server.url)("scale", "deploy", "api", "web", "--replicas", "8", "--strict")
    assert (result.code, result.out) == (6, "")
    assert len(result.errors) == 1
    assert result.errors[0].startswith("refused by --strict: deployment.apps/web is governed by HPA web-hpa")
    assert patches(server) == []


def test_each_object_of_a_file_in_its_own_namespace(command_line: Make, server: RecordingServer) -> None:
    a, b = deployment("a", 1, namespace="prod"), deployment("b", 1)
    serve(server, a)
    serve(server, b)
    file = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a, namespace: prod}\nspec: {replicas: 9}\n"
    result = command_line(server.url)(
        "scale", "-f", "-", "--replicas", "3", stdin=f"{file}---\n{file.replace('a, namespace: prod', 'b')}"
    )
    assert (result.code, result.out) == (0, "deployment.apps/a scaled\ndeployment.apps/b scaled\n")
    # The live object counts: the file's 9 replicas are not what is there.
    assert "deployment.apps/a: 1 -> 3 replicas" in result.err
    assert {patch.path for patch in patches(server)} == {path("a", "scale", "prod"), path("b", "scale")}
    assert {line for line in server.lines if "horizontal" in line} == {f"GET {hpas('prod')}", f"GET {hpas()}"}


def test_a_file_s_object_that_may_not_be_read_is_written_nevertheless(
    command_line: Make, server: RecordingServer, tmp_path: Path
) -> None:
    serve(server, deployment("a", 1))
    server.answers[f"GET {path('a')}"] = status(403, "cannot get", "Forbidden")
    (tmp_path / "a.yaml").write_text("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\n")
    result = command_line(server.url)("scale", "-f", str(tmp_path / "a.yaml"), "--replicas", "3")
    assert (result.code, result.out) == (0, "deployment.apps/a scaled\n")
    assert "->" not in result.err


def test_a_kind_without_scale_in_a_file_does_not_stop_the_rest(command_line: Make, server: RecordingServer) -> None:
    serve(server, deployment("a", 1))
    service = "apiVersion: v1\nkind: Service\nmetadata: {name: s}\n---\n"
    file = service + "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\n"
    result = command_line(server.url)("scale", "-f", "-", "--replicas", "3", stdin=file)
    assert (result.code, result.out) == (6, "deployment.apps/a scaled\n")
    assert result.errors[0].startswith("service/s cannot be scaled: services have no scale subresource; ")


def test_a_wait_that_is_served(command_line: Make, server: RecordingServer) -> None:
    serve(server, deployment("web", 2))
    server.answers["GET /api/v1/namespaces/default/pods"] = listing(pod("web-0"), pod("web-1"))
    result = command_line(server.url)("scale", "web", "--replicas", "2", "--wait", "--timeout", "5s")
    assert (result.code, result.out) == (0, "deployment.apps/web scaled\n")


def test_a_wait_that_times_out(command_line: Make, server: RecordingServer) -> None:
    serve(server, deployment("web", 2))
    server.answers["GET /api/v1/namespaces/default/pods"] = listing(pod("web-0"))
    server.answers["GET /api/v1/namespaces/default/events"] = listing()
    result = command_line(server.url)("scale", "web", "--replicas", "2", "--wait", "--timeout", "200ms")
    assert (result.code, result.out) == (7, "")
    assert result.errors == [
        "deployment.apps/web was scaled to 2, but after 0.2 s 1 of 2 pods ready; "
        "the replicas stay as set; mend the cause or scale back"
    ]


def test_a_change_meanwhile(command_line: Make, server: RecordingServer) -> None:
    serve(server, deployment("web", 2), governed_by=[hpa("web-hpa", "web", 1, 5)])
    server.answers[f"GET {path('web', 'scale')}"] = Answer(scale("web", 5))
    server.answers["GET /api/v1/namespaces/default/pods"] = listing(pod("web-0"))
    result = command_line(server.url)("scale", "web", "--replicas", "8", "--wait")
    assert (result.code, result.out) == (8, "")
    assert "was scaled to 8, then HPA web-hpa set it to 5" in result.errors[0]


def test_a_timeout_alone_waits_for_the_counts(command_line: Make, server: RecordingServer) -> None:
    serve(server, deployment("web", 5))
    result = command_line(server.url)("scale", "web", "--replicas", "5", "--timeout", "5s")
    assert (result.code, result.out) == (0, "deployment.apps/web scaled\n")
    assert server.lines[-1] == f"GET {path('web', 'scale')}"


def test_a_warning_of_the_server_is_passed_on(command_line: Make, server: RecordingServer) -> None:
    serve(server, deployment("web", 1))
    warned = Answer(scale("web", 3), headers={"Warning": '299 - "use \\"v2\\" instead"'})
    server.answers[f"PATCH {path('web', 'scale')}"] = warned
    result = command_line(server.url)("scale", "web", "--replicas", "3")
    assert 'warning: use "v2" instead\n' in result.err
