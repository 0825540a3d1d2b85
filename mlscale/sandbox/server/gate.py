"""Who asks, and whether they may: authentication, impersonation and authorization of a request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlscale.sandbox.authorization import Attributes, User, decide
from mlscale.sandbox.server.calls import BareError
from mlscale.sandbox.statuses import StatusError
from mlscale.sandbox.tokens import Tokens, impersonated

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlscale.sandbox.server.request_info import RequestInfo
    from mlscale.sandbox.store import Store


def admitted_user(
    store: Store, tokens: Tokens, info: RequestInfo, headers: Mapping[str, str], groups: Sequence[str]
) -> User:
    """Whom the request acts as, after every check. Raises StatusError 400, 401 and 403.

    ``groups`` are the values of the Impersonate-Group headers.
    """
    user = tokens.user(headers.get("authorization"))
    if wanted := impersonated(headers, groups):
        if not may_impersonate(store, user, wanted):
            # As of 1.37 the refusal speaks of the narrower right that was tried last.
            raise forbidden(user, info, f"impersonate-on:user-info:{info.verb}")
        user = wanted
    if not decide(store, user, attributes(info)).allowed:
        raise forbidden(user, info, info.verb)
    return user


def attributes(info: RequestInfo) -> Attributes:
    """What RBAC judges of a request."""
    if not info.resource:
        return Attributes(info.verb, path=info.path)
    return Attributes(info.verb, info.group, info.resource, info.subresource, info.namespace, info.name)


def may_impersonate(store: Store, user: User, wanted: User) -> bool:
    """Whether ``user`` may act as the user and the groups of ``wanted`` (apiserver filters/impersonation.go)."""
    asked = [Attributes("impersonate", resource="users", name=wanted.name)]
    groups: tuple[str, ...] = tuple(group for group in wanted.groups if group != "system:authenticated")
    if wanted.name.startswith("system:serviceaccount:"):
        namespace, _, name = wanted.name.removeprefix("system:serviceaccount:").partition(":")
        asked = [Attributes("impersonate", resource="serviceaccounts", namespace=namespace, name=name)]
        groups = tuple(group for group in groups if not group.startswith("system:serviceaccounts"))
    asked += [Attributes("impersonate", resource="groups", name=group) for group in groups]
    return all(decide(store, user, one).allowed for one in asked)


def forbidden(user: User, info: RequestInfo, verb: str) -> StatusError:
    """403 in the words of apiserver pkg/endpoints/handlers/responsewriters/errors.go."""
    if not info.resource:
        return BareError(403, "Forbidden", f'forbidden: User "{user.name}" cannot {verb} path "{info.path}"')
    resource = f"{info.resource}/{info.subresource}" if info.subresource else info.resource
    where = f'in the namespace "{info.namespace}"' if info.namespace else "at the cluster scope"
    why = f'User "{user.name}" cannot {verb} resource "{resource}" in API group "{info.group}" {where}'
    subject = f"{info.resource}.{info.group}" if info.group else info.resource
    named = f' "{info.name}"' if info.name else ""
    details = {key: value for key, value in (("name", info.name), ("group", info.group)) if value}
    return StatusError(403, "Forbidden", f"{subject}{named} is forbidden: {why}", details | {"kind": info.resource})
