"""YAML as sigs.k8s.io/yaml reads it, the server's reader: of version 1.1, but without its times and sexagesimals."""

from __future__ import annotations

import re
from typing import Any

import yaml

_TRUE = ("y", "yes", "true", "on")
_FALSE = ("n", "no", "false", "off")
_CASES = (str.lower, str.upper, str.capitalize)
_WORDS = {case(word): word in _TRUE for word in (*_TRUE, *_FALSE) for case in _CASES}
_INTEGER = r"[-+]?(?:0b[01_]+|0o?[0-7_]+|0x[0-9a-fA-F_]+|0|[1-9][0-9_]*)"
_FLOAT = r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
_ENDLESS = r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # chosen at run time
    yaml_implicit_resolvers: dict[Any, Any] = {}  # noqa: RUF012  as the class above declares it


def read_yaml(body: bytes) -> Any:
    """What ``body`` says. Raises ValueError."""
    try:
        return yaml.load(body, _Loader)  # noqa: S506  it constructs plain values only
    except yaml.MarkedYAMLError as error:
        raise ValueError(f"yaml: {_place(error)}{error.problem}") from None
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError(f"yaml: {str(error).splitlines()[0]}") from None


def _place(error: yaml.MarkedYAMLError) -> str:
    """The line as goyaml counts it: none for the first, for the others from 0, in complaints of its scanner from 1."""
    mark = error.context_mark if error.context_mark and error.context_mark.line else error.problem_mark
    if not mark or not mark.line:
        return ""
    return f"line {mark.line + isinstance(error, yaml.scanner.ScannerError)}: "


def _bool(loader: Any, node: yaml.ScalarNode) -> bool:
    return _WORDS[loader.construct_scalar(node)]


def _int(loader: Any, node: yaml.ScalarNode) -> int:
    digits: str = loader.construct_scalar(node).replace("_", "")
    bare = digits.lstrip("+-")
    is_old_octal = len(bare) > 1 and bare[0] == "0" and bare.isdigit()
    value = int(bare, 8) if is_old_octal else int(bare, 0)
    return -value if digits.startswith("-") else value


def _resolve(tag: str, pattern: str) -> None:
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(f"^(?:{pattern})$"), None)


_resolve("null", r"~|null|Null|NULL|")
_resolve("bool", "|".join(_WORDS))
_resolve("int", _INTEGER)
_resolve("float", f"{_FLOAT}|{_ENDLESS}")
_resolve("merge", "<<")
_Loader.add_constructor("tag:yaml.org,2002:bool", _bool)
_Loader.add_constructor("tag:yaml.org,2002:int", _int)
