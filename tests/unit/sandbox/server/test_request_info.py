"""Paths as the API server reads them (pkg/endpoints/request/requestinfo_test.go, v1.37.2)."""

from __future__ import annotations

import pytest

from mlscale.sandbox.server.request_info import is_true, read_request_info

CASES = [
    # method, path, query, verb, group, version, namespace, resource, name, subresource
    ("GET", "/api/v1/namespaces", {}, "list", "", "v1", "", "namespaces", "", ""),
    ("GET", "/api/v1/namespaces/other", {}, "get", "", "v1", "other", "namespaces", "other", ""),
    ("GET", "/api/v1/namespaces/other/pods", {}, "list", "", "v1", "other", "pods", "", ""),
    ("GET", "/api/v1/namespaces/other/pods/foo", {}, "get", "", "v1", "other", "pods", "foo", ""),
    ("GET", "/api/v1/pods", {}, "list", "", "v1", "", "pods", "", ""),
    ("GET", "/api/v1/namespaces/other/pods", {"watch": "true"}, "watch", "", "v1", "other", "pods", "", ""),
    ("GET", "/api/v1/namespaces/other/pods", {"watch": "false"}, "list", "", "v1", "other", "pods", "", ""),
    ("GET", "/api/v1/namespaces/other/pods/foo", {"watch": "1"}, "get", "", "v1", "other", "pods", "foo", ""),
    ("PUT", "/api/v1/namespaces/other/finalize", {}, "update", "", "v1", "other", "namespaces", "other", "finalize"),
    ("PUT", "/api/v1/namespaces/other/status", {}, "update", "", "v1", "other", "namespaces", "other", "status"),
    ("POST", "/apis/apps/v1/namespaces/a/deployments", {}, "create", "apps", "v1", "a", "deployments", "", ""),
    ("PATCH", "/apis/apps/v1/namespaces/a/deployments/w/scale", {}, "patch", "apps", "v1", "a", "deployments", "w",
     "scale"),
    ("DELETE", "/api/v1/namespaces/other/pods", {}, "deletecollection", "", "v1", "other", "pods", "", ""),
    ("DELETE", "/api/v1/namespaces/other/pods/foo", {}, "delete", "", "v1", "other", "pods", "foo", ""),
    ("GET", "/api/v1/namespaces/a/pods", {"fieldSelector": "metadata.name=x"}, "list", "", "v1", "a", "pods", "x", ""),
    ("GET", "/api/v1/namespaces/a/pods", {"fieldSelector": "metadata.name==x"}, "list", "", "v1", "a", "pods", "x", ""),
    ("GET", "/api/v1/namespaces/a/pods", {"fieldSelector": "status.phase=x"}, "list", "", "v1", "a", "pods", "", ""),
    ("OPTIONS", "/api/v1/pods", {}, "", "", "v1", "", "pods", "", ""),
    ("GET", "/api/v1/namespaces//pods", {}, "list", "", "v1", "", "pods", "", ""),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]} {case[1]} {case[2]}")
def test_what_a_request_is_about(case: tuple[str, str, dict[str, str], str, str, str, str, str, str, str]) -> None:
    method, path, query, *expected = case
    info = read_request_info(method, path, query)
    assert [info.verb, info.group, info.version, info.namespace, info.resource, info.name, info.subresource] == expected


@pytest.mark.parametrize("path", ["/", "/api", "/api/v1", "/apis", "/apis/apps", "/apis/apps/v1", "/version", "/x/y/z"])
def test_a_path_of_no_resource_has_the_method_as_its_verb(path: str) -> None:
    info = read_request_info("POST", path, {})
    assert (info.verb, info.resource, info.path) == ("post", "", path)


def test_what_follows_the_subresource_is_kept_apart() -> None:
    assert read_request_info("GET", "/api/v1/namespaces/a/pods/p/log/x/y", {}).rest == ("x", "y")


@pytest.mark.parametrize(("text", "expected"), [(None, False), ("0", False), ("False", False), ("", True), ("x", True)])
def test_booleans_of_a_query(text: str | None, expected: bool) -> None:
    assert is_true(text) is expected
