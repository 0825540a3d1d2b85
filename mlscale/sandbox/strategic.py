"""Strategic merge patch: a patch that merges lists by the key of their items.

Rules and refusals: apimachinery pkg/util/strategicpatch/patch.go (v1.37.2). The directives are ``$patch`` (replace,
delete), ``$retainKeys``, ``$setElementOrder/FIELD`` and ``$deleteFromPrimitiveList/FIELD``.
"""

from __future__ import annotations

from typing import Any

from mlscale.sandbox.list_order import in_order
from mlscale.sandbox.schema import CUSTOM, UNTYPED, Type, child_type, type_of
from mlscale.sandbox.statuses import StatusError, bad_request, internal_error

Json = dict[str, Any]

PATCH = "$patch"
RETAIN_KEYS = "$retainKeys"
ORDER = "$setElementOrder/"
DELETE_ITEMS = "$deleteFromPrimitiveList/"


def strategic_merge_patch(obj: Json, patch: object) -> Json:
    """``obj`` with ``patch`` merged in by the schema of its kind; a null patch changes nothing.

    Raises StatusError 415 for a kind without schema, 400 where the patch is no object or its ``$retainKeys`` do
    not cover it, 500 with upstream's words for every other directive that cannot be followed.
    """
    schema = type_of(obj)
    if schema is CUSTOM:
        raise StatusError(415, "UnsupportedMediaType", _UNSUPPORTED)
    if patch is None:
        return obj
    if not isinstance(patch, dict):
        name = {list: "array", str: "string", bool: "bool"}.get(type(patch), "number")
        raise bad_request(f"json: cannot unmarshal {name} into Go value of type map[string]interface {{}}")
    return _merge_map(obj, patch, schema)


_UNSUPPORTED = (
    "the body of the request was in an unknown format - accepted media types include: "
    "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml"
)


def _merge_map(original: Json, patch: Json, schema: Type) -> Json:
    if PATCH in patch:
        return _directed_map(patch)
    result = _retained(original, patch) if RETAIN_KEYS in patch else dict(original)
    ordered = {key.removeprefix(ORDER) for key in patch if key.startswith(ORDER)}
    for key in sorted(ordered):
        _put_ordered(result, patch, key, child_type(schema, key))
    for key, value in patch.items():
        if key == RETAIN_KEYS or key.startswith(ORDER) or key in ordered:
            continue
        _put(result, key, value, schema)
    return result


def _put(result: Json, key: str, value: Any, schema: Type) -> None:
    field = key.removeprefix(DELETE_ITEMS)
    if value is None:
        result.pop(field, None)
    elif field != key:
        if isinstance(result.get(field), list) and isinstance(value, list):
            result[field] = [item for item in result[field] if item not in value]
    elif isinstance(result.get(key), dict) and isinstance(value, dict):
        result[key] = _merge_field(result[key], value, child_type(schema, key))
    elif isinstance(result.get(key), list) and isinstance(value, list):
        result[key] = _merge_lists(result[key], value, child_type(schema, key))
    else:
        _set_new(result, key, value)


def _set_new(result: Json, key: str, value: Any) -> None:
    if _is_directed(value):
        # What is to be replaced or deleted is not there, and upstream then drops the replacement too.
        result.pop(key, None)
    else:
        result[key] = without_directives(value)


def _merge_field(original: Json, patch: Json, schema: Type) -> Json:
    return patch if "replace" in schema.strategies else _merge_map(original, patch, schema)


def _merge_lists(original: list[Any], patch: list[Any], schema: Type) -> list[Any]:
    if "merge" not in schema.strategies:
        return patch
    return _merge_items(original, patch, schema)


def _directed_map(patch: Json) -> Json:
    if patch[PATCH] == "replace":
        return {key: value for key, value in patch.items() if key != PATCH}
    if patch[PATCH] == "delete":
        return {}
    raise internal_error(f"unknown patch type: {go_text(patch[PATCH])} in map: {go_text(patch)}")


def _retained(original: Json, patch: Json) -> Json:
    retained = patch[RETAIN_KEYS]
    if not isinstance(retained, list):
        raise bad_request("invalid patch format of retainKeys")
    for key, value in patch.items():
        directive = key == RETAIN_KEYS or key.startswith((ORDER, DELETE_ITEMS))
        if value is not None and not directive and key not in retained:
            raise bad_request("invalid patch format of retainKeys")
    return {key: value for key, value in original.items() if key in retained}


def _put_ordered(result: Json, patch: Json, key: str, schema: Type) -> None:
    order, original, patched = patch[ORDER + key], result.get(key), patch.get(key)
    for value in (order, *([original] if key in result else []), *([patched] if key in patch else [])):
        if not isinstance(value, list):
            raise internal_error(f"expected a []interface {{}}, but received a {_go_type(value)}")
    if patched and order:
        _check_order(patched, order, schema.merge_key)
    if original is None and patched is None:
        return
    merged = _unordered(original, patched, schema)
    if not (original or patched):
        raise internal_error("no elements in any of the given slices")
    result[key] = in_order(merged, order, original or [], schema.merge_key)


