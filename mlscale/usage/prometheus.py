"""Histories from a Prometheus: a few questions for all workloads of many namespaces, not some for each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from mlscale.errors import MlscaleError, NotEnoughDataError
from mlscale.kube.pods import short_age
from mlscale.usage.assemble import Recorded, SignalRows, assemble
from mlscale.usage.model import Row
from mlscale.usage.prometheus_batches import plan_batches
from mlscale.usage.prometheus_questions import cut_to_size, plan_questions
from mlscale.usage.prometheus_reading import all_of, apart_where_refused, read_rows, read_values
from mlscale.usage.prometheus_signals import SIGNALS, Signal
from mlscale.usage.queries import query_text
from mlscale.usage.rates import plan_answers
from mlscale.usage.workloads import owners_of_pods

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mlscale.kube.targets import Target
    from mlscale.usage.model import History
    from mlscale.usage.prometheus_answers import Labels
    from mlscale.usage.prometheus_api import Prometheus
    from mlscale.usage.prometheus_batches import Batch
    from mlscale.usage.prometheus_questions import Question
    from mlscale.usage.prometheus_reading import FoundValue
    from mlscale.usage.rates import Resolution
    from mlscale.usage.workloads import Owner, Workload

Progress = Callable[[int, int], None]
"""Told how many answers are there, of how many."""

Used = tuple["Target", "History | MlscaleError"]
Rows = Mapping[tuple[str, ...], Mapping[tuple[str, ...], Row]]
"""By what they are of, then by pod, container and resource as far as they have them."""
Pieces = dict[tuple[str, ...], list[Row]]
"""The parts of rows."""
Values = Mapping[str, "list[FoundValue]"]
"""Of one namespace, by query."""
Signals = dict[tuple[Signal, str], list[str]]
"""The namespaces that have a signal, by the signal and the query that reads it."""


def read_histories(
    source: Prometheus, workloads: Sequence[Workload], start: float, end: float, progress: Progress
) -> Iterator[Used]:
    """The history of each of ``workloads``, of any namespaces, from ``start`` to ``end`` (seconds since the epoch).

    Small namespaces are read together, in batches of bounded size, and each history is put together when its turn
    comes: those of 1,000 workloads would be three times as large as what they are made of. A workload without a sample
    has a NotEnoughDataError in its place; those of a namespace about which a question is refused have that
    QuestionError. Raises what else ``Prometheus`` raises: nothing can be said of any workload then.
    """
    own: dict[str, list[Workload]] = defaultdict(list)
    for workload in workloads:
        own[workload.target.namespace].append(workload)
    looked = plan_batches(source, own, start, end)
    for name in looked.empty:
        yield from ((workload.target, _nothing(source, workload, start, end)) for workload in own[name])
    yield from _refused(own, looked.refused)
    told = _Progress(progress, len(looked.batches))
    for batch in looked.batches:
        read = partial(_read_namespaces, source, batch, start, end, told.of_batch)
        for names, found in apart_where_refused(read, list(batch.containers)):
            if isinstance(found, MlscaleError):
                yield from _refused(own, dict.fromkeys(names, found))
                continue
            for name in names:
                yield from _histories(source, own[name], *found.pop(name), start, end)
        told.finish_batch()


def server_time(source: Prometheus) -> float:
    """The server's clock, in seconds since the epoch: what "now" means for its samples. Raises as ``Prometheus``."""
    return source.instant(query_text("time"))[0][1]


class _Progress:
    """Over all batches; each one to come is taken to need as many answers as the present one."""

    def __init__(self, progress: Progress, batches: int) -> None:
        self._progress = progress
        self._left = batches
        self._before = self._answers = 0

    def of_batch(self, done: int, answers: int) -> None:
        """``done`` of the ``answers`` of the present batch are there."""
        self._answers = answers
        self._progress(self._before + done, self._before + answers * self._left)

    def finish_batch(self) -> None:
        """The next batch begins."""
        self._before += self._answers
        self._left -= 1


def _refused(own: Mapping[str, Sequence[Workload]], refused: Mapping[str, MlscaleError]) -> Iterator[Used]:
    yield from ((workload.target, error) for name, error in refused.items() for workload in own[name])


def _histories(
    source: Prometheus, workloads: Sequence[Workload], recorded: Recorded, values: Values, start: float, end: float
) -> Iterator[Used]:
    """The history of each of ``workloads``, all of one namespace."""
    pods = _pods_of(workloads, recorded, values)
    for workload in workloads:
        own = pods.get(workload.target)
        yield workload.target, assemble(workload, own, recorded) if own else _nothing(source, workload, start, end)


def _read_namespaces(
    source: Prometheus, batch: Batch, start: float, end: float, progress: Progress, namespaces: Sequence[str]
) -> dict[str, tuple[Recorded, Values]]:
    """What was recorded in each of ``namespaces``, which are some of ``batch``."""
    values = _read_values(source, namespaces, start, end)
    signals = _present(source, namespaces, start, end)
    containers = {name: batch.containers[name] for name in namespaces}
    questions = cut_to_size(source, plan_questions(containers, batch.resolution, signals))
    rows = _read_rows(source, namespaces, questions, progress)

    def recorded(name: str) -> Recorded:
        own = [signal for (signal, _), having in signals.items() if name in having]
        return _recorded(source, batch.resolution, rows[name], values[name], own)

    return {name: (recorded(name), values[name]) for name in namespaces}


