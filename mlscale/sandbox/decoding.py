"""What the server makes of an object that it is sent: fields it does not know are dropped, as are nulls.

It decodes into Go structs with sigs.k8s.io/json (v1.37.2); the words of a mismatch are those of Go's encoding/json.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mlscale.sandbox.schema import UNTYPED, Type, omitted_if_empty, type_of

Json = dict[str, Any]

_RANGES = {"int32": 2**31, "int64": 2**63}
_GO_NAMES = {"boolean": "bool", "integer": "int64", "byte": "[]uint8", "double": "float64", "number": "float64"}
_JSON_NAMES = {str: "string", bool: "bool", dict: "object", list: "array"}
_CONVERTED = {"string": "string", "bool": "bool", "object": "map", "array": "slice"}
_TIMES = ("Time", "MicroTime")
_OWN_DECODERS = ("Quantity", "IntOrString", *_TIMES)
_METADATA = "meta.v1.ObjectMeta"


class MismatchError(ValueError):
    """A value is of another JSON type than its field; the message is Go's, with the path."""

    def __init__(self, found: str, type_: Type, place: _Place) -> None:
        where = f"Go struct field {place.struct}.{place.plain}"
        super().__init__(f"json: cannot unmarshal {found} into {where} of type {_go_name(type_)}")
        self._found = found
        self._type = type_

    def unconverted(self) -> str:
        """The words of upstream's converter from maps, which a strategic merge patch goes through.

        Source: apimachinery pkg/runtime/converter.go, v1.37.2.
        """
        is_number = self._found.startswith("number")
        found = _CONVERTED.get(self._found, "float64" if "." in self._found else "int64")
        name = _go_name(self._type)
        if self._type.shape in ("list", "map"):
            return f"cannot restore {'slice' if self._type.shape == 'list' else 'map'} from {found}"
        if self._type.shape == "struct":
            return f"cannot restore struct from: {found}"
        # Go itself converts numbers to numbers, and to text.
        return f"cannot convert {found} to {name}" if is_number and name != "bool" else f"unrecognized type: {name}"


@dataclass(frozen=True)
class Decoded:
    """An object of known fields, and the paths of those that were dropped, ``spec.containers[0].foo``."""

    object: Json
    unknown: tuple[str, ...]


def decode(obj: Json) -> Decoded:
    """``obj`` as its kind can hold it. Raises MismatchError for the first value that its field cannot take.

    A null takes the place of a field that is not set, but a time may be null. Nothing is known of custom resources
    but their metadata.
    """
    unknown: list[str] = []
    kept = _struct(obj, type_of(obj), _Place("", "", ""), unknown)
    return Decoded(kept, tuple(unknown))


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a value stands: with indices, as Go names it without them, and the struct that holds it."""

    path: str
    plain: str
    struct: str

    def field(self, name: str, struct: str) -> _Place:
        return _Place(f"{self.path}.{name}".lstrip("."), f"{self.plain}.{name}".lstrip("."), struct)

    def item(self, index: int) -> _Place:
        return _Place(f"{self.path}[{index}]", self.plain, self.struct)


def _value(value: Any, type_: Type, place: _Place, unknown: list[str]) -> Any:
    if type_ is UNTYPED:
        return value
    if type_.shape == "scalar":
        return _scalar(value, type_, place)
    if type_.shape == "list":
        element = type_.element or UNTYPED
        items = _expected(value, list, type_, place)
        return [_value(item, element, place.item(index), unknown) for index, item in enumerate(items)]
    entries = _expected(value, dict, type_, place)
    if type_.shape == "map":
        return _map(entries, type_.element or UNTYPED, place, unknown)
    return _struct(entries, type_, place, unknown)


def _struct(value: Json, type_: Type, place: _Place, unknown: list[str]) -> Json:
    kept: Json = {}
    for key, item in value.items():
        field = type_.field(key)
        here = place.field(key, type_.name.rsplit(".", 1)[-1])
        if field is None:
            unknown.append(here.path)
        elif item is not None:
            made = _value(item, field, here, unknown)
            if made or key not in omitted_if_empty(type_.name):
                kept[key] = made
        elif field.name in _TIMES and type_.name != _METADATA:
            kept[key] = None
    return kept


def _map(value: Json, element: Type, place: _Place, unknown: list[str]) -> Json:
    """A null of a map of strings is the empty one."""
    empty = "" if element.name == "string" else None
    entries = {key: empty if item is None else item for key, item in value.items()}
    return {key: item if item is None else _value(item, element, place, unknown) for key, item in entries.items()}


def _scalar(value: Any, type_: Type, place: _Place) -> Any:
    if type_.name in _OWN_DECODERS or value is None:
        return value
    if type_.name in ("number", "double"):
        fits = isinstance(value, int | float) and not isinstance(value, bool)
    elif type_.name == "boolean":
        fits = isinstance(value, bool)
    elif type_.name.startswith("int"):
        limit = _RANGES.get(type_.name, 2**63)
        fits = isinstance(value, int) and not isinstance(value, bool) and -limit <= value < limit
        if not fits and isinstance(value, int | float) and not isinstance(value, bool):
            raise MismatchError(f"number {value}", type_, place)
    else:
        fits = isinstance(value, str)
    if not fits:
        raise MismatchError(_json_name(value), type_, place)
    return value


def _expected(value: Any, wanted: type[Any], type_: Type, place: _Place) -> Any:
    if not isinstance(value, wanted):
        raise MismatchError(_json_name(value), type_, place)
    return value


def _json_name(value: Any) -> str:
    return _JSON_NAMES.get(type(value), "number")


def _go_name(type_: Type) -> str:
    if type_.shape == "list":
        return f"[]{_go_name(type_.element or UNTYPED)}"
    if type_.shape == "map" and type_.element and type_.element.name == "Quantity":
        return "v1.ResourceList"
    if type_.shape == "map":
        return f"map[string]{_go_name(type_.element or UNTYPED)}"
    if type_.shape == "struct":
        return ".".join(type_.name.split(".")[-2:])
    return _GO_NAMES.get(type_.name, type_.name)
