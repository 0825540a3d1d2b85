"""Shell completion of names, as kubectl's: workloads, namespaces and contexts.

It answers within SECONDS or not at all, and says nothing on stderr: both would end up in the prompt.
"""

from __future__ import annotations

import os
import sys
import threading
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING

from mlscale.errors import MlscaleError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import typer

    from mlscale.cli.session import Session
    from mlscale.kube.kinds import Kind

SECONDS = 3.0
"""How long a shell waits at most."""
REQUEST_SECONDS = 2.0
LISTED = "1000"
"""More names than that help nobody."""


def workload_names(session: Session, before: list[str], incomplete: str) -> Iterator[str]:
    """What may come after the words ``before``: names of the type that they say, or types and names of deployments."""
    from mlscale.kube.kinds import BUILT_IN, DEPLOYMENT

    word, slash, _ = incomplete.partition("/")
    if slash:
        yield from (f"{word}/{name}" for name in _listed(session, session.kinds.named(word)))
    elif any("/" in given for given in before):
        yield from ()
    elif before and (kind := _type(session, before[0])):
        yield from _listed(session, kind)
    else:
        yield from _listed(session, DEPLOYMENT)
        yield from (kind.plural for kind in BUILT_IN if kind.scalable and not before)


def _type(session: Session, word: str) -> Kind | None:
    """The kind that ``word`` stands for; None for a name, or where the server's types cannot be read."""
    try:
        return session.kinds.find(word.split(",")[0])
    except MlscaleError:
        return None


def namespace_names(session: Session) -> Iterator[str]:
    """The namespaces of the cluster."""
    from mlscale.kube.kinds import NAMESPACE

    return _listed(session, NAMESPACE)


def context_names(session: Session) -> Iterator[str]:
    """The contexts of the kubeconfig."""
    from mlscale.kube.kubeconfig import read_merged

    return iter(read_merged(session.overrides, os.environ).contexts)


def _listed(session: Session, kind: Kind) -> Iterator[str]:
    rows = session.client.table(kind.path(session.client.namespace), limit=LISTED).get("rows") or []
    return (str(row["cells"][0]) for row in rows)


CONNECTION_NAMES = {"-n": namespace_names, "--namespace": namespace_names, "--context": context_names}


def complete(context: typer.Context, incomplete: str, last_word: str) -> list[str]:
    """The names that begin with ``incomplete`` and may stand after ``last_word``; none where they cannot be had."""
    root = context.find_root()
    root.params.update(request_timeout=f"{REQUEST_SECONDS:.0f}s", debug=False)
    with root:
        # The root command makes the session of its options, as before any other command.
        root.command.callback(**root.params)  # type: ignore[misc]
    before = list(context.params.get("names") or ())
    connection_names = CONNECTION_NAMES.get(last_word)
    read = partial(connection_names or partial(workload_names, before=before, incomplete=incomplete), root.obj)
    names = sorted(set(_in_time(read)) - set(before))
    return [name for name in names if name.startswith(incomplete) and is_harmless(name)]


def is_harmless(name: str) -> bool:
    """Whether a shell takes ``name`` for a word and nothing else: the scripts for zsh evaluate what they get."""
    return name.isascii() and all(character.isalnum() or character in "-_.:@/+=" for character in name)


def _in_time(read: Callable[[], Iterable[str]]) -> list[str]:
    """What ``read`` gives within SECONDS; nothing where it fails or takes longer."""
    found: list[str] = []

    def work() -> None:
        with suppress(MlscaleError, OSError):
            found.extend(read())

    with _silence():
        worker = threading.Thread(target=work, daemon=True)
        worker.start()
        worker.join(SECONDS)
    return list(found)


@contextmanager
def _silence() -> Iterator[None]:
    """Standard input and error of this process and its children are nowhere: a plugin may ask or complain."""
    kept = {number: os.dup(number) for number in (0, 2)}
    nowhere = os.open(os.devnull, os.O_RDWR)
    try:
        for number in kept:
            os.dup2(nowhere, number)
        yield
    finally:
        sys.stderr.flush()
        for number, copy in kept.items():
            os.dup2(copy, number)
            os.close(copy)
        os.close(nowhere)
