"""Numbers, durations and names as an option's text gives them; what is wrong becomes one UsageError."""

from __future__ import annotations

import re

from mlscale.errors import UsageError
from mlscale.hpa.integers import INT32_MAX
from mlscale.kube.quantity import InvalidQuantityError, Quantity, parse_quantity

_UNITS = {"h": 3600, "m": 60, "s": 1}


def whole_number(option: str, text: str, *, low: int, high: int = INT32_MAX, example: str = "") -> int:
    """``text`` as a decimal whole number from ``low`` to ``high``; raises UsageError naming ``option``."""
    hint = f"give a whole number from {low} to {high}" + (f", such as {option} {example}" if example else "")
    digits = text[1:] if text.startswith(("-", "+")) else text
    if not is_digits(digits):
        raise UsageError(f"{option} {_shown(text)} is not a whole number", hint)
    # int() refuses texts of more than 4300 digits; 20 are beyond every bound already.
    number = int(text[:20])
    if number < low:
        raise UsageError(f"{option} {_shown(text)} is less than {low}", hint)
    if number > high:
        raise UsageError(f"{option} {_shown(text)} is more than {high}", hint)
    return number


def is_digits(text: str) -> bool:
    """Whether ``text`` is ASCII digits only, and not empty."""
    return text.isascii() and text.isdigit()


def whole_seconds(option: str, text: str, *, low: int, high: int) -> int:
    """``15s``, ``5m``, ``1m30s`` or a plain number of seconds, from ``low`` to ``high``; raises UsageError."""
    hint = f"give {low} to {high} seconds, such as 15s, 5m or 90"
    if is_digits(text) and len(text) <= 9:
        seconds = int(text)
    elif text and len(text) <= 20 and re.fullmatch(r"([0-9]+h)?([0-9]+m)?([0-9]+s)?", text):
        seconds = sum(int(count) * _UNITS[unit] for count, unit in re.findall(r"([0-9]+)([hms])", text))
    else:
        raise UsageError(f"{option}: {_shown(text)} is not a duration", hint)
    if not low <= seconds <= high:
        raise UsageError(f"{option}: {_shown(text)} is {seconds} s", hint)
    return seconds


def positive_quantity(option: str, text: str, *, example: str) -> Quantity:
    """``text`` as a quantity greater than 0; raises UsageError naming ``option``."""
    quantity = any_quantity(option, text, example=example)
    if quantity.nano <= 0:
        raise UsageError(f"{option}: {_shown(text)} is not greater than 0", f"give an amount such as {example}")
    return quantity


def any_quantity(option: str, text: str, *, example: str) -> Quantity:
    """``text`` as a quantity of either sign; raises UsageError naming ``option``."""
    try:
        return parse_quantity(text)
    except InvalidQuantityError as error:
        raise UsageError(f"{option}: {_shown(text)} is not an amount", f"give one such as {example}") from error


def dns_subdomain(option: str, text: str) -> str:
    """``text`` if it is a lower-case RFC 1123 subdomain, as the name of an HPA must be; else UsageError."""
    if len(text) > 253 or not re.fullmatch(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*", text):
        raise UsageError(
            f"{option} {_shown(text)} is not a valid name",
            "use up to 253 lower-case letters, digits, '-' and '.', beginning and ending with a letter or digit",
        )
    return text


def dns_label(option: str, text: str) -> str:
    """``text`` if it is a lower-case RFC 1123 label, as the name of a container must be; else UsageError."""
    if len(text) > 63 or not re.fullmatch(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", text):
        raise UsageError(
            f"{option} {_shown(text)} is not a valid name",
            "use up to 63 lower-case letters, digits and '-', beginning and ending with a letter or digit",
        )
    return text


def _shown(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:60] + "…")
