"""The bodies of refusals, as Kubernetes 1.37.2 writes them."""

from __future__ import annotations

from typing import Any

import pytest

from mlscale.kube.kinds import DEPLOYMENT, NODE, POD
from mlscale.sandbox import statuses
from mlscale.sandbox.statuses import Cause, StatusError

NEGATIVE = Cause("spec.replicas", "FieldValueInvalid", "Invalid value: -1: must be greater than or equal to 0")
NAMELESS = Cause("metadata.name", "FieldValueRequired", "Required value: name or generateName is required")


def body(code: int, reason: str, message: str, details: dict[str, Any]) -> dict[str, Any]:
    start = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure"}
    return {**start, "message": message, "reason": reason, "details": details, "code": code}


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (
            statuses.not_found(DEPLOYMENT, "a"),
            body(404, "NotFound", 'deployments.apps "a" not found', {"name": "a", "group": "apps",
                                                                     "kind": "deployments"}),
        ),
        (
            statuses.already_exists(POD, "a"),
            body(409, "AlreadyExists", 'pods "a" already exists', {"name": "a", "kind": "pods"}),
        ),
        (
            statuses.forbidden(NODE, "", "no"),
            body(403, "Forbidden", "nodes is forbidden: no", {"kind": "nodes"}),
        ),
        (
            statuses.invalid(POD, "", [NAMELESS]),
            body(422, "Invalid", 'Pod "" is invalid: metadata.name: Required value: name or generateName is required',
                 {"kind": "Pod", "causes": [{"reason": NAMELESS.reason, "message": NAMELESS.message,
                                             "field": NAMELESS.field}]}),
        ),
        (
            statuses.too_large_version(9, 2),
            body(504, "Timeout", "Timeout: Too large resource version: 9, current: 2",
                 {"causes": [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}],
                  "retryAfterSeconds": 1}),
        ),
        (
            statuses.unsupported_media_type("415: Unsupported Media Type", {}),
            body(415, "UnsupportedMediaType", "415: Unsupported Media Type", {}),
        ),
    ],
)  # fmt: skip
def test_the_body_of_a_refusal(error: StatusError, expected: dict[str, Any]) -> None:
    assert error.body() == expected


def test_several_causes_are_listed_and_equal_ones_said_once() -> None:
    error = statuses.invalid(DEPLOYMENT, "a", [NEGATIVE, NAMELESS, NEGATIVE])
    first, second = (f"{cause.field}: {cause.message}" for cause in (NEGATIVE, NAMELESS))
    assert error.message == f'Deployment.apps "a" is invalid: [{first}, {second}]'
    assert len(error.details["causes"]) == 3


def test_an_internal_error_has_no_reason_and_no_details() -> None:
    assert set(statuses.internal_error("x").body()) == {"kind", "apiVersion", "metadata", "status", "message", "code"}
