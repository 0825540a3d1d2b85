"""Label selectors as a request writes them (apimachinery pkg/labels/selector.go, v1.37.2)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from mlscale.sandbox.statuses import bad_request

Json = dict[str, Any]

_TOKEN = re.compile(r"\s*(==|!=|[=!><(),]|[^\s=!><(),]+)")
_OPERATORS = ("in", "notin", "=", "==", "!=", ">", "<")
_NAME = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
_VALUE = re.compile(r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?")
_PREFIX = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")

_PARTS = (
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"
)
_NAME_RULE = f"(e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '{_NAME.pattern}')"
_VALUE_RULE = f"(e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '{_VALUE.pattern}')"
_PREFIX_RULE = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start "
    f"and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '{_PREFIX.pattern}')"
)


@dataclass(frozen=True)
class Requirement:
    """One term. ``operator`` is one of in, notin, exists, absent, gt, lt."""

    key: str
    operator: str
    values: frozenset[str] = frozenset()

    def holds(self, labels: Json) -> bool:
        """Whether an object with ``labels`` meets it; one without the key meets ``notin``."""
        value = labels.get(self.key)
        if self.operator == "exists":
            return value is not None
        if self.operator == "absent":
            return value is None
        if self.operator == "notin":
            return value not in self.values
        if self.operator == "in":
            return value in self.values
        return self._compares(value)

    def _compares(self, value: str | None) -> bool:
        if value is None or not re.fullmatch(r"[-+]?[0-9]+", value):
            return False
        bound = int(next(iter(self.values)))
        return int(value) > bound if self.operator == "gt" else int(value) < bound


def parse_label_selector(text: str) -> tuple[Requirement, ...]:
    """The terms of ``app=web,tier in (a,b),!old``. Raises StatusError 400 in the server's words."""
    return _Parser(text).terms() if text.strip() else ()


def matches(requirements: tuple[Requirement, ...], obj: Json) -> bool:
    """Whether the object's labels meet all terms."""
    labels = obj["metadata"].get("labels") or {}
    return all(requirement.holds(labels) for requirement in requirements)


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens: list[str] = [*_TOKEN.findall(text), ""]
        self._at = 0

    def terms(self) -> tuple[Requirement, ...]:
        found = []
        while True:
            if not (_is_word(self._next) or self._next == "!"):
                raise bad_request(f"found '{self._next}', expected: !, identifier, or 'end of string'")
            found.append(self._term())
            after = self._take()
            if after == "":
                return tuple(found)
            if after != ",":
                raise bad_request(f"found '{after}', expected: ',' or 'end of string'")
            if not (_is_word(self._next) or self._next == "!"):
                raise bad_request(f"found '{self._next}', expected: identifier after ','")

    def _term(self) -> Requirement:
        absent = self._next == "!"
        if absent:
            self._take()
        key = self._take()
        if not _is_word(key):
            raise _unparsed(f"found '{key}', expected: identifier")
        _check_key(key)
        if absent:
            return Requirement(key, "absent")
        if self._next in ("", ","):
            return Requirement(key, "exists")
        return self._comparison(key)

    def _comparison(self, key: str) -> Requirement:
        operator = self._take()
        if operator not in _OPERATORS:
            raise _unparsed(f"found '{operator}', expected: in, notin, =, ==, !=, gt, lt")
        values = self._set() if operator in ("in", "notin") else [self._single()]
        for position, value in enumerate(values):
            _check_value(key, position, value, operator)
        names = {"=": "in", "==": "in", "!=": "notin", ">": "gt", "<": "lt"}
        return Requirement(key, names.get(operator, operator), frozenset(values))

    def _single(self) -> str:
        if self._next in ("", ","):
            return ""
        if not _is_word(self._next):
            raise _unparsed(f"found '{self._next}', expected: identifier")
        return self._take()

    def _set(self) -> list[str]:
        opening = self._take()
        if opening != "(":
            raise _unparsed(f"found '{opening}' expected: '('")
        values: list[str] = []
        while self._next not in (")", ""):
            values.append("" if self._next == "," else self._take())
            if self._next == ",":
                self._take()
                values += [""] if self._next == ")" else []
            elif self._next != ")":
                raise _unparsed(f"found '{self._next}', expected: ',' or ')'")
        if self._take() != ")":
            raise _unparsed("found '', expected: ',' or ')'")
        return values or [""]

    @property
    def _next(self) -> str:
        return self._tokens[self._at]

    def _take(self) -> str:
        token = self._tokens[self._at]
        self._at = min(self._at + 1, len(self._tokens) - 1)
        return token


def _is_word(token: str) -> bool:
    return bool(token) and token not in ("=", "==", "!=", "!", ">", "<", "(", ")", ",")


def _unparsed(why: str) -> Exception:
    return bad_request(f"unable to parse requirement: {why}")


def _check_key(key: str) -> None:
    prefix, slash, name = key.rpartition("/")
    if "/" in prefix:
        why = f"a valid label key {_PARTS} {_NAME_RULE} with an optional DNS subdomain prefix and '/' "
        why += "(e.g. 'example.com/MyName')"
    elif slash and not _PREFIX.fullmatch(prefix):
        why = f"prefix part {_PREFIX_RULE}" if prefix else "prefix part must be non-empty"
    elif len(name) > 63:
        why = "name part must be no more than 63 bytes"
    elif not _NAME.fullmatch(name):
        why = f"name part {_PARTS} {_NAME_RULE}"
    else:
        return
    raise _unparsed(f'<nil>: Invalid value: "{key}": {why}')


def _check_value(key: str, position: int, value: str, operator: str) -> None:
    if operator in ("<", ">"):
        if not re.fullmatch(r"[-+]?[0-9]+", value):
            why = "for 'Gt', 'Lt' operators, the value must be an integer"
            raise _unparsed(f'values[{position}]: Invalid value: "{value}": {why}')
        return
    if len(value) > 63:
        why = "must be no more than 63 bytes"
    elif not _VALUE.fullmatch(value):
        why = f"a valid label must be an empty string or {_PARTS.removeprefix('must ')} {_VALUE_RULE}"
    else:
        return
    raise _unparsed(f'values[{position}][{key}]: Invalid value: "{value}": {why}')
