"""Deletions and what else creates than a POST, over HTTPS; expected answers are those of Kubernetes 1.37.2."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.unit.sandbox.api_objects import NAMESPACE, config_map

if TYPE_CHECKING:
    from tests.unit.sandbox.server.conftest import Client

Json = dict[str, Any]

MAPS = f"/api/v1/namespaces/{NAMESPACE}/configmaps"
SERVICES = f"/api/v1/namespaces/{NAMESPACE}/services"
APPLY = "application/apply-patch+yaml"


@pytest.mark.parametrize(
    ("query", "body", "is_gone"),
    [
        ("?dryRun=All", None, False),
        ("", {"dryRun": ["All"]}, False),
        ("", {"dryRun": []}, True),
        ("", None, True),
        # Where there is a body, the query says nothing.
        ("?dryRun=All", {}, True),
        ("?dryRun=Some", {"gracePeriodSeconds": 0}, True),
    ],
)
def test_who_only_tries(call: Client, query: str, body: Json | None, is_gone: bool) -> None:
    call("POST", MAPS, config_map("tried"))
    reply = call("DELETE", f"{MAPS}/tried{query}", body)
    assert (reply.status, reply.body["status"]) == (200, "Success")
    assert (call("GET", f"{MAPS}/tried").status == 404) is is_gone


@pytest.mark.parametrize(("query", "body"), [("?dryRun=Some", None), ("", {"dryRun": ["Some"]})])
def test_there_is_one_way_to_try(call: Client, query: str, body: Json | None) -> None:
    reply = call("DELETE", f"{MAPS}/nosuch{query}", body)
    message = 'DeleteOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value: ["Some"]: supported values: "All"'
    assert (reply.status, reply.body["message"]) == (422, message)


@pytest.mark.parametrize(
    ("query", "body", "status"),
    [
        ("", {"orphanDependents": False}, 202),
        ("?orphanDependents=false", None, 202),
        ("", {"orphanDependents": True}, 200),
        ("", {"propagationPolicy": "Foreground"}, 200),
        ("", {"propagationPolicy": "Background"}, 200),
    ],
)
def test_a_deletion_in_the_former_spelling_that_has_to_wait_is_accepted(
    call: Client, query: str, body: Json | None, status: int
) -> None:
    call("POST", MAPS, config_map("held", finalizers=["a/b"]))
    reply = call("DELETE", f"{MAPS}/held{query}", body)
    assert (reply.status, reply.body["kind"]) == (status, "ConfigMap")
    call("PATCH", f"{MAPS}/held", {"metadata": {"finalizers": None}}, Content_Type="application/merge-patch+json")


def test_a_deletion_in_the_former_spelling_that_is_done_is_ok(call: Client) -> None:
    call("POST", MAPS, config_map("free"))
    assert call("DELETE", f"{MAPS}/free", {"orphanDependents": False}).status == 200


def test_an_update_that_creates_answers_201(call: Client) -> None:
    service = {"metadata": {"name": "s"}, "spec": {"clusterIP": "None", "selector": {"app": "a"}}}
    assert [call("PUT", f"{SERVICES}/s", service).status for _ in range(2)] == [201, 200]


def test_an_apply_that_creates_answers_201(call: Client) -> None:
    path = f"{MAPS}/applied?fieldManager=me"
    assert [call("PATCH", path, config_map("applied"), Content_Type=APPLY).status for _ in range(2)] == [201, 200]
