"""``mlscale recommend --apply``: the steps of a recommendation carried out by the verbs that they name."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from mlscale.errors import ExitCode, MlscaleError, UsageError
from mlscale.frozen import replace
from mlscale.kube.text import counted, printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlscale.autoscale import Outcome
    from mlscale.cli.session import Session
    from mlscale.kube.targets import Found
    from mlscale.recommend.model import Recommendation, Step
    from mlscale.scale.model import DryRun, ScalePlan


@dataclass(frozen=True)
class ApplyOptions:
    """How ``--apply`` writes."""

    ask: bool = True
    in_place: bool = False
    """Resize the pods that run in place of the workload's template."""
    force_conflicts: bool = False


def check_askable(options: ApplyOptions) -> None:
    """Raise UsageError where nobody could answer."""
    if options.ask and not sys.stdin.isatty():
        raise UsageError("--apply asks before it changes anything, and stdin is no terminal", "give --yes too")


def apply_recommendation(session: Session, found: Found, one: Recommendation, options: ApplyOptions) -> ExitCode:
    """Show what would change, ask, and do it step by step; the first error ends it and is its exit code.

    Raises the error of a step, in the dry run too.
    """
    steps = [step for step in one.steps if _can_apply(step)]
    for step in one.steps:
        if step not in steps:
            session.messages.note(f"{one.target.printed}: left to you: {step.why}")
    if not steps:
        session.messages.note(f"{one.target.printed}: nothing to apply")
        return ExitCode.DONE
    for line in _previews(session, found, steps, options):
        session.messages.note(f"{one.target.printed}: {line}")
    if options.ask and not _agreed(session, f"Apply this to {one.target.printed} in {one.target.namespace}?"):
        session.messages.note(f"{one.target.printed}: nothing was changed")
        return ExitCode.DONE
    for number, step in enumerate(steps):
        # What a step before has changed counts for the checks of the next.
        seen = replace(found, object=session.client.get(found.target.path())) if number else found
        code = _apply(session, seen, step, options)
        if code:
            return code
    return ExitCode.DONE


def _can_apply(step: Step) -> bool:
    return bool(step.resizes) or step.hpa is not None or step.replicas is not None


def _previews(session: Session, found: Found, steps: list[Step], options: ApplyOptions) -> Iterator[str]:
    """What the steps would change, a line each."""
    for number, step in enumerate(steps):
        if step.resizes:
            yield from _size_changes(session, found, step, options)
        elif step.hpa is None:
            before = (found.object.get("spec") or {}).get("replicas")
            yield f"would change replicas: {1 if before is None else before} -> {step.replicas}"
        elif number:
            # A dry run could be refused for what the steps before it put right.
            yield f"would run: {step.command}"
        else:
            yield from _hpa_changes(session, found, step, options)


def _size_changes(session: Session, found: Found, step: Step, options: ApplyOptions) -> Iterator[str]:
    """By a dry run of the server too; raises its error."""
    from mlscale.output.recommend_words import resize_words
    from mlscale.recommend.apply import resize_pods, resize_template

    if options.in_place:
        pods = resize_pods(session.client, found.target, step, dry_run=True)
        refused = [pod for pod in pods if isinstance(pod, MlscaleError)]
        if len(refused) == len(pods):
            raise refused[0]
        how = f"{counted(len(pods), 'pod')} would be resized; new ones come with the sizes of the template"
    else:
        resize_template(session.client, found.target, step, force=options.force_conflicts, dry_run=True)
        how = "the template changes, so a rollout replaces all pods"
    yield from (f"would change {resize_words(resize)}" for resize in step.resizes)
    yield how


def _hpa_changes(session: Session, found: Found, step: Step, options: ApplyOptions) -> Iterator[str]:
    """By a dry run of the server, which refuses what the write itself would be refused; raises its error."""
    from mlscale.output.autoscale_text import render_changes

    for outcome in _autoscaled(session, found, step, options, "server"):
        if outcome.error:
            raise outcome.error
        yield from render_changes(outcome, "server") or [f"would create {outcome.printed}: {step.command}"]


def _agreed(session: Session, question: str) -> bool:

    session.messages.clear_progress()
    sys.stderr.write(f"{printable(question)} [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _apply(session: Session, found: Found, step: Step, options: ApplyOptions) -> ExitCode:
    if step.resizes:
        return _resize_pods(session, found, step) if options.in_place else _resize(session, found, step, options)
    return _autoscale(session, found, step, options) if step.hpa is not None else _scale(session, found, step)


def _resize(session: Session, found: Found, step: Step, options: ApplyOptions) -> ExitCode:
    from mlscale.recommend.apply import resize_template

    resize_template(session.client, found.target, step, force=options.force_conflicts, dry_run=False)
    session.answer(f"{found.target.printed} resized\n")
    return ExitCode.DONE


def _resize_pods(session: Session, found: Found, step: Step) -> ExitCode:
    from mlscale.recommend.apply import resize_pods
    from mlscale.recommend.resized import wait_resized
    from mlscale.scale.model import Clock

    code, clock = ExitCode.DONE, Clock(time.monotonic, time.sleep)
    asked = resize_pods(session.client, found.target, step, dry_run=False)
    names = [name for name in asked if not isinstance(name, MlscaleError)]
    refused = [error for error in asked if isinstance(error, MlscaleError)]
    for name in chain(refused, wait_resized(session.client, found.target.namespace, names, clock)):
        if isinstance(name, MlscaleError):
            session.messages.error(name)
            code = code or name.exit_code
        else:
            session.answer(f"pod/{printable(name)} resized\n")
    return code


def _autoscale(session: Session, found: Found, step: Step, options: ApplyOptions) -> ExitCode:
    from mlscale.output.autoscale_text import render_changes, render_outcome

    for outcome in _autoscaled(session, found, step, options, "none"):
        session.messages.findings(finding for finding in outcome.findings if finding.level == "warning")
        if outcome.error:
            raise outcome.error
        for line in render_changes(outcome, "none"):
            session.messages.note(line)
        session.answer(render_outcome(outcome, "none", None))
    return ExitCode.DONE


def _autoscaled(
    session: Session, found: Found, step: Step, options: ApplyOptions, dry_run: DryRun
) -> Iterator[Outcome]:
    from mlscale.autoscale import HpaOptions, WriteOptions, autoscale, parse_settings

    settings = parse_settings(step.hpa or HpaOptions(), lambda word: session.kinds.named(word))
    write = WriteOptions(name=step.hpa_name, force_conflicts=options.force_conflicts, dry_run=dry_run)
    return autoscale(session.client, [found], settings, write)


def _scale(session: Session, found: Found, step: Step) -> ExitCode:
    from mlscale.output.scale_text import render_change, render_outcome
    from mlscale.scale.flow import scale
    from mlscale.scale.model import Clock, ScaleRequest

    def announce(plan: ScalePlan) -> None:
        session.messages.findings(plan.findings)

    request = ScaleRequest(replicas=step.replicas or 0)
    clock = Clock(time.monotonic, time.sleep)
    for outcome in scale(session.client, [found], request, clock, lambda _: None, announce):
        if isinstance(outcome, MlscaleError):
            raise outcome
        if outcome.error:
            raise outcome.error
        session.answer(render_outcome(outcome, request, None))
        change = render_change(outcome)
        if change:
            session.messages.note(change)
    return ExitCode.DONE
