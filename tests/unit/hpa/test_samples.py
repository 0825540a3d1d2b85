"""Pods and PodMetrics of the API as facts of the calculator."""

from __future__ import annotations

from typing import Any

import pytest

from mlscale.hpa.pod_groups import PodFacts, Sample
from mlscale.hpa.samples import pod_facts, resource_samples

Json = dict[str, Any]


def pod_metrics(*containers: tuple[str, Json], window: str = "15.5s") -> Json:
    listed = [{"name": name, "usage": usage} for name, usage in containers]
    moment = "1970-01-01T00:01:40Z"
    return {"metadata": {"name": "web"}, "timestamp": moment, "window": window, "containers": listed}


@pytest.mark.parametrize(
    ("containers", "container", "use"),
    [
        ([("c", {"cpu": "1500001n"})], "", 2),  # rounded up for each container
        ([("c", {"cpu": "1n"}), ("d", {"cpu": "1n"})], "", 2),
        ([("c", {"memory": "1Mi"})], "", None),
        ([("c", {"cpu": "5m"}), ("d", {"memory": "1"})], "", None),  # one container without: the pod is missing
        ([("c", {"cpu": "5m"}), ("d", {"memory": "1"})], "c", 5),
        ([("c", {"cpu": "5m"})], "d", None),
        ([], "", None),
    ],
)
def test_the_use_of_a_pod(containers: list[tuple[str, Json]], container: str, use: int | None) -> None:
    found = resource_samples([pod_metrics(*containers)], "cpu", container)
    assert found == ({} if use is None else {"web": Sample(use, 100.0, 15.5)})


@pytest.mark.parametrize(
    ("text", "seconds"), [("15s", 15.0), ("1m0s", 60.0), ("1m0.5s", 60.5), ("500ms", 0.5), ("1h2m", 3720.0), ("", 0.0)]
)
def test_windows(text: str, seconds: float) -> None:
    found = resource_samples([pod_metrics(("c", {"cpu": "1m"}), window=text)], "cpu")
    assert found["web"].window == seconds


def test_a_pod() -> None:
    status = {
        "phase": "Running",
        "startTime": "1970-01-01T00:00:10Z",
        "conditions": [{"type": "Ready", "status": "False", "lastTransitionTime": "1970-01-01T00:00:20Z"}],
    }
    metadata = {"name": "web", "deletionTimestamp": "1970-01-01T00:01:00Z"}
    assert pod_facts({"metadata": metadata, "status": status}) == PodFacts("web", "Running", True, "False", 20.0, 10.0)
    bare = PodFacts("web", "Pending", False, None, 0.0, None)
    assert pod_facts({"metadata": {"name": "web"}, "status": {"phase": "Pending"}}) == bare
