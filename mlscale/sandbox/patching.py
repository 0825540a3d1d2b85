"""Which of the four kinds of patch a request sends, and what it makes of an object."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from mlscale.kube.kinds import Kind
from mlscale.sandbox.canonical import FormError, canonical
from mlscale.sandbox.decoding import MismatchError, decode
from mlscale.sandbox.patches import json_patch, merge_patch
from mlscale.sandbox.preparation import why_not_converted
from mlscale.sandbox.resources import is_custom
from mlscale.sandbox.schema import object_type
from mlscale.sandbox.statuses import Cause, bad_request, internal_error, invalid, unsupported_media_type
from mlscale.sandbox.strategic import strategic_merge_patch

if TYPE_CHECKING:
    from collections.abc import Callable

Json = dict[str, Any]

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_MERGE_PATCH = "application/strategic-merge-patch+json"
APPLY = ("application/apply-patch+yaml", "application/apply-patch+cbor")

_CHANGES: dict[str, Callable[[Json, object], Json]] = {
    JSON_PATCH: json_patch,
    MERGE_PATCH: merge_patch,
    STRATEGIC_MERGE_PATCH: strategic_merge_patch,
}
_NOT_STRATEGIC = (
    "the body of the request was in an unknown format - accepted media types include: "
    f"{JSON_PATCH}, {MERGE_PATCH}, application/apply-patch+yaml"
)
_UNNAMED = Kind("", "", "", "")
"""Upstream does not say of what kind the object is that a patch spoils."""


def check_content_type(kind: Kind, content_type: str) -> None:
    """Raise StatusError 415 for a patch that the kind does not take: custom resources know no strategic one."""
    if content_type not in (*_CHANGES, *APPLY):
        raise unsupported_media_type("415: Unsupported Media Type", {})
    if content_type == STRATEGIC_MERGE_PATCH and is_custom(kind):
        raise unsupported_media_type(_NOT_STRATEGIC)


def patched(kind: Kind, obj: Json, patch: object, content_type: str) -> Json:
    """``obj``, a ``kind``, changed by ``patch`` and itself left as it is. Raises StatusError 400, 413 and 422."""
    after = _CHANGES[content_type](obj, patch)
    is_strategic = content_type == STRATEGIC_MERGE_PATCH
    if is_strategic:
        after = {**after, "kind": kind.kind, "apiVersion": kind.api_version}
    if not is_custom(kind) and (why := _misfit(kind, after, is_strategic=is_strategic)):
        value = _go_text(patch) if is_strategic else _compact(after)
        message = f"Invalid value: {json.dumps(value, ensure_ascii=False)}: {why}"
        raise invalid(_UNNAMED, "", [Cause("patch", "FieldValueInvalid", message)])
    return after


def applied_configuration(patch: object) -> Json:
    """The patch of a server-side apply. Raises StatusError 400 where it is no object or names no kind."""
    if not isinstance(patch, dict):
        why = "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal array into Go value of type "
        raise bad_request(f"error decoding patch: {why}map[string]interface {{}}")
    if not (patch.get("kind") and patch.get("apiVersion")):
        group, _, version = str(patch.get("apiVersion") or "").rpartition("/")
        raise bad_request(f"invalid object type: {group}/{version}, Kind={patch.get('kind') or ''}")
    return patch


def check_merged(kind: Kind, config: Json, merged: Json) -> None:
    """Raise StatusError 500 where ``merged``, an object after ``config`` was applied, cannot be read as a ``kind``."""
    if not is_custom(kind) and (why := _misfit(kind, merged, is_strategic=True)):
        metadata, spoken = config["metadata"], f"{kind.group}/{kind.version}, Kind={kind.kind}"
        where = f"{metadata.get('namespace') or ''}/{metadata.get('name') or ''}; {spoken}"
        why = f"unable to convert unstructured object to {spoken}: {why}"
        raise internal_error(f"failed to convert new object ({where}) to proper version: {why}")


def _misfit(kind: Kind, after: Json, *, is_strategic: bool) -> str:
    """Why a patched object can no longer be read as a ``kind``; empty where it can."""
    stated, version = str(after.get("kind")), str(after.get("apiVersion"))
    if (stated, version) != (kind.kind, kind.api_version):
        return why_not_converted(kind, stated, version)
    try:
        canonical(object_type(kind.api_version, kind.kind), decode(after).object)
    except MismatchError as error:
        return error.unconverted() if is_strategic else str(error)
    except FormError as error:
        return str(error)
    return ""


def _compact(obj: Json) -> str:
    return json.dumps(dict(sorted(obj.items())), separators=(",", ":"), ensure_ascii=False)


def _go_text(value: object) -> str:
    """As Go's ``%v`` prints what JSON holds."""
    if isinstance(value, dict):
        return f"map[{' '.join(f'{key}:{_go_text(inner)}' for key, inner in sorted(value.items()))}]"
    if isinstance(value, list):
        return f"[{' '.join(_go_text(inner) for inner in value)}]"
    if isinstance(value, bool):
        return str(value).lower()
    return "<nil>" if value is None else str(value)
