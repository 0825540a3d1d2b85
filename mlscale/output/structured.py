"""Objects as text, to the byte as kubectl prints them (cli-runtime pkg/printers, v0.37)."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from datetime import date
from functools import cmp_to_key
from math import isinf
from typing import TYPE_CHECKING, Any, Literal

from mlscale.errors import UsageError

if TYPE_CHECKING:
    from mlscale.kube.client import Json

ObjectFormat = Literal["json", "yaml", "name"]
OBJECT_FORMATS: tuple[ObjectFormat, ...] = ("json", "name", "yaml")


def object_format(output: str) -> ObjectFormat | None:
    """``output`` as one of the formats for objects, None where none was asked for. Raises UsageError."""
    if not output:
        return None
    for known in OBJECT_FORMATS:
        if output == known:
            return known
    raise UsageError(f"-o {output} is not an output format of this command", f"give one of {', '.join(OBJECT_FORMATS)}")


def render_object(obj: Json, output: ObjectFormat, name: str) -> str:
    """One object as kubectl prints it; ``name`` is its line for ``-o name``."""
    if output == "name":
        return f"{name}\n"
    bare = without_managed_fields(obj)
    return render_json(bare) if output == "json" else render_yaml(bare)


def without_managed_fields(obj: Json) -> Json:
    """A shallow copy of ``obj`` without metadata.managedFields, which kubectl hides."""
    metadata = {key: value for key, value in (obj.get("metadata") or {}).items() if key != "managedFields"}
    return {**obj, "metadata": metadata} if "metadata" in obj else obj


def render_json(obj: Any, *, sort_keys: bool = True) -> str:
    """JSON with sorted keys (or as they are), four spaces and Go's HTML escapes, and a newline."""
    text = json.dumps(obj, indent=4, sort_keys=sort_keys, ensure_ascii=False)
    # Go's encoder writes these so that JSON can stand in HTML and JavaScript.
    for character in "<>&\u2028\u2029":
        if character in text:
            text = text.replace(character, f"\\u{ord(character):04x}")
    return text + "\n"


def render_yaml(obj: Any) -> str:
    """YAML with keys in the order of Go's encoder, lists not indented, lines folded at 80 columns."""
    import yaml

    dumper = _kubectl_dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper))
    text: str = yaml.dump(obj, Dumper=dumper, sort_keys=False, allow_unicode=True)
    # PyYAML ends a document so that ends in a block of lines.
    return text[: -len("...\n")] if text.endswith("\n...\n") else text


def _kubectl_dumper(base: Any) -> Any:
    """A dumper that orders and quotes as sigs.k8s.io/yaml does: literal blocks for several lines, double quotes for
    text that YAML would read as a number, a boolean, a date or null."""

    class KubectlDumper(base):  # type: ignore[misc]
        def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002
            return True

    # PyYAML has meanings of its own for "=", "<<" and "!", and takes 2024-02-30 for a date.
    KubectlDumper.yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in known if tag in _SCALARS]
        for first, known in base.yaml_implicit_resolvers.items()
    }
    KubectlDumper.add_representer(str, _represent_text)
    KubectlDumper.add_representer(dict, _represent_object)
    return KubectlDumper


def _represent_text(dumper: Any, text: str) -> Any:
    import yaml

    if "\n" in text:
        style = "|"
    elif dumper.resolve(yaml.ScalarNode, text, (True, False)) != _TEXT or _reads_as_other(text):
        style = '"'
    else:
        style = None
    return dumper.represent_scalar(_TEXT, text, style=style)


def _represent_object(dumper: Any, obj: Json) -> Any:
    return dumper.represent_dict([(key, obj[key]) for key in sorted(obj, key=cmp_to_key(_compare_keys))])


_TEXT = "tag:yaml.org,2002:str"
_SCALARS = frozenset(f"tag:yaml.org,2002:{kind}" for kind in ("bool", "int", "float", "null"))


def _compare_keys(one: str, other: str) -> int:
    """The order of Go's YAML: ``web-2`` before ``web-10`` (a number by its value), letters after all else.

    Negative where ``one`` comes first (goyaml.v2 sorter.go, as of sigs.k8s.io/yaml v1.6).
    """
    same = next((i for i, (x, y) in enumerate(zip(one, other, strict=False)) if x != y), None)
    if same is None:
        return len(one) - len(other)
    letters = one[same].isalpha(), other[same].isalpha()
    if any(letters):
        return letters[0] - letters[1] or ord(one[same]) - ord(other[same])
    # In 105 and 15 the 0 and the 5 differ first: a number that has begun before them keeps their places apart.
    begun = "1" if "0" in (one[same], other[same]) and re.search(r"[1-9][0-9]*$", one[:same]) else ""
    digits, others = _digits(one[same:]), _digits(other[same:])
    by_value = int(f"{begun}{digits}" or "0") - int(f"{begun}{others}" or "0")
    return by_value or len(digits) - len(others) or ord(one[same]) - ord(other[same])


def _digits(text: str) -> str:
    return text[: len(text) - len(text.lstrip("0123456789"))]


def _reads_as_other(text: str) -> bool:
    """Whether Go's YAML takes ``text`` for something else than text where PyYAML does not: ``1e3`` and ``0o7`` are
    numbers to it, ``y`` and ``n`` its old booleans, ``0:0`` is in base 60, ``2024-1-1`` a date."""
    if text in ("y", "Y", "n", "N"):
        return True
    if not (text.isascii() and any(character.isdigit() for character in text)):
        return False
    return _is_date(text) or bool(re.fullmatch(r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+", text)) or _is_number(text)


def _is_date(text: str) -> bool:
    parts = re.fullmatch(rf"([0-9]{{4}})-([0-9]{{1,2}})-([0-9]{{1,2}})(?:{_TIME})?", text)
    try:
        return parts is not None and bool(date(*map(int, parts.groups())))
    except ValueError:
        return False


_TIME = r"[Tt ][0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}(?:\.[0-9]*)?(?:Z|[-+][0-9]{2}:[0-9]{2})?"


def _is_number(text: str) -> bool:
    if text[0] not in "+-.0123456789" or text != text.strip():
        return False
    plain = text.replace("_", "")
    with suppress(ValueError):
        return not isinf(float(plain))
    with suppress(ValueError):
        return int(plain, 0) is not None
    return False
