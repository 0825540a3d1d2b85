"""The order of a list that a strategic merge patch has merged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable


def in_order(merged: list[Any], wanted: list[Any], live: list[Any], merge_key: str) -> list[Any]:
    """The merged items: those of ``wanted`` in its order, the server's own between them as ``live`` had them.

    A server's own item goes before the next item of ``wanted`` that ``live`` has behind it; where one of the two
    is unknown to ``live``, the wanted one goes first (normalizeElementOrder of strategicpatch, v1.37.2).
    """
    places = _places(wanted, merge_key)
    named = _sorted((item for item in merged if _name(item, merge_key) in places), places, merge_key)
    served = _places(live, merge_key)
    others = _sorted((item for item in merged if _name(item, merge_key) not in places), served, merge_key)
    return _interleaved(others, named, served, merge_key)


def _interleaved(others: list[Any], named: list[Any], served: dict[Any, int], merge_key: str) -> list[Any]:
    result: list[Any] = []
    rest = iter(named)
    coming = next(rest, None)
    for item in others:
        while coming is not None and not _before(item, coming, served, merge_key):
            result.append(coming)
            coming = next(rest, None)
        result.append(item)
    return result if coming is None else [*result, coming, *rest]


def _before(item: Any, coming: Any, served: dict[Any, int], merge_key: str) -> bool:
    own, other = served.get(_name(item, merge_key)), served.get(_name(coming, merge_key))
    return own is not None and other is not None and own < other


def _name(item: Any, merge_key: str) -> Any:
    return item.get(merge_key) if merge_key else item


def _places(items: list[Any], merge_key: str) -> dict[Any, int]:
    places: dict[Any, int] = {}
    for place, item in enumerate(items):
        places.setdefault(_name(item, merge_key), place)
    return places


def _sorted(items: Iterable[Any], places: dict[Any, int], merge_key: str) -> list[Any]:
    """By place; an item without one counts as before any other, whichever is asked about.

    So of [a, b, new] upstream's insertion sort makes [new, a, b], and of two new ones it turns the order round.
    """
    result: list[Any] = []
    for item in items:
        own, at = places.get(_name(item, merge_key)), len(result)
        while at and _goes_before(own, places.get(_name(result[at - 1], merge_key))):
            at -= 1
        result.insert(at, item)
    return result


def _goes_before(own: int | None, other: int | None) -> bool:
    return own is None or other is None or own < other
