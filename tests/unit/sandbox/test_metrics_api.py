"""metrics.k8s.io: what shows when, by the rules of metrics-server v0.9.0 at 15 s."""

from __future__ import annotations

import pytest

from mlscale.sandbox.scenario import Crash, Demand, Service
from mlscale.sandbox.statuses import StatusError
from tests.unit.sandbox.lives import Json, Living, living, pod, small

PODS = "pods.metrics.k8s.io"
ANNOTATED = {"kwok.x-k8s.io/usage-cpu": "250m", "kwok.x-k8s.io/usage-memory": "128Mi"}


def measured(life: Living) -> dict[str, Json]:
    return {each["metadata"]["name"]: each for each in life.all(PODS)}


@pytest.mark.parametrize(
    ("created", "asked", "window"),
    [
        pytest.param(1, 14, None, id="not scraped yet"),
        pytest.param(1, 15, "14s", id="one scrape, at least 10 s after its start: measured from the start"),
        pytest.param(6, 29, None, id="one scrape, 9 s after its start: too fresh"),
        pytest.param(6, 30, "15s", id="the second scrape"),
    ],
)
def test_two_scrapes_or_a_fresh_start(created: float, asked: float, window: str | None) -> None:
    life = small()
    life.after(created)
    life.create(pod("other", app="other"))
    life.after(asked)
    assert measured(life).get("other", {}).get("window") == window


def test_a_pod_without_metrics_is_not_found() -> None:
    life = small()
    life.create(pod())
    with pytest.raises(StatusError) as refused:
        life.one(PODS, "web")
    assert refused.value.code == 404


def test_annotations_say_the_use_of_each_container() -> None:
    life = small()
    two = pod(annotations=ANNOTATED)
    two["spec"]["containers"].append({"name": "d", "image": "d"})
    life.create(two)
    life.after(60)
    used = {"cpu": "250m", "memory": "128Mi"}
    assert measured(life)["web"]["containers"] == [{"name": "c", "usage": used}, {"name": "d", "usage": used}]


def test_an_undescribed_pod_is_idle() -> None:
    life = small()
    life.create(pod("other", app="other"))
    life.after(60)
    assert measured(life)["other"] == {
        "metadata": {
            "name": "other",
            "namespace": "default",
            "creationTimestamp": "2026-11-25T08:01:00Z",
            "labels": {"app": "other"},
        },
        "timestamp": "2026-11-25T08:01:00Z",
        "window": "15s",
        "containers": [{"name": "c", "usage": {"cpu": "1m", "memory": "1Mi"}}],
    }


def test_traffic_is_measured_as_a_mean_over_the_window() -> None:
    life = small(service=Service(cpu_seconds=0.05, idle_cpu=0.0, memory=2**28), demand=Demand(base=10))
    life.create(pod())
    life.after(61)
    assert measured(life)["web"]["containers"] == [{"name": "c", "usage": {"cpu": "500m", "memory": "256Mi"}}]


def test_a_restart_takes_the_measurements_away_for_a_while() -> None:
    life = small(crash=Crash(after=100))
    life.create(pod())
    life.after(99)
    assert "web" in measured(life)
    life.after(106)  # Restarted at 101 s; scraped at 105 s, too fresh.
    assert "web" not in measured(life)
    life.after(121)
    assert "web" in measured(life)


def test_a_pod_that_ends_is_measured_no_more() -> None:
    life = small()
    life.create(pod())
    life.after(60)
    life.delete("web")
    assert measured(life) == {}


def test_nodes_use_what_their_pods_use_and_some_for_themselves() -> None:
    life = small()
    life.create(pod(annotations=ANNOTATED))
    life.after(29)
    assert life.all("nodes.metrics.k8s.io") == []
    life.after(60)
    (node,) = life.all("nodes.metrics.k8s.io")
    assert node["metadata"]["name"] == "node-0"
    assert node["usage"] == {"cpu": "350m", "memory": "640Mi"}


def test_labels_select() -> None:
    life = living("steady")
    metrics = life.api.list(life.api.resources[PODS], "default", labels="app=my-ml-model")["items"]
    assert len(metrics) == 3
    assert life.api.list(life.api.resources[PODS], "default", labels="app=other")["items"] == []
