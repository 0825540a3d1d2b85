"""The API's refusals as exceptions, in the words of the real server (apimachinery pkg/api/errors, v1.37.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlscale.kube.kinds import Kind

Json = dict[str, Any]


class StatusError(Exception):
    """A request that is answered with a ``v1.Status`` of failure.

    Its body has ``details`` where they are given, be they empty: the real server leaves out none that it has made.
    """

    def __init__(self, code: int, reason: str, message: str, details: Json | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details or {}
        self._shows_details = details is not None

    def body(self) -> Json:
        """The Status object."""
        body: Json = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure"}
        body |= {"message": self.message}
        if self.reason:
            body["reason"] = self.reason
        if self._shows_details:
            body["details"] = self.details
        return body | {"code": self.code}


@dataclass(frozen=True)
class Cause:
    """One thing that is wrong with an object: where, the reason in CamelCase, and the words for it.

    ``message`` holds the whole of it but the field, as in ``Invalid value: -1: must be greater than or equal to 0``.
    """

    field: str
    reason: str
    message: str


def not_found(kind: Kind, name: str) -> StatusError:
    """404: there is no such object."""
    return StatusError(404, "NotFound", f'{kind.resource} "{name}" not found', _named(kind, name))


def already_exists(kind: Kind, name: str, *, is_ending: bool = False) -> StatusError:
    """409: the name is taken, if only by an object that is being deleted."""
    said = "object is being deleted: " if is_ending else ""
    return StatusError(409, "AlreadyExists", f'{said}{kind.resource} "{name}" already exists', _named(kind, name))


def conflict(kind: Kind, name: str, why: str) -> StatusError:
    """409: a precondition of the write does not hold."""
    message = f'Operation cannot be fulfilled on {kind.resource} "{name}": {why}'
    return StatusError(409, "Conflict", message, _named(kind, name))


def forbidden(kind: Kind, name: str, why: str) -> StatusError:
    """403: an admission plugin, or the authorizer, refuses."""
    subject = f'{kind.resource} "{name}" is forbidden: ' if name else f"{kind.resource} is forbidden: "
    return StatusError(403, "Forbidden", subject + why, _named(kind, name))


def bad_request(message: str) -> StatusError:
    """400: the request cannot be understood."""
    return StatusError(400, "BadRequest", message)


def internal_error(message: str) -> StatusError:
    """500 with no reason, as the real server answers a few malformed values."""
    return StatusError(500, "", message)


def expired(message: str) -> StatusError:
    """410: the version or the continue token is too old."""
    return StatusError(410, "Expired", message)


def unsupported_media_type(message: str, details: Json | None = None) -> StatusError:
    """415: the body's content type is not taken here."""
    return StatusError(415, "UnsupportedMediaType", message, details)


def too_large_version(wanted: int, current: int) -> StatusError:
    """504: the wanted version lies in the future."""
    message = f"Timeout: Too large resource version: {wanted}, current: {current}"
    causes = [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]
    return StatusError(504, "Timeout", message, {"causes": causes, "retryAfterSeconds": 1})


def invalid(kind: Kind, name: str, causes: Sequence[Cause]) -> StatusError:
    """422: validation found ``causes``; equal ones are said once in the message, as upstream's aggregate does."""
    qualified = f"{kind.kind}.{kind.group}" if kind.group else kind.kind
    words = list(dict.fromkeys(f"{cause.field}: {cause.message}" for cause in causes))
    said = words[0] if len(words) == 1 else f"[{', '.join(words)}]"
    details: Json = {"name": name} if name else {}
    if kind.group:
        details["group"] = kind.group
    if kind.kind:
        details["kind"] = kind.kind
    details["causes"] = [{"reason": c.reason, "message": c.message, "field": c.field} for c in causes]
    return StatusError(422, "Invalid", f'{qualified} "{name}" is invalid: {said}', details)


def success(kind: Kind, name: str, uid: str) -> Json:
    """The Status that answers a deletion that is done."""
    details = {**_named(kind, name), "uid": uid}
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}


def _named(kind: Kind, name: str) -> Json:
    details: Json = {"name": name} if name else {}
    if kind.group:
        details["group"] = kind.group
    return {**details, "kind": kind.plural}
