"""The report on one workload, the table of several, and what is to be piped on."""

from __future__ import annotations

from dataclasses import replace

import pytest
import yaml

from mlscale.output.recommend_text import (
    by_gain,
    render_commands,
    render_gap,
    render_manifests,
    render_overview,
    render_report,
)
from mlscale.output.recommend_words import amount, share, span
from mlscale.recommend.model import Gain
from tests.unit.output.recommendations import AUTOSCALE, autoscaled, left_alone, resized, row

REPORT = """\
deployment.apps/web: autoscale on CPU: min 2, max 9, target 65 %

Limited by
  CPU, with a load that varies (server), high confidence
    - use follows the load
    - its peak is 4.1 times its median

Why these numbers
  - of 480 settings it is the cheapest within the budget of 0.1 %

What each setting comes to on the last 2 d, which the search did not see (history: 7 d):
  SETTING                             POD-HOURS   CORE-HOURS   UNMET DEMAND   SATURATED    CHANGES/DAY   PEAK REPLICAS
  now: 5 replicas                     240         120          2.3 %          1 h 30 min   2.5           9
  recommended: 2..9 at 65 % of 500m   240         120          0 %            0            2.5           9
  API default: 1..9 at 80 % of 500m   240         120          <0.01 %        1 h 30 min   2.5           9

What to do
  1. the load varies 4-fold over a day
     mlscale autoscale web --min 2 --max 9 --cpu 65% -n default

Seen by Prometheus at https://prometheus.example: 7 d in steps of 1 min, 2 gaps
"""


def test_the_report_has_the_verdict_first_then_reasons_numbers_and_the_command() -> None:
    assert render_report(autoscaled()) == REPORT


def test_a_report_without_numbers_has_no_heading_for_them() -> None:
    text = render_report(left_alone())

    assert text.splitlines()[0] == "deployment.apps/idle-api: leave it: 2 replicas are within the noise of the best"
    assert "Why these numbers" not in text
    assert "What each setting comes to" not in text
    assert "What to do" not in text


def test_gpu_hours_have_a_column_only_where_there_are_gpus() -> None:
    with_gpus = replace(autoscaled(), scores=(row("now", "5 replicas", gpu_hours=240.0),))

    assert "GPU-HOURS" in render_report(with_gpus)
    assert "GPU-HOURS" not in render_report(autoscaled())


def test_long_reasons_are_wrapped_and_commands_are_not() -> None:
    command = "mlscale autoscale web " + "--metric pods:queue_length=10 " * 8
    step = replace(AUTOSCALE, why="for a good reason " * 20, command=command.strip())
    lines = render_report(replace(autoscaled(), steps=(step,))).splitlines()

    assert f"     {command.strip()}" in lines
    assert all(len(line) <= 110 for line in lines if "--metric" not in line and "   " not in line.strip())


def test_terminal_escapes_of_a_cluster_are_shown_not_sent() -> None:
    step = replace(AUTOSCALE, command="x\x1b]0;y")
    hostile = replace(autoscaled(), verdict="leave \x1b[2Jit", reasons=("a\x07b",), steps=(step,))

    for text in (render_report(hostile), render_gap(hostile), render_commands([hostile])):
        assert "\x1b" not in text
        assert "\x07" not in text
    assert "leave \\x1b[2Jit" in render_report(hostile)


def test_the_overview_is_sorted_by_what_is_to_be_gained() -> None:
    saves = replace(autoscaled("saves"), gain=Gain(core_hours=50.0))
    table = render_overview([left_alone(), resized(), saves, autoscaled("starved")]).splitlines()

    assert [line.split()[0].partition("/")[2] for line in table[1:]] == ["starved", "saves", "bert", "idle-api"]
    assert table[0].split("   ")[0] == "NAME"
    assert "NAMESPACE" not in table[0]


def test_what_is_saved_counts_against_the_cost() -> None:
    saves, costs = render_overview([autoscaled()]), render_overview([resized()])

    assert "   -31.2   " in saves
    assert "   +4.0   " in costs


def test_workloads_of_several_namespaces_are_told_apart() -> None:
    table = render_overview([autoscaled(namespace="prod")], namespaces=True).splitlines()

    assert table[0].startswith("NAMESPACE   NAME ")
    assert table[1].startswith("prod        deployment.apps/web ")


def test_noise_in_unmet_demand_does_not_go_before_savings() -> None:
    noisy = replace(autoscaled("noisy"), gain=Gain(core_hours=1.0, unmet=0.0004))
    saves = replace(autoscaled("saves"), gain=Gain(core_hours=2.0, unmet=0.0))

    assert [one.target.name for one in by_gain([noisy, saves])] == ["saves", "noisy"]


def test_commands_are_lines_to_run_and_nothing_else() -> None:
    assert render_commands([resized(), left_alone()]).splitlines() == [
        "kubectl set resources deployment web -c server --requests=memory=2Gi -n default",
        "mlscale autoscale web --min 2 --max 9 --cpu 65% -n default",
    ]


def test_manifests_are_one_stream_of_documents_in_order() -> None:
    documents = list(yaml.safe_load_all(render_manifests([resized()])))

    assert [document["kind"] for document in documents] == ["Deployment", "HorizontalPodAutoscaler"]
    assert render_manifests([left_alone()]) == ""


@pytest.mark.parametrize(("differs", "words"), [(True, "differs from"), (False, "as recommended")])
def test_a_check_is_one_line(differs: bool, words: str) -> None:
    line = render_gap(replace(autoscaled(), differs=differs))

    assert line.startswith(f"deployment.apps/web: {words}")
    assert line.count("\n") == 1


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (0.054, "0.054"), (3.44, "3.4"), (99.94, "99.9"), (120.4, "120"), (12_345.6, "12346"), (-0.5, "-0.5")],
)
def test_amounts(value: float, text: str) -> None:
    assert amount(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0 %"), (1e-9, "<0.01 %"), (0.0001, "0.01 %"), (0.0025, "0.25 %"), (0.123, "12.3 %"), (1, "100.0 %")],
)
def test_shares_that_are_not_zero_never_read_as_zero(value: float, text: str) -> None:
    assert share(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"), (45, "45 s"), (60, "1 min"), (3599, "1 h"), (3600, "1 h"), (5400, "1 h 30 min"),
        (86399, "1 d"), (604800, "7 d"), (194400, "2 d 6 h"), (86400 + 1800, "1 d"),
        (3 * 86400 - 60, "3 d"), (84540, "23 h 29 min"), (59.9, "60 s"),
    ],
)  # fmt: skip
def test_spans(seconds: float, text: str) -> None:
    assert span(seconds) == text
