"""What the API says of itself: groups and versions in both forms, the resources of each, version and health."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.exchanges import Send, case, get
from tests.contract.masks import parsed

if TYPE_CHECKING:
    from tests.contract.api import Api
    from tests.contract.exchanges import Case
    from tests.contract.sides import Stage

pytestmark = pytest.mark.cluster

Json = dict[str, Any]

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
GROUPS = (
    "apiextensions.k8s.io", "apps", "authentication.k8s.io", "authorization.k8s.io", "autoscaling", "batch",
    "metrics.k8s.io", "policy", "rbac.authorization.k8s.io",
)  # fmt: skip
"""Of the control plane, those that the sandbox serves."""
VERSIONS = (
    "api/v1", "apis/apps/v1", "apis/authentication.k8s.io/v1", "apis/authorization.k8s.io/v1", "apis/autoscaling/v2",
    "apis/autoscaling/v1", "apis/batch/v1", "apis/metrics.k8s.io/v1beta1", "apis/policy/v1",
    "apis/rbac.authorization.k8s.io/v1", "apis/apiextensions.k8s.io/v1",
)  # fmt: skip
FEWER = "resources-that-are-not-served"

CASES = [
    case("version", get("/version"), differs="the-version-names-the-sandbox"),
    *(case(path, get(path)) for path in ("/healthz", "/livez", "/readyz", "/api")),
    case("/apis", get("/apis"), differs=FEWER),
    *(case(f"/apis/{group}", get(f"/apis/{group}")) for group in GROUPS),
    case("a group that is not there", get("/apis/nosuch.example.com")),
    case("a version that is not there", get("/apis/apps/v9")),
    case("a path that is not there", get("/nosuch")),
    case("a path below a version that is not there", get("/apis/apps/v9/namespaces/{ns}/deployments")),
    case("a resource that is not there", get("/apis/apps/v1/namespaces/{ns}/nosuches")),
    case("a resource that the sandbox does not serve", get("/api/v1/namespaces/{ns}/secrets"), differs=FEWER),
    case("POST to a version", Send("POST", "/version", {})),
    case("POST to a group", Send("POST", "/apis/apps", {})),
    case(
        "discovery in a form that is none", get("/apis/apps", "text/html"), differs="protobuf-is-read-and-not-written"
    ),
]


@pytest.mark.parametrize("one", CASES, ids=lambda one: one.name)
def test_self_description(stage: Stage, one: Case) -> None:
    stage.check(one)


def read(api: Api, path: str, accept: str) -> Any:
    reply = api.exchange("GET", path, None, {"Accept": accept})
    assert reply.status == 200, reply.text
    return parsed(reply)


def _without_hash(resource: Json) -> Json:
    return {key: value for key, value in resource.items() if key != "storageVersionHash"}


@pytest.mark.parametrize("path", VERSIONS)
def test_resources_of_a_version(apis: tuple[Api, ...], path: str) -> None:
    """What the sandbox lists the control plane lists too, field by field but for the hash of how it is stored."""
    theirs, ours = (read(api, f"/{path}", "application/json") for api in apis)
    assert {**ours, "resources": []} == {**theirs, "resources": []}
    listed = {one["name"]: _without_hash(one) for one in theirs["resources"]}
    assert ours["resources"]
    assert [_without_hash(one) for one in ours["resources"]] == [listed[one["name"]] for one in ours["resources"]]


@pytest.mark.parametrize("path", ["/api", "/apis"])
def test_aggregated_discovery(apis: tuple[Api, ...], path: str) -> None:
    """Of the groups that the sandbox serves each resource is as the control plane has it."""
    theirs, ours = (_discovered(read(api, path, AGGREGATED)) for api in apis)
    assert ours
    assert ours == {key: theirs[key] for key in ours}


def _discovered(answer: Json) -> dict[tuple[str, str, str], Json]:
    """Each resource by group, version and plural; subresources that the sandbox has not are no part of it."""
    return {
        (item["metadata"].get("name", ""), version["version"], one["resource"]): {
            **one,
            "subresources": [sub for sub in one.get("subresources", []) if sub["subresource"] in ("scale", "status")],
        }
        for item in answer["items"]
        for version in item["versions"]
        for one in version["resources"]
        if "contract" not in item["metadata"].get("name", "")
    }
