"""What ``mlscale recommend`` does between its options and its exit code."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mlscale.errors import ExitCode, MlscaleError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlscale.cli.recommend_apply import ApplyOptions
    from mlscale.cli.session import Session
    from mlscale.kube.client import Json
    from mlscale.kube.kinds import Kind
    from mlscale.kube.targets import Found
    from mlscale.recommend.model import Recommendation


@dataclass(frozen=True)
class Answer:
    """What came of each workload that was asked about."""

    results: tuple[tuple[Found, Recommendation], ...]
    errors: tuple[MlscaleError, ...]
    """Each once: a Prometheus that does not answer fails all workloads alike."""
    is_about_one: bool
    """Whether one workload was asked about."""

    @property
    def recommendations(self) -> list[Recommendation]:
        """Those that could be made."""
        return [one for _, one in self.results]

    def exit_code(self, *, check: bool) -> ExitCode:
        """That of the first error; with --check DIFFERS where something is to be changed."""
        if self.errors:
            return self.errors[0].exit_code
        return ExitCode.DIFFERS if check and any(one.differs for one in self.recommendations) else ExitCode.DONE


def find_workloads(
    session: Session,
    names: list[str] | None,
    filenames: list[str] | None,
    selector: str,
    *,
    recursive: bool = False,
    every: bool = False,
    all_namespaces: bool = False,
) -> list[Found | MlscaleError]:
    """The workloads that the command line selects; with no name, type or file, all deployments and statefulsets."""
    from mlscale.kube.targets import read_found

    if all_namespaces and (names or filenames):
        raise UsageError("-A was given with a name or a file", "give names and -n NAMESPACE, or -A")
    if all_namespaces:
        return _of_all_namespaces(session, selector)
    if not names and not filenames:
        names, every = ["deployments,statefulsets"], not selector
    selection = session.selection(names, filenames, recursive=recursive, selector=selector, every=every)
    return [_live(session, item) for item in read_found(session.client, session.kinds, selection, sys.stdin)]


def _of_all_namespaces(session: Session, selector: str) -> list[Found | MlscaleError]:
    from functools import partial

    from mlscale.errors import NotFoundError
    from mlscale.kube.kinds import DEPLOYMENT, STATEFULSET

    kinds = (DEPLOYMENT, STATEFULSET)
    query = {"labelSelector": selector} if selector else {}
    lists = session.client.together(*[partial(session.client.list_all, kind.path(None), **query) for kind in kinds])
    found: list[Found | MlscaleError] = []
    for kind, items in zip(kinds, lists, strict=True):
        if isinstance(items, MlscaleError):
            found.append(items)
        else:
            found += [_found(kind, item) for item in items]
    if not found:
        raise NotFoundError("no deployments or statefulsets in any namespace", "check -l and the context")
    return found


def _found(kind: Kind, item: Json) -> Found:
    from mlscale.kube.targets import Found, Target

    # The items of a list do not repeat what they are.
    typed = {"apiVersion": kind.api_version, "kind": kind.kind, **item}
    return Found(Target(kind, item["metadata"]["namespace"], item["metadata"]["name"]), typed)


def _live(session: Session, item: Found | MlscaleError) -> Found | MlscaleError:
    """A workload of a file as the server has it: what runs is what the history is of."""
    from mlscale.kube.api_errors import ApiNotFoundError
    from mlscale.kube.targets import Found, explain_not_found

    if isinstance(item, MlscaleError) or item.live:
        return item
    try:
        return Found(item.target, session.client.get(item.target.path()))
    except ApiNotFoundError:
        return explain_not_found(session.client, item.target)
    except MlscaleError as error:
        return error


def say(session: Session, answer: Answer, output: str, *, check: bool, namespaces: bool) -> None:
    """Print the answer on stdout, and on stderr what is to be known beside it."""
    session.messages.clear_progress()
    session.answer(_text(answer, output, check=check, namespaces=namespaces))
    if output != "json":
        for note in _notes(answer):
            session.messages.note(note)
    if output in ("yaml", "command") and answer.results and not any(one.steps for one in answer.recommendations):
        session.messages.note("nothing to change")
    for error in answer.errors:
        session.messages.error(error)


def _text(answer: Answer, output: str, *, check: bool, namespaces: bool) -> str:
    from mlscale.output.recommend_document import recommend_document
    from mlscale.output.recommend_text import (
        render_commands,
        render_gap,
        render_manifests,
        render_overview,
        render_report,
    )
    from mlscale.output.structured import render_json

    recommendations = answer.recommendations
    if output == "json":
        return render_json(recommend_document(recommendations, answer.errors))
    if output == "yaml":
        return render_manifests(recommendations)
    if output == "command":
        return render_commands(recommendations)
    if check:
        return "".join(render_gap(one) for one in recommendations)
    if not recommendations:
        return ""
    one_report = answer.is_about_one and not namespaces
    return render_report(recommendations[0]) if one_report else render_overview(recommendations, namespaces=namespaces)


def _notes(answer: Answer) -> Iterable[str]:
    """Each note once; where there are several workloads, with the name of the first that it is about."""
    notes: dict[str, str] = {}
    for one in answer.recommendations:
        for note in one.notes:
            notes.setdefault(note, note if answer.is_about_one else f"{one.target.printed}: {note}")
    return notes.values()


def check_page(path: str) -> None:
    """Raise UsageError for a page that could not be written, before the long way to its content."""
    if path and (Path(path).is_dir() or not Path(path).resolve().parent.is_dir()):
        raise UsageError(f"--html {path} cannot be written", "give a file in a directory that exists")


def write_page(path: str, answer: Answer) -> None:
    """Write the page for ``--html``, if any; raises MlscaleError where it cannot be written."""
    if not path:
        return
    from mlscale.output.recommend_page import render_page

    try:
        Path(path).write_text(render_page(answer.recommendations), encoding="utf-8")
    except OSError as error:
        raise MlscaleError(f"cannot write {path}: {error.strerror}", "give another file with --html") from error


def apply_all(session: Session, answer: Answer, options: ApplyOptions) -> ExitCode:
    """Apply one recommendation after another; one that fails does not stop the others. The first failure's code."""
    from mlscale.cli.recommend_apply import apply_recommendation

    code = ExitCode.DONE
    for found, one in answer.results:
        try:
            done = apply_recommendation(session, found, one, options)
        except MlscaleError as error:
            session.messages.error(error)
            done = error.exit_code
        code = code or done
    return code
