"""The API server's refusals as errors with an exit code; messages are cut and cleaned at this edge."""

from __future__ import annotations

from typing import Any

from mlscale.errors import ConflictError, MlscaleError, NotAllowedError, NotFoundError
from mlscale.frozen import field, frozen
from mlscale.kube.text import printable

MESSAGE_LIMIT = 600
"""Characters kept of a server's message: a 422 can repeat the whole object."""


@frozen
class ApiStatus:
    """A ``metav1.Status``, or what stands in for one when the server sent none."""

    code: int
    reason: str
    message: str
    details: dict[str, Any] = field(default_factory=dict)
    continue_token: str = ""
    """With a 410 for an expired token: one that goes on from there, in the state of now (metav1.ListMeta)."""

    @property
    def causes(self) -> list[dict[str, Any]]:
        """``details.causes``: one entry a field."""
        causes = self.details.get("causes")
        return causes if isinstance(causes, list) else []


class ApiError(MlscaleError):
    """The API server answered with an error."""

    def __init__(self, status: ApiStatus, hint: str = "") -> None:
        super().__init__(status.message, hint)
        self.status = status


class ApiNotFoundError(ApiError, NotFoundError):
    """404."""


class ApiNotAllowedError(ApiError, NotAllowedError):
    """401 or 403."""


class ApiConflictError(ApiError, ConflictError):
    """409: an optimistic lock, a field manager, or a name that is taken; ``status.reason`` tells which."""


def api_error(code: int, body: object, *, request: str, credentials: str) -> ApiError:
    """The error for an answer of ``code``.

    ``request`` (``GET /apis/…``) stands in where the server sent no Status; ``credentials`` says in words
    whose they are (``user "admin" of context "lab"``), since a 401 names nobody.
    """
    status = _status(code, body, request)
    if code == 401:
        return ApiNotAllowedError(
            ApiStatus(code, "Unauthorized", f"the server does not accept the credentials of {credentials} (401)"),
            "log in again, or check its token or certificate (it may have expired)",
        )
    if code == 403:
        return ApiNotAllowedError(status)
    if code == 404:
        return ApiNotFoundError(status)
    if code == 400 and not status.reason:
        # What Go's TLS server answers to plain HTTP.
        return ApiError(status, "check that the server's URL begins with https")
    return ApiConflictError(status) if code == 409 else ApiError(status)


def _status(code: int, body: object, request: str) -> ApiStatus:
    if isinstance(body, dict) and body.get("kind") == "Status":
        message = str(body.get("message") or "")
        reason = str(body.get("reason") or "")
        details = body.get("details")
        text = shortened(message) or f"the server answered {f'{code} {reason}'.strip()} to {request}"
        metadata = body.get("metadata")
        token = metadata.get("continue") if isinstance(metadata, dict) else None
        return ApiStatus(code, reason, text, details if isinstance(details, dict) else {}, str(token or ""))
    return ApiStatus(code, "", f"the server answered {code} to {request}")


def shortened(message: str) -> str:
    """``message`` on one line, without control characters, at most MESSAGE_LIMIT characters."""
    line = printable(" ".join(message.split()))
    return line if len(line) <= MESSAGE_LIMIT else line[: MESSAGE_LIMIT - 1] + "…"
