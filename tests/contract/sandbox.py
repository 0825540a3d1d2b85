"""The sandbox as a cluster of the tests: a process of its own with the nodes of the control plane."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SCENARIO = Path(__file__).with_name("sandbox.yaml")
SPEED = 7.5
"""The autoscaler of the control plane syncs every 2 s, that of the sandbox every 15 s of simulated time."""
_PREFIX = "export KUBECONFIG="


@contextmanager
def running(
    folder: Path, options: Sequence[str] = ("--scenario", str(SCENARIO), "--speed", str(SPEED))
) -> Iterator[Path]:
    """The kubeconfig of a sandbox that runs while the context lasts. Its messages go to a file in `folder`."""
    said = folder / "stderr"
    command = [sys.executable, "-m", "mlscale", "sandbox", "run", *options]
    with said.open("w", encoding="utf-8") as stderr:
        process = subprocess.Popen(
            command, env=dict(os.environ), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr, text=True
        )
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line.startswith(_PREFIX), f"the sandbox did not start: {said.read_text(encoding='utf-8')}"
            yield Path(line.removeprefix(_PREFIX).strip())
        finally:
            process.terminate()
            process.wait(timeout=30)
