"""Histories from a Prometheus: a few namespace-wide questions for all workloads of a namespace, not some for each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from mlscale.errors import MlscaleError, NotEnoughDataError
from mlscale.kube.parallel import side_by_side
from mlscale.kube.pods import short_age
from mlscale.usage.assemble import Recorded, SignalRows, assemble
from mlscale.usage.model import Grid, Row
from mlscale.usage.prometheus_api import TooMuchError
from mlscale.usage.prometheus_questions import Question, cut_by_pods, plan_questions
from mlscale.usage.prometheus_signals import SIGNALS, Signal
from mlscale.usage.queries import duration, query_text
from mlscale.usage.rates import plan_answers, plan_resolution, scrape_interval
from mlscale.usage.workloads import owners_of_pods

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from mlscale.kube.targets import Target
    from mlscale.usage.model import History
    from mlscale.usage.prometheus_answers import Labels
    from mlscale.usage.prometheus_api import Prometheus
    from mlscale.usage.rates import Resolution
    from mlscale.usage.workloads import Owner, Workload

PARALLEL = 4
"""Questions that are under way at once, at most."""
Progress = Callable[[int, int], None]
"""Told how many answers are there, of how many."""

_LOOKS: Mapping[str, tuple[float, ...]] = {"scrapes": (1.0, 0.5), "containers": (1.0, 0.75, 0.5, 0.25)}
"""At which parts of the history the scrapes and the containers are counted: a whole series costs 20 times a look."""
_FALLBACK_LOOKS = 48
"""Evenly spaced, where that finds nothing: what ran for a few hours only may lie between the looks."""
_SHORTEST = 3600.0
"""Seconds; a question over a shorter range is not cut further."""

Found = list[tuple["Labels", Row]]
Values = list[tuple["Labels", float]]
Items = TypeVar("Items")


def read_histories(
    source: Prometheus,
    namespace: str,
    workloads: Sequence[Workload],
    start: float,
    end: float,
    progress: Progress,
) -> Mapping[Target, History | MlscaleError]:
    """The history of each of ``workloads``, all of ``namespace``, from ``start`` to ``end`` (seconds since the epoch).

    Everything is read before this returns, but each history is put together when it is looked up, and not kept: those
    of 1,000 workloads would be three times as large as what they are made of. A workload without a sample has a
    NotEnoughDataError in its place. Raises what ``Prometheus`` raises when it cannot answer: nothing can be said of
    any workload then.
    """
    counted, containers = _looked(source, namespace, start, end)
    if not containers:
        return {workload.target: _nothing(source, workload, start, end) for workload in workloads}
    resolution = plan_resolution(start, end, scrape_interval(counted), containers)
    values = _read_values(source, namespace, start, end)
    signals = _present(source, namespace, start, end)
    questions = cut_by_pods(source, namespace, plan_questions(namespace, resolution, containers, signals))
    rows = _read_rows(source, questions, progress)
    recorded = _recorded(source, resolution, rows, values, signals)
    pods = _pods_of(workloads, recorded, values)

    def history(workload: Workload) -> History | MlscaleError:
        own = pods.get(workload.target)
        return assemble(workload, own, recorded) if own else _nothing(source, workload, start, end)

    return _Histories({workload.target: partial(history, workload) for workload in workloads})


class _Histories(Mapping["Target", "History | MlscaleError"]):
    """Histories that are made when they are looked up."""

    def __init__(self, made: Mapping[Target, Callable[[], History | MlscaleError]]) -> None:
        self._made = made

    def __getitem__(self, target: Target) -> History | MlscaleError:
        return self._made[target]()

    def __iter__(self) -> Iterator[Target]:
        return iter(self._made)

    def __len__(self) -> int:
        return len(self._made)


def server_time(source: Prometheus) -> float:
    """The server's clock, in seconds since the epoch: what "now" means for its samples. Raises as ``Prometheus``."""
    return source.instant(query_text("time"))[0][1]


