"""The values that write themselves anew when they are decoded: amounts, counts or percentages, times.

Their forms and words are those of k8s.io/apimachinery pkg/api/resource, pkg/util/intstr and
pkg/apis/meta/v1/time.go, v0.37.2.
"""

from __future__ import annotations

import re
from datetime import datetime
from functools import cache, lru_cache
from typing import Any

from mlscale.kube.quantity import InvalidQuantityError, parse_quantity
from mlscale.sandbox.schema import Type, fields_of

_QUANTITY = r"^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$"
_NOT_A_QUANTITY = f"quantities must match the regular expression '{_QUANTITY}'"
_LAYOUTS = {"Time": "2006-01-02T15:04:05Z07:00", "MicroTime": "2006-01-02T15:04:05.000000Z07:00"}
_EMPTY = {"string": "", "Quantity": "0", "IntOrString": 0, "int32": 0, "int64": 0, "boolean": False}
"""What a null in a list or a map is."""
_OWN_FORM = ("Quantity", "IntOrString", *_LAYOUTS)


class FormError(ValueError):
    """A value has not the form that its type wants; the message is the server's."""


def canonical(of: Type, value: Any) -> Any:
    """``value``, decoded as ``of``, with amounts as the server writes them: 1.5 cores are 1500m.

    Lists and maps are new ones; what they hold without such values in it may be the old. Nulls inside of lists are
    the empty value.

    Raises:
        FormError: an amount, a count or a time is none.
    """
    if value is None and of.shape != "scalar":
        return [] if of.shape == "list" else {}
    if of.shape == "struct" and isinstance(value, dict):
        known = _concerned(of.name)
        return {key: canonical(known[key], item) if key in known else _copied(item) for key, item in value.items()}
    if of.shape == "map" and of.element is not None and isinstance(value, dict):
        return {key: canonical(of.element, item) for key, item in value.items()}
    if of.shape == "list" and of.element is not None and isinstance(value, list):
        return [canonical(of.element, item) for item in value]
    return _scalar(of.name, value) if of.shape == "scalar" else _copied(value)


@cache
def _concerned(struct: str) -> dict[str, Type]:
    """The fields of a struct in which, however deep, a value may have to be written anew."""
    return {name: field for name, field in fields_of(struct).items() if _concerns(field, frozenset({struct}))}


def _concerns(of: Type, seen: frozenset[str]) -> bool:
    if of.shape == "scalar":
        return of.name in _OWN_FORM
    if of.shape in ("list", "map"):
        return of.shape == "list" or (of.element is not None and _concerns(of.element, seen))
    if of.shape == "struct" and of.name not in seen:
        return any(_concerns(field, seen | {of.name}) for field in fields_of(of.name).values())
    return of.shape == "struct"


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copied(item) for key, item in value.items()}
    return [_copied(item) for item in value] if isinstance(value, list) else value


def _scalar(name: str, value: Any) -> Any:
    if value is None:
        return _EMPTY.get(name)
    if name == "Quantity":
        return _quantity(value if isinstance(value, str) else str(value))
    if name == "IntOrString":
        return _count_or_text(value)
    return _time(name, value) if name in _LAYOUTS else value


@lru_cache(maxsize=4096)
def _quantity(text: str) -> str:
    if not re.fullmatch(_QUANTITY, text):
        raise FormError(_NOT_A_QUANTITY)
    try:
        return str(parse_quantity(text))
    except InvalidQuantityError:
        raise FormError("unable to parse quantity's suffix") from None


def _count_or_text(value: Any) -> int | str:
    if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    words = {bool: "bool", float: f"number {value}", dict: "object", list: "array"}
    raise FormError(f"json: cannot unmarshal {words.get(type(value), 'value')} into Go value of type int32")


def _time(name: str, value: Any) -> Any:
    if not isinstance(value, str):
        raise FormError("json: cannot unmarshal number into Go value of type string")
    try:
        datetime.fromisoformat(value)
    except ValueError:
        said = f'parsing time "{value}" as "{_LAYOUTS[name]}"'
        raise FormError(f'{said}: cannot parse "{value}" as "2006"') from None
    return value
