"""What ``status`` is asked, and what it answers."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any, Literal

from mlscale.errors import MlscaleError
from mlscale.frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mlscale.kube.finding import Finding
    from mlscale.kube.kinds import Kind
    from mlscale.kube.targets import Target

Json = dict[str, Any]
Section = Literal["workloads", "pods", "hpa"]
SECTIONS: tuple[Section, ...] = ("workloads", "pods", "hpa")
PIECE = 500
"""Rows that kubectl asks for, and so prints with widths of their own, at a time."""


@frozen
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


@frozen
class KindTable:
    """A ``meta.k8s.io/v1`` Table of one kind: whole, or the first page of a long one."""

    section: Section
    kind: Kind
    table: Json
    rest: Iterator[list[Json]] | None = None
    """The rows of the pages that follow, each asked for when it is taken, and once; None where there are none."""

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

    def whole(self) -> KindTable:
        """The Table with all its rows, the rest of them read now. Raises the MlscaleError of a page."""
        return self if self.rest is None else self.with_rows(chain(self.rows, *self.rest))

    def pieces(self) -> Iterator[KindTable]:
        """The Table in pieces of at most 500 rows, the rest of it read on the way; none where it is empty.

        Raises the MlscaleError of a page that cannot be read, after the rows before it.
        """
        waiting: list[Json] = []
        try:
            for page in chain([self.rows], self.rest or ()):
                waiting = [*waiting, *page]
                while len(waiting) >= PIECE:
                    yield self.with_rows(waiting[:PIECE])
                    waiting = waiting[PIECE:]
        except MlscaleError:
            if waiting:
                yield self.with_rows(waiting)
            raise
        if waiting:
            yield self.with_rows(waiting)


@frozen
class StatusResult:
    """The tables in kubectl's order, what there is to say about them, and what could not be read."""

    request: StatusRequest
    tables: tuple[KindTable, ...]
    findings: tuple[Finding, ...] = ()
    errors: tuple[MlscaleError, ...] = ()

    @property
    def with_kind(self) -> bool:
        """Whether names are printed as ``TYPE.GROUP/NAME``."""
        return several_kinds(self.tables)

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


def several_kinds(tables: Iterable[KindTable]) -> bool:
    """Whether names need their kind before them: more than one type was asked for and could be read."""
    return len({table.kind for table in tables}) > 1


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


def hpa_key(hpa: Json) -> tuple[str, str]:
    """Namespace and name of an HPA."""
    metadata = hpa.get("metadata") or {}
    return str(metadata.get("namespace") or ""), str(metadata.get("name") or "")


def target_key(hpa: Json) -> tuple[str, str, str, str]:
    """What ``hpa`` scales: namespace, API group, kind and name (the server converts between versions)."""
    reference = (hpa.get("spec") or {}).get("scaleTargetRef") or {}
    group, slash, _ = str(reference.get("apiVersion") or "").partition("/")
    return hpa_key(hpa)[0], group if slash else "", str(reference.get("kind")), str(reference.get("name"))


def scaled_key(target: Target) -> tuple[str, str, str, str]:
    """The ``target_key`` of the HPAs that scale ``target``."""
    return target.namespace, target.kind.group, target.kind.kind, target.name
