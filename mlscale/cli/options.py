"""Options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

Names = Annotated[
    list[str] | None,
    typer.Argument(metavar="[TYPE] NAME… | TYPE/NAME…", help="Workloads; a bare NAME is a deployment."),
]
Filenames = Annotated[
    list[str] | None, typer.Option("--filename", "-f", help="File or directory with the workloads, - for stdin.")
]
Recursive = Annotated[bool, typer.Option("--recursive", "-R", help="Look into the directories of -f.")]
DryRunOption = Annotated[str, typer.Option("--dry-run", help="none, client (write nothing) or server (store nothing).")]
Parallel = Annotated[str, typer.Option("--parallel", metavar="N", help="How many connections and requests at a time.")]
FailFast = Annotated[bool, typer.Option("--fail-fast", help="Begin no other workload once one has failed.")]
ObjectOutput = Annotated[str, typer.Option("--output", "-o", help="json, yaml or name.")]
