"""What can be asked of an API server, one request each, before it is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from mlscale.frozen import field, frozen

if TYPE_CHECKING:
    from collections.abc import Mapping

Json = dict[str, Any]

FIELD_MANAGER = "mlscale"
PAGE = "500"
"""Objects a page of a list."""

ACCEPT_JSON = "application/json"
ACCEPT_TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"


@frozen
class Ask:
    """A request of the API: ``query`` unencoded, ``body`` any JSON."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    accept: str = ACCEPT_JSON
    body: object = None
    content_type: str = ""

    @property
    def url(self) -> str:
        """``/api/v1/pods?limit=500``."""
        return f"{self.path}?{urlencode(self.query)}" if self.query else self.path

    @property
    def line(self) -> str:
        """``GET /api/v1/pods``, for messages."""
        return f"{self.method} {self.path}"


def ask_get(path: str, *, accept: str = ACCEPT_JSON, **query: str) -> Ask:
    """GET one object or list."""
    return Ask("GET", path, query, accept)


def ask_page(path: str, **query: str) -> Ask:
    """GET the first page of a list."""
    return Ask("GET", path, {"limit": PAGE, **query})


def ask_table(path: str, include_object: str = "None", **query: str) -> Ask:
    """GET a ``meta.k8s.io/v1`` Table; ``include_object`` is None, Metadata or Object (the row's object)."""
    return Ask("GET", path, {"includeObject": include_object, **query}, ACCEPT_TABLE)


def ask_merge_patch(path: str, body: Json, **query: str) -> Ask:
    """PATCH with a JSON merge patch (RFC 7386)."""
    return _patch(path, body, "application/merge-patch+json", query)


def ask_json_patch(path: str, operations: list[Json], **query: str) -> Ask:
    """PATCH with a JSON patch (RFC 6902); a ``test`` that fails is a 422."""
    return _patch(path, operations, "application/json-patch+json", query)


def ask_apply(path: str, body: Json, *, force: bool = False, dry_run: bool = False) -> Ask:
    """Server-side apply as field manager ``mlscale``; a conflict is an ApiConflictError with its causes."""
    query = {"force": "true"} if force else {}
    if dry_run:
        query["dryRun"] = "All"
    return _patch(path, body, "application/apply-patch+yaml", query)


def ask_create(path: str, body: Json, **query: str) -> Ask:
    """POST an object."""
    return Ask("POST", path, {"fieldManager": FIELD_MANAGER, **query}, body=body, content_type="application/json")


def _patch(path: str, body: object, content_type: str, query: dict[str, str]) -> Ask:
    return Ask("PATCH", path, {"fieldManager": FIELD_MANAGER, **query}, body=body, content_type=content_type)
