"""The parameters of a query, read and refused as Prometheus does (web/api/v1/api.go, v3; messages of 2.42 too)."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_POINTS = 11_000
"""Of one series in one answer."""
_UNITS = {"y": 31_536_000.0, "w": 604_800.0, "d": 86_400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_DURATION = re.compile("".join(rf"(?:([0-9]+){unit})?" for unit in _UNITS), re.ASCII)
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_LONGEST = 2**63 / 1e9
"""Seconds."""


class QueryError(Exception):
    """A query that is answered with an error."""

    def __init__(self, status: int, error_type: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.error_type = error_type
        self.message = message


@dataclass(frozen=True)
class Range:
    """The times of a range query: from ``start`` on, ``step`` apart, ``count`` of them; in milliseconds."""

    start: int
    step: int
    count: int


def read_time(query: Mapping[str, str], now: float) -> int:
    """The time of an instant query in milliseconds since the epoch; ``now`` (seconds) where none is given."""
    text = query.get("time", "")
    if not text:
        return round(1000 * now)
    seconds = _timestamp(text)
    if seconds is None:
        raise _bad("time", f"Invalid time value for 'time': cannot parse {_quoted(text)} to a valid timestamp")
    return seconds


def read_range(query: Mapping[str, str]) -> Range:
    """The times of a range query; raises QueryError."""
    start, end = _moment(query, "start"), _moment(query, "end")
    if end < start:
        raise _bad("end", "end timestamp must not be before start time")
    step = _seconds(query, "step")
    if step <= 0:
        raise _bad(
            "step", "zero or negative query resolution step widths are not accepted. Try a positive integer"
        )  # fmt: skip
    milliseconds = max(1, round(1000 * step))
    if (end - start) // milliseconds > MOST_POINTS:
        message = "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution"
        raise QueryError(400, "bad_data", f"{message} (?step=XX)")
    return Range(start, milliseconds, (end - start) // milliseconds + 1)


def check_timeout(query: Mapping[str, str]) -> None:
    """Refuse a timeout that is none, and one that is over already."""
    if query.get("timeout") and _seconds(query, "timeout") <= 0:
        raise QueryError(503, "timeout", "query timed out in query queue")


def _moment(query: Mapping[str, str], name: str) -> int:
    text = query.get(name, "")
    seconds = _timestamp(text)
    if seconds is None:
        raise _bad(name, f"cannot parse {_quoted(text)} to a valid timestamp")
    return seconds


def _timestamp(text: str) -> int | None:
    """Milliseconds since the epoch, of seconds or an RFC 3339 time."""
    if _NUMBER.fullmatch(text):
        seconds = float(text)
        return round(1000 * seconds) if math.isfinite(seconds) else None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return round(1000 * moment.timestamp()) if moment.tzinfo else None


def _seconds(query: Mapping[str, str], name: str) -> float:
    text = query.get(name, "")
    if _NUMBER.fullmatch(text):
        seconds = float(text)
        if abs(seconds) >= _LONGEST:
            raise _bad(name, f"cannot parse {_quoted(text)} to a valid duration. It overflows int64")
        return seconds
    match = _DURATION.fullmatch(text)
    if not text or match is None:
        raise _bad(name, f"cannot parse {_quoted(text)} to a valid duration")
    return sum(float(count) * unit for count, unit in zip(match.groups(), _UNITS.values(), strict=True) if count)


def _bad(name: str, why: str) -> QueryError:
    return QueryError(400, "bad_data", f'invalid parameter "{name}": {why}')


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
