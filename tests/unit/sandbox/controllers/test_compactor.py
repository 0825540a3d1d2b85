"""What a cluster forgets, and when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from mlscale.sandbox import store as store_module
from mlscale.sandbox.agenda import Agenda
from mlscale.sandbox.controllers.compactor import Compactor
from mlscale.sandbox.store import CompactedError, Store

START = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)


def test_what_happened_is_known_for_five_to_ten_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "LEAST_KEPT", 0)
    store, agenda = Store(), Agenda(START)
    Compactor(store, agenda)
    agenda.advance(START + timedelta(seconds=1))
    store.put("pods", {"metadata": {"namespace": "n", "name": "a"}})
    agenda.advance(START + timedelta(seconds=599))
    assert len(store.changes("pods", 1)) == 1
    agenda.advance(START + timedelta(seconds=600))
    with pytest.raises(CompactedError):
        store.changes("pods", 1)
    assert store.changes("pods", 2) == []
