"""The server's refusals: type, exit code, and how much of its text is kept."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlscale.errors import ExitCode
from mlscale.kube.api_errors import (
    MESSAGE_LIMIT,
    ApiConflictError,
    ApiError,
    ApiNotAllowedError,
    ApiNotFoundError,
    api_error,
    shortened,
)

KINDS = [
    (400, ApiError, ExitCode.ERROR),
    (401, ApiNotAllowedError, ExitCode.NOT_ALLOWED),
    (403, ApiNotAllowedError, ExitCode.NOT_ALLOWED),
    (404, ApiNotFoundError, ExitCode.NOT_FOUND),
    (409, ApiConflictError, ExitCode.CONFLICT),
    (410, ApiError, ExitCode.ERROR),
    (422, ApiError, ExitCode.ERROR),
    (429, ApiError, ExitCode.ERROR),
    (500, ApiError, ExitCode.ERROR),
    (504, ApiError, ExitCode.ERROR),
]


def error(code: int, body: object) -> ApiError:
    return api_error(code, body, request="GET /x", credentials='user "u"')


@pytest.mark.parametrize(("code", "kind", "exit_code"), KINDS)
def test_the_code_decides_the_type(code: int, kind: type[ApiError], exit_code: ExitCode) -> None:
    raised = error(code, {"kind": "Status", "code": code, "message": "no", "reason": "Because"})
    assert type(raised) is kind
    assert (raised.exit_code, raised.status.code) == (exit_code, code)


@pytest.mark.parametrize(
    "body", [None, [], "secret", {"message": "secret"}, {"kind": "Pod", "message": "secret"}, {"kind": "Status"}]
)
def test_a_body_that_is_no_status_is_not_shown(body: object) -> None:
    assert str(error(500, body)) == "the server answered 500 to GET /x"


def test_a_status_without_a_message_shows_its_reason() -> None:
    assert str(error(500, {"kind": "Status", "reason": "InternalError"})) == (
        "the server answered 500 InternalError to GET /x"
    )


def test_a_401_names_the_credentials_and_not_the_server_s_word() -> None:
    raised = error(401, {"kind": "Status", "message": "Unauthorized"})
    assert str(raised).startswith('the server does not accept the credentials of user "u" (401); ')


def test_causes_are_kept_for_the_caller() -> None:
    causes = [{"field": "spec.replicas", "message": "conflict"}]
    raised = error(409, {"kind": "Status", "message": "m", "reason": "Conflict", "details": {"causes": causes}})
    assert raised.status.causes == causes


@pytest.mark.parametrize("details", [None, [], {}, {"causes": None}, {"causes": "x"}])
def test_details_of_another_shape_have_no_causes(details: object) -> None:
    assert error(422, {"kind": "Status", "message": "m", "details": details}).status.causes == []


def test_a_message_is_one_line_without_escapes() -> None:
    raised = error(422, {"kind": "Status", "message": "a\n  b\x1b]0;title\x07\tc"})
    assert str(raised) == "a b\\x1b]0;title\\x07 c"


def test_a_message_that_is_no_text_is_written_out() -> None:
    assert str(error(422, {"kind": "Status", "message": {"a": 1}})) == "{'a': 1}"


@given(st.text())
def test_a_message_is_never_longer_than_the_limit(message: str) -> None:
    line = shortened(message * 50)
    assert len(line) <= MESSAGE_LIMIT
    assert "\n" not in line
    assert line == shortened(message * 50)


def test_a_huge_message_ends_in_an_ellipsis() -> None:
    assert shortened("x" * 10_000) == "x" * (MESSAGE_LIMIT - 1) + "…"


def test_a_400_without_a_status_hints_at_https() -> None:
    # What a TLS server says to plain HTTP; a 400 of the API itself names its reason and keeps it.
    plain = api_error(400, None, request="GET /api", credentials="")
    assert plain.hint == "check that the server's URL begins with https"
    refused = api_error(400, {"kind": "Status", "reason": "BadRequest", "message": "no"}, request="", credentials="")
    assert refused.hint == ""
