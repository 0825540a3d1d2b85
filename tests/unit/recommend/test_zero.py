"""Scaling to zero: what it saves, and KEDA's object for it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from mlscale.recommend import manifests
from mlscale.recommend.manifests import ZeroScaling, scaled_object
from mlscale.recommend.zero import read_rest
from tests.unit.recommend.objects import TARGET, container, deployment, facts, history, hpa, minutes
from tests.unit.recommend.test_verdict import answer

if TYPE_CHECKING:
    from mlscale.recommend.evidence import WorkloadFacts
    from mlscale.usage.model import FloatArray, History

Json = dict[str, Any]

MODEL = container(cpu="500m", memory="512Mi", cpu_limit="1", memory_limit="1Gi")


def load(busy_hours: float, days: float = 4.0, height: float = 20.0) -> FloatArray:
    """Requests a second: ``height`` for the first hours of each day, none for the rest."""
    hour = (minutes(days) - minutes(days)[0]) / 3600.0 % 24.0
    return np.where(hour < busy_hours, height, 0.0)


def used(rate: FloatArray, **signals: FloatArray) -> History:
    """Two pods all the time, whose CPU follows the requests."""
    return history(0.01 + 0.05 * rate, 2.0, signals={"request_rate": rate, **signals})


def at(keda: bool = True, **known: Any) -> WorkloadFacts:
    return replace(facts(deployment(MODEL, replicas=2), **known), keda=keda)


def test_what_is_saved_leaves_the_cooldown_out() -> None:
    rest = read_rest(used(load(busy_hours=8)))
    assert rest is not None
    assert rest.share == pytest.approx(16 / 24, abs=0.001)
    assert rest.stretches == pytest.approx(1.0)
    # 16 hours less 5 minutes, of two pods.
    assert rest.saved_pod_hours == pytest.approx(2 * (16 - 5 / 60), abs=0.05)
    assert rest.saved_share == pytest.approx((16 - 5 / 60) / 24, abs=0.002)
    assert rest.rate_per_pod == pytest.approx(10.0)
    assert rest.pays


def test_short_rests_save_nothing() -> None:
    rate = np.where(np.arange(load(8).size) % 6 < 4, 0.0, 20.0)
    rest = read_rest(used(rate))
    assert rest is not None
    assert rest.share > 0.6
    assert (rest.saved_pod_hours, rest.stretches, rest.pays) == (0.0, 0.0, False)


@pytest.mark.parametrize("signal", ["running_requests", "queue_length"])
def test_a_time_in_which_a_request_runs_or_waits_is_none_of_rest(signal: str) -> None:
    rate = load(busy_hours=8)
    rest = read_rest(used(rate, **{signal: np.ones_like(rate)}))
    assert rest is not None
    assert (rest.share, rest.pays) == (0.0, False)


def test_without_a_signal_of_requests_nothing_is_said() -> None:
    assert read_rest(history(0.05 * load(busy_hours=8), 2.0)) is None


def test_a_workload_that_never_had_a_request_has_nothing_to_scale_by() -> None:
    rest = read_rest(used(load(busy_hours=0)))
    assert rest is not None
    assert (rest.share, rest.pays) == (1.0, False)


def test_with_keda_it_is_a_step_of_the_answer() -> None:
    one = answer(at(), used(load(busy_hours=8)))
    last = one.steps[-1]
    assert (last.method, last.command) == ("autoscale-metric", "")
    assert "which saves 31.8 pod-hours a day, for 1 cold start a day" in last.why
    assert last.manifest is not None
    assert last.manifest["kind"] == "ScaledObject"
    trigger = last.manifest["spec"]["triggers"][0]
    assert trigger["metadata"]["threshold"] == "8"
    assert not any("scale it to zero" in note for note in one.notes)


@pytest.mark.parametrize(
    "known",
    [{"keda": False}, {"scaled_objects": [{"metadata": {"name": "web"}, "spec": {"scaleTargetRef": {"name": "web"}}}]}],
    ids=["KEDA is not there", "KEDA scales it already"],
)
def test_nothing_is_made_that_nobody_or_somebody_else_acts_on(known: Any) -> None:
    one = answer(at(**known), used(load(busy_hours=8)))
    assert not any((step.manifest or {}).get("kind") == "ScaledObject" for step in one.steps)


def test_without_keda_the_saving_is_told() -> None:
    one = answer(at(keda=False), used(load(busy_hours=8)))
    (note,) = [note for note in one.notes if "KEDA" in note]
    assert note.startswith("no requests come 67 % of the time: KEDA, which is not installed, could scale it to zero")
    assert "31.8 pod-hours" in note


def test_a_load_that_rests_little_is_left_alone() -> None:
    one = answer(at(), used(load(busy_hours=20)))
    assert not any("to zero" in text for text in (*one.notes, *(step.why for step in one.steps)))


def test_an_hpa_that_is_there_is_taken_over() -> None:
    one = answer(at(hpas=[hpa(2, 9, 60, name="other")]), used(load(busy_hours=8)))
    spec = (one.steps[-1].manifest or {})["spec"]
    assert spec["advanced"]["horizontalPodAutoscalerConfig"]["name"] == "other"


@pytest.mark.parametrize(
    ("low", "counts"),
    [(1, {"minReplicaCount": 0}), (3, {"idleReplicaCount": 0, "minReplicaCount": 3})],
    ids=["one pod", "three pods"],
)
def test_the_scaled_object(low: int, counts: Json) -> None:
    made = scaled_object(TARGET, ZeroScaling(low, 9, 12.5, 300.0))
    assert made["metadata"] == {"name": "web", "namespace": "shop"}
    assert made["spec"] == {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
        **counts,
        "maxReplicaCount": 9,
        "cooldownPeriod": 300,
        "triggers": [
            {
                "type": "prometheus",
                "metadata": {
                    "serverAddress": manifests.PROMETHEUS_PLACE,
                    "query": manifests.REQUESTS_PLACE,
                    "threshold": "12.5",
                },
            }
        ],
    }


def test_gpu_hours_are_counted_too() -> None:
    workload = deployment(container(cpu="2", memory="16Gi", gpu="2"), replicas=2)
    rate = load(busy_hours=8)
    known = replace(facts(workload), keda=False)
    one = answer(known, used(rate, gpu_utilization=np.where(rate > 0, 0.6, 0.0)))
    assert any("31.8 pod-hours and 63.7 GPU-hours a day" in note for note in one.notes)
