"""Parameters of a query are read and refused as a real Prometheus does it; its messages are of a Prometheus 2.42."""

from __future__ import annotations

import pytest

from mlscale.sandbox.prometheus_parameters import QueryError, Range, check_timeout, read_range, read_time

RESOLUTION = "zero or negative query resolution step widths are not accepted. Try a positive integer"
ORDER = "end timestamp must not be before start time"
POINTS = "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)"


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({}, 'invalid parameter "start": cannot parse "" to a valid timestamp'),
        ({"start": "1"}, 'invalid parameter "end": cannot parse "" to a valid timestamp'),
        ({"start": "1", "end": "2"}, 'invalid parameter "step": cannot parse "" to a valid duration'),
        ({"start": "3", "end": "2", "step": "1"}, f'invalid parameter "end": {ORDER}'),
        ({"start": "1", "end": "2", "step": "0"}, f'invalid parameter "step": {RESOLUTION}'),
        ({"start": "1", "end": "2", "step": "-1"}, f'invalid parameter "step": {RESOLUTION}'),
        ({"start": "1", "end": "2", "step": "x"}, 'invalid parameter "step": cannot parse "x" to a valid duration'),
        (
            {"start": "0", "end": "1", "step": "1e30"},
            'invalid parameter "step": cannot parse "1e30" to a valid duration. It overflows int64',
        ),
        ({"start": "0", "end": "11001", "step": "1"}, POINTS),
        ({"start": "now"}, 'invalid parameter "start": cannot parse "now" to a valid timestamp'),
    ],
)  # fmt: skip
def test_a_range_that_cannot_be_is_refused(query: dict[str, str], message: str) -> None:
    with pytest.raises(QueryError) as raised:
        read_range(query)
    assert (raised.value.status, raised.value.error_type, raised.value.message) == (400, "bad_data", message)


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ({"start": "0", "end": "11000", "step": "1"}, Range(0, 1000, 11001)),
        ({"start": "0.5", "end": "2", "step": "500ms"}, Range(500, 500, 4)),
        ({"start": "10", "end": "10", "step": "1m30s"}, Range(10_000, 90_000, 1)),
        ({"start": "1970-01-01T00:00:10Z", "end": "1970-01-01T01:00:12+01:00", "step": "1"}, Range(10_000, 1000, 3)),
    ],
)
def test_numbers_durations_and_rfc_3339_are_read(query: dict[str, str], wanted: Range) -> None:
    assert read_range(query) == wanted


def test_an_instant_without_a_time_is_now() -> None:
    assert read_time({}, 1700000000.25) == 1_700_000_000_250
    assert read_time({"time": "5.5"}, 1.0) == 5500


def test_a_time_that_is_none_is_refused() -> None:
    with pytest.raises(QueryError) as raised:
        read_time({"time": "x"}, 1.0)
    expected = 'invalid parameter "time": Invalid time value for \'time\': cannot parse "x" to a valid timestamp'
    assert raised.value.message == expected


@pytest.mark.parametrize(
    ("timeout", "status", "error_type", "message"),
    [
        ("x", 400, "bad_data", 'invalid parameter "timeout": cannot parse "x" to a valid duration'),
        ("-1", 503, "timeout", "query timed out in query queue"),
    ],
)
def test_a_timeout_has_to_be_one(timeout: str, status: int, error_type: str, message: str) -> None:
    check_timeout({"timeout": "50s"})
    with pytest.raises(QueryError) as raised:
        check_timeout({"timeout": timeout})
    assert (raised.value.status, raised.value.error_type, raised.value.message) == (status, error_type, message)
