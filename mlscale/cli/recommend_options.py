"""The options of ``mlscale recommend``, read and held against each other before anything is asked."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, cast

from mlscale.cli.values import seconds_value
from mlscale.errors import UsageError
from mlscale.frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlscale.recommend.model import Objective

OBJECTIVES = ("cost", "balanced", "reliability")
FORMATS = ("command", "json", "yaml")
HISTORY = "7d"
"""What is read where nothing else was asked for: a week has each day and hour once."""
OBSERVE = 120.0
"""Seconds that metrics-server is watched where there is no history anywhere."""
_SHORTEST_WATCH = 30.0
_DAY = 86400.0


@frozen
class SourceOptions:
    """Where the history comes from; with none given, from a Prometheus of the cluster, else from metrics-server."""

    prometheus: str = ""
    """A URL."""
    observe: float | None = None
    """Seconds to watch metrics-server."""
    samples: str = ""
    """A file, or ``-``."""
    history: float = 7 * _DAY
    """Seconds to look back."""


def source_options(prometheus: str, observe: str, samples: str, history: str) -> SourceOptions:
    """Raises UsageError for two sources, and for times that say nothing."""
    given = {"--prometheus": prometheus, "--observe": observe, "--samples": samples}
    named = [name for name, value in given.items() if value]
    if len(named) > 1:
        raise UsageError(f"{' and '.join(named)} were both given", "give one source of the history")
    seconds = seconds_value("--observe", observe) if observe else None
    if seconds is not None and seconds < _SHORTEST_WATCH:
        raise UsageError(
            f"--observe {observe} is too short", f"give {_SHORTEST_WATCH:g}s or more: samples come every 15 s"
        )
    return SourceOptions(prometheus, seconds, samples, history_value(history))


def history_value(text: str) -> float:
    """Seconds of ``7d``, ``2w``, ``36h`` or ``1d12h``; less than a day would show none of its course."""
    whole = re.match(r"(?:([0-9]+)w)?(?:([0-9]+)d)?", text)
    weeks, days = whole.groups() if whole else (None, None)
    rest = text[whole.end() :] if whole else text
    seconds = int(weeks or 0) * 7 * _DAY + int(days or 0) * _DAY
    if rest or not (weeks or days):
        seconds += seconds_value("--history", rest)
    if seconds < _DAY:
        raise UsageError(f"--history {text} is shorter than a day", "give a day or more, as in --history 7d")
    return seconds


def budget_value(text: str) -> float | None:
    """The share, 0 to 1, that ``0.1%`` means; None where nothing was given."""
    if not text:
        return None
    number = re.fullmatch(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+) ?%", text)
    if number is None:
        raise UsageError(f"--budget {text!r} is not a share in per cent", "give it as in --budget 0.1%")
    share = float(number.group(1)) / 100
    if share >= 1:
        raise UsageError(f"--budget {text} tolerates that all demand goes unserved", "give less than 100%")
    return share


def objective_value(text: str) -> Objective:
    """``cost``, ``balanced`` or ``reliability``."""
    if text not in OBJECTIVES:
        raise UsageError(f"--objective {text} is not known", f"give one of {', '.join(OBJECTIVES)}")
    return cast("Objective", text)


def check_flags(flags: Mapping[str, bool], output: str) -> None:
    """Raise UsageError for flags that make no sense together (``flags`` by their names), and an unknown ``output``."""
    if output and output not in FORMATS:
        raise UsageError(f"-o {output} is not an output format of this command", f"give one of {', '.join(FORMATS)}")
    for name in ("--yes", "--in-place", "--force-conflicts"):
        if flags[name] and not flags["--apply"]:
            raise UsageError(f"{name} was given without --apply", "give --apply too")
    if flags["--apply"] and flags["--check"]:
        raise UsageError("--check changes nothing, and --apply was given", "leave one of them out")
    if flags["--apply"] and output:
        raise UsageError(f"--apply prints what it does, and -o {output} was given", "leave one of them out")
