"""Numbers read many at a time are those that are read one after the other."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mlscale.usage.prometheus_samples import DIGITS, read_samples

COUNT = 300
"""Enough for the fast way, see _FEW."""
START, STEP = 1_700_000_000, 60


def block(values: list[str], times: list[str] | None = None) -> memoryview:
    stamps = times or [str(START + STEP * number) for number in range(len(values))]
    return memoryview("],[".join(f'{time},"{value}"' for time, value in zip(stamps, values, strict=True)).encode())


def repeated(values: list[str]) -> list[str]:
    return (values * COUNT)[:COUNT]


numbers = st.one_of(
    st.integers(0, 10**20).map(str),
    st.floats(0, 1e15).map(repr),
    st.decimals(0, 10**6, places=9, allow_nan=False).map(lambda number: f"{number:f}"),
    st.sampled_from(["0", "0.0", "00.5", "1.", "NaN", "+Inf", "-1.5", "1e-07", "1.2345678901234567e-07", "1e+21"]),
)


@given(st.lists(numbers, min_size=1, max_size=6))
@example(["0.123456789012345678", "1.2345678901234567e-07"])
@example(["123456789012345", "0.12345678901234", "250000000"])
def test_numbers(values: list[str]) -> None:
    _, found = read_samples(block(repeated(values)), STEP)
    for text, number in zip(repeated(values), found.tolist(), strict=True):
        exact = float(text)
        digits = text.replace(".", "")
        if digits.isdecimal() and len(digits) > DIGITS:
            assert number == pytest.approx(exact, rel=1e-13, abs=1e-14)
        else:
            assert number == exact or (number != number and exact != exact)


def test_a_gap_in_the_times_is_one() -> None:
    stamps = [START + STEP * number for number in range(COUNT + 1) if number != 7]
    times, _ = read_samples(block(["0.5"] * COUNT, [str(stamp) for stamp in stamps]), STEP)
    assert times.tolist() == stamps


def test_times_between_seconds() -> None:
    stamps = [START + 0.5 + STEP * number for number in range(COUNT)]
    times, values = read_samples(block(["0.5"] * COUNT, [str(stamp) for stamp in stamps]), STEP)
    assert times.tolist() == stamps
    assert set(values.tolist()) == {0.5}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"0.5"', '"0.5.5"'),
        ('"0.5"', '"x"'),
        ('"0.5"', '""'),
        ('"0.5"', '"."'),
        ('"0.5"', '"0/5"'),
        ('"0.5"', '"0,5"'),
        ('"0.5"', '"0]5"'),
        ('"0.5"', "0.5"),
        ("],[", '],"'),
        (str(START + STEP * (COUNT - 1)), "noon"),
        (str(START + STEP * (COUNT - 1)), ""),
    ],
)
def test_what_is_no_number_is_an_error(old: str, new: str) -> None:
    text = bytes(block(["0.5"] * COUNT)).decode()
    at = text.rindex(old)
    broken = text[:at] + new + text[at + len(old) :]
    with pytest.raises(ValueError):  # noqa: PT011  it has no words of its own
        read_samples(memoryview(broken.encode()), STEP)


@given(st.lists(st.tuples(st.integers(0, 8_000), st.sampled_from(list(b'0.5",[]eN-/ '))), max_size=3))
def test_a_damaged_text_is_read_as_one_after_the_other_or_not_at_all(damages: list[tuple[int, int]]) -> None:
    text = bytearray(bytes(block(["0.25"] * COUNT)))
    for at, character in damages:
        text[at % len(text)] = character
    try:
        times, values = read_samples(memoryview(bytes(text)), STEP)
    except ValueError:
        return
    parts = bytes(text).split(b'"')
    np.testing.assert_array_equal(values, [float(part) for part in parts[1::2]])
    assert times.size == values.size
