"""Plain YAML values as kubectl takes them: by sigs.k8s.io/yaml, which makes JSON of what go-yaml v2 reads.

The rules are those of go-yaml v2 resolve.go; where PyYAML has others, a version or a time would become a number here
that is text to kubectl, or the other way round.
"""

from __future__ import annotations

import math
import re
from typing import Any

_TAG = "tag:yaml.org,2002:"
_TRUE = ["y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"]
_FALSE = ["n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"]
_BOOL = re.compile(f"^(?:{'|'.join(_TRUE + _FALSE)})$")
_NULL = re.compile("^(?:~|null|Null|NULL|)$")
_NUMBER = re.compile(
    r"^[-+]?(?:0[xX][0-9a-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+"
    r"|(?:\.[0-9_]+|[0-9][0-9_]*(?:\.[0-9_]*)?)(?:[eE][-+]?[0-9_]+)?)$"
)
_NO_NUMBER = re.compile(r"^(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$")
_DIGITS = "-+.0123456789"
_OCTAL = re.compile("^[-+]?0[0-7]+$")


class NoFieldNameError(ValueError):
    """A key that JSON has no text for; ``problem`` says so, as PyYAML's own errors do."""

    def __init__(self) -> None:
        self.problem = "a key is null; give the name of a field"
        super().__init__(self.problem)


def kubectl_loader(base: Any) -> Any:
    """``base``, one of PyYAML's safe loaders, with kubectl's rules for plain values."""
    import yaml

    def resolver(firsts: str, name: str, pattern: re.Pattern[str]) -> None:
        for first in firsts:
            resolvers.setdefault(first, []).append((f"{_TAG}{name}", pattern))

    def number(_: Any, node: Any) -> Any:
        return number_of(node.value)

    def no_number(_: Any, node: Any) -> Any:
        if _NO_NUMBER.match(node.value):
            raise yaml.constructor.ConstructorError(None, None, f"{node.value} is no number to JSON", node.start_mark)
        return number_of(node.value)

    def boolean(_: Any, node: Any) -> bool:
        return node.value in _TRUE

    resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {"<": [(f"{_TAG}merge", re.compile("^(?:<<)$"))]}
    resolver("yYnNtTfFoO", "bool", _BOOL)
    resolver("~nN", "null", _NULL)
    resolvers[""] = [(f"{_TAG}null", _NULL)]
    resolver(_DIGITS, "int", _NUMBER)
    resolver("-+.", "float", _NO_NUMBER)
    # Outside of a key, << is text.
    own = {"bool": boolean, "int": number, "float": no_number, "merge": base.construct_yaml_str}
    constructors = {**base.yaml_constructors, **{f"{_TAG}{name}": make for name, make in own.items()}}
    return type("KubectlLoader", (base,), {"yaml_implicit_resolvers": resolvers, "yaml_constructors": constructors})


def number_of(text: str) -> int | float | str:
    """``0x1F`` 31, ``010`` 8, ``1_000`` 1000, ``1e3`` 1000, ``08`` 8, ``1.50`` 1.5; as text what is out of range.

    Whole numbers are int, since JSON tells 1.0 and 1 not apart.
    """
    plain = text.replace("_", "")
    try:
        return int(plain, 8) if _OCTAL.match(plain) else int(plain, 0)
    except ValueError:
        pass
    try:
        value = float(plain)
    except ValueError:
        return text
    if math.isinf(value):
        return text
    return int(value) if value.is_integer() and abs(value) < 2.0**63 else value


def with_text_keys(value: Any) -> Any:
    """``value`` with keys as JSON has them: ``on: 1`` is ``{"true": 1}``. Raises NoFieldNameError for a null."""
    if isinstance(value, dict):
        return {_key(key): with_text_keys(each) for key, each in value.items()}
    return [with_text_keys(each) for each in value] if isinstance(value, list) else value


def _key(key: Any) -> str:
    if isinstance(key, bool):
        return "true" if key else "false"
    if isinstance(key, str | int | float):
        return str(key)
    raise NoFieldNameError
