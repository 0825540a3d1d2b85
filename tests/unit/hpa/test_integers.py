"""Go's integers on amd64."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlscale.hpa import integers
from mlscale.hpa.integers import INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN


def test_they_wrap() -> None:
    assert integers.int32(INT32_MAX + 1) == INT32_MIN
    assert integers.int32(INT32_MIN - 1) == INT32_MAX
    assert integers.int64(INT64_MAX + 1) == INT64_MIN
    assert integers.int64(-5) == -5


@pytest.mark.parametrize(
    ("dividend", "divisor", "cut"), [(7, 2, 3), (-7, 2, -3), (7, -2, -3), (-7, -2, 3), (6, 3, 2), (0, 5, 0)]
)
def test_division_cuts_toward_zero(dividend: int, divisor: int, cut: int) -> None:
    assert integers.quotient(dividend, divisor) == cut


@pytest.mark.parametrize(
    ("number", "int32", "int64"),
    [
        (2.9, 2, 2),
        (-2.9, -2, -2),
        (3e9, INT32_MIN, 3_000_000_000),
        (1e19, INT32_MIN, INT64_MIN),
        (math.inf, INT32_MIN, INT64_MIN),
        (math.nan, INT32_MIN, INT64_MIN),
    ],
)
def test_floats_that_do_not_fit_become_the_least(number: float, int32: int, int64: int) -> None:
    assert integers.int32_of(number) == int32
    assert integers.int64_of(number) == int64


def test_division_by_zero_is_no_error() -> None:
    assert integers.ratio(3, 0) == math.inf
    assert integers.ratio(-3, 0) == -math.inf
    assert math.isnan(integers.ratio(0, 0))


@given(st.integers(), st.integers())
def test_wrapping_keeps_sums(one: int, other: int) -> None:
    assert integers.int64(integers.int64(one) + integers.int64(other)) == integers.int64(one + other)
