"""kubectl's spellings of a command line, rewritten into the ones that typer reads.

kubectl (pflag) takes ``-o=yaml``, ``--all=true``, a bare ``--dry-run`` and connection options on either side
of the verb; typer takes none of these. A pure rewrite in front of it keeps every kubectl line working.
"""

from __future__ import annotations

from collections import deque
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
    }
)
"""kubectl's own plumbing: accepted, without effect."""
IGNORED_FLAGS = frozenset(
    {"--match-server-version", "--warnings-as-errors", "--record", "--save-config", "--show-managed-fields",
     "--allow-missing-template-keys"}
)  # fmt: skip
FLAGS = frozenset(
    {"--all", "-R", "--recursive", "--wait", "--strict", "--check", "-A", "--all-namespaces", "-w", "--watch",
     "--force", "--force-conflicts", "--no-headers", "--apply", "-y", "--yes", "--in-place"}
)  # fmt: skip
VALUES = frozenset(
    {"-l", "--selector", "-f", "--filename", "-o", "--output", "--replicas", "--current-replicas",
     "--resource-version", "--timeout", "--min", "--max", "--cpu", "--cpu-percent", "--memory", "--name",
     "--container", "--metric", "--scale-up", "--scale-down", "--tolerance", "--only", "--scenario",
     "--speed", "--seed", "--prometheus", "--observe", "--samples", "--history", "--objective", "--budget", "--html"}
)  # fmt: skip

WITH_VALUE = CONNECTION_VALUES | VALUES | IGNORED_VALUES | {"-v", "--v"}
REQUESTS_SHOWN = 6
"""From this ``-v`` on kubectl shows each request; here it stands for --debug."""

TRUE = frozenset({"1", "t", "T", "true", "TRUE", "True"})
FALSE = frozenset({"0", "f", "F", "false", "FALSE", "False"})


def normalised(arguments: Sequence[str]) -> list[str]:
    """``arguments`` as typer reads them: connection options first, then the verb and the rest in order.

    A flag given twice counts as the last one says. Raises UsageError for a flag with a value that is neither true
    nor false, an option without the value that it needs, and ``--dry-run`` without ``=`` before a kind of dry run.
    """
    connection: list[str] = []
    rest: list[str] = []
    words = deque(arguments)
    while words:
        word = words.popleft()
        if word == "--":
            rest += [word, *words]
            break
        name, value = _split(word)
        if name in WITH_VALUE:
            value = _value(name, value, words)
            if name in ("-v", "--v"):
                connection += ["--debug"] if value.isdecimal() and int(value) >= REQUESTS_SHOWN else []
            elif name not in IGNORED_VALUES:
                (connection if name in CONNECTION_VALUES else rest).extend([name, value])
        elif name in CONNECTION_FLAGS | FLAGS | IGNORED_FLAGS:
            flags = connection if name in CONNECTION_FLAGS else rest
            flags[:] = [flag for flag in flags if flag != name]
            flags += [name] if _is_true(name, value) and name not in IGNORED_FLAGS else []
        else:
            rest += _dry_run(value, words) if name == "--dry-run" else [word]
    return [*connection, *rest]


def _value(name: str, value: str | None, words: deque[str]) -> str:
    """The value that ``name`` was given with ``=``, else the next word."""
    if value is None and not words:
        raise UsageError(f"{name} needs a value", f"give it as in {name} VALUE")
    return words.popleft() if value is None else value


def _dry_run(value: str | None, words: deque[str]) -> list[str]:
    """A bare ``--dry-run`` means client to kubectl, which takes the next word for a name, whatever it is."""
    if value is None and words and words[0] in ("none", "client", "server"):
        raise UsageError(f"--dry-run {words[0]} would mean a workload {words[0]!r}", f"give --dry-run={words[0]}")
    return ["--dry-run", "client" if value is None else value]


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
