"""YAML as the API server reads it; the expected types are those that Kubernetes 1.37.2 takes each word for."""

from __future__ import annotations

import re

import pytest

from mlscale.sandbox.server.go_yaml import read_yaml


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("y", True), ("Y", True), ("yes", True), ("on", True), ("n", False), ("NO", False), ("off", False),
        ("~", None), ("", None), ("0o7", 7), ("010", 8), ("1_000", 1000), ("0x10", 16), ("-3", -3), ("08", 8.0),
        ("1e3", 1000.0), ("1.5", 1.5), ("2001-01-01", "2001-01-01"), ("1:30", "1:30"), ("=", "="), ("yEs", "yEs"),
        ("'y'", "y"),
    ],
)  # fmt: skip
def test_a_word(word: str, value: object) -> None:
    read = read_yaml(f"x: {word}\n".encode())["x"]
    assert (read, type(read)) == (value, type(value))


def test_a_name_may_be_a_truth() -> None:
    assert read_yaml(b"metadata: {name: y}") == {"metadata": {"name": True}}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"a: [", "yaml: line 1: did not find expected node content"),
        (b"a: b: c", "yaml: mapping values are not allowed in this context"),
        (b"x: 1\na: b: c", "yaml: line 2: mapping values are not allowed in this context"),
        (b"a: {\n  b: c\n d: [}", "yaml: line 2: did not find expected ',' or '}'"),
        (b"\ta: b", "yaml: found character that cannot start any token"),
    ],
)
def test_what_is_no_yaml(text: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(words)}$"):
        read_yaml(text)
