"""What a run imports: the whole run is to take less time than importing the official client would."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.command_line import CLEARED, written_kubeconfig
from tests.recording_server import Answer
from tests.unit.scale.objects import deployment, path, serve

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.recording_server import RecordingServer

HEAVY = frozenset(
    {
        "kubernetes", "rich", "numpy", "pydantic", "requests", "urllib3", "asyncio", "concurrent.futures", "logging",
        "email", "http", "urllib.request", "unittest", "tempfile", "multiprocessing", "decimal", "fractions",
        # 13 ms, and regular expressions that nothing here needs: a kubeconfig is read without it.
        "yaml",
        # Each class that it makes costs 0.5 ms: see mlscale.frozen.
        "dataclasses",
        # Host names are given as bytes, or Python loads the tables of the codec.
        "encodings.idna",
    }
)  # fmt: skip
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
    return modules & HEAVY


def kubeconfig_for(tmp_path: Path, server: RecordingServer) -> str:
    """A kubeconfig in the YAML that kubectl writes."""
    path = Path(written_kubeconfig(tmp_path / "kubeconfig", server.url))
    path.write_text(yaml.safe_dump(json.loads(path.read_text())))
    return str(path)


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["scale", "--help"]])
def test_the_command_line_alone(tmp_path: Path, arguments: list[str]) -> None:
    modules = imported(tmp_path, *arguments)
    assert heavy(modules) == set()
    assert not {"ssl", "socket", "json"} & modules


def test_shell_completion(tmp_path: Path) -> None:
    completing = {"_MLSCALE_COMPLETE": "complete_bash", "COMP_WORDS": "mlscale sc", "COMP_CWORD": "1"}
    assert heavy(imported(tmp_path, environ=completing)) == set()


def test_scale_against_a_server(tmp_path: Path, server: RecordingServer) -> None:
    serve(server, deployment("web", 1))
    kubeconfig = kubeconfig_for(tmp_path, server)
    modules = imported(tmp_path, "--kubeconfig", kubeconfig, "scale", "web", "--replicas", "3")
    assert f"PATCH {path('web', 'scale')}" in server.lines
    assert heavy(modules) == set()


@pytest.mark.parametrize(("section", "listed"), [("pods", "/api/v1"), ("hpa", "/apis/autoscaling/v2")])
def test_status_against_a_server(tmp_path: Path, server: RecordingServer, section: str, listed: str) -> None:
    resource = {"pods": "pods", "hpa": "horizontalpodautoscalers"}[section]
    server.answers[f"GET {listed}/namespaces/default/{resource}"] = Answer({"kind": "Table", "rows": []})
    server.answers["GET /api/v1/namespaces/default"] = Answer({})
    kubeconfig = kubeconfig_for(tmp_path, server)
    modules = imported(tmp_path, "--kubeconfig", kubeconfig, "status", "--only", section)
    assert f"GET {listed}/namespaces/default/{resource}" in server.lines
    assert heavy(modules) == set()


def test_autoscale_against_a_server(tmp_path: Path, server: RecordingServer) -> None:
    serve(server, deployment("web", 1))
    kubeconfig = kubeconfig_for(tmp_path, server)
    options = ("--max", "3", "--cpu", "50%", "--force", "--dry-run=client")
    modules = imported(tmp_path, "--kubeconfig", kubeconfig, "autoscale", "web", *options)
    assert f"GET {path('web')}" in server.lines
    assert heavy(modules) == set()


def test_an_error_is_as_light(tmp_path: Path) -> None:
    assert heavy(imported(tmp_path, "scale", code=2)) == set()


def test_a_command_does_not_pay_for_the_others(tmp_path: Path) -> None:
    modules = imported(tmp_path, "scale", "--help")
    assert "mlscale.cli.scale_command" in modules
    assert not {"mlscale.cli.autoscale_command", "mlscale.cli.status_command"} & modules


def test_a_namespace_called_like_a_command_hides_none(tmp_path: Path) -> None:
    assert "mlscale.cli.status_command" in imported(tmp_path, "-n", "scale", "status", "--help")
