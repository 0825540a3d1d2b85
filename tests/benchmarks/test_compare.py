"""Ratios come from pairs, rounds alternate, and what was not the same work has no figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest

from benchmarks import compare
from benchmarks.compare import Case, Pairs, Row, Work
from benchmarks.measure import BenchmarkError, Command, Ran

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.measure import Starter

OURS, THEIRS = Command(("ours",)), Command(("theirs",))


class Played:
    """Stands in for the starter: gives times from a list, and notes who ran and what the home held."""

    def __init__(self, folder: Path, walls: dict[str, list[float]], says: dict[str, str] | None = None) -> None:
        self.environment = {"HOME": str(folder / "home")}
        self.home = folder / "home"
        self._walls = {name: iter(times) for name, times in walls.items()}
        self._says = says or {}
        self.order: list[str] = []
        self.warm: list[bool] = []

    def run(self, commands: tuple[Command, ...]) -> Ran:
        name = commands[0].arguments[0]
        self.order.append(name)
        self.warm.append((self.home / "cache").exists())
        (self.home / "cache").touch()
        return _ran(next(self._walls[name]), stdout=self._says.get(name, "done"))


def _ran(wall: float, peak: float = 10, stdout: str = "done") -> Ran:
    return Ran(wall_ms=wall, cpu_ms=wall / 2, peak_mb=peak, stdout=stdout, stderr="")


def _compare(played: Played, pairs: int, **changed: object) -> list[Row]:
    fields = {"name": "case", "ours": Work((OURS,)), "theirs": Work((THEIRS,)), "agree": compare.same, **changed}
    return compare.compare(Case(**fields), cast("Starter", played), pairs)  # type: ignore[arg-type]


def test_the_ratio_is_the_median_of_the_pairs_ratios() -> None:
    """The machine was ten times slower in the middle round; the ratio of the medians would say 2."""
    pairs = Pairs([_ran(1), _ran(20), _ran(2)], [_ran(1), _ran(20), _ran(1)])

    assert pairs.ratio(lambda ran: ran.wall_ms) == 1
    assert pairs.medians(lambda ran: ran.wall_ms) == (2, 1)


def test_a_row_holds_both_medians_their_ratio_and_the_goal(tmp_path: Path) -> None:
    played = Played(tmp_path, {"ours": [10, 12, 50], "theirs": [20, 24, 25]})

    (row,) = _compare(played, 3, goal=0.5)

    assert (row.ours, row.theirs, row.ratio, row.rounds, row.met) == (12, 24, 0.5, 3, True)
    assert row.cpu == (6, 12)
    assert row.memory == (10, 10)


@pytest.mark.parametrize(("goal", "met"), [(0.49, False), (0.5, True), (None, True)])
def test_a_goal_is_met_up_to_itself(tmp_path: Path, goal: float | None, met: bool) -> None:
    (row,) = _compare(Played(tmp_path, {"ours": [10], "theirs": [20]}), 1, goal=goal)

    assert row.met is met


def test_memory_has_a_row_of_its_own_where_it_has_a_goal(tmp_path: Path) -> None:
    rows = _compare(Played(tmp_path, {"ours": [10], "theirs": [20]}), 1, goal=0.5, memory_goal=0.3)

    assert [(row.name, row.unit, row.ratio, row.goal, row.met) for row in rows] == [
        ("case", "ms", 0.5, 0.5, True),
        ("case: peak memory", "MB", 1.0, 0.3, False),
    ]


def test_each_program_is_first_in_every_other_pair(tmp_path: Path) -> None:
    played = Played(tmp_path, {"ours": [1, 1, 1], "theirs": [1, 1, 1]})
    _compare(played, 3)

    assert played.order == ["ours", "theirs", "theirs", "ours", "ours", "theirs"]


@pytest.mark.parametrize(("cold", "warm"), [(True, [False] * 4), (False, [False, True, True, True])])
def test_a_cold_run_finds_no_cache(tmp_path: Path, cold: bool, warm: list[bool]) -> None:
    played = Played(tmp_path, {"ours": [1, 1], "theirs": [1, 1]})
    _compare(played, 2, cold=cold)

    assert played.warm == warm


def test_a_case_that_takes_a_minute_has_fewer_rounds(tmp_path: Path) -> None:
    played = Played(tmp_path, {"ours": [1] * 9, "theirs": [1] * 9})

    assert [row.rounds for row in _compare(played, 9, rounds=3)] == [3]


def test_what_is_prepared_and_checked_comes_around_each_run(tmp_path: Path) -> None:
    played = Played(tmp_path, {"ours": [1], "theirs": [1]})
    order = played.order
    work = Work((OURS,), before=lambda: order.append("before"), after=lambda: order.append("after"))
    _compare(played, 1, ours=work)

    assert order == ["before", "ours", "after", "theirs"]


def test_outputs_that_differ_leave_no_figures(tmp_path: Path) -> None:
    """A program that gave up early would be the faster one."""
    played = Played(tmp_path, {"ours": [1], "theirs": [100]}, says={"ours": "", "theirs": "3 rows"})

    (row,) = _compare(played, 1, goal=0.5)

    assert row.failure == "mlscale and kubectl did not do the same: 0 lines beside 1"
    assert (row.met, row.rounds) == (False, 0)


def test_work_that_was_not_done_leaves_no_figures(tmp_path: Path) -> None:
    def check() -> None:
        raise BenchmarkError("deployment/web has 1 replicas, not 2")

    played = Played(tmp_path, {"ours": [1], "theirs": [1]})

    (row,) = _compare(played, 1, ours=Work((OURS,), after=check))

    assert row.failure == "deployment/web has 1 replicas, not 2"


TABLE = """NAME    READY   STATUS    RESTARTS   AGE
a       1/1     Running   0          5s
"""
HPAS = """NAME   REFERENCE        TARGETS       MINPODS   MAXPODS   REPLICAS   AGE
web    Deployment/web   cpu: 50%/50%  2         5         2          9s
"""


@pytest.mark.parametrize(
    ("agree", "ours", "theirs", "difference"),
    [
        pytest.param(compare.same, "a\nb\n", "a\nb\n", "", id="equal"),
        pytest.param(compare.same, "a\nc\n", "a\nb\n", "'c' beside 'b'", id="another line"),
        pytest.param(compare.same, "a\n", "a\nb\n", "1 lines beside 2", id="a line less"),
        pytest.param(compare.same, "", "", "there is nothing to compare", id="both printed nothing"),
        pytest.param(compare.same_table, TABLE.replace("5s", "12m"), TABLE, "", id="time went on"),
        pytest.param(
            compare.same_table,
            TABLE.replace("Running", "Pending"),
            TABLE,
            "'a       1/1     Pending   0' beside 'a       1/1     Running   0'",
            id="another status",
        ),
        pytest.param(compare.same_rows, HPAS.replace(" 50%/", " 49%/"), HPAS, "", id="another use"),
        pytest.param(compare.same_rows, HPAS.replace("50%/50%  ", "<unknown>/50%  "), HPAS, "", id="no use yet"),
        pytest.param(
            compare.same_rows,
            HPAS.replace("/50%", "/60%"),
            HPAS,
            "['web', 'Deployment/web', 'cpu:', 'x/60%', '2', '5', '2'] beside "
            "['web', 'Deployment/web', 'cpu:', 'x/50%', '2', '5', '2']",
            id="another target",
        ),
        pytest.param(
            compare.same_rows,
            HPAS.replace("\nweb", "\nhorizontalpodautoscaler.autoscaling/web"),
            HPAS,
            "",
            id="names with their kind",
        ),
        pytest.param(compare.same_rows, f"{TABLE}\n{HPAS}", TABLE + HPAS, "", id="an empty line between tables"),
        pytest.param(compare.same_rows, TABLE, TABLE + HPAS, "2 lines beside 4", id="a table less"),
        pytest.param(compare.rows_of_namespace("b"), "b x 1s\nc y 1s", "a z 2s\nb x 2s", "", id="other namespaces"),
        pytest.param(compare.rows_of_namespace("b"), "c y 1s", "b x 2s", "0 lines beside 1", id="not in namespace"),
        pytest.param(compare.same_names, "b\na\n", "a\nb\n:4\n", "", id="names in any order"),
        pytest.param(compare.same_names, "a\n", "a\nb\n:4\n", "1 lines beside 2", id="a name less"),
        pytest.param(compare.anything, "usage", "", "", id="something"),
        pytest.param(compare.anything, "\n", "", "mlscale printed nothing", id="nothing"),
    ],
)
def test_what_counts_as_the_same_work(agree: compare.Agree, ours: str, theirs: str, difference: str) -> None:
    assert agree(ours, theirs) == difference