def _looked(source: Prometheus, namespace: str, start: float, end: float) -> tuple[float | None, int]:
    """Samples of one container in 30 minutes, and containers side by side, at most; None and 0 where there are none."""
    looks = [(name, start + part * (end - start)) for name, parts in _LOOKS.items() for part in parts]
    counts = _all_of([partial(source.instant, query_text(name, namespace=namespace), at) for name, at in looks])
    greatest: dict[str, float] = {}
    for (name, _), counted in zip(looks, counts, strict=True):
        greatest[name] = max([greatest.get(name, 0.0), *(value for _, value in counted)])
    unseen = [name for name, value in greatest.items() if not value]
    grid = Grid(start, max(1.0, (end - start) / (_FALLBACK_LOOKS - 1)), _FALLBACK_LOOKS)
    found = _all_of([partial(_read_part, source, query_text(name, namespace=namespace), grid) for name in unseen])
    greatest |= {name: _greatest(rows) for name, rows in zip(unseen, found, strict=True)}
    return greatest["scrapes"] or None, int(greatest["containers"])


def _greatest(found: Found) -> float:
    return max((float(np.nanmax(row.values)) for _, row in found), default=0.0)


def _read_values(source: Prometheus, namespace: str, start: float, end: float) -> dict[str, Values]:
    """What is asked once for the whole range, by the query's name."""
    names = ("pod_owners", "replicaset_owners", "restarts", "oom_kills")
    answers = _all_of([partial(_read_over, source, namespace, name, {}, end, end - start) for name in names])
    return dict(zip(names, answers, strict=True))


def _read_over(
    source: Prometheus, namespace: str, name: str, parameters: Mapping[str, str], end: float, span: float
) -> Values:
    """The samples of an instant query over ``span`` seconds, asked in halves where that is too much at once."""
    text = query_text(name, namespace=namespace, range=duration(span), **parameters)
    try:
        return source.instant(text, end)
    except TooMuchError:
        if span < 2 * _SHORTEST:
            raise
    half = span / 2
    return [
        *_read_over(source, namespace, name, parameters, end - half, half),
        *_read_over(source, namespace, name, parameters, end, half),
    ]


def _present(source: Prometheus, namespace: str, start: float, end: float) -> list[tuple[Signal, str]]:
    """The signals that the namespace has, each with the query that reads it."""
    names = {"names": "|".join(sorted({signal.metric for signal in SIGNALS}))}
    queries = ("signals", "signals_exported")
    answers = _all_of([partial(_read_over, source, namespace, query, names, end, end - start) for query in queries])
    own, exported = ({labels.get("__name__", "") for labels, _ in values} for values in answers)
    present = [(signal, signal.query) for signal in SIGNALS if signal.metric in own]
    return present + [
        (signal, "signal_gauge_exported")
        for signal in SIGNALS
        if signal.metric in exported - own and signal.query == "signal_gauge"
    ]


Pieces = dict[tuple[str, ...], list[Row]]


def _read_rows(
    source: Prometheus, questions: Sequence[Question], progress: Progress
) -> dict[tuple[str, ...], dict[tuple[str, ...], Row]]:
    """The rows of each question by its ``into``, then by pod, container and resource as far as it has them."""
    parts = [(question, part) for question in questions for part in plan_answers(question.grid, question.series)]
    pieces: dict[tuple[str, ...], Pieces] = {question.into: defaultdict(list) for question in questions}
    answers = side_by_side([partial(_read_part, source, question.text, part) for question, part in parts], PARALLEL)
    for done, ((question, part), found) in enumerate(zip(parts, answers, strict=True), 1):
        if isinstance(found, MlscaleError):
            raise found
        offset = round((part.start - question.grid.start) / question.grid.step)
        for labels, row in found:
            pieces[question.into][_key(labels)].append(Row(offset + row.first, row.values))
        progress(done, len(parts))
    return {into: {key: _joined(rows) for key, rows in found.items()} for into, found in pieces.items()}


def _read_part(source: Prometheus, text: str, grid: Grid) -> Found:
    """The rows on ``grid``, asked in halves where that is too much at once."""
    try:
        # In single precision: 20 million samples are 80 MB.
        return [(labels, Row(row.first, row.values.astype(np.float32))) for labels, row in source.ranged(text, grid)]
    except TooMuchError:
        if grid.size < 2:
            raise
    half = grid.size // 2
    later = _read_part(source, text, grid.part(half, grid.size - half))
    return [
        *_read_part(source, text, grid.part(0, half)),
        *((labels, Row(half + row.first, row.values)) for labels, row in later),
    ]


def _key(labels: Labels) -> tuple[str, ...]:
    pod = labels.get("pod") or labels.get("exported_pod", "")
    return tuple(part for part in (pod, labels.get("container"), labels.get("resource")) if part is not None)


