"""kubectl's spellings of a command line, rewritten into the ones that typer reads.

kubectl (pflag) takes ``-o=yaml``, ``--all=true``, a bare ``--dry-run`` and connection options on either side
of the verb; typer takes none of these. A pure rewrite in front of it keeps every kubectl line working.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlscale.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

CONNECTION_VALUES = frozenset(
    {
        "-n", "--namespace", "--context", "--cluster", "--user", "--kubeconfig", "-s", "--server", "--token",
        "--username", "--password", "--certificate-authority", "--client-certificate", "--client-key",
        "--tls-server-name", "--as", "--as-group", "--as-uid", "--request-timeout",
    }
)  # fmt: skip
CONNECTION_FLAGS = frozenset({"--insecure-skip-tls-verify", "--disable-compression", "--debug"})
IGNORED_VALUES = frozenset(
    {
        "--cache-dir",
        "--kuberc",
        "--profile",
        "--profile-output",
        "--log-flush-frequency",
        "--vmodule",
        "--as-user-extra",
    }
)
"""kubectl's own plumbing: accepted, without effect."""
IGNORED_FLAGS = frozenset(
    {"--match-server-version", "--warnings-as-errors", "--record", "--save-config", "--show-managed-fields",
     "--allow-missing-template-keys"}
)  # fmt: skip
FLAGS = frozenset(
    {"--all", "-R", "--recursive", "--wait", "--strict", "--check", "-A", "--all-namespaces", "-w", "--watch",
     "--force", "--force-conflicts", "--no-headers", "--fail-fast"}
)  # fmt: skip
VALUES = frozenset(
    {"-l", "--selector", "-f", "--filename", "-o", "--output", "--replicas", "--current-replicas",
     "--resource-version", "--timeout", "--min", "--max", "--cpu", "--cpu-percent", "--memory", "--name",
     "--container", "--metric", "--scale-up", "--scale-down", "--tolerance", "--only"}
)  # fmt: skip

TRUE = frozenset({"1", "t", "T", "true", "TRUE", "True"})
FALSE = frozenset({"0", "f", "F", "false", "FALSE", "False"})


def normalised(arguments: Sequence[str]) -> list[str]:
    """``arguments`` as typer reads them: connection options first, then the verb and the rest in order.

    Raises UsageError for a flag with a value that is neither true nor false.
    """
    connection: list[str] = []
    rest: list[str] = []
    words = iter(arguments)
    for word in words:
        if word == "--":
            rest += [word, *words]
            break
        name, value = _split(word)
        if name in CONNECTION_VALUES | VALUES | IGNORED_VALUES:
            if value is None:
                value = next(words, None)
            if name not in IGNORED_VALUES:
                (connection if name in CONNECTION_VALUES else rest).extend([name] if value is None else [name, value])
        elif name in CONNECTION_FLAGS | FLAGS | IGNORED_FLAGS:
            if _is_true(name, value) and name not in IGNORED_FLAGS:
                (connection if name in CONNECTION_FLAGS else rest).append(name)
        else:
            rest += [word] if (other := _other(name, value)) is None else other[1]
            connection += other[0] if other else []
    return [*connection, *rest]


def _other(name: str, value: str | None) -> tuple[list[str], list[str]] | None:
    """What goes (before, after) the verb for the two options with a default value; None for any other word."""
    if name == "--dry-run":
        # A bare --dry-run means client to kubectl; "unchanged" is what its own default is called.
        return [], ["--dry-run", "client" if value is None else value]
    if name in ("-v", "--v"):
        return (["--debug"] if value and value.isdigit() and int(value) >= 6 else []), []
    return None


def _split(word: str) -> tuple[str, str | None]:
    """``--name=value``, ``-n=value`` and ``-nvalue`` as name and value; the value is None where there is none."""
    if word.startswith("--"):
        name, equals, value = word.partition("=")
        return name, value if equals else None
    if len(word) > 2 and word[0] == "-" and word[:2] in _SHORT_WITH_VALUE:
        return word[:2], word[2:].removeprefix("=")
    if len(word) > 2 and word[0] == "-" and word[2] == "=":
        return word[:2], word[3:]
    return word, None


_SHORT_WITH_VALUE = frozenset({"-n", "-s", "-l", "-f", "-o", "-v"})


def _is_true(name: str, value: str | None) -> bool:
    if value is None or value in TRUE:
        return True
    if value in FALSE:
        return False
    raise UsageError(f"{name}={value} is neither true nor false", f"give {name} alone, or {name}=false")
