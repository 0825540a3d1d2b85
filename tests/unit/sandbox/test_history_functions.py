"""PromQL's functions; the expected values are worked out from promql/functions.go of Prometheus 3."""

from __future__ import annotations

import numpy as np
import pytest

from mlscale.sandbox.history_functions import LOOKBACK, counted, instant, max_over_time, rate, rise
from mlscale.sandbox.history_looks import Looks
from mlscale.sandbox.history_text import number_text

SCRAPES = np.array([0.0, 30.0, 60.0, 90.0, 120.0, 150.0])
USED = np.array([100.0, 103.0, 106.0, 109.0, 112.0, 115.0])
NONE = np.nan


def at(*times: float) -> np.ndarray:
    return np.array(times)


def looks(times: np.ndarray, length: float, samples: np.ndarray = SCRAPES) -> Looks:
    """Ranges over one track, those in which it has no sample too."""
    first, end = (np.searchsorted(samples, edges, side="right") for edges in (times - length, times))
    return Looks(samples, times, length, first, end)


@pytest.mark.parametrize(
    ("time", "expected", "why"),
    [
        (150.0, 0.1, "3 s in 30 s, wherever the range ends"),
        (157.0, 0.1, "extrapolated to both ends of the range"),
        # Samples at 0 and 30 in (-90, 30]: half an interval is added before the first, and nothing after the last.
        (30.0, 3.0 * 45 / 30 / 120, "a series that has just begun"),
        # Samples at 120 and 150 in (110, 230]: 10 s before the first, and half an interval after the last.
        (230.0, 3.0 * 55 / 30 / 120, "a series that has ended"),
        (0.0, NONE, "one sample tells no rate"),
        (-5.0, NONE, "no sample at all"),
    ],
)
def test_rate(time: float, expected: float, why: str) -> None:
    (found,) = rate(looks(at(time), 120.0), USED)
    assert found == pytest.approx(expected, nan_ok=True), why


def test_a_rate_reaches_no_further_back_than_to_where_the_counter_was_0() -> None:
    # From 1 to 4 in 30 s: it was 0 10 s before the first sample.
    (found,) = rate(looks(at(30.0), 120.0, at(0.0, 30.0)), at(1.0, 4.0))
    assert found == pytest.approx(3.0 * 40 / 30 / 120)


def test_a_range_is_open_to_the_left_and_closed_to_the_right() -> None:
    assert counted(looks(at(150.0, 149.0, 240.0), 90.0)).tolist()[:2] == [3.0, 3.0]
    assert np.isnan(counted(looks(at(240.0), 90.0))).all()


def test_the_greatest_value_of_each_range() -> None:
    values = np.array([1.0, 9.0, 2.0, 3.0, 8.0, 1.0])
    found = max_over_time(looks(at(-1.0, 0.0, 90.0, 150.0, 500.0), 60.0), values)
    assert found.tolist()[1:4] == [1.0, 3.0, 8.0]
    assert np.isnan(found[[0, 4]]).all()


@pytest.mark.parametrize(
    ("time", "newest", "expected"),
    [
        (29.0, 900.0, 100.0),
        (30.0, 900.0, 103.0),
        (179.0, 900.0, 115.0),
        # The next scrape of all has not found it any more.
        (180.0, 900.0, NONE),
        # There has been no next scrape.
        (180.0, 150.0, 115.0),
        (450.0, 150.0, NONE),
        (-1.0, 900.0, NONE),
    ],
)
def test_an_instant_holds_on_to_the_last_sample_until_the_series_is_gone(
    time: float, newest: float, expected: float
) -> None:
    (found,) = instant(looks(at(time), LOOKBACK), USED, newest)
    assert found == pytest.approx(expected, nan_ok=True)


def test_a_rise_is_between_the_samples_of_the_range() -> None:
    assert rise(looks(at(150.0, 150.0), 60.0), USED).tolist() == [3.0, 3.0]
    assert rise(looks(at(150.0), 600.0), USED).tolist() == [15.0]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        # Each as a Prometheus 2.42 writes it.
        (1.0, "1"),
        (0.1, "0.1"),
        (0.00001, "0.00001"),
        (123456789012345678.0, "123456789012345680"),
        (1e22, "1e+22"),
        (0.1 * 1e-9, "1.0000000000000002e-10"),
        (1795572645.36, "1795572645.36"),
    ],
)
def test_a_number_is_written_as_by_prometheus(value: float, text: str) -> None:
    assert number_text(value) == text
