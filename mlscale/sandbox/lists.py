"""Lists of objects: selectors, limit and continue tokens, at the latest or at an older version.

From apiserver pkg/storage/continue.go and etcd3/store.go, v1.37.2.
"""

from __future__ import annotations

import binascii
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlscale.kube.kinds import Kind
from mlscale.sandbox import field_selectors, selectors
from mlscale.sandbox.go_json import read_json
from mlscale.sandbox.resources import is_custom
from mlscale.sandbox.statuses import Cause, StatusError, bad_request, expired, invalid, too_large_version
from mlscale.sandbox.store import CompactedError

if TYPE_CHECKING:
    from mlscale.sandbox.store import Store

Json = dict[str, Any]

LIST_OPTIONS = Kind("meta.k8s.io", "v1", "ListOptions", "listoptions")

_TOO_OLD_TO_CONTINUE = (
    "The provided continue parameter is too old to display a consistent list result. You can start a new list "
    "without the continue parameter, or use the continue token in this response to retrieve the remainder of the "
    "results. Continuing with the provided token results in an inconsistent list - objects that were created, "
    "modified, or deleted between the time the first chunk was returned and now may show up in the list."
)


class ExpiredTokenError(StatusError):
    """410 for a continue token, with another token that goes on inconsistently."""

    def __init__(self, token: str) -> None:
        super().__init__(410, "Expired", _TOO_OLD_TO_CONTINUE)
        self.token = token

    def body(self) -> Json:
        """The Status object."""
        return {**super().body(), "metadata": {"continue": self.token}}


@dataclass(frozen=True)
class Selection:
    """Which objects of a kind are wanted."""

    labels: tuple[selectors.Requirement, ...] = ()
    fields: tuple[field_selectors.Term, ...] = ()

    def matches(self, obj: Json) -> bool:
        """Whether the object is one of them."""
        return selectors.matches(self.labels, obj) and field_selectors.matches(self.fields, obj)

    def __bool__(self) -> bool:
        return bool(self.labels or self.fields)


def parse_selection(kind: Kind, labels: str, fields: str) -> Selection:
    """The two selectors of a request. Raises StatusError 400."""
    return Selection(selectors.parse_label_selector(labels), field_selectors.parse_field_selector(kind, fields))


@dataclass(frozen=True)
class Chunk:
    """How much of a list is wanted: ``limit`` objects (0: all) from ``token`` on, at ``version`` (empty: the latest).

    ``match`` is the request's resourceVersionMatch.
    """

    limit: int = 0
    token: str = ""
    version: str = ""
    match: str = ""


def list_objects(store: Store, kind: Kind, namespace: str | None, selection: Selection, chunk: Chunk) -> Json:
    """The list object, ``PodList`` say. Raises StatusError 400, 410, 422 and 504."""
    _check(chunk)
    start, version = _start(store, chunk)
    objects = _objects_at(store, kind, namespace, version, start)
    found = [obj for obj in objects if _place(obj) >= start and selection.matches(obj)]
    metadata: Json = {"resourceVersion": str(version)}
    if 0 < chunk.limit < len(found):
        metadata["continue"] = _token(version, "/" + _place(found[chunk.limit - 1]) + "\0")
        if not selection:
            metadata["remainingItemCount"] = len(found) - chunk.limit
        found = found[: chunk.limit]
    return as_list(kind, found, metadata)


def as_list(kind: Kind, objects: list[Json], metadata: Json) -> Json:
    """A list object; the kinds of the server itself leave kind and apiVersion out of their items."""
    items = objects if is_custom(kind) else [_bare(obj) for obj in objects]
    if is_custom(kind):
        metadata = {"continue": "", **metadata}
    return {"kind": f"{kind.kind}List", "apiVersion": kind.api_version, "metadata": metadata, "items": items}


def parse_version(version: str) -> int:
    """A request's resourceVersion as a number; empty counts as 0. Raises ValueError in the server's words."""
    if version and not (version.isascii() and version.isdigit()):
        why = f'strconv.ParseUint: parsing "{version}": invalid syntax'
        raise ValueError(f'resourceVersion: Invalid value: "{version}": {why}')
    return int(version or 0)


def check_match(version: str, match: str) -> None:
    """Whether resourceVersionMatch goes with the version. Raises StatusError 422."""
    if match and not version:
        why = "resourceVersionMatch is forbidden unless resourceVersion is provided"
        raise options_refused("resourceVersionMatch", "FieldValueForbidden", f"Forbidden: {why}")
    if match not in ("", "Exact", "NotOlderThan"):
        why = f'Unsupported value: "{match}": supported values: "Exact", "NotOlderThan", ""'
        raise options_refused("resourceVersionMatch", "FieldValueNotSupported", why)
    if match == "Exact" and version == "0":
        why = 'Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0"'
        raise options_refused("resourceVersionMatch", "FieldValueForbidden", why)


def options_refused(field: str, reason: str, message: str) -> StatusError:
    """422 about the options of a list or watch."""
    return invalid(LIST_OPTIONS, "", [Cause(field, reason, message)])


def _check(chunk: Chunk) -> None:
    if chunk.token and chunk.version:
        raise bad_request("specifying resource version is not allowed when using continue")
    check_match(chunk.version, chunk.match)


def _start(store: Store, chunk: Chunk) -> tuple[str, int]:
    """The first place wanted, and the version to list at."""
    if chunk.token:
        version, start = _parse_token(chunk.token)
        return start, store.version if version < 0 else version
    try:
        wanted = parse_version(chunk.version)
    except ValueError as error:
        raise bad_request(f"invalid resource version: {error}") from error
    if wanted > store.version:
        raise too_large_version(wanted, store.version)
    is_exact = chunk.match == "Exact" or (chunk.limit > 0 and wanted > 0 and not chunk.match)
    return "", wanted if is_exact else store.version


def _objects_at(store: Store, kind: Kind, namespace: str | None, version: int, start: str) -> list[Json]:
    if version == store.version:
        return store.list(kind.resource, namespace)
    try:
        return store.list_at(kind.resource, namespace, version)
    except CompactedError as error:
        if start:
            raise ExpiredTokenError(_token(-1, start)) from error
        raise expired("The resourceVersion for the provided list is too old.") from error


def _token(version: int, start: str) -> str:
    text = json.dumps({"v": "meta.k8s.io/v1", "rv": version, "start": start}, separators=(",", ":"))
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _parse_token(token: str) -> tuple[int, str]:
    try:
        content = read_json(urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        return int(content["rv"]), str(content["start"]).removeprefix("/")
    except (binascii.Error, ValueError, KeyError, TypeError) as error:
        raise bad_request(f"invalid continue token: continue key is not valid: {error}") from error


def _place(obj: Json) -> str:
    metadata = obj["metadata"]
    namespace = metadata.get("namespace")
    return f"{namespace}/{metadata['name']}" if namespace else str(metadata["name"])


def _bare(obj: Json) -> Json:
    return {key: value for key, value in obj.items() if key not in ("kind", "apiVersion")}
