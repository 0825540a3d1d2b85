"""The cases, in groups: each group makes what it needs, compares, and removes what it made."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from benchmarks import compare
from benchmarks.compare import Case, Row, Work, failed
from benchmarks.fills import (
    Fill,
    add_pods,
    create_workload,
    fresh_namespace,
    paused_deployment,
    paused_deployments,
    pod_nodes,
    remove_pods,
)
from benchmarks.measure import BenchmarkError, Command
from benchmarks.recommend_rows import fleet, replay
from benchmarks.relay import Distance, far_kubeconfig, relay, server_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from benchmarks.stage import Stage

PARKED = "parked"
"""A paused deployment: its replicas change without a pod."""
WEB = "web"
"""A deployment with two running pods and an HPA."""
OURS, THEIRS = 2, 3
"""The replicas that each program sets: every run changes what the other left."""


def local(stage: Stage) -> list[Row]:
    """Single commands, the server on the same machine, kubectl's discovery cache warm."""
    with fresh_namespace(stage.cluster, stage.prefix) as fill:
        _furnish(fill)
        return stage.compare(_single(stage, fill, goal=2.0))


def far(stage: Stage) -> list[Row]:
    """The same with a round trip in between, and no discovery cache: a fresh CI container."""
    with fresh_namespace(stage.cluster, stage.prefix) as fill:
        _furnish(fill)
        return _rows_at(stage, fill, stage.sizes.round_trip)


def trips(stage: Stage) -> list[Row]:
    """How many round trips each waits for: what a second more of distance adds, in seconds."""
    near, beyond = stage.sizes.round_trip, stage.sizes.round_trip + stage.sizes.detour
    few = replace(stage, sizes=replace(stage.sizes, rounds=min(3, stage.sizes.rounds)))
    with fresh_namespace(stage.cluster, stage.prefix) as fill:
        _furnish(fill)
        pairs = zip(_rows_at(few, fill, near), _rows_at(few, fill, beyond), strict=True)
        return [_trips(stage, one, other) for one, other in pairs]


def bulk(stage: Stage) -> list[Row]:
    """Many deployments by one command; kubectl's client sends five requests a second."""
    with fresh_namespace(stage.cluster, stage.prefix) as fill:
        deployments = paused_deployments(stage.sizes.deployments)
        fill.create(deployments)
        file = stage.folder / "deployments.json"
        file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": deployments}), encoding="utf-8")
        return stage.compare([_scale_all(stage, fill), _autoscale_all(stage, fill, file)])


def tables(stage: Stage) -> list[Row]:
    """Tables of many pods, of one namespace and of all."""
    rows: list[Row] = []
    with pod_nodes(stage.cluster, stage.prefix) as nodes, fresh_namespace(stage.cluster, stage.prefix) as fill:
        try:
            done = 0
            for count in stage.sizes.pods:
                add_pods(fill, range(done, count), nodes, stage.say)
                done = count
                rows += stage.compare(_pod_tables(stage, fill, count))
        finally:
            remove_pods(fill)
    return rows


def start(stage: Stage) -> list[Row]:
    """What is there before any request: the interpreter, typer, the help, completion."""
    python, version = stage.programs.python, stage.theirs("version --client")
    typer = Work((Command((python, "-c", "import typer")),))
    floor = [
        Case("floor: `python -c pass`", Work((Command((python, "-c", "pass")),)), version, compare.whatever,
             beside="kubectl version --client"),
        Case('floor: `python -c "import typer"`', typer, version, compare.whatever, beside="kubectl version --client"),
    ]  # fmt: skip
    bare = [
        Case(f"`{line}`", stage.ours(line), typer, compare.anything, 1.5, beside="import typer")
        for line in ("--version", "--help")
    ]
    with fresh_namespace(stage.cluster, stage.prefix) as fill:
        _furnish(fill)
        return stage.compare([*floor, *bare, _completion(stage, fill)])


GROUPS: dict[str, Callable[[Stage], list[Row]]] = {
    "start": start,
    "local": local,
    "far": far,
    "trips": trips,
    "bulk": bulk,
    "tables": tables,
    "replay": replay,
    "fleet": fleet,
}


def _furnish(fill: Fill) -> None:
    fill.create([paused_deployment(PARKED)])
    create_workload(fill, WEB)


def _rows_at(stage: Stage, fill: Fill, round_trip: float) -> list[Row]:
    here = stage.cluster.kubeconfig
    with relay(*server_of(here), Distance(round_trip)) as port:
        there = far_kubeconfig(here, port, stage.folder / "far-kubeconfig")
        away = f", {1000 * round_trip:.0f} ms away, cold"
        return stage.compare([*_single(stage, fill, 0.75, there, away), _whole_status(stage, fill, there, away)])


def _trips(stage: Stage, near: Row, beyond: Row) -> Row:
    name = near.name.partition(",")[0]
    if near.theirs is None or beyond.theirs is None:
        return failed(name, near.beside, near.failure or beyond.failure)
    added = 1000 * stage.sizes.detour
    ours, theirs = (beyond.ours - near.ours) / added, (beyond.theirs - near.theirs) / added
    return Row(name, near.beside, "round trips", ours, theirs, ours / theirs, near.rounds)


