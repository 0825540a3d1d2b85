"""What mlscale recommend says to each scenario of the sandbox, told by its own processes: the sandbox only.

Each story has one cause, and the answer has to name that one. Two more scenarios are made of `steady`, for what no
scenario of the sandbox tells: a pod that fills its node, with and without room for another.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import pytest

from tests.contract import sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Json = dict[str, Any]

DIFFERS = 10
"""The exit code of --check where what runs is not what is recommended."""


@dataclass(frozen=True)
class Verdict:
    """What is expected of one scenario."""

    limits: str
    """The names of the first, in order."""
    methods: str
    """Those of the steps in order; empty for nothing to do."""
    says: str
    """A part of the sentence that answers."""
    lines: tuple[str, ...] = ()
    """How the lines to run begin, in order."""
    workload: str = "my-ml-model"
    namespace: str = "default"
    may_limit: str = ""
    """The names of those that may follow: when the sandbox starts decides where its bursts fall between samples."""
    history: str = "3d"
    """How far back to look: the sandbox works its past out when it is asked for it."""


AUTOSCALE = "mlscale autoscale deployment/my-ml-model"
RESIZE = "kubectl set resources deployment my-ml-model -n default -c model"

VERDICTS = {
    # The HPA's target of 120 % of the request is out of reach of a limit of 100 %.
    "cpu-throttled": Verdict(
        "CpuLimit CpuSteady", "vertical", "The CPU limit of container model holds it down", (f"{RESIZE} --requests=",)
    ),
    # One copy at its limit at noon: throttled too, and yet the limit is not what a varying load lacks.
    "daily": Verdict(
        "CpuVarying", "autoscale vertical", "autoscale from 1 to", (f"{AUTOSCALE} -n default --min 1 --max ", RESIZE)
    ),
    # 10 requests/s are what the feature store behind it answers, with however many copies.
    "downstream": Verdict("Downstream", "", "more copies will not help"),
    # 4 of 8 pods are Pending: those that run are throttled for want of the others.
    "full-cluster": Verdict("Cluster CpuSteady", "cluster", "4 of 8 pods Unschedulable: cpu is short"),
    # 5 requests/s of 0.5 GPU-seconds need more than 2 GPUs.
    "gpu-queue": Verdict(
        "Gpu",
        "horizontal autoscale-metric vertical",
        "run 4 replicas (2 now)",
        (
            "mlscale autoscale deployment/llm-server -n default --min 4 --max 8 --cpu 60%",
            "kubectl set resources deployment llm-server -n default -c model --requests=memory=",
        ),
        workload="llm-server",
    ),
    # Pods that load the model are throttled; the limit would be blamed for what the second hand does.
    "hpa-fight": Verdict(
        "Rival", "autoscale autoscale", "more than one owner", (AUTOSCALE,), may_limit="CpuSteady", history="1d"
    ),
    "idle": Verdict("Idle", "horizontal", "(6 now)", ("mlscale scale deployment/my-ml-model -n default --replicas 2",)),
    "memory-bound": Verdict(
        "Memory", "vertical", "more copies do not lower that", (f"{RESIZE} --requests=memory=",), may_limit="CpuVarying"
    ),
    "no-requests": Verdict(
        "Nothing", "vertical", "Its HPA cannot scale without the CPU requests", (f"{RESIZE} --requests=cpu=",)
    ),
    "quota": Verdict(
        "Cluster CpuSteady", "cluster", "exceeded quota: compute, requested: requests.cpu=500m", namespace="team-a"
    ),
    # The pods that the HPA adds come after the queue: more of them have to be there before it.
    "slow-start": Verdict("CpuVarying", "autoscale vertical", "more of the demand", (AUTOSCALE, RESIZE)),
    "spike": Verdict("CpuVarying", "autoscale", "autoscale from", (f"{AUTOSCALE} -n default --min ",)),
    # 750m of demand on 3 copies of 500m: 2 would do.
    "steady": Verdict(
        "CpuSteady", "autoscale", "from 2 to 4 replicas", (f"{AUTOSCALE} -n default --min 2 --max 4 --cpu 80%",)
    ),
}

LARGE = (
    ('cpu: "8"', 'cpu: "4"'),
    ("memory: 1Gi", "memory: 8Gi"),
    ("{base: 15,", "{base: 142,"),
    ("requests: {cpu: 500m", 'requests: {cpu: "3600m"'),
    ('limits: {cpu: "1"', 'limits: {cpu: "3600m"'),
)
"""7.1 cores of demand for two copies of 3.6, each of which takes most of the 4 of its node."""


def made_of_steady(changes: tuple[tuple[str, str], ...]) -> str:
    """The scenario `steady` with parts of its text replaced, each of which it has."""
    text = (files("mlscale.sandbox") / "scenarios" / "steady.yaml").read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text, f"steady.yaml has no {old!r} any more"
        text = text.replace(old, new)
    return text


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
        expected = self._verdict
        done = self.run(
            "recommend", expected.workload, "-n", expected.namespace, "--history", expected.history, "--check",
            "-o", "json",
        )  # fmt: skip
        assert done.returncode == (DIFFERS if expected.methods else 0), done.stderr
        (one,) = json.loads(done.stdout)["recommendations"]
        assert isinstance(one, dict)
        return one


@pytest.fixture(scope="module", params=VERDICTS)
def scenario(request: pytest.FixtureRequest) -> str:
    """The name of one scenario after the other."""
    return str(request.param)


@pytest.fixture(scope="module")
def answers(scenario: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Answers]:
    """A sandbox with that scenario, for all tests of it."""
    with sandbox.running(tmp_path_factory.mktemp(scenario), ("--scenario", scenario)) as kubeconfig:
        yield Answers(kubeconfig, VERDICTS[scenario])


def limits_of(one: Json) -> str:
    return " ".join(limit["name"] for limit in one["limits"])


def methods_of(one: Json) -> str:
    return " ".join(step["method"] for step in one["steps"])


def lines_of(one: Json) -> list[str]:
    return [step["command"] for step in one["steps"] if step["command"]]


def test_every_scenario_has_a_verdict() -> None:
    found = (files("mlscale.sandbox") / "scenarios").iterdir()
    assert {entry.name.removesuffix(".yaml") for entry in found if entry.name.endswith(".yaml")} == set(VERDICTS)


def test_the_cause_is_named_and_then_what_mends_it(scenario: str, answers: Answers) -> None:
    one, expected = answers.recommended, VERDICTS[scenario]
    assert limits_of(one) in (expected.limits, f"{expected.limits} {expected.may_limit}")
    assert methods_of(one) == expected.methods
    assert one["method"] == (expected.methods or "none").split()[0]
    assert one["differs"] is bool(expected.methods)
    assert expected.says in one["verdict"]
    assert all(limit["reasons"] for limit in one["limits"])


def test_the_lines_do_what_is_said_and_run(scenario: str, answers: Answers) -> None:
    lines, expected = lines_of(answers.recommended), VERDICTS[scenario]
    assert len(lines) == len(expected.lines), lines
    for line, beginning in zip(lines, expected.lines, strict=True):
        assert line.startswith(beginning)
        program, *arguments = shlex.split(line)
        if program == "mlscale":
            done = answers.run(*arguments, "--dry-run=server")
            assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("nodes", "limits", "method"),
    [("2", "CpuSteady Ceiling", "cheaper-model"), ("3", "CpuSteady", "horizontal")],
    ids=["no node is left", "a node is left"],
)
def test_a_pod_that_fills_its_node(tmp_path: Path, nodes: str, limits: str, method: str) -> None:
    text = made_of_steady((*LARGE, ("count: 3", f"count: {nodes}"), ("replicas: 3", "replicas: 2")))
    without_hpa = text[: text.index("  - apiVersion: autoscaling/v2")]
    (tmp_path / "large.yaml").write_text(without_hpa, encoding="utf-8")
    expected = Verdict(limits, method, "")
    with sandbox.running(tmp_path, ("--scenario", str(tmp_path / "large.yaml"))) as kubeconfig:
        one = Answers(kubeconfig, expected).recommended
    assert (limits_of(one), one["method"]) == (limits, method)
