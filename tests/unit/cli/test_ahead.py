"""Which command lines have a connection begun for them before they are read whole."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from mlscale.cli.ahead import connect_ahead
from tests.unit.scale.objects import deployment, serve

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.command_line import CommandLine
    from tests.recording_server import RecordingServer

KUBECONFIG = """
apiVersion: v1
kind: Config
current-context: here
contexts: [{name: here, context: {cluster: it, user: me, namespace: web}}]
clusters: [{name: it, cluster: {server: "%s"}}]
users: [{name: me, user: %s}]
"""


@pytest.fixture
def kubeconfig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    def written(server: str, user: str = "{token: secret}") -> None:
        path = tmp_path / "config"
        path.write_text(KUBECONFIG % (server, user))
        monkeypatch.setenv("KUBECONFIG", str(path))

    return written


def connected(server: RecordingServer) -> bool:
    end = time.monotonic() + 5
    while not server.connections and time.monotonic() < end:
        time.sleep(0.001)
    return server.connections == 1


@pytest.mark.parametrize(
    ("arguments", "namespace"),
    [
        (["scale", "web", "--replicas=3"], "web"),
        (["status"], "web"),
        (["recommend", "web", "-o", "json"], "web"),
        (["autoscale", "-n", "other", "web", "--max=5"], "other"),
        (["-n=other", "status", "-w"], "other"),
    ],
)
def test_a_verb_with_no_word_about_the_server(
    arguments: list[str], namespace: str, server: RecordingServer, kubeconfig: Callable[[str], None]
) -> None:
    kubeconfig(server.url)
    ahead = connect_ahead(arguments)
    assert ahead
    assert (ahead.access.server, ahead.access.namespace) == (server.url, namespace)
    assert connected(server)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--version"],
        ["--help"],
        ["scale", "--help"],
        ["status", "-h"],
        ["sandbox", "run"],
        ["delete", "web"],
        # These may choose another server, another user of it, or how it is asked.
        ["status", "--context", "other"],
        ["--kubeconfig=other", "status"],
        ["status", "-s", "http://127.0.0.1:1"],
        ["status", "-n", "a", "--user", "other"],
        ["status", "--request-timeout=1s"],
        ["status", "--debug"],
        ["scale", "--all", "--replicas=1", "--parallel=1"],
        # Wrong ones: what is wrong is said in its turn.
        ["status", "-n"],
        ["scale", "web", "--all=perhaps"],
    ],
)
def test_no_connection_where_it_may_not_be_needed(
    arguments: list[str], server: RecordingServer, kubeconfig: Callable[[str], None]
) -> None:
    kubeconfig(server.url)
    assert connect_ahead(arguments) is None


def test_no_plugin_is_run_ahead(kubeconfig: Callable[[str, str], None], tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    plugin = "{exec: {apiVersion: client.authentication.k8s.io/v1, command: touch, args: [%s], interactiveMode: Never}}"
    kubeconfig("https://127.0.0.1:1", plugin % ran)
    assert connect_ahead(["status"]) is None
    assert not ran.exists()


def test_what_is_wrong_with_the_kubeconfig_is_not_said_ahead(kubeconfig: Callable[[str], None]) -> None:
    kubeconfig("ftp://nowhere")
    assert connect_ahead(["status"]) is None


@pytest.mark.parametrize("options", [[], ["--parallel", "2"], ["--request-timeout=3s"], ["--context=lab"]])
def test_a_command_uses_it_unless_it_is_to_be_asked_in_another_way(
    options: list[str], server: RecordingServer, command_line: Callable[..., CommandLine]
) -> None:
    serve(server, deployment("web", 1))
    assert command_line(server.url)("scale", "web", "--replicas=3", *options).code == 0
    assert server.connections == 1
