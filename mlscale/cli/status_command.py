"""``mlscale status``."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, cast

import typer

from mlscale.cli.options import Names  # noqa: TC001  likewise
from mlscale.cli.session import Session  # noqa: TC001  typer reads the annotations
from mlscale.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from mlscale.status.model import Section, StatusRequest, StatusResult

FORMATS = ("json", "name", "wide", "yaml")
REDRAW_SECONDS = 2.0
CLEAR_SCREEN = "\x1b[H\x1b[2J"


def status_command(
    context: typer.Context,
    names: Names = None,
    selector: Annotated[str, typer.Option("--selector", "-l", help="Workloads and pods with these labels.")] = "",
    all_namespaces: Annotated[bool, typer.Option("--all-namespaces", "-A", help="In every namespace.")] = False,
    only: Annotated[
        list[str] | None, typer.Option(help="Show only workloads, pods or hpa; repeatable.", metavar="SECTION")
    ] = None,
    output: Annotated[str, typer.Option("--output", "-o", help="wide, json, yaml or name.")] = "",
    watch: Annotated[
        bool, typer.Option("--watch", "-w", help="Go on: redraw on a terminal, print changed rows in a pipe.")
    ] = False,
    no_headers: Annotated[bool, typer.Option("--no-headers", help="Print no header rows.")] = False,
) -> int:
    """Show workloads, their pods and HPAs as kubectl get does, and explain what does not work."""
    from mlscale.kube.targets import named_targets
    from mlscale.status.model import StatusRequest

    session: Session = context.obj
    if output and output not in FORMATS:
        raise UsageError(f"-o {output} is not an output format of this command", f"give one of {', '.join(FORMATS)}")
    if names and all_namespaces:
        raise UsageError("a name and -A were both given", "give names and -n NAMESPACE, or -A")
    sections = _sections(only or [])
    targets = tuple(named_targets(session.client.namespace, session.kinds, names)) if names else ()
    request = StatusRequest(
        namespace=None if all_namespaces else session.client.namespace,
        targets=targets,
        selector=selector,
        only=sections,
        objects=output in ("json", "yaml"),
    )
    if not watch:
        return _show(session, request, output, headers=not no_headers)
    if output not in ("", "wide"):
        raise UsageError(f"-w cannot be combined with -o {output}", "leave one of them out")
    if session.out.isatty():
        return _redraw(session, request, output)
    return _follow(session, request, output)


def _sections(only: list[str]) -> tuple[Section, ...]:
    from mlscale.status.model import SECTIONS

    words = [word for given in only for word in given.split(",")]
    unknown = next((word for word in words if word not in SECTIONS), None)
    if unknown is not None:
        raise UsageError(f"--only {unknown} is not a section", f"give one of {', '.join(SECTIONS)}")
    return cast("tuple[Section, ...]", tuple(words))


def _show(session: Session, request: StatusRequest, output: str, *, headers: bool = True, before: str = "") -> int:
    """Print the status once, ``before`` right in front of it: what was there stays until the new is read."""
    from mlscale.output.status_text import render_document, render_rows
    from mlscale.status.read import StatusReading, read_status

    if request.objects:
        result = read_status(session.client, request)
        session.out.write(render_document(result, output))
    else:
        reading = StatusReading(session.client, request)
        session.out.write(before)
        everywhere = request.namespace is None
        session.out.writelines(
            render_rows(reading.tables(), output, with_kind=reading.with_kind, namespaced=everywhere, headers=headers)
        )
        session.out.flush()
        result = reading.result()
    session.out.flush()
    _explain(session, result, output)
    return result.exit_code


def _explain(session: Session, result: StatusResult, output: str) -> None:
    """What belongs on stderr; JSON and YAML carry findings and errors themselves."""
    from mlscale.output.tables import no_resources_message

    if result.is_empty and not result.errors and output in ("", "wide"):
        session.messages.plain(no_resources_message(result.request.namespace))
    if output in ("", "wide"):
        session.messages.findings(result.findings)
    for error in result.errors:
        session.messages.error(error)


def _redraw(session: Session, request: StatusRequest, output: str) -> int:
    """The whole status again and again, until Ctrl-C."""
    while True:
        _show(session, request, output, before=CLEAR_SCREEN)
        time.sleep(REDRAW_SECONDS)


def _follow(session: Session, request: StatusRequest, output: str) -> int:
    """The tables, then a line for each row that changes, until Ctrl-C."""
    from mlscale.output.tables import render_watch
    from mlscale.status.watch import watch_status

    shown = watch_status(session.client, request)
    tables = ((table.kind.printed, table.table) for table in shown)
    lines = render_watch(
        tables, with_kind=request.shows_several_kinds, wide=output == "wide", namespaced=request.namespace is None
    )
    for line in lines:
        session.out.write(f"{line}\n")
        session.out.flush()
    return ExitCode.DONE
