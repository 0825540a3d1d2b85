"""Many targets in one run: bounded connections, the first failure, and Ctrl-C."""

from __future__ import annotations

import os
import signal
import threading
from typing import TYPE_CHECKING, Any

import pytest

from mlscale.cli.bulk import InterruptedRunError, Run, parallel_value
from mlscale.errors import ExitCode, UsageError
from tests.recording_server import Answer, RecordingServer, Request, status
from tests.unit.scale.objects import deployment, hpas, listing, path, serve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.command_line import CommandLine

    Make = Callable[..., CommandLine]

NAMES = [f"d{index}" for index in range(6)]
LIST = "GET /apis/apps/v1/namespaces/default/deployments"
ALL = ("scale", "deploy", "--all", "--replicas", "3")


@pytest.fixture(autouse=True)
def _handler() -> Iterator[None]:
    """Ctrl-C as Python hears it; a test run in the background inherits it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def serve_six(server: RecordingServer) -> None:
    objects = [deployment(name) for name in NAMES]
    serve(server, *objects)
    server.answers[LIST] = listing(*objects)


def patched(server: RecordingServer) -> list[str]:
    return [request.path.split("/")[-2] for request in server.requests if request.method == "PATCH"]


@pytest.mark.parametrize("text", ["0", "-1", "257", "x", "", "1.5", "²", "1_0"])
def test_parallel_is_a_number_from_1(text: str) -> None:
    with pytest.raises(UsageError, match="give one from 1 to 256"):
        parallel_value(text)


@pytest.mark.parametrize(("text", "count"), [("1", 1), ("16", 16), ("256", 256)])
def test_parallel_is_read(text: str, count: int) -> None:
    assert parallel_value(text) == count


@pytest.mark.parametrize("parallel", [1, 3])
def test_no_more_connections_than_asked_for(command_line: Make, server: RecordingServer, parallel: int) -> None:
    serve_six(server)
    result = command_line(server.url)(*ALL, "--parallel", str(parallel))
    assert result.code == 0
    assert result.out == "".join(f"deployment.apps/{name} scaled\n" for name in NAMES)
    assert server.connections <= parallel


def test_a_failure_stops_none_but_its_own(command_line: Make, server: RecordingServer) -> None:
    serve_six(server)
    server.answers[f"PATCH {path('d1', 'scale')}"] = status(403, "no", "Forbidden")
    result = command_line(server.url)(*ALL, "--parallel=1")
    assert (result.code, patched(server)) == (4, NAMES)
    assert result.out == "".join(f"deployment.apps/{name} scaled\n" for name in NAMES if name != "d1")
    assert "not begun" not in result.err


def test_with_fail_fast_nothing_begins_after_a_failure(command_line: Make, server: RecordingServer) -> None:
    serve_six(server)
    server.answers[f"PATCH {path('d1', 'scale')}"] = status(403, "no", "Forbidden")
    result = command_line(server.url)(*ALL, "--parallel=1", "--fail-fast")
    assert (result.code, result.out) == (4, "deployment.apps/d0 scaled\n")
    assert patched(server) == ["d0", "d1"]
    left = ", ".join(f"deployment.apps/{name}" for name in NAMES[2:])
    assert result.errors[-1] == f"stopped at the first failure: 1 done, 1 failed, 4 not begun: {left}"


def test_with_fail_fast_a_target_that_is_not_there_stops_all(command_line: Make, server: RecordingServer) -> None:
    serve_six(server)
    server.answers[LIST] = Answer({"kind": "Table", "rows": [{"cells": ["d0"]}]})
    result = command_line(server.url)("scale", "deploy/d0", "deploy/gone", "--replicas=3", "--fail-fast")
    assert (result.code, result.out, patched(server)) == (3, "", [])
    assert result.errors[-1] == "stopped at the first failure: 0 done, 1 failed, 1 not begun: deployment.apps/d0"


AUTOSCALE = ("autoscale", "deploy", *NAMES, "--max=5", "--cpu=50%", "--parallel=1", "--fail-fast")


def test_autoscale_stops_at_a_refusal_too(command_line: Make, server: RecordingServer) -> None:
    serve_six(server)
    for name in NAMES:
        found = deployment(name)
        requests = {} if name == "d1" else {"requests": {"cpu": "1"}}
        found["spec"]["template"] = {"spec": {"containers": [{"name": "c", "resources": requests}]}}
        server.answers[f"GET {path(name)}"] = Answer(found)
        written: dict[str, Any] = {"metadata": {"name": name}, "spec": {"maxReplicas": 5}}
        server.answers[f"PATCH {hpas()}/{name}"] = Answer(written)
    result = command_line(server.url)(*AUTOSCALE)
    assert (result.code, result.out) == (6, "horizontalpodautoscaler.autoscaling/d0 autoscaled\n")
    left = ", ".join(f"deployment.apps/{name}" for name in NAMES[2:])
    assert result.errors[-1] == f"stopped at the first failure: 1 done, 1 failed, 4 not begun: {left}"


def test_ctrl_c_lets_what_is_under_way_end_and_says_what_was_not_begun(
    command_line: Make, server: RecordingServer
) -> None:
    serve_six(server)

    def pressed(_: Request) -> Answer:
        os.kill(os.getpid(), signal.SIGINT)
        # Until the main thread has heard of it the write stays under way.
        threading.Event().wait(0.3)
        return Answer({})

    server.answers[f"PATCH {path('d1', 'scale')}"] = pressed
    result = command_line(server.url)(*ALL, "--parallel=1")
    assert (result.code, patched(server)) == (130, ["d0", "d1"])
    assert result.out == "deployment.apps/d0 scaled\ndeployment.apps/d1 scaled\n"
    left = ", ".join(f"deployment.apps/{name}" for name in NAMES[2:])
    assert result.errors == [f"interrupted: 2 done, 0 failed, 4 not begun: {left}"]


def test_a_second_ctrl_c_ends_at_once() -> None:
    run = Run(fail_fast=False)
    with run.interruptible(2):
        signal.raise_signal(signal.SIGINT)
        assert run.stop.asked
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_with_one_target_the_first_ctrl_c_ends() -> None:
    with pytest.raises(KeyboardInterrupt), Run(fail_fast=False).interruptible(1):
        signal.raise_signal(signal.SIGINT)


def test_a_wait_hears_of_ctrl_c() -> None:
    run = Run(fail_fast=False)
    with run.interruptible(2):
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(InterruptedRunError, match="the wait was interrupted") as caught:
            run.sleep(60)
    assert caught.value.exit_code == ExitCode.INTERRUPTED
