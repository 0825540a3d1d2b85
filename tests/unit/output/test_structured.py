"""Objects as JSON and YAML to the byte as kubectl 1.37.2 prints them (seen with `kubectl label --local -o …`)."""

from __future__ import annotations

import json
from itertools import permutations
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mlscale.errors import UsageError
from mlscale.output.structured import object_format, render_json, render_object, render_yaml, without_managed_fields

# What follows "key: " in kubectl's YAML.
PLAIN = [
    "web", "a b", "é中", "it's", "a'b", 'a"b', "a]", "a,b", "a{b", "key:val", "http://x.y/z?a=b#c", "<a&b>", "1.5.2",
    "1e", "0x", "0b", "0o8", "0xG", "_1", "._", ".e1", "e1", "1e1.5", "1,000", "99:99", "tRue", "oN", "nO",
    "NaN", "nan", "inf", "Infinity", "-inf", "+nan", "+", "+a", "-a", "--", ".", "..", ".a", "1d", "1f", "1L", "=",
    "<<", "2024-02-30",     "0x1p4", "2024-13-45", "2024-1", "1e400", "١", "\u00a0x", "a\u0300", "x" * 200,
]  # fmt: skip
SINGLE = [
    "a: b", "a:", " lead", "trail ", "- x", "#c", "a #b", "!t", "!", "!!str", "-", "?", "? a", "@a", "`a", "%a", "{a",
    "*a", "&a", ",", ":", ">", "| x", "[", "---", "--- a", "...", '"q"', '"', "  ", "1 ", " 1", "true ", "key: ",
    "中文: x",
]  # fmt: skip
DOUBLE = [
    "1", "-1", "0", "00", "-0", "1e3", "1E5", "1e+3", "12e03", "0.1e-5", "1.", "0.", ".5", "-.5", "+1", "0x1F", "0X1F",
    "0b11", "-0b1", "0o7", "0O7", "0777", "08", "1_000", "1_", "1__0", "0x_1", "-_.1", "1" * 30, ".inf", "-.Inf",
    ".NaN", "+.inf", "true", "TRUE", "False", "yes", "Yes", "no", "on", "OFF", "y", "Y", "n", "N", "null", "NULL", "~",
    "2024-01-01", "2024-1-1", "2024-01-01T00:00:00Z", "2001-12-14t21:59:43.10-05:00", "20240101", "1:30", "0:0",
    "12:30:45", "-1:30", "190:20:30", "1:2.",
]  # fmt: skip
ESCAPED = [
    ("", '""'),
    ("tab\tx", '"tab\\tx"'),
    ("\x1b[31m", '"\\e[31m"'),
    ("cr\rx", '"cr\\rx"'),
    ("😀", '"\\U0001F600"'),
    ("'", "''''"),
    ("trail \nline", '"trail \\nline"'),
    (" a\n ", '" a\\n "'),
    ("x\t\ny", "|-\n  x\t\n  y"),
    ("x\ny", "|-\n  x\n  y"),
    ("x\n\n  y\n", "|\n  x\n\n    y\n".rstrip("\n")),
    (" a\nb", "|2-\n   a\n  b"),
    ("a\n\n", "|+\n  a\n"),
    ("w " * 60, "'" + "w " * 37 + "w\n  " + "w " * 22 + "'"),
]


def rendered(value: Any) -> str:
    return render_yaml({"key": value}).removeprefix("key: ").removesuffix("\n")


@pytest.mark.parametrize("text", PLAIN)
def test_text_that_stays_plain(text: str) -> None:
    assert rendered(text) == text


@pytest.mark.parametrize("text", SINGLE)
def test_text_in_single_quotes(text: str) -> None:
    assert rendered(text) == f"'{text}'"


@pytest.mark.parametrize("text", DOUBLE)
def test_text_that_would_read_as_something_else_is_in_double_quotes(text: str) -> None:
    # `replicas: "08"` without its quotes would come back as a number, or as text only in some readers.
    assert rendered(text) == f'"{text}"'


@pytest.mark.parametrize(("text", "expected"), [case for case in ESCAPED if case[0] != "x\t\ny"])
def test_text_with_escapes_or_lines(text: str, expected: str) -> None:
    assert rendered(text) == expected


def test_a_tab_before_a_line_break_takes_quotes() -> None:
    assert rendered("x\t\ny") == '"x\\t\\ny"'


