"""Bodies in Kubernetes' protobuf form, which kubectl's create and autoscale send, as the same objects in JSON.

The envelope is apimachinery pkg/runtime/serializer/protobuf's; protobuf.json holds the field numbers of v1.37.2.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Json = dict[str, Any]

PROTOBUF = "application/vnd.kubernetes.protobuf"
_MAGIC = b"k8s\0"
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


@dataclass(frozen=True)
class Field:
    """One field of a message. ``mark`` says how its zero is told."""

    name: str
    type: str
    mark: Literal["", "[]", "*", "=", "."]
    """A list, a pointer, a value that is there even if zero, or a message whose fields are its parent's in JSON."""


def decoded(body: bytes) -> Json:
    """The object in ``body``, with its apiVersion and kind. Raises ValueError for what is none that is known."""
    if not body.startswith(_MAGIC):
        raise ValueError("provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]")
    envelope = dict(_fields(body[len(_MAGIC) :]))
    head = {number: bytes(value).decode() for number, value in _fields(envelope.get(1, b""))}
    api_version, kind = head.get(1, ""), head.get(2, "")
    message = _document()["kinds"].get(f"{api_version} {kind}")
    if message is None and kind == "DeleteOptions":
        message = "meta.v1.DeleteOptions"
    if message is None:
        raise ValueError(f'no kind "{kind}" is known for version "{api_version}"')
    return {"apiVersion": api_version, "kind": kind, **_message(message, envelope.get(2, b""))}


@cache
def _document() -> Json:
    text = Path(__file__).with_name("protobuf.json").read_text(encoding="utf-8")
    document: Json = json.loads(text)
    return document


@cache
def _fields_of(message: str) -> dict[int, Field]:
    return {int(number): Field(*field) for number, field in _document()["messages"].get(message, {}).items()}


def _message(message: str, data: bytes) -> Json:
    known = _fields_of(message)
    obj: Json = {}
    for number, raw in _fields(data):
        if field := known.get(number):
            _put(obj, field, raw)
    return obj


def _put(obj: Json, field: Field, raw: Any) -> None:
    """Add one occurrence of a field to ``obj`` as JSON would have it."""
    if field.type.startswith("map<"):
        key, value = field.type[4:-1].split(",", 1)
        entry = dict(_fields(raw))
        name = _value(key, entry.get(1, b""))
        obj.setdefault(field.name, {})[name] = _value(value, entry.get(2, b""))
        return
    value = _value(field.type, raw)
    if field.mark == "[]":
        obj.setdefault(field.name, []).append(value)
    elif field.mark == ".":
        obj.update(value)
    elif field.mark == "*" or _is_told(field, value):
        obj[field.name] = value


def _is_told(field: Field, value: Any) -> bool:
    """Whether JSON has a value that cannot be nil: not where it is empty and may be left out."""
    if value is None or value == {}:
        return False
    return field.mark == "=" or value not in ("", 0, False)


def _value(type_: str, raw: Any) -> Any:
    reader = _READERS.get(type_)
    if reader is not None:
        return reader(raw)
    known = _fields_of(type_)
    if len(known) == 1 and known.get(1) == Field("items", "string", "[]"):
        # A Go type that is a list itself (ExtraValue).
        return _message(type_, raw).get("items", [])
    return _message(type_, raw)


def _signed(raw: int) -> int:
    return raw - (1 << 64) if raw >= 1 << 63 else raw


def _text(raw: bytes) -> str:
    return bytes(raw).decode()


def _double(raw: bytes) -> float:
    number: float = struct.unpack("<d", raw)[0]
    return number


def _time(raw: bytes) -> str | None:
    seconds = _signed(dict(_fields(raw)).get(1, 0))
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if raw else None


def _micro_time(raw: bytes) -> str | None:
    fields = dict(_fields(raw))
    moment = datetime.fromtimestamp(_signed(fields.get(1, 0)), UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{fields.get(2, 0) // 1000:06d}Z" if raw else None


def _quantity(raw: bytes) -> str:
    return _text(dict(_fields(raw)).get(1, b"0"))


def _int_or_string(raw: bytes) -> int | str:
    fields = dict(_fields(raw))
    return _text(fields.get(3, b"")) if fields.get(1, 0) else _signed(fields.get(2, 0))


def _json(raw: bytes) -> Any:
    inner = dict(_fields(raw)).get(1, b"")
    return json.loads(inner) if inner else None


_READERS: dict[str, Callable[[Any], Any]] = {
    "string": _text,
    "bytes": _text,
    "bool": bool,
    "int32": _signed,
    "int64": _signed,
    "double": _double,
    "meta.v1.Time": _time,
    "meta.v1.MicroTime": _micro_time,
    "meta.v1.FieldsV1": _json,
    "runtime.RawExtension": _json,
    "api.resource.Quantity": _quantity,
    "util.intstr.IntOrString": _int_or_string,
}


def _fields(data: bytes) -> Iterator[tuple[int, Any]]:
    """Each field's number and raw value: a whole number, or bytes. Raises ValueError where ``data`` is cut off."""
    place = 0
    while place < len(data):
        tag, place = _varint(data, place)
        number, wire = tag >> 3, tag & 7
        if wire == _VARINT:
            value, place = _varint(data, place)
            yield number, value
            continue
        length = {_FIXED64: 8, _FIXED32: 4}.get(wire)
        if wire == _BYTES:
            length, place = _varint(data, place)
        if length is None or place + length > len(data):
            raise ValueError("unexpected end of the protobuf message")
        yield number, data[place : place + length]
        place += length


def _varint(data: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while place < len(data) and shift < 70:
        byte = data[place]
        value |= (byte & 0x7F) << shift
        place += 1
        if byte < 0x80:
            return value, place
        shift += 7
    raise ValueError("unexpected end of the protobuf message")
