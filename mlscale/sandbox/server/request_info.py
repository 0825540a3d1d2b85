"""What a request is about, read from its method, path and query.

The rules are those of apiserver pkg/endpoints/request/requestinfo.go, v1.37.2: RBAC judges what they yield, also
where no such resource is served.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_VERBS = {"GET": "get", "HEAD": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
_OF_A_NAMESPACE = ("status", "finalize")
"""What follows ``namespaces/NAME`` and still means the namespace itself."""


@dataclass(frozen=True)
class RequestInfo:
    """One request. ``resource`` is empty for a path that is none of the API's resources (``/version``, ``/apis``)."""

    path: str
    method: str
    verb: str
    """``list`` or ``patch``, say; for a path of no resource the method in lower case; empty for an unknown method."""
    group: str = ""
    version: str = ""
    namespace: str = ""
    resource: str = ""
    name: str = ""
    subresource: str = ""
    rest: tuple[str, ...] = ()
    """Segments after the subresource; no served path has any."""


def read_request_info(method: str, path: str, query: Mapping[str, str]) -> RequestInfo:
    """The request of ``method`` for ``path`` (percent-decoded)."""
    segments = path.strip("/").split("/")
    grouped = segments[0] == "apis"
    if segments[0] not in ("api", "apis") or len(segments) < (4 if grouped else 3):
        return RequestInfo(path, method, method.lower())
    group, version, *parts = segments[1:] if grouped else ["", *segments[1:]]
    namespace = ""
    if parts[0] == "namespaces" and len(parts) > 1:
        namespace = parts[1]
        if len(parts) > 2 and parts[2] not in _OF_A_NAMESPACE:
            parts = parts[2:]
    resource, name, subresource = (*parts, "", "")[:3]
    verb = _VERBS.get(method, "")
    if not name:
        verb = _collection_verb(verb, query)
        name = _selected_name(verb, query)
    return RequestInfo(path, method, verb, group, version, namespace, resource, name, subresource, tuple(parts[3:]))


def is_true(text: str | None) -> bool:
    """As the API reads a boolean of a query: anything but nothing, ``0`` and ``false`` is true."""
    return text is not None and text.lower() not in ("0", "false")


def _collection_verb(verb: str, query: Mapping[str, str]) -> str:
    if verb == "get":
        return "watch" if is_true(query.get("watch")) else "list"
    return "deletecollection" if verb == "delete" else verb


def _selected_name(verb: str, query: Mapping[str, str]) -> str:
    """A field selector for one name asks for that object, so a rule that names it allows the list of it."""
    if verb not in ("list", "watch", "deletecollection"):
        return ""
    terms = [term for term in query.get("fieldSelector", "").split(",") if term.startswith("metadata.name=")]
    return terms[-1].partition("=")[2].lstrip("=") if terms else ""
