"""The requests that come in, as a function of time alone, so that the past can be told as well as the present."""

from __future__ import annotations

import math
import random
from functools import lru_cache
from typing import TYPE_CHECKING

from mlscale.sandbox.scenario import DAY

if TYPE_CHECKING:
    from mlscale.sandbox.scenario import Daily, Demand, Spike

NOISE_STEP = 60.0
"""Seconds between two values of the noise; between them it is interpolated."""


def request_rate(demand: Demand, seconds: float, clock: float, seed: str) -> float:
    """Requests per second, ``seconds`` after the scenario's start (before it where negative), which is at ``clock``.

    ``clock`` is in seconds after midnight; ``seed`` tells one workload's noise from another's.
    """
    rate = demand.base + sum(_spike_rate(spike, seconds) for spike in demand.spikes)
    if demand.daily is not None:
        rate += _daily_rate(demand.daily, clock + seconds)
    if demand.noise:
        rate *= max(0.0, 1.0 + demand.noise * noise(seed, seconds))
    return rate


def noise(seed: str, seconds: float) -> float:
    """A standard normal value for each minute, and what lies between two of them."""
    step, share = divmod(seconds, NOISE_STEP)
    share /= NOISE_STEP
    return (1 - share) * _normal(seed, int(step)) + share * _normal(seed, int(step) + 1)


@lru_cache(maxsize=65_536)
def _normal(seed: str, step: int) -> float:
    return random.Random(f"{seed}/{step}").gauss(0.0, 1.0)


def _daily_rate(daily: Daily, clock: float) -> float:
    height = (1 + math.cos(2 * math.pi * (clock - daily.peak) / DAY)) / 2
    return daily.low + (daily.high - daily.low) * height


def _spike_rate(spike: Spike, seconds: float) -> float:
    since = seconds - spike.at
    if spike.every and since >= 0:
        since %= spike.every
    return spike.rate if 0 <= since < spike.lasts else 0.0
