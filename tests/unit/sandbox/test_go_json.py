"""Texts that are no JSON; the expected words are those of Kubernetes 1.37.2."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlscale.sandbox.go_json import quoted, read_json, repeated_fields

WRONG = [
    (b"", "unexpected end of JSON input"),
    (b"{", "unexpected end of JSON input"),
    (b'{"a": "b', "unexpected end of JSON input"),
    (b"tr", "invalid character ' ' in literal true (expecting 'u')"),
    (b"x", "invalid character 'x' looking for beginning of value"),
    (b'{"a":1,}', "invalid character '}' looking for beginning of object key string"),
    (b'{"a" 1}', "invalid character '1' after object key"),
    (b'{"a":1 2}', "invalid character '2' after object key:value pair"),
    (b'{"a":01}', "invalid character '1' after object key:value pair"),
    (b"[1 2", "invalid character '2' after array element"),
    (b'[{"a": "}"} 2', "invalid character '2' after array element"),
    (b'{"a":tru}', "invalid character '}' in literal true (expecting 'e')"),
    (b"nope", "invalid character 'o' in literal null (expecting 'u')"),
    (b"{} x", "invalid character 'x' after top-level value"),
    (b'"\x01"', "invalid character '\\x01' in string literal"),
    (rb'"\q"', "invalid character 'q' in string escape code"),
    (rb'"\u12"', r"""invalid character '"' in \u hexadecimal character escape"""),
    (rb'"\u00xy"', "invalid character 'x' in \\u hexadecimal character escape"),
    (rb'"\u', "invalid character ' ' in \\u hexadecimal character escape"),
    (b'"\\', "invalid character ' ' in string escape code"),
    (b"\x9e\xa0", "invalid character '\\u009e' looking for beginning of value"),
]


@pytest.mark.parametrize(("body", "words"), WRONG, ids=[repr(body) for body, _ in WRONG])
def test_what_is_wrong(body: bytes, words: str) -> None:
    assert complaint(body) == words


def complaint(body: bytes) -> str:
    """What is wrong with it; empty where nothing is."""
    try:
        read_json(body)
    except ValueError as error:
        return str(error)
    return ""


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(JSON)
def test_what_is_right_is_read_and_repeats_nothing(value: object) -> None:
    body = json.dumps(value).encode()
    assert read_json(body) == value
    assert repeated_fields(body) == ()


@given(st.lists(st.text()) | st.dictionaries(st.text(), st.text()), st.integers(min_value=0))
def test_what_breaks_off_has_a_reason(value: object, at: int) -> None:
    body = json.dumps(value, ensure_ascii=False).encode()
    assert complaint(body[: at % len(body)]).startswith(("unexpected end of JSON input", "invalid character "))


@pytest.mark.parametrize(
    ("body", "paths"),
    [
        (b'{"data": {"x": 1, "x": 2}}', ("data.x",)),
        (b'{"a": 1, "a": {"b": 1, "b": 2}}', ("a", "a.b")),
        (b'{"items": [{}, {"a": 1, "a": 1, "a": 1}]}', ("items[1].a",)),
        (b'{"a": {"x": 1}, "b": {"x": 1}}', ()),
    ],
)
def test_fields_that_stand_twice(body: bytes, paths: tuple[str, ...]) -> None:
    assert repeated_fields(body) == paths


@pytest.mark.parametrize(
    ("text", "shown"), [("\a", '"\\a"'), ("é", '"é"'), ('a"b\\', '"a\\"b\\\\"'), ("\x00", '"\\x00"')]
)
def test_quotes(text: str, shown: str) -> None:
    assert quoted(text) == shown
