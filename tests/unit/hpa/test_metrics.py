"""Spellings of --cpu, --memory and --metric, and what each comes to."""

from __future__ import annotations

from typing import Any

import pytest

from mlscale.errors import NotFoundError, UsageError
from mlscale.hpa.metrics import bare_number_note, custom_metric, percent_metric, resource_metric, scales_to_zero
from mlscale.kube.kinds import SERVICE, Kind, built_in_kind

INGRESS = Kind("networking.k8s.io", "v1", "Ingress", "ingresses")


def kind_of(word: str) -> Kind:
    kind = INGRESS if INGRESS.answers_to(word) else built_in_kind(word)
    if kind is None:
        raise NotFoundError(f"no type {word}")
    return kind


def cpu(target: dict[str, Any]) -> dict[str, Any]:
    return {"type": "Resource", "resource": {"name": "cpu", "target": target}}


def utilization(percent: int) -> dict[str, Any]:
    return {"type": "Utilization", "averageUtilization": percent}


def average(text: str) -> dict[str, Any]:
    return {"type": "AverageValue", "averageValue": text}


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("50", utilization(50)),  # kubectl: 50 millicores
        ("50%", utilization(50)),
        ("1", utilization(1)),
        ("101%", utilization(101)),
        ("1000", utilization(1000)),
        ("5000%", utilization(5000)),
        ("500m", average("500m")),
        ("1500m", average("1500m")),
        ("1000m", average("1")),  # canonical, as kubectl writes it
        ("0.5k", average("500")),
    ],
)
def test_cpu(text: str, target: dict[str, Any]) -> None:
    assert resource_metric("--cpu", "cpu", text) == cpu(target)


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("70%", utilization(70)),
        ("70", utilization(70)),
        ("200Mi", average("200Mi")),
        ("1024Mi", average("1Gi")),
        ("2G", average("2G")),
    ],
)
def test_memory(text: str, target: dict[str, Any]) -> None:
    expected = {"type": "Resource", "resource": {"name": "memory", "target": target}}
    assert resource_metric("--memory", "memory", text) == expected


def test_of_one_container() -> None:
    assert resource_metric("--cpu", "cpu", "50%", "server") == {
        "type": "ContainerResource",
        "containerResource": {"name": "cpu", "container": "server", "target": utilization(50)},
    }


@pytest.mark.parametrize(
    ("text", "wrong", "right"),
    [
        ("0", "0", "whole number from 1"),
        ("0%", "0", "whole number from 1"),
        ("-5", "-5", "50%"),
        ("-5%", "not a percentage", "50%"),
        ("50 %", "not a percentage", "50%"),
        ("%", "not a percentage", "50%"),
        ("5.5%", "not a percentage", "50%"),
        ("9999999999%", "more than 2147483647", "whole number"),
        ("abc", "not an amount", "500m"),
        ("", "not an amount", "500m"),
        ("0.5", "could be a share or an amount", "--cpu 50% or --cpu 500m"),
        ("1.5", "could be a share or an amount", "--cpu 150% or --cpu 1500m"),
        ("2000", "could be a share or an amount", "2000% or 2000m"),
        ("0m", "not greater than 0", "500m"),
        ("-500m", "not greater than 0", "500m"),
        ("500Mi", "unit of memory", "500m"),
        ("９", "not an amount", "500m"),  # a digit, but not an ASCII one
    ],
)
def test_cpu_refused(text: str, wrong: str, right: str) -> None:
    with pytest.raises(UsageError) as refused:
        resource_metric("--cpu", "cpu", text)
    assert wrong in refused.value.message
    assert right in refused.value.hint
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "wrong", "right"),
    [
        ("500m", "less than a byte", "500M or 500Mi"),
        ("1073741824", "could be a share or an amount", "1073741824% or 1Gi"),
        ("1.5", "could be a share or an amount", "--memory 150% or --memory 1.5Gi"),
        ("lots", "not an amount", "200Mi"),
    ],
)
def test_memory_refused(text: str, wrong: str, right: str) -> None:
    with pytest.raises(UsageError) as refused:
        resource_metric("--memory", "memory", text)
    assert wrong in refused.value.message
    assert right in refused.value.hint


