"""What every group of cases is given: the programs, the cluster, and how much to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.compare import MIDDLE, Case, Row, Work, compare, nothing
from benchmarks.measure import Command, Starter

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from benchmarks.install import Programs
    from tests.cluster.access import Cluster


@dataclass(frozen=True)
class Sizes:
    """How much there is of what is measured."""

    deployments: int = 400
    pods: tuple[int, ...] = (5000, 20000)
    rounds: int = MIDDLE
    slow_rounds: int = 3
    """Of the cases in which kubectl takes more than a minute."""
    round_trip: float = 0.040
    """Seconds."""
    workloads: tuple[int, ...] = (1, 10, 100, 1000)
    """Of the fleets."""
    days: tuple[int, ...] = (7, 1, 30)
    """Of their history: the first for all of them, the others for `workloads_of_days`."""
    workloads_of_days: int = 100
    replay_days: int = 30
    """The longest history that is replayed."""
    searches: bool = True
    """Whether the search of many workloads is timed too, which takes a minute."""
    detour: float = 1.0
    """Seconds that are added to it to count round trips."""


@dataclass(frozen=True)
class Stage:
    """Where the cases are played."""

    programs: Programs
    cluster: Cluster
    starter: Starter
    folder: Path
    sizes: Sizes
    say: Callable[[str], None]
    krr: Path | None = None
    """A checkout of krr, where recommend is to be timed beside it."""
    prefix: str = "bench"
    """What the names of its namespaces and nodes begin with."""

    def compare(self, cases: list[Case]) -> list[Row]:
        """The rows of all of them."""
        rows = []
        for case in cases:
            found = compare(case, self.starter, self.sizes.rounds)
            self.say("; ".join(told(row) for row in found))
            rows += found
        return rows

    def work(
        self,
        program: str,
        *lines: str,
        kubeconfig: Path | None = None,
        before: Callable[[], None] = nothing,
        after: Callable[[], None] = nothing,
    ) -> Work:
        """``lines`` as command lines of ``program``, one after another."""
        environment = {"KUBECONFIG": str(kubeconfig)} if kubeconfig else {}
        return Work(tuple(Command((program, *line.split()), environment) for line in lines), before, after)

    def ours(
        self,
        *lines: str,
        kubeconfig: Path | None = None,
        before: Callable[[], None] = nothing,
        after: Callable[[], None] = nothing,
    ) -> Work:
        """Command lines of mlscale."""
        return self.work(self.programs.mlscale, *lines, kubeconfig=kubeconfig, before=before, after=after)

    def theirs(
        self,
        *lines: str,
        kubeconfig: Path | None = None,
        before: Callable[[], None] = nothing,
        after: Callable[[], None] = nothing,
    ) -> Work:
        """Command lines of kubectl."""
        return self.work(self.programs.kubectl, *lines, kubeconfig=kubeconfig, before=before, after=after)


def told(row: Row) -> str:
    """One row, as progress."""
    if row.failure:
        return f"{row.name}: {row.failure}"
    goal = "" if row.goal is None else f", goal {row.goal:g}"
    other = "" if row.theirs is None or row.ratio is None else f" / {row.theirs:.1f} = {row.ratio:.3f}{goal}"
    return f"{row.name} ({row.unit}): {row.ours:.1f}{other}"
