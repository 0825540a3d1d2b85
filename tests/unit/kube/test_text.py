"""Untrusted text: what reaches the terminal as it is, and what is written as an escape."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlscale.kube.text import printable

CASES = [
    ("web-1", "web-1"),
    ("", ""),
    ("é 中 😀", "é 中 😀"),
    ("tab\tkept", "tab\tkept"),
    ("\x1b[31mred", "\\x1b[31mred"),
    ("a\nb\r\x00", "a\\x0ab\\x0d\\x00"),
    ("\x7f\x9b31m", "\\x7f\\x9b31m"),
    # Right-to-left override, zero-width space, line separator, BOM: they change what a reader sees.
    ("safe\u202egnp.exe", "safe\\u202egnp.exe"),
    ("a\u200bb", "a\\u200bb"),
    ("a\u2028b", "a\\u2028b"),
    ("\ufeffa", "\\ufeffa"),
    ("\ud800", "\\ud800"),
]


@pytest.mark.parametrize(("text", "shown"), CASES)
def test_control_characters_are_written_as_escapes(text: str, shown: str) -> None:
    assert printable(text) == shown


@given(st.text())
def test_nothing_that_controls_a_terminal_gets_through(text: str) -> None:
    shown = printable(text)
    assert all(unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Zl", "Zp") for c in shown if c != "\t")
    assert printable(shown) == shown
    shown.encode()
