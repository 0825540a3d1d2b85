"""From rows of pods to a workload's history."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlscale.kube.kinds import DEPLOYMENT
from mlscale.kube.targets import Target
from mlscale.usage.assemble import Recorded, SignalRows, assemble
from mlscale.usage.model import Grid, History, Row, Series
from mlscale.usage.workloads import Resources, Workload

NONE = math.nan
GRID = Grid(6000.0, 60.0, 12)
COARSE = Grid(6000.0, 120.0, 6)


def row(*values: float, first: int = 0) -> Row:
    return Row(first, np.array(values))


def recorded(cpu: dict[str, dict[str, Row]], **more: Any) -> Recorded:
    known: dict[str, Any] = {"source": "test", "fine": GRID, "cpu": cpu, "coarse": COARSE, "memory": {}}
    return Recorded(**known | more)


def history(found: Recorded, containers: dict[str, Resources] | None = None) -> History:
    workload = Workload(Target(DEPLOYMENT, "shop", "web"), containers or {})
    return assemble(workload, sorted(found.cpu), found)


def at(series: Series) -> dict[float, float]:
    """The values by index on the fine grid."""
    return dict(zip(((series.times - GRID.start) / GRID.step).tolist(), series.values.tolist(), strict=True))


def test_pods_that_come_and_go_add_up() -> None:
    found = history(recorded({"a": {"app": row(1, 1, 1)}, "b": {"app": row(2, 2, first=2)}}))
    assert at(found.cpu) == {0: 1, 1: 1, 2: 3, 3: 2}
    assert at(found.pods) == {0: 1, 1: 1, 2: 2, 3: 1}
    assert at(found.containers["app"].cpu) == {0: 1, 1: 1, 2: 2, 3: 2}


def test_containers_of_a_pod_add_up_and_are_one_pod() -> None:
    found = history(recorded({"a": {"app": row(1, 1), "proxy": row(0.5, first=1)}}))
    assert at(found.cpu) == {0: 1, 1: 1.5}
    assert at(found.pods) == {0: 1, 1: 1}


def test_a_missed_scrape_of_one_pod_does_not_look_like_less_demand() -> None:
    found = history(recorded({"a": {"app": row(1, NONE, 3)}, "b": {"app": row(1, 1, 1)}}))
    assert at(found.cpu) == {0: 2, 1: 3, 2: 4}
    assert at(found.pods) == {0: 2, 1: 2, 2: 2}


@pytest.mark.parametrize(("missing", "gaps"), [(5, ()), (6, ((6000.0, 6420.0),))])
def test_a_hole_is_bridged_up_to_five_minutes(missing: int, gaps: tuple[tuple[float, float], ...]) -> None:
    found = history(recorded({"a": {"app": row(1, *[NONE] * missing, 1)}}))
    assert found.gaps == gaps
    assert found.cpu.values.size == (2 if gaps else missing + 2)


def test_samples_of_other_pods_are_left_out() -> None:
    everything = recorded(
        {"a": {"app": row(1)}, "foreign": {"app": row(9)}},
        restarts={"foreign": {"app": 7.0}, "a": {"app": 1.0}},
        signals={"queue_length": SignalRows("sum", {"foreign": row(9)})},
    )
    found = assemble(Workload(Target(DEPLOYMENT, "shop", "web")), ["a"], everything)
    assert (at(found.cpu), found.containers["app"].restarts, found.signals) == ({0: 1}, 1, {})


def test_no_pods_give_an_empty_history() -> None:
    found = history(recorded({}))
    assert (found.cpu.times.size, found.span, found.gaps, dict(found.containers)) == (0, 0, (), {})


def test_containers_of_the_template_come_first_and_injected_ones_too() -> None:
    cpu = {"a": {"injected": row(1), "web": row(1), "app": row(1)}}
    found = history(recorded(cpu), {"web": Resources(cpu_limit=2), "app": Resources(), "unseen": Resources()})
    assert list(found.containers) == ["web", "app", "injected"]
    assert (found.containers["web"].cpu_limit, found.containers["injected"].cpu_limit) == (2, None)


def test_a_request_holds_until_the_next() -> None:
    # Sampled at the end of each step: 0.5 stands for the time before 6120, 1.0 for what follows.
    found = history(
        recorded({"a": {"app": row(1)}}, coarsest=COARSE, cpu_requests={"a": {"app": row(0.5, 0.5, 1, 1, 1, 1)}})
    )
    request = found.containers["app"].cpu_request
    assert request is not None
    assert (request.times.tolist(), request.values.tolist()) == ([5880, 6120], [0.5, 1])


@pytest.mark.parametrize(("now", "values"), [(0.25, [0.25]), (None, None)])
def test_without_recorded_requests_the_template_speaks(now: float | None, values: list[float] | None) -> None:
    request = history(recorded({"a": {"app": row(1)}}), {"app": Resources(cpu_request=now)}).containers["app"]
    assert (request.cpu_request.values.tolist() if request.cpu_request else None) == values
    assert request.memory_request is None


def test_throttling_is_none_where_there_is_no_quota() -> None:
    throttled = {"a": {"app": row(0.1, 0.4), "proxy": Row(0, np.array([]))}, "b": {"app": row(0.3, 0.2)}}
    found = history(recorded({pod: {"app": row(1), "proxy": row(1)} for pod in "ab"}, throttled=throttled)).containers
    assert found["app"].throttled is not None
    assert found["app"].throttled.values.tolist() == [0.3, 0.4]
    assert found["proxy"].throttled is None


@pytest.mark.parametrize(
    ("over_pods", "expected"),
    [("sum", {0: 1, 1: 5, 2: 3}), ("max", {0: 1, 1: 3, 2: 3}), ("mean", {0: 1, 1: 2.5, 2: 3})],
)
def test_signals_of_several_pods_are_made_one(over_pods: str, expected: dict[float, float]) -> None:
    rows = {"a": row(1, 2), "b": row(3, 3, first=1)}
    found = recorded({pod: {"app": row(1)} for pod in "ab"}, signals={"queue_length": SignalRows(over_pods, rows)})
    assert at(history(found).signals["queue_length"]) == expected


def test_histories_without_gaps_share_their_times() -> None:
    full = recorded({"a": {"app": row(*[1] * 12)}})
    one, other = history(full), history(full)
    assert one.cpu.times is one.pods.times is one.containers["app"].cpu.times is other.cpu.times


ROWS = st.builds(
    lambda first, values: Row(first, np.array(values[: GRID.size - first])),
    st.integers(0, GRID.size - 1),
    st.lists(st.floats(0, 100) | st.just(NONE), min_size=1, max_size=GRID.size),
)


@given(st.dictionaries(st.sampled_from("abcd"), st.dictionaries(st.sampled_from(["app", "proxy"]), ROWS, min_size=1)))
def test_laws(cpu: dict[str, dict[str, Row]]) -> None:
    found = history(recorded(cpu))
    assert np.isfinite(found.cpu.values).all()
    assert (np.diff(found.cpu.times) > 0).all()
    assert (found.pods.values >= 1).all()
    assert (found.pods.values <= len(cpu)).all()
    for use in found.containers.values():
        # No pod uses more than all of them, but for rounding.
        total = at(found.cpu)
        assert all(value <= total[index] * (1 + 1e-9) for index, value in at(use.cpu).items())
    assert all(end - start > GRID.step for start, end in found.gaps)
