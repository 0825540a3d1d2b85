"""What mlscale recommend says to each scenario of the sandbox, told by its own processes: the sandbox only.

The same verdicts are held against the control plane and a Prometheus in test_recommend_prometheus.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from functools import cached_property
from importlib.resources import files
from typing import TYPE_CHECKING, get_args

import pytest

from mlscale.recommend.model import LimitName
from tests.contract import sandbox
from tests.contract.verdicts import (
    VERDICTS,
    Json,
    Verdict,
    arguments_of,
    check_cause,
    checked_lines,
    recommendation,
    scenario_option,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Answers:
    """Runs mlscale on one running sandbox."""

    def __init__(self, kubeconfig: Path, verdict: Verdict) -> None:
        self._environment = {**os.environ, "KUBECONFIG": str(kubeconfig)}
        self._verdict = verdict

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run mlscale to its end, at most 60 s."""
        command = [sys.executable, "-m", "mlscale", *arguments]
        return subprocess.run(
            command, env=self._environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60
        )

    @cached_property
    def recommended(self) -> Json:
        """What --check -o json says of the workload, once for all tests of a scenario."""
        return recommendation(self.run(*arguments_of(self._verdict, self._verdict.namespace)), self._verdict)


@pytest.fixture(scope="module", params=VERDICTS)
def scenario(request: pytest.FixtureRequest) -> str:
    """The name of one scenario after the other."""
    return str(request.param)


@pytest.fixture(scope="module")
def answers(scenario: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Answers]:
    """A sandbox with that scenario, for all tests of it."""
    folder = tmp_path_factory.mktemp(scenario)
    with sandbox.running(folder, ("--scenario", scenario_option(scenario, folder))) as kubeconfig:
        yield Answers(kubeconfig, VERDICTS[scenario])


def test_every_scenario_has_a_verdict() -> None:
    found = (files("mlscale.sandbox") / "scenarios").iterdir()
    assert {entry.name.removesuffix(".yaml") for entry in found if entry.name.endswith(".yaml")} <= set(VERDICTS)


def test_every_limit_is_the_verdict_of_a_scenario() -> None:
    assert {name for verdict in VERDICTS.values() for name in verdict.limits.split()} == set(get_args(LimitName))


def test_the_cause_is_named_and_then_what_mends_it(scenario: str, answers: Answers) -> None:
    check_cause(answers.recommended, VERDICTS[scenario])


def test_the_lines_do_what_is_said_and_run(scenario: str, answers: Answers) -> None:
    expected = VERDICTS[scenario]
    for line in checked_lines(answers.recommended, expected, expected.namespace):
        program, *arguments = shlex.split(line)
        if program == "mlscale":
            done = answers.run(*arguments, "--dry-run=server")
            assert done.returncode == 0, done.stderr
