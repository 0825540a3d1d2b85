"""Bodies of the Prometheus API: well-formed, odd and broken ones."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlscale.usage.model import Grid
from mlscale.usage.prometheus_answers import AnswerError, read_answer, rows_of, vector_of

GRID = Grid(1000.0, 60.0, 10)


def body(kind: str, result: Any, **more: Any) -> bytes:
    envelope = {"status": "success", "data": {"resultType": kind, "result": result}, **more}
    return json.dumps(envelope, separators=(",", ":")).encode()


def matrix(*series: tuple[dict[str, str], list[list[Any]]]) -> bytes:
    return body("matrix", [{"metric": labels, "values": values} for labels, values in series])


def only(found: bytes, grid: Grid = GRID) -> tuple[int, list[float]]:
    ((_, row),) = rows_of(read_answer(found), grid)
    return row.first, row.values.tolist()


@pytest.mark.parametrize(
    ("values", "first", "expected"),
    [
        ([[1000, "1"], [1060, "2.5"]], 0, [1, 2.5]),
        ([[1120, "1"], [1240, "2"]], 2, [1, math.nan, 2]),  # a gap stays one
        ([[1000, "NaN"], [1060, "2"]], 1, [2]),
        ([[1000, "1"], [1060, "+Inf"], [1120, "3"]], 0, [1, math.nan, 3]),
        ([[1000, "-Inf"], [1060, "2"]], 1, [2]),
        ([[1060, "2"], [1000, "1"]], 0, [1, 2]),  # not in order
        ([[1000, "1"], [1000, "3"], [1060, "2"]], 0, [3, 2]),  # the same time twice
        ([[1000.001, "1"], [1060.001, "2"]], 0, [1, 2]),  # milliseconds of rounding
        ([[400, "9"], [1000, "1"]], 0, [1]),  # a time before those asked for
        ([[1540, "1"], [1600, "9"]], 9, [1]),  # and one after
        ([[1000, "1e-05"]], 0, [1e-5]),
    ],
)
def test_a_row(values: list[list[Any]], first: int, expected: list[float]) -> None:
    where, row = only(matrix(({}, values)))
    assert where == first
    np.testing.assert_array_equal(row, expected)


def test_a_series_without_a_number_is_no_row() -> None:
    assert list(rows_of(read_answer(matrix(({"pod": "a"}, [[1000, "NaN"]]))), GRID)) == []


def test_labels_and_rows_stay_together() -> None:
    answer = read_answer(matrix(({"pod": "a"}, [[1000, "1"]]), ({"pod": "b"}, [[1060, "2"]])))
    assert [(labels["pod"], row.first, row.values.tolist()) for labels, row in rows_of(answer, GRID)] == [
        ("a", 0, [1.0]),
        ("b", 1, [2.0]),
    ]


def test_a_label_that_looks_like_numbers_is_a_label() -> None:
    odd = '"values":[[1,"2"]]'
    ((labels, _),) = rows_of(read_answer(matrix(({"pod": odd, 'x"values': odd}, [[1000, "1"]]))), GRID)
    assert labels["pod"] == odd


@given(
    st.lists(
        st.tuples(
            st.text(max_size=8),
            st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=10),
            st.integers(0, 9),
        ),
        max_size=4,
    )
)
def test_numbers_read_fast_are_those_that_json_reads(series: list[tuple[str, list[float], int]]) -> None:
    found = [
        ({"pod": pod}, [[1000 + 60 * (first + i), repr(value)] for i, value in enumerate(values)])
        for pod, values, first in series
    ]
    fast = list(rows_of(read_answer(matrix(*found)), GRID))
    # With spaces the body does not have the layout that is read fast.
    spaced = json.dumps(json.loads(matrix(*found))).encode()
    slow = list(rows_of(read_answer(spaced), GRID))
    assert [labels for labels, _ in fast] == [labels for labels, _ in slow] == [labels for labels, _ in found]
    for (_, one), (_, other) in zip(fast, slow, strict=True):
        assert one.first == other.first
        np.testing.assert_array_equal(one.values, other.values)


def test_a_vector_leaves_out_what_is_no_number() -> None:
    answer = read_answer(
        body("vector", [{"metric": {"pod": pod}, "value": [1000, value]} for pod, value in [("a", "2"), ("b", "NaN")]])
    )
    assert vector_of(answer) == [({"pod": "a"}, 2.0)]


def test_a_scalar_is_a_value_without_labels() -> None:
    assert vector_of(read_answer(body("scalar", [1000.5, "1000.5"]))) == [({}, 1000.5)]


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"<html>log in</html>",
        b"null",
        b"[]",
        b'{"status":"fine"}',
        b'{"kind":"Status","status":"Failure","code":404}',
        b'{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[1,"2"',
        b"[" * 100_000,
    ],
)
def test_a_body_that_is_no_answer(broken: bytes) -> None:
    with pytest.raises(AnswerError):
        read_answer(broken)


@pytest.mark.parametrize(
    "broken",
    [
        body("vector", []),
        body("matrix", [1]),
        body("matrix", [{"values": [[1000, "1"]]}]),
        body("matrix", [{"metric": {}}]),
        body("matrix", [{"metric": {}, "values": [[1000, "one"]]}]),
        body("matrix", [{"metric": {}, "values": [["noon", "1"]]}]),
        body("matrix", [{"metric": {}, "values": [[1000]]}]),
        body("matrix", [{"metric": {}, "values": [[1000, None]]}]),
        body("matrix", [{"metric": {}, "values": [[]]}]),
        body("matrix", [{"metric": {}, "values": 7}]),
    ],
)
def test_a_matrix_that_is_none(broken: bytes) -> None:
    with pytest.raises(AnswerError):
        list(rows_of(read_answer(broken), GRID))


@pytest.mark.parametrize(
    "broken", [body("matrix", []), body("vector", [7]), body("vector", [{"metric": {}}]), body("scalar", ["x"])]
)
def test_a_vector_that_is_none(broken: bytes) -> None:
    with pytest.raises(AnswerError):
        vector_of(read_answer(broken))


@given(st.binary(max_size=40), st.binary(max_size=40))
def test_no_bytes_do_worse_than_an_error(middle: bytes, end: bytes) -> None:
    start = b'{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[['
    for content in (start + middle + b"]]" + end, start + middle + b"]]}]}}", middle):
        try:
            found = list(rows_of(read_answer(content), GRID))
        except AnswerError:
            continue
        assert all(0 <= row.first < GRID.size for _, row in found)
