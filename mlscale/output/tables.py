"""The server's Tables as text, padded to the column as ``kubectl get`` does.

The rules are those of kubectl v1.37.2: cli-runtime ``pkg/printers/tableprinter.go`` and ``tabwriter.go``,
``pkg/cmd/get/get.go``. kubectl asks for pages of 500 rows; a page widens columns for itself and what follows.
"""

from __future__ import annotations

import json
from itertools import chain, islice, repeat, zip_longest
from typing import TYPE_CHECKING, Any

from mlscale.kube.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

Json = dict[str, Any]

MIN_WIDTH = 6
PADDING = 3
PAGE_ROWS = 500


class TablePrinter:
    """Prints the Tables of one kind; headers once, column widths kept from one Table to the next.

    ``prefix`` (``deployment.apps``) goes before each name where several kinds are printed; ``namespaced``
    adds the NAMESPACE column and needs rows that carry ``object.metadata``.
    """

    def __init__(self, *, prefix: str = "", wide: bool = False, namespaced: bool = False, headers: bool = True) -> None:
        self._prefix = prefix
        self._wide = wide
        self._namespaced = namespaced
        self._headers_due = headers
        self._columns: list[Json] = []
        self._visible: list[int] = []
        self._name: int | None = None
        self._widths: list[int] = []

    def lines(self, table: Json) -> Iterator[str]:
        """The lines of ``table``, without line ends; a Table without rows gives none."""
        return chain.from_iterable(self.pages(table))

    def pages(self, table: Json) -> Iterator[list[str]]:
        """The lines of ``table``, 500 rows at a time.

        A watch sends the column definitions in its first event only: the last ones seen are used again.
        """
        self._take_columns(table.get("columnDefinitions") or self._columns)
        rows = iter(table.get("rows") or ())
        while page := [self._cells(row) for row in islice(rows, PAGE_ROWS)]:
            yield self._page_lines(page)

    def _page_lines(self, page: list[list[str]]) -> list[str]:
        header = self._header() if self._headers_due else None
        self._headers_due = False
        shown = [row if "".join(row).isprintable() else list(map(cell_text, row)) for row in page]
        self._widen(_page_widths(header or page[0], page, shown))
        return list(map(self._line, shown if header is None else [header, *shown]))

    def _take_columns(self, columns: list[Json]) -> None:
        self._columns = columns
        self._visible = [i for i, column in enumerate(columns) if self._wide or not column.get("priority")]
        self._name = name_column(columns) if self._prefix else None

    def _header(self) -> list[str]:
        names = [cell_text(str(self._columns[i].get("name", ""))).upper() for i in self._visible]
        return ["NAMESPACE", *names] if self._namespaced else names

    def _cells(self, row: Json) -> list[str]:
        cells = [cell if isinstance(cell, str) else _raw_text(cell) for cell in row.get("cells") or ()]
        if self._name is not None and self._name < len(cells):
            cells[self._name] = f"{self._prefix}/{cells[self._name]}"
        shown = [cells[i] for i in self._visible if i < len(cells)]
        return [row_namespace(row), *shown] if self._namespaced else shown

    def _widen(self, widths: Sequence[int]) -> None:
        known = self._widths + [0] * (len(widths) - len(self._widths))
        grown = [max(width, new) for width, new in zip(known, widths, strict=False)]
        self._widths = grown + known[len(grown) :]

    def _line(self, cells: Sequence[str]) -> str:
        return "".join((*map(str.ljust, cells[:-1], self._widths), *cells[-1:]))


def render_tables(
    tables: Iterable[tuple[str, Json]],
    *,
    with_kind: bool,
    wide: bool = False,
    namespaced: bool = False,
    headers: bool = True,
) -> Iterator[str]:
    """The text of one table a kind, an empty line between two, a piece of 500 rows at a time.

    ``tables`` has (``deployment.apps``, Table); Tables of the same kind in a row are pieces of one.
    """
    printer, current = TablePrinter(), ""
    apart, written = "", False
    for printed, table in tables:
        if printed != current:
            prefix, current = printed if with_kind else "", printed
            printer = TablePrinter(prefix=prefix, wide=wide, namespaced=namespaced, headers=headers)
            apart = "\n" if written and headers else ""
        for lines in printer.pages(table):
            yield apart + "\n".join(lines) + "\n"
            apart, written = "", True


