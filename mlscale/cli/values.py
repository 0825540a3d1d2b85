"""Option values as text into numbers and durations, with an error that says what would be right."""

from __future__ import annotations

import re

from mlscale.errors import UsageError

MAX_REPLICAS = 2**31 - 1
"""The API's replicas are int32."""

MAX_SPEED = 3600
"""At which an hour of the sandbox passes in a second."""

_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


def replicas_value(option: str, text: str) -> int:
    """A count of replicas, 0 to 2147483647; ``0x2`` and ``1_000`` too, as Go's ParseInt reads them."""
    try:
        # int() also reads spaces and the digits of other scripts.
        count = int(text if text.isascii() and text == text.strip() else "", 0)
    except ValueError:
        raise UsageError(f"{option} {text!r} is not a whole number", f"give it as in {option} 3") from None
    if not 0 <= count <= MAX_REPLICAS:
        raise UsageError(f"{option} {text} is out of range", f"give a whole number from 0 to {MAX_REPLICAS}")
    return count


def seconds_value(option: str, text: str) -> float:
    """A duration as Go writes it (``30s``, ``1m30s``, ``0``) in seconds."""
    if text == "0":
        return 0.0
    if text.startswith("-"):
        raise UsageError(f"{option} {text} is negative", f"give a duration such as {option} 30s, or 0")
    parts = re.findall(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)", text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise UsageError(f"{option} {text!r} is not a duration", f"give it with a unit, as in {option} 30s or 5m")
    return sum(float(number) * _UNITS[unit] for number, unit in parts)


def request_timeout_value(text: str) -> float:
    """``--request-timeout``: a duration, or a whole number of seconds as kubectl takes it."""
    seconds = float(text) if text.isdecimal() else seconds_value("--request-timeout", text)
    if seconds <= 0:
        raise UsageError("--request-timeout 0 would wait for ever", "give a duration such as 30s")
    return seconds


def dry_run_value(text: str) -> str:
    """``none``, ``client`` or ``server``; ``unchanged``, which kubectl's bare --dry-run stands for, is client."""
    if text in ("none", "client", "server"):
        return text
    if text == "unchanged":
        return "client"
    raise UsageError(f"--dry-run={text} is not a kind of dry run", "give none, client or server")


def speed_value(option: str, text: str) -> float:
    """How many times as fast as real time: above 0, at most MAX_SPEED."""
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0 < speed <= MAX_SPEED:
        raise UsageError(f"{option} {text!r} is not a speed", f"give a number above 0, at most {MAX_SPEED}")
    return speed


def seed_value(option: str, text: str) -> int:
    """A whole number that is not negative."""
    if not (text.isascii() and text.isdecimal()):
        raise UsageError(f"{option} {text!r} is not a whole number", f"give it as in {option} 7")
    return int(text)
