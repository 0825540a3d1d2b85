"""``mlscale recommend``."""

from __future__ import annotations

from typing import Annotated

import typer

from mlscale.cli.options import Filenames, Names, Recursive  # noqa: TC001  likewise
from mlscale.cli.recommend_options import (
    HISTORY,
    budget_value,
    check_flags,
    objective_value,
    source_options,
)
from mlscale.cli.session import Session  # noqa: TC001  typer reads the annotations


def recommend_command(
    context: typer.Context,
    names: Names = None,
    selector: Annotated[str, typer.Option("--selector", "-l", help="Workloads with these labels.")] = "",
    every: Annotated[bool, typer.Option("--all", help="All workloads of the TYPE in the namespace.")] = False,
    all_namespaces: Annotated[
        bool, typer.Option("--all-namespaces", "-A", help="All deployments and statefulsets of every namespace.")
    ] = False,
    filename: Filenames = None,
    recursive: Recursive = False,
    prometheus: Annotated[
        str, typer.Option(metavar="URL", help="Read the history here; else from a Prometheus found in the cluster.")
    ] = "",
    observe: Annotated[
        str, typer.Option(metavar="TIME", help="Watch metrics-server for so long in place of a history.")
    ] = "",
    samples: Annotated[str, typer.Option(metavar="FILE", help="Read the history from CSV or JSON, - for stdin.")] = "",
    history: Annotated[str, typer.Option(metavar="TIME", help="How far to look back, as in 14d.")] = HISTORY,
    objective: Annotated[str, typer.Option(help="cost, balanced or reliability.")] = "balanced",
    budget: Annotated[
        str, typer.Option(metavar="SHARE", help="The share of demand that may go unserved, as in 0.1%.")
    ] = "",
    output: Annotated[
        str, typer.Option("--output", "-o", help="json, yaml (what to commit) or command (what to run).")
    ] = "",
    html: Annotated[str, typer.Option(metavar="FILE", help="Write a page with plots to FILE too.")] = "",
    check: Annotated[
        bool, typer.Option("--check", help="Exit with 10 if what runs differs by more than the noise.")
    ] = False,
    apply: Annotated[bool, typer.Option("--apply", help="Show what would change, ask, and do it.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="With --apply: do not ask.")] = False,
    in_place: Annotated[
        bool, typer.Option("--in-place", help="With --apply: resize the pods that run, not the template.")
    ] = False,
    force_conflicts: Annotated[
        bool, typer.Option("--force-conflicts", help="With --apply: take over fields that another field manager set.")
    ] = False,
) -> int:
    """Say what limits workloads, and how to scale them, with numbers replayed on their own history."""
    from mlscale.cli.recommend_apply import ApplyOptions, check_askable
    from mlscale.cli.recommend_run import apply_all, check_page, find_workloads, say, write_page
    from mlscale.cli.recommend_source import Question, answer_question

    session: Session = context.obj
    with_apply = {"--yes": yes, "--in-place": in_place, "--force-conflicts": force_conflicts}
    check_flags({"--check": check, "--apply": apply, **with_apply}, output)
    sources = source_options(prometheus, observe, samples, history)
    question = Question(sources, objective_value(objective), budget_value(budget))
    check_page(html)
    how = ApplyOptions(ask=not yes, in_place=in_place, force_conflicts=force_conflicts)
    if apply:
        check_askable(how)
    found = find_workloads(
        session, names, filename, selector, recursive=recursive, every=every, all_namespaces=all_namespaces
    )
    answer = answer_question(session, found, question)
    write_page(html, answer)
    say(session, answer, output, check=check, namespaces=all_namespaces)
    code = answer.exit_code(check=check)
    return (apply_all(session, answer, how) or code) if apply else code
