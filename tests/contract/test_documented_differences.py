"""The page of differences and the lines that show them name the same ones."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.contract import test_access_lines, test_autoscale_lines, test_scale_lines
from tests.contract.lines import Line, different_lines

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "kubectl.md"
TABLES = {
    "scale": [*test_scale_lines.LINES, *test_access_lines.LINES],
    "autoscale": test_autoscale_lines.LINES,
}


def anchors(text: str) -> list[str]:
    """The anchor of each heading of the third level, as MkDocs makes them."""
    headings = re.findall(r"^### (.+)$", text, re.MULTILINE)
    return [re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", heading).strip().lower()) for heading in headings]


def test_every_difference_is_described_and_every_one_described_is_shown() -> None:
    described = anchors(PAGE.read_text(encoding="utf-8"))
    assert len(set(described)) == len(described)
    assert different_lines([line for lines in TABLES.values() for line in lines]) == set(described)


@pytest.mark.parametrize("verb", ["scale", "autoscale"])
def test_a_difference_of_one_verb_is_described_under_it(verb: str) -> None:
    _, _, section = PAGE.read_text(encoding="utf-8").partition(f"\n## {verb}\n")
    here = set(anchors(section.split("\n## ")[0]))
    other = different_lines([line for name, lines in TABLES.items() if name != verb for line in lines])
    assert here
    assert not here & other


def test_a_name_stands_for_one_line_only() -> None:
    for lines in TABLES.values():
        names = [line.name for line in lines]
        assert sorted(set(names)) == sorted(names)


def test_a_line_that_is_the_same_says_nothing_about_what_differs() -> None:
    lines: list[Line] = [line for table in TABLES.values() for line in table]
    assert [line.name for line in lines if not line.different and (line.prints or line.leaves)] == []