def render_watch(
    events: Iterable[tuple[str, Json]], *, with_kind: bool, wide: bool = False, namespaced: bool = False
) -> Iterator[str]:
    """The lines of ``kubectl get -w``: a kind's first rows with headers, then a line for each row that changes."""
    printers: dict[str, TablePrinter] = {}
    begun: set[str] = set()
    for printed, table in events:
        prefix = printed if with_kind else ""
        printer = printers.setdefault(printed, TablePrinter(prefix=prefix, wide=wide, namespaced=namespaced))
        for line in printer.lines(table):
            if begun and printed not in begun:
                yield ""
            begun.add(printed)
            yield line


def render_names(printed: str, table: Json) -> Iterator[str]:
    """``-o name``: ``deployment.apps/web``, one line a row."""
    column = name_column(table.get("columnDefinitions") or []) or 0
    for row in table.get("rows") or ():
        yield f"{printed}/{cell_text(str((row.get('cells') or [''])[column]))}"


def no_resources_message(namespace: str | None) -> str:
    """What kubectl says on stderr where no table has a row; ``None`` stands for all namespaces."""
    return "No resources found" + (f" in {namespace} namespace." if namespace is not None else "")


def name_column(columns: Sequence[Json]) -> int | None:
    """The column with the object's name: the first whose format is ``name``."""
    wanted = ("name", "string")
    return next((i for i, c in enumerate(columns) if (c.get("format"), c.get("type")) == wanted), None)


def row_namespace(row: Json) -> str:
    """The namespace of a row's object; empty where the Table was asked for without objects."""
    metadata = (row.get("object") or {}).get("metadata") or {}
    return str(metadata.get("namespace") or "")


def cell_text(text: str) -> str:
    r"""``text`` safe for a terminal: cut at the first line break with ``...``, escapes written as ``^[``."""
    if text.isprintable():
        return text
    cut = min((at for at in map(text.find, "\f\n\r") if at >= 0), default=-1)
    kept = text if cut < 0 else text[:cut] + "..."
    # A tab would be a column of its own: kubectl lets it through, and the table breaks.
    return printable(kept.replace("\x1b", "^[").replace("\t", "\\t"))


def _raw_text(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, float):
        return _go_float(cell)
    return str(cell) if type(cell) is int else json.dumps(cell)


def _go_float(number: float) -> str:
    """A float as Go's ``fmt.Sprint`` writes it: the fewest digits that read back, 1e+06 from a million on."""
    if number == 0 or 1e-4 <= abs(number) < 1e6:
        return repr(number).removesuffix(".0")
    return next(text for text in (f"{number:.{digits}e}" for digits in range(18)) if float(text) == number)


def _page_widths(primer: Sequence[str], raw: list[list[str]], shown: list[list[str]]) -> list[int]:
    """Widths of all columns but the last.

    kubectl first pads the header (or, without headers, the first row) to the longest raw cell in **bytes**,
    then its tabwriter counts **runes**: beside 12 bytes of "über-straße" a header counts as 12, not as 11.
    """
    last = max(len(primer), *map(len, raw)) - 1
    longest = zip_longest(*raw, fillvalue="")
    # The last cell of a row ends no column (no tab follows it), so it never widens one.
    ended = zip_longest(*(row[:-1] for row in shown), fillvalue="")
    heads = chain(primer, repeat(""))
    return [
        _column_width(*column) for column in islice(zip(heads, longest, chain(ended, repeat(())), strict=False), last)
    ]


def _column_width(head: str, raw: Iterable[str], shown: Iterable[str]) -> int:
    primed = len(head) + max(0, max(map(_bytes, raw)) - _bytes(head))
    return max(MIN_WIDTH, PADDING + max(primed, max(map(len, shown), default=0)))


def _bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
