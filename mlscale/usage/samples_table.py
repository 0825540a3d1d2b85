"""Samples as text, CSV or JSON, into a table of numbers; docs/reference/samples.md describes the format.

Whatever is not as described is refused with the line, or for JSON the number of the sample, where it stands.
"""

from __future__ import annotations

import csv
import json
import math
from array import array
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import StringIO
from typing import TYPE_CHECKING, Literal

import numpy as np

from mlscale.errors import NotEnoughDataError, UsageError
from mlscale.kube.near import did_you_mean
from mlscale.kube.quantity import NANO, InvalidQuantityError, nano_of
from mlscale.kube.text import printable
from mlscale.usage.prometheus_signals import SIGNALS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from mlscale.usage.model import FloatArray

FORMAT_HINT = "docs/reference/samples.md describes the format"
EXAMPLE_TIME = "2026-11-01T00:00:00Z"
SIGNAL_NAMES = tuple(dict.fromkeys(signal.name for signal in SIGNALS))
SHARES = frozenset({"throttled", *(signal.name for signal in SIGNALS if signal.over_pods == "mean")})
"""Columns of shares, 0 to 1."""
NUMBERS = (
    "cpu", "memory", "pods", "cpu_request", "memory_request", "throttled", "restarts", "oom_kills", *SIGNAL_NAMES,
)  # fmt: skip
COLUMNS = ("time", "pod", "container", *NUMBERS)

_MISSING = ("", "nan", "null", "none")
"""What spreadsheets, Grafana and pandas write where there is no sample."""
_MILLISECONDS = 1e11
"""From here on a time is no count of seconds: as one it would be in the year 5138."""
_SHOWN = 60
TimeForm = Literal["seconds since 1970", "a time with a zone", "a time without a zone"]
Key = tuple[str, str]
"""Pod and container; empty where the samples have no such column."""


@dataclass(frozen=True)
class SampleTable:
    """The samples in the order of the text; arrays of shape (N,)."""

    source: str
    word: str
    """What ``places`` count: ``line`` or ``sample``."""
    columns: tuple[str, ...]
    """Those of COLUMNS that are there."""
    places: NDArray[np.int64]
    times: FloatArray
    """Seconds since the epoch."""
    keys: tuple[Key, ...]
    key_of: NDArray[np.int64]
    """Index into ``keys``."""
    numbers: Mapping[str, FloatArray]
    """By column; NaN where nothing was given."""

    def place(self, row: int) -> str:
        """``line 7``."""
        return f"{self.word} {self.places[row]}"


@dataclass
class _Growing:
    """The table while it is read: eight bytes a number, since a week of pods is a million rows."""

    places: array[int] = field(default_factory=lambda: array("q"))
    times: array[float] = field(default_factory=lambda: array("d"))
    keys: dict[Key, int] = field(default_factory=dict)
    key_of: array[int] = field(default_factory=lambda: array("q"))
    numbers: dict[str, array[float]] = field(default_factory=dict)
    form: TimeForm | None = None
    form_at: int = 0


@dataclass(frozen=True)
class _Text:
    """Rows of cells as they were written, still to be read; cells of CSV are text, of JSON anything."""

    source: str
    word: str
    header: tuple[str, ...]
    rows: Iterable[tuple[int, Sequence[object]]]

    def refuse(self, place: int, problem: str, hint: str = FORMAT_HINT) -> UsageError:
        return UsageError(f"{self.source}, {self.word} {place}: {problem}", hint)


def read_table(text: str, source: str) -> SampleTable:
    """The samples of ``text``; ``source`` names it in errors.

    Raises UsageError for what is not as described, NotEnoughDataError where there are no samples.
    """
    text = text.removeprefix("\ufeff")
    if not text.strip():
        raise UsageError(f"{source} is empty", FORMAT_HINT)
    written = _read_json(text, source) if text.lstrip()[0] in "[{" else _read_csv(text, source)
    _check_header(written)
    growing = _Growing(numbers={name: array("d") for name in written.header if name in NUMBERS})
    for place, cells in written.rows:
        _add(growing, written, place, cells)
    if not growing.times:
        raise NotEnoughDataError(f"{source} has no samples, only column names", "give samples of at least two times")
    return SampleTable(
        source=source,
        word=written.word,
        columns=written.header,
        places=np.frombuffer(growing.places, np.int64),
        times=np.frombuffer(growing.times),
        keys=tuple(growing.keys),
        key_of=np.frombuffer(growing.key_of, np.int64),
        numbers={name: np.frombuffer(values) for name, values in growing.numbers.items()},
    )


def _read_csv(text: str, source: str) -> _Text:
    head = next(line for line in text.splitlines() if line.strip())
    delimiter = max(",;\t", key=head.count)
    rows = _csv_rows(text, delimiter, source)
    # Of a text like "," no cell is left.
    _, header = next(rows, (1, [""]))
    names = tuple(_column_name(cell) for cell in header)

    def checked() -> Iterator[tuple[int, Sequence[object]]]:
        for place, cells in rows:
            if len(cells) != len(names):
                problem = f"{len(cells)} cells where the header has {len(names)}"
                raise UsageError(f"{source}, line {place}: {problem}", FORMAT_HINT)
            yield place, cells

    return _Text(source, "line", names, checked())


