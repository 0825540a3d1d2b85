"""Two programs at the same work, in turn: what each took, their ratio, and proof that both did it."""

from __future__ import annotations

import re
import shutil
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.measure import BenchmarkError, Command, Ran, Starter

Agree = Callable[[str, str], str]
"""From both programs' output to a sentence on how they differ, empty where they did the same work."""

MIDDLE = 9
"""Rounds of which a median is taken, unless a run takes a minute."""


def nothing() -> None:
    """Prepares or checks nothing."""


@dataclass(frozen=True)
class Work:
    """What one program does in each round; only the commands are timed."""

    commands: tuple[Command, ...]
    before: Callable[[], None] = nothing
    after: Callable[[], None] = nothing
    """Raises BenchmarkError where the cluster does not hold what the commands should have made."""


@dataclass(frozen=True)
class Case:
    """One comparison. Goals are ratios, ours to theirs, at most."""

    name: str
    ours: Work
    theirs: Work
    agree: Agree
    goal: float | None = None
    memory_goal: float | None = None
    beside: str = "kubectl"
    cold: bool = False
    """Each run finds an empty home directory, so no discovery cache either."""
    rounds: int | None = None
    """At most so many, where a run takes a minute."""


@dataclass(frozen=True)
class Row:
    """One line of the table: medians of both, and the median of the ratios of the pairs.

    Without `theirs` it says how long something takes, beside nothing.
    """

    name: str
    beside: str
    unit: str
    ours: float
    theirs: float | None
    ratio: float | None
    rounds: int
    goal: float | None = None
    cpu: tuple[float, float] | None = None
    """Milliseconds of user and system time."""
    memory: tuple[float, float] | None = None
    """Peaks in MB."""
    failure: str = ""
    """Why there are no figures."""

    @property
    def met(self) -> bool:
        """Whether the ratio is within its goal; true where there is none."""
        return not self.failure and (self.goal is None or (self.ratio is not None and self.ratio <= self.goal))


@dataclass(frozen=True)
class Pairs:
    """What each round took."""

    ours: list[Ran] = field(default_factory=list)
    theirs: list[Ran] = field(default_factory=list)

    def medians(self, of: Callable[[Ran], float]) -> tuple[float, float]:
        """Of ours and of theirs."""
        return statistics.median(map(of, self.ours)), statistics.median(map(of, self.theirs))

    def ratio(self, of: Callable[[Ran], float]) -> float:
        """The median of the pairs' ratios: what slows the machine for a while slows both of a pair."""
        return statistics.median(of(a) / of(b) for a, b in zip(self.ours, self.theirs, strict=True))


def compare(case: Case, starter: Starter, rounds: int) -> list[Row]:
    """Run both in turn and give a row for the time, and one for the memory where that has a goal.

    Where a program fails or the outputs differ, the only row says so and has no figures.
    """
    try:
        pairs = _in_turn(case, starter, min(rounds, case.rounds or rounds))
    except BenchmarkError as error:
        return [failed(case.name, case.beside, str(error), case.goal)]
    return _rows(case, pairs)


def failed(name: str, beside: str, why: str, goal: float | None = None) -> Row:
    """The row of a case that could not be measured."""
    return Row(name, beside, "ms", 0, None, None, 0, goal=goal, failure=why)


def _in_turn(case: Case, starter: Starter, rounds: int) -> Pairs:
    pairs = Pairs()
    for number in range(rounds):
        runs = [(case.ours, pairs.ours), (case.theirs, pairs.theirs)]
        # The second of a pair finds the machine as the first left it: each is first in every other pair.
        for work, ran in runs if number % 2 == 0 else reversed(runs):
            ran.append(_run(work, starter, case.cold))
        difference = case.agree(pairs.ours[-1].stdout, pairs.theirs[-1].stdout)
        if difference:
            raise BenchmarkError(f"mlscale and {case.beside} did not do the same: {difference}")
    return pairs


def _run(work: Work, starter: Starter, cold: bool) -> Ran:
    home = Path(starter.environment["HOME"])
    if cold:
        shutil.rmtree(home, ignore_errors=True)
    home.mkdir(exist_ok=True)
    work.before()
    ran = starter.run(work.commands)
    work.after()
    return ran


def _rows(case: Case, pairs: Pairs) -> list[Row]:
    wall, cpu, memory = (pairs.medians(of) for of in (_wall, _cpu, _memory))
    rounds = len(pairs.ours)
    rows = [Row(case.name, case.beside, "ms", *wall, pairs.ratio(_wall), rounds, case.goal, cpu=cpu, memory=memory)]
    if case.memory_goal is not None:
        name = f"{case.name}: peak memory"
        rows.append(Row(name, case.beside, "MB", *memory, pairs.ratio(_memory), rounds, case.memory_goal))
    return rows


def _wall(ran: Ran) -> float:
    return ran.wall_ms


def _cpu(ran: Ran) -> float:
    return ran.cpu_ms


def _memory(ran: Ran) -> float:
    return ran.peak_mb


def same(ours: str, theirs: str) -> str:
    """Every byte."""
    return _first_difference(ours.splitlines(), theirs.splitlines())


def same_table(ours: str, theirs: str) -> str:
    """Every byte, but for the age in the last column."""
    return _first_difference(_timeless(ours), _timeless(theirs))


def same_rows(ours: str, theirs: str) -> str:
    """The words of each row of one or several tables, but for ages, and for use that an autoscaler measured in between.

    Columns are as wide as what they hold, so the widths may differ; and a table of several kinds names the kind.
    """
    return _first_difference(*([_words(line) for line in _timeless(text) if line] for text in (ours, theirs)))


def rows_of_namespace(namespace: str) -> Agree:
    """Like `same_table`, of the rows of one namespace alone: others may change meanwhile."""

    def agree(ours: str, theirs: str) -> str:
        both = (
            [line.split() for line in _timeless(text) if line.startswith(f"{namespace} ")] for text in (ours, theirs)
        )
        return _first_difference(*both)

    return agree


def same_names(ours: str, theirs: str) -> str:
    """The names that a completion offers; kubectl ends with a line on how the shell should go on."""
    return _first_difference(sorted(ours.split()), sorted(word for word in theirs.split() if not word.startswith(":")))


def anything(ours: str, theirs: str) -> str:
    """Different programs: ours must print something."""
    del theirs
    return "" if ours.strip() else "mlscale printed nothing"


def whatever(ours: str, theirs: str) -> str:
    """Neither prints anything that could be compared."""
    del ours, theirs
    return ""


def _timeless(text: str) -> list[str]:
    return [re.sub(r"\s+\S+$", "", line) for line in text.splitlines()]


def _words(line: str) -> list[str]:
    name, *others = line.split()
    return [name.rpartition("/")[2], *(re.sub(r"^\S+/(\d+%)$", r"x/\1", word) for word in others)]


def _first_difference(ours: Sequence[object], theirs: Sequence[object]) -> str:
    if not theirs:
        return "there is nothing to compare"
    if len(ours) != len(theirs):
        return f"{len(ours)} lines beside {len(theirs)}"
    return next((f"{a!r} beside {b!r}" for a, b in zip(ours, theirs, strict=True) if a != b), "")
