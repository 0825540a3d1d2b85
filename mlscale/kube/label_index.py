"""Many objects by their labels, and many selectors by what they select: each found without a look at all the others."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from mlscale.kube.placement import matches_labels

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Json = dict[str, Any]
Item = TypeVar("Item")
Pair = tuple[str, str]


class LabelIndex(Generic[Item]):
    """Items by their labels, for selectors that want a label to have a value; other selectors are held to each item."""

    def __init__(self, items: Iterable[tuple[Json, Item]]) -> None:
        self._items = list(items)
        self._having: dict[Pair, list[int]] = defaultdict(list)
        for index, (labels, _) in enumerate(self._items):
            for pair in _pairs(labels):
                self._having[pair].append(index)

    def selected(self, selector: Json | None) -> list[Item]:
        """Those whose labels satisfy the LabelSelector, in their order."""
        wanted = _wanted(selector)
        having = min((self._having.get(pair, ()) for pair in wanted), key=len, default=range(len(self._items)))
        candidates: Sequence[int] = having
        return [item for labels, item in map(self._items.__getitem__, candidates) if matches_labels(selector, labels)]


class SelectorIndex(Generic[Item]):
    """Items by the LabelSelector of each, for labels that may satisfy it."""

    def __init__(self, items: Iterable[tuple[Json | None, Item]]) -> None:
        self._items = list(items)
        self._wanting: dict[Pair | None, list[int]] = defaultdict(list)
        for index, (selector, _) in enumerate(self._items):
            self._wanting[next(iter(_wanted(selector)), None)].append(index)

    def selecting(self, labels: Json) -> list[Item]:
        """Those whose selectors ``labels`` satisfy, in their order."""
        keys: list[Pair | None] = [None, *_pairs(labels)]
        candidates = sorted(index for key in keys for index in self._wanting.get(key, ()))
        return [item for selector, item in map(self._items.__getitem__, candidates) if matches_labels(selector, labels)]


def _wanted(selector: Json | None) -> list[Pair]:
    """Labels that every object of ``selector`` has."""
    return _pairs((selector or {}).get("matchLabels") or {})


def _pairs(labels: Json) -> list[Pair]:
    """What is no text, which no label is, stays out: it need not be hashable."""
    return [(key, value) for key, value in labels.items() if isinstance(value, str)]
