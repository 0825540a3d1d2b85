"""HPAs in autoscaling/v1, as Kubernetes 1.37.2 shows one that was stored in the other version."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mlscale.sandbox.server.hpa_v1 import as_v1, from_v1

Json = dict[str, Any]

TARGET = {"kind": "Deployment", "name": "w", "apiVersion": "apps/v1"}
PREFIX = "autoscaling.alpha.kubernetes.io/"


def utilization(name: str, percentage: int) -> Json:
    target = {"type": "Utilization", "averageUtilization": percentage}
    return {"type": "Resource", "resource": {"name": name, "target": target}}


CPU, MEMORY = utilization("cpu", 50), utilization("memory", 70)
SCALE_UP = {"scaleUp": {"selectPolicy": "Max"}}


def stored(*metrics: Json, **more: Any) -> Json:
    spec = {"scaleTargetRef": TARGET, "minReplicas": 1, "maxReplicas": 3, "metrics": list(metrics)}
    status = {"desiredReplicas": 0, "currentMetrics": None}
    metadata = {"name": "h"}
    typed = {"kind": "HorizontalPodAutoscaler", "apiVersion": "autoscaling/v2"}
    return {**typed, "metadata": metadata, "spec": {**spec, **more}, "status": status}


def test_a_cpu_target_has_a_field_of_its_own() -> None:
    shown = as_v1(stored(CPU))
    assert shown["apiVersion"] == "autoscaling/v1"
    assert shown["spec"] == {
        "scaleTargetRef": TARGET, "minReplicas": 1, "maxReplicas": 3, "targetCPUUtilizationPercentage": 50,
    }  # fmt: skip
    assert shown["status"] == {"currentReplicas": 0, "desiredReplicas": 0}
    assert "annotations" not in shown["metadata"]


def test_the_rest_goes_into_annotations() -> None:
    behavior = {"scaleDown": {"stabilizationWindowSeconds": 10}}
    condition = {"type": "AbleToScale", "status": "True"}
    hpa = stored(MEMORY, CPU, behavior=behavior)
    hpa["status"] |= {"conditions": [condition], "currentReplicas": 2}
    shown = as_v1(hpa)
    annotations = {key: json.loads(text) for key, text in shown["metadata"]["annotations"].items()}
    assert annotations == {
        f"{PREFIX}metrics": [MEMORY],
        f"{PREFIX}behavior": behavior,
        f"{PREFIX}conditions": [condition],
    }
    assert shown["status"]["currentReplicas"] == 2
    assert shown["spec"].keys() == {"scaleTargetRef", "minReplicas", "maxReplicas", "targetCPUUtilizationPercentage"}


def test_the_current_cpu_is_a_number() -> None:
    hpa = stored(CPU)
    current = {"averageUtilization": 40, "averageValue": "200m"}
    hpa["status"]["currentMetrics"] = [{"type": "Resource", "resource": {"name": "cpu", "current": current}}]
    assert as_v1(hpa)["status"]["currentCPUUtilizationPercentage"] == 40


def test_a_list_is_one_of_v1() -> None:
    bare = {key: value for key, value in stored(CPU).items() if key not in ("kind", "apiVersion")}
    listed = as_v1({"kind": "HorizontalPodAutoscalerList", "apiVersion": "autoscaling/v2", "items": [bare]})
    assert listed["apiVersion"] == "autoscaling/v1"
    assert listed["items"][0]["spec"]["targetCPUUtilizationPercentage"] == 50
    assert "apiVersion" not in listed["items"][0]


def test_a_status_is_left_alone() -> None:
    status = {"kind": "Status", "status": "Success"}
    assert as_v1(status) == status


@pytest.mark.parametrize(
    "hpa",
    [stored(CPU), stored(CPU, MEMORY), stored(MEMORY), stored(CPU, behavior={"scaleUp": {"selectPolicy": "Max"}})],
)
def test_there_and_back(hpa: Json) -> None:
    back = from_v1(as_v1(hpa))
    assert back["apiVersion"] == "autoscaling/v2"
    assert back["spec"] == hpa["spec"]


def test_an_annotation_that_is_no_json_is_dropped() -> None:
    body = {"metadata": {"name": "h", "annotations": {f"{PREFIX}metrics": "{", "own": "1"}}, "spec": {"maxReplicas": 3}}
    read = from_v1(body)
    assert read["metadata"]["annotations"] == {"own": "1"}
    assert "metrics" not in read["spec"]
