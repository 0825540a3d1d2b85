"""What mlscale recommend has to say to each scenario, wherever it runs: on the sandbox, and on the control plane.

Each story has one cause, and the answer has to name that one. Beside the scenarios of the sandbox there are some made
of `steady`: a pod that fills its node, with and without room for another, and a StatefulSet.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Mapping
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
    """How the lines to run begin, in order; NAMESPACE stands for the workload's."""
    workload: str = "my-ml-model"
    namespace: str = "default"
    """That of the sandbox's scenario."""
    may_limit: str = ""
    """The names of those that may follow: when the sandbox starts decides where its bursts fall between samples."""
    days: int = 3
    """How far back to look: a longer past takes longer to work out."""

    def lines_in(self, namespace: str) -> list[str]:
        """The beginnings of the lines for a workload that is in `namespace`."""
        return [line.replace("NAMESPACE", namespace) for line in self.lines]


AUTOSCALE = "mlscale autoscale deployment/my-ml-model -n NAMESPACE"
RESIZE = "kubectl set resources deployment my-ml-model -n NAMESPACE -c model"

VERDICTS: Mapping[str, Verdict] = {
    # The HPA's target of 120 % of the request is out of reach of a limit of 100 %.
    "cpu-throttled": Verdict(
        "CpuLimit CpuSteady", "vertical", "The CPU limit of container model holds it down", (f"{RESIZE} --requests=",)
    ),
    # One copy at its limit at noon: throttled too, and yet the limit is not what a varying load lacks.
    "daily": Verdict(
        "CpuVarying", "autoscale vertical", "autoscale from 1 to", (f"{AUTOSCALE} --min 1 --max ", RESIZE)
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
            "mlscale autoscale deployment/llm-server -n NAMESPACE --min 4 --max 8 --cpu 60%",
            "kubectl set resources deployment llm-server -n NAMESPACE -c model --requests=memory=",
        ),
        workload="llm-server",
    ),
    # Pods that load the model are throttled; the limit would be blamed for what the second hand does.
    "hpa-fight": Verdict("Rival", "autoscale autoscale", "more than one owner", (AUTOSCALE,)),
    "idle": Verdict(
        "Idle", "horizontal", "(6 now)", ("mlscale scale deployment/my-ml-model -n NAMESPACE --replicas 2",)
    ),
    "memory-bound": Verdict(
        "Memory", "vertical", "more copies do not lower that", (f"{RESIZE} --requests=memory=",), may_limit="CpuVarying"
    ),
    "no-requests": Verdict(
        "Nothing", "vertical", "Its HPA cannot scale without the CPU requests", (f"{RESIZE} --requests=cpu=",)
    ),
    # Two pods that fill their nodes: a third node takes another, and without one only a cheaper model is left.
    "node-left": Verdict(
        "CpuSteady",
        "horizontal vertical",
        "run 3 replicas (2 now)",
        ("mlscale scale deployment/my-ml-model -n NAMESPACE --replicas 3", f"{RESIZE} --requests=memory="),
    ),
    "nodes-filled": Verdict(
        "CpuSteady Ceiling", "cheaper-model", "CPU is the bound and demand is steady: make the model"
    ),
    "quota": Verdict(
        "Cluster CpuSteady", "cluster", "exceeded quota: compute, requested: requests.cpu=500m", namespace="team-a"
    ),
    # The pods that the HPA adds come after the queue: more of them have to be there before it.
    "slow-start": Verdict("CpuVarying", "autoscale vertical", "more of the demand", (AUTOSCALE, RESIZE)),
    "spike": Verdict("CpuVarying", "autoscale", "autoscale from", (f"{AUTOSCALE} --min ",)),
    # 750m of demand on 3 copies of 500m: 2 would do.
    "steady": Verdict("CpuSteady", "autoscale", "from 2 to ", (f"{AUTOSCALE} --min 2 --max ",)),
    "steady-stateful": Verdict(
        "CpuSteady",
        "autoscale",
        "from 2 to ",
        ("mlscale autoscale statefulset/my-ml-model -n NAMESPACE --min 2 --max ",),
        workload="statefulset/my-ml-model",
    ),
}

_LARGE = (
    ('cpu: "8"', 'cpu: "4"'),
    ("memory: 1Gi", "memory: 8Gi"),
    ("{base: 15,", "{base: 142,"),
    ("requests: {cpu: 500m", 'requests: {cpu: "3600m"'),
    ('limits: {cpu: "1"', 'limits: {cpu: "3600m"'),
    ("replicas: 3", "replicas: 2"),
)
"""7.1 cores of demand for two copies of 3.6, each of which takes most of the 4 of its node."""
_MADE_OF_STEADY = {
    "node-left": _LARGE,
    "nodes-filled": (*_LARGE, ("count: 3", "count: 2")),
    "steady-stateful": (
        ("kind: Deployment", "kind: StatefulSet"),
        ("      replicas: 3", "      serviceName: my-ml-model\n      replicas: 3"),
    ),
}
_WITHOUT_HPA = ("node-left", "nodes-filled")


def scenario_option(name: str, folder: Path) -> str:
    """What --scenario is given for the scenario of a verdict; one that is made is written to `folder`."""
    if name not in _MADE_OF_STEADY:
        return name
    text = (files("mlscale.sandbox") / "scenarios" / "steady.yaml").read_text(encoding="utf-8")
    for old, new in _MADE_OF_STEADY[name]:
        assert old in text, f"steady.yaml has no {old!r} any more"
        text = text.replace(old, new)
    if name in _WITHOUT_HPA:
        text = text[: text.index("  - apiVersion: autoscaling/v2")]
    path = folder / f"{name}.yaml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def arguments_of(expected: Verdict, namespace: str) -> list[str]:
    """The command line that asks for the verdict, but for where the history comes from."""
    history = f"{expected.days}d"
    return ["recommend", expected.workload, "-n", namespace, "--history", history, "--check", "-o", "json"]


def recommendation(done: subprocess.CompletedProcess[str], expected: Verdict) -> Json:
    """The one recommendation of what was printed; the exit code says whether there is something to do."""
    assert done.returncode == (DIFFERS if expected.methods else 0), done.stderr
    (one,) = json.loads(done.stdout)["recommendations"]
    assert isinstance(one, dict)
    return one


def check_cause(one: Json, expected: Verdict) -> None:
    """The cause is named, and then what mends it."""
    limits = " ".join(limit["name"] for limit in one["limits"])
    assert limits in (expected.limits, f"{expected.limits} {expected.may_limit}")
    assert " ".join(step["method"] for step in one["steps"]) == expected.methods
    assert one["method"] == (expected.methods or "none").split()[0]
    assert one["differs"] is bool(expected.methods)
    assert expected.says in one["verdict"]
    assert all(limit["reasons"] for limit in one["limits"])


def checked_lines(one: Json, expected: Verdict, namespace: str) -> list[str]:
    """The lines to run, which do what is said."""
    lines = [step["command"] for step in one["steps"] if step["command"]]
    beginnings = expected.lines_in(namespace)
    assert len(lines) == len(beginnings), lines
    for line, beginning in zip(lines, beginnings, strict=True):
        assert line.startswith(beginning)
    return lines
