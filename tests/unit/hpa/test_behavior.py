"""Spellings of --scale-up, --scale-down and --tolerance, and what each comes to."""

from __future__ import annotations

from typing import Any

import pytest

from mlscale.errors import UsageError
from mlscale.hpa.behavior import never_scales, parse_behavior, tolerance_of
from mlscale.hpa.tolerance import Tolerance


def policy(kind: str, value: int, seconds: int) -> dict[str, Any]:
    return {"type": kind, "value": value, "periodSeconds": seconds}


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        ("disabled", {"selectPolicy": "Disabled"}),
        ("select=disabled", {"selectPolicy": "Disabled"}),
        ("window=0", {"stabilizationWindowSeconds": 0}),
        ("window=0s", {"stabilizationWindowSeconds": 0}),
        ("window=1h", {"stabilizationWindowSeconds": 3600}),
        ("window=1m30s", {"stabilizationWindowSeconds": 90}),
        ("pods=4/15s", {"policies": [policy("Pods", 4, 15)]}),
        ("percent=10%/5m", {"policies": [policy("Percent", 10, 300)]}),
        ("percent=200/1800", {"policies": [policy("Percent", 200, 1800)]}),
        (
            "pods=4/15s, percent=100/15s, window=5m, select=min",
            {
                "policies": [policy("Pods", 4, 15), policy("Percent", 100, 15)],
                "stabilizationWindowSeconds": 300,
                "selectPolicy": "Min",
            },
        ),
    ],
)
def test_rules(text: str, rules: dict[str, Any]) -> None:
    assert parse_behavior(text, None, None) == {"scaleUp": rules}
    assert parse_behavior(None, text, None) == {"scaleDown": rules}


@pytest.mark.parametrize(
    "text",
    [
        "", "fast", "pods=4", "pods=/15s", "pods=0/15s", "pods=-1/15s", "pods=4/0s", "pods=4/1801s", "pods=4/31m",
        "pods=4.5/15s", "percent=0/15s", "percent=x/15s", "window=3601", "window=-1", "window=61m", "window=soon",
        "window=", "window=1s,window=2s", "select=often", "select=max,disabled", "pods=4/15s,", "disabled=1",
        "pods=99999999999/15s", "window=15S", "window=1.5m",
    ],
)  # fmt: skip
def test_rules_refused(text: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_behavior(None, text, None)
    assert refused.value.message.startswith("--scale-down")
    assert refused.value.hint


def test_nothing_given_is_no_behavior() -> None:
    """An empty behavior would not be the same: it takes the controller off its older path."""
    assert parse_behavior(None, None, None) is None


@pytest.mark.parametrize(
    ("text", "up", "down"),
    [
        ("0.05", "50m", "50m"),
        ("0", "0", "0"),
        ("50m", "50m", "50m"),
        ("up=0.01,down=0.2", "10m", "200m"),
        ("down=1", None, "1"),
    ],
)
def test_tolerance(text: str, up: str | None, down: str | None) -> None:
    behavior = parse_behavior(None, None, text) or {}
    assert behavior.get("scaleUp", {}).get("tolerance") == up
    assert behavior.get("scaleDown", {}).get("tolerance") == down


@pytest.mark.parametrize("text", ["", "-0.1", "wide", "up=", "up=0.1,up=0.2", "left=0.1", "5%", "up=0.1,"])
def test_tolerance_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--tolerance"):
        parse_behavior(None, None, text)


@pytest.mark.parametrize("share", ["0", "0.01", "0.05", "0.1", "0.15", "0.3", "1", "1.5"])
def test_tolerance_is_a_share(share: str) -> None:
    assert tolerance_of(parse_behavior(None, None, share)) == Tolerance(float(share), float(share))


def test_tolerance_is_the_float_that_the_controller_computes() -> None:
    """It is stored as 700m, and 700 * 1e-3 is a little more than 0.7 (300 * 1e-3 is 0.3; 3 * 1e-1 is not)."""
    assert tolerance_of(parse_behavior(None, None, "up=0.7")).up == 700 * 1e-3 > 0.7
    assert tolerance_of(parse_behavior(None, None, "up=0.3")).up == 0.3 != 3 * 1e-1


def test_a_side_without_tolerance_has_the_default() -> None:
    assert tolerance_of(None) == Tolerance(0.1, 0.1)
    assert tolerance_of(parse_behavior(None, None, "up=0.5")) == Tolerance(down=0.1, up=0.5)


def test_tolerance_joins_the_rules_of_its_side() -> None:
    assert parse_behavior("window=1m", None, "up=0.2") == {
        "scaleUp": {"stabilizationWindowSeconds": 60, "tolerance": "200m"}
    }


def test_never_scales() -> None:
    assert never_scales(parse_behavior(None, "disabled", None), "scaleDown")
    assert not never_scales(parse_behavior(None, "disabled", None), "scaleUp")
    assert not never_scales(None, "scaleUp")
