"""A JSON body as a typed object: unknown fields dropped and named, nulls gone, amounts in their canonical form.

What does not fit its type is refused in the words of Go's encoding/json, which k8s.io/apimachinery
pkg/runtime/serializer/json, v0.37.2, decodes with. The first misfit in the order of the body is the one said.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from mlscale.kube.quantity import InvalidQuantityError, parse_quantity
from mlscale.sandbox.schema import Type, fields_of, object_type
from mlscale.sandbox.statuses import StatusError, bad_request

if TYPE_CHECKING:
    from mlscale.kube.kinds import Kind

Json = dict[str, Any]

_QUANTITY = r"^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$"
_NOT_A_QUANTITY = f"quantities must match the regular expression '{_QUANTITY}'"
_GO_SCALARS = {"boolean": "bool", "IntOrString": "int32", "Time": "string", "MicroTime": "string", "byte": "string"}
_BITS = {"int32": 31, "int64": 63, "IntOrString": 31}
_EMBEDDED = {
    "core.v1.Probe": ("ProbeHandler", frozenset({"exec", "httpGet", "tcpSocket", "grpc"})),
    "core.v1.Volume": ("VolumeSource", fields_of("core.v1.Volume").keys() - {"name"}),
}
"""Structs that hold some of their fields in an embedded one, whose name Go says in the path."""
_EMPTY: dict[str, Any] = {"string": "", "int32": 0, "int64": 0, "boolean": False}


@dataclass(frozen=True)
class Decoded:
    """An object, and the paths of the fields that its type does not have."""

    object: Json
    unknown: tuple[str, ...]


class _MisfitError(Exception):
    """A value that does not fit its type."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a value stands: for Go (struct and path without indices) and for people (path with them)."""

    struct: str
    go_path: str
    path: str


def decoded(kind: Kind, body: Json) -> Decoded:
    """``body`` as an object of ``kind``; a custom kind's is taken as it is. Raises StatusError 400."""
    of = object_type(kind.api_version, kind.kind)
    unknown: list[str] = []
    try:
        obj = _value(of, body, _Place(kind.kind, "", ""), unknown)
    except _MisfitError as error:
        raise _not_handled(kind, str(error)) from None
    return Decoded(obj, tuple(unknown))


def warnings(unknown: tuple[str, ...]) -> list[str]:
    """The texts of the Warning headers that fieldValidation=Warn answers with."""
    return [f'unknown field "{path}"' for path in unknown]


def strict_refusal(kind: Kind, unknown: tuple[str, ...]) -> StatusError:
    """400, as fieldValidation=Strict answers to fields that the type does not have."""
    return _not_handled(kind, f"strict decoding error: {', '.join(warnings(unknown))}")


def _not_handled(kind: Kind, why: str) -> StatusError:
    return bad_request(f'{kind.kind} in version "{kind.version}" cannot be handled as a {kind.kind}: {why}')


def _value(of: Type, value: Any, place: _Place, unknown: list[str]) -> Any:
    if of.shape == "untyped":
        return value
    if of.shape == "struct":
        return _struct(of, value, place, unknown)
    if of.shape == "map":
        return _map(of, value, place, unknown)
    if of.shape == "list":
        return _list(of, value, place, unknown)
    return _scalar(of.name, value, place)


def _struct(of: Type, value: Any, place: _Place, unknown: list[str]) -> Json:
    if not isinstance(value, dict):
        raise _misfit(value, place, _go_name(of))
    known, name = fields_of(of.name), of.name.rpartition(".")[2]
    embedded, inner = _EMBEDDED.get(of.name, ("", frozenset()))
    found: Json = {}
    for key, item in value.items():
        field = known.get(key)
        path = f"{place.path}.{key}" if place.path else key
        if field is None:
            unknown.append(path)
        elif item is not None:
            parts = (place.go_path, embedded if key in inner else "", key)
            found[key] = _value(field, item, _Place(name, ".".join(filter(None, parts)), path), unknown)
    return found


def _map(of: Type, value: Any, place: _Place, unknown: list[str]) -> Json:
    if not isinstance(value, dict):
        raise _misfit(value, place, _go_name(of))
    element = of.element or Type("untyped")
    return {
        key: _empty(element) if item is None else _value(element, item, _at(place, f".{key}"), unknown)
        for key, item in value.items()
    }


def _list(of: Type, value: Any, place: _Place, unknown: list[str]) -> list[Any]:
    if not isinstance(value, list):
        raise _misfit(value, place, _go_name(of))
    element = of.element or Type("untyped")
    return [
        _empty(element) if item is None else _value(element, item, _at(place, f"[{index}]"), unknown)
        for index, item in enumerate(value)
    ]


def _at(place: _Place, suffix: str) -> _Place:
    return _Place(place.struct, place.go_path, place.path + suffix)


def _empty(of: Type) -> Any:
    return _EMPTY.get(of.name, {}) if of.shape == "scalar" else {}


def _scalar(name: str, value: Any, place: _Place) -> Any:
    if name == "Quantity":
        return _quantity(value if isinstance(value, str) else _json_text(value))
    if name in ("Time", "MicroTime"):
        return _time(value, place, name)
    if name == "IntOrString" and isinstance(value, str):
        return value
    if name in _BITS:
        return _integer(name, value, place)
    wanted = bool if name == "boolean" else str
    if not isinstance(value, wanted):
        raise _misfit(value, place, _GO_SCALARS.get(name, name))
    return value


def _integer(name: str, value: Any, place: _Place) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise _misfit(value, place, _GO_SCALARS.get(name, name))
    if isinstance(value, float) or not -(2 ** _BITS[name]) <= value < 2 ** _BITS[name]:
        raise _misfit(value, place, _GO_SCALARS.get(name, name), f"number {_json_text(value)}")
    return value


@lru_cache(maxsize=4096)
def _quantity(text: str) -> str:
    if not re.fullmatch(_QUANTITY, text):
        raise _MisfitError(_NOT_A_QUANTITY)
    try:
        return str(parse_quantity(text))
    except InvalidQuantityError:
        words = "unable to parse quantity's suffix" if text.count(".") < 2 else _NOT_A_QUANTITY  # noqa: PLR2004
        raise _MisfitError(words) from None


def _time(value: Any, place: _Place, name: str) -> str:
    if not isinstance(value, str):
        raise _misfit(value, place, "string")
    try:
        datetime.fromisoformat(value)
    except ValueError:
        layout = "2006-01-02T15:04:05Z07:00" if name == "Time" else "2006-01-02T15:04:05.000000Z07:00"
        words = f'parsing time "{value}" as "{layout}": cannot parse "{value}" as "2006"'
        raise _MisfitError(words) from None
    return value


def _misfit(value: Any, place: _Place, go_type: str, word: str = "") -> _MisfitError:
    field = f"Go struct field {place.struct}.{place.go_path}" if place.go_path else "Go value"
    return _MisfitError(f"json: cannot unmarshal {word or _word(value)} into {field} of type {go_type}")


def _word(value: Any) -> str:
    words = {bool: "bool", str: "string", int: "number", float: "number", dict: "object", list: "array"}
    return words.get(type(value), "null")


def _json_text(value: Any) -> str:
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)


def _go_name(of: Type) -> str:
    if of.shape == "struct":
        return ".".join(of.name.split(".")[-2:])
    if of.shape == "list":
        return f"[]{_go_name(of.element or of)}"
    if of.shape == "map":
        is_amounts = of.element is not None and of.element.name == "Quantity"
        return "v1.ResourceList" if is_amounts else f"map[string]{_go_name(of.element or of)}"
    return _GO_SCALARS.get(of.name, of.name)
