"""Both sides of the contract: every test here runs on the control plane and on the sandbox, through one fixture.

Also the twin namespaces of the lines, and mlscale left running in the background.
"""

from __future__ import annotations

import secrets
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

pytest.register_assert_rewrite(*(f"tests.contract.{name}" for name in ("agreement", "lines", "sides", "verdicts")))

from tests.cluster.access import Cluster  # noqa: E402
from tests.command_line import heed_interrupts  # noqa: E402
from tests.contract import sandbox  # noqa: E402
from tests.contract.api import Api  # noqa: E402
from tests.contract.exchanges import case, get  # noqa: E402
from tests.contract.lines import USAGE, Line  # noqa: E402
from tests.contract.sides import CONTROL_PLANE, SANDBOX, SIDES, Stage  # noqa: E402
from tests.contract.twins import Twins  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Lines that mlscale refuses for how they are written (exit 2) are not sent to the sandbox: no server has a say."""
    refused = [item for item in items if _is_refused_unsent(getattr(item, "callspec", None))]
    config.hook.pytest_deselected(items=refused)
    items[:] = [item for item in items if item not in refused]


def _is_refused_unsent(callspec: Any) -> bool:
    line = callspec and callspec.params.get("line")
    return isinstance(line, Line) and line.exit == USAGE and callspec.params.get("cluster") == SANDBOX


@pytest.fixture(scope="session")
def sandbox_cluster(control_plane_cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A sandbox of this worker's own, with the kubectl of the control plane."""
    folder = tmp_path_factory.mktemp("sandbox")
    with sandbox.running(folder) as kubeconfig:
        yield Cluster(kubeconfig, control_plane_cluster.kubectl_path, folder / "kubectl-cache")


@pytest.fixture(scope="session", params=SIDES)
def cluster(request: pytest.FixtureRequest) -> Cluster:
    """One side of the contract after the other."""
    side = "control_plane_cluster" if request.param == CONTROL_PLANE else "sandbox_cluster"
    found: Cluster = request.getfixturevalue(side)
    return found


@pytest.fixture(scope="session")
def apis(
    control_plane_cluster: Cluster, sandbox_cluster: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Api, ...]:
    """Raw requests to the control plane, and to the sandbox."""
    clusters = (control_plane_cluster, sandbox_cluster)
    return tuple(Api(one.kubeconfig, tmp_path_factory.mktemp("api")) for one in clusters)


@pytest.fixture(scope="module")
def stage(apis: tuple[Api, ...]) -> Iterator[Stage]:
    """A namespace on both sides, with its default account; deleted afterwards without waiting."""
    stage = Stage(apis, f"raw-{secrets.token_hex(4)}")
    stage.create("/api/v1/namespaces", {"metadata": {"name": stage.namespace}})
    stage.check(case("account", get("/api/v1/namespaces/{ns}/serviceaccounts", until='"default"')))
    yield stage
    for api in apis:
        api.call("DELETE", f"/api/v1/namespaces/{stage.namespace}")


@pytest.fixture(scope="session")
def twins(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Twins]:
    """Two namespaces of equal content, one pair for each worker of the test run."""
    pair = Twins(cluster, tmp_path_factory.mktemp("twins"), f"twin-{secrets.token_hex(3)}")
    yield pair
    pair.close()


@pytest.fixture
def waiting(cluster: Cluster, kubeconfig: Path) -> Iterator[Any]:
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
