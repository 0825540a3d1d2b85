"""``mlscale sandbox``: what runs on it, how it ends, and what it says when it cannot start."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mlscale.cli.main import run
from mlscale.sandbox.scenario_file import scenario_names
from tests.command_line import heed_interrupts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MLSCALE = [sys.executable, "-m", "mlscale"]
PRINTS_KUBECONFIG = "import os; print(os.environ['KUBECONFIG'])"
SCENARIO = ("--scenario", "steady")


def sandbox(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # type: ignore[call-overload,no-any-return]
        [*MLSCALE, "sandbox", *arguments], capture_output=True, text=True, timeout=60, check=False, **options
    )


def python(*arguments: str) -> list[str]:
    return ["--", sys.executable, "-c", *arguments]


def test_mlscale_on_it() -> None:
    """Its own verbs are found although only the interpreter's folder has them."""
    ended = sandbox("exec", *SCENARIO, "--", *MLSCALE, "scale", "my-ml-model", "--replicas", "2")
    assert (ended.returncode, ended.stdout) == (0, "deployment.apps/my-ml-model scaled\n")


def test_the_commands_streams_and_exit_code_are_its_own() -> None:
    script = "import sys; print(sys.stdin.read().upper(), end=''); print('said', file=sys.stderr); sys.exit(7)"
    ended = sandbox("exec", *SCENARIO, *python(script), input="text\n")
    assert (ended.returncode, ended.stdout, ended.stderr) == (7, "TEXT\n", "said\n")


def test_options_of_the_command_are_not_read() -> None:
    command = python("import sys; print(sys.argv[1:])", "-n", "x", "--", "-w")
    ended = sandbox("exec", "--speed=60", "--seed", "3", *command)
    assert ended.stdout == "['-n', 'x', '--', '-w']\n"


def test_nothing_is_left_behind() -> None:
    ended = sandbox("exec", *SCENARIO, *python(PRINTS_KUBECONFIG))
    kubeconfig = Path(ended.stdout.strip())
    assert kubeconfig.name == "kubeconfig"
    assert not kubeconfig.parent.exists()


def test_a_signal_that_ends_the_command() -> None:
    ended = sandbox("exec", *SCENARIO, *python("import os, signal; os.kill(os.getpid(), signal.SIGKILL)"))
    assert ended.returncode == 128 + signal.SIGKILL


def test_a_command_that_is_not_there(tmp_path: Path) -> None:
    ended = sandbox("exec", *SCENARIO, "--", "no-such-command")
    assert ended.returncode == 127
    assert ended.stderr == "error: the command 'no-such-command' is not found; check its name and PATH\n"
    ended = sandbox("exec", *SCENARIO, "--", str(tmp_path))
    assert (ended.returncode, "cannot be run" in ended.stderr) == (126, True)


@pytest.fixture
def started() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    running: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> subprocess.Popen[str]:
        pipe = subprocess.PIPE
        command = [*MLSCALE, "sandbox", *arguments]
        running.append(subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, preexec_fn=heed_interrupts))
        return running[-1]

    yield start
    for process in running:
        process.kill()
        process.wait()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_run_serves_until_it_is_ended(started: Callable[..., subprocess.Popen[str]], number: signal.Signals) -> None:
    process = started("run", *SCENARIO)
    assert process.stdout is not None
    line = process.stdout.readline()
    kubeconfig = Path(line.removeprefix("export KUBECONFIG=").strip())
    assert json.loads(kubeconfig.read_text(encoding="utf-8"))["current-context"] == "mlscale-sandbox"
    scaled = subprocess.run(
        [*MLSCALE, "scale", "my-ml-model", "--replicas", "2"],
        env={**os.environ, "KUBECONFIG": str(kubeconfig)}, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert scaled.stdout == "deployment.apps/my-ml-model scaled\n"
    process.send_signal(number)
    assert process.wait(timeout=10) == 0
    assert not kubeconfig.parent.exists()


def test_an_interrupt_is_the_commands_to_answer(started: Callable[..., subprocess.Popen[str]]) -> None:
    """Ctrl-C reaches both; the sandbox stays until the command has ended as it likes."""
    script = (
        "import os, signal, sys\n"
        "signal.signal(signal.SIGINT, lambda *_: (print(os.path.exists(os.environ['KUBECONFIG'])), sys.exit(5)))\n"
        "print('ready', flush=True)\n"
        "signal.pause()"
    )
    process = started("exec", *SCENARIO, *python(script))
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    (child,) = children(process.pid)
    process.send_signal(signal.SIGINT)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(timeout=0.3)
    os.kill(child, signal.SIGINT)
    assert process.wait(timeout=10) == 5
    assert process.stdout.read() == "True\n"


def children(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text(encoding="utf-8").split()]


def test_the_end_of_the_sandbox_ends_the_command(started: Callable[..., subprocess.Popen[str]]) -> None:
    process = started("exec", *SCENARIO, *python("print('ready', flush=True); import time; time.sleep(60)"))
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.terminate()
    assert process.wait(timeout=10) == 128 + signal.SIGTERM


def test_every_scenario_has_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["sandbox", "scenarios"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == scenario_names()
    assert all(len(line.split(maxsplit=1)) == 2 for line in lines)


@pytest.mark.parametrize(
    ("arguments", "code", "error"),
    [
        (["exec"], 2, "no command is given; give one after --, as in mlscale sandbox exec -- kubectl get pods"),
        (["exec", "--speed", "0", "--", "true"], 2, "--speed '0' is not a speed; give a number above 0, at most 3600"),
        (["exec", "--speed", "nan", "--", "true"], 2,
         "--speed 'nan' is not a speed; give a number above 0, at most 3600"),
        (["run", "--seed", "-1"], 2, "--seed '-1' is not a whole number; give it as in --seed 7"),
        (["exec", "--scenario", "steadi", "--", "true"], 2,
         'there is no scenario "steadi"; did you mean "steady"?'),
    ],
)  # fmt: skip
def test_what_is_refused(capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, error: str) -> None:
    assert run(["sandbox", *arguments]) == code
    assert capsys.readouterr().err == f"error: {error}\n"


@pytest.mark.parametrize("package", ["starlette", "uvicorn", "trustme"])
def test_without_its_extra_the_fix_is_named(package: str) -> None:
    script = f"import sys; sys.modules[{package!r}] = None; from mlscale.cli.main import main; main()"
    command = [sys.executable, "-c", script, "sandbox", "exec", "--", "true"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    fix = "install it with: pip install 'mlscale[sandbox]'"
    assert (ended.returncode, ended.stderr) == (1, f"error: the sandbox needs the package {package}; {fix}\n")


def test_other_commands_do_not_pay_for_it() -> None:
    script = "import sys; from mlscale.cli.main import run; run(['scale', '--help']); print(*sys.modules)"
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=True)
    assert not {"mlscale.cli.sandbox_command", "starlette", "uvicorn"} & set(ended.stdout.split())
