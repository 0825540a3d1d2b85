"""Bounds of numbers, durations and names."""

from __future__ import annotations

import pytest

from mlscale.errors import UsageError
from mlscale.hpa.numbers import dns_label, dns_subdomain, whole_number, whole_seconds


@pytest.mark.parametrize(("text", "number"), [("1", 1), ("10", 10), ("+5", 5), ("007", 7)])
def test_whole_number(text: str, number: int) -> None:
    assert whole_number("--max", text, low=1, high=10) == number


@pytest.mark.parametrize("text", ["0", "11", "-1", "1e3", "1.0", " 5", "", "-", "+-5", "1_0", "٥", "9" * 5000])
def test_whole_number_refused(text: str) -> None:
    with pytest.raises(UsageError, match="from 1 to 10") as refused:
        whole_number("--max", text, low=1, high=10)
    assert len(str(refused.value)) < 200


@pytest.mark.parametrize(("text", "seconds"), [("0", 0), ("90", 90), ("15s", 15), ("1h", 3600), ("0h59m60s", 3600)])
def test_whole_seconds(text: str, seconds: int) -> None:
    assert whole_seconds("--x", text, low=0, high=3600) == seconds


@pytest.mark.parametrize("text", ["3601", "1h1s", "", "s", "1s1h", "1m m", "500ms", "-1s", "9" * 30, "9" * 30 + "s"])
def test_whole_seconds_refused(text: str) -> None:
    with pytest.raises(UsageError, match="0 to 3600 seconds"):
        whole_seconds("--x", text, low=0, high=3600)


@pytest.mark.parametrize("text", ["a", "web", "web-2", "a.b.c", "0", "x" * 63 + "." + "y" * 180])
def test_names(text: str) -> None:
    assert dns_subdomain("--name", text) == text


@pytest.mark.parametrize("text", ["", "Web", "web_2", "-a", "a-", "a..b", ".a", "a/b", "web\n", "é", "x" * 254])
def test_names_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--name"):
        dns_subdomain("--name", text)


def test_a_label_has_no_dots() -> None:
    assert dns_label("--container", "x" * 63) == "x" * 63
    for text in ("a.b", "x" * 64, "web\n"):
        with pytest.raises(UsageError):
            dns_label("--container", text)