def _unordered(original: list[Any] | None, patched: list[Any] | None, schema: Type) -> list[Any]:
    if patched is None:
        return original or []
    if original is None:
        added: list[Any] = without_directives(patched)
        return added
    return _merge_lists(original, patched, schema)


def _check_order(patched: list[Any], order: list[Any], merge_key: str) -> None:
    """Each item that the patch adds or changes must stand in the order list, in the same sequence."""
    kept = [item for item in patched if not _is_directed(item)]
    wanted = [_identity(item, merge_key) for item in kept]
    rest = iter(_identity(item, merge_key) for item in order)
    if not all(item in rest for item in wanted):
        raise internal_error(
            f"The order in patch list:\n{go_text(patched)}\n doesn't match $setElementOrder list:\n{go_text(order)}\n"
        )


def _identity(item: Any, merge_key: str) -> Any:
    if not merge_key:
        return item
    if not isinstance(item, dict) or merge_key not in item:
        raise _no_merge_key(item, merge_key)
    return item[merge_key]


def _merge_items(original: list[Any], patch: list[Any], schema: Type) -> list[Any]:
    if not original and not patch:
        return original
    if not _all_objects(original, patch):
        merged = list(dict.fromkeys([*original, *patch]))
        return in_order(merged, patch, original, "")
    if not schema.merge_key:
        raise internal_error(f"cannot merge lists without merge key for {schema.name}")
    kept, items, changes = _follow_item_directives(original, patch, schema.merge_key)
    if not changes:
        return items
    return in_order(_merge_objects(kept, items, schema), items, kept, schema.merge_key)


def _all_objects(original: list[Any], patch: list[Any]) -> bool:
    kinds = {type(item) for item in (*original, *patch)}
    if len(kinds) > 1:
        lists = f"[{go_text(original)} {go_text(patch)}]"
        raise internal_error(f"list element types are not identical: {lists}")
    if kinds == {list}:
        raise StatusError(422, "Invalid", "the server rejected our request due to an error in our request")
    return kinds == {dict}


def _follow_item_directives(original: list[Json], patch: list[Json], key: str) -> tuple[list[Json], list[Json], bool]:
    """What is left of ``original``, the patch's plain items, and whether they merge (or replace)."""
    replaces = False
    for item in patch:
        if PATCH not in item:
            continue
        if item[PATCH] == "delete":
            gone = _identity(item, key)
            original = [kept for kept in original if kept.get(key) != gone]
        elif item[PATCH] == "merge":
            raise internal_error("merging lists cannot yet be specified in the patch")
        elif item[PATCH] != "replace":
            raise internal_error(f"unknown patch type: {go_text(item[PATCH])} in map: {go_text(item)}")
        replaces = replaces or item[PATCH] == "replace"
    return original, [item for item in patch if PATCH not in item], not replaces


def _merge_objects(original: list[Json], patch: list[Json], schema: Type) -> list[Json]:
    merged = list(original)
    for item in patch:
        name = _identity(item, schema.merge_key)
        place = next((place for place, old in enumerate(merged) if old.get(schema.merge_key) == name), None)
        if place is None:
            merged.append(item)
        else:
            merged[place] = _merge_map(merged[place], item, schema.element or UNTYPED)
    return merged


def without_directives(value: Any) -> Any:
    """A patch's value where the object has none: without its nulls and directives."""
    if isinstance(value, list):
        return [without_directives(item) for item in value if not _is_directed(item)]
    if not isinstance(value, dict):
        return value
    kept = {key: item for key, item in value.items() if item is not None and key[:1] != "$" and not _is_directed(item)}
    return {key: without_directives(item) for key, item in kept.items()}


def _is_directed(value: Any) -> bool:
    return isinstance(value, dict) and PATCH in value


def _no_merge_key(item: Any, key: str) -> StatusError:
    return internal_error(f"map: {go_text(item)} does not contain declared merge key: {key}")


def go_text(value: Any) -> str:
    """As Go's ``%v`` prints a decoded JSON value."""
    if isinstance(value, dict):
        return f"map[{' '.join(f'{key}:{go_text(value[key])}' for key in sorted(value))}]"
    if isinstance(value, list):
        return f"[{' '.join(map(go_text, value))}]"
    if isinstance(value, bool):
        return str(value).lower()
    return "<nil>" if value is None else str(value)


def _go_type(value: Any) -> str:
    names = {dict: "map[string]interface {}", str: "string", bool: "bool", float: "float64", int: "int64"}
    return names.get(type(value), "%!s(<nil>)")
