"""``recommend``: read what the cluster says and what was used, find what limits, replay, answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from mlscale.errors import MlscaleError, NotEnoughDataError
from mlscale.kube.pods import group_line
from mlscale.recommend.bottleneck import find_limits
from mlscale.recommend.evidence import read_cluster, read_namespace, workload_facts
from mlscale.recommend.search import Aim
from mlscale.recommend.signs import read_signs
from mlscale.recommend.verdict import judge
from mlscale.usage.workloads import read_workload

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlscale.kube.client import Client
    from mlscale.kube.targets import Found, Target
    from mlscale.recommend.evidence import WorkloadFacts
    from mlscale.recommend.model import Recommendation
    from mlscale.usage.model import History
    from mlscale.usage.workloads import Workload

Histories = Mapping["Target", "History | MlscaleError"]
ReadHistories = Callable[[str, "Sequence[Workload]"], Histories]
"""Given a namespace and workloads of it, what each used."""

LEAST_SPAN = 86400.0
"""Seconds: with less than a day nothing is known of a day's course."""
LEAST_COVERED = 0.5
"""Share of the history that has samples."""


@dataclass(frozen=True)
class RecommendOptions:
    """What is wanted."""

    aim: Aim = field(default_factory=Aim)
    least_span: float = LEAST_SPAN
    """Seconds of history below which nothing is said."""


def recommend(
    client: Client,
    found: Sequence[Found | MlscaleError],
    read_histories: ReadHistories,
    options: RecommendOptions,
    progress: Callable[[int, int], None],
) -> Iterator[Recommendation | MlscaleError]:
    """One answer for each of ``found`` in its order; an error stands for a workload that cannot be judged.

    ``progress`` gets the workloads judged so far and how many there are. Raises MlscaleError where the cluster itself
    cannot be read.
    """
    workloads = read_facts(client, found)
    histories = read_all_histories(workloads, read_histories)
    for done, one in enumerate(workloads):
        progress(done, len(workloads))
        yield _recommended(one, histories, options)
    progress(len(workloads), len(workloads))


def read_facts(client: Client, found: Sequence[Found | MlscaleError]) -> list[WorkloadFacts | MlscaleError]:
    """What the cluster says about each: nodes and pods once, a namespace's objects once."""
    readable = [one for one in found if not isinstance(one, MlscaleError)]
    if not readable:
        return [one for one in found if isinstance(one, MlscaleError)]
    cluster, now = read_cluster(client), client.now()
    names = sorted({one.target.namespace for one in readable})
    read = client.together(*[partial(read_namespace, client, name, cluster) for name in names])
    namespaces = dict(zip(names, read, strict=True))

    def facts(one: Found | MlscaleError) -> WorkloadFacts | MlscaleError:
        if isinstance(one, MlscaleError):
            return one
        namespace = namespaces[one.target.namespace]
        if isinstance(namespace, MlscaleError):
            return namespace
        try:
            return workload_facts(one, namespace, cluster, now)
        except MlscaleError as error:
            return error

    return [facts(one) for one in found]


def read_all_histories(
    workloads: Sequence[WorkloadFacts | MlscaleError], read_histories: ReadHistories
) -> dict[Target, History | MlscaleError]:
    """The histories, asked for namespace by namespace; a source that fails for one fails for its workloads only."""
    known = [one for one in workloads if not isinstance(one, MlscaleError)]
    histories: dict[Target, History | MlscaleError] = {}
    for name in sorted({one.target.namespace for one in known}):
        asked = [read_workload(one.target, one.pod_spec) for one in known if one.target.namespace == name]
        try:
            histories.update(read_histories(name, asked))
        except MlscaleError as error:
            histories.update({workload.target: error for workload in asked})
    return histories


def recommend_one(facts: WorkloadFacts, history: History, options: RecommendOptions) -> Recommendation:
    """The answer for one workload, from what was read. Raises NotEnoughDataError."""
    check_history(facts.target, history, options.least_span)
    signs = read_signs(facts, history)
    return judge(facts, signs, find_limits(signs), history, options.aim)


def check_history(target: Target, history: History, least_span: float) -> None:
    """Raise NotEnoughDataError for a history that is too short, or mostly gaps."""
    if not history.cpu.times.size:
        raise NotEnoughDataError(
            f"not enough data for {target.printed}: {history.source} has no CPU use of it",
            "check the namespace and name there, or measure it with --observe",
        )
    if history.span < least_span:
        raise NotEnoughDataError(
            f"not enough data for {target.printed}: {_hours(history.span)} of {_hours(least_span)} needed",
            "wait, or give a longer history with --samples",
        )
    covered = history.cpu.times.size * history.step / max(history.span, history.step)
    if covered < LEAST_COVERED:
        raise NotEnoughDataError(
            f"not enough data for {target.printed}: samples cover {covered:.0%} of {_hours(history.span)}",
            "give a history without such gaps",
        )


def _recommended(
    one: WorkloadFacts | MlscaleError, histories: Histories, options: RecommendOptions
) -> Recommendation | MlscaleError:
    if isinstance(one, MlscaleError):
        return one
    history = histories.get(one.target)
    if isinstance(history, NotEnoughDataError):
        return _explained(history, one)
    if isinstance(history, MlscaleError):
        return history
    try:
        if history is None:
            raise NotEnoughDataError(f"not enough data for {one.target.printed}: no pod of it was measured")
        return recommend_one(one, history, options)
    except MlscaleError as error:
        return error


def _explained(error: NotEnoughDataError, facts: WorkloadFacts) -> NotEnoughDataError:
    """``error`` with what is wrong with the pods: one that never gets to run is never measured."""
    if not facts.troubles:
        return error
    return NotEnoughDataError(error.message, f"first of all, {group_line(facts.troubles[0])}")


def _hours(seconds: float) -> str:
    """``3 h``, ``1.5 min``."""
    return f"{seconds / 3600:.3g} h" if seconds >= 3600 else f"{seconds / 60:.2g} min"
