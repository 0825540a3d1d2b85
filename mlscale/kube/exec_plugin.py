"""Credential plugins (``exec`` of a kubeconfig's user): ``aws eks get-token``, ``gke-gcloud-auth-plugin``, …

The rules are those of client-go plugin/pkg/client/auth/exec/exec.go (v0.37.2). The official Python client runs
plugins too, but hands them standard input even when that is a manifest, hides a log-in prompt when standard output
is a pipe, fails with an AttributeError when a plugin fails on a terminal, and costs 250 ms to import.
"""

from __future__ import annotations

import json
import sys
from typing import IO, TYPE_CHECKING, Any, NoReturn

from mlscale.errors import ConfigError
from mlscale.frozen import field, frozen
from mlscale.kube.text import printable

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Mapping

    from mlscale.kube.kubeconfig_file import Entry

UNWATCHED_TIMEOUT = 120.0
"""Seconds that a plugin may take where no terminal is there, so that a log-in prompt cannot hang a script."""

_API_VERSIONS = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1")


@frozen
class ExecPlugin:
    """A credential plugin as a kubeconfig names it; ``env`` and ``args`` may hold secrets."""

    entry: Entry
    command: str
    args: tuple[str, ...] = field(repr=False)
    env: Mapping[str, str] = field(repr=False)
    api_version: str
    interactive_mode: str
    provide_cluster_info: bool

    @property
    def about(self) -> str:
        """The plugin and its user, for a message."""
        return f'the credential plugin "{printable(self.command)}" ({self.entry.about})'


@frozen
class ExecCredential:
    """What a plugin gave: PEM, or "" where it gave none; ``expires`` is in Unix seconds."""

    token: str = field(repr=False)
    certificate: str = field(repr=False)
    key: str = field(repr=False)
    expires: float | None = None


def read_exec_plugin(entry: Entry) -> ExecPlugin:
    """The plugin of a user's ``exec`` entry; raises ConfigError where it cannot be run as client-go would."""
    command, api_version = entry.text("command"), entry.text("apiVersion")
    mode = entry.text("interactiveMode") or "IfAvailable"
    if not command:
        raise ConfigError(f"{entry.where} has no command")
    if api_version not in _API_VERSIONS:
        raise ConfigError(
            f'apiVersion of {entry.where} is "{printable(api_version)}"',
            f"it must be {' or '.join(_API_VERSIONS)}; a newer release of the plugin's tool writes that",
        )
    if mode not in ("Never", "IfAvailable", "Always"):
        raise ConfigError(f"interactiveMode of {entry.where} must be Never, IfAvailable or Always")
    # Only a command with a slash is a path; the others are looked up in PATH.
    command = entry.path("command") if "/" in command else command
    return ExecPlugin(
        entry, command, entry.texts("args"), _env(entry), api_version, mode, entry.flag("provideClusterInfo")
    )


def _env(entry: Entry) -> dict[str, str]:
    listed = entry.fields.get("env") or []
    for item in listed if isinstance(listed, list) else [listed]:
        if not isinstance(item, dict) or not all(isinstance(item.get(key), str) for key in ("name", "value")):
            raise ConfigError(f"env of {entry.where} must be a list of name and value, both strings")
    return {item["name"]: item["value"] for item in listed}


def run_exec_plugin(plugin: ExecPlugin, cluster: Mapping[str, Any], environ: Mapping[str, str]) -> ExecCredential:
    """Run ``plugin`` and give its credential.

    A plugin may talk to the person: it gets standard input when that is a terminal and interactiveMode allows, and
    standard error when that is one. Then it may take as long as the person does; otherwise UNWATCHED_TIMEOUT. Raises
    ConfigError in every case where there is no credential, without what the plugin printed to standard output.
    """
    interactive = _is_interactive(plugin, sys.stdin)
    spec: dict[str, Any] = {"interactive": interactive}
    if plugin.provide_cluster_info:
        spec["cluster"] = dict(cluster)
    request = {"apiVersion": plugin.api_version, "kind": "ExecCredential", "spec": spec}
    ran = _run(plugin, {**environ, **plugin.env, "KUBERNETES_EXEC_INFO": json.dumps(request)}, interactive)
    if ran.returncode != 0:
        said = _first_line(ran.stderr)
        raise ConfigError(
            f"{plugin.about} failed with exit code {ran.returncode}{said}", "log in again, or run it by hand"
        )
    return _credential(plugin, ran.stdout)


