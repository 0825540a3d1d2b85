"""Values seen through their types: what the parts of one are called, and whether it is one whole."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from mlscale.sandbox.schema import UNTYPED, Type, child_type

if TYPE_CHECKING:
    from collections.abc import Iterator

Part = tuple[str, Any, Type]
"""The name of a part as in fieldsV1 (``f:spec``, ``k:{"name":"a"}``, ``v:"x"``), its value, its type."""

DUPLICATES = Type("list", atomic=True, element=UNTYPED)
"""The type of all the items of a list that share one key, taken together."""

_ZERO = {"int32": 0, "int64": 0, "integer": 0}


def is_leaf(value: Any, type_: Type) -> bool:
    """Whether ``value`` is owned as a whole: a scalar, something atomic, or empty."""
    if type_.atomic or not isinstance(value, dict | list) or not value:
        return True
    # Lists of unknown type are atomic, objects of unknown type are not.
    return isinstance(value, list) and (type_.shape != "list" or not (type_.keys or type_.element))


def parts(value: Any, type_: Type) -> list[Part]:
    """What ``value`` consists of, one part for each key or item; items that share a key as one list."""
    if isinstance(value, dict):
        return [(f"f:{key}", item, child_type(type_, key)) for key, item in value.items()]
    found: dict[str, list[Any]] = {}
    for name, item in zip(item_names(value, type_), value, strict=True):
        found.setdefault(name, []).append(item)
    element = type_.element or UNTYPED
    return [
        (name, items[0], element) if len(items) == 1 else (name, items, DUPLICATES) for name, items in found.items()
    ]


def item_names(items: list[Any], type_: Type) -> Iterator[str]:
    """The name of each item of a list that is a set or merges by keys."""
    for item in items:
        if not type_.keys:
            yield f"v:{_compact(item)}"
        else:
            yield f"k:{_compact({key: _key_value(item, key, type_.element or UNTYPED) for key in sorted(type_.keys)})}"


def _key_value(item: Any, key: str, element: Type) -> Any:
    """A key that is left out counts as its default, or as Go's zero value."""
    if isinstance(item, dict) and item.get(key) is not None:
        return item[key]
    field = child_type(element, key)
    return field.default or _ZERO.get(field.name, "")


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
