"""What `recommend` prints for people: a report on one workload, a table of several, or the lines to run."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING

from mlscale.kube.text import printable
from mlscale.output.recommend_words import (
    METHODS,
    ROWS,
    amount,
    history_words,
    limit_words,
    resize_words,
    score_cells,
    score_heads,
    score_title,
    share,
)
from mlscale.output.structured import render_yaml

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from mlscale.recommend.model import Limit, Recommendation, Step

WIDTH = 110
"""Columns that prose is wrapped at; commands and tables are not."""
_LEAST_UNMET = 0.0005
"""A smaller share of demand does not set the order of workloads."""


def render_report(recommendation: Recommendation) -> str:
    """The whole answer for one workload: verdict, reasons, numbers, what to do."""
    parts = [
        [*_wrapped(f"{recommendation.target.printed}: {recommendation.verdict}")],
        ["Limited by", *(line for limit in recommendation.limits for line in _limit_lines(limit))],
        ["Why these numbers", *_bullets(recommendation.reasons)],
        [f"{score_title(recommendation)}:", *_score_table(recommendation)],
        ["What to do", *_step_lines(recommendation.steps)],
        [*_wrapped(f"Seen by {history_words(recommendation)}")],
    ]
    # A part with nothing below its heading is left out; the first and the last are no headings.
    shown = [part for index, part in enumerate(parts) if index in (0, len(parts) - 1) or len(part) > 1]
    return "\n".join("".join(f"{printable(line)}\n" for line in part) for part in shown)


def render_overview(recommendations: Sequence[Recommendation], *, namespaces: bool = False) -> str:
    """A row a workload, the one with most to be gained first; ``namespaces`` adds a column with theirs."""
    heads = ["NAME", "LIMITED BY", "METHOD", "NOW", "RECOMMENDED", "CORE-HOURS/DAY", "UNMET DEMAND"]
    rows = [_overview_row(one) for one in by_gain(recommendations)]
    if namespaces:
        heads = ["NAMESPACE", *heads]
        rows = [[one.target.namespace, *row] for one, row in zip(by_gain(recommendations), rows, strict=True)]
    return "".join(f"{line}\n" for line in _table([heads, *rows]))


def render_commands(recommendations: Iterable[Recommendation]) -> str:
    """Only the lines to run, in order."""
    return "".join(f"{printable(command)}\n" for one in recommendations for command in one.commands)


def render_manifests(recommendations: Iterable[Recommendation]) -> str:
    """The manifests to commit as one stream of YAML documents."""
    return "---\n".join(render_yaml(manifest) for one in recommendations for manifest in one.manifests)


def render_gap(recommendation: Recommendation) -> str:
    """One line for --check."""
    state = "differs from what is recommended" if recommendation.differs else "as recommended, within the noise"
    return f"{printable(recommendation.target.printed)}: {state}: {printable(recommendation.verdict)}\n"


def by_gain(recommendations: Iterable[Recommendation]) -> list[Recommendation]:
    """Those first whose demand goes unserved, by how much of it; then by the core-hours to be saved; then by name."""

    def order(one: Recommendation) -> tuple[bool, float, float, str, str]:
        unmet = one.gain.unmet if one.gain.unmet >= _LEAST_UNMET else 0.0
        return not one.steps, -unmet, -one.gain.core_hours, one.target.namespace, one.target.printed

    return sorted(recommendations, key=order)


def _overview_row(one: Recommendation) -> list[str]:
    now, then = one.row("now"), one.row("recommended")
    limited = ", ".join(dict.fromkeys(limit.name for limit in one.limits))
    unmet = f"{share(now.unmet)} -> {share(then.unmet)}" if now and then else "-"
    # What is saved is less to ask for, so its sign turns.
    cost = amount(-one.gain.core_hours, signed=True)
    return [
        one.target.printed,
        limited or "Nothing",
        METHODS[one.method],
        now.setting if now else "-",
        then.setting if then else "-",
        cost,
        unmet,
    ]


def _limit_lines(limit: Limit) -> Iterator[str]:
    yield from _wrapped(limit_words(limit), "  ")
    yield from _bullets(limit.reasons, "    ")


def _score_table(recommendation: Recommendation) -> list[str]:
    rows = recommendation.scores
    if not rows:
        return []
    heads = score_heads(rows)
    gpu = "GPU-HOURS" in heads
    cells = [[f"{ROWS[row.name]}: {row.setting}", *score_cells(row, gpu=gpu)] for row in rows]
    return [f"  {line}" for line in _table([["SETTING", *heads], *cells])]


def _step_lines(steps: Sequence[Step]) -> Iterator[str]:
    for number, step in enumerate(steps, 1):
        yield from _wrapped(step.why, f"  {number}. ", "     ")
        yield from _bullets(map(resize_words, step.resizes), "     ")
        if step.command:
            yield f"     {step.command}"


def _bullets(sentences: Iterable[str], indent: str = "  ") -> Iterator[str]:
    for sentence in sentences:
        yield from _wrapped(sentence, f"{indent}- ", f"{indent}  ")


def _wrapped(text: str, first: str = "", later: str | None = None) -> list[str]:
    return wrap(
        text,
        WIDTH,
        initial_indent=first,
        subsequent_indent=first if later is None else later,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    """kubectl's layout: three spaces between columns, none after the last."""
    cells = [[printable(cell) for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    return ["   ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]
