"""The recorded answers that the sandbox's rules are held to are those of the real control plane."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.unit.sandbox.record_rule_answers import ANSWERS, Server, record

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cluster.access import Cluster

pytestmark = pytest.mark.cluster


def test_the_real_control_plane_still_answers_as_recorded(cluster: Cluster, tmp_path: Path) -> None:
    recorded = json.loads(ANSWERS.read_text(encoding="utf-8"))
    wrong = {}
    # Controllers act between a case's requests (one may delete the pod that it updates), but not each time.
    for _ in range(3):
        answers = record(Server(cluster.kubeconfig, tmp_path))
        assert answers.keys() == recorded.keys()
        wrong = {name: answer for name, answer in answers.items() if answer != recorded[name]}
        if not wrong:
            break
    assert wrong == {}
