"""Scenarios as files: every mistake is said in one line that names the field."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mlscale.errors import ExitCode
from mlscale.sandbox.scenario import Crash, Daily, Demand, GitOps, NodePool, Spike, Startup
from mlscale.sandbox.scenario_fields import ScenarioError
from mlscale.sandbox.scenario_file import DEFAULT, load_scenario, read_scenario, scenario_names

if TYPE_CHECKING:
    from pathlib import Path

HEAD = "name: mine\nstory: A test.\n"
NODES = "nodes:\n  - {name: n, allocatable: {cpu: 2}}\n"
LEAST = HEAD + NODES
WHOLE = """
name: mine
story: A test.
clock: "23:30"
warm_up: 1.5m
registry: ["r/web:1"]
nodes:
  - {name: "n-{index}", count: 2, allocatable: {cpu: 2}, labels: {a: b}, taints: [{key: k, effect: NoSchedule}]}
workloads:
  - name: web
    namespace: team
    labels: {app: web}
    container: main
    startup: {pull: 500ms, load: 2h, load_cpu: 500m, stop: 1d}
    crash: {after: 5s, exit_code: 2, images: "*:2"}
    service: {cpu_seconds: 0.5, memory: 1Gi, memory_growth_per_hour: 3600}
    demand: {base: 3, daily: {low: 1, high: 2, peak: "06:15"}, spikes: [{at: 1m, lasts: 2m, rate: 9}], noise: 0.1}
gitops:
  - {manager: flux, name: web, replicas: 3, every: 1m}
objects:
  - {apiVersion: v1, kind: Namespace, metadata: {name: team}}
"""


def test_all_are_there() -> None:
    assert scenario_names() == sorted(
        ["steady", "daily", "spike", "slow-start", "cpu-throttled", "memory-bound", "gpu-queue", "downstream",
         "no-requests", "quota", "full-cluster", "hpa-fight", "idle"]
    )  # fmt: skip
    assert DEFAULT in scenario_names()


@pytest.mark.parametrize("name", scenario_names())
def test_each_can_be_read_and_says_its_lesson_in_a_line(name: str) -> None:
    scenario = load_scenario(name)
    assert scenario.name == name
    assert scenario.story.endswith(".")
    assert len(scenario.story) <= 120


def test_every_field_is_read() -> None:
    scenario = read_scenario(WHOLE, "mine.yaml")
    taint = {"key": "k", "effect": "NoSchedule"}
    assert scenario.nodes == (NodePool("n-{index}", 2, {"cpu": 2}, {"a": "b"}, (taint,)),)
    assert (scenario.clock, scenario.warm_up, scenario.registry) == (84_600, 90, ("r/web:1",))
    assert scenario.gitops == (GitOps("flux", "deployments.apps", "default", "web", 3, 60),)
    (workload,) = scenario.workloads
    assert (workload.namespace, workload.labels, workload.container) == ("team", {"app": "web"}, "main")
    assert workload.startup == Startup(pull=0.5, load=7200, load_cpu=0.5, stop=86_400)
    assert workload.crash == Crash(after=5, exit_code=2, images="*:2")
    assert (workload.service.cpu_seconds, workload.service.memory, workload.service.memory_growth) == (0.5, 2**30, 1)
    assert workload.demand == Demand(3, Daily(1, 2, 22_500), (Spike(60, 120, 9),), 0.1)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "mine.yaml: None is no mapping; fields are right, such as name: steady"),
        ("a: [", "mine.yaml: this is no YAML at line 1; see `mlscale sandbox scenarios` for examples"),
        (NODES, "mine.yaml: name: it is missing; it has to be said here"),
        (HEAD, "mine.yaml: nodes: it is missing; a cluster has one node or more"),
        (LEAST + "speed: 60\n", "mine.yaml: speed: there is no such field; the fields here are "),
        (LEAST + "worklods: []\n", 'mine.yaml: worklods: there is no such field; did you mean "workloads"?'),
        (LEAST + "clock: 480\n", 'mine.yaml: clock: 480 is no time of day; a quoted one is right, such as "08:00"'),
        (LEAST + "clock: '24:00'\n", "mine.yaml: clock: '24:00' is no time of day; "),
        (LEAST + "warm_up: 90\n", "mine.yaml: warm_up: 90 is no duration; 30s, 1.5m, 2h or 1d is right"),
        (LEAST + "objects: {}\n", "mine.yaml: objects: a mapping is no list; entries that begin with - are right"),
        (LEAST + "objects: [7]\n", "mine.yaml: objects[0]: 7 is no mapping; an object is right"),
        (LEAST + "registry: [7]\n", "mine.yaml: registry: 7 is no text; quote it if it is to be one"),
        (HEAD + "nodes: [{name: n, count: 2, allocatable: {cpu: 2}}]",
         'mine.yaml: nodes[0].name: 2 nodes have the same name; {index} in it is right, such as "node-{index}"'),
        (HEAD + "nodes: [{name: n, count: 0, allocatable: {cpu: 2}}]",
         "mine.yaml: nodes[0].count: 0 is no whole number of 1 or more; 3 is right"),
        (HEAD + "nodes: [{name: n}]", "mine.yaml: nodes[0].allocatable: it is missing; it has to be said here"),
        ("name: mine\nstory: |\n  One.\n  Two.\n" + NODES,
         "mine.yaml: story: it has more than one line; one line is right"),
        (LEAST + "workloads: [{name: w, labels: {a: b}, demand: {base: -1}}]",
         "mine.yaml: workloads[0].demand.base: -1 is no number of 0 or more; 12 or 0.5 is right"),
        (LEAST + "workloads: [{name: w, labels: {a: b}, demand: {base: .inf}}]",
         "mine.yaml: workloads[0].demand.base: inf is no number of 0 or more; "),
        (LEAST + "workloads: [{name: w, labels: {a: b}, demand: {daily: {low: 2, high: 1}}}]",
         "mine.yaml: workloads[0].demand.daily.high: it is lower than low; "),
        (LEAST + "workloads: [{name: w, labels: {a: b}, service: {memory: much}}]",
         "mine.yaml: workloads[0].service.memory: 'much' is no quantity; 500m, 2 or 128Mi is right"),
        (LEAST + "workloads: [{name: w, labels: {a: b}, service: {memory: 1Gi}}]",
         "mine.yaml: workloads[0].service.cpu_seconds: a request takes no time; 0.05 is right"),
        (LEAST + "workloads: [{name: w}]", "mine.yaml: workloads[0].labels: it is missing; it has to be said here"),
        (LEAST + "gitops: [{manager: m, name: w, replicas: 1, every: 0s}]",
         "mine.yaml: gitops[0].every: it has no length; 3m is right"),
    ],
)  # fmt: skip
def test_a_mistake_is_said_with_its_field(text: str, said: str) -> None:
    with pytest.raises(ScenarioError) as refused:
        read_scenario(text, "mine.yaml")
    message = str(refused.value)
    assert message.startswith(said)
    assert "\n" not in message
    assert refused.value.exit_code is ExitCode.USAGE


def test_a_file_of_ones_own(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(LEAST, encoding="utf-8")
    assert load_scenario(str(file)).name == "mine"


def test_a_name_that_is_not_there_is_told_the_near_ones() -> None:
    with pytest.raises(ScenarioError, match='there is no scenario "stedy"; did you mean "steady"'):
        load_scenario("stedy")


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00"], ids=["missing", "binary"])
def test_a_file_that_cannot_be_read(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "mine.yaml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ScenarioError, match=r"mine\.yaml (cannot be read|is no UTF-8 text)"):
        load_scenario(str(file))
