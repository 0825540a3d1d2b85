"""What a run imports: the whole run is to take less time than importing the official client would."""

from __future__ import annotations

import os
import subprocess
import sys
from types import MappingProxyType
from typing import TYPE_CHECKING

import pytest

from tests.command_line import CLEARED, written_kubeconfig
from tests.unit.scale.objects import deployment, path, serve

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.recording_server import RecordingServer

HEAVY = ("kubernetes", "rich", "numpy", "pydantic", "requests", "urllib3", "asyncio", "concurrent.futures")
RUNNER = """
import atexit, sys
atexit.register(lambda: print("MODULES", *sorted(sys.modules), file=sys.stderr))
from mlscale.cli.main import main
main()
"""


def imported(
    tmp_path: Path, *arguments: str, code: int = 0, environ: Mapping[str, str] = MappingProxyType({})
) -> set[str]:
    """The modules of a run with ``arguments``."""
    kept = {key: value for key, value in os.environ.items() if key not in CLEARED}
    ended = subprocess.run(
        [sys.executable, "-c", RUNNER, *arguments],
        env=kept | {"HOME": str(tmp_path), **environ},
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert ended.returncode == code, ended.stderr
    last = ended.stderr.splitlines()[-1].split()
    assert last[0] == "MODULES"
    return set(last[1:])


def heavy(modules: set[str]) -> set[str]:
    return modules & set(HEAVY)


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["scale", "--help"]])
def test_the_command_line_alone(tmp_path: Path, arguments: list[str]) -> None:
    modules = imported(tmp_path, *arguments)
    assert heavy(modules) == set()
    assert not {"ssl", "http.client", "yaml"} & modules


def test_shell_completion(tmp_path: Path) -> None:
    completing = {"_MLSCALE_COMPLETE": "complete_bash", "COMP_WORDS": "mlscale sc", "COMP_CWORD": "1"}
    assert heavy(imported(tmp_path, environ=completing)) == set()


def test_scale_against_a_server(tmp_path: Path, server: RecordingServer) -> None:
    serve(server, deployment("web", 1))
    kubeconfig = written_kubeconfig(tmp_path / "kubeconfig", server.url)
    modules = imported(tmp_path, "--kubeconfig", kubeconfig, "scale", "web", "--replicas", "3")
    assert f"PATCH {path('web', 'scale')}" in server.lines
    assert heavy(modules) == set()
    assert "mlscale.kube.http1" in modules
    assert not {"http.client", "email"} & modules


def test_an_error_is_as_light(tmp_path: Path) -> None:
    assert heavy(imported(tmp_path, "scale", code=2)) == set()


def test_a_command_does_not_pay_for_the_others(tmp_path: Path) -> None:
    modules = imported(tmp_path, "scale", "--help")
    assert "mlscale.cli.scale_command" in modules
    assert not {"mlscale.cli.autoscale_command", "mlscale.cli.status_command"} & modules


def test_a_namespace_called_like_a_command_hides_none(tmp_path: Path) -> None:
    assert "mlscale.cli.status_command" in imported(tmp_path, "-n", "scale", "status", "--help")
