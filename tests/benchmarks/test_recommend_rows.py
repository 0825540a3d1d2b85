"""A fleet's figures as rows, held to the goals from 100 workloads on."""

from __future__ import annotations

from benchmarks.fleet import FleetRow, Measured
from benchmarks.recommend_rows import growth_rows, table_rows


def _measured(wall: float, queries: int, peak_mb: float = 100) -> Measured:
    return Measured(wall=wall, cpu=wall / 2, server_cpu=0.1, peak_mb=peak_mb, queries=queries)


def _told(row: FleetRow) -> list[tuple[str, str, float | None, float | None, bool]]:
    return [(row.name, row.beside, row.ratio, row.goal, row.met) for row in table_rows([row], rounds=3)]


def test_a_large_fleet_is_held_to_krr_and_to_the_limit_of_memory() -> None:
    row = FleetRow(100, 7, "recommend", _measured(3, 70, peak_mb=600), _measured(6, 700))

    assert _told(row) == [
        ("100 workloads, 7 d: recommend, with the replay", "krr", 0.5, 1.0, True),
        ("100 workloads, 7 d: recommend, with the replay: queries", "krr", 0.1, 0.1, True),
        ("100 workloads, 7 d: recommend, with the replay: peak memory", "500 MB", 1.2, 1.0, False),
    ]


def test_without_the_replay_half_of_krrs_time_is_the_goal() -> None:
    row = FleetRow(1000, 7, "requests", _measured(4, 701), _measured(6, 7000))

    assert [(ratio, goal, met) for _, _, ratio, goal, met in _told(row)][:2] == [
        (4 / 6, 0.5, False),
        (0.10014285714285714, 0.1, False),
    ]


def test_a_small_fleet_shows_its_growth_and_has_no_goal_but_memory() -> None:
    row = FleetRow(10, 7, "requests", _measured(2, 10), _measured(1, 76))

    assert [(ratio, goal, met) for _, _, ratio, goal, met in _told(row)] == [
        (2.0, None, True),
        (10 / 76, None, True),
        (0.2, 1.0, True),
    ]


def test_without_krr_there_is_nothing_beside() -> None:
    row = FleetRow(100, 30, "recommend", _measured(2, 10), None)

    assert [(beside, ratio, goal) for _, beside, ratio, goal, _ in _told(row)] == [
        ("", None, None),
        ("", None, None),
        ("500 MB", 0.2, 1.0),
    ]


def test_the_growth_of_the_search_is_told_in_all_and_for_each_workload() -> None:
    (row,) = growth_rows([("10 workloads, 7 days", 1.5, 150.4)])

    assert (row.name, row.ours, row.unit) == ("search for 10 workloads, 7 days, 150 ms a workload", 1.5, "CPU s")
    assert row.met
