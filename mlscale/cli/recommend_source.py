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
    from collections.abc import Callable, Collection, Iterator, Sequence

    from mlscale.cli.recommend_options import SourceOptions
    from mlscale.cli.session import Session
    from mlscale.kube.targets import Found
    from mlscale.recommend.flow import Histories, ReadHistories
    from mlscale.recommend.model import Objective
    from mlscale.usage.prometheus import Used
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
        return _from_metrics_server(session, options.observe), True
    source = _prometheus(session, options)
    if source is None:
        return _from_metrics_server(session, OBSERVE), True
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

    def read(workloads: Sequence[Workload]) -> Iterator[Used]:
        end = server_time(source)  # its own clock stamps the samples
        names = {workload.target.namespace for workload in workloads}
        progress = _progress(session, f"history of {_namespaces(names)}", "answers")
        return read_histories(source, workloads, end - history, end, progress)

    return read


def _from_samples(path: str, found: Sequence[Found | MlscaleError]) -> ReadHistories:
    from mlscale.usage.samples import read_samples

    if len(found) != 1:
        raise UsageError(f"--samples has the history of one workload, and there are {len(found)}", "name one workload")

    def read(workloads: Sequence[Workload]) -> Histories:
        return {workload.target: read_samples(path, sys.stdin, workload) for workload in workloads}

    return read


def _from_metrics_server(session: Session, seconds: float) -> ReadHistories:
    from mlscale.scale.model import Clock
    from mlscale.usage.metrics_server import observe

    def read(workloads: Sequence[Workload]) -> Iterator[Used]:
        # All namespaces at once: each further one would take as long again.
        names = sorted({workload.target.namespace for workload in workloads})
        progress = _progress(session, f"metrics-server in {_namespaces(names)}", "seconds")
        watched = observe(session.client, names, seconds, progress, Clock(time.monotonic, time.sleep))
        for name in names:
            own = [workload for workload in workloads if workload.target.namespace == name]
            try:
                yield from watched.histories(name, own).items()
            except MlscaleError as error:
                yield from ((workload.target, error) for workload in own)

    return read


def _namespaces(names: Collection[str]) -> str:
    return f"namespace {next(iter(names))}" if len(names) == 1 else f"{len(names)} namespaces"


def _progress(session: Session, about: str, noun: str) -> Callable[[float, float], None]:
    from mlscale.output.recommend_progress import progress_words

    def show(done: float, total: float) -> None:
        if total > 1:
            session.messages.progress(about, progress_words(done, total, noun), ())

    return show
