"""The page: self-contained, harmless whatever a cluster's text holds, and with the curves it promises."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlscale.output.recommend_axes import thinned, time_marks, value_marks
from mlscale.output.recommend_page import render_page
from mlscale.output.recommend_plot import Curve, Plot, render_plot
from mlscale.recommend.model import HeldOut
from tests.unit.output.recommendations import DAY, START, autoscaled, left_alone, row

if TYPE_CHECKING:
    from mlscale.usage.model import FloatArray

VOID = {"meta", "br", "path"}


class Elements(HTMLParser):
    """The elements of a page, and whether each was closed."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []
        self.open: list[str] = []
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag


def elements(page: str) -> Elements:
    parser = Elements()
    parser.feed(page)
    return parser


def plot(times: list[float], *curves: Curve) -> ElementTree.Element:
    drawn = render_plot(Plot("Replicas", "", times, curves))
    return ElementTree.fromstring(drawn)  # noqa: S314  made above


def paths(figure: ElementTree.Element, look: str) -> list[str]:
    return [path.attrib["d"] for path in figure.iter("path") if path.attrib["class"] == look]


def test_a_page_loads_nothing_from_elsewhere() -> None:
    page = render_page([autoscaled(), left_alone()])
    found = elements(page)

    assert found.open == []
    assert not {"script", "link", "img", "iframe", "object"} & set(found.names)
    assert not {"src", "href", "srcset", "data"} & found.attributes
    assert "url(" not in page
    assert "default-src 'none'" in page


def test_a_page_has_demand_capacity_and_replicas_now_beside_recommended() -> None:
    page = render_page([autoscaled()])
    figures = re.findall(r"<figure>.*?</figure>", page, re.DOTALL)
    looks = [sorted(re.findall(r'<path class="(demand|now|recommended)"', figure)) for figure in figures]

    assert looks == [["demand", "now", "recommended"], ["now", "recommended"]]
    assert "now: 5 replicas" in page
    assert "which the search did not see" in page


def test_a_page_about_a_workload_without_a_replay_has_its_verdict() -> None:
    page = render_page([left_alone()])

    assert "leave it: 2 replicas" in page
    assert "<svg" not in page
    assert "<table" not in page


def test_text_of_a_cluster_stays_text() -> None:
    evil = "<script>alert(1)</script>&\x1b\"'"
    hostile = replace(
        autoscaled(evil),
        verdict=evil,
        reasons=(evil,),
        notes=(evil,),
        scores=(row("now", evil, curves=True),),
    )
    page = render_page([hostile])

    assert "script" not in elements(page).names
    assert "\x1b" not in page
    assert page.count("&lt;script&gt;") >= 6


def test_a_curve_steps_and_is_held_until_its_end() -> None:
    """1, then 3 at half of the time: right at 1, up to 3, and right to the edge; the scale ends at 3."""
    figure = plot([0.0, 60.0], Curve("now", "now", [1, 3]))

    assert paths(figure, "now") == ["M64 158.7H64.0V158.7H496.0V12.0H928.0"]


def test_a_demand_is_filled_down_to_zero() -> None:
    figure = plot([0.0, 60.0], Curve("demand", "demand", [1, 3]))

    assert paths(figure, "demand")[0].startswith("M64 232.0")
    assert paths(figure, "demand")[0].endswith("V232.0Z")


def test_a_gap_in_time_is_as_wide_as_it_was() -> None:
    figure = plot([0.0, 60.0, 540.0], Curve("now", "now", [1, 2, 1]))
    # 540 s and the 480 s for which the last value is drawn on.
    assert f"H{64 + 864 * 60 / 1020:.1f}V" in paths(figure, "now")[0]
    assert f"H{64 + 864 * 540 / 1020:.1f}V" in paths(figure, "now")[0]


def test_one_sample_and_none_can_be_drawn() -> None:
    assert "<svg" in render_plot(Plot("Replicas", "", [START], (Curve("now", "now", [0.0]),)))
    assert render_plot(Plot("Replicas", "", [], (Curve("now", "now", []),))) == ""


def test_a_week_at_15_s_stays_a_page_of_some_kilobytes() -> None:
    times: FloatArray = START + 15.0 * np.arange(40_320, dtype=np.float64)
    demand: FloatArray = np.array(2 + np.sin(times / 5000) + np.random.default_rng(1).random(len(times)), np.float64)
    week = replace(
        autoscaled(),
        held_out=HeldOut(times, demand),
        scores=tuple(replace(one, replicas=np.ceil(demand), capacity=np.ceil(demand)) for one in autoscaled().scores),
    )

    assert len(render_page([week])) < 200_000


@given(st.lists(st.floats(0, 1e9), min_size=1, max_size=300), st.integers(1, 20))
def test_thinning_keeps_the_highest_the_lowest_the_order_and_the_ends(values: list[float], columns: int) -> None:
    kept = thinned(values, columns)

    assert max(value for _, value in kept) == max(values)
    assert min(value for _, value in kept) == min(values)
    assert [index for index, _ in kept] == sorted({index for index, _ in kept})
    assert all(values[index] == value for index, value in kept)
    assert (kept[0][0], kept[-1][0]) == (0, len(values) - 1)
    assert len(kept) <= 2 * columns + 2


@given(st.floats(1e-6, 1e9))
def test_value_marks_begin_at_zero_cover_the_highest_and_are_few(highest: float) -> None:
    marks = value_marks(highest)

    assert marks[0] == 0
    assert marks[-1] >= highest * (1 - 1e-6)
    assert 2 <= len(marks) <= 6
    assert all(math.isclose(marks[1] * index, mark, rel_tol=1e-6) for index, mark in enumerate(marks))


@pytest.mark.parametrize(
    ("highest", "marks"),
    [(0.0, [0, 1]), (1.0, [0, 0.5, 1.0]), (7.1, [0, 2, 4, 6, 8]), (0.4, [0, 0.1, 0.2, 0.3, 0.4]), (9, [0, 5, 10])],
)
def test_value_marks(highest: float, marks: list[float]) -> None:
    assert value_marks(highest) == pytest.approx(marks)


@given(st.floats(1e9, 2e9), st.floats(60, 400 * DAY))
def test_time_marks_lie_within_and_are_few(start: float, length: float) -> None:
    marks = time_marks(start, start + length)

    assert len(marks) <= 9
    assert all(start <= time <= start + length for time, _ in marks)


def test_days_are_named_where_they_begin() -> None:
    assert time_marks(START, START + DAY)[0] == (START, "15 Nov")
    assert time_marks(START, START + DAY)[1][1] == "03:00"
    assert [text for _, text in time_marks(START, START + 3 * DAY)][:3] == ["15 Nov", "12:00", "16 Nov"]
