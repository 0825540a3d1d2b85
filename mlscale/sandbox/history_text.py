"""Samples as Prometheus writes them into JSON (prometheus util/jsonutil/marshal.go)."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlscale.sandbox.history_tracks import FloatArray


def sample_texts(values: FloatArray, moments: Sequence[str]) -> list[str]:
    """``[MOMENT,"VALUE"]`` of each value that is there; ``moments`` are the times of all."""
    pairs = zip(moments, values.tolist(), strict=True)
    return [f'[{moment},"{number_text(value)}"]' for moment, value in pairs if isfinite(value)]


def number_text(value: float) -> str:
    """The shortest digits that give ``value`` again, with an exponent only below 1e-6 and from 1e21 on."""
    text = repr(value).removesuffix(".0")
    if "e" not in text or not 1e-6 <= abs(value) < 1e21:
        return text
    return np.format_float_positional(value, trim="-")
