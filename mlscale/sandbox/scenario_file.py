"""Scenarios by name, or from a YAML file of one's own."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from mlscale.kube.near import did_you_mean
from mlscale.sandbox.scenario import (
    DAY,
    Crash,
    Daily,
    Demand,
    GitOps,
    NodePool,
    Scenario,
    Service,
    Spike,
    Startup,
    Workload,
)
from mlscale.sandbox.scenario_fields import Fields, ScenarioError

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

DEFAULT = "daily"
HISTORY = 7 * DAY
"""Seconds of the past that a scenario has where it does not say how many."""
LONGEST_HISTORY = 31 * DAY
_SUFFIX = ".yaml"


def scenario_names() -> list[str]:
    """The scenarios that come with mlscale, in alphabetical order."""
    return sorted(entry.name.removesuffix(_SUFFIX) for entry in _folder().iterdir() if entry.name.endswith(_SUFFIX))


def load_scenario(name: str) -> Scenario:
    """The scenario of that name, or of that file where ``name`` ends in .yaml or .yml or holds a slash.

    Raises ScenarioError: there is none, or it is no scenario.
    """
    if name.endswith((_SUFFIX, ".yml")) or "/" in name:
        return read_scenario(_text_of(Path(name)), Path(name).name)
    names = scenario_names()
    if name not in names:
        hint = did_you_mean(name, names) or f"there are {', '.join(names)}; or give a file, such as ./mine.yaml"
        raise ScenarioError(f'there is no scenario "{name}"', hint)
    entry = _folder() / f"{name}{_SUFFIX}"
    return read_scenario(entry.read_text(encoding="utf-8"), entry.name)


def read_scenario(text: str, source: str) -> Scenario:
    """The scenario that ``text`` (YAML) says; ``source`` names it in errors. Raises ScenarioError."""
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}" if mark else ""
        raise ScenarioError(
            f"{source}: this is no YAML{where}", "see `mlscale sandbox scenarios` for examples"
        ) from error
    return _scenario(Fields(value, "", source))


def _folder() -> Traversable:
    return files("mlscale.sandbox") / "scenarios"


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ScenarioError(f"{path} cannot be read: {error.strerror}", "give the path of a scenario's file") from error
    except UnicodeDecodeError as error:
        raise ScenarioError(f"{path} is no UTF-8 text", "give the path of a scenario's file") from error


def _scenario(fields: Fields) -> Scenario:
    scenario = Scenario(
        name=fields.text("name"),
        story=fields.text("story"),
        nodes=tuple(_node_pool(part) for part in fields.parts("nodes")),
        objects=fields.mappings("objects"),
        workloads=tuple(_workload(part) for part in fields.parts("workloads")),
        gitops=tuple(_gitops(part) for part in fields.parts("gitops")),
        registry=fields.texts("registry"),
        clock=fields.clock("clock", Scenario.clock),
        warm_up=fields.seconds("warm_up", Scenario.warm_up),
        history=fields.seconds("history", HISTORY),
    )
    fields.require("story", "\n" not in scenario.story, "it has more than one line", "one line is right")
    fields.require("history", scenario.history <= LONGEST_HISTORY, "it is longer than 31 days", "7d is right")
    fields.require("nodes", bool(scenario.nodes), "it is missing", "a cluster has one node or more")
    fields.done()
    return scenario


def _node_pool(fields: Fields) -> NodePool:
    pool = NodePool(
        name=fields.text("name"),
        count=fields.count("count", 1, least=1),
        allocatable=fields.mapping("allocatable", required=True),
        labels=fields.mapping("labels"),
        taints=fields.mappings("taints"),
    )
    fields.require(
        "name", pool.count == 1 or "{index}" in pool.name, f"{pool.count} nodes have the same name",
        '{index} in it is right, such as "node-{index}"',
    )  # fmt: skip
    fields.done()
    return pool


def _workload(fields: Fields) -> Workload:
    startup, crash, service, demand = (fields.part(name) for name in ("startup", "crash", "service", "demand"))
    workload = Workload(
        name=fields.text("name"),
        namespace=fields.text("namespace", "default"),
        labels=fields.mapping("labels", required=True),
        container=fields.text("container", ""),
        startup=_startup(startup) if startup else Startup(),
        crash=_crash(crash) if crash else None,
        service=_service(service) if service else Service(),
        demand=_demand(demand) if demand else Demand(),
    )
    fields.done()
    return workload


def _startup(fields: Fields) -> Startup:
    startup = Startup(
        pull=fields.seconds("pull", Startup.pull),
        load=fields.seconds("load", Startup.load),
        load_cpu=fields.amount("load_cpu", Startup.load_cpu),
        stop=fields.seconds("stop", Startup.stop),
    )
    fields.done()
    return startup


def _crash(fields: Fields) -> Crash:
    crash = Crash(
        after=fields.seconds("after"),
        exit_code=fields.count("exit_code", Crash.exit_code, least=1),
        images=fields.text("images", Crash.images),
    )
    fields.done()
    return crash


def _service(fields: Fields) -> Service:
    service = Service(
        cpu_seconds=fields.number("cpu_seconds", Service.cpu_seconds),
        gpu_seconds=fields.number("gpu_seconds", Service.gpu_seconds),
        wait_seconds=fields.number("wait_seconds", Service.wait_seconds),
        concurrency=fields.count("concurrency", Service.concurrency, least=1),
        timeout=fields.seconds("timeout", Service.timeout),
        downstream_rate=fields.number("downstream_rate", Service.downstream_rate),
        idle_cpu=fields.amount("idle_cpu", Service.idle_cpu),
        memory=int(fields.amount("memory", Service.memory)),
        memory_per_request=int(fields.amount("memory_per_request", Service.memory_per_request)),
        memory_growth=fields.amount("memory_growth_per_hour", 0) / 3600,
    )
    fields.require("cpu_seconds", service.seconds > 0, "a request takes no time", "0.05 is right")
    fields.done()
    return service


def _demand(fields: Fields) -> Demand:
    daily = fields.part("daily")
    demand = Demand(
        base=fields.number("base", Demand.base),
        daily=_daily(daily) if daily else None,
        spikes=tuple(_spike(part) for part in fields.parts("spikes")),
        noise=fields.number("noise", Demand.noise),
    )
    fields.done()
    return demand


def _daily(fields: Fields) -> Daily:
    daily = Daily(low=fields.number("low"), high=fields.number("high"), peak=fields.clock("peak", Daily.peak))
    fields.require("high", daily.high >= daily.low, "it is lower than low", "the rate of the day's peak is right")
    fields.done()
    return daily


def _spike(fields: Fields) -> Spike:
    spike = Spike(
        at=fields.seconds("at"),
        lasts=fields.seconds("lasts"),
        rate=fields.number("rate"),
        every=fields.seconds("every", Spike.every),
    )
    fields.done()
    return spike


def _gitops(fields: Fields) -> GitOps:
    gitops = GitOps(
        manager=fields.text("manager"),
        resource=fields.text("resource", "deployments.apps"),
        namespace=fields.text("namespace", "default"),
        name=fields.text("name"),
        replicas=fields.count("replicas"),
        every=fields.seconds("every"),
    )
    fields.require("every", gitops.every > 0, "it has no length", "3m is right")
    fields.done()
    return gitops
