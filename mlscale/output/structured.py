"""Objects as text, to the byte as kubectl prints them (cli-runtime pkg/printers, v0.37)."""

from __future__ import annotations

import json
from functools import partial
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


def render_json(obj: Any) -> str:
    """JSON with sorted keys, four spaces and Go's HTML escapes, and a newline."""
    text = json.dumps(obj, indent=4, sort_keys=True, ensure_ascii=False)
    # Go's encoder writes these so that JSON can stand in HTML and JavaScript.
    for character in "<>&\u2028\u2029":
        if character in text:
            text = text.replace(character, f"\\u{ord(character):04x}")
    return text + "\n"


def render_yaml(obj: Any) -> str:
    """YAML with sorted keys, lists not indented, lines folded at 80 columns."""
    import yaml

    dumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    text: str = yaml.dump(obj, Dumper=_kubectl_dumper(dumper), sort_keys=True, allow_unicode=True)
    return text


def _kubectl_dumper(base: Any) -> Any:
    """A dumper that quotes as sigs.k8s.io/yaml does: literal blocks for several lines, double quotes for text
    that YAML would read as a number, a boolean, a date or null."""

    class KubectlDumper(base):  # type: ignore[misc]
        def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002
            return True

    KubectlDumper.add_representer(str, _represent_text)
    return KubectlDumper


def _represent_text(dumper: Any, text: str) -> Any:
    import yaml

    if "\n" in text:
        style = "|"
    elif _reads_as_number(text) or dumper.resolve(yaml.ScalarNode, text, (True, False)) not in _PLAIN:
        style = '"'
    else:
        style = None
    return dumper.represent_scalar(_TEXT, text, style=style)


_TEXT = "tag:yaml.org,2002:str"
_PLAIN = (_TEXT, "tag:yaml.org,2002:value", "tag:yaml.org,2002:merge")


def _reads_as_number(text: str) -> bool:
    """``1e3`` and ``0o7`` are numbers to Go's YAML and text to PyYAML's; ``y`` and ``n`` are its old booleans."""
    if text in ("y", "Y", "n", "N"):
        return True
    if not any(character.isdigit() for character in text):
        return False
    for convert in (float, partial(int, base=0)):
        try:
            convert(text)
        except ValueError:
            continue
        return True
    return False
