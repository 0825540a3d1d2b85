"""The YAML in which kubeconfigs are written, read without the library for YAML.

Importing PyYAML takes a tenth of a whole run of ``mlscale scale``, mostly for regular expressions. kubectl and the
tools beside it write nested mappings and lists of one-line scalars, which need none of it. Whatever else YAML has,
or could mean something else, is refused here and left to PyYAML, so that there is one meaning of a file.
"""

from __future__ import annotations

_OTHER_THAN_TEXT = frozenset({"y", "yes", "n", "no", "on", "off", "true", "false", "null"})
_OF_NUMBERS = frozenset("0123456789abcdefABCDEFxXoO_.:+-")
_WORDS: dict[str, object] = {"true": True, "false": False, "null": None}


class NotPlainError(Exception):
    """The text has more of YAML than is read here; it need not be wrong."""


def read_plain_yaml(text: str) -> object:
    """What ``text`` holds: dicts, lists, strings, booleans and None. Raises NotPlainError."""
    lines = [_Line(line) for line in text.removeprefix("---\n").split("\n") if not _is_empty(line)]
    if not (lines and text.isascii()):
        raise NotPlainError
    lines.reverse()  # so that pop() takes the next
    try:
        found = _block(lines)
    except RecursionError:
        raise NotPlainError from None
    if lines:
        raise NotPlainError
    return found


def _is_empty(line: str) -> bool:
    return not line.strip(" ") or line.lstrip(" ").startswith("#")


class _Line:
    """A line that is not empty: how far it is indented, and what stands there."""

    __slots__ = ("indent", "is_item", "text")

    def __init__(self, line: str, indent: int = 0) -> None:
        if not line.isprintable():
            raise NotPlainError
        self.text = line.strip(" ")
        self.indent = indent + len(line) - len(line.lstrip(" "))
        self.is_item = self.text.startswith("- ")


def _block(lines: list[_Line]) -> object:
    """The mapping or list that begins with the next line."""
    first = lines[-1]
    return _list(lines, first.indent) if first.is_item else _mapping(lines, first.indent)


def _mapping(lines: list[_Line], indent: int) -> dict[str, object]:
    found: dict[str, object] = {}
    while lines and lines[-1].indent == indent and not lines[-1].is_item:
        name, value = _key(lines.pop().text)
        if name in found:
            raise NotPlainError
        found[name] = _scalar(value) if value else _nested(lines, indent)
    _refuse_deeper(lines, indent)
    return found


def _nested(lines: list[_Line], indent: int) -> object:
    """The value below a key: deeper, or a list as deep as the key itself."""
    if lines and (lines[-1].indent > indent or (lines[-1].indent == indent and lines[-1].is_item)):
        return _block(lines)
    return None


def _list(lines: list[_Line], indent: int) -> list[object]:
    found: list[object] = []
    while lines and lines[-1].indent == indent and lines[-1].is_item:
        item = _Line(lines.pop().text[1:], indent + 1)
        if item.is_item:
            raise NotPlainError
        if ": " in item.text or item.text.endswith(":"):
            lines.append(item)
            found.append(_mapping(lines, item.indent))
        else:
            found.append(_scalar(item.text))
    _refuse_deeper(lines, indent)
    return found


def _refuse_deeper(lines: list[_Line], indent: int) -> None:
    """What stands deeper than expected goes on with the scalar before it."""
    if lines and lines[-1].indent > indent:
        raise NotPlainError


def _key(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    if not colon or (value and value[0] != " ") or not name.replace("-", "").isalnum() or not _is_text(name):
        raise NotPlainError
    return name, value.strip(" ")


def _scalar(value: str) -> object:
    if value in _WORDS:
        return _WORDS[value]
    if value == "{}":
        return {}
    if value == "[]":
        return []
    quote = value[0]
    if quote in "'\"":
        inner = value[1:-1]
        if len(value) < 2 or value[-1] != quote or quote in inner or "\\" in inner:
            raise NotPlainError
        return inner
    if not _is_text(value):
        raise NotPlainError
    return value


def _is_text(value: str) -> bool:
    """Whether ``value`` stands for itself: no indicator, comment, mapping, number, boolean or null."""
    first = value[0]
    if not (first.isalnum() or first == "/") or ": " in value or " #" in value or value[-1] == ":":
        return False
    if first.isdigit():
        return not _OF_NUMBERS.issuperset(value)
    return value.lower() not in _OTHER_THAN_TEXT
