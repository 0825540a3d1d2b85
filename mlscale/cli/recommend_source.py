"""Where ``mlscale recommend`` reads what workloads used, and the question that it puts."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlscale.cli.recommend_options import OBSERVE
from mlscale.cli.recommend_run import Answer
from mlscale.errors import MlscaleError, NotAllowedError, NotFoundError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mlscale.cli.recommend_options import SourceOptions
    from mlscale.cli.session import Session
    from mlscale.kube.targets import Found
    from mlscale.recommend.flow import Histories, ReadHistories
    from mlscale.recommend.model import Objective
    from mlscale.usage.prometheus_api import Prometheus
    from mlscale.usage.workloads import Workload

_EDGE = 0.98
"""The share of the history asked for that is to be there: its first and last minutes may have no sample."""


@dataclass(frozen=True)
class Question:
    """What is asked about the workloads."""

    sources: SourceOptions
    objective: Objective = "balanced"
    budget: float | None = None
    """The share of demand that may go unserved; None leaves it to the objective."""


def answer_question(session: Session, found: Sequence[Found | MlscaleError], question: Question) -> Answer:
    """Read the histories of ``found`` and judge each. Raises MlscaleError where nothing can be said of any."""
    from mlscale.recommend.flow import LEAST_SPAN, RecommendOptions, recommend
    from mlscale.recommend.search import Aim

    read_histories, is_watched = _history_reader(session, question.sources, found)
    # Who watches knows how short it is; no numbers are derived from it.
    wanted = 0.0 if is_watched else _EDGE * question.sources.history
    options = RecommendOptions(Aim(question.objective, question.budget), least_span=min(LEAST_SPAN, wanted))
    progress = _progress(session, "replay", "workloads")
    try:
        judged = list(zip(found, recommend(session.client, found, read_histories, options, progress), strict=True))
    finally:
        session.messages.clear_progress()
    results = [
        (item, one) for item, one in judged if not isinstance(one, MlscaleError) and not isinstance(item, MlscaleError)
    ]
    errors = {str(one): one for _, one in judged if isinstance(one, MlscaleError)}
    return Answer(tuple(results), tuple(errors.values()), is_about_one=len(found) == 1)


def _history_reader(
    session: Session, options: SourceOptions, found: Sequence[Found | MlscaleError]
) -> tuple[ReadHistories, bool]:
    """What reads the histories, and whether that is watching metrics-server."""
    if options.samples:
        return _from_samples(options.samples, found), False
    if options.observe is not None:
        return _from_metrics_server(session, options.observe, found), True
    source = _prometheus(session, options)
    if source is None:
        return _from_metrics_server(session, OBSERVE, found), True
    return _from_prometheus(session, source, options.history), False


def _prometheus(session: Session, options: SourceOptions) -> Prometheus | None:
    """The one at --prometheus, else one of the cluster; None where none is found."""
    from mlscale.usage.prometheus_service import prometheus_at, prometheus_in_cluster

    debug = session.messages.debug if session.debug else None
    if options.prometheus:
        return prometheus_at(options.prometheus, os.environ, debug=debug)
    try:
        return prometheus_in_cluster(session.client, debug=debug)
    except (NotAllowedError, NotFoundError) as error:
        session.messages.note(f"{error.message}; watching metrics-server for {OBSERVE:g} s in its place")
        return None


def _from_prometheus(session: Session, source: Prometheus, history: float) -> ReadHistories:
    from mlscale.usage.prometheus import read_histories, server_time

    end: list[float] = []

    def read(namespace: str, workloads: Sequence[Workload]) -> Histories:
        # Asked once, so that all namespaces have the same history; its own clock stamps the samples.
        end[:] = end or [server_time(source)]
        progress = _progress(session, f"history of namespace {namespace}", "answers")
        return read_histories(source, namespace, workloads, end[0] - history, end[0], progress)

    return read


def _from_samples(path: str, found: Sequence[Found | MlscaleError]) -> ReadHistories:
    from mlscale.usage.samples import read_samples

    if len(found) != 1:
        raise UsageError(f"--samples has the history of one workload, and there are {len(found)}", "name one workload")

    def read(namespace: str, workloads: Sequence[Workload]) -> Histories:  # noqa: ARG001  the file knows no namespace
        return {workload.target: read_samples(path, sys.stdin, workload) for workload in workloads}

    return read


def _from_metrics_server(session: Session, seconds: float, found: Sequence[Found | MlscaleError]) -> ReadHistories:
    from mlscale.scale.model import Clock
    from mlscale.usage.metrics_server import Observed, observe

    namespaces = sorted({item.target.namespace for item in found if not isinstance(item, MlscaleError)})
    clock = Clock(time.monotonic, time.sleep)
    watched: list[Observed] = []

    def read(namespace: str, workloads: Sequence[Workload]) -> Histories:
        if not watched:
            # All namespaces at once: each further one would take as long again.
            where = f"namespace {namespace}" if len(namespaces) == 1 else f"{len(namespaces)} namespaces"
            progress = _progress(session, f"metrics-server in {where}", "seconds")
            watched.append(observe(session.client, namespaces, seconds, progress, clock))
        return watched[0].histories(namespace, workloads)

    return read


def _progress(session: Session, about: str, noun: str) -> Callable[[float, float], None]:
    from mlscale.output.recommend_progress import progress_words

    def show(done: float, total: float) -> None:
        if total > 1:
            session.messages.progress(about, progress_words(done, total, noun), ())

    return show
