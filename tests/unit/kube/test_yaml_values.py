"""Plain YAML values become what kubectl v1.37.2 makes of them: each answer is one that it gave.

Asked by ``kubectl patch --local -f - --type merge -p {} -o json`` with the value in an object of an unknown kind.
"""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from mlscale.errors import UsageError
from mlscale.kube.manifests import read_manifests


def read(value: str) -> Any:
    text = f"apiVersion: example.com/v1\nkind: Thing\nmetadata: {{name: x}}\nspec:\n  v: {value}\n"
    (found,) = read_manifests(["-"], recursive=False, stdin=io.StringIO(text))
    return found["spec"]["v"]


@pytest.mark.parametrize(
    ("value", "answer"),
    [
        ("on", "true"),
        ("y", "true"),
        ("n", "false"),
        ("Off", "false"),
        ("NO", "false"),
        ("'on'", '"on"'),
        ("!!str on", '"on"'),
        ("1.10", "1.1"),
        ("1.0", "1"),
        ("5.", "5"),
        (".5", "0.5"),
        ("1e3", "1000"),
        ("12e03", "12000"),
        ("6.8523015e+5", "685230.15"),
        ("1e400", '"1e400"'),
        ("010", "8"),
        ("0o10", "8"),
        ("0o8", '"0o8"'),
        ("08", "8"),
        ("0x10", "16"),
        ("0x_0A", "10"),
        ("0b11", "3"),
        ("1_000", "1000"),
        ("685_230.15", "685230.15"),
        ("+1", "1"),
        ("-0", "0"),
        ("1:30", '"1:30"'),
        ("190:20:30", '"190:20:30"'),
        ("2026-11-25", '"2026-11-25"'),
        ("=", '"="'),
        ("<<", '"<<"'),
        ("~", "null"),
        ("Null", "null"),
        ("", "null"),
        ("{on: 1}", '{"true": 1}'),
        ("{1: a, 010: b, 1.5: c}", '{"1": "a", "8": "b", "1.5": "c"}'),
        ("{<<: {a: 1}, b: 2}", '{"a": 1, "b": 2}'),
    ],
)
def test_a_value_is_what_kubectl_takes_it_for(value: str, answer: str) -> None:
    assert json.dumps(read(value)) == answer


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (".inf", ".inf is no number to JSON"),
        ("-.INF", "-.INF is no number to JSON"),
        (".nan", ".nan is no number to JSON"),
        ("{null: a}", "a key is null; give the name of a field"),
    ],
)
def test_what_json_cannot_hold_is_refused_as_kubectl_does(value: str, problem: str) -> None:
    with pytest.raises(UsageError) as refused:
        read(value)
    assert problem in refused.value.message
