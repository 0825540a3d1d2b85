"""Windows, steps and the size of answers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlscale.usage.model import Grid
from mlscale.usage.rates import (
    ANSWER_POINTS,
    ANSWER_SAMPLES,
    HISTORY_SAMPLES,
    plan_answers,
    plan_pods,
    plan_resolution,
    rate_window,
    scrape_interval,
)

DAY = 86_400.0


@pytest.mark.parametrize(
    ("counted", "seconds"),
    [
        (60, 30),
        (61, 30),  # Prometheus 2 counts both ends; taken as it is this would be 29.5 s
        (30, 60),
        (31, 60),  # 58.1
        (121, 15),
        (120, 15),
        (360, 5),
        (361, 5),
        (15, 120),
        (1800, 1),
        (None, 60),  # nothing seen
        (1, 60),  # one sample tells no interval
    ],
)
def test_the_scrape_interval_is_what_was_configured(counted: float | None, seconds: float) -> None:
    assert scrape_interval(counted) == seconds


def test_a_rate_spans_two_samples_even_where_a_scrape_was_missed() -> None:
    # A window of 75 s at a scrape interval of 60 s has two samples in a quarter of the steps only.
    assert rate_window(60) == 240


@pytest.mark.parametrize(
    ("interval", "series", "step", "window"),
    [
        (30, 200, 120, 120),  # each scrape in one rate
        (60, 200, 240, 240),
        (15, 200, 60, 60),
        (5, 200, 20, 20),
        (1, 200, 15, 15),  # finer than the HPA's sync tells nothing
        (30, 4_000, 120, 120),  # 20.2 million samples
        (30, 8_000, 240, 240),  # would be 40.3 million; the window grows too, so that no use falls between two points
    ],
)
def test_seven_days(interval: float, series: int, step: float, window: float) -> None:
    resolution = plan_resolution(0, 7 * DAY, interval, series)
    assert (resolution.fine.step, resolution.window) == (step, window)


def test_coarser_grids_stay_fine_enough_for_a_short_history() -> None:
    week, hour = plan_resolution(0, 7 * DAY, 30, 2), plan_resolution(0, 3600, 30, 2)
    assert (week.memory.step, week.requests.step) == (600, 3600)
    assert hour.fine.step == 60  # half the window: of so short a history every change counts
    assert (hour.memory.step, hour.requests.step) == (60, 60)


def test_grids_are_aligned_to_their_step_and_end_before_the_end() -> None:
    fine = plan_resolution(1_000_007, 1_003_601, 30, 1).fine
    assert (fine.start, fine.end) == (1_000_020, 1_003_560)


@given(
    start=st.floats(1e9, 2e9),
    span=st.floats(0, 40 * DAY),
    interval=st.floats(1, 600),
    series=st.integers(1, 100_000),
)
def test_what_is_read_is_bounded(start: float, span: float, interval: float, series: int) -> None:
    resolution = plan_resolution(start, start + span, interval, series)
    assert span / resolution.fine.step * series <= HISTORY_SAMPLES
    for grid in (resolution.fine, resolution.memory, resolution.requests):
        assert grid.size == 0 or (start <= grid.start and grid.end <= start + span + 1e-3)
    assert resolution.window >= resolution.fine.step


@given(size=st.integers(0, 60_000), series=st.integers(0, 3_000_000))
def test_answers_cover_the_grid_once_and_stay_small(size: int, series: int) -> None:
    grid = Grid(600.0, 30.0, size)
    # One point an answer is the least there can be; thousands of such answers would only slow the test.
    parts = list(plan_answers(grid, min(series, 2_500 if size > 500 else series)))
    assert sum(part.size for part in parts) == size
    at = grid.start
    for part in parts:
        assert part.start == at
        assert 0 < part.size <= ANSWER_POINTS
        assert part.size == 1 or part.size * min(series, 2_500) <= ANSWER_SAMPLES
        at = part.start + part.size * part.step


@given(
    pods=st.lists(st.integers(0, 10**6), unique=True, max_size=3_000).map(lambda ids: [f"p-{i}" for i in ids]),
    size=st.integers(1, 11_000),
    containers=st.integers(1, 3),
)
def test_each_pod_is_asked_for_once_and_answers_stay_small(pods: list[str], size: int, containers: int) -> None:
    parts = plan_pods(pods, Grid(600.0, 30.0, size), containers * len(pods))
    if not parts:
        assert len(pods) * containers * size <= ANSWER_SAMPLES or len(pods) > 100
        return
    assert [pod for part in parts for pod in part] == pods
    assert all(
        0 < len(part) <= 100 and len(part) * containers * size <= ANSWER_SAMPLES + containers * size for part in parts
    )


def test_the_pods_of_a_month_of_short_jobs_are_not_named() -> None:
    # 100,000 pods of which 200 ran at a time would be 1,000 questions in place of 5.
    assert plan_pods([f"p-{i}" for i in range(100_000)], Grid(0, 120, 5_040), 200) == []
