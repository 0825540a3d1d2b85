"""The command as a whole: exit codes, one line for each error, streams and signals."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from mlscale import __version__
from mlscale.cli import app
from mlscale.cli.main import run
from tests.command_line import CLEARED, CommandLine, heed_interrupts, written_kubeconfig
from tests.recording_server import Answer, RecordingServer, Request, recording_server, status
from tests.unit.scale.objects import deployment, listing, path, pod, scale, serve

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MLSCALE = [sys.executable, "-m", "mlscale"]

USAGE = [
    ("scale web", "--replicas is missing; give the new number, as in --replicas 3"),
    ("scale web --replicas abc", "--replicas 'abc' is not a whole number; give it as in --replicas 3"),
    ("scale web --replicas -1", "--replicas -1 is out of range; give a whole number from 0 to 2147483647"),
    ("scale web --replicas", "--replicas needs a value; give it as in --replicas VALUE"),
    ("scale --replicas 3", "no workload was named; give a NAME, TYPE/NAME or -f FILE"),
    ("scale deploy web --all --replicas 3", "both a name and --all were given; give names, or a type and --all"),
    ("scale deploy --replicas 3", "'deploy' is a type and no name was given; give a name, or deployment/deploy"),
    ("scale web --replicas 3 -o wide", None),
    ("scale web --replicas 3 --dry-run=maybe", None),
    ("scale web --replicas 3 --timeout 5", "--timeout '5' is not a duration; give it with a unit, as in --timeout 30s"),
    ("scale web --replicas 3 --nosuch", "No such option: --nosuch; see mlscale scale --help"),
    ("scale web --replicas 3 --all=maybe", "--all=maybe is neither true nor false; give --all alone, or --all=false"),
    ("nosuch", "No such command 'nosuch'; see mlscale --help"),
    ("--request-timeout 0 scale web --replicas 3", "--request-timeout 0 would wait for ever; give a duration"),
    ("--nosuch scale web", "No such option: --nosuch; see mlscale --help"),
    ("--as-group dev scale web --replicas 3", "--as-group and --as-uid need a user to act as; give --as USER too"),
    ("--context nope scale web --replicas 3", 'has no context "nope"'),
    ("scale -f nosuch.yaml --replicas 3", 'the path "nosuch.yaml" does not exist; give a file, a directory or -'),
]  # fmt: skip


@pytest.mark.parametrize(("line", "message"), USAGE)
def test_a_usage_error_is_one_line_and_asks_nothing(
    command_line: Callable[..., CommandLine], server: RecordingServer, line: str, message: str | None
) -> None:
    result = command_line(server.url)(*line.split())
    assert (result.code, result.out) == (2, "")
    assert len(result.err.splitlines()) == len(result.errors) == 1
    assert (message or "; give ") in result.err
    assert server.requests == []


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"mlscale {__version__}\n"


@pytest.mark.parametrize("line", ["--help", "-h", "scale --help", "scale -h -n x"])
def test_help_is_an_answer(capsys: pytest.CaptureFixture[str], line: str) -> None:
    assert run(line.split()) == 0
    captured = capsys.readouterr()
    assert captured.out.startswith("Usage: mlscale")
    assert captured.err == ""


def test_nothing_at_all_shows_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([]) == 2
    assert "Usage: mlscale" in capsys.readouterr().out


REFUSALS = [
    (status(401, "Unauthorized", "Unauthorized"), 4, "does not accept the credentials of user 'admin' of context"),
    (status(403, 'deployments.apps "web" is forbidden: User "x"', "Forbidden"), 4, '"web" is forbidden: User "x"'),
    (status(500, "etcdserver: request timed out", "InternalError"), 1, "etcdserver: request timed out"),
    (status(404, 'deployments.apps "web" not found', "NotFound", name="web"), 3, "not found in namespace"),
]


@pytest.mark.parametrize(("answer", "code", "message"), REFUSALS)
def test_a_refusal_has_its_exit_code(
    command_line: Callable[..., CommandLine], server: RecordingServer, answer: Answer, code: int, message: str
) -> None:
    serve(server, deployment("other"))
    server.answers[f"GET {path('web')}"] = server.answers[f"PATCH {path('web', 'scale')}"] = answer
    result = command_line(server.url)("scale", "web", "--replicas", "3")
    assert (result.code, result.out) == (code, "")
    assert len(result.errors) == 1
    assert message in result.errors[0]
    assert sum(request.method == "PATCH" for request in server.requests) == 1


def test_debug_shows_requests_and_no_secret(command_line: Callable[..., CommandLine], server: RecordingServer) -> None:
    serve(server, deployment("web", 1))
    result = command_line(server.url, {"token": "s3cret"})("scale", "web", "--replicas", "3", "--debug")
    assert result.code == 0
    debugged = [line for line in result.err.splitlines() if line.startswith("debug: ")]
    assert [line.split()[1] for line in debugged] == ["GET", "GET", "PATCH"]
    assert "s3cret" not in result.err + result.out


def test_nothing_is_coloured_in_a_pipe(command_line: Callable[..., CommandLine], server: RecordingServer) -> None:
    serve(server, deployment("web", 1))
    result = command_line(server.url)("scale", "web", "--replicas", "3")
    assert result.out == "deployment.apps/web scaled\n"
    assert "\x1b" not in result.err


def test_a_defect_is_one_line_that_shows_nothing_of_the_data(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(arguments: list[str]) -> list[str]:
        raise KeyError("s3cret")

    monkeypatch.setattr(app, "normalised", broken)
    assert run(["scale"]) == 1
    err = capsys.readouterr().err
    assert err.startswith("error: mlscale failed: KeyError in test_main.py:")
    assert "s3cret" not in err
    assert err.count("\n") == 1


def environment(tmp_path: Path, **more: str) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if key not in CLEARED}
    return kept | {"HOME": str(tmp_path)} | more


@pytest.fixture
def kubeconfig(server: RecordingServer, tmp_path: Path) -> str:
    serve(server, *[deployment(f"d{i}", 1) for i in range(3)])
    server.answers["GET /apis/apps/v1/namespaces/default/deployments"] = listing(
        *[deployment(f"d{i}", 1) for i in range(3)]
    )
    return written_kubeconfig(tmp_path / "kubeconfig", server.url)


def shell(tmp_path: Path, command: str, kubeconfig: str, **more: str) -> subprocess.CompletedProcess[str]:
    """``command`` in a shell that knows $MLSCALE and $KUBECONFIG."""
    environ = environment(tmp_path, KUBECONFIG=kubeconfig, MLSCALE=" ".join(MLSCALE), **more)
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], env=environ, capture_output=True, text=True, timeout=30
    )


def test_a_reader_that_goes_away_is_no_error_and_stops_nothing(
    server: RecordingServer, kubeconfig: str, tmp_path: Path
) -> None:
    # With a list longer than what is scaled at once, stopping at the first write would leave the rest as it was.
    ended = shell(tmp_path, "$MLSCALE scale deploy --all --replicas 3 | true", kubeconfig)
    assert (ended.returncode, ended.stdout) == (0, "")
    assert "Traceback" not in ended.stderr
    assert "BrokenPipe" not in ended.stderr
    assert sorted(line for line in server.lines if line.startswith("PATCH")) == [
        f"PATCH {path(f'd{i}', 'scale')}" for i in range(3)
    ]


def test_a_reader_that_goes_away_does_not_hide_an_error(
    server: RecordingServer, kubeconfig: str, tmp_path: Path
) -> None:
    server.answers[f"PATCH {path('d1', 'scale')}"] = status(403, "d1 is forbidden", "Forbidden")
    ended = shell(tmp_path, "$MLSCALE scale deploy --all --replicas 3 | true", kubeconfig)
    assert ended.returncode == 4
    assert "error: d1 is forbidden" in ended.stderr


def test_a_full_disk_is_one_line(kubeconfig: str, tmp_path: Path) -> None:
    ended = shell(tmp_path, "$MLSCALE scale d0 --replicas 3 > /dev/full", kubeconfig)
    assert ended.returncode == 1
    assert "error: cannot write to standard output: No space left on device; " in ended.stderr
    assert "Traceback" not in ended.stderr
    assert "Exception ignored" not in ended.stderr


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-"])
def test_a_closed_stream_is_no_defect(server: RecordingServer, kubeconfig: str, tmp_path: Path, closed: str) -> None:
    ended = shell(tmp_path, f"$MLSCALE scale d0 --replicas 3 {closed}", kubeconfig)
    assert ended.returncode == 0
    assert "Traceback" not in ended.stderr
    assert f"PATCH {path('d0', 'scale')}" in server.lines


def test_a_manifest_from_a_closed_standard_input(kubeconfig: str, tmp_path: Path) -> None:
    ended = shell(tmp_path, "$MLSCALE scale -f - --replicas 3 <&-", kubeconfig)
    assert ended.returncode == 2
    assert ended.stderr.startswith("error: standard input holds no objects; ")


def test_text_is_utf_8_whatever_the_locale(server: RecordingServer, kubeconfig: str, tmp_path: Path) -> None:
    server.answers[f"GET {path('d0')}"] = Answer(deployment("d0", 1, annotations={"team": "é中\ud800"}))
    ended = shell(tmp_path, "$MLSCALE scale d0 --replicas 3 -o json", kubeconfig, PYTHONIOENCODING="ascii")
    assert ended.returncode == 0
    assert '"team": "é中\\ud800"' in ended.stdout


def test_ctrl_c_during_a_wait_exits_130(server: RecordingServer, tmp_path: Path) -> None:
    waiting = threading.Event()

    def pods(request: Request) -> Answer:
        waiting.set()
        return listing(pod("web-1", ready=False))

    serve(server, deployment("web", 2))
    server.answers[f"GET {path('web', 'scale')}"] = Answer(scale("web", 2))
    server.answers[f"GET {path('web')}"] = Answer(deployment("web", 2))
    server.answers["GET /api/v1/namespaces/default/pods"] = pods
    kubeconfig = written_kubeconfig(tmp_path / "kubeconfig", server.url)
    arguments = ["--kubeconfig", kubeconfig, "scale", "web", "--replicas", "2", "--wait"]
    with subprocess.Popen(
        [*MLSCALE, *arguments],
        env=environment(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=heed_interrupts,
    ) as process:
        assert waiting.wait(20)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert out == ""
    assert "Traceback" not in err


TERMINAL = [({}, True), ({"NO_COLOR": "1"}, False), ({"CI": "true"}, False), ({"TERM": "dumb"}, False)]


@pytest.mark.parametrize(("more", "coloured"), TERMINAL)
def test_colour_on_a_terminal_only_where_it_is_wanted(
    kubeconfig: str, tmp_path: Path, more: dict[str, Any], coloured: bool
) -> None:
    main_end, other_end = os.openpty()
    environ = environment(tmp_path, KUBECONFIG=kubeconfig, **({"TERM": "xterm"} | more))
    with subprocess.Popen(
        [*MLSCALE, "scale", "d0", "--replicas", "3"], env=environ, stdout=subprocess.PIPE, stderr=other_end
    ) as process:
        out, _ = process.communicate(timeout=20)
    os.close(other_end)
    err = os.read(main_end, 65536)
    os.close(main_end)
    assert process.returncode == 0
    assert out == b"deployment.apps/d0 scaled\n"
    assert (b"\x1b[36mnote:\x1b[0m" in err) is coloured
    assert b"deployment.apps/d0: 1 -> 3 replicas" in err


def test_an_unreachable_server_is_one_line(command_line: Callable[..., CommandLine]) -> None:
    with recording_server() as gone:
        url = gone.url
    result = command_line(url)("scale", "web", "--replicas", "3")
    assert (result.code, result.out) == (1, "")
    assert result.errors == [
        f"the server {url.removeprefix('http://')} refused the connection; "
        "check that the cluster is up, and the address in the kubeconfig"
    ]