def _is_interactive(plugin: ExecPlugin, stdin: IO[str] | None) -> bool:
    terminal = _is_terminal(stdin)
    if plugin.interactive_mode == "Always" and not terminal:
        raise ConfigError(f"{plugin.about} needs a terminal, and standard input is none", "log in with it before")
    return terminal and plugin.interactive_mode != "Never"


def _is_terminal(stream: IO[str] | None) -> bool:
    return stream is not None and not stream.closed and stream.isatty()


def _run(plugin: ExecPlugin, env: Mapping[str, str], interactive: bool) -> subprocess.CompletedProcess[bytes]:
    import subprocess

    watched = interactive or _is_terminal(sys.stderr)
    try:
        return subprocess.run(
            [plugin.command, *plugin.args],
            env=env,
            stdin=None if interactive else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=None if watched else subprocess.PIPE,
            timeout=None if watched else UNWATCHED_TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ConfigError(
            f"{plugin.about} gave no credential within {error.timeout:g} s{_first_line(error.stderr)}",
            "log in with it before",
        ) from None
    except (OSError, ValueError) as error:
        _raise_not_run(plugin, error)


def _raise_not_run(plugin: ExecPlugin, error: OSError | ValueError) -> NoReturn:
    hint = " ".join(plugin.entry.text("installHint").split())
    reason = (error.strerror or "").lower() if isinstance(error, OSError) else "its command or env holds a NUL"
    if isinstance(error, FileNotFoundError):
        reason = "there is no such command"
    raise ConfigError(
        f"{plugin.about} cannot be run: {reason}", printable(hint) or "install it, or check PATH"
    ) from None


def _first_line(output: bytes | None) -> str:
    lines = (output or b"").decode(errors="replace").strip().splitlines()
    return f": {printable(lines[0])[:300]}" if lines else ""


def _credential(plugin: ExecPlugin, output: bytes) -> ExecCredential:
    try:
        answer = json.loads(output)
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict) or answer.get("kind") != "ExecCredential":
        raise ConfigError(f"{plugin.about} printed no ExecCredential in JSON", "run it by hand to see what it prints")
    if answer.get("apiVersion") != plugin.api_version:
        raise ConfigError(
            f"{plugin.about} answered in another apiVersion than {plugin.api_version}", "set its apiVersion to that"
        )
    status = answer.get("status")
    keys = ("token", "clientCertificateData", "clientKeyData", "expirationTimestamp")
    values = [status.get(key) or "" for key in keys] if isinstance(status, dict) else [""]
    if not any(values[:3]) or not all(isinstance(value, str) for value in values):
        raise ConfigError(f"{plugin.about} gave neither a token nor a client certificate", "log in again")
    token, certificate, key, expires = values
    if bool(certificate) != bool(key):
        raise ConfigError(
            f"{plugin.about} gave only one of client certificate and key", "report it to the plugin's makers"
        )
    return ExecCredential(token, certificate, key, _unix_seconds(plugin, expires))


def _unix_seconds(plugin: ExecPlugin, timestamp: str) -> float | None:
    from datetime import UTC, datetime

    if not timestamp:
        return None
    try:
        moment = datetime.fromisoformat(timestamp)
    except ValueError:
        raise ConfigError(f"{plugin.about} gave an expirationTimestamp that is no RFC 3339 time") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
