"""What ``status`` is asked, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mlscale.errors import MlscaleError
    from mlscale.kube.finding import Finding
    from mlscale.kube.kinds import Kind
    from mlscale.kube.targets import Target

Json = dict[str, Any]
Section = Literal["workloads", "pods", "hpa"]
SECTIONS: tuple[Section, ...] = ("workloads", "pods", "hpa")


@dataclass(frozen=True)
class StatusRequest:
    """``status [NAME…] [-l SELECTOR] [-A] [--only SECTION]…``; ``namespace`` None stands for all of them."""

    namespace: str | None
    targets: tuple[Target, ...] = ()
    selector: str = ""
    only: tuple[Section, ...] = ()
    """The sections to show; empty for all."""
    objects: bool = False
    """Whether the objects themselves are wanted (``-o json``, ``-o yaml``), not only their rows."""

    def shows(self, section: Section) -> bool:
        """Whether the tables of ``section`` are asked for."""
        return not self.only or section in self.only

    @property
    def shows_several_kinds(self) -> bool:
        """Whether rows of several kinds come, so that each name must say its kind."""
        # Without names, workloads are deployments and statefulsets.
        workloads = len({target.kind for target in self.targets}) or 2
        return workloads * self.shows("workloads") + self.shows("pods") + self.shows("hpa") > 1


@dataclass(frozen=True)
class KindTable:
    """A ``meta.k8s.io/v1`` Table of one kind."""

    section: Section
    kind: Kind
    table: Json

    @property
    def rows(self) -> list[Json]:
        """The Table's rows, ``{"cells": […], "object": …}``."""
        return self.table.get("rows") or []

    @property
    def objects(self) -> list[Json]:
        """The rows' objects, where the Table was read with them."""
        return [row["object"] for row in self.rows if row.get("object")]

    def column(self, name: str) -> int | None:
        """The position of the column called ``name`` (``Status``, say)."""
        columns = self.table.get("columnDefinitions") or []
        return next((i for i, column in enumerate(columns) if column.get("name") == name), None)

    def cells(self, name: str) -> Iterator[str]:
        """The cells of the column called ``name``, as text; empty where a row lacks it."""
        position = self.column(name)
        for row in self.rows:
            cells = row.get("cells") or []
            yield str(cells[position]) if position is not None and position < len(cells) else ""

    def with_rows(self, rows: Iterable[Json]) -> KindTable:
        """The same Table with other rows."""
        return KindTable(self.section, self.kind, {**self.table, "rows": list(rows)})


@dataclass(frozen=True)
class StatusResult:
    """The tables in kubectl's order, what there is to say about them, and what could not be read."""

    request: StatusRequest
    tables: tuple[KindTable, ...]
    findings: tuple[Finding, ...] = ()
    errors: tuple[MlscaleError, ...] = ()

    @property
    def with_kind(self) -> bool:
        """Whether names are printed as ``TYPE.GROUP/NAME``: more than one type was asked for."""
        return len({table.kind for table in self.tables}) > 1

    @property
    def is_empty(self) -> bool:
        """Whether no table has a row."""
        return not any(table.rows for table in self.tables)

    @property
    def exit_code(self) -> int:
        """0, or that of the first error."""
        return int(self.errors[0].exit_code) if self.errors else 0

    def of(self, section: Section) -> list[KindTable]:
        """The tables of one section."""
        return [table for table in self.tables if table.section == section]


def merged(tables: Iterable[KindTable]) -> list[KindTable]:
    """Tables of one kind as one, in the order in which the kinds come first; an object's row stays once."""
    by_kind: dict[Kind, KindTable] = {}
    for table in tables:
        known = by_kind.get(table.kind)
        rows = [*known.rows, *table.rows] if known else table.rows
        by_kind[table.kind] = (known or table).with_rows({row_key(row): row for row in rows}.values())
    return list(by_kind.values())


def row_key(row: Json) -> tuple[str, str]:
    """Namespace (empty where the row has no object) and name of a row; the name is a Table's first column."""
    metadata = (row.get("object") or {}).get("metadata") or {}
    cells = row.get("cells") or [""]
    return str(metadata.get("namespace") or ""), str(metadata.get("name") or cells[0])
