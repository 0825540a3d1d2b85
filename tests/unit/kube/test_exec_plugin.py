from __future__ import annotations

import io
import json
import os
import sys
from typing import TYPE_CHECKING, Any

import pytest

from mlscale.errors import ConfigError
from mlscale.kube import exec_plugin
from mlscale.kube.access import Access, ClientCertificate, Overrides
from mlscale.kube.kubeconfig import read_access
from tests.unit.kube.kubeconfigs import encoded, kubeconfig, pem, written

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

V1 = "client.authentication.k8s.io/v1"
V1BETA1 = "client.authentication.k8s.io/v1beta1"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    now = 1_800_000_000.0  # 2027-01-15T08:00:00Z

    def __call__(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    monkeypatch.setattr(sys, "stderr", io.StringIO())


@pytest.fixture
def plugin(tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Write a plugin whose body is Python, and give the exec entry for it."""

    def write(body: str, **fields: Any) -> dict[str, Any]:
        script = tmp_path / "plugin"
        script.write_text(f"#!{sys.executable}\nimport json, os, sys\n{body}\n")
        script.chmod(0o755)
        return {"command": "./plugin", "apiVersion": V1BETA1} | fields

    return write


def answer(status: object, **more: object) -> str:
    """The body of a plugin that gives ``status``; it counts its runs in the file ``runs``."""
    credential = {"apiVersion": V1BETA1, "kind": "ExecCredential", "status": status} | more
    return f"open(os.path.join(os.path.dirname(__file__), 'runs'), 'a').write('x')\nprint(json.dumps({credential!r}))"


def access(
    tmp_path: Path,
    entry: dict[str, Any],
    clock: Clock | None = None,
    environ: dict[str, str] | None = None,
    **cluster: Any,
) -> Access:
    config = kubeconfig(user={"exec": entry}, cluster={"server": "https://c:6443"} | cluster)
    path = written(tmp_path / "config", config)
    return read_access(
        Overrides(kubeconfig=path), {"PATH": os.environ["PATH"]} | (environ or {}), clock=clock or Clock()
    )


def failure(tmp_path: Path, entry: dict[str, Any]) -> str:
    with pytest.raises(ConfigError) as caught:
        access(tmp_path, entry).credentials.authorization()
    assert "hunter2" not in str(caught.value)
    assert "\n" not in str(caught.value)
    return str(caught.value).replace(str(tmp_path), "DIR")


ABOUT = 'the credential plugin "DIR/plugin" (the exec of user "u")'


def runs(tmp_path: Path) -> int:
    return len((tmp_path / "runs").read_text()) if (tmp_path / "runs").exists() else 0


def test_a_token_comes_at_first_use_and_once(tmp_path: Path, plugin: Any) -> None:
    got = access(tmp_path, plugin(answer({"token": "t"})))

    assert runs(tmp_path) == 0, "--help or a bad argument must not log anyone in"
    assert got.client_certificate is None
    assert got.credentials.authorization() == "Bearer t"
    assert got.credentials.authorization() == "Bearer t"
    assert runs(tmp_path) == 1


def test_a_certificate_and_a_token_are_both_used(tmp_path: Path, plugin: Any) -> None:
    # The official Python client takes the token and drops the certificate.
    crt, key = pem("crt"), pem("key", "PRIVATE KEY")
    got = access(tmp_path, plugin(answer({"token": "t", "clientCertificateData": crt, "clientKeyData": key})))

    assert got.client_certificate == ClientCertificate(crt.encode(), key.encode())
    assert got.credentials.authorization() == "Bearer t"


def test_a_certificate_alone_sends_no_header(tmp_path: Path, plugin: Any) -> None:
    status = {"clientCertificateData": pem("crt"), "clientKeyData": pem("key", "PRIVATE KEY")}

    assert access(tmp_path, plugin(answer(status))).credentials.authorization() is None


def test_an_expired_token_is_renewed_before_use(tmp_path: Path, plugin: Any) -> None:
    clock = Clock()
    entry = plugin(answer({"token": "t", "expirationTimestamp": "2027-01-15T08:10:00Z"}))
    credentials = access(tmp_path, entry, clock).credentials

    credentials.authorization()
    clock.now += 600
    credentials.authorization()
    assert runs(tmp_path) == 1, "at its end it still holds"
    clock.now += 1
    credentials.authorization()
    assert runs(tmp_path) == 2


@pytest.mark.parametrize(("token", "differs"), [("'t'", False), ("os.urandom(8).hex()", True)])
def test_a_401_runs_the_plugin_again(tmp_path: Path, plugin: Any, token: str, differs: bool) -> None:
    body = f"print(json.dumps(dict(apiVersion={V1BETA1!r}, kind='ExecCredential', status=dict(token={token}))))"
    credentials = access(tmp_path, plugin(body)).credentials
    first = credentials.authorization()

    assert credentials.refresh() is differs
    assert (credentials.authorization() != first) is differs


def test_what_the_plugin_is_told(tmp_path: Path, plugin: Any) -> None:
    body = (
        "told = json.dumps([sys.argv[1:], os.environ['REGION'], os.environ['GIVEN'],"
        " json.loads(os.environ['KUBERNETES_EXEC_INFO']), sys.stdin.read()])\n"
        f"print(json.dumps(dict(apiVersion={V1!r}, kind='ExecCredential', status=dict(token=told))))"
    )
    entry = plugin(
        body,
        apiVersion=V1,
        args=["--cluster", "x"],
        env=[{"name": "REGION", "value": "r"}],
        provideClusterInfo=True,
        interactiveMode="IfAvailable",
    )
    cluster: dict[str, Any] = {
        "certificate-authority-data": encoded(pem("ca")),
        "tls-server-name": "api",
        "extensions": [{"name": "client.authentication.k8s.io/exec", "extension": {"audience": "a"}}],
    }
    got = access(tmp_path, entry, environ={"REGION": "of the shell", "GIVEN": "g"}, **cluster)

    told = json.loads((got.credentials.authorization() or "").removeprefix("Bearer "))

    expected = {
        "server": "https://c:6443",
        "tls-server-name": "api",
        "certificate-authority-data": encoded(pem("ca")),
        "config": {"audience": "a"},
    }
    info = {"apiVersion": V1, "kind": "ExecCredential", "spec": {"interactive": False, "cluster": expected}}
    assert told == [["--cluster", "x"], "r", "g", info, ""]


def test_the_cluster_is_told_only_if_asked_for(tmp_path: Path, plugin: Any) -> None:
    body = (
        "told = os.environ['KUBERNETES_EXEC_INFO']\n"
        f"print(json.dumps(dict(apiVersion={V1BETA1!r}, kind='ExecCredential', status=dict(token=told))))"
    )

    told = access(tmp_path, plugin(body)).credentials.authorization() or ""

    assert json.loads(told.removeprefix("Bearer "))["spec"] == {"interactive": False}


@pytest.mark.parametrize(
    ("mode", "stdin", "interactive"),
    [
        ("IfAvailable", Terminal(), True),
        ("IfAvailable", io.StringIO(), False),
        ("Never", Terminal(), False),
        ("Always", Terminal(), True),
        ("", Terminal(), True),
    ],
)
def test_standard_input_is_given_only_when_it_is_a_terminal(
    mode: str, stdin: io.StringIO, interactive: bool, tmp_path: Path, plugin: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a pipe, a plugin could read the manifest of `mlscale scale -f -` away.
    import subprocess

    seen: list[object] = []
    real = subprocess.run

    def run(*arguments: Any, **options: Any) -> Any:
        seen.append(options["stdin"])
        return real(*arguments, **options)

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(sys, "stdin", stdin)

    access(tmp_path, plugin(answer({"token": "t"}), interactiveMode=mode)).credentials.authorization()

    assert seen == [None if interactive else subprocess.DEVNULL]


def test_a_plugin_that_needs_a_terminal_says_so(tmp_path: Path, plugin: Any) -> None:
    got = failure(tmp_path, plugin(answer({"token": "t"}), interactiveMode="Always"))

    assert got == f"{ABOUT} needs a terminal, and standard input is none; log in with it before"
    assert runs(tmp_path) == 0


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            "print('hunter2'); sys.stderr.write('\\n\\x1b[31mexpired: log in\\nmore'); sys.exit(3)",
            " failed with exit code 3: \\x1b[31mexpired: log in; log in again, or run it by hand",
        ),
        ("sys.exit(1)", " failed with exit code 1; log in again, or run it by hand"),
        ("os.kill(os.getpid(), 9)", " failed with exit code -9; log in again, or run it by hand"),
        ("print('hunter2')", " printed no ExecCredential in JSON; run it by hand to see what it prints"),
        ("print('[\"hunter2\"]')", " printed no ExecCredential in JSON; run it by hand to see what it prints"),
        (
            "sys.stdout.buffer.write(b'\\xff')",
            " printed no ExecCredential in JSON; run it by hand to see what it prints",
        ),
        (
            answer({"token": "hunter2"}, kind="Pod"),
            " printed no ExecCredential in JSON; run it by hand to see what it prints",
        ),
        (
            answer({"token": "hunter2"}, apiVersion=V1),
            f" answered in another apiVersion than {V1BETA1}; set its apiVersion to that",
        ),
        (answer({}), " gave neither a token nor a client certificate; log in again"),
        (answer(None), " gave neither a token nor a client certificate; log in again"),
        (answer({"token": 7}), " gave neither a token nor a client certificate; log in again"),
        (
            answer({"clientCertificateData": "hunter2"}),
            " gave only one of client certificate and key; report it to the plugin's makers",
        ),
        (
            answer({"token": "hunter2", "expirationTimestamp": "soon"}),
            " gave an expirationTimestamp that is no RFC 3339 time",
        ),
    ],
)
def test_a_plugin_that_fails(tmp_path: Path, plugin: Any, body: str, message: str) -> None:
    assert failure(tmp_path, plugin(body)) == ABOUT + message


def test_a_token_that_no_header_can_carry(tmp_path: Path, plugin: Any) -> None:
    got = failure(tmp_path, plugin(answer({"token": "hunter2\r\nX: y"})))

    assert got.startswith(f"the token of {ABOUT} holds a character that no HTTP header can carry")


def test_a_missing_plugin_names_the_command_and_its_hint(tmp_path: Path) -> None:
    entry = {"command": "no-such-plugin", "apiVersion": V1BETA1, "installHint": "Install it:\n  get\x1b it"}
    about = 'the credential plugin "no-such-plugin" (the exec of user "u") cannot be run: there is no such command'

    assert failure(tmp_path, entry) == about + "; Install it: get\\x1b it"
    del entry["installHint"]
    assert failure(tmp_path, entry) == about + "; install it, or check PATH"


def test_a_plugin_that_is_not_executable(tmp_path: Path, plugin: Any) -> None:
    entry = plugin(answer({"token": "t"}))
    (tmp_path / "plugin").chmod(0o644)

    assert failure(tmp_path, entry) == f"{ABOUT} cannot be run: permission denied; install it, or check PATH"


def test_a_plugin_cannot_hang_where_nobody_watches(
    tmp_path: Path, plugin: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exec_plugin, "UNWATCHED_TIMEOUT", 2.0)
    body = "sys.stderr.write('open https://login and type 123\\n'); sys.stderr.flush()\nimport time\ntime.sleep(60)"

    assert failure(tmp_path, plugin(body)) == (
        f"{ABOUT} gave no credential within 2 s: open https://login and type 123; log in with it before"
    )


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"command": None}, 'the exec of user "u" in FILE has no command'),
        (
            {"apiVersion": "client.authentication.k8s.io/v1alpha1"},
            'apiVersion of the exec of user "u" in FILE is "client.authentication.k8s.io/v1alpha1"; it must be '
            f"{V1} or {V1BETA1}; a newer release of the plugin's tool writes that",
        ),
        (
            {"interactiveMode": "Maybe"},
            'interactiveMode of the exec of user "u" in FILE must be Never, IfAvailable or Always',
        ),
        ({"args": ["a", 7]}, 'args of the exec of user "u" in FILE is a list; it must be a list of strings'),
        (
            {"env": [{"name": "A", "value": 7}]},
            'env of the exec of user "u" in FILE must be a list of name and value, both strings',
        ),
        ({"env": {"A": "B"}}, 'env of the exec of user "u" in FILE must be a list of name and value, both strings'),
    ],
)
def test_an_entry_that_cannot_be_run(tmp_path: Path, fields: dict[str, Any], message: str) -> None:
    got = failure(tmp_path, {"command": "x", "apiVersion": V1BETA1} | fields)

    assert got == message.replace("FILE", "DIR/config")


def test_no_secret_in_a_repr(tmp_path: Path) -> None:
    from mlscale.kube.exec_plugin import ExecCredential, read_exec_plugin
    from mlscale.kube.kubeconfig_file import Entry

    fields = {
        "command": "x",
        "apiVersion": V1,
        "args": ["hunter2"],
        "env": [{"name": "A", "value": "hunter2"}],
    }

    assert "hunter2" not in repr(read_exec_plugin(Entry("the exec", "u", "f", fields)))
    assert "hunter2" not in repr(ExecCredential("hunter2", "hunter2", "hunter2"))
