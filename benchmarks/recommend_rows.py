"""What recommend takes, in the table of `make bench`: its replay of one history, and a fleet beside krr."""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING

from benchmarks import replay_speed
from benchmarks.compare import Row
from benchmarks.fleet import fleet_rows
from mlscale.hpa.replay import replay as replayed
from mlscale.hpa.replay_model import World

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.fleet import FleetRow
    from benchmarks.stage import Stage

PEAK_MB = 500
"""What no run may pass."""
LARGE = 100
"""Workloads from which on the goals hold: below, imports decide."""
NAMES = {"requests": "requests alone", "recommend": "recommend, with the replay"}
WALL_GOALS = {"requests": 0.5, "recommend": 1.0}
QUERY_GOAL = 0.1
REPLAYS = (
    *((load, 7, 500) for load in replay_speed.LOADS),
    *(("daily", days, 500) for days in (1, 30)),
    *(("daily", 7, settings) for settings in (50, 100, 250)),
)
"""Kind of load, days at 15 s, and settings; the first are held to the limit."""
FIRST_REPLICAS = 10
"""With which a replay begins."""


def replay(stage: Stage) -> list[Row]:
    """One history and many settings, in this process, by days and by settings; and the whole search, by workloads."""
    rows = [_replay_row(stage.sizes.rounds, *one) for one in REPLAYS if one[1] <= stage.sizes.replay_days]
    return [*rows, *(growth_rows(replay_speed.growth()) if stage.sizes.searches else ())]


def growth_rows(found: Sequence[tuple[str, float, float]]) -> list[Row]:
    """Rows of `replay_speed.growth`: CPU time in all, and of one workload."""
    return [
        Row(f"search for {name}, {each:.0f} ms a workload", "", "CPU s", seconds, None, None, 1)
        for name, seconds, each in found
    ]


def _replay_row(rounds: int, kind: str, days: int, settings: int) -> Row:
    demand, candidates, world = replay_speed.load(kind, days), replay_speed.settings(settings), World()
    walls = []
    for _ in range(rounds):
        started = time.perf_counter()
        replayed(demand, candidates, world, FIRST_REPLICAS)
        walls.append(time.perf_counter() - started)
    name, took = f"replay of {days} d, {settings} settings, {kind} load", statistics.median(walls)
    if (days, settings) != (7, 500):
        return Row(name, "", "s", took, None, None, rounds)
    limit = replay_speed.GOAL
    return Row(name, f"{limit:g} s", "s", took, limit, took / limit, rounds, 1.0)


def fleet(stage: Stage) -> list[Row]:
    """By the number of workloads, and by the days of history of the first large number."""
    sizes, rounds = stage.sizes, stage.sizes.slow_rounds
    found = fleet_rows(stage.krr, sizes.workloads, days=sizes.days[0], rounds=rounds)
    for days in sizes.days[1:]:
        found += fleet_rows(stage.krr, [sizes.workloads_of_days], days=days, rounds=rounds)
    return table_rows(found, rounds)


def table_rows(found: Sequence[FleetRow], rounds: int) -> list[Row]:
    """Time, queries and peak memory of each, with its goals."""
    return [row for one in found for row in _rows(one, rounds)]


def _rows(one: FleetRow, rounds: int) -> list[Row]:
    name = f"{one.size:,} workloads, {one.days} d: {NAMES[one.work]}"
    large, krr = one.size >= LARGE, one.krr
    beside, ours = "krr" if krr else "", one.mlscale
    goal, query_goal = (WALL_GOALS[one.work], QUERY_GOAL) if large and krr else (None, None)
    wall = Row(
        name,
        beside,
        "s",
        ours.wall,
        krr.wall if krr else None,
        one.wall_ratio,
        rounds,
        goal,
        cpu=(1000 * ours.cpu, 1000 * krr.cpu) if krr else None,
        memory=(ours.peak_mb, krr.peak_mb) if krr else None,
    )
    queries = Row(
        f"{name}: queries", beside, "queries", ours.queries, krr.queries if krr else None, one.query_ratio, rounds,
        query_goal,
    )  # fmt: skip
    peak = ours.peak_mb / PEAK_MB
    memory = Row(f"{name}: peak memory", f"{PEAK_MB} MB", "MB", ours.peak_mb, PEAK_MB, peak, rounds, 1.0)
    return [wall, queries, memory]
