"""Which fields differ between two states of an object.

Rules: structured-merge-diff v6 typed/compare.go and typed/tofieldset.go (Kubernetes v1.37.2).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlscale.sandbox.field_sets import MEMBER, Fields, node, without_subtrees
from mlscale.sandbox.typed_values import DUPLICATES, is_leaf, parts

if TYPE_CHECKING:
    from mlscale.sandbox.schema import Type


@dataclass(frozen=True, slots=True)
class Comparison:
    """Three sets of fields."""

    added: Fields
    modified: Fields
    removed: Fields

    @property
    def is_same(self) -> bool:
        """Whether nothing differs."""
        return not (self.added or self.modified or self.removed)

    def without(self, ignored: Fields) -> Comparison:
        """As if the ignored fields, and all that lies under them, were equal."""
        sets = (without_subtrees(fields, ignored) for fields in (self.added, self.modified, self.removed))
        return Comparison(*sets)


class _Differences:
    """The trees of the three sets under one node, None for nothing."""

    __slots__ = ("added", "modified", "removed")

    def __init__(self) -> None:
        self.added: Fields = {}
        self.modified: Fields = {}
        self.removed: Fields = {}


def compare(before: Any, after: Any, type_: Type) -> Comparison:
    """What ``after`` has added, modified and removed. Objects of one type."""
    found = _Differences()
    if before != after:
        _compare_parts(before, after, type_, found)
    return Comparison(found.added, found.modified, found.removed)


def field_set(value: Any, type_: Type) -> Fields:
    """The fields that an applied configuration owns: leaves, entries of maps, items of lists."""
    fields: Fields = {}
    for name, item, item_type in parts(value, type_):
        if name[0] == "f" and item == [] and not item_type.atomic:
            # An empty list of items that merge says nothing.
            continue
        if is_leaf(item, item_type):
            fields[name] = MEMBER
        else:
            member = name[0] != "f" or type_.shape == "map"
            children = node(member, field_set(item, item_type))
            fields |= {} if children is None else {name: children}
    return fields


def every_field(value: Any, type_: Type) -> Fields:
    """All the fields of a value that comes or goes as a whole, structs among them."""
    fields: Fields = {}
    for name, item, item_type in parts(value, type_):
        children = {} if is_leaf(item, item_type) else every_field(item, item_type)
        fields[name] = node(True, children)
    return fields


def _compare_parts(before: Any, after: Any, type_: Type, found: _Differences) -> None:
    old = {name: (item, item_type) for name, item, item_type in parts(before, type_)}
    for name, item, item_type in parts(after, type_):
        if name not in old:
            found.added[name] = _whole(item, item_type)
            continue
        previous, previous_type = old.pop(name)
        if DUPLICATES in (item_type, previous_type):
            _compare_duplicates(name, (previous, previous_type), (item, item_type), found)
        elif previous != item:
            _compare_values(name, previous, item, item_type, found)
    for name, (item, item_type) in old.items():
        found.removed[name] = _whole(item, item_type)


def _whole(item: Any, type_: Type) -> Fields:
    return MEMBER if is_leaf(item, type_) else node(True, every_field(item, type_)) or MEMBER


def _compare_values(name: str, before: Any, after: Any, type_: Type, found: _Differences) -> None:
    leaves = is_leaf(before, type_), is_leaf(after, type_)
    granular = not type_.atomic and (isinstance(before, dict | list) or isinstance(after, dict | list))
    if all(leaves) or not granular:
        found.modified[name] = MEMBER
        return
    inner = _Differences()
    _compare_parts(before or type(after)(), after or type(before)(), type_, inner)
    for mine, theirs in ((found.added, inner.added), (found.modified, inner.modified), (found.removed, inner.removed)):
        if theirs:
            mine[name] = theirs


def _compare_duplicates(name: str, before: tuple[Any, Type], after: tuple[Any, Type], found: _Differences) -> None:
    if before[1] is after[1] is DUPLICATES:
        if before[0] != after[0]:
            found.modified[name] = MEMBER
        return
    found.removed[name] = _whole(*before)
    found.added[name] = _whole(*after)
