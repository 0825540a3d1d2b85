"""Samples as Prometheus writes them into JSON (prometheus util/jsonutil/marshal.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlscale.sandbox.history_tracks import FloatArray


def sample_texts(values: FloatArray, moments: Sequence[str]) -> list[str]:
    """``[MOMENT,"VALUE"]`` of each value that is there, ``moments`` being the times of all."""
    there = np.flatnonzero(np.isfinite(values)).tolist()
    numbers = values.tolist()
    return [f'[{moments[at]},"{number_text(numbers[at])}"]' for at in there]


def number_text(value: float) -> str:
    """The shortest digits that give ``value`` again, with an exponent only below 1e-6 and from 1e21 on."""
    text = repr(value).removesuffix(".0")
    if "e" not in text or not 1e-6 <= abs(value) < 1e21:
        return text
    return np.format_float_positional(value, trim="-")
