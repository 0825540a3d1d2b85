"""Which of the four kinds of patch a request sends, and what it makes of an object."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlscale.sandbox.lists import is_custom
from mlscale.sandbox.patches import json_patch, merge_patch, strategic_merge_patch
from mlscale.sandbox.statuses import bad_request, unsupported_media_type

if TYPE_CHECKING:
    from mlscale.kube.kinds import Kind

Json = dict[str, Any]

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_MERGE_PATCH = "application/strategic-merge-patch+json"
APPLY = ("application/apply-patch+yaml", "application/apply-patch+cbor")


def check_content_type(kind: Kind, content_type: str) -> None:
    """Raise StatusError 415 for a patch that the kind does not take: custom resources know no strategic one."""
    taken = [JSON_PATCH, MERGE_PATCH, *APPLY]
    if not is_custom(kind):
        taken.append(STRATEGIC_MERGE_PATCH)
    if content_type not in taken:
        raise unsupported_media_type("415: Unsupported Media Type")


def patched(obj: Json, patch: object, content_type: str) -> Json:
    """``obj`` changed by ``patch``, itself left as it is. Raises StatusError 400 and 422."""
    if content_type == JSON_PATCH:
        if not isinstance(patch, list):
            raise bad_request("json: cannot unmarshal object into Go value of type jsonpatch.Patch")
        return json_patch(obj, patch)
    change = merge_patch if content_type == MERGE_PATCH else strategic_merge_patch
    return change(obj, applied(patch))


def applied(patch: object) -> Json:
    """The patch as an object. Raises StatusError 400 where it is none."""
    if not isinstance(patch, dict):
        raise bad_request("error decoding patch: json: cannot unmarshal into Go value of type map[string]interface {}")
    return patch
