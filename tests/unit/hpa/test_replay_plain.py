"""The replay of one HPA of any behavior equals the controller itself, run on objects."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlscale.hpa.replay_model import World
from mlscale.hpa.replay_plain import replay_spec
from mlscale.hpa.tolerance import Tolerance
from tests.unit.hpa.replayed import decided, hpa_spec

LEVELS = st.sampled_from([0.0, 0.01, 0.3, 0.9, 1.0, 1.1, 2.0, 3.3, 5.0, 8.7, 20.0])


@st.composite
def demands(draw: st.DrawFn) -> list[float]:
    """Cores at each sync: levels that hold for a while, with some noise."""
    steps = draw(st.lists(st.tuples(LEVELS, st.integers(1, 12)), min_size=1, max_size=12))
    noise = draw(st.sampled_from([0.0, 0.1, 0.4]))
    seed = draw(st.integers(0, 99))
    levels = np.repeat([level for level, _ in steps], [length for _, length in steps])
    return list(levels * (1 + noise * np.random.default_rng(seed).standard_normal(len(levels))).clip(0))


worlds = st.builds(
    World,
    metric_lag=st.sampled_from([0.0, 15.0, 30.0, 60.0]),
    metric_window=st.sampled_from([10.0, 15.0, 60.0]),
    startup=st.sampled_from([0.0, 7.0, 15.0, 40.0, 120.0, 400.0]),
    cpu_initialization_period=st.sampled_from([0.0, 60.0, 300.0]),
    limit=st.sampled_from([math.inf, 0.8, 2.0]),
)
rules = st.fixed_dictionaries(
    {},
    optional={
        "stabilizationWindowSeconds": st.sampled_from([0, 15, 20, 60, 300]),
        "selectPolicy": st.sampled_from(["Max", "Min", "Disabled"]),
        "policies": st.lists(
            st.fixed_dictionaries(
                {
                    "type": st.sampled_from(["Pods", "Percent"]),
                    "value": st.sampled_from([1, 3, 10, 50, 100]),
                    "periodSeconds": st.sampled_from([15, 30, 60, 300]),
                }
            ),
            min_size=1,
            max_size=2,
        ),
        "tolerance": st.sampled_from(["0", "0.05", "0.3"]),
    },
)
behaviors = st.none() | st.fixed_dictionaries({}, optional={"scaleUp": rules, "scaleDown": rules})


@settings(max_examples=150, deadline=None)
@given(
    demand=demands(),
    world=worlds,
    behavior=behaviors,
    low=st.integers(1, 4),
    room=st.integers(0, 20),
    target=st.sampled_from([10, 50, 73, 80, 150]),
    request=st.sampled_from([100, 333, 1000]),
    first=st.integers(1, 12),
)
def test_equals_the_controller(
    demand: list[float],
    world: World,
    behavior: dict[str, Any] | None,
    low: int,
    room: int,
    target: int,
    request: int,
    first: int,
) -> None:
    spec = hpa_spec(low, low + room, target, behavior)
    ours = replay_spec(np.array(demand), spec, request / 1000, world, first)
    np.testing.assert_array_equal(ours.replicas[:, 0], decided(demand, spec, request, world, first))


@pytest.mark.parametrize(
    ("world", "counted", "ready"),
    [
        # Ready at 30 s, sample 15 s old over 15 s: a whole sample lies behind readiness at 60 s.
        (World(), 4, 2),
        (World(startup=0.0, metric_lag=0.0), 1, 0),
        # Past 300 s a sample from before readiness counts, so never later than that ...
        (World(startup=290.0), 20, 20),
        # ... unless the pod is not Ready even then.
        (World(startup=600.0), 40, 40),
    ],
)
def test_ages_of_pods(world: World, counted: int, ready: int) -> None:
    assert (world.counted_syncs, world.ready_syncs) == (counted, ready)


def test_default_tolerance_of_a_world_is_the_controllers() -> None:
    assert World().tolerance == Tolerance(0.1, 0.1)


def test_another_metric_is_refused() -> None:
    spec = hpa_spec(1, 5, 50)
    with pytest.raises(ValueError, match="one CPU utilization target"):
        replay_spec(np.ones(3), type(spec)(1, 5, (*spec.metrics, *spec.metrics)), 1.0, World(), 1)


def test_no_replicas_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 1 replica"):
        replay_spec(np.ones(3), hpa_spec(1, 5, 50), 1.0, World(), 0)
