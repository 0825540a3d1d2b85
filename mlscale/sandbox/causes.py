"""Causes of a 422 in the words of apimachinery pkg/util/validation/field/errors.go, v1.37.2.

Paths are the API's own: ``spec.template.spec.containers[0].name``, ``spec.hard[cpu]``.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from mlscale.sandbox.statuses import Cause

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Json = dict[str, Any]

NOT_NEGATIVE = "must be greater than or equal to 0"
IMMUTABLE = "field is immutable"


def invalid(path: str, value: object, detail: str) -> Cause:
    """A malformed value: wrong form, out of bounds, not to be changed."""
    return Cause(path, "FieldValueInvalid", _body(f"Invalid value: {shown(value)}", detail))


def required(path: str, detail: str = "") -> Cause:
    """A value that is missing or empty."""
    return Cause(path, "FieldValueRequired", _body("Required value", detail))


def forbidden(path: str, detail: str) -> Cause:
    """A value that is well formed and may not stand here."""
    return Cause(path, "FieldValueForbidden", _body("Forbidden", detail))


def duplicate(path: str, value: object, detail: str = "") -> Cause:
    """A value that must be unique and is not."""
    return Cause(path, "FieldValueDuplicate", _body(f"Duplicate value: {shown(value)}", detail))


def not_found(path: str, value: object, detail: str = "") -> Cause:
    """A name that nothing has."""
    return Cause(path, "FieldValueNotFound", _body(f"Not found: {shown(value)}", detail))


def not_supported(path: str, value: object, supported: Iterable[str]) -> Cause:
    """A word that is none of ``supported``, which are named in their order."""
    words = ", ".join(shown(word) for word in supported)
    return Cause(path, "FieldValueNotSupported", f"Unsupported value: {shown(value)}: supported values: {words}")


def too_long(path: str, most: int) -> Cause:
    """A value of more than ``most`` bytes."""
    return Cause(path, "FieldValueTooLong", f"Too long: may not be more than {most} bytes")


def each_invalid(path: str, value: object, details: Iterable[str]) -> Iterator[Cause]:
    """One ``invalid`` for each of ``details``."""
    for detail in details:
        yield invalid(path, value, detail)


def not_negative(path: str, value: int | None) -> Iterator[Cause]:
    """``value``, where it is set, is at least 0."""
    if value is not None and value < 0:
        yield invalid(path, value, NOT_NEGATIVE)


def unchanged(path: str, value: object, before: object) -> Iterator[Cause]:
    """``value`` is what it was; nothing and empty are the same."""
    if (value or None) != (before or None):
        yield invalid(path, value, IMMUTABLE)


def shown(value: object) -> str:
    """``value`` as Go's encoding/json prints it: compact, with ``<``, ``>`` and ``&`` escaped inside objects.

    A bare string is quoted by Go's ``%q`` instead, which leaves these three alone.
    """
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    if isinstance(value, str):
        return text
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _body(words: str, detail: str) -> str:
    return f"{words}: {detail}" if detail else words
