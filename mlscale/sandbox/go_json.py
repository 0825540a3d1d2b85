"""JSON as Go's encoding/json reads it: its words for a text that is none, and the fields that stand twice."""

from __future__ import annotations

import json
from string import hexdigits
from typing import Any

Json = dict[str, Any]

_LITERALS = ("true", "false", "null")
_ESCAPED = {"\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v", "\\": "\\\\"}
_DELETED = 0x7F
_ENDS = "unexpected end of JSON input"


def read_json(body: bytes) -> Any:
    """What ``body`` says. Raises ValueError in the words of Go's scanner."""
    try:
        return json.loads(body)
    except json.JSONDecodeError as error:
        raise ValueError(_complaint(error)) from None
    except UnicodeDecodeError:
        # Go looks at it byte by byte: outside of strings the first that JSON has no place for is told.
        return read_json(body.decode("latin-1").encode())


def repeated_fields(body: bytes) -> tuple[str, ...]:
    """The paths of the fields that stand more than once in an object of ``body``: ``data.x``, ``items[0].a``."""
    repeated: dict[int, list[str]] = {}

    def gather(pairs: list[tuple[str, Any]]) -> Json:
        obj = dict(pairs)
        if len(obj) < len(pairs):
            names = [name for name, _ in pairs]
            repeated[id(obj)] = [name for name in obj if names.count(name) > 1]
        return obj

    whole = json.loads(body, object_pairs_hook=gather)
    return tuple(_paths(whole, "", repeated)) if repeated else ()


def quoted(text: str) -> str:
    """``text`` as Go's strconv.Quote writes it."""
    return '"' + "".join('\\"' if character == '"' else _shown(character) for character in text) + '"'


def _shown(character: str) -> str:
    if character in _ESCAPED:
        return _ESCAPED[character]
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\x{code:02x}" if code <= _DELETED else f"\\u{code:04x}"


def _paths(value: Any, path: str, repeated: dict[int, list[str]]) -> list[str]:
    if isinstance(value, list):
        return [found for place, item in enumerate(value) for found in _paths(item, f"{path}[{place}]", repeated)]
    if not isinstance(value, dict):
        return []
    here = [f"{path}.{name}".lstrip(".") for name in repeated.get(id(value), ())]
    below = ((f"{path}.{name}".lstrip("."), item) for name, item in value.items())
    return here + [found for inner, item in below for found in _paths(item, inner, repeated)]


def _complaint(error: json.JSONDecodeError) -> str:
    text, at, said = error.doc, error.pos, error.msg
    if said.startswith("Unterminated string") and (len(text) - len(text.rstrip("\\"))) % 2:
        return _bad_escape(text, len(text))
    if said.startswith("Unterminated string") or at >= len(text.rstrip()):
        return _ENDS
    if said == "Expecting value":
        return _no_value(text, at)
    if said.startswith("Invalid \\"):
        return _bad_escape(text, text.index("\\", at - 1) + 1)
    return f"invalid character {_character(text[at])} {_place(said, text[:at])}"


def _bad_escape(text: str, at: int) -> str:
    """``at`` is where the character after the backslash stands."""
    # Go feeds its scanner a blank at the end.
    rest = text[at:] + " "
    if rest[0] != "u":
        return f"invalid character {_character(rest[0])} in string escape code"
    wrong = next(character for character in rest[1:] if character not in hexdigits)
    return f"invalid character {_character(wrong)} in \\u hexadecimal character escape"


def _place(said: str, before: str) -> str:
    if said.startswith("Invalid control character"):
        return "in string literal"
    if said == "Extra data":
        return "after top-level value"
    if said.startswith("Expecting ':'"):
        return "after object key"
    if said.startswith("Expecting ','"):
        return f"after {'object key:value pair' if _is_in_object(before) else 'array element'}"
    return "looking for beginning of object key string"


def _no_value(text: str, at: int) -> str:
    literal = next((each for each in _LITERALS if each[0] == text[at]), "")
    for place in range(1, len(literal)):
        # Go feeds its scanner a blank at the end.
        following = text[at + place : at + place + 1] or " "
        if following != literal[place]:
            found = _character(following)
            return f"invalid character {found} in literal {literal} (expecting '{literal[place]}')"
    return f"invalid character {_character(text[at])} looking for beginning of value"


def _character(character: str) -> str:
    return "'" + ("\\'" if character == "'" else _shown(character)) + "'"


def _is_in_object(text: str) -> bool:
    """Whether the innermost bracket that is open at the end of ``text`` is that of an object."""
    opened: list[str] = []
    inside = escaped = False
    for character in text:
        if inside:
            inside = escaped or character != '"'
            escaped = character == "\\" and not escaped
        elif character == '"':
            inside = True
        elif character in "{[":
            opened.append(character)
        elif character in "}]":
            opened.pop()
    return bool(opened) and opened[-1] == "{"
