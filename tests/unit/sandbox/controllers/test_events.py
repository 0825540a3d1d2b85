"""Events are counted, combined and limited as client-go does (tools/record/events_cache.go, v0.37.2)."""

from __future__ import annotations

from typing import Any

import pytest

from mlscale.sandbox.controllers.events import EventRecorder, SeriesRecorder
from mlscale.sandbox.verbs import CONTROLLER, SCHEDULER
from tests.unit.sandbox.controllers.simulated import SimulatedCluster

Json = dict[str, Any]

ABOUT: Json = {
    "apiVersion": "apps/v1",
    "kind": "ReplicaSet",
    "metadata": {"name": "web", "namespace": "default", "uid": "u", "resourceVersion": "7"},
}


@pytest.fixture
def cluster() -> SimulatedCluster:
    return SimulatedCluster(nodes=0)


@pytest.fixture
def recorder(cluster: SimulatedCluster) -> EventRecorder:
    return cluster.cluster.recorder("replicaset-controller")


@pytest.fixture
def series(cluster: SimulatedCluster) -> SeriesRecorder:
    names = cluster.cluster.event_names
    return SeriesRecorder(cluster.api, names, cluster.agenda, SCHEDULER, "default-scheduler", "default-scheduler-x")


def test_an_event_as_the_control_plane_writes_it(cluster: SimulatedCluster, recorder: EventRecorder) -> None:
    recorder.record(ABOUT, "Normal", "SuccessfulCreate", "Created pod: web-x")
    (event,) = cluster.all("Event")
    metadata = event.pop("metadata")
    assert event == {
        "apiVersion": "v1",
        "kind": "Event",
        "involvedObject": {
            "kind": "ReplicaSet", "namespace": "default", "name": "web", "uid": "u", "apiVersion": "apps/v1",
            "resourceVersion": "7",
        },
        "reason": "SuccessfulCreate",
        "message": "Created pod: web-x",
        "source": {"component": "replicaset-controller"},
        "firstTimestamp": "2026-11-25T08:00:00Z",
        "lastTimestamp": "2026-11-25T08:00:00Z",
        "count": 1,
        "type": "Normal",
        "eventTime": None,
        "reportingComponent": "replicaset-controller",
        "reportingInstance": "",
    }  # fmt: skip
    # web.18eb23593a791241: the name and the nanoseconds since 1970 in hexadecimal digits.
    assert int(metadata["name"].removeprefix("web."), 16) == 1_795_593_600_000_000_000


def test_the_same_again_is_counted(cluster: SimulatedCluster, recorder: EventRecorder) -> None:
    recorder.record(ABOUT, "Warning", "FailedCreate", "no")
    cluster.pass_time(70)
    recorder.record(ABOUT, "Warning", "FailedCreate", "no")
    (event,) = cluster.all("Event")
    assert (event["count"], event["firstTimestamp"], event["lastTimestamp"]) == (
        2, "2026-11-25T08:00:00Z", "2026-11-25T08:01:10Z",
    )  # fmt: skip


def test_from_ten_messages_of_a_reason_on_they_are_combined(cluster: SimulatedCluster, recorder: EventRecorder) -> None:
    for number in range(12):
        recorder.record(ABOUT, "Warning", "FailedCreate", f"no {number}")
    messages = sorted((event["message"], event["count"]) for event in cluster.all("Event"))
    assert messages == [("(combined from similar events): no 11", 3), *((f"no {number}", 1) for number in range(9))]


def test_after_ten_quiet_minutes_they_are_single_events_again(
    cluster: SimulatedCluster, recorder: EventRecorder
) -> None:
    for number in range(10):
        recorder.record(ABOUT, "Warning", "FailedCreate", f"no {number}")
    cluster.pass_time(601)
    recorder.record(ABOUT, "Warning", "FailedCreate", "no again")
    assert "no again" in [event["message"] for event in cluster.all("Event")]


def test_one_component_may_say_25_things_of_an_object_at_once(
    cluster: SimulatedCluster, recorder: EventRecorder
) -> None:
    for _ in range(40):
        recorder.record(ABOUT, "Warning", "FailedCreate", "no")
    assert cluster.all("Event")[0]["count"] == 25
    # Warnings used up do not keep what is normal from being said.
    recorder.record(ABOUT, "Normal", "SuccessfulCreate", "yes")
    assert len(cluster.all("Event")) == 2
    cluster.pass_time(300)
    recorder.record(ABOUT, "Warning", "FailedCreate", "no")
    recorder.record(ABOUT, "Warning", "FailedCreate", "no")
    assert sorted(event["count"] for event in cluster.all("Event")) == [1, 26]


def test_an_event_is_gone_an_hour_after_its_last_write(cluster: SimulatedCluster, recorder: EventRecorder) -> None:
    recorder.record(ABOUT, "Normal", "A", "a")
    cluster.pass_time(3000)
    recorder.record(ABOUT, "Normal", "A", "a")
    cluster.pass_time(3500)
    assert len(cluster.all("Event")) == 1
    cluster.pass_time(200)
    assert cluster.all("Event") == []
    recorder.record(ABOUT, "Normal", "A", "a")
    assert cluster.all("Event")[0]["count"] == 1


def test_two_recorders_at_one_moment_do_not_take_each_others_names(cluster: SimulatedCluster) -> None:
    for component in ("a", "b"):
        cluster.cluster.recorder(component, caller=CONTROLLER).record(ABOUT, "Normal", "Same", "same")
    assert len(cluster.all("Event")) == 2


def test_the_scheduler_makes_a_series_of_what_happens_again(cluster: SimulatedCluster, series: SeriesRecorder) -> None:
    series.record(ABOUT, "Warning", "FailedScheduling", "Scheduling", "no room")
    (event,) = cluster.all("Event")
    assert (event["eventTime"], event["firstTimestamp"], event["source"]) == ("2026-11-25T08:00:00.000000Z", None, {})
    assert (event["reportingComponent"], event["action"]) == ("default-scheduler", "Scheduling")
    assert "series" not in event
    cluster.pass_time(5)
    series.record(ABOUT, "Warning", "FailedScheduling", "Scheduling", "still no room")
    (event,) = cluster.all("Event")
    assert event["series"] == {"count": 2, "lastObservedTime": "2026-11-25T08:00:05.000000Z"}
    assert event["message"] == "no room"


def test_the_scheduler_says_it_anew_of_an_object_that_has_changed(
    cluster: SimulatedCluster, series: SeriesRecorder
) -> None:
    changed = {**ABOUT, "metadata": {**ABOUT["metadata"], "resourceVersion": "8"}}
    for about in (ABOUT, changed):
        series.record(about, "Warning", "FailedScheduling", "Scheduling", "no room")
    assert ["series" in event for event in cluster.all("Event")] == [False, False]
