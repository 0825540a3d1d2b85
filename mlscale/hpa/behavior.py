"""How fast to scale: ``--scale-up``, ``--scale-down`` and ``--tolerance`` as an HPA's ``spec.behavior``.

A direction is a list of items with commas between them::

    pods=4/15s        at most 4 pods in 15 s            (a policy; repeatable)
    percent=100/15s   at most 100 % in 15 s             (a policy; repeatable)
    window=5m         the stabilization window, 0 to 1h
    select=max        which policy counts: max, min or disabled
    disabled          never in this direction

What is left out gets the API's defaults; a policy given replaces all default policies of its direction.
A duration is ``15s``, ``5m``, ``1h`` or a number of seconds.
Bounds: kubernetes pkg/apis/autoscaling/validation/validation.go, v1.37.2.
"""

from __future__ import annotations

from typing import Any

from mlscale.errors import UsageError
from mlscale.hpa.numbers import any_quantity, whole_number, whole_seconds
from mlscale.hpa.tolerance import DEFAULT_TOLERANCE, Tolerance
from mlscale.kube.quantity import Quantity, parse_quantity

Json = dict[str, Any]

MAX_WINDOW = 3600
"""Seconds: stabilizationWindowSeconds is 0 to this."""
MAX_PERIOD = 1800
"""Seconds: periodSeconds is 1 to this."""

_EXAMPLE = "pods=4/15s,percent=100/15s,window=0s,select=max"
_SELECT = {"max": "Max", "min": "Min", "disabled": "Disabled"}
_POLICIES = {"pods": "Pods", "percent": "Percent"}


def parse_behavior(scale_up: str | None, scale_down: str | None, tolerance: str | None) -> Json | None:
    """``spec.behavior``, or None where no option says anything. Raises UsageError."""
    up = _rules("--scale-up", scale_up) if scale_up is not None else {}
    down = _rules("--scale-down", scale_down) if scale_down is not None else {}
    for side, quantity in _tolerances(tolerance).items():
        (up if side == "up" else down)["tolerance"] = str(quantity)
    return {name: rules for name, rules in (("scaleUp", up), ("scaleDown", down)) if rules} or None


def tolerance_of(behavior: Json | None, default: float = DEFAULT_TOLERANCE) -> Tolerance:
    """The tolerance that the controller uses; its own ``default`` for a side without one (tolerancesForHpa)."""
    return Tolerance(down=_side(behavior, "scaleDown", default), up=_side(behavior, "scaleUp", default))


def never_scales(behavior: Json | None, direction: str) -> bool:
    """Whether ``scaleUp`` or ``scaleDown`` is switched off."""
    return ((behavior or {}).get(direction) or {}).get("selectPolicy") == "Disabled"


def _side(behavior: Json | None, direction: str, default: float) -> float:
    text = ((behavior or {}).get(direction) or {}).get("tolerance")
    if text is None:
        return default
    # As apimachinery's AsApproximateFloat64 does with the stored form: 300m is 300 * 1e-3, not 3 * 1e-1.
    nano, exponent = parse_quantity(text).nano, -9
    while nano % 1000 == 0 and exponent < 0:
        nano, exponent = nano // 1000, exponent + 3
    return nano * float(f"1e{exponent}")


def _rules(option: str, text: str) -> Json:
    rules: Json = {}
    for item in text.split(","):
        key, equals, value = item.strip().partition("=")
        if key == "disabled" and not equals:
            _set_once(rules, option, "selectPolicy", "Disabled")
        elif key in _POLICIES and equals:
            rules.setdefault("policies", []).append(_policy(option, key, value))
        elif key == "window" and equals:
            seconds = whole_seconds(f"{option} window", value, low=0, high=MAX_WINDOW)
            _set_once(rules, option, "stabilizationWindowSeconds", seconds)
        elif key == "select" and value in _SELECT:
            _set_once(rules, option, "selectPolicy", _SELECT[value])
        else:
            raise UsageError(
                f"{option}: {item!r} is not understood",
                f"write {_EXAMPLE} (select is max, min or disabled), or disabled",
            )
    return rules


def _set_once(rules: Json, option: str, field: str, value: object) -> None:
    if field in rules:
        raise UsageError(f"{option} sets {field} twice", f"give it once, as in {_EXAMPLE}")
    rules[field] = value


def _policy(option: str, kind: str, text: str) -> Json:
    """``4/15s``: a value of at least 1 in a period of 1 to 1800 s."""
    value, slash, period = text.partition("/")
    if not slash:
        raise UsageError(f"{option} {kind}={text} has no period", f"write {kind}={value or '4'}/15s")
    return {
        "type": _POLICIES[kind],
        "value": whole_number(f"{option} {kind}", value.removesuffix("%") if kind == "percent" else value, low=1),
        "periodSeconds": whole_seconds(f"{option} {kind}", period, low=1, high=MAX_PERIOD),
    }


def _tolerances(text: str | None) -> dict[str, Quantity]:
    """``0.05`` for both sides, or ``up=0.01,down=0.2``."""
    if text is None:
        return {}
    if "=" not in text:
        return dict.fromkeys(("up", "down"), _tolerance(text))
    sides: dict[str, Quantity] = {}
    for item in text.split(","):
        side, _, value = item.strip().partition("=")
        if side not in ("up", "down") or side in sides:
            raise UsageError(f"--tolerance {text!r} is not understood", "write 0.05, or up=0.01,down=0.2")
        sides[side] = _tolerance(value)
    return sides


def _tolerance(text: str) -> Quantity:
    quantity = any_quantity("--tolerance", text, example="0.05, which is 5 % of the target")
    if quantity.nano < 0:
        raise UsageError(f"--tolerance {text} is less than 0", "give a share of the target, such as 0.05")
    return quantity
