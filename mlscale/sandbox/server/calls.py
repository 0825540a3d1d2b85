"""One request as the API sees it, and its answer, free of how they travel."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mlscale.sandbox.statuses import StatusError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlscale.sandbox.authorization import User
    from mlscale.sandbox.resources import Resource
    from mlscale.sandbox.server.request_info import RequestInfo

Json = dict[str, Any]


@dataclass(frozen=True)
class Call:
    """A request of ``user``; header names are in lower case."""

    info: RequestInfo
    user: User
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    warnings: list[str] = field(default_factory=list)
    """What its body has that nothing knows; told with a refusal too."""


@dataclass(frozen=True)
class Answer:
    """An object with its HTTP status; ``resource`` says what columns its Table has."""

    obj: Json
    status: int = 200
    resource: Resource | None = None


class BareError(StatusError):
    """A refusal before any resource is found: its details are there, and empty."""

    def body(self) -> Json:
        """The Status object."""
        body = super().body()
        return {**body, "details": self.details, "code": body["code"]}


class PageNotFoundError(Exception):
    """A path that the API server has nothing at: plain text, no Status."""


def no_such_resource() -> StatusError:
    """404 for a path in a group that is served."""
    return BareError(404, "NotFound", "the server could not find the requested resource")


def method_not_allowed() -> StatusError:
    """405."""
    return BareError(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")
