"""The forms of names, labels and ports: what is wrong with a text, in the API's words; nothing where it is right.

The rules are those of apimachinery pkg/api/validate/content and pkg/util/validation/validation.go, v1.37.2.
"""

from __future__ import annotations

import re

_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_DNS_1035 = "[a-z]([-a-z0-9]*[a-z0-9])?"
_KEY = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_VALUE = f"({_KEY})?"
_PERCENT = "[0-9]+%"
_CONFIG_KEY = "[-._a-zA-Z0-9]+"
_HEADER = "[-A-Za-z0-9]+"
_EDGES = "must start and end with an alphanumeric character"
_CHARACTERS = "alphanumeric characters, '-', '_' or '.'"
_MOST_LABEL = 63
_MOST_SUBDOMAIN = 253
_MOST_PORT_NAME = 15
_MOST_PORT = 65535


def dns_label(text: str) -> list[str]:
    """A namespace, a container: at most 63 of a-z, 0-9 and ``-``."""
    if re.fullmatch(_SUBDOMAIN, text) and "." in text:
        return [*_characters(text, _MOST_LABEL), "must not contain dots"]
    words = f"a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and {_EDGES}"
    return _characters(text, _MOST_LABEL) + _matched(text, _LABEL, words, "my-name", "123-abc")


def dns_1035_label(text: str) -> list[str]:
    """A service: a DNS label that begins with a letter."""
    words = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic "
    words += "character, and end with an alphanumeric character"
    return _characters(text, _MOST_LABEL) + _matched(text, _DNS_1035, words, "my-name", "abc-123")


def dns_subdomain(text: str) -> list[str]:
    """Most names: at most 253 characters, DNS labels with dots between."""
    words = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', "
    return _characters(text, _MOST_SUBDOMAIN) + _matched(text, _SUBDOMAIN, f"{words}and {_EDGES}", "example.com")


def label_key(text: str) -> list[str]:
    """A label's or an annotation's key, also called a qualified name: ``name`` or ``prefix.example/name``."""
    words = f"must consist of {_CHARACTERS}, and {_EDGES}"
    examples = ("MyName", "my.name", "123-abc")
    if text.count("/") > 1:
        said = _mismatch(f"a valid label key {words}", _KEY, examples)
        return [f"{said} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"]
    prefix, slash, name = text.rpartition("/")
    found = _prefix(prefix) if slash else []
    found += ["name part must be non-empty"] if not name else [f"name part {e}" for e in _length(name, _MOST_LABEL)]
    return found + [f"name part {error}" for error in _matched(name, _KEY, words, *examples)]


def label_value(text: str) -> list[str]:
    """A label's value."""
    words = f"a valid label must be an empty string or consist of {_CHARACTERS}, and {_EDGES}"
    return _length(text, _MOST_LABEL) + _matched(text, _VALUE, words, "MyValue", "my_value", "12345")


def path_segment(text: str) -> list[str]:
    """What may stand between two slashes of a URL."""
    if text in (".", ".."):
        return [f"may not be '{text}'"]
    return [f"may not contain '{mark}'" for mark in ("/", "%") if mark in text]


def percent(text: str) -> list[str]:
    """``25%``."""
    words = "a valid percent string must be a numeric string followed by an ending '%'"
    return _matched(text, _PERCENT, words, "1%", "93%")


def port_number(port: int) -> list[str]:
    """1 to 65535."""
    return [] if 1 <= port <= _MOST_PORT else [between(1, _MOST_PORT)]


def port_name(text: str) -> list[str]:
    """An IANA service name: at most 15 of a-z, 0-9 and ``-``, with a letter."""
    found = _characters(text, _MOST_PORT_NAME)
    if not re.fullmatch("[-a-z0-9]+", text):
        found.append("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
    if not re.search("[a-z]", text):
        found.append("must contain at least one letter (a-z)")
    if "--" in text:
        found.append("must not contain consecutive hyphens")
    if text.startswith("-") or text.endswith("-"):
        found.append("must not begin or end with a hyphen")
    return found


def environment_name(text: str) -> list[str]:
    """Printable ASCII without ``=``."""
    if all(" " <= character <= "~" and character != "=" for character in text):
        return []
    words = "a valid environment variable name must consist only of printable ASCII characters other than '='"
    return [words]


def config_key(text: str) -> list[str]:
    """A key of a ConfigMap or a Secret."""
    words = f"a valid config key must consist of {_CHARACTERS}"
    found = _characters(text, _MOST_SUBDOMAIN)
    found += _matched(text, _CONFIG_KEY, words, "key.name", "KEY_NAME", "key-name")
    if text in (".", ".."):
        return [*found, f"must not be '{text}'"]
    return [*found, "must not start with '..'"] if text.startswith("..") else found


def header_name(text: str) -> list[str]:
    """The name of an HTTP header."""
    words = "a valid HTTP header must consist of alphanumeric characters or '-'"
    return _matched(text, _HEADER, words, "X-Header-Name")


def between(least: int, most: int) -> str:
    """The words for a number outside of bounds."""
    return f"must be between {least} and {most}, inclusive"


def _prefix(prefix: str) -> list[str]:
    if not prefix:
        return ["prefix part must be non-empty"]
    return [f"prefix part {error.replace('characters', 'bytes', 1)}" for error in dns_subdomain(prefix)]


def _length(text: str, most: int) -> list[str]:
    return [f"must be no more than {most} bytes"] if len(text.encode()) > most else []


def _characters(text: str, most: int) -> list[str]:
    return [f"must be no more than {most} characters"] if len(text.encode()) > most else []


def _matched(text: str, pattern: str, words: str, *examples: str) -> list[str]:
    return [] if re.fullmatch(pattern, text) else [_mismatch(words, pattern, examples)]


def _mismatch(words: str, pattern: str, examples: tuple[str, ...]) -> str:
    given = " or ".join(f"'{example}', " for example in examples)
    return f"{words} (e.g. {given}regex used for validation is '{pattern}')"
