"""``--html``: one page that needs nothing from elsewhere, with the replay drawn."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Literal

from mlscale.kube.text import printable
from mlscale.output.recommend_plot import Curve, Plot, render_plot
from mlscale.output.recommend_text import by_gain
from mlscale.output.recommend_words import (
    ROWS,
    history_words,
    limit_words,
    resize_words,
    score_cells,
    score_heads,
    score_title,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from mlscale.recommend.model import HeldOut, Recommendation, ScoreRow, Step

_STYLE = """
:root { color-scheme: light dark; --ink: #1a1a1a; --faint: #8886; --paper: #fff; --demand: #8885; --now: #b84a00;
  --then: #0068b3; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e6e6; --paper: #16181b; --now: #ff9d5c; --then: #6cc0ff; } }
body { color: var(--ink); background: var(--paper); font: 16px/1.5 system-ui, sans-serif; max-width: 62rem;
  margin: 2rem auto; padding: 0 1rem; }
h2 { margin-top: 3rem; overflow-wrap: anywhere; }
.verdict { font-size: 1.15rem; font-weight: 600; }
table { border-collapse: collapse; }
.wide { overflow-x: auto; }
th, td { padding: .25rem .75rem; text-align: right; border-bottom: 1px solid var(--faint); }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
pre { overflow-x: auto; padding: .5rem .75rem; border: 1px solid var(--faint); border-radius: .25rem; }
figure { margin: 1.5rem 0; }
svg { width: 100%; height: auto; }
svg text { font-size: 12px; fill: currentColor; }
.value { text-anchor: end; } .time { text-anchor: middle; }
path { fill: none; stroke-width: 1.5; }
.grid { stroke: var(--faint); stroke-width: .5; }
path.demand { fill: var(--demand); }
path.now { stroke: var(--now); stroke-dasharray: 5 3; }
path.recommended { stroke: var(--then); }
.key { margin-left: 1rem; font-size: .9rem; padding-left: .25rem; }
.key.demand { border-left: 1rem solid var(--demand); }
.key.now { border-bottom: 2px dashed var(--now); }
.key.recommended { border-bottom: 2px solid var(--then); }
"""


def render_page(recommendations: Sequence[Recommendation]) -> str:
    """A whole HTML document, the workload with most to be gained first."""
    sections = "".join(_section(one) for one in by_gain(recommendations))
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        # Whatever a cluster's text may hold, the page can load and run nothing.
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<title>mlscale recommend</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<h1>Recommendations</h1>\n"
        f"{sections}</body>\n</html>\n"
    )


def _section(one: Recommendation) -> str:
    limits = "".join(f"<p>Limited by {_text(limit_words(limit))}:</p>\n{_list(limit.reasons)}" for limit in one.limits)
    return (
        f"<section>\n<h2>{_text(one.target.printed)} <small>in {_text(one.target.namespace)}</small></h2>\n"
        f'<p class="verdict">{_text(one.verdict)}</p>\n{limits}{_list(one.reasons)}'
        f"{_steps(one.steps)}{_scores(one)}{_plots(one)}{_list(one.notes)}"
        f"<p><small>Seen by {_text(history_words(one))}</small></p>\n</section>\n"
    )


def _steps(steps: Sequence[Step]) -> str:
    if not steps:
        return ""
    return f"<h3>What to do</h3>\n<ol>\n{''.join(_step(step) for step in steps)}</ol>\n"


def _step(step: Step) -> str:
    command = f"<pre>{_text(step.command)}</pre>" if step.command else ""
    return f"<li>{_text(step.why)}{_list(map(resize_words, step.resizes))}{command}</li>\n"


def _scores(one: Recommendation) -> str:
    if not one.scores:
        return ""
    heads = score_heads(one.scores)
    gpu = "GPU-HOURS" in heads
    head = "".join(f"<th>{head.capitalize()}</th>" for head in ["SETTING", *heads])
    rows = "".join(_row([f"{ROWS[row.name]}: {row.setting}", *score_cells(row, gpu=gpu)]) for row in one.scores)
    return f'<h3>{_text(score_title(one))}</h3>\n<div class="wide"><table>\n<tr>{head}</tr>\n{rows}</table></div>\n'


def _row(cells: Iterable[str]) -> str:
    return f"<tr>{''.join(f'<td>{_text(cell)}</td>' for cell in cells)}</tr>\n"


def _plots(one: Recommendation) -> str:
    held_out = one.held_out
    if held_out is None:
        return ""
    return "".join(render_plot(plot) for plot in _drawn(held_out, one.scores))


def _drawn(held_out: HeldOut, rows: Sequence[ScoreRow]) -> Iterator[Plot]:
    """Capacity and replicas, now beside recommended; the API's default stands in the table alone."""
    times = held_out.times.tolist()
    demand = Curve("demand", "demand", held_out.demand.tolist())
    yield Plot(
        "Demand, and what the ready pods could serve",
        "cores, times in UTC",
        times,
        (demand, *_curves(rows, "capacity")),
    )
    replicas = _curves(rows, "replicas")
    if replicas:
        yield Plot("Replicas", "times in UTC", times, replicas)


def _curves(rows: Sequence[ScoreRow], quantity: Literal["capacity", "replicas"]) -> tuple[Curve, ...]:
    found = ((row, row.capacity if quantity == "capacity" else row.replicas) for row in rows)
    return tuple(
        Curve(printable(f"{ROWS[row.name]}: {row.setting}"), row.name, values.tolist())
        for row, values in found
        if row.name != "default" and values is not None
    )


def _list(sentences: Iterable[str]) -> str:
    items = "".join(f"<li>{_text(sentence)}</li>\n" for sentence in sentences)
    return f"<ul>\n{items}</ul>\n" if items else ""


def _text(text: str) -> str:
    return escape(printable(text))
