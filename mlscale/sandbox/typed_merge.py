"""Merging an applied configuration into an object, and taking fields out of one.

Rules: structured-merge-diff v6 typed/merge.go, typed/remove.go and typed/validate.go (Kubernetes v1.37.2).
"""

from __future__ import annotations

import json
from typing import Any

from mlscale.sandbox.field_sets import MEMBER, Fields, children_of, is_member, node, spoken
from mlscale.sandbox.schema import UNTYPED, Type, child_type
from mlscale.sandbox.strategic import go_text
from mlscale.sandbox.typed_values import is_leaf, item_names

Json = dict[str, Any]
_NUMBERS = ("int32", "int64", "integer", "number", "double")
_ANY_SCALAR = ("Quantity", "IntOrString")


def merge(live: Any, config: Any, type_: Type) -> Any:
    """``live`` with all of ``config`` in it; what only ``live`` has stays.

    A null in ``config`` unsets a value that is one whole, and says nothing of one that has parts.
    """
    if config is None:
        return None if is_leaf(live, type_) else live
    if live is None or type_.atomic or not isinstance(config, type(live)):
        return config
    if isinstance(config, dict):
        return _merge_maps(live, config, type_)
    if isinstance(config, list) and not is_leaf(live or config, type_):
        return _merge_lists(live, config, type_)
    return config


def remove(value: Any, fields: Fields, type_: Type) -> Any:
    """``value`` without the members of ``fields``; None where nothing is left of a map or list."""
    if is_leaf(value, type_):
        return None if isinstance(value, dict | list) and value else value
    if isinstance(value, dict):
        left = {key: _rest(item, fields.get(f"f:{key}"), child_type(type_, key)) for key, item in value.items()}
        return {key: item for key, item in left.items() if item is not _GONE} or None
    element = type_.element or UNTYPED
    names = item_names(value, type_)
    rest = [_rest(item, fields.get(name), element) for name, item in zip(names, value, strict=True)]
    return [item for item in rest if item is not _GONE] or None


def with_named_fields(fields: Fields, type_: Type) -> Fields:
    """``fields`` and the structs on the way to them, so that an emptied struct goes too."""
    result: Fields = {}
    for part, child in children_of(fields):
        named = part[0] == "f"
        inner = (child_type(type_, part[2:]) if named else type_.element) or UNTYPED
        declared = named and type_.shape in ("struct", "untyped")
        result[part] = node(is_member(child) or declared, with_named_fields(child, inner)) or MEMBER
    return result


def violations(value: Any, type_: Type, path: str = "") -> list[str]:
    """Why ``value`` is not of its type, as server-side apply words it."""
    if value is None or type_ is UNTYPED:
        return []
    if type_.shape == "scalar":
        return _scalar_violations(value, type_, path)
    if type_.shape == "list":
        return _list_violations(value, type_, path)
    if not isinstance(value, dict):
        return [f"{path}: expected map, got &{{{go_text(value)}}}"]
    found: list[str] = []
    for key in sorted(value):
        inner = type_.field(key)
        if inner is None:
            # The server looks no further into this object.
            return [*found, f"{path}.{key}: field not declared in schema"]
        found += violations(value[key], inner, f"{path}.{key}")
    return found


_GONE = object()


def _rest(item: Any, fields: Fields | None, type_: Type) -> Any:
    if fields is None:
        return item
    return _GONE if is_member(fields) else remove(item, fields, type_)


def _merge_maps(live: Json, config: Json, type_: Type) -> Json:
    merged = dict(live)
    for key, item in config.items():
        merged[key] = merge(merged[key], item, child_type(type_, key)) if key in merged else item
    return merged


def _merge_lists(live: list[Any], config: list[Any], type_: Type) -> list[Any]:
    """Items of ``live`` that ``config`` does not name keep their place among those that it does."""
    old = dict(zip(item_names(live, type_), live, strict=True))
    new = dict(zip(item_names(config, type_), config, strict=True))
    element = type_.element or UNTYPED
    return [
        merge(old.get(name), new[name], element) if name in new else item
        for name, item in _merged_order(list(zip(item_names(live, type_), live, strict=True)), new)
    ]


def _merged_order(live: list[tuple[str, Any]], new: dict[str, Any]) -> list[tuple[str, Any]]:
    names = {name for name, _ in live}
    waiting = list(new.items())
    result: list[tuple[str, Any]] = []
    place = 0
    while place < len(live) or waiting:
        if place < len(live) and live[place][0] not in new:
            result.append(live[place])
            place += 1
            continue
        shared = next((name for name, _ in waiting if name in names), None)
        if place < len(live) and live[place][0] != shared:
            # Its place is where the configuration puts it.
            place += 1
            continue
        if waiting:
            result.append(waiting.pop(0))
            place += place < len(live) and result[-1][0] == live[place][0]
    return result


def _list_violations(value: Any, type_: Type, path: str) -> list[str]:
    if not isinstance(value, list):
        return [f"{path}: expected list, got &{{{go_text(value)}}}"]
    element = type_.element or UNTYPED
    if type_.atomic:
        return [line for place, item in enumerate(value) for line in violations(item, element, f"{path}[{place}]")]
    if type_.keys:
        for place, item in enumerate(value):
            if not isinstance(item, dict):
                return [f"{path}: element {place}: associative list with keys may not have non-map elements"]
    names = list(item_names(value, type_))
    repeated = dict.fromkeys(name for place, name in enumerate(names) if name in names[:place])
    found = [f"{path}: duplicate entries for key {spoken(name)}" for name in repeated]
    inner = (violations(item, element, path + spoken(name)) for name, item in zip(names, value, strict=True))
    return [*found, *(line for lines in inner for line in lines)]


def _scalar_violations(value: Any, type_: Type, path: str) -> list[str]:
    if type_.name in _ANY_SCALAR:
        return [f"{path}: expected any scalar, got &{{{go_text(value)}}}"] if isinstance(value, dict | list) else []
    if type_.name in _NUMBERS:
        wrong = isinstance(value, bool) or not isinstance(value, int | float)
        return [f"{path}: expected numeric (int or float), got {_go_type(value)}"] if wrong else []
    if type_.name == "boolean":
        return [] if isinstance(value, bool) else [f"{path}: expected boolean, got &{{{go_text(value)}}}"]
    if isinstance(value, str):
        return []
    return [f"{path}: expected string, got &value.valueUnstructured{{Value:{_go_syntax(value)}}}"]


def _go_type(value: Any) -> str:
    names = {str: "string", bool: "bool", list: "[]interface {}"}
    return names.get(type(value), "map[string]interface {}")


def _go_syntax(value: Any) -> str:
    """As Go's ``%#v`` prints it."""
    if isinstance(value, dict):
        items = (f"{json.dumps(key)}:{_go_syntax(value[key])}" for key in sorted(value))
        return f"map[string]interface {{}}{{{', '.join(items)}}}"
    if isinstance(value, list):
        return f"[]interface {{}}{{{', '.join(map(_go_syntax, value))}}}"
    return json.dumps(value)
