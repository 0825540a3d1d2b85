"""The order of a list that a strategic merge patch has merged."""

from __future__ import annotations

from typing import Any


def in_order(merged: list[Any], wanted: list[Any], live: list[Any], merge_key: str) -> list[Any]:
    """The merged items: those of ``wanted`` in its order, the server's own between them as ``live`` had them.

    A server's own item goes before the next item of ``wanted`` that ``live`` has behind it; where one of the two
    is unknown to ``live``, the wanted one goes first (normalizeElementOrder of strategicpatch, v1.37.2).
    """
    places = _places(wanted, merge_key)
    named = sorted((item for item in merged if _name(item, merge_key) in places), key=_by(places, merge_key))
    served = _places(live, merge_key)
    others = sorted((item for item in merged if _name(item, merge_key) not in places), key=_by(served, merge_key))
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


def _by(places: dict[Any, int], merge_key: str) -> Any:
    return lambda item: places.get(_name(item, merge_key), len(places))
