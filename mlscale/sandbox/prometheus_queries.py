"""Which of mlscale's own queries a PromQL text is."""

from __future__ import annotations

import re
from dataclasses import dataclass
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
_LITERALS = re.compile(r"(?:[^\\.+*?()\[\]{}^$]|\\[\\.+*?()|\[\]{}^$])*")
"""An expression that is names with | between them."""
_LITERAL = re.compile(r"(?:[^\\|]|\\.)+", re.DOTALL)


@dataclass(frozen=True)
class Recognised:
    """One of mlscale's queries."""

    name: str
    """In QUERIES."""
    parameters: Mapping[str, str]
    """But for the namespace."""
    namespaces: tuple[str, ...] = ("",)
    """That it is about; the empty one where it is about none."""
    of_several: bool = False
    """Whether it is in the form for several, in which each series names its own."""


def recognised(text: str) -> Recognised | None:
    """Which of the queries in QUERIES it is; None where mlscale sends no such query."""
    for name, of_several, pattern in _PATTERNS:
        if match := pattern.fullmatch(text):
            parameters = match.groupdict()
            if "namespace" not in parameters:
                return Recognised(name, parameters)
            namespace = re.sub(r'\\[\\"n]', lambda found: _ESCAPED[found[0]], parameters.pop("namespace"))
            if not of_several:
                return Recognised(name, parameters, (namespace,))
            if _LITERALS.fullmatch(namespace):
                return Recognised(name, parameters, _names(namespace), of_several=True)
    return None


def _names(expression: str) -> tuple[str, ...]:
    return tuple(re.sub(r"\\(.)", r"\1", each, flags=re.DOTALL) for each in _LITERAL.findall(expression))


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


_PATTERNS = [
    (name, of_several, _pattern(text))
    for name, query in QUERIES.items()
    for of_several, text in ((False, query.text), (True, query.of_several))
]
