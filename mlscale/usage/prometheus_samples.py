"""The samples of one series in an answer of Prometheus, from text to arrays: most of the time of reading a history.

A quarter of a million of them take 150 ms as JSON, 100 ms as text split at the quotes, and 15 ms as below: eight
digits as one integer, and the integers of a series as one array.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from mlscale.usage.model import FloatArray

DIGITS = 15
"""So many of a number are read: a float holds every integer of so many digits exactly, and the power of ten that it
is divided by, so that the result is the float nearest to the text. Of ``0.123…`` further digits are worth 1e-14."""

_FEW = 100
"""Samples up to which one after the other is as fast."""
_SAMPLE = len('1700000000,"0.0123456789"],[')
_COMMA, _POINT, _SLASH, _NINE, _OPENED, _CLOSED, _QUOTE = b',./9[]"'
_BETWEEN = len(b'"],[')
"""From the end of a value to the time of the next sample."""
_WORD = np.dtype("<u8")
_KEPT = np.array([(1 << 8 * count) - 1 for count in range(9)], dtype=_WORD)
"""By how many of a word's characters are kept."""

Characters = NDArray[np.uint8]
Positions = NDArray[np.int64]
Words = NDArray[np.uint64]


class _OtherwiseError(ValueError):
    """The text is not laid out as expected, or has a number with a sign or an exponent."""


def read_samples(block: memoryview, step: float) -> tuple[FloatArray, FloatArray]:
    """Times and values, shape (N,) each, of ``1700000000,"0.5"],[1700000060,"0.6"``, asked for every ``step`` seconds.

    Of a value with more than DIGITS digits some may be left out. Raises ValueError for anything else.
    """
    if len(block) > _FEW * _SAMPLE and sys.byteorder == "little":
        try:
            return _read_columns(_laid_out(np.frombuffer(block, dtype=np.uint8)), step)
        except _OtherwiseError:
            pass
    parts = bytes(block).split(b'"')
    if parts[-1].strip():
        raise ValueError
    return _times(parts[0::2][:-1], step), np.array(list(map(float, parts[1::2])))


@dataclass(frozen=True)
class _Layout:
    """Where the numbers stand in a text of nothing but numbers and what separates them."""

    text: Characters
    opening: Positions
    """Of the quote before each value."""
    closing: Positions
    points: Positions
    """Of the decimal point in each value; where there is none, of the quote behind it."""


def _laid_out(text: Characters) -> _Layout:
    """Raises _OtherwiseError unless every character is where it should be."""
    quotes = np.flatnonzero(text == _QUOTE)
    opening, closing = quotes[0::2], quotes[1::2]
    count = opening.size
    if closing.size != count or closing[-1] != text.size - 1 or opening[0] < 2 or text.size < closing[-2] + 6:
        raise _OtherwiseError
    places = ((opening - 1, _COMMA), *((closing[:-1] + i, c) for i, c in ((1, _CLOSED), (2, _COMMA), (3, _OPENED))))
    in_place = all((text[where] == character).all() for where, character in places)
    # With these in place, no other character than digits and points can be among the numbers.
    others = np.count_nonzero(text < _POINT) - (4 * count - 1), np.count_nonzero(text > _NINE) - 2 * (count - 1)
    if not in_place or any(others) or (text == _SLASH).any():
        raise _OtherwiseError
    return _Layout(text, opening, closing, _points(text, opening, closing))


def _points(text: Characters, opening: Positions, closing: Positions) -> Positions:
    found = np.flatnonzero(text == _POINT)
    if found.size == opening.size and ((opening < found) & (found < closing)).all():
        return found
    owner = np.searchsorted(opening, found) - 1
    if (owner < 0).any() or (found > closing[owner]).any() or (np.diff(owner) < 1).any():
        raise _OtherwiseError
    points = closing.copy()
    points[owner] = found
    return points


def _read_columns(at: _Layout, step: float) -> tuple[FloatArray, FloatArray]:
    padded = np.concatenate([at.text, np.zeros(3 * _WORD.itemsize, dtype=np.uint8)])
    # A word begins at each character.
    words: Words = np.ndarray((padded.size - 7,), dtype=_WORD, buffer=padded, strides=(1,))
    values = _decimals(words, at.opening + 1, at.points, at.closing)
    starts = np.concatenate([[0], at.closing[:-1] + _BETWEEN])
    ends = at.opening - 1
    first, last = _decimals(words, starts[[0, -1]], ends[[0, -1]], ends[[0, -1]])
    if _is_every_step(first, last, step, starts.size):
        return first + step * np.arange(starts.size, dtype=np.float64), values
    return _decimals(words, starts, ends, ends), values


def _decimals(words: Words, starts: Positions, points: Positions, ends: Positions) -> FloatArray:
    """The numbers from ``starts`` to ``ends`` with ``points`` in them, or at their ends; shape (N,)."""
    before = points - starts
    if before.min() < 1 or before.max() > DIGITS:
        raise _OtherwiseError
    lengths = ends - starts - (points < ends)
    values = np.empty(starts.size)
    for place in np.flatnonzero(np.bincount(before)).tolist():
        chosen = before == place
        digits = _digits(words, starts[chosen], place, np.minimum(lengths[chosen], DIGITS))
        values[chosen] = digits / 10.0 ** (DIGITS - place)
    return values


def _digits(words: Words, starts: Positions, place: int, lengths: Positions) -> FloatArray:
    """Of each number its ``lengths`` digits as an integer of DIGITS digits, what is beyond them being zeros.

    A character at ``place`` is the point: the digits behind it are read from one further on.
    """
    high, low = _without(words, starts, place), _without(words, starts + 8, place - 8)
    high &= _KEPT[np.minimum(lengths, 8)]
    low &= _KEPT[np.maximum(lengths - 8, 0)]
    return (_integer(high) * np.uint64(10**7) + _integer(low) // np.uint64(10)).astype(np.float64)


def _without(words: Words, starts: Positions, place: int) -> Words:
    """The eight characters from each of ``starts`` without that at ``place``."""
    kept = _KEPT[min(max(place, 0), 8)]
    without: Words = (words[starts] & kept) | (words[starts + 1] & ~kept)
    return without


def _integer(words: Words) -> Words:
    """What eight digits each are, the first character being the lowest byte; pairs of digits, then fours, then eights.

    A character that was left out is 0, as is the digit 0 without the bits that all digits share.
    """
    pairs = ((words & np.uint64(0x0F0F0F0F0F0F0F0F)) * np.uint64(10 * 2**8 + 1)) >> np.uint64(8)
    fours = ((pairs & np.uint64(0x00FF00FF00FF00FF)) * np.uint64(100 * 2**16 + 1)) >> np.uint64(16)
    return ((fours & np.uint64(0x0000FFFF0000FFFF)) * np.uint64(10_000 * 2**32 + 1)) >> np.uint64(32)


def _is_every_step(first: float, last: float, step: float, count: int) -> bool:
    """Whether the samples between can lie nowhere but at every step."""
    return round((last - first) / step) == count - 1


def _times(parts: list[bytes], step: float) -> FloatArray:
    """The times in ``1700000000,``, ``],[1700000060,`` and so on; only the first and the last are read if need be."""
    first, last = float(parts[0].strip(b"],[ ")), float(parts[-1].strip(b"],[ "))
    if _is_every_step(first, last, step, len(parts)):
        return first + step * np.arange(len(parts), dtype=np.float64)
    return np.array([float(part.strip(b"],[ ")) for part in parts])
