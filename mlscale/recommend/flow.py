"""``recommend``: read what the cluster says and what was used, find what limits, replay, answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

from mlscale.errors import MlscaleError, NotEnoughDataError
from mlscale.kube.pods import group_line
from mlscale.recommend.bottleneck import find_limits
from mlscale.recommend.evidence import read_cluster, read_namespace, workload_facts
from mlscale.recommend.search import Aim
from mlscale.recommend.signs import read_signs
from mlscale.recommend.together import judge_together
from mlscale.recommend.verdict import judge
from mlscale.usage.workloads import read_workload

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mlscale.kube.client import Client
    from mlscale.kube.targets import Found, Target
    from mlscale.recommend.evidence import WorkloadFacts
    from mlscale.recommend.model import Recommendation
    from mlscale.recommend.verdict import Judging
    from mlscale.usage.model import History
    from mlscale.usage.workloads import Workload

Histories = Mapping["Target", "History | MlscaleError"]
ReadHistories = Callable[["Sequence[Workload]"], "Histories | Iterator[tuple[Target, History | MlscaleError]]"]
"""Given workloads of any namespaces, what each used: all at once, or one after the other as they are asked for."""

LEAST_SPAN = 86400.0
"""Seconds: with less than a day nothing is known of a day's course."""
LEAST_COVERED = 0.5
"""Share of the history that has samples."""
TOGETHER = 64
"""Workloads whose replays advance in step, and whose histories are in memory at once."""


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
    judged: dict[Target, Recommendation | MlscaleError] = {}
    for batch in batches_of(read_one_by_one(workloads, read_histories)):
        progress(len(judged), len(workloads))
        answers = judge_together([_judging(facts, history, options) for facts, history in batch])
        judged.update(zip((facts.target for facts, _ in batch), answers, strict=True))
    progress(len(workloads), len(workloads))
    for one in workloads:
        yield one if isinstance(one, MlscaleError) else judged[one.target]


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


Evidence = tuple["WorkloadFacts", "History | MlscaleError | None"]
"""A workload and what it used; None where the source has nothing of it."""


def read_one_by_one(
    workloads: Sequence[WorkloadFacts | MlscaleError], read_histories: ReadHistories
) -> Iterator[Evidence]:
    """The histories, in the order of the source; where that fails on the way, what is left has its error."""
    left = {one.target: one for one in workloads if not isinstance(one, MlscaleError)}
    readable: list[Workload] = []
    for facts in list(left.values()):
        try:
            readable.append(read_workload(facts.target, facts.pod_spec))
        except MlscaleError as wrong:
            yield left.pop(facts.target), wrong
    error: MlscaleError | None = None
    try:
        read = read_histories(readable) if readable else {}
        for target, history in _given_away(read) if isinstance(read, Mapping) else read:
            yield left.pop(target), history
    except MlscaleError as caught:
        error = caught
    for facts in left.values():
        yield facts, error


def _given_away(read: Histories) -> Iterator[tuple[Target, History | MlscaleError]]:
    """The items of ``read``, each kept no longer than it is looked at."""
    kept = dict(read)
    for target in list(kept):
        yield target, kept.pop(target)


def batches_of(evidence: Iterable[Evidence]) -> Iterator[list[Evidence]]:
    """Some at a time, so that their replays can share what each step costs."""
    left = iter(evidence)
    while batch := list(islice(left, TOGETHER)):
        yield batch


def recommend_one(facts: WorkloadFacts, history: History, options: RecommendOptions) -> Recommendation:
    """The answer for one workload, from what was read. Raises NotEnoughDataError."""
    answer = judge_together([_judging(facts, history, options)])[0]
    if isinstance(answer, MlscaleError):
        raise answer
    return answer


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


def _judging(
    facts: WorkloadFacts, history: History | MlscaleError | None, options: RecommendOptions
) -> Judging[Recommendation]:
    """The judgement of one workload; raises MlscaleError where it cannot be judged."""
    if isinstance(history, NotEnoughDataError):
        raise _explained(history, facts)
    if isinstance(history, MlscaleError):
        raise history
    if history is None:
        raise NotEnoughDataError(f"not enough data for {facts.target.printed}: no pod of it was measured")
    check_history(facts.target, history, options.least_span)
    signs = read_signs(facts, history)
    return (yield from judge(facts, signs, find_limits(signs), history, options.aim))


def _explained(error: NotEnoughDataError, facts: WorkloadFacts) -> NotEnoughDataError:
    """``error`` with what is wrong with the pods: one that never gets to run is never measured."""
    if not facts.troubles:
        return error
    return NotEnoughDataError(error.message, f"first of all, {group_line(facts.troubles[0])}")


def _hours(seconds: float) -> str:
    """``3 h``, ``1.5 min``."""
    return f"{seconds / 3600:.3g} h" if seconds >= 3600 else f"{seconds / 60:.2g} min"
