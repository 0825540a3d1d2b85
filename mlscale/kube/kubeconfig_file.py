"""Kubeconfig files: reading them, and merging several into one.

The rules are those of client-go tools/clientcmd/loader.go (v0.37.2). A value of a kubeconfig may be a
secret, so no message here shows one: they name the key, the entry and the file.
"""

from __future__ import annotations

import base64
import binascii
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from mlscale.errors import ConfigError
from mlscale.frozen import field, frozen
from mlscale.kube.plain_yaml import NotPlainError, read_plain_yaml
from mlscale.kube.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@frozen
class Entry:
    """A cluster, user, context or a part of one, with the file that it stands in.

    Each reader gives the zero value where the key is absent or null, and raises ConfigError where the value
    has another type.
    """

    about: str
    name: str
    file: str
    fields: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def where(self) -> str:
        """The entry and its file, for a message."""
        return f"{self.about} in {printable(self.file)}"

    def text(self, key: str) -> str:
        """The string at ``key``."""
        value = self.fields.get(key)
        if value is not None and not isinstance(value, str):
            raise self._wrong(key, value, "a string: put it in quotes")
        return value or ""

    def flag(self, key: str) -> bool:
        """The boolean at ``key``."""
        value = self.fields.get(key)
        if value is not None and not isinstance(value, bool):
            raise self._wrong(key, value, "true or false, without quotes")
        return bool(value)

    def texts(self, key: str) -> tuple[str, ...]:
        """The list of strings at ``key``."""
        values = self.fields.get(key) or []
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            raise self._wrong(key, values, "a list of strings")
        return tuple(values)

    def path(self, key: str) -> str:
        """The file named at ``key``, as an absolute path: relative ones start at the kubeconfig's folder."""
        value = self.text(key)
        folder = os.path.dirname(os.path.abspath(self.file))
        return os.path.normpath(os.path.join(folder, value)) if value else ""

    def decoded(self, key: str) -> bytes:
        """The bytes that the base64 at ``key`` stands for."""
        text = self.text(key).translate({10: None, 13: None})
        try:
            return base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            raise ConfigError(f"{key} of {self.where} is not base64", "encode it anew") from None

    def part(self, key: str, about: str) -> Entry | None:
        """The mapping at ``key`` as an entry of its own, or None where it is absent."""
        value = self.fields.get(key)
        if value is not None and not isinstance(value, dict):
            raise self._wrong(key, value, "a mapping")
        return None if value is None else Entry(f"{about} of {self.about}", self.name, self.file, value)

    def _wrong(self, key: str, value: object, wanted: str) -> ConfigError:
        return ConfigError(f"{key} of {self.where} is {_type_name(value)}", f"it must be {wanted}")


@frozen
class Kubeconfig:
    """Kubeconfig files merged: for each name the first file that has it counts, whole."""

    files: tuple[str, ...] = ()
    current_context: str = ""
    contexts: Mapping[str, Entry] = field(default_factory=dict)
    clusters: Mapping[str, Entry] = field(default_factory=dict)
    users: Mapping[str, Entry] = field(default_factory=dict)

    @property
    def where(self) -> str:
        """The files, for a message."""
        return ", ".join(map(printable, self.files)) or "no kubeconfig"


def read_kubeconfig(paths: Iterable[str]) -> Kubeconfig:
    """Read and merge ``paths``; those that do not exist are left out, as client-go does.

    Raises ConfigError for a file that cannot be read or is no kubeconfig.
    """
    documents = [(path, document) for path in paths if (document := _read_document(path)) is not None]
    return Kubeconfig(
        files=tuple(path for path, _ in documents),
        current_context=next((name for path, d in documents if (name := _current_context(path, d))), ""),
        contexts=_merged(documents, "context"),
        clusters=_merged(documents, "cluster"),
        users=_merged(documents, "user"),
    )


