"""The least or the most of the last values, for many series in lockstep."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlscale.hpa.replay_model import FloatArray


class Sliding:
    """The extreme of the last ``length`` values of each of C series, three array operations a value.

    The van Herk and Gil-Werman algorithm: values come in blocks of ``length``; a window is a suffix of the block
    before and a prefix of this one. Suffixes are taken when a block is full.
    """

    def __init__(self, extreme: np.ufunc, length: int, first: FloatArray) -> None:
        """As if every value so far had been ``first``, of shape (C,)."""
        self._extreme = extreme
        self._length = length
        self._place = 0
        self._prefix = first.copy()
        self._block = np.tile(first, (length, 1))
        self._suffix = np.tile(first, (length, 1))
        self.value = first.copy()

    def push(self, values: FloatArray) -> FloatArray:
        """The extreme with ``values`` of shape (C,) as the newest; the array returned is used again."""
        if self._length == 1:
            np.copyto(self.value, values)
            return self.value
        np.copyto(self._block[self._place], values)
        if self._place == 0:
            np.copyto(self._prefix, values)
        else:
            self._extreme(self._prefix, values, out=self._prefix)
        self._place += 1
        if self._place < self._length:
            return self._extreme(self._suffix[self._place], self._prefix, out=self.value)  # type: ignore[no-any-return]
        self._turn()
        return self.value

    def fill(self, places: slice, values: FloatArray | float) -> None:
        """As if every value of the series at ``places`` had been ``values``."""
        self._prefix[places] = values
        self._block[:, places] = values
        self._suffix[:, places] = values
        self.value[places] = values

    def keep(self, index: NDArray[np.intp]) -> None:
        """Go on with the series at ``index`` alone."""
        self._prefix = self._prefix[index]
        self._block = self._block[:, index]
        self._suffix = self._suffix[:, index]
        self.value = self.value[index]

    def _turn(self) -> None:
        """Make suffixes of the block that is full; the window is that block."""
        np.copyto(self.value, self._prefix)
        np.copyto(self._suffix[self._length - 1], self._block[self._length - 1])
        for place in range(self._length - 2, -1, -1):
            self._extreme(self._block[place], self._suffix[place + 1], out=self._suffix[place])
        self._place = 0
