"""What differs between the sandbox and a real control plane: the page and the cases name the same differences."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tests.contract import (
    test_raw_autoscaling,
    test_raw_discovery,
    test_raw_limits,
    test_raw_observed,
    test_raw_patching,
    test_raw_reading,
    test_raw_strangers,
    test_raw_watching,
    test_raw_writing,
)
from tests.contract.test_documented_differences import anchors

if TYPE_CHECKING:
    from tests.contract.exchanges import Case

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "sandbox.md"
SECTION = "\n## What differs from a real control plane\n"
TABLES: dict[str, list[Case]] = {
    "autoscaling": test_raw_autoscaling.CASES,
    "discovery": test_raw_discovery.CASES,
    "limits": test_raw_limits.CASES,
    "observed": [*test_raw_observed.CASES, *test_raw_observed.MEASURES],
    "patching": test_raw_patching.CASES,
    "reading": test_raw_reading.CASES,
    "strangers": test_raw_strangers.CASES,
    "watching": [*test_raw_watching.REFUSALS, *test_raw_watching.ENDS],
    "writing": test_raw_writing.CASES,
}


def test_every_difference_is_described_and_every_one_described_is_shown() -> None:
    _, _, section = PAGE.read_text(encoding="utf-8").partition(SECTION)
    described = anchors(section.split("\n## ")[0])
    shown = {one.differs for cases in TABLES.values() for one in cases if one.differs}
    assert len(set(described)) == len(described)
    assert shown | {test_raw_reading.DESCRIPTIONS} == set(described)


def test_a_name_stands_for_one_case_only() -> None:
    for topic, cases in TABLES.items():
        names = [one.name for one in cases]
        assert (topic, sorted(set(names))) == (topic, sorted(names))
