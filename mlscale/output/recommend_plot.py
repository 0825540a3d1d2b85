"""Curves over time as SVG that needs nothing from elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Literal

from mlscale.output.recommend_axes import thinned, time_marks, value_marks

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH, HEIGHT = 960, 260
LEFT, RIGHT, TOP, BOTTOM = 64, 32, 12, 28
"""Margins around the curves."""


@dataclass(frozen=True)
class Curve:
    """One quantity over time."""

    label: str
    look: Literal["demand", "now", "recommended"]
    values: Sequence[float]
    """One a step, each held until the next; a demand is filled down to 0."""


@dataclass(frozen=True)
class Plot:
    """Curves that share their axes."""

    title: str
    unit: str
    times: Sequence[float]
    """Seconds since the epoch of the values, ascending."""
    curves: tuple[Curve, ...]

    @property
    def end(self) -> float:
        """Until when the last value holds: as long as the one before it."""
        return self.times[-1] + (self.times[-1] - self.times[-2] if len(self.times) > 1 else 1.0)


@dataclass(frozen=True)
class Scales:
    """From times and values to places in the picture."""

    start: float
    end: float
    highest: float

    def x(self, time: float) -> float:
        """From the left edge."""
        return LEFT + (WIDTH - LEFT - RIGHT) * (time - self.start) / (self.end - self.start)

    def y(self, value: float) -> float:
        """From the upper edge."""
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / self.highest


def render_plot(plot: Plot) -> str:
    """A figure with its title, a legend and the picture; nothing for no times.

    It can be read without colours, since the curves differ in their dashes too.
    """
    if not plot.times:
        return ""
    highest = max((max(curve.values, default=0.0) for curve in plot.curves), default=0.0)
    marks = value_marks(highest)
    scales = Scales(plot.times[0], plot.end, marks[-1])
    legend = " ".join(f'<span class="key {curve.look}">{escape(curve.label)}</span>' for curve in plot.curves)
    drawn = "".join(_curve(plot, curve, scales) for curve in plot.curves)
    return (
        f"<figure>\n<figcaption>{escape(plot.title)} <small>{escape(plot.unit)}</small> {legend}</figcaption>\n"
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(plot.title)}">\n'
        f"{_value_axis(marks, scales)}{_time_axis(scales)}{drawn}</svg>\n</figure>\n"
    )


def _value_axis(marks: Sequence[float], scales: Scales) -> str:
    return "".join(
        f'<path class="grid" d="M{LEFT} {scales.y(mark):.1f}H{WIDTH - RIGHT}"/>'
        f'<text class="value" x="{LEFT - 8}" y="{scales.y(mark) + 4:.1f}">{mark:g}</text>\n'
        for mark in marks
    )


def _time_axis(scales: Scales) -> str:
    return "".join(
        f'<text class="time" x="{scales.x(time):.1f}" y="{HEIGHT - 8}">{text}</text>\n'
        for time, text in time_marks(scales.start, scales.end)
    )


def _curve(plot: Plot, curve: Curve, scales: Scales) -> str:
    points = thinned(curve.values)
    if not points:
        return ""
    steps = "".join(f"H{scales.x(plot.times[index]):.1f}V{scales.y(value):.1f}" for index, value in points)
    path = f"{steps}H{scales.x(plot.end):.1f}"
    filled = curve.look == "demand"
    # A line begins at its first value, so that none is drawn up from 0.
    start = scales.y(0.0 if filled else points[0][1])
    close = f"V{scales.y(0):.1f}Z" if filled else ""
    return f'<path class="{curve.look}" d="M{LEFT} {start:.1f}{path}{close}"/>\n'