@pytest.mark.parametrize("text", ["0", "-5", "50%", "abc", "99999999999", "٣"])
def test_cpu_percent_refused(text: str) -> None:
    """kubectl takes 0 and -5 for 80 % without a word."""
    with pytest.raises(UsageError, match="whole number"):
        percent_metric("--cpu-percent", text)


def test_cpu_percent() -> None:
    assert percent_metric("--cpu-percent", "50") == cpu(utilization(50))


def test_a_bare_number_is_explained() -> None:
    note = bare_number_note("--cpu", "cpu", "50")
    assert note is not None
    assert note.message == (
        "--cpu 50 was read as 50 % of the requested CPU (kubectl reads it as 50 millicores: write 50m for that)"
    )
    memory = bare_number_note("--memory", "memory", "70")
    assert memory is not None
    assert "write 70Mi for that" in memory.message
    assert bare_number_note("--cpu", "cpu", "50%") is None


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("pods:rps=10", {"metric": {"name": "rps"}, "target": average("10")}),
        ("pods:rps=avg:10", {"metric": {"name": "rps"}, "target": average("10")}),
        (
            "pods:rps{verb=GET}=500m",
            {"metric": {"name": "rps", "selector": {"matchLabels": {"verb": "GET"}}}, "target": average("500m")},
        ),
        ("external:queue=30", {"metric": {"name": "queue"}, "target": {"type": "Value", "value": "30"}}),
        ("external:queue=avg:30", {"metric": {"name": "queue"}, "target": average("30")}),
        (
            "external:job:depth:max{queue=a,example.com/zone=eu-1,empty=}=avg:2k",
            {
                "metric": {
                    "name": "job:depth:max",
                    "selector": {"matchLabels": {"queue": "a", "example.com/zone": "eu-1", "empty": ""}},
                },
                "target": average("2k"),
            },
        ),
        (
            "object:ingresses.networking.k8s.io/main:requests_per_second=2k",
            {
                "describedObject": {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "name": "main"},
                "metric": {"name": "requests_per_second"},
                "target": {"type": "Value", "value": "2k"},
            },
        ),
        (
            "object:svc/web:rps{code=200}=avg:10",
            {
                "describedObject": {"apiVersion": SERVICE.api_version, "kind": "Service", "name": "web"},
                "metric": {"name": "rps", "selector": {"matchLabels": {"code": "200"}}},
                "target": average("10"),
            },
        ),
    ],
)
def test_custom_metric(text: str, source: dict[str, Any]) -> None:
    kind = text.partition(":")[0]
    assert custom_metric(text, kind_of) == {"type": kind.capitalize(), kind: source}


@pytest.mark.parametrize(
    "text",
    [
        "", "rps=10", "pods", "pods:", "pods:rps", "pods:rps=", "pods:=10", "resource:cpu=50",
        "pods:rps=0", "pods:rps=-1", "pods:rps=many", "pods:a/b=1", "pods:..=1", "pods:a b=1", "pods:50%=1",
        "external:q{a=b=1", "external:q{a=b}", "external:q{a=b}1", "external:q{a}=1", "external:q{a=b,a=c}=1",
        "external:q{-a=b}=1", "external:q{a=b c}=1", "external:q{A/b=c}=1", "external:q{,}=1",
        "object:svc/web=1", "object:svc:rps=1", "object:/web:rps=1", "object:svc/:rps=1", "object:svc/Web_1:rps=1",
    ],
)  # fmt: skip
def test_custom_metric_refused(text: str) -> None:
    with pytest.raises(UsageError) as refused:
        custom_metric(text, kind_of)
    assert refused.value.hint
    assert "\n" not in str(refused.value)


def test_an_unknown_type_is_not_found() -> None:
    with pytest.raises(NotFoundError):
        custom_metric("object:nosuch/web:rps=1", kind_of)


def test_only_metrics_without_pods_scale_to_zero() -> None:
    pods, external = custom_metric("pods:rps=1", kind_of), custom_metric("external:q=1", kind_of)
    assert not scales_to_zero([pods, resource_metric("--cpu", "cpu", "50%")])
    assert scales_to_zero([pods, external])
