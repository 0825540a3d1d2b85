"""The history of a workload from CSV or JSON."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlscale.errors import NotEnoughDataError, UsageError
from mlscale.kube.kinds import DEPLOYMENT
from mlscale.kube.targets import Target
from mlscale.usage.samples import read_samples
from mlscale.usage.samples_table import COLUMNS, SIGNAL_NAMES
from mlscale.usage.workloads import Resources, Workload

if TYPE_CHECKING:
    from mlscale.usage.model import History, Series

TARGET = Target(DEPLOYMENT, "default", "web")
ONE = Workload(TARGET, {"server": Resources(0.5, 2.0**30, 1.0, 2.0**31)})
TWO = Workload(TARGET, {"server": Resources(0.5), "proxy": Resources(0.1)})
START = 1793491200
DOCUMENT = Path(__file__).parents[3] / "docs/reference/samples.md"
PODS = """time,pod,cpu
2026-11-01T00:00:00Z,web-1,0.25
2026-11-01T00:00:00Z,web-2,500m
2026-11-01T00:01:00Z,web-1,1
"""


def history(text: str, workload: Workload = ONE) -> History:
    return read_samples("-", io.StringIO(text), workload)


def pairs(series: Series | None) -> list[tuple[float, float]]:
    """Seconds after START, and value."""
    assert series is not None
    return [(time - START, round(value, 9)) for time, value in zip(series.times.tolist(), series.values, strict=True)]


def table(*rows: str, header: str = "time,cpu,pods") -> str:
    return "\n".join([header, *rows]) + "\n"


def test_pods_add_up_and_come_and_go() -> None:
    read = history(PODS)

    assert pairs(read.cpu) == [(0, 0.75), (60, 1.0)]
    assert pairs(read.pods) == [(0, 2), (60, 1)]
    assert read.step == 60
    assert read.source == "standard input"
    # Not the mean: the pod that used most is what a size has to be enough for.
    assert pairs(read.containers["server"].cpu) == [(0, 0.5), (60, 1.0)]


def test_sums_over_pods_are_divided_by_their_number_for_a_container() -> None:
    read = history(table(f"{START},1.5,3", f"{START + 30},2,4", f"{START + 60},0,0"))

    assert pairs(read.cpu) == [(0, 1.5), (30, 2.0), (60, 0.0)]
    assert pairs(read.pods) == [(0, 3), (30, 4), (60, 0)]
    assert pairs(read.containers["server"].cpu) == [(0, 0.5), (30, 0.5), (60, 0.0)]


def test_sums_of_several_containers_are_one_demand_of_as_many_pods() -> None:
    rows = [f"{START + t},{name},{cpu},2" for t in (0, 60) for name, cpu in (("server", 1), ("proxy", 0.2))]

    read = history(table(*rows, header="time,container,cpu,pods"), TWO)

    assert pairs(read.cpu) == [(0, 1.2), (60, 1.2)]
    assert pairs(read.pods) == [(0, 2), (60, 2)]
    assert pairs(read.containers["proxy"].cpu) == [(0, 0.1), (60, 0.1)]


def test_without_a_container_column_several_containers_are_only_known_together() -> None:
    read = history(PODS, TWO)

    assert pairs(read.cpu) == [(0, 0.75), (60, 1.0)]
    assert read.containers == {}


def test_limits_and_requests_are_the_templates_unless_the_file_has_those_of_the_time() -> None:
    rows = [f"{START},web-1,0.1,250m,", f"{START + 60},web-1,0.1,250m,", f"{START + 120},web-1,0.1,1,"]

    use = history(table(*rows, header="time,pod,cpu,cpu_request,memory_request")).containers["server"]

    assert pairs(use.cpu_request) == [(0, 0.25), (120, 1.0)]
    assert pairs(use.memory_request) == [(0, 2.0**30)]
    assert (use.cpu_limit, use.memory_limit) == (1.0, 2.0**31)


def test_counts_are_what_they_grew_by() -> None:
    rows = [f"{START},web-1,0.1,7,0,0.2", f"{START + 60},web-1,0.1,9,1,0.4", f"{START + 60},web-2,0.1,3,0,0.1"]

    use = history(table(*rows, header="time,pod,cpu,restarts,oom_kills,throttled")).containers["server"]

    assert (use.restarts, use.oom_kills) == (2, 1)
    assert pairs(use.throttled) == [(0, 0.2), (60, 0.4)]


def test_signals_of_pods_are_made_one_as_each_of_them_must() -> None:
    header = "time,pod,cpu,queue_length,gpu_utilization,latency_p95"
    rows = [f"{START},a,1,3,0.9,0.2", f"{START},b,1,5,0.7,0.4", f"{START + 60},a,1,,,", f"{START + 60},b,1,1,0.5,1"]

    signals = history(table(*rows, header=header)).signals

    assert pairs(signals["queue_length"]) == [(0, 8), (60, 1)]
    assert pairs(signals["gpu_utilization"]) == [(0, 0.8), (60, 0.5)]
    assert pairs(signals["latency_p95"]) == [(0, 0.4), (60, 1)]


def test_a_signal_that_each_container_repeats_counts_once_a_pod() -> None:
    rows = [f"{START + t},a,{name},1,4" for t in (0, 60) for name in ("server", "proxy")]

    signals = history(table(*rows, header="time,pod,container,cpu,queue_length"), TWO).signals

    assert pairs(signals["queue_length"]) == [(0, 4), (60, 4)]


def test_times_that_differ_by_next_to_nothing_are_the_same() -> None:
    read = history(table("0,1,1", f"0.{'0' * 320}1,1,1", f"{START},1,1"))

    # As a step, 1e-321 s would be beyond what a grid can count.
    assert read.step == START


def test_a_short_hole_is_bridged_and_a_long_one_is_a_gap() -> None:
    times = [0, 60, 240, 300, 1500, 1560]
    read = history(table(*(f"{START + t},{t / 60},1" for t in times)))

    assert pairs(read.cpu)[:6] == [(60 * n, n) for n in range(6)]
    assert read.gaps == ((START + 300, START + 1500),)


def test_pods_measured_at_different_moments_share_a_step() -> None:
    rows = [f"{START + 60 * n + at},{pod},1" for n in range(5) for pod, at in (("a", 0), ("b", 25))]

    read = history(table(*rows, header="time,pod,cpu"))

    assert pairs(read.cpu) == [(60 * n, 2) for n in range(5)]
    assert read.gaps == ()


@pytest.mark.parametrize(
    "text",
    [
        "time;pods;cpu\n{0};2;1.5\n{1};2;250m\n",
        "cpu\tTIME\tpods\n1.5\t{0}\t2\n0.25\t{1}\t2\n",
        "\ufefftimestamp,cpu,pods\r\n{0},1.5,2\r\n\r\n{1},0.25,2\r\n",
        "time,cpu,pods,memory\n{1},.25,2,NaN\n{0},1.5,2,\n",
        "time,cpu,pods\n{0},1.5,2\n{1},2.5e-1,2\n{0},1.5,2\n",
        '[{{"time": {0}, "cpu": 1.5, "pods": 2}}, {{"time": "{1}", "cpu": "250m", "pods": 2, "memory": null}}]',
        "time,cpu,pods\n2026-11-01 00:00:00,1.5,2\n2026-11-01 00:01:00,0.25,2\n",
        "time,cpu,pods\n2026-11-01T01:00:00+01:00,1.5,2\n2026-10-31T19:01:00-05:00,0.25,2\n",
    ],
    ids=["semicolons", "tabs", "bom and crlf", "unsorted", "repeated", "json", "no zone", "offsets"],
)
def test_the_same_samples_written_in_another_way(text: str) -> None:
    read = history(text.format(START, START + 60))

    assert pairs(read.cpu) == [(0, 1.5), (60, 0.25)]


GOOD = f"{START},1,1"
BAD: dict[str, tuple[str, str]] = {
    "empty": (" \n", "is empty"),
    "separators only": (",,\n", "unknown column ''"),
    "no time": (table("1,1", header="cpu,pods"), "no column time"),
    "no cpu": (table(GOOD, header="time,memory,pods"), "no column cpu"),
    "no pods": (table(f"{START},1", header="time,cpu"), "no column pod or pods"),
    "pod and pods": (table(f"{START},1,a,1", header="time,cpu,pod,pods"), "both columns pod and pods"),
    "typo": (table(GOOD, header="time,cpus,pods"), "unknown column 'cpus'; did you mean \"cpu\""),
    "foreign": (table(GOOD, header="time,value,xyzzy"), "unknown column 'value'"),
    "column twice": (table(f"{GOOD},1", header="time,cpu,pods,CPU"), "column cpu is there twice"),
    "no header": (table(header=GOOD), f"unknown column '{START}'"),
    "escape in a column": (table(GOOD, header="time,\x1b[31mcpu,pods"), r"'\x1b[31mcpu'"),
    "short row": (table(GOOD, f"{START},1"), "line 3: 2 cells where the header has 3"),
    "long row": (table(f"{GOOD},4"), "line 2: 4 cells where the header has 3"),
    "decimal comma": (table(f"{START};0,5;1", header="time;cpu;pods"), "line 2: cpu '0,5' is not a number"),
    "quote": (table(GOOD, f'"{START}"x,1,1'), "line 3: "),
    "word": (table(GOOD, f"{START},much,1"), "line 3: cpu 'much' is not a number"),
    "underscore": (table(f"{START},1_000,1"), "line 2: cpu '1_000' is not a number"),
    "negative": (table(f"{START},-0.5,1"), "line 2: cpu '-0.5' cannot be"),
    "infinite": (table(f"{START},inf,1"), "line 2: cpu 'inf' cannot be"),
    "per cent": (table(f"{GOOD},83", header="time,cpu,pods,gpu_utilization"), "gpu_utilization '83' is no share"),
    "no pod's name": (table(f"{START},1,", header="time,cpu,pod"), "line 2: no name of a pod"),
    "no count of pods": (table(f"{START},1,", f"{START + 60},1,2"), "line 2: no number of pods"),
    "no date": (table("yesterday,1,1"), "line 2: time 'yesterday' is not a time"),
    "no such date": (table("2026-02-30T00:00:00Z,1,1"), "line 2: time '2026-02-30T00:00:00Z' is not a time"),
    "milliseconds": (table(f"{START}000,1,1"), "looks like milliseconds"),
    "before 1970": (table("-5,1,1"), "line 2: time '-5' is out of range"),
    "zone and none": (
        table("2026-11-01T00:00:00Z,1,1", "2026-11-01T00:01:00,1,1"),
        "line 3: time '2026-11-01T00:01:00' is a time without a zone, that of line 2 a time with a zone",
    ),
    "seconds and dates": (table(GOOD, "2026-11-01T00:01:00Z,1,1"), "that of line 2 seconds since 1970"),
    "same time twice": (
        table(f"{START},1,1", f"{START + 60},1,1", f"{START},2,1"),
        "line 4: the same time as line 2 with another cpu",
    ),
    "same time of a pod": (
        table(f"{START},a,1", f"{START},a,2", header="time,pod,cpu"),
        "line 3: the same time of a as line 2 with another cpu",
    ),
    "another decade": (
        table("5,1,1", *(f"{START + n},1,1" for n in range(9))),
        "from line 2 to line 11 it is 20758 days at a step of 1 s",
    ),
    "other containers": (
        table(f"{START},a,web,1", f"{START + 60},a,web,1", header="time,pod,container,cpu"),
        "container web, which deployment.apps/web does not have; its containers are server",
    ),
    "json syntax": ('[{"time": 1,\n "cpu" 2}]', "line 2: not JSON"),
    "json depth": ("[" * 100_000, "is not JSON that can be read"),
    "json digits": (f"[{'1' * 5000}]", "is not JSON that can be read"),
    "json list of numbers": ("[1, 2]", "sample 1: '1' is no object"),
    "json without samples": ('{"data": []}', 'no list "samples"'),
    "json true": ('[{"time": 1, "cpu": true, "pods": 1}]', "sample 1: cpu 'true' is not a number"),
    "json infinity": ('[{"time": 1, "cpu": Infinity, "pods": 1}]', "sample 1: cpu 'Infinity' cannot be"),
    "json without time": ('[{"time": 1, "cpu": 1, "pods": 1}, {"cpu": 1}]', "sample 2: time 'null' is not a time"),
    "json large": (f'[{{"time": 1, "cpu": {"9" * 400}, "pods": 1}}]', "sample 1: cpu"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_not_as_described_is_named_with_its_place(case: str) -> None:
    text, said = BAD[case]

    with pytest.raises(UsageError) as raised:
        history(text)

    assert said in str(raised.value)
    assert str(raised.value).startswith("standard input")
    assert str(raised.value).isprintable()
    assert raised.value.hint


@pytest.mark.parametrize(
    "text",
    [table(), "[]", table(GOOD), table(GOOD, GOOD), table(f"{START},1,a", f"{START},1,b", header="time,cpu,pod")],
    ids=["header", "empty list", "one", "one twice", "one of each pod"],
)
def test_fewer_than_two_samples_are_not_enough(text: str) -> None:
    with pytest.raises(NotEnoughDataError, match=r"samples|no two"):
        history(text)


@pytest.mark.parametrize(("content", "said"), [(None, "No such file"), (b"\xff\xfe1", "not UTF-8")])
def test_a_file_that_cannot_be_read(tmp_path: Path, content: bytes | None, said: str) -> None:
    path = tmp_path / "use.csv"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(UsageError, match=said):
        read_samples(str(path), io.StringIO(), ONE)


def test_a_file_is_named_as_the_source(tmp_path: Path) -> None:
    path = tmp_path / "use.csv"
    path.write_text(PODS, encoding="utf-8")

    assert read_samples(str(path), io.StringIO(), ONE).source == str(path)


@given(
    st.lists(
        st.tuples(st.integers(0, 200), st.sampled_from("abc"), st.floats(0, 64)),
        min_size=2,
        unique_by=lambda row: row[:2],
    ),
    st.randoms(),
)
def test_the_order_of_rows_and_repetition_change_nothing(rows: list[tuple[int, str, float]], random: Any) -> None:
    text = [f"{START + 15 * time},{pod},{cpu!r}" for time, pod, cpu in rows]
    shuffled = random.sample([*text, *text[:1]], len(text) + 1)
    header = "time,pod,cpu"
    try:
        first = history(table(*text, header=header))
    except NotEnoughDataError:
        with pytest.raises(NotEnoughDataError):
            history(table(*shuffled, header=header))
        return
    second = history(table(*shuffled, header=header))

    assert pairs(first.cpu) == pairs(second.cpu)
    assert first.gaps == second.gaps
    assert np.all(np.diff(first.cpu.times) > 0)


@given(st.text(max_size=200) | st.recursive(st.none() | st.floats() | st.text(), st.lists).map(json.dumps))
def test_no_text_makes_it_fail_otherwise(text: str) -> None:
    with pytest.raises((UsageError, NotEnoughDataError)):
        history(text)


cells = st.sampled_from(["", "nan", "0", "1.5", "250m", "3Mi", "-1", "1e400", "x", "²", "2026-11-01", str(START)])


@given(st.lists(st.lists(cells, min_size=3, max_size=3), min_size=1, max_size=6))
def test_no_cell_makes_it_fail_otherwise(rows: list[list[str]]) -> None:
    try:
        read = history(table(*(",".join(row) for row in rows)))
    except (UsageError, NotEnoughDataError):
        return

    assert np.isfinite(read.cpu.values).all()


EXAMPLES = re.findall(r"```(?:csv|json)\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize(("example", "total"), [(0, 0.605), (1, 0.605), (2, 0.31)])
def test_the_examples_of_the_document_are_read(example: int, total: float) -> None:
    read = history(EXAMPLES[example])

    assert pairs(read.cpu)[0] == (0, total)
    assert read.step == 60


def test_the_document_lists_every_column() -> None:
    listed = re.findall(r"`([a-z0-9_]+)`", "\n".join(re.findall(r"^\| (`.*?) \|", DOCUMENT.read_text(), re.MULTILINE)))

    assert set(listed) - {"timestamp"} == set(COLUMNS)
    assert set(SIGNAL_NAMES) <= set(listed)
