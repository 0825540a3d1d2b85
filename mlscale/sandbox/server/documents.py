"""What the API says of itself: version, health, discovery and OpenAPI."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlscale.sandbox.server import discovery, openapi
from mlscale.sandbox.server.calls import PageNotFoundError, method_not_allowed, no_such_resource

if TYPE_CHECKING:
    from mlscale.sandbox.server.discovery import Catalogue

Json = dict[str, Any]

VERSION: Json = {
    "major": "1",
    "minor": "37",
    "gitVersion": "v1.37.2+mlscale-sandbox",
    "gitCommit": "",
    "gitTreeState": "",
    "buildDate": "1970-01-01T00:00:00Z",
    "goVersion": "",
    "compiler": "",
    "platform": "",
}
"""The release whose behaviour the sandbox has; the build says that it is a simulation."""
_HEALTH = ("/healthz", "/livez", "/readyz")
_ROOTS = ["/api", "/api/v1", "/apis", *_HEALTH, "/openapi/v2", "/openapi/v3", "/version"]


def document(known: Catalogue, method: str, path: str, address: str, *, aggregated: bool) -> Json | str:
    """What is at ``path``; health is a text. Raises StatusError 404 and 405, and PageNotFoundError.

    ``aggregated``: whether the client can read that form of discovery.
    """
    path = path.rstrip("/") or "/"
    if is_health(path):
        return "ok"
    if method not in ("GET", "HEAD") and not _takes_every_method(path):
        raise method_not_allowed()
    if path == "/version":
        return VERSION
    if path == "/":
        return {"paths": _ROOTS}
    if path == "/openapi/v2":
        return openapi.V2
    if path.startswith("/openapi/v3"):
        return _openapi(known, path.removeprefix("/openapi/v3").strip("/"))
    return _discovery(known, path, address, aggregated=aggregated)


def is_health(path: str) -> bool:
    """Whether this is one of the paths that say whether the server is well, to whoever asks in whatever form."""
    return path in _HEALTH


def lists_groups(path: str) -> bool:
    """Whether this is the list of the groups, or of one group's versions."""
    return path.startswith("/apis") and path.strip("/").count("/") <= 1


def _takes_every_method(path: str) -> bool:
    """What upstream does not route by method."""
    return path == "/" or path.startswith("/openapi/") or lists_groups(path)


def _openapi(known: Catalogue, path: str) -> Json:
    parts = path.split("/")
    try:
        if not path:
            return openapi.openapi_index(known)
        group, version = ("", parts[1]) if parts[0] == "api" else (parts[1], parts[2])
        return openapi.openapi_document(known, group, version)
    except (IndexError, KeyError):
        raise PageNotFoundError from None


def _discovery(known: Catalogue, path: str, address: str, *, aggregated: bool) -> Json:
    parts = path.strip("/").split("/")
    if path in ("/api", "/apis") and aggregated:
        return discovery.aggregated(known, core=path == "/api")
    if path == "/api":
        return discovery.api_versions(address)
    if path == "/apis":
        return discovery.group_list(known)
    group = "" if parts[0] == "api" else parts[1] if parts[0] == "apis" else None
    if group is None or group not in known:
        raise PageNotFoundError
    if parts[0] == "apis" and len(parts) == 2:
        return discovery.group_document(known, group)
    return _resource_list(known, group, parts[-1])


def _resource_list(known: Catalogue, group: str, version: str) -> Json:
    try:
        return discovery.resource_list(known, group, version)
    except KeyError:
        if group == discovery.METRICS_GROUP:
            raise PageNotFoundError from None
        raise no_such_resource() from None
