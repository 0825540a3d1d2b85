"""``status`` as a whole: read the tables, read what explains them, explain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlscale.errors import MlscaleError
from mlscale.status.evidence import read_evidence
from mlscale.status.model import StatusResult, several_kinds
from mlscale.status.tables import read_tables, unknown_namespace
from mlscale.status.troubled import LOOKED_AT, TroubledPods

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from mlscale.kube.client import Client
    from mlscale.kube.finding import Finding
    from mlscale.status.model import KindTable, StatusRequest


class StatusReading:
    """A status on its way: its tables first, a long one piece by piece as it is read, then what explains them.

    Making one reads the first pages. Raises UsageError for a request that makes no sense.
    """

    def __init__(self, client: Client, request: StatusRequest) -> None:
        self._client = client
        self._request = request
        self._read = read_tables(client, request)
        self._troubled = TroubledPods(None if request.objects else LOOKED_AT)
        self._errors = list(self._read.errors)

    @property
    def with_kind(self) -> bool:
        """Whether names are printed as ``TYPE.GROUP/NAME``."""
        return several_kinds(self._read.tables)

    def tables(self) -> Iterator[KindTable]:
        """The tables in kubectl's order, that of pods in pieces; to be taken once, before the result.

        Where a later page cannot be read its table ends there, and the error is among the result's.
        """
        for table in self._read.tables:
            if table.section != "pods":
                yield table
                continue
            try:
                for piece in table.pieces():
                    self._troubled.note(piece)
                    yield piece
            except MlscaleError as error:
                self._errors.append(error)

    def result(self) -> StatusResult:
        """What there is to say; of a long table the result has the first page."""
        request, read = self._request, self._read
        errors = [*{str(error): error for error in self._errors}.values()]
        errors += unknown_namespace(self._client, request, read)
        return StatusResult(request, read.tables, tuple(self._findings()), tuple(errors))

    def _findings(self) -> list[Finding]:
        if not (self._read.workloads or self._read.hpas or self._troubled.counts):
            return []
        # Most runs on pods alone end before this; it takes as long to import as all else of this package.
        from mlscale.status.explain import explain

        now = self._client.now()
        evidence = read_evidence(self._client, self._request, self._read, self._troubled, now)
        return explain(self._request, self._read, self._troubled, evidence, now)


def read_status(client: Client, request: StatusRequest) -> StatusResult:
    """The tables, findings and errors of ``request``, with all rows in memory.

    Raises UsageError for a request that makes no sense. What cannot be read is among the result's errors, and the
    rest is there all the same, as with ``kubectl get``.
    """
    reading = StatusReading(client, request)
    pieces = list(reading.tables())
    result = reading.result()
    return StatusResult(request, tuple(_joined(result.tables, pieces)), result.findings, result.errors)


def _joined(tables: Iterable[KindTable], pieces: Sequence[KindTable]) -> Iterator[KindTable]:
    for table in tables:
        yield table.with_rows(row for piece in pieces if piece.kind == table.kind for row in piece.rows)
