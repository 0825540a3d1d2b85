"""Forgets what happened long ago, so that a cluster that runs for days needs no more memory than one of an hour.

The rule is that of apiserver pkg/storage/etcd3/compact.go, v1.37.2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlscale.sandbox.agenda import Agenda
    from mlscale.sandbox.store import Store

INTERVAL = 300.0
"""Simulated seconds between compactions (--etcd-compaction-interval); what is younger stays."""


class Compactor:
    """Compacts the store to the version that it had one interval ago."""

    def __init__(self, store: Store, agenda: Agenda) -> None:
        self._store = store
        self._version = store.version
        agenda.every(INTERVAL, self._compact)

    def _compact(self) -> None:
        self._store.compact(self._version)
        self._version = self._store.version
