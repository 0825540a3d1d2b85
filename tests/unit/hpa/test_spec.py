"""From options to a manifest."""

from __future__ import annotations

from typing import Any

import pytest

from mlscale.errors import UsageError
from mlscale.hpa.spec import HpaOptions, build_hpa, parse_settings, printed_object
from mlscale.kube.kinds import DEPLOYMENT, SERVICE, Kind
from mlscale.kube.targets import Target

WEB = Target(DEPLOYMENT, "lab", "web")


def kind_of(_: str) -> Kind:
    return SERVICE


def manifest(**options: Any) -> dict[str, Any]:
    return build_hpa("web", WEB, parse_settings(HpaOptions(**options), kind_of))


def test_the_manifest() -> None:
    assert manifest(min="2", max="5", cpu="50", memory="70%") == {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "web", "namespace": "lab"},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
            "minReplicas": 2,
            "maxReplicas": 5,
            "metrics": [
                {
                    "type": "Resource",
                    "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}},
                },
                {
                    "type": "Resource",
                    "resource": {"name": "memory", "target": {"type": "Utilization", "averageUtilization": 70}},
                },
            ],
        },
    }


def test_what_is_not_given_is_left_to_the_server() -> None:
    """A default sent along would be owned by mlscale, and another manager could not set it any more."""
    assert set(manifest(max="5")["spec"]) == {"scaleTargetRef", "maxReplicas"}


def test_behavior_and_custom_metrics() -> None:
    spec = manifest(min="0", max="5", metrics=("external:q=avg:3", "pods:rps=1"), scale_down="window=0")["spec"]
    assert [metric["type"] for metric in spec["metrics"]] == ["External", "Pods"]
    assert spec["behavior"] == {"scaleDown": {"stabilizationWindowSeconds": 0}}
    assert spec["minReplicas"] == 0


def test_container_holds_for_both_resources() -> None:
    metrics = manifest(max="5", cpu="50%", memory="1Gi", container="server")["spec"]["metrics"]
    assert [metric["containerResource"]["container"] for metric in metrics] == ["server", "server"]


@pytest.mark.parametrize(
    ("options", "wrong", "right"),
    [
        ({}, "--max is required", "--max 5"),
        ({"max": "0"}, "--max '0' is less than 1", "from 1"),
        ({"max": "-1"}, "--max '-1' is less than 1", "from 1"),
        ({"max": "five"}, "not a whole number", "such as --max 5"),
        ({"max": "0x5"}, "not a whole number", "such as --max 5"),
        ({"max": "2147483648"}, "more than 2147483647", "to 2147483647"),
        ({"max": "9" * 5000}, "more than 2147483647", "to 2147483647"),
        ({"max": "5", "min": "6"}, "--min 6 is more than --max 5", "at least --min"),
        ({"max": "5", "min": "-3"}, "--min '-3' is less than 0", "from 0"),
        ({"max": "5", "min": "0", "cpu": "50%"}, "--min 0 needs a metric that exists without pods", "--min 1"),
        ({"max": "5", "min": "0", "metrics": ("pods:rps=1",)}, "--min 0 needs a metric", "--min 1"),
        ({"max": "5", "cpu": "50%", "cpu_percent": "60"}, "mutually exclusive", "--cpu 50%"),
        ({"max": "5", "container": "server"}, "--container was given without", "what of the container"),
        ({"max": "5", "cpu": "50%", "container": "A"}, "--container 'A' is not a valid name", "lower-case"),
    ],
)
def test_refused(options: dict[str, Any], wrong: str, right: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_settings(HpaOptions(**options), kind_of)
    assert wrong in refused.value.message
    assert right in refused.value.hint
    assert len(str(refused.value)) < 300


def test_int32_is_the_largest() -> None:
    assert manifest(min="1", max="2147483647")["spec"]["maxReplicas"] == 2147483647


def test_notes_say_how_options_were_read() -> None:
    def reasons(**options: Any) -> list[str]:
        return [note.reason for note in parse_settings(HpaOptions(max="5", **options), kind_of).notes]

    assert reasons(cpu="50", memory="70") == ["ReadAsPercent", "ReadAsPercent"]
    assert reasons(cpu="50%") == []
    assert reasons(cpu_percent="50") == []
    assert reasons() == ["DefaultMetric"]


def test_settings_know_the_servers_defaults() -> None:
    settings = parse_settings(HpaOptions(max="5"), kind_of)
    assert settings.effective_min == 1
    assert settings.effective_metrics[0]["resource"]["target"]["averageUtilization"] == 80


def test_a_manifest_is_printed_as_kubectl_does() -> None:
    printed = printed_object(manifest(max="5"))
    assert printed["metadata"] == {"name": "web"}
    assert printed["status"] == {"currentMetrics": None, "desiredReplicas": 0}


def test_an_answer_is_printed_without_managed_fields() -> None:
    answer = manifest(max="5")
    answer["metadata"] |= {"uid": "u", "managedFields": [{}]}
    answer["status"] = {"desiredReplicas": 3, "currentMetrics": None}
    printed = printed_object(answer)
    assert printed["metadata"] == {"name": "web", "namespace": "lab", "uid": "u"}
    assert printed["status"] == {"currentMetrics": None, "desiredReplicas": 3}
    assert "managedFields" in answer["metadata"]
