"""The estimate comes close to the replay that it spares."""

from __future__ import annotations

import numpy as np
import pytest

from mlscale.hpa.replay import replay_parts
from mlscale.hpa.replay_model import Setting, World, candidates_of
from mlscale.recommend.estimate import estimate

DAY = 5760
SETTINGS = candidates_of(
    [
        Setting(low, high, target, 1.0, window)
        for low, high in ((1, 60), (12, 60), (1, 9))
        for target in (40, 60, 80)
        for window in (60.0, 300.0, 900.0)
    ]
)


@pytest.mark.parametrize("startup", [15.0, 30.0, 120.0])
@pytest.mark.parametrize("noise", [0.0, 0.05])
def test_it_ranks_settings_as_the_replay_does(startup: float, noise: float) -> None:
    syncs = np.arange(2 * DAY)
    lasting = np.convolve(np.random.default_rng(4).standard_normal(len(syncs)), 0.97 ** np.arange(200))[: len(syncs)]
    demand = ((10 + 6 * np.sin(2 * np.pi * syncs / DAY)) * (1 + noise * lasting)).clip(0)
    world = World(startup=startup)
    estimated, parts = estimate(demand, SETTINGS, world, 4), replay_parts(demand, SETTINGS, world, 10, 4)
    hours = np.sum([part.pod_hours for part in parts], axis=0)
    unmet = np.stack([part.unmet for part in parts])
    np.testing.assert_allclose(estimated.pod_hours, hours, rtol=0.1)
    np.testing.assert_allclose(estimated.unmet, unmet, atol=0.02)
    assert np.corrcoef(estimated.pod_hours, hours)[0, 1] > 0.99


def test_a_fixed_count_is_exact() -> None:
    """3 pods of half a core on 1 core for half an hour, then on 2: a quarter of that is lost, none before."""
    demand = np.repeat([1.0, 2.0], 120)
    found = estimate(demand, candidates_of([Setting(3, 3, 80, 0.5)]), World(), 2)
    assert found.pod_hours == pytest.approx([3.0])
    assert found.changes.tolist() == [0.0]
    assert found.unmet == pytest.approx(np.array([[0.0], [0.25]]))


def test_demand_that_never_was_is_met() -> None:
    assert estimate(np.zeros(40), candidates_of([Setting(1, 3, 80, 0.5)]), World(), 2).unmet.tolist() == [[0.0], [0.0]]


def test_a_limit_below_the_target_bounds_what_a_pod_is_taken_to_serve() -> None:
    """8 cores by pods that use 0.4 cores of 1 at most: 20 of them, where 10 are enough at 80 %."""
    settings = candidates_of([Setting(1, 90, 80, 1.0)])
    free, limited = (estimate(np.full(240, 8.0), settings, world, 1) for world in (World(), World(limit=0.4)))
    assert limited.pod_hours[0] > 1.9 * free.pod_hours[0]
