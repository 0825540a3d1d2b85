"""Objects as text, to the byte as kubectl prints them (cli-runtime pkg/printers, v0.37)."""

from __future__ import annotations

import json
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
    """YAML with sorted keys, lists not indented and lines not folded."""
    import yaml

    dumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    text: str = yaml.dump(obj, Dumper=_kubectl_dumper(dumper), sort_keys=True, width=1 << 30, allow_unicode=True)
    return text


def _kubectl_dumper(base: Any) -> Any:
    """A dumper that writes multi-line strings as literal blocks, as sigs.k8s.io/yaml does."""

    class KubectlDumper(base):  # type: ignore[misc]
        def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002
            return True

    def represent_text(dumper: Any, text: str) -> Any:
        style = "|" if "\n" in text else None
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)

    KubectlDumper.add_representer(str, represent_text)
    return KubectlDumper
