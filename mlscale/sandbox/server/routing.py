"""From what a request is about to the resource that serves it, or the refusal that the real server gives.

As the routes that apiserver pkg/endpoints/installer.go installs for each resource, v1.37.2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlscale.sandbox.formats import path_segment
from mlscale.sandbox.server.calls import PageNotFoundError, method_not_allowed, no_such_resource
from mlscale.sandbox.server.discovery import METRICS_GROUP
from mlscale.sandbox.statuses import StatusError, bad_request

if TYPE_CHECKING:
    from mlscale.sandbox.resources import Resource
    from mlscale.sandbox.server.discovery import Catalogue
    from mlscale.sandbox.server.request_info import RequestInfo

_SUBRESOURCE_VERBS = {"token": ("create",), "finalize": ("update",)}


def find_resource(known: Catalogue, info: RequestInfo) -> Resource:
    """The resource of a request that it allows. Raises StatusError 404 and 405, and PageNotFoundError."""
    versions = known.get(info.group)
    if versions is None or (info.group == METRICS_GROUP and info.version not in versions):
        raise PageNotFoundError
    served = versions.get(info.version, [])
    resource = next((one for one in served if one.kind.plural == info.resource), None)
    if resource is None or info.rest or not _is_at_home(resource, info):
        raise no_such_resource()
    if info.method not in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        raise method_not_allowed()
    if info.subresource:
        _check_subresource(resource, info)
    else:
        _check_verb(resource, info)
    _check_name(info)
    return resource


def namespace_of(resource: Resource, info: RequestInfo) -> str | None:
    """Where the objects of the request are: None for all namespaces, empty for what is in none."""
    if not resource.kind.namespaced:
        return ""
    return info.namespace or None


def _is_at_home(resource: Resource, info: RequestInfo) -> bool:
    """Whether the path has a namespace where there is one, and only there."""
    if resource.kind.plural == "namespaces" and not resource.kind.group:
        return info.namespace in ("", info.name)
    if not resource.kind.namespaced:
        return not info.namespace
    return bool(info.namespace) or not _path_name(info)


def _path_name(info: RequestInfo) -> bool:
    """Whether the path names an object (a field selector may have named it instead)."""
    return info.verb not in ("list", "watch", "deletecollection") and bool(info.name)


def _check_name(info: RequestInfo) -> None:
    """metrics-server looks for any name."""
    wrong = path_segment(info.name) if _path_name(info) and info.group != METRICS_GROUP else []
    if wrong:
        raise bad_request(f'Name parameter invalid: "{info.name}": {wrong[0]}')


def _check_subresource(resource: Resource, info: RequestInfo) -> None:
    own = resource.subresources
    if resource.kind.kind == "ServiceAccount":
        own = (*own, "token")
    if resource.kind.kind == "Namespace":
        own = (*own, "finalize")
    if info.subresource not in own:
        raise no_such_resource()
    if info.verb not in _SUBRESOURCE_VERBS.get(info.subresource, ("get", "update", "patch")):
        raise method_not_allowed()


def _check_verb(resource: Resource, info: RequestInfo) -> None:
    if info.verb == "watch" and "watch" not in resource.verbs:
        kind = resource.kind
        message = f'watch is not supported on resources of kind "{kind.resource}"'
        raise StatusError(405, "MethodNotAllowed", message, {"group": kind.group, "kind": kind.plural})
    named = _path_name(info)
    fits = named == (info.verb in ("get", "update", "patch", "delete"))
    everywhere = resource.kind.namespaced and not info.namespace
    if info.verb not in resource.verbs or not fits or (everywhere and info.verb not in ("list", "watch")):
        raise method_not_allowed()
