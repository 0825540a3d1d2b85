"""What `status` prints on stdout: kubectl's tables, names, or one document."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlscale.output.structured import render_json, render_yaml
from mlscale.output.tables import render_names, render_tables
from mlscale.status.report import status_report

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlscale.status.model import StatusResult


def render_status(result: StatusResult, output: str, *, headers: bool = True) -> Iterator[str]:
    """The text for ``-o`` json, yaml, name, wide or none, piece by piece."""
    if output == "json":
        yield render_json(status_report(result))
    elif output == "yaml":
        yield render_yaml(status_report(result))
    elif output == "name":
        yield from (f"{line}\n" for table in result.tables for line in render_names(table.kind.printed, table.table))
    else:
        lines = render_tables(
            [(table.kind.printed, table.table) for table in result.tables],
            with_kind=result.with_kind,
            wide=output == "wide",
            namespaced=result.request.namespace is None,
            headers=headers,
        )
        yield from (f"{line}\n" for line in lines)