def _single(stage: Stage, fill: Fill, goal: float, kubeconfig: Path | None = None, away: str = "") -> list[Case]:
    ours, theirs = (partial(of, kubeconfig=kubeconfig) for of in (stage.ours, stage.theirs))
    within = f"-n {fill.namespace}"
    unscaled = partial(fill.delete_hpa, PARKED)
    scaled = partial(_check_hpas, fill, [PARKED, WEB])
    limits = "--min=1 --max=5 --cpu=50%"

    def case(name: str, mine: Work, other: Work, agree: compare.Agree) -> Case:
        return Case(f"{name}{away}", mine, other, agree, goal, cold=kubeconfig is not None)

    return [
        case("scale", ours(f"{within} scale {PARKED} --replicas {OURS}", after=partial(_check_scaled, fill, OURS)),
             theirs(f"{within} scale deployment/{PARKED} --replicas={THEIRS}",
                    after=partial(_check_scaled, fill, THEIRS)), compare.same),
        case("autoscale", ours(f"{within} autoscale {PARKED} {limits}", before=unscaled, after=scaled),
             theirs(f"{within} autoscale deployment {PARKED} {limits}", before=unscaled, after=scaled), compare.same),
        case("status --only hpa", ours(f"{within} status --only hpa", before=unscaled),
             theirs(f"{within} get hpa", before=unscaled), compare.same_rows),
        case("status --only pods", ours(f"{within} status --only pods"), theirs(f"{within} get pods"),
             compare.same_table),
    ]  # fmt: skip


def _whole_status(stage: Stage, fill: Fill, kubeconfig: Path, away: str) -> Case:
    within = f"-n {fill.namespace}"
    gets = (f"get deployment {WEB}", f"get pods -l app={WEB}", f"get hpa {WEB}")
    return Case(
        f"status NAME{away}",
        stage.ours(f"{within} status {WEB}", kubeconfig=kubeconfig),
        stage.theirs(*(f"{within} {get}" for get in gets), kubeconfig=kubeconfig),
        compare.same_rows,
        goal=0.40,
        beside="three kubectl gets",
        cold=True,
    )


def _scale_all(stage: Stage, fill: Fill) -> Case:
    count, within = stage.sizes.deployments, f"-n {fill.namespace}"
    return Case(
        f"scale {count} deployments (--all)",
        stage.ours(f"{within} scale deployments --all --replicas {OURS}", after=partial(_check_all, fill, OURS)),
        stage.theirs(f"{within} scale deployments --all --replicas={THEIRS}", after=partial(_check_all, fill, THEIRS)),
        compare.same,
        goal=0.04,
        rounds=stage.sizes.slow_rounds,
    )


def _autoscale_all(stage: Stage, fill: Fill, file: Path) -> Case:
    line = f"-n {fill.namespace} autoscale -f {file} --min=1 --max=5 --cpu=50%"
    names = sorted(fill.replicas())
    checked = partial(_check_hpas, fill, names)
    return Case(
        f"autoscale {len(names)} deployments (-f)",
        stage.ours(line, before=fill.delete_hpas, after=checked),
        stage.theirs(line, before=fill.delete_hpas, after=checked),
        compare.same,
        goal=0.04,
        rounds=stage.sizes.slow_rounds,
    )


def _pod_tables(stage: Stage, fill: Fill, count: int) -> list[Case]:
    within = f"-n {fill.namespace}"
    return [
        Case(f"table of {count:,} pods", stage.ours(f"{within} status --only pods"), stage.theirs(f"{within} get pods"),
             compare.same_table, goal=0.3, memory_goal=0.3),
        Case(f"table of {count:,} pods, -A", stage.ours("status --only pods -A"), stage.theirs("get pods -A"),
             compare.rows_of_namespace(fill.namespace), goal=0.6, memory_goal=0.6),
    ]  # fmt: skip


def _completion(stage: Stage, fill: Fill) -> Case:
    words = f"mlscale -n {fill.namespace} scale deployments "
    asked = {"_MLSCALE_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
    ask = ("__complete", "-n", fill.namespace, "get", "deployments", "")
    return Case(
        "completion of a name",
        Work((Command((stage.programs.mlscale,), asked),)),
        Work((Command((stage.programs.kubectl, *ask)),)),
        compare.same_names,
        goal=2.0,
    )


def _check_scaled(fill: Fill, count: int) -> None:
    found = fill.replicas()[PARKED]
    if found != count:
        raise BenchmarkError(f"deployment/{PARKED} has {found} replicas, not {count}")


def _check_all(fill: Fill, count: int) -> None:
    found = fill.replicas()
    wrong = [name for name, replicas in found.items() if replicas != count]
    if wrong:
        raise BenchmarkError(f"{len(wrong)} of {len(found)} deployments do not have {count} replicas: {wrong[0]}")


def _check_hpas(fill: Fill, names: list[str]) -> None:
    found = sorted(fill.hpas())
    if found != names:
        raise BenchmarkError(f"there are {len(found)} HPAs, not {len(names)}: {' '.join(found[:5])}")
