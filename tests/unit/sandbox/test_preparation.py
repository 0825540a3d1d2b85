"""The quality of service of a pod (pkg/apis/core/v1/helper/qos, v1.37.2)."""

from __future__ import annotations

from typing import Any

import pytest

from mlscale.sandbox.preparation import generated_name, quality_of_service

FULL = {"cpu": "1", "memory": "1Gi"}


def container(requests: object = None, limits: object = None) -> dict[str, Any]:
    resources = {"requests": requests, "limits": limits}
    return {"name": "c", "resources": {key: value for key, value in resources.items() if value}}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"containers": [container()]}, "BestEffort"),
        ({"containers": [{"name": "c"}]}, "BestEffort"),
        ({"containers": [container(FULL, FULL)]}, "Guaranteed"),
        ({"containers": [container({"cpu": "1000m", "memory": "1024Mi"}, FULL)]}, "Guaranteed"),
        ({"containers": [container(FULL)]}, "Burstable"),
        ({"containers": [container({"cpu": "1"}, {"cpu": "1"})]}, "Burstable"),
        ({"containers": [container({**FULL, "cpu": "500m"}, FULL)]}, "Burstable"),
        ({"containers": [container(FULL, FULL), container()]}, "Burstable"),
        ({"containers": [container(FULL, FULL)], "initContainers": [container()]}, "Burstable"),
        ({"containers": [container()], "resources": {"requests": FULL, "limits": FULL}}, "Guaranteed"),
        ({"containers": [container({"nvidia.com/gpu": 1}, {"nvidia.com/gpu": 1})]}, "BestEffort"),
    ],
)
def test_quality_of_service(spec: dict[str, Any], expected: str) -> None:
    assert quality_of_service(spec) == expected


class _First:
    def choices(self, letters: str, k: int) -> list[str]:
        return [letters[0]] * k


def test_a_long_prefix_is_cut_so_that_the_name_fits() -> None:
    assert generated_name("x" * 70, _First()) == "x" * 58 + "bbbbb"  # type: ignore[arg-type]
