"""The rules of others, on numbers that can be followed by hand."""

from __future__ import annotations

import numpy as np
import pytest

from mlscale.hpa.replay_model import Setting
from mlscale.recommend.baselines import api_default, crane_style, krr_style, vpa_style

RISING = np.arange(1.0, 101.0) / 10
"""0.1 to 10 cores; the 95th percentile is 9.505, the 99th 9.901."""


def test_api_default() -> None:
    assert api_default(0.5, 10) == Setting(1, 10, 80, 0.5)


def test_krr_takes_the_95th_percentile_of_a_pod() -> None:
    # 9.505 cores over 4 pods are 2376.25m, rounded up.
    assert krr_style(RISING, 4) == Setting(4, 4, 80, 2.377)
    assert krr_style(np.zeros(9), 4).request == 0.010


def test_crane() -> None:
    # min 9.505 / 0.5 = 19.01; target 9.901 / 20 * 1.15 = 56.9 %; max 3 * 9.505 / 0.57 = 50.03.
    assert crane_style(RISING, 20, 1.0) == Setting(20, 51, 57, 1.0)


@pytest.mark.parametrize(("replicas", "target"), [(5, 75), (100, 30)])
def test_crane_clamps_its_target(replicas: int, target: int) -> None:
    assert crane_style(RISING, replicas, 1.0).target == target


def test_vpa_weighs_the_last_day_most() -> None:
    """10 cores 5 days ago, 1 since: of the weight 1/32 is old, less than the tenth that would show."""
    demand = np.repeat([10.0, 1.0], [100, 500])
    assert vpa_style(demand, 1, step=864.0).request == pytest.approx(1.15)
    # Held as steady over seconds, 100 of 600 are more than a tenth.
    assert vpa_style(demand, 1, step=1.0).request == pytest.approx(11.5)
    assert vpa_style(np.zeros(5), 2, step=1.0).request == 0.025
