"""Reads the fields of a scenario's file one by one; what is wrong is said in one line that names the field."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

from mlscale.errors import UsageError
from mlscale.kube.near import did_you_mean
from mlscale.kube.quantity import NANO, InvalidQuantityError, nano_of

if TYPE_CHECKING:
    from collections.abc import Iterator

Json = dict[str, Any]

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)", re.ASCII)
_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)", re.ASCII)
_REQUIRED = object()


class ScenarioError(UsageError):
    """A scenario that cannot be read."""


class Fields:
    """The fields of one mapping; each is asked for once, then ``done`` refuses those that nobody asked for."""

    def __init__(self, value: object, path: str, source: str) -> None:
        """``path`` is where it stands (``workloads[0].demand``, empty for the whole), ``source`` the file."""
        self._path = path
        self._source = source
        self._asked: set[str] = set()
        if not isinstance(value, dict):
            raise self._error("", f"{_shown(value)} is no mapping", "fields are right, such as name: steady")
        self._value: Json = value

    def text(self, name: str, default: str | None = None) -> str:
        """A text; a required one, where there is no default, is not empty."""
        value = self._get(name, default)
        if not isinstance(value, str) or (default is None and not value):
            raise self._error(name, f"{_shown(value)} is no text", "quote it if it is to be one")
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of texts."""
        values = self._list(name)
        for value in values:
            if not isinstance(value, str):
                raise self._error(name, f"{_shown(value)} is no text", "quote it if it is to be one")
        return tuple(values)

    def number(self, name: str, default: float | None = None) -> float:
        """A number of 0 or more."""
        value = self._get(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not _in_range(value, default):
            raise self._error(name, f"{_shown(value)} is no number of 0 or more", "12 or 0.5 is right")
        return float(value)

    def count(self, name: str, default: int | None = None, least: int = 0) -> int:
        """A whole number of ``least`` or more."""
        value = self._get(name, default)
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise self._error(name, f"{_shown(value)} is no whole number of {least} or more", f"{least + 2} is right")
        return value

    def seconds(self, name: str, default: float | None = None) -> float:
        """A duration, in seconds."""
        if default is not None and self._is_missing(name):
            return default
        value = self._get(name, default)
        match = _DURATION.fullmatch(value) if isinstance(value, str) else None
        if match is None:
            raise self._error(name, f"{_shown(value)} is no duration", "30s, 1.5m, 2h or 1d is right")
        return float(match[1]) * _UNITS[match[2]]

    def clock(self, name: str, default: float) -> float:
        """A time of day, in seconds after midnight."""
        if self._is_missing(name):
            return default
        value = self._get(name, default)
        match = _CLOCK.fullmatch(value) if isinstance(value, str) else None
        if match is None:
            raise self._error(name, f"{_shown(value)} is no time of day", 'a quoted one is right, such as "08:00"')
        return int(match[1]) * 3600.0 + int(match[2]) * 60.0

    def amount(self, name: str, default: float | None = None) -> float:
        """A quantity, in cores or bytes."""
        if default is not None and self._is_missing(name):
            return default
        value = self._get(name, default)
        try:
            nano = nano_of(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else -1
        except InvalidQuantityError:
            nano = -1
        if nano < 0:
            raise self._error(name, f"{_shown(value)} is no quantity", "500m, 2 or 128Mi is right")
        return nano / NANO

    def mapping(self, name: str, *, required: bool = False) -> Json:
        """A mapping that is taken as it is, such as labels; empty where it is missing."""
        value = self._get(name, _REQUIRED if required else {})
        if not isinstance(value, dict) or (required and not value):
            raise self._error(name, f"{_shown(value)} is no mapping", "fields are right, such as {app: web}")
        return value

    def mappings(self, name: str) -> tuple[Json, ...]:
        """A list of mappings that are taken as they are."""
        values = self._list(name)
        for index, value in enumerate(values):
            if not isinstance(value, dict):
                raise self._error(f"{name}[{index}]", f"{_shown(value)} is no mapping", "an object is right")
        return tuple(values)

    def part(self, name: str) -> Fields | None:
        """The fields below ``name``, or None where it is missing."""
        value = self._get(name, None, may_lack=True)
        return None if value is None else Fields(value, self._at(name), self._source)

    def parts(self, name: str) -> Iterator[Fields]:
        """The fields of each entry of the list ``name``."""
        for index, value in enumerate(self._list(name)):
            yield Fields(value, self._at(f"{name}[{index}]"), self._source)

    def require(self, name: str, holds: bool, wrong: str, right: str) -> None:
        """Refuse the value of ``name`` where it does not hold."""
        if not holds:
            raise self._error(name, wrong, right)

    def done(self) -> None:
        """Refuse fields that there are not."""
        for name in self._value:
            if name not in self._asked:
                known = ", ".join(sorted(self._asked))
                hint = did_you_mean(str(name), self._asked) or f"the fields here are {known}"
                raise self._error(str(name), "there is no such field", hint)

    def _get(self, name: str, default: object, *, may_lack: bool = False) -> Any:
        self._asked.add(name)
        value = self._value.get(name)
        if value is not None:
            return value
        if (default is None and not may_lack) or default is _REQUIRED:
            raise self._error(name, "it is missing", "it has to be said here")
        return default

    def _is_missing(self, name: str) -> bool:
        self._asked.add(name)
        return self._value.get(name) is None

    def _list(self, name: str) -> list[Any]:
        value = self._get(name, [])
        if not isinstance(value, list):
            raise self._error(name, f"{_shown(value)} is no list", "entries that begin with - are right")
        return value

    def _at(self, name: str) -> str:
        return ".".join(part for part in (self._path, name) if part)

    def _error(self, name: str, wrong: str, right: str) -> ScenarioError:
        where = self._at(name)
        return ScenarioError(f"{self._source}: {where + ': ' if where else ''}{wrong}", right)


def _in_range(value: float, default: float | None) -> bool:
    return value is default or (value >= 0 and math.isfinite(value))


def _shown(value: object) -> str:
    """``value`` as it may stand in one line: not too long, no line breaks."""
    text = (
        repr(value) if not isinstance(value, dict | list) else f"a {'mapping' if isinstance(value, dict) else 'list'}"
    )
    return text if len(text) <= 60 else f"{text[:60]}…"
