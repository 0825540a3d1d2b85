"""Fixtures of the tests that need the real control plane of tests/cluster, which the first of them starts."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.cluster import access, binaries, control_plane, prometheus

if TYPE_CHECKING:
    from collections.abc import Iterator

_SESSION = "MLSCALE_TEST_SESSION"


def pytest_configure(config: pytest.Config) -> None:
    """Name the test run, so that the workers of pytest-xdist (which inherit the name) act as one."""
    if not hasattr(config, "workerinput"):
        os.environ[_SESSION] = str(os.getpid())


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """End the control plane that this test run started, once all workers are done."""
    if not hasattr(session.config, "workerinput"):
        control_plane.down(test_session=os.getpid())


@pytest.fixture(scope="session")
def control_plane_cluster(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> access.Cluster:
    """The control plane: MLSCALE_TEST_KUBECONFIG, or the one of .cluster, built and started when it is not up."""
    chosen = os.environ.get("MLSCALE_TEST_KUBECONFIG")
    if chosen:
        kubectl = Path(shutil.which("kubectl") or "kubectl")
        return access.Cluster(Path(chosen).absolute(), kubectl, tmp_path_factory.mktemp("kubectl-cache"))
    reason = binaries.why_unavailable()
    if reason:
        _skip_or_fail(f"no control plane: {reason}")
    try:
        with _visible(request.config):
            kubeconfig = control_plane.up(_say, test_session=int(os.environ[_SESSION]))
    except binaries.ClusterError as error:
        pytest.fail(str(error), pytrace=False)
    return access.Cluster(kubeconfig, control_plane.kubectl_path(), control_plane.DISCOVERY_CACHE)


@pytest.fixture(scope="session")
def prometheus_programs(request: pytest.FixtureRequest) -> None:
    """Prometheus and promtool, built when they are not there yet: what uses them afterwards does not wait."""
    reason = prometheus.why_unavailable()
    if reason:
        _skip_or_fail(f"no Prometheus: {reason}")
    try:
        with _visible(request.config):
            prometheus.prometheus_path(_say)
    except binaries.ClusterError as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture(scope="session")
def cluster(control_plane_cluster: access.Cluster) -> access.Cluster:
    """What the tests run on; tests/contract runs on the sandbox too."""
    return control_plane_cluster


@pytest.fixture
def namespace(cluster: access.Cluster) -> Iterator[str]:
    """A namespace of the test's own, ready for pods; deleted afterwards without waiting."""
    name = f"test-{secrets.token_hex(4)}"
    cluster.kubectl("create", "namespace", name)
    # Pods are refused until the controller has made the namespace's default account.
    cluster.kubectl("wait", "--for=create", "serviceaccount/default", "-n", name, "--timeout=30s")
    yield name
    cluster.kubectl("delete", "namespace", name, "--wait=false")


@pytest.fixture
def kubeconfig(cluster: access.Cluster, namespace: str, tmp_path: Path) -> Path:
    """The administrator's kubeconfig, whose context names the test's namespace."""
    return access.kubeconfig_for_namespace(cluster, namespace, tmp_path / "kubeconfig")


@pytest.fixture
def kubectl(cluster: access.Cluster, kubeconfig: Path) -> access.Run:
    """Runs kubectl in the test's namespace, exit code unchecked: what mlscale is compared with."""

    def run(
        *arguments: str, kubeconfig: Path | None = None, input: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        return cluster.kubectl(*arguments, input=input, check=False, kubeconfig=kubeconfig or default)

    default = kubeconfig
    return run


@pytest.fixture
def mlscale(cluster: access.Cluster, kubeconfig: Path) -> access.Run:
    """Runs mlscale as a subprocess in the test's namespace, exit code unchecked, for at most 120 s."""

    def run(
        *arguments: str, kubeconfig: Path | None = None, input: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "mlscale", *arguments],
            env=cluster.environment(kubeconfig or default),
            input=input,
            stdin=subprocess.DEVNULL if input is None else None,
            capture_output=True,
            text=True,
            timeout=120,
        )

    default = kubeconfig
    return run


def _skip_or_fail(reason: str) -> None:
    demanded = os.environ.get("CI") == "true" or os.environ.get("MLSCALE_REQUIRE_CLUSTER") == "1"
    if demanded:
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def _visible(config: pytest.Config) -> AbstractContextManager[None]:
    capture = config.pluginmanager.getplugin("capturemanager")
    return capture.global_and_fixture_disabled() if capture else nullcontext()


def _say(line: str) -> None:
    print(f"\ncluster: {line}", end="", file=sys.stderr, flush=True)
