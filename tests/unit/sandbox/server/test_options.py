"""The options of a write; refusals as Kubernetes 1.37.2 words them."""

from __future__ import annotations

import pytest

from mlscale.sandbox.patching import MERGE_PATCH
from mlscale.sandbox.server.options import manager_of, read_number, read_write_options
from mlscale.sandbox.statuses import StatusError

APPLY_PATCH = "application/apply-patch+yaml"
REFUSED = [
    ("create", {"dryRun": "x"}, "",
     'CreateOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value: ["x"]: supported values: "All"'),
    ("create", {"fieldValidation": "foo"}, "",
     'CreateOptions.meta.k8s.io "" is invalid: fieldValidation: Unsupported value: "foo": supported values: "", '
     '"Ignore", "Strict", "Warn"'),
    ("update", {"fieldManager": "x" * 129}, "",
     'UpdateOptions.meta.k8s.io "" is invalid: fieldManager: Too long: may not be more than 128 bytes'),
    ("create", {"fieldManager": "\x01"}, "",
     'CreateOptions.meta.k8s.io "" is invalid: fieldManager: Invalid value: "\\x01": invalid character U+0001 (at '
     "position 0)"),
    ("patch", {}, APPLY_PATCH,
     'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch'),
    ("patch", {"force": "true"}, MERGE_PATCH,
     'PatchOptions.meta.k8s.io "" is invalid: force: Forbidden: may not be specified for non-apply patch'),
]  # fmt: skip


@pytest.mark.parametrize(("verb", "query", "content_type", "message"), REFUSED)
def test_what_is_refused(verb: str, query: dict[str, str], content_type: str, message: str) -> None:
    with pytest.raises(StatusError) as refused:
        read_write_options(verb, query, {}, content_type)
    assert (refused.value.code, refused.value.message) == (422, message)


def test_what_is_taken() -> None:
    query = {"fieldManager": "me", "dryRun": "All", "fieldValidation": "Strict", "force": "true"}
    options = read_write_options("patch", query, {"user-agent": "other/1"}, APPLY_PATCH)
    assert (options.manager, options.dry_run, options.force, options.validation) == ("me", True, True, "Strict")


def test_unknown_fields_are_warned_of_where_nothing_is_said() -> None:
    assert read_write_options("create", {}, {}).validation == "Warn"


@pytest.mark.parametrize(
    ("agent", "manager"),
    [
        ("mlscale/0.1 (linux)", "mlscale"),
        ("", "unknown"),
        ("/1", "unknown"),
        ("x" * 200, "x" * 128),
        ("a\x01b/1", "ab"),
    ],
)
def test_the_manager_of_a_client_that_names_none(agent: str, manager: str) -> None:
    assert manager_of(agent) == manager


def test_numbers() -> None:
    assert read_number({"limit": "5"}, "limit") == 5
    assert read_number({}, "limit") is None
    with pytest.raises(StatusError, match='ParseInt: parsing "x": invalid syntax'):
        read_number({"limit": "x"}, "limit")
