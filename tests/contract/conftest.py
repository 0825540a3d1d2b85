"""The twin namespaces of the contract tests, and mlscale left running in the background."""

from __future__ import annotations

import secrets
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

pytest.register_assert_rewrite("tests.contract.lines")

from tests.command_line import heed_interrupts  # noqa: E402
from tests.contract.twins import Twins  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.cluster import access


@pytest.fixture(scope="session")
def twins(cluster: access.Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Twins]:
    """Two namespaces of equal content, one pair for each worker of the test run."""
    pair = Twins(cluster, tmp_path_factory.mktemp("twins"), f"twin-{secrets.token_hex(3)}")
    yield pair
    pair.close()


@pytest.fixture
def waiting(cluster: access.Cluster, kubeconfig: Path) -> Iterator[Any]:
    """Starts mlscale in the test's namespace and returns the process while it runs."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "mlscale", *arguments]
        pipe = subprocess.PIPE
        environment = cluster.environment(kubeconfig)
        process = subprocess.Popen(
            command, env=environment, stdout=pipe, stderr=pipe, text=True, preexec_fn=heed_interrupts
        )
        started.append(process)
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()
