"""The table, and the sections of the page."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from benchmarks import page
from benchmarks.cases import GROUPS
from benchmarks.compare import Row, failed
from benchmarks.install import ROOT

if TYPE_CHECKING:
    from pathlib import Path


def _row(ratio: float, goal: float | None) -> Row:
    return Row("scale", "kubectl", "ms", 1234.5, 7.25, ratio, 9, goal, cpu=(40.4, 50), memory=(9.94, 160))


@pytest.mark.parametrize(
    ("row", "line"),
    [
        (
            _row(1.999, 2.0),
            "| scale | kubectl | 1,234 ms | 7.2 ms | 2.00 | 2 | met | 40 / 50 | 9.9 / 160 | 9 |",
        ),
        (
            _row(0.0412, 0.04),
            "| scale | kubectl | 1,234 ms | 7.2 ms | 0.041 | 0.04 | **not met** | 40 / 50 | 9.9 / 160 | 9 |",
        ),
        (Row("7 days", "", "s", 0.5, None, None, 5), "| 7 days |  | 0.5 s |  |  |  |  |  |  | 5 |"),
        (_row(1.5, None), "| scale | kubectl | 1,234 ms | 7.2 ms | 1.50 |  |  | 40 / 50 | 9.9 / 160 | 9 |"),
        (
            Row("m", "kubectl", "MB", 30, 60, 0.5, 9, 0.6),
            "| m | kubectl | 30 MB | 60 MB | 0.50 | 0.6 | met |  |  | 9 |",
        ),
    ],
)
def test_a_row_shows_its_ratio_beside_the_goal(row: Row, line: str) -> None:
    assert page.render_table([row]).splitlines()[2:] == [line]


def test_a_case_that_could_not_be_measured_says_why_and_has_no_figures() -> None:
    """A zero there would read as the best of all ratios."""
    text = page.render_table([failed("scale", "kubectl", "scale ended with 1: refused", 2.0)])

    assert text.splitlines()[2:] == [
        "| scale | kubectl | | | | 2 | not measured | | | |",
        "",
        "- scale: scale ended with 1: refused",
    ]


PAGE = "# Title\n<!-- measured: a -->\nold a\n<!-- end: a -->\nbetween\n<!-- measured: b -->\n<!-- end: b -->\nend\n"


def test_a_section_is_written_between_its_markers_and_nothing_else_changes() -> None:
    assert page.put_section(PAGE, "a", "new a\n") == PAGE.replace("old a", "new a")
    assert page.put_section(PAGE, "b", "new b") == PAGE.replace("b -->\n<!-- end", "b -->\nnew b\n<!-- end")


def test_writing_a_section_again_changes_nothing() -> None:
    once = page.put_section(PAGE, "b", "new b\n\nlast line\n")

    assert page.put_section(once, "b", "new b\n\nlast line\n") == once


@pytest.mark.parametrize("broken", ["no marker", "<!-- measured: a -->\nwithout an end"])
def test_a_page_without_the_section_is_refused(broken: str) -> None:
    """Otherwise what was measured would be lost, or the rest of the page."""
    with pytest.raises(ValueError, match="no section between"):
        page.put_section(broken, "a", "new")


def test_the_page_has_a_section_for_each_group() -> None:
    text = page.PAGE.read_text(encoding="utf-8")

    assert re.findall(r"<!-- measured: (\w+) -->", text) == re.findall(r"<!-- end: (\w+) -->", text) == list(GROUPS)
    assert page.PAGE.is_relative_to(ROOT / "docs")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("processor\t: 0\nmodel name\t: AMD EPYC 7B13\nmodel name\t: other\n", "AMD EPYC 7B13"),
        ("processor\t: 0\n", "an unnamed processor"),
        (None, "an unnamed processor"),
    ],
)
def test_the_processor_is_named_where_the_system_does(tmp_path: Path, text: str | None, name: str) -> None:
    if text is not None:
        (tmp_path / "cpuinfo").write_text(text, encoding="utf-8")

    assert page.processor(tmp_path / "cpuinfo") == name
