"""Fixed-width integers as Go computes with them on amd64: they wrap, and division cuts toward zero."""

from __future__ import annotations

import math

INT32_MAX = 2**31 - 1
"""Replica counts, percentages and policy values are int32 in the API."""
INT32_MIN = -(2**31)
INT64_MAX = 2**63 - 1
INT64_MIN = -(2**63)


def int32(number: int) -> int:
    """``number`` as an int32 after overflow: 2147483648 is -2147483648."""
    return (number - INT32_MIN) % 2**32 + INT32_MIN


def int64(number: int) -> int:
    """``number`` as an int64 after overflow."""
    return (number - INT64_MIN) % 2**64 + INT64_MIN


def quotient(dividend: int, divisor: int) -> int:
    """``dividend / divisor`` cut toward zero, where ``//`` would floor: -7 by 2 is -3."""
    cut = abs(dividend) // abs(divisor)
    return cut if (dividend < 0) == (divisor < 0) else -cut


def ratio(dividend: float, divisor: float) -> float:
    """Two doubles divided as IEEE 754 has it: by zero it is an infinity, and 0 by 0 not a number."""
    # Python divides whole numbers exactly; upstream makes both doubles first.
    if divisor:
        return float(dividend) / float(divisor)
    return math.copysign(math.inf, dividend) if dividend else math.nan


def int32_of(number: float) -> int:
    """A float cut to an int32; what does not fit, infinities and NaN become the least int32, as amd64 does it."""
    cut = _cut(number)
    return cut if cut is not None and INT32_MIN <= cut <= INT32_MAX else INT32_MIN


def int64_of(number: float) -> int:
    """A float cut to an int64; what does not fit, infinities and NaN become the least int64, as amd64 does it."""
    cut = _cut(number)
    return cut if cut is not None and INT64_MIN <= cut <= INT64_MAX else INT64_MIN


def ceiling(number: float) -> float:
    """The least whole number that is not below, as a float; infinities and NaN stay what they are."""
    return float(math.ceil(number)) if math.isfinite(number) else number


def _cut(number: float) -> int | None:
    return int(number) if math.isfinite(number) else None
