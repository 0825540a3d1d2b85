"""Shares, spans and formats as ``mlscale recommend`` reads them."""

from __future__ import annotations

import subprocess
import sys

import pytest

from mlscale.cli.recommend_options import budget_value, history_value, source_options
from mlscale.errors import UsageError
from mlscale.output.recommend_progress import progress_words

DAY = 86400.0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("7d", 7 * DAY), ("2w", 14 * DAY), ("1w2d", 9 * DAY), ("24h", DAY), ("1d12h", 1.5 * DAY), ("90000s", 90_000)],
)
def test_histories(text: str, seconds: float) -> None:
    assert history_value(text) == seconds


@pytest.mark.parametrize("text", ["", "0", "0d", "d", "7", "7 d", "-7d", "1d7", "12h", "7D", "2d1w"])
def test_what_is_no_history(text: str) -> None:
    with pytest.raises(UsageError):
        history_value(text)


@pytest.mark.parametrize(
    ("text", "share"), [("", None), ("0%", 0.0), ("0.1%", 0.001), (".5 %", 0.005), ("5.%", 0.05), ("99.9%", 0.999)]
)
def test_budgets(text: str, share: float | None) -> None:
    assert budget_value(text) == pytest.approx(share) if share else budget_value(text) == share


@pytest.mark.parametrize("text", ["0.1", "1", "100%", "-1%", "nan%", "inf%", "1e-3%", "%", "٣%"])
def test_what_is_no_budget(text: str) -> None:
    with pytest.raises(UsageError, match="--budget"):
        budget_value(text)


def test_the_sources_given_are_kept() -> None:
    assert source_options("http://p", "", "", "2d").prometheus == "http://p"
    assert source_options("", "90s", "", "2d").observe == 90.0
    assert source_options("", "", "-", "2d").samples == "-"


@pytest.mark.parametrize(
    ("done", "total", "words"),
    [
        (0, 4, "[....................] 0 of 4 answers"),
        (1, 4, "[#####...............] 1 of 4 answers"),
        (4, 4, "[####################] 4 of 4 answers"),
        (5, 4, "[####################] 4 of 4 answers"),
        (0, 0, "[####################] 0 of 0 answers"),
    ],
)
def test_a_bar_shows_how_far_it_is(done: float, total: float, words: str) -> None:
    assert progress_words(done, total, "answers") == words


@pytest.mark.parametrize("arguments", [["recommend", "--help"], ["recommend", "web", "-o", "nosuch"]])
def test_numpy_waits_until_there_is_something_to_compute(arguments: list[str]) -> None:
    code = "import sys\nfrom mlscale.cli.main import run\nrun(sys.argv[1:])\nsys.exit('numpy' in sys.modules)"
    ended = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, timeout=60, check=False)

    assert ended.returncode == 0, ended.stderr
