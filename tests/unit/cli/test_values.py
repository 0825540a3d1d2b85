"""Option values into numbers and durations."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlscale.cli.values import MAX_REPLICAS, dry_run_value, replicas_value, request_timeout_value, seconds_value
from mlscale.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

COUNTS = [("0", 0), ("3", 3), ("2147483647", MAX_REPLICAS), ("0x2", 2), ("0b11", 3), ("0o17", 15), ("+3", 3)]


@pytest.mark.parametrize(("text", "count"), COUNTS)
def test_a_count_of_replicas(text: str, count: int) -> None:
    assert replicas_value("--replicas", text) == count


BAD_COUNTS = [
    ("abc", "--replicas 'abc' is not a whole number; give it as in --replicas 3"),
    ("3.5", "is not a whole number"),
    ("", "is not a whole number"),
    ("1e3", "is not a whole number"),
    ("3 4", "is not a whole number"),
    ("-1", "--replicas -1 is out of range; give a whole number from 0 to 2147483647"),
    ("2147483648", "is out of range"),
    ("99999999999", "is out of range"),
    # kubectl reads it as octal, 8; a person who writes it means 10.
    ("010", "is not a whole number"),
    ("9" * 5000, "is not a whole number"),
]


@pytest.mark.parametrize(("text", "message"), BAD_COUNTS)
def test_what_is_no_count(text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        replicas_value("--replicas", text)
    assert message in str(caught.value)


DURATIONS = [
    ("0", 0.0),
    ("0s", 0.0),
    ("30s", 30.0),
    ("5m", 300.0),
    ("1h", 3600.0),
    ("1m30s", 90.0),
    ("1h2m3s", 3723.0),
    ("1.5s", 1.5),
    ("500ms", 0.5),
    ("1s500ms", 1.5),
    ("250us", 0.00025),
    ("250µs", 0.00025),
    ("1ns", 1e-9),
]


@pytest.mark.parametrize(("text", "seconds"), DURATIONS)
def test_a_duration_in_seconds(text: str, seconds: float) -> None:
    assert seconds_value("--timeout", text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["5", "abc", "", "+-1s", "5 s", "5S", "s", "1d", "5s!", "5s5", "²s"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(UsageError, match="is not a duration; give it with a unit, as in --timeout 30s or 5m"):
        seconds_value("--timeout", text)


@pytest.mark.parametrize(("text", "seconds"), [("5", 5.0), ("5s", 5.0), ("500ms", 0.5), ("1m", 60.0)])
def test_a_request_timeout_may_be_bare_seconds(text: str, seconds: float) -> None:
    assert request_timeout_value(text) == seconds


def test_a_negative_duration_is_refused_before_anything_is_done() -> None:
    # kubectl scales first and then reports a time-out.
    with pytest.raises(UsageError, match="--timeout -1s is negative; give a duration such as --timeout 30s, or 0"):
        seconds_value("--timeout", "-1s")


@pytest.mark.parametrize("text", ["0", "0s", "00", "²", "x", ""])
def test_what_is_no_request_timeout(text: str) -> None:
    with pytest.raises(UsageError, match="--request-timeout"):
        request_timeout_value(text)


def test_the_kinds_of_dry_run() -> None:
    assert [dry_run_value(word) for word in ("none", "client", "server")] == ["none", "client", "server"]
    assert dry_run_value("unchanged") == "client"


@pytest.mark.parametrize("text", ["", "true", "Client", "all", "Unchanged"])
def test_what_is_no_dry_run(text: str) -> None:
    with pytest.raises(UsageError, match="is not a kind of dry run; give none, client or server"):
        dry_run_value(text)


READERS: list[Callable[[str], object]] = [
    request_timeout_value,
    dry_run_value,
    partial(replicas_value, "--replicas"),
    partial(seconds_value, "--timeout"),
]


@given(st.text(max_size=8), st.sampled_from(READERS))
def test_any_text_is_read_or_is_a_usage_error_with_a_hint(text: str, read: Callable[[str], object]) -> None:
    hint = ""
    try:
        result = read(text)
    except UsageError as error:
        result, hint = None, error.hint
    assert (result is None) is bool(hint)


@given(st.integers(0, MAX_REPLICAS))
def test_every_count_reads_as_itself(count: int) -> None:
    assert replicas_value("-r", str(count)) == replicas_value("-r", hex(count)) == count
