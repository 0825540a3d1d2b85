"""Long lists: which pages are asked for, and what comes of one that expired."""

from __future__ import annotations

import tracemalloc
from functools import partial
from itertools import chain, islice
from typing import Any

import pytest

from mlscale.errors import MlscaleError
from mlscale.kube.api_errors import ApiError, api_error
from mlscale.kube.kinds import HPA, POD
from mlscale.status.model import PIECE, KindTable, row_key
from mlscale.status.pages import NAMESPACE_PAGE, NAMESPACES_AT_ONCE, Listing, read_listings
from tests.unit.status.server import Answer, Query, Server, forbidden, gone, table

Json = dict[str, Any]
PODS, EVERYWHERE, NAMESPACES = POD.path("ml"), "/api/v1/pods", "/api/v1/namespaces"
HPAS = HPA.path("ml")
READERS: list[tuple[str, Listing]] = [
    (PODS, Listing("pods", POD, "ml", "None")),
    (HPAS, Listing("hpa", HPA, "ml", "None")),
]


def read(server: Server, listing: Listing = READERS[0][1]) -> KindTable:
    [outcome] = read_listings(server, [listing])
    if isinstance(outcome, MlscaleError):
        raise outcome
    return outcome


def names(read: KindTable) -> list[str]:
    return list(read.whole().cells("Name"))


def broken() -> MlscaleError:
    return api_error(500, {"kind": "Status", "message": "broken"}, request="", credentials="")


def pages(path: str, *refusals: MlscaleError, token: str = "") -> Server:
    """Rows a and b on one page, c on the second, d on the third; ``refusals`` come before the second page.

    ``token`` leads to the second page as things are by then: x has come, c has gone.
    """
    left = list(refusals)

    def answer(query: Query) -> Json:
        asked = query.get("continue", "")
        if asked == "2" and left:
            raise left.pop(0)
        if token and asked == token:
            return table("Name", ("d", None), ("x", None))
        if "limit" not in query:
            return table("Name", *[(name, None) for name in "bcdx"])
        return {
            "": table("Name", ("a", None), ("b", None), token="2"),
            "2": table("Name", ("c", None), token="3"),
            "3": table("Name", ("d", None)),
        }[asked]

    return Server({path: answer})


@pytest.mark.parametrize(("path", "listing"), READERS, ids=["pods", "others"])
def test_a_list_is_read_page_by_page(path: str, listing: Listing) -> None:
    server = pages(path)
    assert names(read(server, listing)) == ["a", "b", "c", "d"]
    assert [query.get("continue") for _, query in server.asked] == [None, "2", "3"]


@pytest.mark.parametrize(("path", "listing"), READERS, ids=["pods", "others"])
def test_an_expired_page_goes_on_behind_the_last_row(path: str, listing: Listing) -> None:
    """The server gives a token for it with the 410; rows that were printed must not come again."""
    server = pages(path, gone("now"), token="now")
    assert names(read(server, listing)) == ["a", "b", "d", "x"]
    assert [query.get("continue") for _, query in server.asked] == [None, "2", "now"]


@pytest.mark.parametrize(("path", "listing"), READERS, ids=["pods", "others"])
def test_without_that_token_the_list_is_read_again_without_pages(path: str, listing: Listing) -> None:
    """With pages, a list that takes longer than the server keeps its state would never end. Of b, c, d and x, b was
    the last row read."""
    server = pages(path, gone())
    assert names(read(server, listing)) == ["a", "b", "c", "d", "x"]
    assert "limit" not in server.asked[-1][1]


def test_rows_before_a_page_that_fails_have_been_given() -> None:
    rows = chain.from_iterable(piece.rows for piece in read(pages(PODS, broken())).pieces())
    assert [row["cells"] for row in islice(rows, 2)] == [["a"], ["b"]]
    with pytest.raises(ApiError, match="broken"):
        next(rows)


def test_the_first_page_is_one_request_until_the_rest_is_taken() -> None:
    server = pages(PODS)
    read(server)
    assert len(server.asked) == 1


def test_a_table_comes_in_kubectls_pages_whatever_the_servers() -> None:
    """kubectl computes its widths anew each 500 rows, so the bytes depend on where these begin."""
    sizes = iter([300, 300, 401])

    def answer(query: Query) -> Json:
        start = int(query.get("continue", 0))
        size = next(sizes)
        rows = [(f"p{n:04}", None) for n in range(start, start + size)]
        return table("Name", *rows, token="" if size == 401 else str(start + size))

    pieces = list(read(Server({PODS: answer})).pieces())
    assert [len(piece.rows) for piece in pieces] == [PIECE, PIECE, 1]
    assert [row_key(row)[1] for piece in pieces for row in piece.rows] == [f"p{n:04}" for n in range(1001)]


def test_no_pieces_of_nothing() -> None:
    assert list(KindTable("pods", POD, table("Name")).pieces()) == []


SPREAD = {"a-b": 40, "a": 500, "empty": 0, "ml": 1500, "ml-2": 3, "zoo": 700}
"""Pods by namespace; in the order of etcd's keys a-b/ comes before a/, and ml-2/ before ml/."""
ORDER = ["a-b", "a", "empty", "ml-2", "ml", "zoo"]


