"""Kubernetes quantities (``500m``, ``1.5Gi``, ``12e6``), exact, as integers of nano-units.

The rules are those of k8s.io/apimachinery pkg/api/resource/quantity.go and suffix.go, v0.37.2.
"""

from __future__ import annotations

from functools import lru_cache, total_ordering
from typing import Literal

from mlscale.errors import MlscaleError
from mlscale.frozen import field, frozen

Format = Literal["DecimalSI", "BinarySI", "DecimalExponent"]

NANO = 10**9
"""Nano-units in one unit (one core, one byte, one device)."""

_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_DECIMAL_SUFFIXES = {exponent: suffix for suffix, exponent in _DECIMAL.items()}
_BINARY_SUFFIXES = ("", *_BINARY)
_DIGITS = "0123456789"
_MAX_TEXT = 64
_MAX_EXPONENT = 99
_MAX_BINARY = (2**63 - 1) * NANO
_EXAMPLES = "a number with an optional suffix is right, such as 500m, 2, 1.5, 128Mi or 4G"


class InvalidQuantityError(MlscaleError, ValueError):
    """The text is no Kubernetes quantity."""


@total_ordering
@frozen
class Quantity:
    """An exact amount; ``format`` is how it was written and takes no part in comparisons."""

    nano: int
    """The amount in nano-units: ``500m`` is 500_000_000."""
    format: Format = field(default="DecimalSI", compare=False)

    @property
    def value(self) -> int:
        """Whole units, rounded away from zero as Go's ``Quantity.Value`` does."""
        return rounded_up(self.nano, NANO)

    @property
    def milli_value(self) -> int:
        """Whole milli-units, rounded away from zero as Go's ``Quantity.MilliValue`` does."""
        return rounded_up(self.nano, NANO // 1000)

    def __lt__(self, other: object) -> bool:
        """Whether this is the smaller amount."""
        return self.nano < other.nano if isinstance(other, Quantity) else NotImplemented

    def __add__(self, other: Quantity) -> Quantity:
        """Add exactly; the format is that of the first operand that is not zero."""
        return Quantity(self.nano + other.nano, self.format if self.nano else other.format)

    def __sub__(self, other: Quantity) -> Quantity:
        """Subtract exactly; the format is that of the first operand that is not zero."""
        return Quantity(self.nano - other.nano, self.format if self.nano else other.format)

    def __str__(self) -> str:
        """The canonical form: ``1024Mi`` is ``1Gi``, ``0.5`` is ``500m``, ``1000m`` is ``1``."""
        if self.format == "BinarySI" and abs(self.nano) >= 1024 * NANO and self.nano % NANO == 0:
            return _binary_text(self.nano // NANO)
        return _decimal_text(self.nano, exponent_form=self.format == "DecimalExponent")


def parse_quantity(value: str | int | float) -> Quantity:
    """Return what ``value``, a quantity as the API or a person writes it, amounts to.

    Amounts under a nano-unit are rounded away from zero; binary amounts are capped at 2^63-1.
    A suffix without a number, which upstream reads as 0, is refused.

    Raises:
        InvalidQuantityError: ``value`` is no quantity.
    """
    return _parse(str(value))


def nano_of(value: str | int | float) -> int:
    """Return the nano-units that ``value``, a quantity, amounts to.

    Raises:
        InvalidQuantityError: ``value`` is no quantity.
    """
    return _parse(str(value)).nano


def rounded_up(nano: int, unit: int) -> int:
    """Return how many of ``unit`` nano-units hold ``nano``, rounded away from zero."""
    return -(-nano // unit) if nano >= 0 else nano // unit


def format_cpu(nano: int) -> str:
    """Return nano-cores for a person: whole cores (``2``), millicores rounded up (``250m``), or from 10 cores on
    with a point (``215.4``)."""
    milli = rounded_up(nano, NANO // 1000)
    if milli >= 10_000 and milli % 1000:
        return f"{milli / 1000:.3f}".rstrip("0")
    return _decimal_text(milli * (NANO // 1000))


def format_memory(nano: int) -> str:
    """Return nano-bytes for a person, in binary units: ``300Mi``.

    What does not divide into Ki is cut to whole Mi (or Ki, or bytes) below: 313524223 bytes are ``298Mi``.
    """
    size = nano // NANO if nano >= 0 else -(-nano // NANO)
    if size % 1024 == 0:
        return _binary_text(size)
    unit = next((unit for unit in (2**20, 2**10) if abs(size) >= 8 * unit), 1)
    return _binary_text((abs(size) // unit) * unit * (1 if size > 0 else -1))


def format_amount(resource: str, nano: int) -> str:
    """Return an amount of ``resource``, a resource name with or without ``requests.`` or ``limits.``."""
    bare = resource.removeprefix("requests.").removeprefix("limits.")
    if bare == "cpu":
        return format_cpu(nano)
    if bare in ("memory", "ephemeral-storage") or bare.startswith("hugepages-"):
        return format_memory(nano)
    return str(nano // NANO) if nano % NANO == 0 else _decimal_text(nano)


@lru_cache(maxsize=4096)
def _parse(text: str) -> Quantity:
    sign, mantissa, places, suffix = _split(text)
    binary = _BINARY.get(suffix)
    if binary is not None:
        magnitude = min(_scaled(mantissa << binary, 9 - places), _MAX_BINARY)
        # 0.0001Ki is 102400u: below one unit the decimal form is exact.
        return Quantity(sign * magnitude, "DecimalSI" if magnitude < NANO else "BinarySI")
    exponent, quantity_format = _decimal_exponent(text, suffix)
    return Quantity(sign * _scaled(mantissa, exponent + 9 - places), quantity_format)


def _split(text: str) -> tuple[int, int, int, str]:
    """Return sign, mantissa without its point, digits after the point, suffix."""
    body = text[1:] if text.startswith(("+", "-")) else text
    suffix = body.lstrip(_DIGITS + ".")
    whole, _, fraction = body[: len(body) - len(suffix)].partition(".")
    if len(text) > _MAX_TEXT or "." in fraction or not whole + fraction:
        raise _invalid(text)
    return -1 if text.startswith("-") else 1, int(whole + fraction), len(fraction), suffix


def _decimal_exponent(text: str, suffix: str) -> tuple[int, Format]:
    """Return the power of ten of ``suffix``: ``E`` alone is exa, ``E6`` an exponent."""
    known = _DECIMAL.get(suffix)
    if known is not None:
        return known, "DecimalSI"
    digits = suffix[1:].removeprefix("-" if suffix[1:2] == "-" else "+")
    if suffix[:1] not in ("e", "E") or not digits or digits.strip(_DIGITS):
        raise _invalid(text)
    exponent = int(suffix[1:])
    if abs(exponent) > _MAX_EXPONENT:
        raise _invalid(text)
    return exponent, "DecimalExponent"


def _invalid(text: str) -> InvalidQuantityError:
    shown = text if len(text) <= _MAX_TEXT else text[:_MAX_TEXT] + "…"
    return InvalidQuantityError(f"{shown!r} is not a Kubernetes quantity", _EXAMPLES)


def _scaled(mantissa: int, power: int) -> int:
    return mantissa * 10**power if power >= 0 else rounded_up(mantissa, 10**-power)


def _decimal_text(nano: int, *, exponent_form: bool = False) -> str:
    if nano == 0:
        return "0"
    exponent = -9
    while nano % 1000 == 0 and (exponent_form or exponent < 18):
        nano //= 1000
        exponent += 3
    if exponent_form:
        return f"{nano}e{exponent}" if exponent else str(nano)
    return f"{nano}{_DECIMAL_SUFFIXES[exponent]}"


def _binary_text(size: int) -> str:
    power = 0
    while size and size % 1024 == 0 and power < len(_BINARY_SUFFIXES) - 1:
        size //= 1024
        power += 1
    return f"{size}{_BINARY_SUFFIXES[power]}"
