"""Options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer


def complete_name(ctx: typer.Context, incomplete: str) -> list[str]:
    """What may stand where a name is typed: see ``mlscale.cli.completion``."""
    from mlscale.cli.completion import complete

    return complete(ctx, incomplete, str(ctx.meta.get(LAST_WORD, "")))


LAST_WORD = "mlscale.last_word"
"""Where a context keeps the word before the one that is being completed."""

Names = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[TYPE] NAME… | TYPE/NAME…",
        help="Workloads; a bare NAME is a deployment.",
        autocompletion=complete_name,
    ),
]
Filenames = Annotated[
    list[str] | None, typer.Option("--filename", "-f", help="File or directory with the workloads, - for stdin.")
]
Recursive = Annotated[bool, typer.Option("--recursive", "-R", help="Look into the directories of -f.")]
DryRunOption = Annotated[str, typer.Option("--dry-run", help="none, client (write nothing) or server (store nothing).")]
Parallel = Annotated[str, typer.Option("--parallel", metavar="N", help="How many connections and requests at a time.")]
FailFast = Annotated[bool, typer.Option("--fail-fast", help="Begin no other workload once one has failed.")]
ObjectOutput = Annotated[str, typer.Option("--output", "-o", help="json, yaml or name.")]
