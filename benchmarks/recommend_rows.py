"""What recommend takes, in the table of `make bench`: a fleet beside krr."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.compare import Row
from benchmarks.fleet import fleet_rows

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
