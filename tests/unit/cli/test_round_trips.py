"""How often a command waits for the server: requests in one round are sent without waiting for an answer between them.

At 40 ms to the server each round more is 40 ms more, and a connection more is 80 ms.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.recording_server import Answer, RecordingServer, status
from tests.unit.scale.objects import deployment, hpa, hpas, listing, path, serve

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.command_line import CommandLine

    Make = Callable[..., CommandLine]

NAMESPACE = "/api/v1/namespaces/default"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
SCALE = f"PATCH {path('web', 'scale')}"
GET, GET_SCALE, GET_HPAS = f"GET {path('web')}", f"GET {path('web', 'scale')}", f"GET {hpas()}"
METRICS = "GET /apis/metrics.k8s.io/v1beta1"
PODS, PODMETRICS = f"GET {NAMESPACE}/pods", f"{METRICS}/namespaces/default/pods"
APPLY = f"PATCH {hpas()}/web"
KEDA, LIMITS = "GET /apis/keda.sh/v1alpha1/namespaces/default/scaledobjects", f"GET {NAMESPACE}/limitranges"
FACTS = [GET_SCALE, GET, GET_HPAS, KEDA, LIMITS, METRICS]
AUTOSCALE = ("autoscale", "web", "--max=5", "--cpu=50%")


def running(cpu: str | None = "1") -> dict[str, Any]:
    web = deployment("web", 1)
    resources = {"requests": {"cpu": cpu}} if cpu else {}
    web["spec"]["template"] = {"spec": {"containers": [{"name": "server", "resources": resources}]}}
    return web


def serve_all(server: RecordingServer, web: dict[str, Any]) -> None:
    serve(server, web)
    applied = {"metadata": {"name": "web"}, "spec": hpa("web", "web")["spec"]}
    server.answers |= {
        LIMITS: listing(),
        METRICS: Answer({}),
        PODS: listing(),
        PODMETRICS: listing(),
        APPLY: Answer(applied),
        f"GET {DEPLOYMENTS}": listing(web),
    }


CASES: list[tuple[list[str], list[list[str]]]] = [
    (["scale", "web", "--replicas=3"], [[GET, GET_HPAS, SCALE]]),
    (["scale", "deploy", "web", "--replicas=3"], [[GET, GET_HPAS, SCALE]]),
    (["scale", "deploy/web", "--replicas=3", "-o", "yaml"], [[GET, GET_HPAS, SCALE]]),
    (["scale", "web", "--replicas=3", "--current-replicas=1"], [[GET, GET_HPAS, SCALE]]),
    (["scale", "web", "--replicas=3", "--dry-run=server"], [[GET, GET_HPAS, SCALE]]),
    (["scale", "-f", "FILE", "--replicas=3"], [[GET, GET_HPAS, SCALE]]),
    # What is read here decides whether anything is written.
    (["scale", "web", "--replicas=0", "--strict"], [[GET], [GET_HPAS], [SCALE]]),
    (["scale", "web", "--replicas=3", "--dry-run=client"], [[GET], [GET_HPAS]]),
    (["scale", "deploy", "--all", "--replicas=3"], [[f"GET {DEPLOYMENTS}"], [GET_HPAS], [SCALE]]),
    (["scale", "deploy", "-l", "a=b", "--replicas=3"], [[f"GET {DEPLOYMENTS}"], [GET_HPAS], [SCALE]]),
    ([*AUTOSCALE], [FACTS, [PODS, PODMETRICS, APPLY]]),
    ([*AUTOSCALE, "--dry-run=server"], [FACTS, [PODS, PODMETRICS, APPLY]]),
    ([*AUTOSCALE, "--dry-run=client"], [FACTS, [PODS, PODMETRICS]]),
    (["autoscale", "-f", "FILE", "--max=5", "--cpu=50%"], [FACTS, [PODS, PODMETRICS, APPLY]]),
]


@pytest.mark.parametrize(("arguments", "rounds"), [pytest.param(*case, id=" ".join(case[0])) for case in CASES])
def test_a_command_waits_this_often(
    command_line: Make, server: RecordingServer, tmp_path: Path, arguments: list[str], rounds: list[list[str]]
) -> None:
    serve_all(server, running())
    file = tmp_path / "web.yaml"
    file.write_text("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n")
    result = command_line(server.url)(*[str(file) if word == "FILE" else word for word in arguments])
    assert result.code == 0, result.err
    assert server.rounds == rounds
    assert server.connections == 1


def test_pods_are_read_before_the_write_where_they_may_refuse_it(command_line: Make, server: RecordingServer) -> None:
    # The template has no request; a LimitRange or a webhook may have given the pods one.
    serve_all(server, running(cpu=None))
    result = command_line(server.url)(*AUTOSCALE)
    assert result.code == 6
    assert server.rounds == [FACTS, [PODS, PODMETRICS]]


def test_a_round_that_the_server_ends_early_goes_on_where_it_stopped(
    command_line: Make, server: RecordingServer
) -> None:
    # "Connection: close" says that nothing after it was read (RFC 9112, 9.6), so the write is safe to send.
    serve_all(server, running())
    server.answers[GET] = Answer(running(), headers={"Connection": "close"})
    result = command_line(server.url)("scale", "web", "--replicas=3")
    assert (result.code, result.out) == (0, "deployment.apps/web scaled\n")
    assert server.lines == [GET, GET_HPAS, SCALE]


def test_a_write_in_a_round_that_breaks_off_may_have_been_made(command_line: Make, server: RecordingServer) -> None:
    serve_all(server, running())
    server.answers[GET_HPAS] = Answer(close=True, status=0)
    result = command_line(server.url)("scale", "web", "--replicas=3")
    assert (result.code, result.out) == (1, "")
    assert "closed the connection without an answer; whether the change was made is not known" in result.errors[0]
    assert SCALE not in server.lines


def test_a_user_who_may_only_write_the_scale_can_scale(command_line: Make, server: RecordingServer) -> None:
    serve_all(server, running())
    server.answers[GET] = status(403, 'deployments.apps "web" is forbidden', "Forbidden")
    server.answers[GET_HPAS] = status(403, "horizontalpodautoscalers is forbidden", "Forbidden")
    result = command_line(server.url)("scale", "web", "--replicas=3", "-o", "json")
    assert result.code == 0
    assert '"replicas": 3' in result.out
    assert "cannot see whether an HPA governs deployment.apps/web" in result.err
    assert "->" not in result.err


def test_a_custom_resource_takes_one_round_more(command_line: Make, server: RecordingServer) -> None:
    # Which path a word stands for is the server's to say; it is asked each time, in one round, and nothing is cached.
    rollouts = {"resource": "rollouts", "responseKind": {"kind": "Rollout"}, "scope": "Namespaced"}
    version = {"version": "v1alpha1", "resources": [{**rollouts, "subresources": [{"subresource": "scale"}]}]}
    web = "/apis/argoproj.io/v1alpha1/namespaces/default/rollouts/web"
    server.answers |= {
        "GET /api": Answer({"items": []}),
        "GET /apis": Answer({"items": [{"metadata": {"name": "argoproj.io"}, "versions": [version]}]}),
        f"GET {web}": Answer(running()),
        GET_HPAS: listing(),
        f"PATCH {web}/scale": Answer({}),
    }
    result = command_line(server.url)("scale", "rollout", "web", "--replicas=3")
    assert (result.code, result.out) == (0, "rollout.argoproj.io/web scaled\n")
    assert server.rounds == [["GET /api", "GET /apis"], [f"GET {web}", GET_HPAS, f"PATCH {web}/scale"]]
    assert server.connections == 1
