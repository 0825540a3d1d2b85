"""``mlscale sandbox``: a simulated cluster to practise on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mlscale.cli.session import Session  # noqa: TC001  typer reads the annotations
from mlscale.cli.values import seed_value, speed_value
from mlscale.errors import ExitCode, MlscaleError, NotFoundError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

sandbox = typer.Typer(
    help="A simulated cluster in one process, to practise on; no cluster is needed.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)

Scenario = Annotated[str, typer.Option("--scenario", help="Name of a scenario, or a YAML file with one's own.")]
Speed = Annotated[str, typer.Option("--speed", help="How many times as fast as real time its clock runs.")]
Seed = Annotated[str, typer.Option("--seed", help="A number; the same seed gives the same run.")]

_EXTRA = ("starlette", "trustme", "uvicorn")
"""What the extra ``mlscale[sandbox]`` brings."""
_NOT_FOUND = 127
_NOT_EXECUTABLE = 126
"""Exit codes of env(1) for a command that cannot be started."""


@sandbox.command("exec")
def exec_command(
    context: typer.Context,
    command: Annotated[list[str] | None, typer.Argument(metavar="-- COMMAND…", help="What to run on it.")] = None,
    scenario: Scenario = "daily",
    speed: Speed = "1",
    seed: Seed = "0",
) -> int:
    """Start a simulated cluster, run COMMAND with KUBECONFIG set to it, and end with its exit code."""
    session: Session = context.obj
    if not command:
        raise UsageError("no command is given", "give one after --, as in mlscale sandbox exec -- kubectl get pods")
    with _cluster(scenario, speed, seed) as kubeconfig:
        return _run(command, _environment(os.environ, kubeconfig), session)


@sandbox.command("run")
def run_command(context: typer.Context, scenario: Scenario = "daily", speed: Speed = "1", seed: Seed = "0") -> int:
    """Serve a simulated cluster until Ctrl-C; prints the line that points kubectl and mlscale to it."""
    session: Session = context.obj
    with _cluster(scenario, speed, seed) as kubeconfig:
        session.answer(f"export KUBECONFIG={kubeconfig}\n")
        session.messages.note("simulated cluster; Ctrl-C ends it and removes the file")
        _wait_for_the_end()
    return ExitCode.DONE


@sandbox.command("scenarios")
def scenarios_command(context: typer.Context) -> int:
    """List the scenarios, each with what it teaches."""
    from mlscale.sandbox.scenario_file import load_scenario, scenario_names

    session: Session = context.obj
    stories = {name: load_scenario(name).story for name in scenario_names()}
    width = max(len(name) for name in stories)
    session.answer("".join(f"{name:<{width}}   {story}\n" for name, story in stories.items()))
    return ExitCode.DONE


@contextmanager
def _cluster(scenario: str, speed: str, seed: str) -> Iterator[Path]:
    """A cluster that is served while the context lasts: its kubeconfig. Raises UsageError and MlscaleError."""
    rate, number = speed_value("--speed", speed), seed_value("--seed", seed)
    try:
        from mlscale.sandbox.server.serving import serving
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in _EXTRA:
            raise
        fix = "install it with: pip install 'mlscale[sandbox]'"
        raise MlscaleError(f"the sandbox needs the package {package}", fix) from error
    from mlscale.sandbox.scenario_file import load_scenario
    from mlscale.sandbox.simulation import Simulation

    start = datetime.now(UTC).replace(microsecond=0)
    simulation = Simulation(load_scenario(scenario), number, start)
    with serving(simulation, rate, time.monotonic) as kubeconfig:
        yield kubeconfig


def _environment(outer: Mapping[str, str], kubeconfig: Path) -> dict[str, str]:
    """What COMMAND sees: this cluster alone, a discovery cache that goes with it, and mlscale itself on the PATH."""
    own = {"KUBECONFIG": str(kubeconfig), "KUBECACHEDIR": str(kubeconfig.with_name("cache"))}
    path = os.pathsep.join(filter(None, (outer.get("PATH"), str(Path(sys.executable).parent))))
    return {**outer, **own, "PATH": path}


def _run(command: list[str], environment: dict[str, str], session: Session) -> int:
    """The exit code of ``command``, 128 and the signal's number where one has ended it."""
    # A handler that does nothing, since an ignored signal would be ignored by the command too.
    with _signals(signal.SIGINT, lambda: None):
        try:
            child = subprocess.Popen(command, env=environment)
        except FileNotFoundError:
            session.messages.error(NotFoundError(f"the command {command[0]!r} is not found", "check its name and PATH"))
            return _NOT_FOUND
        except OSError as error:
            session.messages.error(MlscaleError(f"the command {command[0]!r} cannot be run: {error.strerror}"))
            return _NOT_EXECUTABLE
        with _signals(signal.SIGTERM, child.terminate):
            code = child.wait()
    return 128 - code if code < 0 else code


def _wait_for_the_end() -> None:
    """Until Ctrl-C, or SIGTERM."""
    ended = threading.Event()
    with _signals(signal.SIGINT, ended.set), _signals(signal.SIGTERM, ended.set):
        ended.wait()


@contextmanager
def _signals(number: signal.Signals, action: Callable[[], None]) -> Iterator[None]:
    """Have ``action`` done in place of what the signal does; in another thread than the main one nothing changes."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(number, lambda *_: action())
    try:
        yield
    finally:
        signal.signal(number, before)
