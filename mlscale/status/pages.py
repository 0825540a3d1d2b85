"""Long lists page by page, so that memory does not grow with the number of rows."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

from mlscale.errors import MlscaleError
from mlscale.frozen import field, frozen
from mlscale.kube.api_errors import ApiError
from mlscale.kube.asks import ask_table
from mlscale.kube.kinds import NAMESPACE, POD
from mlscale.status.model import KindTable, row_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mlscale.kube.asks import Ask
    from mlscale.kube.client import Client
    from mlscale.kube.kinds import Kind
    from mlscale.status.model import Section

Json = dict[str, Any]
Rows = list[Json]

PAGE = 5000
"""Rows a request without objects: 5,000 pods are 0.65 MB and take the server 15 ms."""
FULL_PAGE = 500
"""Rows a request with metadata (1.7 kB a pod) or objects (3.4 kB): kubectl's own page."""
NAMESPACE_PAGE = 1000
NAMESPACES_AT_ONCE = 8
"""First pages of namespaces read in one round: so many wait in memory at most."""
ROWS_PER_REQUEST = 50
"""One more request costs client and server about as much as the metadata of so many rows (3 ms, 60 µs each)."""
GONE = 410


@frozen
class Listing:
    """A list to read as a Table; ``include`` is what its rows carry: None, Metadata or Object."""

    section: Section
    kind: Kind
    namespace: str | None
    include: str
    query: Mapping[str, str] = field(default_factory=dict)
    limit: int = 0
    """Rows a page; 0 for what ``include`` makes of it."""

    def page(self, token: str = "") -> Ask:
        """The request for the first page, or for that of a continue token."""
        limit = self.limit or (PAGE if self.include == "None" else FULL_PAGE)
        more = {"continue": token} if token else {}
        return self._ask(limit=str(limit), **self.query, **more)

    def whole(self) -> Ask:
        """The request for all rows at once."""
        return self._ask(**self.query)

    def _ask(self, **query: str) -> Ask:
        return ask_table(self.kind.path(self.namespace), self.include, **query)


def read_listings(client: Client, listings: Sequence[Listing]) -> list[KindTable | MlscaleError]:
    """The Table of each, the first pages read in one round; the error of one that cannot be read stands for it.

    Pods can be many: further pages of theirs are read as they are taken. Other Tables are whole.
    """
    firsts = client.in_one_round([listing.page() for listing in listings])
    return [first_page(client, listing, first) for listing, first in zip(listings, firsts, strict=True)]


def first_page(client: Client, listing: Listing, first: Json | MlscaleError) -> KindTable | MlscaleError:
    """The Table that begins with ``first``, the answer to ``listing.page()``; an error stays one."""
    if isinstance(first, MlscaleError):
        return first
    everywhere = listing.kind == POD and listing.namespace is None and listing.include == "Metadata"
    rest = _rest_everywhere(client, listing, first) if everywhere else _rest(client, listing, first)
    table = KindTable(listing.section, listing.kind, first, rest)
    try:
        return table if listing.section == "pods" else table.whole()
    except MlscaleError as error:
        return error


def _rest(client: Client, listing: Listing, first: Json) -> Iterator[Rows]:
    """The rows of the pages after ``first``.

    Where a token has expired (410) the list goes on behind the last row as things are by then: no row comes twice,
    and none is left out that was there all the time.
    """
    page, last = first, ""
    while token := (page.get("metadata") or {}).get("continue"):
        last = _place(_rows(page)[-1]) if _rows(page) else last
        try:
            page = client.ask(listing.page(token))
        except ApiError as error:
            if error.status.code != GONE:
                raise
            page = _behind(client, listing, last, error.status.continue_token)
        yield _rows(page)


def _behind(client: Client, listing: Listing, last: str, token: str) -> Json:
    """The rows behind ``last``, by the token that came with the 410 (metav1.ListMeta, "continue")."""
    if token:
        return client.ask(listing.page(token))
    # Without pages: a list that takes longer than the server keeps its state would never end.
    whole = client.ask(listing.whole())
    return {**whole, "rows": [row for row in _rows(whole) if _place(row) > last]}


def _rest_everywhere(client: Client, listing: Listing, first: Json) -> Iterator[Rows]:
    """The rows behind ``first``, the page of a list of all namespaces that has metadata.

    With metadata a row is 13 times the bytes of its cells. So what is behind that page is read without, a namespace
    at a time, if that is few requests for many rows; such a row's ``object.metadata`` is its namespace. Each namespace
    is then as it was at one moment, though not all at the same one.
    """
    metadata = first.get("metadata") or {}
    if not metadata.get("continue"):
        return
    last = row_key(_rows(first)[-1])
    namespaces = _namespaces_from(client, last[0], int(metadata.get("remainingItemCount") or 0))
    if not namespaces:
        yield from _rest(client, listing, first)
        return
    # The page ended within the first of them, whose rows up to there are known.
    for rows in _by_namespace(client, namespaces, listing):
        yield [row for row in rows if _place(row) > "/".join(last)]


def _namespaces_from(client: Client, first: str, remaining: int) -> list[str]:
    """``first`` and the namespaces behind it, in the order of a list of all namespaces.

    None of them where that would be many requests for few rows (the server does not count those ``remaining`` of a
    list with a selector), or where the user may not list namespaces.
    """
    if remaining < ROWS_PER_REQUEST:
        return []
    try:
        listed = client.table(NAMESPACE.path(None))
    except MlscaleError:
        return []
    # In the order of etcd's keys (namespace/name) web-2 comes before web.
    keys = sorted(f"{row['cells'][0]}/" for row in _rows(listed))
    found = [first, *(key[:-1] for key in keys if key > f"{first}/")]
    return found if len(found) * ROWS_PER_REQUEST <= remaining else []


def _by_namespace(client: Client, namespaces: Sequence[str], listing: Listing) -> Iterator[Rows]:
    for start in range(0, len(namespaces), NAMESPACES_AT_ONCE):
        some = [
            Listing("pods", POD, namespace, "None", listing.query, NAMESPACE_PAGE)
            for namespace in namespaces[start : start + NAMESPACES_AT_ONCE]
        ]
        for one, table in zip(some, read_listings(client, some), strict=True):
            if isinstance(table, MlscaleError):
                raise table
            known = {"metadata": {"namespace": one.namespace}}
            for rows in chain([table.rows], table.rest or ()):
                yield [{**row, "object": known} for row in rows]


def _rows(table: Json) -> Rows:
    return table.get("rows") or []


def _place(row: Json) -> str:
    """Where a row stands in its list: the key of its object but for the resource (``namespace/name``)."""
    return "/".join(row_key(row))