VALUES = [
    ({"a": {}, "b": [], "c": None, "d": True, "e": -5}, "a: {}\nb: []\nc: null\nd: true\ne: -5\n"),
    ({"l": [{"b": 1, "a": [1, [2]]}]}, "l:\n- a:\n  - 1\n  - - 2\n  b: 1\n"),
    ({"n": "1"}, '"n": "1"\n'),
    ({"a b": "x", "1": "y", "true": "z"}, '"1": "y"\na b: x\n"true": z\n'),
]


@pytest.mark.parametrize(("obj", "expected"), VALUES)
def test_the_layout_of_objects_and_lists(obj: Any, expected: str) -> None:
    assert render_yaml(obj) == expected


# Each in kubectl's order; plain sorting would put web-10 before web-2 and aB before a_b.
ORDERS = [
    ["web-1", "web-2", "web-10"],
    ["x9", "x10"],
    ["a-b", "a_b", "a1", "aB", "ab", "aé"],
    ["a2", "a02", "a10", "a15", "a105"],
    ["app", "app.kubernetes.io/name", "apple"],
    ["a", "a-", "a1", "aa"],
    ["v1.9", "v1.10"],
    ["Z", "a"],
]


@pytest.mark.parametrize("keys", ORDERS)
def test_keys_are_in_the_order_of_go_s_yaml(keys: list[str]) -> None:
    for shuffled in list(permutations(keys))[:50]:
        read = [line.partition(":")[0] for line in render_yaml(dict.fromkeys(shuffled, "x")).splitlines()]
        assert read == keys


def test_json_is_sorted_and_indented_by_four() -> None:
    assert render_json({"b": [1, {}], "a": {"c": None}}) == (
        '{\n    "a": {\n        "c": null\n    },\n    "b": [\n        1,\n        {}\n    ]\n}\n'
    )


JSON_TEXT = [
    ("<a&b>", "\\u003ca\\u0026b\\u003e"),
    ("\u2028\u2029", "\\u2028\\u2029"),
    ("é😀", "é😀"),
    ("\x1b[31m\x00", "\\u001b[31m\\u0000"),
    ("\b\f\n\r\t", "\\b\\f\\n\\r\\t"),
    ("\x7f", "\x7f"),
    ('"\\/', '\\"\\\\/'),
]


@pytest.mark.parametrize(("text", "expected"), JSON_TEXT)
def test_json_escapes_what_go_escapes(text: str, expected: str) -> None:
    assert render_json({text: text}) == f'{{\n    "{expected}": "{expected}"\n}}\n'


def test_managed_fields_are_left_out_and_the_object_is_not_changed() -> None:
    obj = {"kind": "Pod", "metadata": {"name": "a", "managedFields": [{}]}}
    assert without_managed_fields(obj) == {"kind": "Pod", "metadata": {"name": "a"}}
    assert obj["metadata"] == {"name": "a", "managedFields": [{}]}
    assert without_managed_fields({"kind": "Pod"}) == {"kind": "Pod"}


def test_an_object_in_each_format() -> None:
    obj = {"metadata": {"name": "a", "managedFields": []}}
    assert render_object(obj, "name", "deployment.apps/a") == "deployment.apps/a\n"
    assert render_object(obj, "json", "") == '{\n    "metadata": {\n        "name": "a"\n    }\n}\n'
    assert render_object(obj, "yaml", "") == "metadata:\n  name: a\n"


def test_the_formats() -> None:
    assert [object_format(word) for word in ("", "json", "yaml", "name")] == [None, "json", "yaml", "name"]


@pytest.mark.parametrize("word", ["wide", "JSON", "jsonpath={.a}", " "])
def test_another_format_is_a_usage_error(word: str) -> None:
    with pytest.raises(UsageError, match="is not an output format of this command; give one of json, name, yaml"):
        object_format(word)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab1é-.: ", max_size=4), inner, max_size=3),
    max_leaves=8,
)


@given(JSON_VALUES)
def test_json_reads_back_as_it_was(value: Any) -> None:
    assert json.loads(render_json(value)) == value


@given(st.dictionaries(st.text("ab1-.:# y", max_size=4), st.text("ab01 :-#'\"_.\ney~é", max_size=12), max_size=4))
def test_yaml_reads_back_as_it_was(obj: dict[str, str]) -> None:
    assert yaml.safe_load(render_yaml(obj)) == obj
