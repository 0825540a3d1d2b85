"""One group that fails does not cost the others, and nothing is measured that could not be written."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from benchmarks import __main__ as program
from benchmarks import page
from benchmarks.compare import Row
from benchmarks.install import Programs
from benchmarks.measure import BenchmarkError
from tests.cluster import control_plane

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.stage import Stage

PAGE = "<!-- measured: local -->\n<!-- end: local -->\n<!-- measured: far -->\nold\n<!-- end: far -->\n"


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The page, with places for two groups; nothing is installed and no cluster started."""
    path = tmp_path / "performance.md"
    path.write_text(PAGE, encoding="utf-8")
    monkeypatch.setattr(page, "PAGE", path)
    monkeypatch.setattr(page, "conditions", lambda *_: "Measured once.")
    monkeypatch.setattr(control_plane, "up", lambda _: tmp_path / "kubeconfig")
    monkeypatch.setattr(program, "install", lambda *_: Programs("mlscale", "python", "kubectl"))
    return path


def _groups(monkeypatch: pytest.MonkeyPatch, **rows: Row | Exception) -> None:
    def group(found: Row | Exception) -> object:
        def measure(_: Stage) -> list[Row]:
            if isinstance(found, Exception):
                raise found
            return [found]

        return measure

    monkeypatch.setattr(program, "GROUPS", {name: group(found) for name, found in rows.items()})


def _row(ratio: float) -> Row:
    return Row("scale", "kubectl", "ms", 10, 10, ratio, 9, goal=2.0)


def test_a_goal_that_is_missed_is_part_of_the_answer(
    monkeypatch: pytest.MonkeyPatch, written: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _groups(monkeypatch, local=_row(2.5))

    assert program.main([]) == 0
    printed = capsys.readouterr()
    assert "| 2.50 | 2 | **not met** |" in printed.out
    assert printed.err.endswith("bench: 0 of 1 rows within their goals\nbench: not: scale\n")
    assert written.read_text(encoding="utf-8") == PAGE


def test_a_group_that_fails_does_not_stop_the_next(
    monkeypatch: pytest.MonkeyPatch, written: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _groups(monkeypatch, local=BenchmarkError("3 pods are not running"), far=_row(1.5))

    assert program.main(["--write"]) == 1
    assert "- local: 3 pods are not running" in capsys.readouterr().out
    text = written.read_text(encoding="utf-8")
    assert "not measured" in text.partition("<!-- end: local")[0]
    assert "Measured once.\n\n| case |" in text
    assert "old" not in text


def test_only_the_chosen_groups_are_measured_and_written(monkeypatch: pytest.MonkeyPatch, written: Path) -> None:
    _groups(monkeypatch, local=_row(1.5), far=BenchmarkError("not to be run"))

    assert program.main(["--only", "local", "--write"]) == 0
    assert "old" in written.read_text(encoding="utf-8")


def test_a_page_without_a_place_is_said_before_anything_is_measured(
    monkeypatch: pytest.MonkeyPatch, written: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _groups(monkeypatch, local=AssertionError("measured"))
    written.write_text("an empty page", encoding="utf-8")

    assert program.main(["--write"]) == 1
    assert "has no section between <!-- measured: local --> and <!-- end: local -->" in capsys.readouterr().err
