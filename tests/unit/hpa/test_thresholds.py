"""What is said about thresholds, and when."""

from __future__ import annotations

from typing import Any

import pytest

from mlscale.hpa.spec import HpaOptions, HpaSettings, parse_settings
from mlscale.hpa.thresholds import judge_thresholds, read_thresholds, wanted_now
from mlscale.kube.kinds import SERVICE, Kind


def kind_of(_: str) -> Kind:
    return SERVICE


def settings(**options: Any) -> HpaSettings:
    return parse_settings(HpaOptions(**{"min": "2", "max": "5", **options}), kind_of)


def spec(request: str = "500m", limit: str = "", memory: str = "1Gi") -> dict[str, Any]:
    limits = {"cpu": limit} if limit else {}
    resources = {"requests": {"cpu": request, "memory": memory}, "limits": limits}
    return {"containers": [{"name": "server", "resources": resources}]}


def using(cpu: str, memory: str = "0", pods: int = 2) -> list[dict[str, Any]]:
    return [{"containers": [{"name": "server", "usage": {"cpu": cpu, "memory": memory}}]}] * pods


def said(chosen: HpaSettings, pod: dict[str, Any] | None = None, now: list[Any] | None = None) -> dict[str, str]:
    findings = judge_thresholds(chosen, read_thresholds(chosen, pod, now or []))
    return {finding.reason: finding.message for finding in findings}


def test_the_thresholds_are_a_note() -> None:
    assert said(settings(cpu="50")) == {
        "Thresholds": "with cpu target 50 %, 3 -> 2 needs an average use of 33 % or less, 2 -> 3 comes at 56 % or more"
    }


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (
            {"cpu": "1", "min": "1"},
            "with cpu target 1 %, 2 -> 1 needs an average use of 0 %; these settings never come back to min",
        ),
        (
            {"cpu": "50", "tolerance": "down=0.99"},
            "with cpu target 50 %, 3 -> 2 needs an average use of 0 %; these settings never come back to min",
        ),
        (
            {"cpu": "50", "tolerance": "down=1"},
            "with cpu target 50 %, 3 -> 2 needs less than no use at all; these settings never come back to min",
        ),
    ],
)
def test_settings_that_never_come_back(options: dict[str, str], sentence: str) -> None:
    assert said(settings(**options))["NeverReturnsToMin"] == sentence


def test_memory_that_is_held_never_comes_back() -> None:
    """cpu at the same share does: a load that two pods bear at 45 % leaves three at 30 %."""
    chosen = settings(memory="50%")
    sentence = said(chosen, spec(), using("0", "461Mi"))["NeverReturnsToMin"]
    assert sentence == (
        "with memory target 50 %, 3 -> 2 needs an average use of 33 % or less; "
        "at 45 %, what the pods hold now and seldom give back, these settings never come back to min"
    )
    assert "NeverReturnsToMin" not in said(chosen, spec(), using("0", "338Mi"))  # 33 %
    assert "NeverReturnsToMin" not in said(settings(cpu="50%"), spec(), using("225m"))


@pytest.mark.parametrize(
    ("cpu", "limit", "reason"),
    [
        ("91%", "500m", "NeverScalesUp"),  # 101 % would be needed
        ("100%", "500m", "NeverScalesUp"),
        ("90%", "500m", "TargetNearLimit"),  # 100 % needed, and that is a throttled pod
        ("87%", "500m", "TargetNearLimit"),  # 96 %
        ("86%", "500m", None),  # 95 %
        ("91%", "1", None),
        ("91%", "", None),
        ("455m", "500m", "NeverScalesUp"),
        ("454m", "500m", "TargetNearLimit"),  # 500m
        ("400m", "500m", None),
    ],
)
def test_limits_near_the_target(cpu: str, limit: str, reason: str | None) -> None:
    reasons = said(settings(cpu=cpu), spec(limit=limit)).keys() & {"NeverScalesUp", "TargetNearLimit"}
    assert reasons == ({reason} if reason else set())


def test_never_scaling_up_says_what_could() -> None:
    assert said(settings(cpu="95%"), spec(limit="500m"))["NeverScalesUp"] == (
        "the limits let the average use of cpu reach 100 % at most, and scaling up takes 105 %: "
        "these settings never scale up; a target of 90 % or less can"
    )


def test_a_target_in_the_noise() -> None:
    assert "TargetTooLow" in said(settings(cpu="4%"))  # from 5 % on
    assert "TargetTooLow" not in said(settings(cpu="5%"))  # from 6 % on


def test_min_equal_to_max_says_only_that() -> None:
    findings = judge_thresholds(chosen := settings(min="3", max="3", cpu="1"), read_thresholds(chosen, None, []))
    assert [(f.level, f.reason) for f in findings] == [("warning", "MinEqualsMax")]


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"scale_down": "disabled"}, "scaleDown is disabled: these settings never come back to min"),
        ({"scale_up": "disabled"}, "scaleUp is disabled: these settings never scale above 2"),
    ],
)
def test_a_disabled_direction(options: dict[str, str], what: str) -> None:
    assert said(settings(cpu="50%", **options))["DirectionDisabled"] == what


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (
            {"cpu": "500m"},
            "with cpu target 500m, 3 -> 2 needs an average use of 333m or less, 2 -> 3 comes at 551m or more",
        ),
        (
            {"memory": "300Mi"},
            "with memory target 300Mi, 3 -> 2 needs an average use of 200Mi or less, 2 -> 3 comes at 331Mi or more",
        ),
        (
            {"metrics": ("pods:rps=10",)},
            "with pods metric rps target 10, 3 -> 2 needs an average use of 6666m or less, "
            "2 -> 3 comes at 11.001 or more",
        ),
        (
            {"cpu": "50%", "container": "server"},
            "with cpu of container server target 50 %, 3 -> 2 needs an average use of 33 % or less, "
            "2 -> 3 comes at 56 % or more",
        ),
    ],
)
def test_units(options: dict[str, Any], sentence: str) -> None:
    assert said(settings(**options))["Thresholds"] == sentence


def test_values_that_are_no_averages_are_not_judged() -> None:
    assert said(settings(metrics=("external:q=3", "object:svc/web:rps=avg:3"))) == {}


@pytest.mark.parametrize(
    ("use", "pods", "wanted"),
    [
        ("250m", 3, 3),  # 50 %: as it is
        ("450m", 3, 5),  # 90 %: 5.4, and max is 5
        ("100m", 3, 2),  # 20 %: 1.2, and min is 2
        ("280m", 4, 5),  # 56 %
    ],
)
def test_wanted_now(use: str, pods: int, wanted: int) -> None:
    chosen = settings(cpu="50%")
    assert wanted_now(read_thresholds(chosen, spec(), using(use, pods=pods)), chosen) == wanted


def test_wanted_now_needs_every_metric() -> None:
    chosen = settings(cpu="50%", metrics=("external:q=3",))
    assert wanted_now(read_thresholds(chosen, spec(), using("450m")), chosen) is None
    assert wanted_now(read_thresholds(settings(cpu="50%"), spec(), []), chosen) is None
    assert wanted_now(read_thresholds(settings(cpu="50%"), spec("0"), using("1m")), settings(cpu="50%")) is None


def test_the_greediest_metric_decides() -> None:
    chosen = settings(cpu="50%", memory="50%")
    assert wanted_now(read_thresholds(chosen, spec(), using("100m", "900Mi")), chosen) == 4
