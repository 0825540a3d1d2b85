"""Looks at many tracks at once see what a look at each of them alone sees."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mlscale.sandbox.history_looks import sights_of

MOMENTS = st.lists(st.integers(0, 400), min_size=1, max_size=12, unique=True).map(sorted)
LATE = 1_795_572_645.298
"""Seconds since the epoch, at which a float is good for a quarter of a microsecond."""


@given(st.lists(MOMENTS, max_size=6), MOMENTS, st.integers(1, 200))
def test_each_range_holds_the_samples_of_its_own_track(tracks: list[list[int]], times: list[int], length: int) -> None:
    sights = sights_of([np.array(track) + LATE for track in tracks], np.array(times) + LATE, float(length))
    seen = {
        (int(track), times[time]): [round(sample - LATE) for sample in sights.looks.samples[first:end]]
        for track, time, first, end in zip(sights.track, sights.time, sights.looks.first, sights.looks.end, strict=True)
    }
    wanted = {
        (track, time): [one for one in samples if time - length < one <= time]
        for track, samples in enumerate(tracks)
        for time in times
    }
    assert {pair: found for pair, found in seen.items() if found} == {pair: own for pair, own in wanted.items() if own}


@given(st.lists(MOMENTS, min_size=1, max_size=6), MOMENTS)
def test_the_looks_at_each_track_are_one_after_the_other(tracks: list[list[int]], times: list[int]) -> None:
    sights = sights_of([np.array(track, dtype=np.float64) for track in tracks], np.array(times, dtype=float), 60.0)
    bounds = sights.bounds.tolist()
    assert bounds[-1] == sights.looks.times.size
    for index, (first, end) in enumerate(pairwise(bounds)):
        assert set(sights.track[first:end].tolist()) <= {index}
        assert sights.time[first:end].tolist() == list(range(*_ends(sights.time[first:end].tolist())))


def _ends(times: list[int]) -> tuple[int, int]:
    return (times[0], times[-1] + 1) if times else (0, 0)
