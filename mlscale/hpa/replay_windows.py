"""The least or the most of the last values, for many series in lockstep."""

from __future__ import annotations

import itertools
from collections import deque
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlscale.hpa.replay_model import Counts


class Sliding:
    """The extreme of the last ``length`` values of each of C series, four array operations a value.

    The van Herk and Gil-Werman algorithm: values come in blocks of ``length``; a window is a suffix of the block
    before and a prefix of this one. Suffixes are taken when a block is full.
    """

    def __init__(self, extreme: np.ufunc, length: int, first: Counts, value: Counts | None = None) -> None:
        """As if every value so far had been ``first``, of shape (C,); ``value`` is where to keep the result."""
        self._extreme = extreme
        self._length = length
        self._place = 0
        self._prefix = first.copy()
        self._block = np.tile(first, (length, 1))
        self._suffix = np.tile(first, (length, 1))
        self.value: Counts = np.empty_like(first) if value is None else value
        """The extreme of the window; the array is used again."""
        np.copyto(self.value, first)

    def push(self, values: Counts) -> None:
        """``value`` with ``values``, of shape (C,), as the newest."""
        if self._length == 1:
            np.copyto(self.value, values)
            return
        np.copyto(self._block[self._place], values)
        if self._place == 0:
            np.copyto(self._prefix, values)
        else:
            self._extreme(self._prefix, values, out=self._prefix)
        self._place += 1
        if self._place < self._length:
            self._extreme(self._suffix[self._place], self._prefix, out=self.value)
        else:
            self._turn()

    def fill(self, places: NDArray[np.intp], values: Counts) -> None:
        """As if every value of the series at ``places`` had been ``values``."""
        self._prefix[places] = values
        self._block[:, places] = values
        self._suffix[:, places] = values
        self.value[places] = values

    def keep(self, index: NDArray[np.intp], value: Counts | None = None) -> None:
        """Go on with the series at ``index`` alone, the result kept in ``value``."""
        self._prefix = self._prefix[index]
        self._block = self._block[:, index]
        self._suffix = self._suffix[:, index]
        kept = self.value[index]
        self.value = kept if value is None else value
        np.copyto(self.value, kept)

    def _turn(self) -> None:
        """Make suffixes of the block that is full; the window is that block."""
        np.copyto(self.value, self._prefix)
        np.copyto(self._suffix[self._length - 1], self._block[self._length - 1])
        for place in range(self._length - 2, -1, -1):
            self._extreme(self._block[place], self._suffix[place + 1], out=self._suffix[place])
        self._place = 0


class Longer:
    """The least of a window of ``length`` values made of two of a shorter one, which it must be less than twice.

    Of the last 4 values it is the lesser of the window of 3 now and of the window of 3 one value ago.
    """

    def __init__(self, length: int, shorter: int, first: Counts) -> None:
        """As if the shorter window had always held ``first``, of shape (C,)."""
        self._past = deque(first.copy() for _ in range(length - shorter + 1))
        self.value: Counts = first.copy()
        """The least of the window; the array is used again."""

    def push(self, shorter: Counts) -> None:
        """``value`` once the shorter window has moved on to ``shorter``."""
        newest = self._past.popleft()
        np.copyto(newest, shorter)
        self._past.append(newest)
        np.minimum(self._past[0], newest, out=self.value)

    def fill(self, places: NDArray[np.intp], values: Counts) -> None:
        """As ``Sliding.fill``."""
        for past in (*self._past, self.value):
            past[places] = values

    def keep(self, index: NDArray[np.intp]) -> None:
        """As ``Sliding.keep``."""
        self._past = deque(past[index] for past in self._past)
        self.value = self.value[index]


class Several:
    """Windows of different lengths side by side; the series of one length lie together."""

    def __init__(self, extreme: np.ufunc, lengths: NDArray[np.intp], first: Counts) -> None:
        """``lengths`` and ``first`` are of shape (C,)."""
        self.value: Counts = first.copy()
        """The extremes of the windows, of shape (C,); the array is used again."""
        edges = [0, *(np.flatnonzero(np.diff(lengths)) + 1).tolist(), len(lengths)]
        self._parts = [
            (start, end, Sliding(extreme, int(lengths[start]), first[start:end], self.value[start:end]))
            for start, end in itertools.pairwise(edges)
        ]

    def push(self, values: Counts) -> Counts:
        """``value`` with ``values``, of shape (C,), as the newest."""
        for start, end, window in self._parts:
            window.push(values[start:end])
        return self.value

    def fill(self, places: NDArray[np.intp], values: Counts) -> None:
        """As ``Sliding.fill``."""
        for start, end, window in self._parts:
            inside = (places >= start) & (places < end)
            window.fill(places[inside] - start, values[inside])

    def keep(self, index: NDArray[np.intp]) -> None:
        """As ``Sliding.keep``; ``index`` ascends."""
        parts, self.value = self._parts, np.empty(len(index), dtype=np.float32)
        self._parts = []
        for start, end, window in parts:
            first, last = np.searchsorted(index, (start, end)).tolist()
            if first < last:
                window.keep(index[first:last] - start, self.value[first:last])
                self._parts.append((first, last, window))
