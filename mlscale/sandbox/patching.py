"""Which of the four kinds of patch a request sends, and what it makes of an object."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlscale.sandbox.patches import json_patch, merge_patch
from mlscale.sandbox.resources import is_custom
from mlscale.sandbox.statuses import bad_request, unsupported_media_type
from mlscale.sandbox.strategic import strategic_merge_patch

if TYPE_CHECKING:
    from mlscale.kube.kinds import Kind

Json = dict[str, Any]

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_MERGE_PATCH = "application/strategic-merge-patch+json"
APPLY = ("application/apply-patch+yaml", "application/apply-patch+cbor")


_CHANGES = {JSON_PATCH: json_patch, MERGE_PATCH: merge_patch, STRATEGIC_MERGE_PATCH: strategic_merge_patch}
_NOT_STRATEGIC = (
    "the body of the request was in an unknown format - accepted media types include: "
    f"{JSON_PATCH}, {MERGE_PATCH}, application/apply-patch+yaml"
)


def check_content_type(kind: Kind, content_type: str) -> None:
    """Raise StatusError 415 for a patch that the kind does not take: custom resources know no strategic one."""
    if content_type not in (*_CHANGES, *APPLY):
        raise unsupported_media_type("415: Unsupported Media Type")
    if content_type == STRATEGIC_MERGE_PATCH and is_custom(kind):
        raise unsupported_media_type(_NOT_STRATEGIC)


def patched(obj: Json, patch: object, content_type: str) -> Json:
    """``obj`` changed by ``patch``, itself left as it is. Raises StatusError 400, 413 and 422."""
    return _CHANGES[content_type](obj, patch)


def applied_configuration(patch: object) -> Json:
    """The patch of a server-side apply. Raises StatusError 400 where it is no object or names no kind."""
    if not isinstance(patch, dict):
        why = "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal array into Go value of type "
        raise bad_request(f"error decoding patch: {why}map[string]interface {{}}")
    if not (patch.get("kind") and patch.get("apiVersion")):
        group, _, version = str(patch.get("apiVersion") or "").rpartition("/")
        raise bad_request(f"invalid object type: {group}/{version}, Kind={patch.get('kind') or ''}")
    return patch
