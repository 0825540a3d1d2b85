"""JSON Patch and JSON Merge Patch, as the API server applies them.

Sources: apiserver pkg/endpoints/handlers/patch.go (v1.37.2); RFC 6902 with the liberties of evanphx/json-patch v4,
which the server uses: indices may be negative, ``replace`` may add a key, an absent key tests equal to null.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from mlscale.sandbox.statuses import StatusError, bad_request

if TYPE_CHECKING:
    from collections.abc import Callable

Json = dict[str, Any]

MAX_OPERATIONS = 10_000
_GO_TYPES = {list: "array", str: "string", int: "number", float: "number", bool: "bool", dict: "object"}


class _InapplicableError(Exception):
    """The operation does not fit the document."""


def merge_patch(obj: Json, patch: object) -> Json:
    """``obj`` with ``patch`` merged in (RFC 7386). Raises StatusError 400 where the patch is no object."""
    if patch is None:
        raise bad_request("Invalid JSON Patch")
    if not isinstance(patch, dict):
        raise bad_request(f"error decoding patch: {_unmarshal(patch, 'map[string]interface {}')}")
    return _merged(obj, patch)


def json_patch(obj: Json, operations: object) -> Json:
    """``obj`` after ``operations``, in order.

    Raises StatusError 400 where they are no list of objects, 413 where they are more than 10,000, 422 where one
    does not apply or a test fails.
    """
    document: object = obj
    for operation in _decoded(operations):
        try:
            document = _apply(document, operation)
        except _InapplicableError:
            message = "the server rejected our request due to an error in our request"
            raise StatusError(422, "Invalid", message, {}) from None
    if not isinstance(document, dict):
        raise bad_request(_unmarshal(document, "map[string]interface {}"))
    return document


def _unmarshal(value: object, into: str) -> str:
    return f"json: cannot unmarshal {_GO_TYPES[type(value)]} into Go value of type {into}"


def _merged(target: object, patch: Json) -> Json:
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = _merged(result.get(key), value) if isinstance(value, dict) else value
    return result


def _decoded(operations: object) -> list[Json]:
    if not isinstance(operations, list):
        raise bad_request(f"error decoding patch: {_unmarshal(operations, '[]handlers.jsonPatchOp')}")
    for operation in operations:
        if not isinstance(operation, dict):
            raise bad_request(f"error decoding patch: {_unmarshal(operation, 'handlers.jsonPatchOp')}")
    if len(operations) > MAX_OPERATIONS:
        message = f"The allowed maximum operations in a JSON patch is {MAX_OPERATIONS}, got {len(operations)}"
        raise StatusError(413, "RequestEntityTooLarge", message)
    return operations


def _apply(document: object, operation: Json) -> object:
    name = operation.get("op")
    path = _pointer(operation, "path")
    if name in ("move", "copy"):
        value = _read(document, _segments(_pointer(operation, "from")))
        if name == "move":
            document = _changed(document, _segments(_pointer(operation, "from")), _remove)
        return _changed(document, _segments(path), _adding(value))
    if name == "test":
        return _tested(document, path, operation.get("value"))
    return _written(document, name, path, operation.get("value"))


def _written(document: object, name: object, path: str, value: object) -> object:
    if name == "replace" and path == "":
        return value
    if name == "replace":
        return _changed(document, _segments(path), _replacing(value))
    if name == "add":
        return _changed(document, _segments(path), _adding(value))
    if name == "remove":
        return _changed(document, _segments(path), _remove)
    raise _InapplicableError


def _tested(document: object, path: str, value: object) -> object:
    found = document if path == "" else _read(document, _segments(path))
    # As text, so that 1 differs from true.
    if json.dumps(found, sort_keys=True) != json.dumps(value, sort_keys=True):
        raise _InapplicableError
    return document


def _pointer(operation: Json, key: str) -> str:
    pointer = operation.get(key)
    if not isinstance(pointer, str):
        raise _InapplicableError
    return pointer


def _segments(pointer: str) -> list[str]:
    # The server's library drops whatever stands before the first slash.
    segments = pointer.split("/")[1:]
    if not segments:
        raise _InapplicableError
    return [segment.replace("~1", "/").replace("~0", "~") for segment in segments]


def _read(container: object, segments: list[str]) -> object:
    for place, segment in enumerate(segments):
        if isinstance(container, list):
            container = container[_index(segment, len(container))]
        elif isinstance(container, dict):
            if segment not in container and place < len(segments) - 1:
                raise _InapplicableError
            container = container.get(segment)
        else:
            raise _InapplicableError
    return container


def _changed(container: object, segments: list[str], change: Callable[[Any, str], None]) -> object:
    """A copy of ``container`` in which ``change`` was made at the last segment."""
    if not isinstance(container, dict | list):
        raise _InapplicableError
    copy: Any = container.copy()
    if len(segments) == 1:
        change(copy, segments[0])
        return copy
    key: Any = _index(segments[0], len(copy)) if isinstance(copy, list) else segments[0]
    if isinstance(copy, dict) and key not in copy:
        raise _InapplicableError
    copy[key] = _changed(copy[key], segments[1:], change)
    return copy


def _adding(value: object) -> Callable[[Any, str], None]:
    def add(container: Any, segment: str) -> None:
        if isinstance(container, dict):
            container[segment] = value
        elif segment == "-":
            container.append(value)
        else:
            container.insert(_index(segment, len(container) + 1), value)

    return add


def _replacing(value: object) -> Callable[[Any, str], None]:
    def replace(container: Any, segment: str) -> None:
        container[_index(segment, len(container)) if isinstance(container, list) else segment] = value

    return replace


def _remove(container: Any, segment: str) -> None:
    if isinstance(container, list):
        del container[_index(segment, len(container))]
    elif segment in container:
        del container[segment]
    else:
        raise _InapplicableError


def _index(segment: str, length: int) -> int:
    """The place in a list of ``length`` items; a negative one counts from the end."""
    try:
        index = int(segment)
    except ValueError:
        raise _InapplicableError from None
    if not -length <= index < length:
        raise _InapplicableError
    return index % length
