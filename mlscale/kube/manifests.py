"""Objects from files: ``-f FILE``, ``-f DIR``, ``-f -``, YAML or JSON, several documents and Lists."""

from __future__ import annotations

import os
from typing import IO, TYPE_CHECKING, Any

from mlscale.errors import UsageError
from mlscale.kube.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mlscale.kube.client import Json

ENDINGS = (".yaml", ".yml", ".json")
"""What counts in a directory, as for kubectl."""


def read_manifests(filenames: Sequence[str], *, recursive: bool, stdin: IO[str]) -> list[Json]:
    """Every object of the files in order. Raises UsageError for a file that is missing or holds no objects."""
    objects: list[Json] = []
    for filename in filenames:
        for path in _paths(filename, recursive=recursive):
            objects += _objects(_text(path, stdin), path)
    return objects


def _paths(filename: str, *, recursive: bool) -> list[str]:
    if filename == "-":
        return ["-"]
    if filename.startswith(("http://", "https://")):
        raise UsageError(f"-f {printable(filename)} is a URL", "download it first and give the file")
    if not os.path.isdir(filename):
        if not os.path.exists(filename):
            raise UsageError(f'the path "{printable(filename)}" does not exist', "give a file, a directory or -")
        return [filename]
    # By names, not by whole paths: kubectl walks into the directory "a" before it reads "a.yaml".
    found = sorted(_walk(filename, recursive=recursive), key=lambda path: path.split(os.sep))
    if not found:
        more = "" if recursive else ", or give -R to look into its directories"
        raise UsageError(f"no file in {printable(filename)} ends in .yaml, .yml or .json", f"check the directory{more}")
    return found


def _walk(directory: str, *, recursive: bool) -> Iterator[str]:
    for root, directories, files in os.walk(directory):
        if not recursive:
            directories.clear()
        yield from (os.path.join(root, name) for name in files if name.endswith(ENDINGS))


def _text(path: str, stdin: IO[str]) -> str:
    try:
        if path == "-":
            return stdin.read()
        with open(path, encoding="utf-8") as file:
            return file.read()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "it is not UTF-8 text"
        raise UsageError(f"cannot read {printable(path)}: {reason}", "give a YAML or JSON file") from error


def _objects(text: str, path: str) -> list[Json]:
    import yaml

    from mlscale.kube.yaml_values import kubectl_loader, with_text_keys

    loader = kubectl_loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    name = "standard input" if path == "-" else printable(path)
    try:
        documents = [with_text_keys(one) for one in yaml.load_all(text, Loader=loader) if one is not None]
        objects = [item for document in documents for item in _expanded(document, name)]
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}" if mark else ""
        problem = printable(str(getattr(error, "problem", None) or "it does not parse"))
        raise UsageError(f"{name} is not YAML or JSON{where}: {problem}", "mend the file") from error
    if not objects:
        raise UsageError(f"{name} holds no objects", "it must hold Kubernetes objects as YAML or JSON")
    return objects


def _expanded(document: Any, name: str) -> list[Json]:
    if isinstance(document, dict) and isinstance(document.get("items"), list):
        return [item for entry in document["items"] for item in _expanded(entry, name)]
    if not isinstance(document, dict):
        raise UsageError(f"{name} holds something that is no object", "each document must be a mapping")
    metadata = document.get("metadata")
    if not (isinstance(document.get("apiVersion"), str) and isinstance(document.get("kind"), str)):
        raise UsageError(f"an object in {name} lacks apiVersion or kind", "each object needs both")
    if not (isinstance(metadata, dict) and isinstance(metadata.get("name"), str) and metadata["name"]):
        raise UsageError(f"a {printable(document['kind'])} in {name} has no metadata.name", "each object needs a name")
    if not isinstance(metadata.get("namespace") or "", str):
        raise UsageError(f"metadata.namespace of an object in {name} is no text", "put it in quotes")
    if not isinstance(document.get("spec", {}), dict):
        raise UsageError(f"the spec of an object in {name} is no mapping", "mend the file")
    return [document]
