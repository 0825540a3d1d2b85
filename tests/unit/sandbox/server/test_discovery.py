"""Discovery, held against what Kubernetes 1.37.2 says of the same resources."""

from __future__ import annotations

from typing import Any

from mlscale.kube.kinds import Kind
from mlscale.sandbox.resources import SERVED, Resource
from mlscale.sandbox.server.discovery import (
    aggregated,
    api_versions,
    catalogue,
    group_document,
    group_list,
    resource_list,
)
from mlscale.sandbox.server.openapi import openapi_document, openapi_index

Json = dict[str, Any]

KNOWN = catalogue(SERVED)
ALL = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]
SOME = ["get", "patch", "update"]
DEPLOYMENTS: Json = {
    "name": "deployments", "singularName": "deployment", "namespaced": True, "kind": "Deployment", "verbs": ALL,
    "shortNames": ["deploy"], "categories": ["all"], "storageVersionHash": "8aSe+NMegvE=",
}  # fmt: skip
DEPLOYMENT_SCALE = {
    "name": "deployments/scale", "singularName": "", "namespaced": True, "group": "autoscaling", "version": "v1",
    "kind": "Scale", "verbs": SOME,
}  # fmt: skip


def entries(group: str, version: str) -> dict[str, Json]:
    return {entry["name"]: entry for entry in resource_list(KNOWN, group, version)["resources"]}


def test_a_resource_and_its_subresources() -> None:
    apps = entries("apps", "v1")
    assert apps["deployments"] == DEPLOYMENTS
    assert apps["deployments/scale"] == DEPLOYMENT_SCALE
    assert apps["deployments/status"]["verbs"] == SOME
    assert "daemonsets/scale" not in apps
    assert [name for name in apps if name.startswith("deployments")] == [
        "deployments", "deployments/scale", "deployments/status",
    ]  # fmt: skip


def test_hashes_of_storage_versions() -> None:
    core = entries("", "v1")
    assert core["pods"]["storageVersionHash"] == "xPOwRZ+Yhw8="
    assert core["namespaces"]["storageVersionHash"] == "Q3oi5N2YM8M="
    assert entries("policy", "v1")["poddisruptionbudgets"]["storageVersionHash"] == "EVWiDmWqyJw="


def test_the_core_list_names_no_version_of_its_own() -> None:
    assert "apiVersion" not in resource_list(KNOWN, "", "v1")
    assert resource_list(KNOWN, "apps", "v1")["apiVersion"] == "v1"


def test_autoscaling_is_there_in_both_versions() -> None:
    document = group_document(KNOWN, "autoscaling")
    assert [each["version"] for each in document["versions"]] == ["v2", "v1"]
    assert document["preferredVersion"] == {"groupVersion": "autoscaling/v2", "version": "v2"}
    assert entries("autoscaling", "v1").keys() == entries("autoscaling", "v2").keys()


def test_metrics_are_read_only_and_come_last() -> None:
    assert entries("metrics.k8s.io", "v1beta1") == {
        "nodes": {
            "name": "nodes", "singularName": "", "namespaced": False, "kind": "NodeMetrics", "verbs": ["get", "list"],
        },
        "pods": {
            "name": "pods", "singularName": "", "namespaced": True, "kind": "PodMetrics", "verbs": ["get", "list"],
        },
    }  # fmt: skip
    assert [group["name"] for group in group_list(KNOWN)["groups"]][-1] == "metrics.k8s.io"


def test_service_accounts_have_tokens() -> None:
    assert entries("", "v1")["serviceaccounts/token"] == {
        "name": "serviceaccounts/token", "singularName": "", "namespaced": True, "group": "authentication.k8s.io",
        "version": "v1", "kind": "TokenRequest", "verbs": ["create"],
    }  # fmt: skip


def test_groups() -> None:
    names = [group["name"] for group in group_list(KNOWN)["groups"]]
    assert names[0] == "apps"
    assert "" not in names
    assert api_versions("127.0.0.1:1")["serverAddressByClientCIDRs"][0]["serverAddress"] == "127.0.0.1:1"


def test_aggregated_discovery() -> None:
    (core,) = aggregated(KNOWN, core=True)["items"]
    assert core["metadata"] == {}
    groups = aggregated(KNOWN, core=False)["items"]
    apps = next(item for item in groups if item["metadata"] == {"name": "apps"})
    (version,) = apps["versions"]
    assert version["freshness"] == "Current"
    deployments = next(entry for entry in version["resources"] if entry["resource"] == "deployments")
    assert deployments == {
        "resource": "deployments", "responseKind": {"group": "", "version": "", "kind": "Deployment"},
        "scope": "Namespaced", "singularResource": "deployment", "verbs": ALL, "shortNames": ["deploy"],
        "categories": ["all"],
        "subresources": [
            {"subresource": "scale", "responseKind": {"group": "autoscaling", "version": "v1", "kind": "Scale"},
             "verbs": SOME},
            {"subresource": "status", "responseKind": {"group": "", "version": "", "kind": "Deployment"},
             "verbs": SOME},
        ],
    }  # fmt: skip


def test_both_forms_tell_the_same_resources() -> None:
    for item in [*aggregated(KNOWN, core=True)["items"], *aggregated(KNOWN, core=False)["items"]]:
        group = item["metadata"].get("name", "")
        for version in item["versions"]:
            listed = [name for name in entries(group, version["version"]) if "/" not in name]
            assert [entry["resource"] for entry in version["resources"]] == listed


def test_a_custom_resource_joins() -> None:
    served = Resource(Kind("contract.example.com", "v1", "Served", "serveds", short_names=("srvd",)))
    known = catalogue([*SERVED, served])
    names = [group["name"] for group in group_list(known)["groups"]]
    assert names[-2:] == ["contract.example.com", "metrics.k8s.io"]
    assert resource_list(known, "contract.example.com", "v1")["resources"][0]["shortNames"] == ["srvd"]


def test_openapi_says_what_patch_takes() -> None:
    document = openapi_document(KNOWN, "apps", "v1")
    patch = document["paths"]["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"]["patch"]
    assert {parameter["name"] for parameter in patch["parameters"]} >= {"dryRun", "fieldValidation"}
    assert patch["x-kubernetes-group-version-kind"] == {"group": "apps", "version": "v1", "kind": "Deployment"}


def test_each_openapi_document_has_an_address_that_changes_with_it() -> None:
    paths = openapi_index(KNOWN)["paths"]
    assert set(paths) >= {"api/v1", "apis/apps/v1", "apis/autoscaling/v2", "apis/autoscaling/v1"}
    more = Resource(Kind("apps", "v1", "More", "mores"))
    changed = openapi_index(catalogue([*SERVED, more]))["paths"]
    assert changed["apis/apps/v1"] != paths["apis/apps/v1"]
    assert changed["api/v1"] == paths["api/v1"]
