"""What `status` prints on stdout: kubectl's tables, names, or one document."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlscale.output.tables import render_names, render_tables

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mlscale.status.model import KindTable, StatusResult


def render_rows(
    tables: Iterable[KindTable], output: str, *, with_kind: bool, namespaced: bool, headers: bool = True
) -> Iterator[str]:
    """The text for ``-o`` name, wide or none, piece by piece as ``tables`` come."""
    shown = ((table.kind.printed, table.table) for table in tables)
    if output == "name":
        yield from ("".join(f"{name}\n" for name in render_names(printed, table)) for printed, table in shown)
        return
    yield from render_tables(shown, with_kind=with_kind, wide=output == "wide", namespaced=namespaced, headers=headers)


def render_document(result: StatusResult, output: str) -> str:
    """The text for ``-o`` json or yaml."""
    from mlscale.output.structured import render_json, render_yaml
    from mlscale.status.report import status_report

    report = status_report(result)
    return render_json(report) if output == "json" else render_yaml(report)