def _read_values(source: Prometheus, namespaces: Sequence[str], start: float, end: float) -> dict[str, Values]:
    """What is asked once for the whole range, by namespace and the query's name."""
    names = ("pod_owners", "replicaset_owners", "restarts", "oom_kills")
    answers = all_of([partial(read_values, source, namespaces, name, end, end - start) for name in names])
    values: dict[str, dict[str, list[FoundValue]]] = {own: {name: [] for name in names} for own in namespaces}
    for name, answer in zip(names, answers, strict=True):
        for found in answer:
            if found.namespace in values:
                values[found.namespace][name].append(found)
    return dict(values)


def _present(source: Prometheus, namespaces: Sequence[str], start: float, end: float) -> Signals:
    """The signals that some of ``namespaces`` have; a metric's own labels count before those of its exporter."""
    names = "|".join(sorted({signal.metric for signal in SIGNALS}))
    queries = ("signals", "signals_exported")
    answers = all_of(
        [partial(read_values, source, namespaces, query, end, end - start, names=names) for query in queries]
    )
    own, exported = ({(each.namespace, each.labels.get("__name__", "")) for each in values} for values in answers)
    asked = [(signal, signal.query, own) for signal in SIGNALS]
    asked += [(signal, "signal_gauge_exported", exported - own) for signal in SIGNALS if signal.query == "signal_gauge"]
    having = {
        (signal, query): [name for name in namespaces if (name, signal.metric) in there]
        for signal, query, there in asked
    }
    return {signal: names for signal, names in having.items() if names}


def _read_rows(
    source: Prometheus, namespaces: Sequence[str], questions: Sequence[Question], progress: Progress
) -> dict[str, Rows]:
    """What ``questions`` give of each of ``namespaces``."""
    parts = [(question, part) for question in questions for part in plan_answers(question.grid, question.expected)]
    answers = all_of([partial(read_rows, source, replace(question, grid=part)) for question, part in parts])
    pieces: dict[tuple[str, tuple[str, ...]], Pieces] = defaultdict(lambda: defaultdict(list))
    for done, ((question, part), answer) in enumerate(zip(parts, answers, strict=True), 1):
        offset = round((part.start - question.grid.start) / question.grid.step)
        for found in answer:
            row = Row(offset + found.row.first, found.row.values)
            pieces[found.namespace, question.into][_key(found.labels)].append(row)
        progress(done, len(parts))
    return {
        name: {into: _joined_all(pieces[name, into]) for into in {question.into for question in questions}}
        for name in namespaces
    }


def _key(labels: Labels) -> tuple[str, ...]:
    pod = labels.get("pod") or labels.get("exported_pod", "")
    return tuple(part for part in (pod, labels.get("container"), labels.get("resource")) if part is not None)


def _joined_all(pieces: Pieces) -> dict[tuple[str, ...], Row]:
    return {key: _joined(rows) for key, rows in pieces.items()}


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
    source: Prometheus, resolution: Resolution, rows: Rows, values: Values, signals: Iterable[Signal]
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
        signals=_signal_rows(rows, signals),
    )


def _by_pod(rows: Mapping[tuple[str, ...], Row], *resource: str) -> dict[str, dict[str, Row]]:
    by_pod: dict[str, dict[str, Row]] = defaultdict(dict)
    for (pod, container, *rest), row in rows.items():
        if tuple(rest) == resource:
            by_pod[pod][container] = row
    return dict(by_pod)


def _counts(values: Iterable[FoundValue], made_one: Callable[[list[float]], float]) -> dict[str, dict[str, float]]:
    """By pod and container; those of two parts of the range made one."""
    found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for _, labels, value in values:
        found[labels.get("pod", "")][labels.get("container", "")].append(value)
    return {pod: {name: made_one(parts) for name, parts in containers.items()} for pod, containers in found.items()}


def _signal_rows(rows: Rows, signals: Iterable[Signal]) -> dict[str, SignalRows]:
    """By canonical name; of an old and a new metric of one name, the first in the table that has a row."""
    found: dict[str, SignalRows] = {}
    for signal in signals:
        own = rows["signal", signal.metric]
        if own and signal.name not in found:
            scaled = {key[0]: Row(row.first, row.values * np.float32(signal.factor)) for key, row in own.items()}
            found[signal.name] = SignalRows(signal.over_pods, scaled)
    return found


def _pods_of(workloads: Sequence[Workload], recorded: Recorded, values: Values) -> Mapping[Target, list[str]]:
    """Those of its pods that were measured, by name, of each workload that has any."""
    of_pods = _owners(values["pod_owners"], "pod")
    of_replicasets = _owners(values["replicaset_owners"], "replicaset")
    owners = owners_of_pods(workloads, recorded.cpu, of_pods, of_replicasets)
    pods: dict[Target, list[str]] = defaultdict(list)
    for pod in sorted(owners):
        pods[owners[pod]].append(pod)
    return pods


def _owners(values: Iterable[FoundValue], label: str) -> dict[str, Owner]:
    """Owner by the name in ``label``; kube-state-metrics writes ``<none>`` where there is none."""
    return {
        labels.get(label, ""): (labels.get("owner_kind", ""), labels.get("owner_name", ""))
        for _, labels, _ in values
        if labels.get("owner_name", "<none>") != "<none>"
    }


def _nothing(source: Prometheus, workload: Workload, start: float, end: float) -> NotEnoughDataError:
    return NotEnoughDataError(
        f"{source.where} has no CPU use of {workload.target.printed} in namespace {workload.target.namespace!r} "
        f"in the last {short_age(timedelta(seconds=end - start))}",
        "check that it scrapes the kubelets' cAdvisor, with labels namespace, pod and container",
    )
