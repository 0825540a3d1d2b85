"""The command line run in this process against a server of the test."""

from __future__ import annotations

import io
import json
import signal
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from mlscale.cli.main import run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CLEARED = (
    "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy", "KUBECONFIG", "CI", "NO_COLOR",
    "KUBERNETES_SERVICE_HOST", "KUBERNETES_MASTER",
)  # fmt: skip


@dataclass(frozen=True)
class Result:
    """How a run of the command line ended."""

    code: int
    out: str
    err: str

    @property
    def errors(self) -> list[str]:
        """The ``error:`` lines, without that word."""
        return [line.removeprefix("error: ") for line in self.err.splitlines() if line.startswith("error: ")]


def written_kubeconfig(path: Path, server: str, user: dict[str, Any] | None = None, **cluster: Any) -> str:
    """A kubeconfig of the context lab, whose user is admin and whose cluster is lab."""
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "lab",
        "contexts": [{"name": "lab", "context": {"cluster": "lab", "user": "admin"}}],
        "clusters": [{"name": "lab", "cluster": {"server": server, **cluster}}],
        "users": [{"name": "admin", "user": user or {}}],
    }
    path.write_text(json.dumps(config))
    return str(path)


class CommandLine:
    """``mlscale`` with a kubeconfig for one server, run in this process."""

    def __init__(self, kubeconfig: str, capture: pytest.CaptureFixture[str], patch: pytest.MonkeyPatch) -> None:
        self.kubeconfig = kubeconfig
        self._capture = capture
        self._patch = patch

    def __call__(self, *arguments: str, stdin: str = "") -> Result:
        self._patch.setattr(sys, "stdin", io.StringIO(stdin))
        self._capture.readouterr()
        self._patch.setenv("KUBECONFIG", self.kubeconfig)
        code = run([*arguments])
        captured = self._capture.readouterr()
        return Result(int(code), captured.out, captured.err)


@pytest.fixture
def command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., CommandLine]:
    """Makes a CommandLine for a server's URL; the rest of its arguments are those of ``written_kubeconfig``."""
    for name in CLEARED:
        monkeypatch.delenv(name, raising=False)

    def make(server: str, user: dict[str, Any] | None = None, **cluster: Any) -> CommandLine:
        return CommandLine(written_kubeconfig(tmp_path / "kubeconfig", server, user, **cluster), capsys, monkeypatch)

    return make


def heed_interrupts() -> None:
    """For the child process of a test that interrupts it: one started in the background inherits Ctrl-C ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
