"""Completion of names, through the protocol that typer's scripts for bash and zsh speak."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from mlscale.cli.completion import is_harmless
from tests.command_line import CLEARED, written_kubeconfig
from tests.recording_server import Answer, status

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.recording_server import RecordingServer, Request

DEPLOYMENTS = "/apis/apps/v1/namespaces/{}/deployments"


def table(*names: str) -> Answer:
    return Answer({"kind": "Table", "rows": [{"cells": [name, "1/1"]} for name in names]})


@pytest.fixture
def complete(tmp_path: Path, server: RecordingServer) -> Callable[..., list[str]]:
    """What a Tab offers after a line whose last word is being typed; nothing may stand on stderr."""
    server.answers[f"GET {DEPLOYMENTS.format('default')}"] = table("web", "worker", "db")
    server.answers[f"GET {DEPLOYMENTS.format('ml')}"] = table("llm")
    server.answers["GET /apis/apps/v1/namespaces/default/statefulsets"] = table("queue", "web-store")
    server.answers["GET /api/v1/namespaces"] = table("default", "ml", "monitoring")
    kubeconfig = written_kubeconfig(tmp_path / "kubeconfig", server.url)

    def run(line: str, kubeconfig: str = kubeconfig, protocol: str = "bash") -> list[str]:
        kept = {key: value for key, value in os.environ.items() if key not in CLEARED}
        asked = {
            "bash": {"COMP_WORDS": line, "COMP_CWORD": str(len(line.split(" ")) - 1)},
            "zsh": {"_TYPER_COMPLETE_ARGS": line},
        }[protocol]
        environ = {**kept, **asked, "KUBECONFIG": kubeconfig, "_MLSCALE_COMPLETE": f"complete_{protocol}"}
        ended = subprocess.run(
            [sys.executable, "-m", "mlscale"], env=environ, capture_output=True, text=True, timeout=30, check=True
        )
        assert ended.stderr == ""
        return ended.stdout.split()

    return run


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("mlscale scale w", ["web", "worker"]),
        ("mlscale autoscale w", ["web", "worker"]),
        ("mlscale status d", ["db", "deployments"]),
        ("mlscale recommend w", ["web", "worker"]),
        (
            "mlscale scale ",
            ["db", "deployments", "replicasets", "replicationcontrollers", "statefulsets", "web", "worker"],
        ),
        ("mlscale scale web ", ["db", "worker"]),
        ("mlscale scale web worker x", []),
        ("mlscale scale sts ", ["queue", "web-store"]),
        ("mlscale scale statefulset w", ["web-store"]),
        ("mlscale scale sts/w", ["sts/web-store"]),
        ("mlscale status deploy/web sts/", ["sts/queue", "sts/web-store"]),
        ("mlscale status deploy/web ", []),
        ("mlscale -n ml scale ", ["deployments", "llm", "replicasets", "replicationcontrollers", "statefulsets"]),
        ("mlscale scale -n ml l", ["llm"]),
        ("mlscale -n m", ["ml", "monitoring"]),
        ("mlscale --namespace d", ["default"]),
        ("mlscale scale web -n m", ["ml", "monitoring"]),
        ("mlscale --context ", ["lab"]),
        ("mlscale status --context l", ["lab"]),
        ("mlscale s", ["scale", "status", "sandbox"]),
        ("mlscale scale --repl", ["--replicas"]),
    ],
)  # fmt: skip
def test_what_a_tab_offers(complete: Callable[..., list[str]], line: str, offered: list[str]) -> None:
    assert complete(line) == offered


def test_zsh_gets_the_same_names(complete: Callable[..., list[str]]) -> None:
    assert complete("mlscale scale w", protocol="zsh") == ["_arguments", "'*:", ':(("web"', '"worker"))\'']


def test_names_are_read_without_the_objects(complete: Callable[..., list[str]], server: RecordingServer) -> None:
    complete("mlscale scale w")
    assert server.lines == [f"GET {DEPLOYMENTS.format('default')}"]
    assert server.requests[0].query == {"includeObject": "None", "limit": "1000"}


@pytest.mark.parametrize("answer", [status(403, "forbidden"), status(500), Answer(b"<html>"), Answer({"rows": None})])
def test_what_fails_offers_no_names_and_says_nothing(
    complete: Callable[..., list[str]], server: RecordingServer, answer: Answer
) -> None:
    server.answers[f"GET {DEPLOYMENTS.format('default')}"] = answer
    assert complete("mlscale scale web") == []


def test_without_a_kubeconfig_nothing_is_said(complete: Callable[..., list[str]], tmp_path: Path) -> None:
    assert complete("mlscale scale w", kubeconfig=str(tmp_path / "none")) == []


def test_a_plugin_that_asks_and_complains_is_not_heard(complete: Callable[..., list[str]], tmp_path: Path) -> None:
    plugin = {"apiVersion": "client.authentication.k8s.io/v1", "command": "sh", "interactiveMode": "IfAvailable",
              "args": ["-c", f"echo Password: >&2; read word; touch {tmp_path}/ran; exit 1"]}  # fmt: skip
    # Port 9 is never asked: the plugin runs before the connection, and fails.
    kubeconfig = written_kubeconfig(
        tmp_path / "plugin", "https://127.0.0.1:9", {"exec": plugin}, **{"insecure-skip-tls-verify": True}
    )
    assert complete("mlscale scale w", kubeconfig=kubeconfig) == []
    assert (tmp_path / "ran").exists()


def test_a_server_that_does_not_answer_holds_no_prompt(
    complete: Callable[..., list[str]], server: RecordingServer
) -> None:
    def late(_: Request) -> Answer:
        time.sleep(8)
        return table("web")

    server.answers[f"GET {DEPLOYMENTS.format('default')}"] = late
    assert complete("mlscale scale w") == []


@pytest.mark.parametrize("name", ["web", "web-2.prod", "arn:aws:eks:eu-west-1:1:cluster/ml", "me@gke_one", "a+b=c"])
def test_names_that_a_shell_takes_for_words(name: str) -> None:
    assert is_harmless(name)


@pytest.mark.parametrize("name", ["$(id)", "`id`", "a b", "a;b", "a\x1b[2J", "a\nb", '"', "'", "*", "ü", "a|b", "a\\b"])
def test_a_name_that_could_run_or_paint_is_not_offered(
    complete: Callable[..., list[str]], server: RecordingServer, name: str
) -> None:
    assert not is_harmless(name)
    server.answers[f"GET {DEPLOYMENTS.format('default')}"] = table(f"web{name}", "web")
    assert complete("mlscale scale w") == ["web"]
