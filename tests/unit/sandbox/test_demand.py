"""The demand: its curve, and that it is the same whenever and in whatever order one asks."""

from __future__ import annotations

import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlscale.sandbox.demand import noise, request_rate
from mlscale.sandbox.scenario import DAY, Daily, Demand, Spike

HOUR = 3600.0
DAY_AND_NIGHT = Demand(daily=Daily(low=4, high=24, peak=14 * HOUR))
SPIKES = Demand(base=10, spikes=(Spike(at=300, lasts=60, rate=40, every=600),))


@pytest.mark.parametrize(
    ("demand", "seconds", "rate"),
    [
        pytest.param(Demand(base=7), 12_345, 7, id="even"),
        pytest.param(DAY_AND_NIGHT, 6 * HOUR, 24, id="the clock starts at 8: six hours later it is 14, the peak"),
        pytest.param(DAY_AND_NIGHT, 18 * HOUR, 4, id="2 at night, the low"),
        pytest.param(DAY_AND_NIGHT, 0, 14, id="8 in the morning, half way"),
        pytest.param(DAY_AND_NIGHT, -18 * HOUR, 24, id="14 on the day before"),
        pytest.param(SPIKES, 299, 10, id="just before the spike"),
        pytest.param(SPIKES, 300, 50, id="the spike begins"),
        pytest.param(SPIKES, 360, 10, id="it is over"),
        pytest.param(SPIKES, 900, 50, id="it comes again"),
        pytest.param(SPIKES, -300, 10, id="but not before its first time, though that would be its turn"),
    ],
)
def test_rate(demand: Demand, seconds: float, rate: float) -> None:
    assert request_rate(demand, seconds, 8 * HOUR, "seed") == pytest.approx(rate)


def test_noise_spreads_as_asked() -> None:
    rates = [request_rate(Demand(base=100, noise=0.1), 60.0 * minute, 0, "seed") for minute in range(2000)]
    assert statistics.mean(rates) == pytest.approx(100, rel=0.02)
    assert statistics.stdev(rates) == pytest.approx(10, rel=0.1)


def test_seeds_tell_noises_apart() -> None:
    assert noise("1/default/web", 120) != noise("2/default/web", 120)
    assert noise("1/default/web", 120) == noise("1/default/web", 120)


@given(st.floats(-30 * DAY, 30 * DAY))
def test_noise_does_not_jump(seconds: float) -> None:
    # In a tenth of a minute it moves a tenth of the way from one normal value to another: less than 1 if they are
    # less than 10 apart.
    assert abs(noise("seed", seconds + 6) - noise("seed", seconds)) < 1


@given(st.floats(0, 5), st.floats(-30 * DAY, 30 * DAY))
def test_a_rate_is_never_negative(strength: float, seconds: float) -> None:
    assert request_rate(Demand(base=10, noise=strength), seconds, 0, "seed") >= 0
