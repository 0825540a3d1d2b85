"""``mlscale scale``."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Annotated, cast

import typer

from mlscale.cli.bulk import Run, parallel_value
from mlscale.cli.options import (  # noqa: TC001  likewise
    DryRunOption,
    FailFast,
    Filenames,
    Names,
    ObjectOutput,
    Parallel,
    Recursive,
)
from mlscale.cli.session import Session  # noqa: TC001  typer reads the annotations
from mlscale.cli.values import dry_run_value, replicas_value, seconds_value
from mlscale.errors import ExitCode, MlscaleError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlscale.kube.targets import Found
    from mlscale.output.structured import ObjectFormat
    from mlscale.scale.model import DryRun, Progress, ScaleOutcome, ScalePlan, ScaleRequest


def scale_command(
    context: typer.Context,
    names: Names = None,
    replicas: Annotated[str | None, typer.Option("--replicas", help="The new number of replicas.")] = None,
    current_replicas: Annotated[
        str, typer.Option(help="Scale only if this is the current number; the server checks it in the same request.")
    ] = "-1",
    resource_version: Annotated[
        str, typer.Option(help="Scale only if this is the current resource version; checked by the server.")
    ] = "",
    every: Annotated[bool, typer.Option("--all", help="All workloads of the TYPE in the namespace.")] = False,
    selector: Annotated[str, typer.Option("--selector", "-l", help="Workloads of the TYPE with these labels.")] = "",
    filename: Filenames = None,
    recursive: Recursive = False,
    dry_run: DryRunOption = "none",
    output: ObjectOutput = "",
    timeout: Annotated[str, typer.Option(help="Wait until the counts are right (with --wait: 5m if not given).")] = "0",
    wait: Annotated[
        bool, typer.Option("--wait", help="Wait until the new pods are Ready or the old ones gone.")
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Refuse if an HPA or manifest sets the replicas, or copies do not fit.")
    ] = False,
    parallel: Parallel = "16",
    fail_fast: FailFast = False,
    check: Annotated[bool, typer.Option("--check", help="Change nothing: say how many of the new copies fit.")] = False,
) -> int:
    """Set the number of replicas of deployments, statefulsets, replicasets or custom resources."""
    from mlscale.kube.targets import named_alone, read_found
    from mlscale.output.structured import object_format
    from mlscale.scale.model import ScaleRequest

    session: Session = context.obj
    session.parallel = parallel_value(parallel)
    if replicas is None:
        raise UsageError("--replicas is missing", "give the new number, as in --replicas 3")
    request = ScaleRequest(
        replicas=replicas_value("--replicas", replicas),
        current_replicas=None if current_replicas == "-1" else replicas_value("--current-replicas", current_replicas),
        resource_version=resource_version,
        dry_run=cast("DryRun", dry_run_value(dry_run)),
        timeout=seconds_value("--timeout", timeout),
        wait=wait,
        strict=strict,
    )
    form = object_format(output)
    if check and form:
        raise UsageError(f"--check writes nothing that -o {output} could show", "leave one of them out")
    selection = session.selection(names, filename, recursive=recursive, selector=selector, every=every)
    reads_first = check or strict or request.dry_run == "client"
    alone = None if reads_first else named_alone(session.client, session.kinds, selection)
    found = [alone] if alone else read_found(session.client, session.kinds, selection, sys.stdin)
    if check:
        return _check(session, found, request)
    return _scale(session, found, request, form, Run(fail_fast=fail_fast))


def _check(session: Session, found: Sequence[Found | MlscaleError], request: ScaleRequest) -> int:
    from mlscale.output.scale_text import render_check
    from mlscale.scale.flow import check

    readable = [item for item in found if not isinstance(item, MlscaleError)]
    results = [*check(session.client, readable, request), *(item for item in found if isinstance(item, MlscaleError))]
    code = ExitCode.DONE
    for result in results:
        if isinstance(result, MlscaleError):
            session.messages.error(result)
            code = code or result.exit_code
            continue
        session.answer(render_check(result))
        session.messages.findings(result.owners)
        falls_short = result.fit is not None and result.fit.falls_short
        code = code or (ExitCode.REFUSED if falls_short else ExitCode.DONE)
    return code


def _scale(
    session: Session,
    found: Sequence[Found | MlscaleError],
    request: ScaleRequest,
    form: ObjectFormat | None,
    run: Run,
) -> int:
    from mlscale.kube.parallel import NotBegunError
    from mlscale.scale.flow import scale
    from mlscale.scale.model import Clock

    def progress(state: Progress) -> None:
        session.messages.progress(state.target.printed, state.sentence, state.causes)

    def announce(plan: ScalePlan) -> None:
        session.messages.findings(plan.findings)

    _refuse_unreadable(found, request)
    clock = Clock(time.monotonic, run.sleep)
    readable = [item for item in found if not isinstance(item, MlscaleError)]
    unreadable = [item for item in found if isinstance(item, MlscaleError)]
    run.stop.heed(bool(unreadable))
    try:
        with run.interruptible(len(readable)):
            outcomes = scale(session.client, readable, request, clock, progress, announce, run.stop)
            for item, outcome in zip(readable, outcomes, strict=True):
                if isinstance(outcome, NotBegunError):
                    run.left_out(item.target.printed)
                else:
                    run.ended(_say(session, outcome, request, form))
    finally:
        session.messages.clear_progress()
    for error in unreadable:
        session.messages.error(error)
        run.ended(error.exit_code)
    return run.closed(session.messages)


def _refuse_unreadable(found: Sequence[Found | MlscaleError], request: ScaleRequest) -> None:
    """With --strict a target that is not there stops the others too, before any change."""
    failed = next((item for item in found if isinstance(item, MlscaleError)), None)
    if request.strict and failed:
        raise failed


def _say(
    session: Session, outcome: ScaleOutcome | MlscaleError, request: ScaleRequest, form: ObjectFormat | None
) -> ExitCode:
    """Print one outcome; its exit code."""
    from mlscale.output.scale_text import render_change, render_outcome, render_written

    session.messages.clear_progress()
    if isinstance(outcome, MlscaleError):
        session.messages.error(outcome)
        return outcome.exit_code
    if outcome.error:
        session.messages.error(outcome.error)
        note = render_written(outcome)
        if note:
            session.messages.note(note)
        return outcome.error.exit_code
    session.answer(render_outcome(outcome, request, form), form)
    change = render_change(outcome)
    if change and form is None:
        session.messages.note(change)
    return ExitCode.DONE