def cluster(spread: dict[str, int] = SPREAD, more: dict[str, Answer] | None = None) -> Server:
    """A server with so many pods a namespace, which pages as the API server does."""
    keys = sorted(f"{namespace}/p{n:04}" for namespace, count in spread.items() for n in range(count))

    def listed(query: Query, namespace: str | None) -> Json:
        own = [key for key in keys if namespace in (None, key.partition("/")[0])]
        start = int(query.get("continue", 0))
        some = own[start : start + int(query["limit"])]
        left = len(own) - start - len(some)
        rows = [tuple(key.split("/")) for key in some]
        objects = [
            (name, {"metadata": {"namespace": space, "name": name}} if namespace is None else None)
            for space, name in rows
        ]
        counted: Json = {"remainingItemCount": left} if left and "labelSelector" not in query else {}
        return table("Name", *objects, token=str(start + len(some)) if left else "", **counted)

    answers: dict[str, Answer] = {POD.path(name): partial(listed, namespace=name) for name in spread}
    answers[EVERYWHERE] = partial(listed, namespace=None)
    answers[NAMESPACES] = table("Name", *[(name, None) for name in spread])
    return Server({**answers, **(more or {})})


def everywhere(server: Server, **query: str) -> list[tuple[str, str]]:
    return [row_key(row) for row in read(server, Listing("pods", POD, None, "Metadata", query)).whole().rows]


def expected(spread: dict[str, int]) -> list[tuple[str, str]]:
    return [(name, f"p{n:04}") for name in ORDER if name in spread for n in range(spread[name])]


def test_all_namespaces_of_a_small_cluster_are_one_request() -> None:
    server = cluster({"a": 40, "ml": 60})
    assert everywhere(server) == expected({"a": 40, "ml": 60})
    assert server.asked == [(EVERYWHERE, {"includeObject": "Metadata", "limit": "500"})]


def test_many_rows_in_few_namespaces_are_read_by_namespace_without_metadata() -> None:
    server = cluster()
    assert everywhere(server) == expected(SPREAD)
    assert server.paths()[:2] == [EVERYWHERE, NAMESPACES]
    # The first page ended within a: a-b was done, and a is read again for what is behind.
    assert sorted(set(server.paths()[2:])) == sorted(POD.path(name) for name in SPREAD if name != "a-b")
    assert {query["includeObject"] for _, query in server.asked[1:]} == {"None"}


def test_no_more_namespaces_side_by_side_than_fit_in_memory() -> None:
    """The pages that wait are bounded: eight of 1,000 rows."""
    server = cluster({f"n{n:02}": 400 for n in range(12)})
    rest = read(server, Listing("pods", POD, None, "Metadata")).rest
    assert rest is not None
    next(rest)
    assert len(server.asked) == 2 + NAMESPACES_AT_ONCE
    assert server.asked[-1][1]["limit"] == str(NAMESPACE_PAGE)


FEW_PER_NAMESPACE = {f"n{n:03}": 12 for n in range(100)}


def test_few_rows_in_many_namespaces_are_read_in_pages_with_metadata() -> None:
    """100 requests would take longer than the metadata of 700 rows."""
    server = cluster(FEW_PER_NAMESPACE)
    assert len(everywhere(server)) == 1200
    assert server.paths() == [EVERYWHERE, NAMESPACES, EVERYWHERE, EVERYWHERE]


def test_with_a_selector_the_server_does_not_count_and_pages_are_read() -> None:
    server = cluster()
    assert everywhere(server, labelSelector="app=web") == expected(SPREAD)
    assert set(server.paths()) == {EVERYWHERE}


def test_who_may_not_list_namespaces_reads_pages_with_metadata() -> None:
    server = cluster(more={NAMESPACES: forbidden()})
    assert everywhere(server) == expected(SPREAD)
    assert set(server.paths()) == {EVERYWHERE, NAMESPACES}


def test_tables_are_read_in_one_round_and_one_that_fails_leaves_the_others() -> None:
    server = Server({PODS: table("Name", ("a", None)), HPAS: forbidden()})
    pods, hpas = read_listings(server, [listing for _, listing in READERS])
    assert isinstance(pods, KindTable)
    assert isinstance(hpas, MlscaleError)
    assert len(server.connections) == 1


def test_a_namespace_that_fails_is_an_error_and_not_a_gap() -> None:
    with pytest.raises(ApiError, match="forbidden"):
        everywhere(cluster(more={POD.path("ml"): forbidden()}))


def test_twenty_thousand_rows_are_not_held() -> None:
    """At once they would be 20 MB: 4 pages of 5,000 rows, 1 kB each."""

    def answer(query: Query) -> Json:
        start = int(query.get("continue", 0))
        rows = [(f"web-{n:05} 1/1 Running 0 5m 10.0.0.1 node-1", None) for n in range(start, start + 2500)]
        return table("Name Ready Status Restarts Age IP Node", *rows, token=str(start + 2500) if start < 17_500 else "")

    listed = read(Server({PODS: answer}))
    tracemalloc.start()
    count = sum(len(piece.rows) for piece in listed.pieces())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 20_000
    assert peak < 8_000_000
