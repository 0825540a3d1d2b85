"""``mlscale autoscale``."""

from __future__ import annotations

import sys
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
from mlscale.cli.values import dry_run_value
from mlscale.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlscale.autoscale import HpaSettings, Outcome, WriteOptions
    from mlscale.errors import MlscaleError
    from mlscale.kube.targets import Found
    from mlscale.output.structured import ObjectFormat
    from mlscale.scale.model import DryRun


def autoscale_command(
    context: typer.Context,
    names: Names = None,
    low: Annotated[str | None, typer.Option("--min", help="Fewest replicas; the server's default is 1.")] = None,
    high: Annotated[str | None, typer.Option("--max", help="Most replicas.")] = None,
    cpu: Annotated[
        str | None, typer.Option(help="CPU target: 50 or 50% of the request, or an average such as 500m.")
    ] = None,
    cpu_percent: Annotated[str | None, typer.Option(help="CPU target in per cent of the request.")] = None,
    memory: Annotated[
        str | None, typer.Option(help="Memory target: 70 or 70% of the request, or an average such as 200Mi.")
    ] = None,
    container: Annotated[str | None, typer.Option(help="Measure CPU and memory of this container only.")] = None,
    metric: Annotated[
        list[str] | None,
        typer.Option(
            help="pods:NAME=AVG, object:TYPE/NAME:METRIC=VALUE or external:NAME{label=value}=VALUE; repeatable."
        ),
    ] = None,
    scale_up: Annotated[
        str | None, typer.Option(help="Policies and window for scaling up, as in pods=4/15s,window=0s.")
    ] = None,
    scale_down: Annotated[
        str | None, typer.Option(help="Policies and window for scaling down, as in percent=10/60s,window=5m.")
    ] = None,
    tolerance: Annotated[
        str | None, typer.Option(help="How far from the target nothing happens, as in 0.05 or up=0.01,down=0.2.")
    ] = None,
    name: Annotated[str, typer.Option(help="Name of the HPA; that of the workload if not given.")] = "",
    filename: Filenames = None,
    recursive: Recursive = False,
    dry_run: DryRunOption = "none",
    output: ObjectOutput = "",
    parallel: Parallel = "16",
    fail_fast: FailFast = False,
    force: Annotated[bool, typer.Option("--force", help="Write although a check says that it cannot work.")] = False,
    force_conflicts: Annotated[
        bool, typer.Option("--force-conflicts", help="Take over fields that another field manager set.")
    ] = False,
) -> int:
    """Create or update the HorizontalPodAutoscaler of workloads."""
    from mlscale.autoscale import HpaOptions, WriteOptions, parse_settings
    from mlscale.kube.targets import named_alone, read_found
    from mlscale.output.structured import object_format

    session: Session = context.obj
    session.parallel = parallel_value(parallel)
    options = HpaOptions(
        max=high, min=low, cpu=cpu, cpu_percent=cpu_percent, memory=memory, container=container,
        metrics=tuple(metric or ()), scale_up=scale_up, scale_down=scale_down, tolerance=tolerance,
    )  # fmt: skip
    # A lambda, so that a wrong option is told before a kubeconfig is read.
    settings = parse_settings(options, lambda word: session.kinds.named(word))
    write = WriteOptions(name, force, force_conflicts, cast("DryRun", dry_run_value(dry_run)))
    form = object_format(output)
    selection = session.selection(names, filename, recursive=recursive)
    alone = named_alone(session.client, session.kinds, selection)
    found = [alone] if alone else read_found(session.client, session.kinds, selection, sys.stdin)
    return _autoscale(session, found, settings, write, form, Run(fail_fast=fail_fast))


def _autoscale(
    session: Session,
    found: Sequence[Found | MlscaleError],
    settings: HpaSettings,
    write: WriteOptions,
    form: ObjectFormat | None,
    run: Run,
) -> ExitCode:
    from mlscale.autoscale import autoscale
    from mlscale.kube.parallel import NotBegunError

    with run.interruptible(len(found)):
        for outcome in autoscale(session.client, found, settings, write, run.stop):
            if isinstance(outcome.error, NotBegunError) and outcome.target:
                run.left_out(outcome.target.printed)
            else:
                run.ended(_say(session, outcome, write.dry_run, form))
    return run.closed(session.messages)


def _say(session: Session, outcome: Outcome, dry_run: DryRun, form: ObjectFormat | None) -> ExitCode:
    """Print one outcome; its exit code."""
    from mlscale.output.autoscale_text import render_changes, render_outcome

    # After an error there is no HPA that notes could be about, and the error repeats the refusals.
    shown = [finding for finding in outcome.findings if not outcome.error or finding.level == "warning"]
    session.messages.findings(shown)
    if outcome.error:
        session.messages.error(outcome.error)
        return outcome.error.exit_code
    for line in render_changes(outcome, dry_run):
        session.messages.note(line)
    session.answer(render_outcome(outcome, dry_run, form), form)
    return ExitCode.DONE
