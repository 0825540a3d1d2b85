"""The HPA controller of Kubernetes itself, built from its pinned module and asked questions in JSON."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tests.cluster.binaries import ClusterError, cache_root, file_lock, require_go

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Json = dict[str, Any]
SOURCES = Path(__file__).parent / "upstream"
PROGRAM = "oracle.test"
_ENVIRONMENT = {"CGO_ENABLED": "0", "GOWORK": "off"}


def program() -> Path:
    """Where the program is, or will be, cached: its folder is named by its sources and pinned modules."""
    digest = hashlib.sha256()
    for file in sorted(SOURCES.iterdir()):
        digest.update(file.name.encode() + file.read_bytes())
    return cache_root() / f"oracle-{digest.hexdigest()[:12]}" / PROGRAM


def why_unavailable() -> str:
    """Why upstream cannot be asked here; empty where its program is cached or Go can build it."""
    if program().exists():
        return ""
    try:
        require_go()
    except ClusterError as error:
        return str(error)
    return ""


def ensure_program(say: Callable[[str], None]) -> Path:
    """Build the program if that was not done yet. Raises ClusterError with Go's words."""
    wanted = program()
    with file_lock(wanted.parent.with_suffix(".lock"), say):
        if not wanted.exists():
            say(f"building upstream's HPA controller into {wanted.parent} (once; 2 to 5 minutes on 2 cores)")
            _build(wanted)
    return wanted


def ask(test: Literal["TestCalculator", "TestController"], questions: Sequence[Json], timeout: float) -> list[Any]:
    """Upstream's answer to each question, in their order."""
    with tempfile.TemporaryDirectory(prefix="mlscale-oracle-") as folder:
        asked, answered = Path(folder) / "questions", Path(folder) / "answers"
        asked.write_text("".join(json.dumps(question) + "\n" for question in questions), encoding="utf-8")
        files = {"MLSCALE_ORACLE_QUESTIONS": str(asked), "MLSCALE_ORACLE_ANSWERS": str(answered)}
        command = [str(program()), f"-test.run=^{test}$", "-test.timeout=0"]
        done = subprocess.run(command, env=os.environ | files, capture_output=True, text=True, timeout=timeout)
        if done.returncode != 0:
            raise AssertionError(f"{test} of upstream failed:\n{done.stdout[-4000:]}{done.stderr[-4000:]}")
        return [json.loads(line) for line in answered.read_text(encoding="utf-8").splitlines()]


def _build(wanted: Path) -> None:
    wanted.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".build-", dir=wanted.parent) as scratch:
        output = Path(scratch) / PROGRAM
        # The flags of the control plane's programs, so that Go's build cache serves both.
        command = ["go", "test", "-c", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", str(output), "."]
        done = subprocess.run(command, cwd=SOURCES, env=os.environ | _ENVIRONMENT, capture_output=True, text=True)
        if done.returncode != 0:
            raise ClusterError(f"go test -c in {SOURCES} failed:\n{done.stderr[-4000:]}")
        output.replace(wanted)
