"""Which of mlscale's own queries a PromQL text is."""

from __future__ import annotations

import re
from string import Template
from typing import TYPE_CHECKING

from mlscale.usage.queries import QUERIES

if TYPE_CHECKING:
    from collections.abc import Mapping

_DURATION = r"[0-9]+s"
_METRIC = "[a-zA-Z_:][a-zA-Z0-9_:]*"
_FORMS = {
    "namespace": r'(?:[^"\\\n]|\\.)*',
    "names": rf"{_METRIC}(?:\|{_METRIC})*",
    "aggregate": "sum|avg|max|min",
    "metric": _METRIC,
    "count": _METRIC,
    "window": _DURATION,
    "step": _DURATION,
    "range": _DURATION,
}
"""What each parameter of a query looks like."""
_ESCAPED = {r"\\": "\\", r"\"": '"', r"\n": "\n"}


def recognised(text: str) -> tuple[str, Mapping[str, str]] | None:
    """The name of the query in QUERIES, and its parameters; None where mlscale sends no such query."""
    for name, pattern in _PATTERNS.items():
        if match := pattern.fullmatch(text):
            parameters = match.groupdict()
            if "namespace" in parameters:
                parameters["namespace"] = re.sub(r'\\[\\"n]', lambda found: _ESCAPED[found[0]], parameters["namespace"])
            return name, parameters
    return None


def _pattern(text: str) -> re.Pattern[str]:
    """``text`` with its $parameters as groups, which have the same value wherever they stand again."""
    seen: set[str] = set()
    parts, at = [], 0
    for match in Template.pattern.finditer(text):
        name = match["named"]
        parts += [
            re.escape(text[at : match.start()]),
            f"(?P={name})" if name in seen else f"(?P<{name}>{_FORMS[name]})",
        ]
        seen.add(name)
        at = match.end()
    return re.compile("".join([*parts, re.escape(text[at:])]), re.ASCII)


_PATTERNS = {name: _pattern(query.text) for name, query in QUERIES.items()}
