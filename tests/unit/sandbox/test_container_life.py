"""A container's life: each back-off and event is that of kubernetes pkg/kubelet, v1.37.2."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlscale.sandbox.container_life import (
    ContainerLife,
    ContainerPlan,
    Happening,
    Probe,
    State,
    advance,
    begin,
    image_size,
    killed,
)

START = datetime(2026, 11, 25, 8, 0, tzinfo=UTC)
POD = "web-1_default(00000000-0000-4000-8000-000000000001)"
PLAN = ContainerPlan("c", "registry.example.com/web:1")
MISSING = replace(PLAN, pull=30.0, missing=True)


def lived(plan: ContainerPlan, seconds: float) -> tuple[ContainerLife, list[Happening]]:
    life, first = begin(plan, START)
    life, later = advance(life, START + timedelta(seconds=seconds), POD)
    return life, first + later


def moments(plan: ContainerPlan, seconds: int, state: State) -> list[int]:
    """The seconds at which the container came into a state."""
    life, _ = begin(plan, START)
    found = []
    for second in range(seconds):
        before = life
        life, _ = advance(life, START + timedelta(seconds=second), POD)
        if life.state is state and (before.state is not state or before.since != life.since):
            found.append(second)
    return found


def test_an_image_that_is_there_starts_at_once() -> None:
    life, happened = lived(PLAN, 0)
    assert (life.state, life.ready, life.due) == (State.RUNNING, True, None)
    assert [each.reason for each in happened] == ["Pulled", "Created", "Started"]
    assert happened[0].message == (
        'Container image "registry.example.com/web:1" already present on machine and can be accessed by the pod'
    )


def test_an_image_is_pulled_first() -> None:
    plan = replace(PLAN, pull=2.5)
    assert lived(plan, 2.4)[0].state is State.CREATING
    life, happened = lived(plan, 2.5)
    assert life.running
    size = image_size(plan.image)
    assert [(each.reason, each.message) for each in happened] == [
        ("Pulling", 'Pulling image "registry.example.com/web:1"'),
        (
            "Pulled",
            'Successfully pulled image "registry.example.com/web:1" in 2.5s (2.5s including waiting). '
            f"Image size: {size} bytes.",
        ),
        ("Created", "Container created"),
        ("Started", "Container started"),
    ]


def test_an_image_that_is_missing_is_asked_for_ever_less_often() -> None:
    # Back-offs of 10, 20, 40, 80, 160 and 300 s, each from the failure before; the first fails after 1 s.
    assert moments(MISSING, 1000, State.PULL_FAILED) == [1, 11, 31, 71, 151, 311, 611, 911]
    assert moments(MISSING, 40, State.PULL_BACKOFF) == [2, 12, 32]


def test_events_of_a_missing_image() -> None:
    _, happened = lived(MISSING, 2)
    assert [(each.type, each.reason) for each in happened] == [
        ("Normal", "Pulling"),
        ("Warning", "Failed"),
        ("Warning", "Failed"),
        ("Normal", "BackOff"),
        ("Warning", "Failed"),
    ]
    assert [each.message for each in happened[2:]] == [
        "Error: ErrImagePull",
        'Back-off pulling image "registry.example.com/web:1"',
        "Error: ImagePullBackOff",
    ]


def test_a_crash_is_restarted_at_once_and_then_ever_later() -> None:
    # Each run lasts 5 s. First restart after the 1 s that the end is shown; then 10, 20, 40, 80 s after the end.
    plan = replace(PLAN, crash_after=5.0)
    assert moments(plan, 220, State.RUNNING) == [0, 6, 21, 46, 91, 176]


def test_a_restart_counts_and_remembers_the_end() -> None:
    life, happened = lived(replace(PLAN, crash_after=5.0, exit_code=3), 8)
    assert (life.restarts, life.running) == (1, True)
    assert life.last is not None
    assert (life.last.reason, life.last.exit_code, life.last.finished) == ("Error", 3, START + timedelta(seconds=5))
    assert "BackOff" not in [each.reason for each in happened]


def test_a_back_off_is_told() -> None:
    life, happened = lived(replace(PLAN, crash_after=5.0), 12)
    assert (life.state, life.backoff) == (State.CRASH_BACKOFF, 10)
    assert happened[-1] == Happening("Warning", "BackOff", f"Back-off restarting failed container c in pod {POD}")


@pytest.mark.parametrize(
    ("run", "waits"),
    [
        pytest.param(590.0, True, id="under ten minutes: the back-off goes on growing"),
        pytest.param(601.0, False, id="over ten minutes: it is forgotten, and the restart comes at once"),
    ],
)
def test_a_long_run_forgets_the_back_off(run: float, waits: bool) -> None:
    life, _ = lived(PLAN, 0)
    life = killed(life, START, "OOMKilled", 137)
    life, _ = advance(life, START + timedelta(seconds=1), POD)
    assert life.running
    end = START + timedelta(seconds=1 + run)
    life, _ = advance(killed(life, end, "OOMKilled", 137), end + timedelta(seconds=2), POD)
    assert (life.state is State.CRASH_BACKOFF) is waits


def test_without_restarts_an_end_is_the_end() -> None:
    life, _ = lived(replace(PLAN, crash_after=5.0, restarts=False), 10_000)
    assert (life.state, life.restarts, life.due) == (State.ENDED, 0, None)


@pytest.mark.parametrize(
    ("load", "delay", "period", "ready_at"),
    [
        pytest.param(0, 0, 10, 1, id="loaded at once: ready at the first probe"),
        pytest.param(12, 0, 5, 16, id="probes at 1, 6, 11 and 16 s: the fourth is the first after the load"),
        pytest.param(12, 30, 5, 30, id="the first probe comes late"),
        pytest.param(30, 30, 5, 30, id="loaded just in time for the first"),
        pytest.param(31, 30, 5, 35, id="a second too late for it"),
    ],
)
def test_ready_at_the_first_probe_after_the_load(load: float, delay: float, period: float, ready_at: float) -> None:
    plan = replace(PLAN, load=load, probe=Probe(delay, period, "httpGet"))
    assert not lived(plan, ready_at - 0.5)[0].ready
    assert lived(plan, ready_at)[0].ready


def test_probes_that_fail_are_told() -> None:
    _, happened = lived(replace(PLAN, load=12.0, probe=Probe(0, 5, "httpGet")), 60)
    told = [each for each in happened if each.reason == "Unhealthy"]
    assert told == 3 * [
        Happening("Warning", "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503")
    ]


def test_without_a_probe_it_is_ready_before_it_is_loaded() -> None:
    life, _ = lived(replace(PLAN, load=60.0), 1)
    assert life.ready
    assert not life.loaded(START + timedelta(seconds=59))
    assert life.loaded(START + timedelta(seconds=60))


PLANS = st.builds(
    ContainerPlan,
    name=st.just("c"),
    image=st.just("web:1"),
    pull=st.none() | st.floats(0, 60),
    missing=st.booleans(),
    load=st.floats(0, 300),
    probe=st.none() | st.builds(Probe, st.floats(0, 30), st.floats(1, 30), st.just("httpGet")),
    crash_after=st.none() | st.floats(1, 900),
)


@given(PLANS, st.lists(st.floats(0, 400), min_size=1, max_size=12))
def test_it_does_not_matter_how_often_one_looks(plan: ContainerPlan, pauses: list[float]) -> None:
    life, events = begin(plan, START)
    now = START
    for pause in pauses:
        now += timedelta(seconds=pause)
        life, more = advance(life, now, POD)
        events = events + more
    assert (life, events) == lived(plan, (now - START).total_seconds())


@given(PLANS, st.floats(0, 5000))
def test_laws_of_every_state(plan: ContainerPlan, seconds: float) -> None:
    life, _ = lived(plan, seconds)
    now = START + timedelta(seconds=seconds)
    assert life.backoff in (0, 10, 20, 40, 80, 160, 300)
    assert life.since <= now
    assert life.due is None or life.due > now
    assert life.running or not life.ready
    assert (life.restarts == 0) or life.last is not None