def _current_context(path: str, document: dict[str, Any]) -> str:
    return Entry("the file", "", path, document).text("current-context")


def _merged(documents: list[tuple[str, dict[str, Any]]], kind: str) -> dict[str, Entry]:
    merged: dict[str, Entry] = {}
    for path, document in documents:
        merged = _entries(path, document, kind) | merged
    return merged


def _entries(path: str, document: dict[str, Any], kind: str) -> dict[str, Entry]:
    listed = document.get(f"{kind}s") or []
    shown = printable(path)
    if not isinstance(listed, list):
        raise ConfigError(f"{kind}s in {shown} is {_type_name(listed)}", "it must be a list")
    entries: dict[str, Entry] = {}
    for number, item in enumerate(listed, 1):
        if not isinstance(item, dict):
            raise ConfigError(f"{kind} {number} in {shown} is {_type_name(item)}", "it must be a mapping")
        name = Entry(f"{kind} {number}", "", path, item).text("name")
        if name in entries:
            raise ConfigError(f'{kind}s in {shown} holds "{printable(name)}" twice', "remove one of them")
        about = f'{kind} "{printable(name)}"'
        fields = item.get(kind)
        if fields is not None and not isinstance(fields, dict):
            raise ConfigError(f"{about} in {shown} is {_type_name(fields)}", "it must be a mapping")
        entries[name] = Entry(about, name, path, fields or {})
    return entries


def _read_document(path: str) -> dict[str, Any] | None:
    """The mapping in ``path``: None where there is no such file, empty where the file is."""
    try:
        with open(path, "rb") as file:
            text = file.read().decode()
    except FileNotFoundError:
        return None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{printable(path)} is no kubeconfig: byte {error.start} is not UTF-8") from None
    except OSError as error:
        raise ConfigError(f"cannot read the kubeconfig {printable(path)}: {error.strerror}") from error
    document = _parsed(text, printable(path))
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise ConfigError(f"{printable(path)} is no kubeconfig: it holds {_type_name(document)}")
    if (document.get("kind") or "Config") != "Config" or (document.get("apiVersion") or "v1") != "v1":
        raise ConfigError(f"{printable(path)} is no kubeconfig", "one has apiVersion: v1 and kind: Config")
    return document


def _parsed(text: str, shown: str) -> object:
    """The YAML in ``text``. An error gives the place and the reason, never the line, which may be a secret."""
    with suppress(NotPlainError):
        return read_plain_yaml(text)
    import yaml

    try:
        # Both loaders construct plain values only, as yaml.safe_load does; the one in C is ten times faster.
        return yaml.load(text, _loader())  # noqa: S506
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise ConfigError(f"{shown}{place}: broken YAML: {_reason(error)}") from None
    except (yaml.YAMLError, ValueError, RecursionError):
        raise ConfigError(f"{shown}: broken YAML: it holds a character or a value that YAML does not have") from None


def _loader() -> type[Any]:
    import yaml

    base: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    resolvers = {
        first: [(tag, pattern) for tag, pattern in pairs if tag != "tag:yaml.org,2002:timestamp"]
        for first, pairs in base.yaml_implicit_resolvers.items()
    }
    # Go's YAML reads 2026-01-31 as a string, so a name like that must be one here.
    return type("_KubeconfigLoader", (base,), {"yaml_implicit_resolvers": resolvers})


def _reason(error: Any) -> str:
    """The parser's reason, without what it quotes of the file: ``found undefined alias 'hunter2'``."""
    reason = str(error.problem or "")
    if any(word in reason for word in ("alias", "anchor", "tag")):
        return reason.partition("'")[0].partition('"')[0].rstrip() + " (quote a value that starts with *, & or !)"
    return printable(reason)


def _type_name(value: object) -> str:
    names = {bool: "true or false", int: "a number", float: "a number", list: "a list", dict: "a mapping", str: "text"}
    return names.get(type(value), "a value of another type")