def _joined(pieces: list[Row]) -> Row:
    """Pieces of one row, in the order of time, as one."""
    if len(pieces) == 1:
        return pieces[0]
    first = min(piece.first for piece in pieces)
    values = np.full(max(piece.first + piece.values.size for piece in pieces) - first, np.nan, dtype=np.float32)
    for piece in pieces:
        part = slice(piece.first - first, piece.first - first + piece.values.size)
        values[part] = np.fmax(values[part], piece.values)
    return Row(first, values)


def _recorded(
    source: Prometheus,
    resolution: Resolution,
    rows: Mapping[tuple[str, ...], Mapping[tuple[str, ...], Row]],
    values: Mapping[str, Values],
    signals: Iterable[tuple[Signal, str]],
) -> Recorded:
    return Recorded(
        source=source.where,
        fine=resolution.fine,
        cpu=_by_pod(rows["cpu",]),
        coarse=resolution.memory,
        memory=_by_pod(rows["memory",]),
        throttled=_by_pod(rows["throttled",]),
        coarsest=resolution.requests,
        cpu_requests=_by_pod(rows["requests",], "cpu"),
        memory_requests=_by_pod(rows["requests",], "memory"),
        restarts=_counts(values["restarts"], sum),
        oom_kills=_counts(values["oom_kills"], max),
        signals=_signal_rows(rows, [signal for signal, _ in signals]),
    )


def _by_pod(rows: Mapping[tuple[str, ...], Row], *resource: str) -> dict[str, dict[str, Row]]:
    by_pod: dict[str, dict[str, Row]] = defaultdict(dict)
    for (pod, container, *rest), row in rows.items():
        if tuple(rest) == resource:
            by_pod[pod][container] = row
    return dict(by_pod)


def _counts(values: Values, made_one: Callable[[list[float]], float]) -> dict[str, dict[str, float]]:
    """By pod and container; those of two parts of the range made one."""
    found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for labels, value in values:
        found[labels.get("pod", "")][labels.get("container", "")].append(value)
    return {pod: {name: made_one(parts) for name, parts in containers.items()} for pod, containers in found.items()}


def _signal_rows(
    rows: Mapping[tuple[str, ...], Mapping[tuple[str, ...], Row]], signals: Iterable[Signal]
) -> dict[str, SignalRows]:
    """By canonical name; of an old and a new metric of one name, the first in the table that has a row."""
    found: dict[str, SignalRows] = {}
    for signal in signals:
        own = rows["signal", signal.metric]
        if own and signal.name not in found:
            scaled = {key[0]: Row(row.first, row.values * np.float32(signal.factor)) for key, row in own.items()}
            found[signal.name] = SignalRows(signal.over_pods, scaled)
    return found


def _pods_of(
    workloads: Sequence[Workload], recorded: Recorded, values: Mapping[str, Values]
) -> Mapping[Target, list[str]]:
    """Those of its pods that were measured, by name, of each workload that has any."""
    of_pods = _owners(values["pod_owners"], "pod")
    of_replicasets = _owners(values["replicaset_owners"], "replicaset")
    owners = owners_of_pods(workloads, recorded.cpu, of_pods, of_replicasets)
    pods: dict[Target, list[str]] = defaultdict(list)
    for pod in sorted(owners):
        pods[owners[pod]].append(pod)
    return pods


def _owners(values: Values, label: str) -> dict[str, Owner]:
    """Owner by the name in ``label``; kube-state-metrics writes ``<none>`` where there is none."""
    return {
        labels.get(label, ""): (labels.get("owner_kind", ""), labels.get("owner_name", ""))
        for labels, _ in values
        if labels.get("owner_name", "<none>") != "<none>"
    }


def _nothing(source: Prometheus, workload: Workload, start: float, end: float) -> NotEnoughDataError:
    return NotEnoughDataError(
        f"{source.where} has no CPU use of {workload.target.printed} in namespace {workload.target.namespace!r} "
        f"in the last {short_age(timedelta(seconds=end - start))}",
        "check that it scrapes the kubelets' cAdvisor, with labels namespace, pod and container",
    )


def _all_of(calls: Sequence[Callable[[], Items]]) -> list[Items]:
    """The results of ``calls``, PARALLEL at a time; raises the first error."""
    results = []
    for result in side_by_side(calls, PARALLEL):
        if isinstance(result, MlscaleError):
            raise result
        results.append(result)
    return results