def _csv_rows(text: str, delimiter: str, source: str) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not blank, each with its line."""
    reader = csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield reader.line_num, cells
    except csv.Error as error:
        raise UsageError(f"{source}, line {reader.line_num}: {error}", "give CSV or JSON") from error


def _read_json(text: str, source: str) -> _Text:
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        raise UsageError(f"{source}, line {error.lineno}: not JSON: {error.msg}", "give CSV or JSON") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{source} is not JSON that can be read", "give CSV or JSON") from error
    listed = content.get("samples") if isinstance(content, dict) else content
    if not isinstance(listed, list):
        raise UsageError(f'{source} has no list "samples"', FORMAT_HINT)
    for number, sample in enumerate(listed, 1):
        if not isinstance(sample, dict):
            raise UsageError(f"{source}, sample {number}: {_shown(sample)} is no object", FORMAT_HINT)
    if not listed:
        raise NotEnoughDataError(f"{source} has no samples", "give samples of at least two times")
    samples: list[dict[str, object]] = [{_column_name(key): cell for key, cell in one.items()} for one in listed]
    names = tuple(dict.fromkeys(name for sample in samples for name in sample))
    rows = ((number, [sample.get(name) for name in names]) for number, sample in enumerate(samples, 1))
    return _Text(source, "sample", names, rows)


def _column_name(cell: str) -> str:
    name = cell.strip().lower()
    return "time" if name == "timestamp" else name


def _check_header(written: _Text) -> None:
    names = written.header
    for name in names:
        if name not in COLUMNS:
            hint = did_you_mean(name, COLUMNS) or f"columns are {', '.join(COLUMNS)}"
            raise UsageError(f"{written.source}: unknown column {_shown(name)}", hint)
        if names.count(name) > 1:
            raise UsageError(f"{written.source}: column {name} is there twice", "give it once")
    for name in ("time", "cpu"):
        if name not in names:
            raise UsageError(f"{written.source} has no column {name}", FORMAT_HINT)
    if ("pod" in names) == ("pods" in names):
        raise UsageError(
            f"{written.source} has {'both columns pod and pods' if 'pod' in names else 'no column pod or pods'}",
            "give pod, the name of each row's pod, or pods, how many pods cpu is the sum of",
        )


def _add(growing: _Growing, written: _Text, place: int, cells: Sequence[object]) -> None:
    names: dict[str, str] = {"pod": "", "container": ""}
    for column, cell in zip(written.header, cells, strict=True):
        if column == "time":
            growing.times.append(_time(growing, written, place, cell))
        elif column in names:
            names[column] = _name(written, place, column, cell)
        else:
            growing.numbers[column].append(_checked_number(written, place, column, cell))
    growing.places.append(place)
    growing.key_of.append(growing.keys.setdefault((names["pod"], names["container"]), len(growing.keys)))


def _name(written: _Text, place: int, column: str, cell: object) -> str:
    if not isinstance(cell, str) or not cell.strip():
        raise written.refuse(place, f"no name of a {column}")
    return cell.strip()


def _checked_number(written: _Text, place: int, column: str, cell: object) -> float:
    try:
        number = _number(cell)
    except (InvalidQuantityError, TypeError, OverflowError) as error:
        right = "give a number or a quantity such as 250m or 300Mi, or leave it out"
        raise written.refuse(place, f"{column} {_shown(cell)} is not a number", right) from error
    if math.isnan(number):
        return number
    if not 0 <= number < math.inf:
        raise written.refuse(place, f"{column} {_shown(cell)} cannot be", "it must be 0 or more, and finite")
    if column in SHARES and number > 1:
        raise written.refuse(place, f"{column} {_shown(cell)} is no share", "give 0 to 1: 0.83 for 83 %")
    return number


def _number(cell: object) -> float:
    """NaN for no sample; raises InvalidQuantityError, TypeError or OverflowError."""
    if isinstance(cell, bool) or not isinstance(cell, int | float | str | None):
        raise TypeError
    if not isinstance(cell, str):
        return math.nan if cell is None else float(cell)
    text = cell.strip()
    if text.lower() in _MISSING:
        return math.nan
    try:
        number = float(text)
    except ValueError:
        return nano_of(text) / NANO
    # float() reads 1_000 too, which nobody writes on purpose.
    return number if "_" not in text else nano_of(text) / NANO


def _time(growing: _Growing, written: _Text, place: int, cell: object) -> float:
    """Seconds since the epoch; all times of one text must be written in the same form."""
    form, seconds = _read_time(written, place, cell)
    if growing.form is None:
        growing.form, growing.form_at = form, place
    if form != growing.form:
        raise written.refuse(
            place,
            f"time {_shown(cell)} is {form}, that of {written.word} {growing.form_at} {growing.form}",
            f"write all times in one form, as in {EXAMPLE_TIME}",
        )
    if seconds < 0 or seconds >= _MILLISECONDS:
        unit = "it looks like milliseconds: divide by 1000" if seconds > 0 else f"give it as in {EXAMPLE_TIME}"
        raise written.refuse(place, f"time {_shown(cell)} is out of range", unit)
    # To the millisecond: times closer than that would make a step of next to nothing.
    return round(seconds, 3)


def _read_time(written: _Text, place: int, cell: object) -> tuple[TimeForm, float]:
    if isinstance(cell, int | float) and not isinstance(cell, bool) and abs(cell) < math.inf:
        return "seconds since 1970", float(min(cell, 10**18))
    text = cell.strip() if isinstance(cell, str) else ""
    if text and text.isascii() and text.removeprefix("-").replace(".", "", 1).isdecimal():
        return "seconds since 1970", float(text)
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not None:
            return "a time with a zone", moment.timestamp()
        return "a time without a zone", moment.replace(tzinfo=UTC).timestamp()
    except (ValueError, OverflowError) as error:
        right = f"give it as in {EXAMPLE_TIME}, or in seconds since 1970"
        raise written.refuse(place, f"time {_shown(cell)} is not a time", right) from error


def _shown(cell: object) -> str:
    text = printable(cell if isinstance(cell, str) else json.dumps(cell))
    return f"'{text}'" if len(text) <= _SHOWN else f"'{text[:_SHOWN]}…'"
