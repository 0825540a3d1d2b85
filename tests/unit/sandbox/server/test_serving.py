"""The server over HTTPS, as a client sees it; expected answers are those of Kubernetes 1.37.2."""

from __future__ import annotations

import contextlib
import gzip
import http.client
import json
import ssl
import stat
import threading
import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, cast

import pytest

from mlscale.sandbox.server.app import COMPRESSED_FROM, LARGEST_BODY
from mlscale.sandbox.server.serving import serving
from tests.unit.sandbox.api_objects import NAMESPACE, START, config_map, deployment, new_api
from tests.unit.sandbox.server.conftest import Client, Still

if TYPE_CHECKING:
    from mlscale.sandbox.simulation import Simulation

Json = dict[str, Any]

MAPS = f"/api/v1/namespaces/{NAMESPACE}/configmaps"
APPS = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"


def test_the_kubeconfig_is_for_its_owner_alone(call: Client) -> None:
    assert stat.S_IMODE(call.kubeconfig.stat().st_mode) == 0o600
    assert stat.S_IMODE(call.kubeconfig.parent.stat().st_mode) == 0o700


def test_nothing_is_left_behind() -> None:
    before = threading.active_count()
    with contextlib.ExitStack() as open_watch:
        with serving(cast("Simulation", Still(new_api())), 1, time.monotonic) as kubeconfig:
            client = Client(kubeconfig)
            assert client("GET", "/version").status == 200
            watch = open_watch.enter_context(client.opened("GET", f"{MAPS}?watch=true"))
        assert watch.read() == b""
    assert not kubeconfig.parent.exists()
    assert threading.active_count() == before
    with pytest.raises(ConnectionError):
        client("GET", "/version")


def test_another_ca_does_not_trust_it(call: Client) -> None:
    connection = http.client.HTTPSConnection(call.address, context=ssl.create_default_context(), timeout=10)
    with pytest.raises(ssl.SSLCertVerificationError):
        connection.request("GET", "/version")


def test_a_wrong_token(call: Client) -> None:
    reply = call("GET", MAPS, Authorization="Bearer x")
    assert (reply.status, reply.body["message"]) == (401, "Unauthorized")


def test_without_a_token_one_is_anonymous(call: Client) -> None:
    assert call("GET", "/version", Authorization="").status == 200
    reply = call("GET", MAPS, Authorization="")
    assert reply.status == 403
    assert reply.body["message"] == (
        'configmaps is forbidden: User "system:anonymous" cannot list resource "configmaps" in API group "" in the '
        'namespace "lab"'
    )


def test_a_path_that_one_may_not_read(call: Client) -> None:
    reply = call("GET", "/metrics", Authorization="")
    assert (reply.status, reply.body["details"]) == (403, {})
    assert reply.body["message"] == 'forbidden: User "system:anonymous" cannot get path "/metrics"'


def test_a_service_account_has_the_rights_of_its_roles(call: Client) -> None:
    account = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/default/token"
    token = call("POST", account, {}).body["status"]["token"]
    mine = {"Authorization": f"Bearer {token}"}
    refused = call("PATCH", f"{APPS}/web/scale", {"spec": {"replicas": 2}}, **mine)
    assert refused.body["message"] == (
        'deployments.apps "web" is forbidden: User "system:serviceaccount:lab:default" cannot patch resource '
        '"deployments/scale" in API group "apps" in the namespace "lab"'
    )
    assert refused.body["details"] == {"name": "web", "group": "apps", "kind": "deployments"}
    binding = {
        "metadata": {"name": "viewer"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"},
        "subjects": [{"kind": "ServiceAccount", "name": "default", "namespace": NAMESPACE}],
    }
    bindings = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{NAMESPACE}/rolebindings"
    assert call("POST", bindings, binding).status == 201
    assert call("GET", APPS, **mine).status == 200
    assert call("DELETE", APPS, **mine).status == 403


def test_acting_as_someone_else(call: Client) -> None:
    assert call("GET", APPS, Impersonate_User="jane").status == 403
    assert call("GET", APPS, Impersonate_User="jane", Impersonate_Group="system:masters").status == 200
    token = call("POST", f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/default/token", {}).body["status"]["token"]
    reply = call("GET", APPS, Authorization=f"Bearer {token}", Impersonate_User="jane")
    assert (reply.status, "cannot impersonate" in reply.body["message"]) == (403, True)


@pytest.mark.parametrize("user", ["", "jane"])
def test_asking_for_ones_rights(call: Client, user: str) -> None:
    wanted = {"namespace": NAMESPACE, "verb": "get", "resource": "pods"}
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    reply = call("POST", path, {"spec": {"resourceAttributes": wanted}}, Impersonate_User=user)
    assert (reply.status, reply.body["status"]) == (201, {"allowed": not user})


def test_who_one_is(call: Client) -> None:
    reply = call("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", {}, Impersonate_User="jane")
    assert reply.body["status"]["userInfo"] == {"username": "jane", "groups": ["system:authenticated"]}


@pytest.mark.parametrize(
    ("method", "path", "status", "media_type"),
    [
        ("GET", "/version", 200, "application/json"),
        ("GET", "/version/", 200, "application/json"),
        ("POST", "/version", 405, "application/json"),
        ("GET", "/healthz", 200, "text/plain; charset=utf-8"),
        ("GET", "/readyz?verbose", 200, "text/plain; charset=utf-8"),
        ("GET", "/apis", 200, "application/json"),
        ("GET", "/apis/apps/", 200, "application/json"),
        ("GET", "/apis/apps/v1", 200, "application/json"),
        ("GET", "/apis/apps/v2", 404, "application/json"),
        ("GET", "/api/v2", 404, "application/json"),
        ("GET", "/apis/foo", 404, "text/plain; charset=utf-8"),
        ("GET", "/apis/foo/v1/bars", 404, "text/plain; charset=utf-8"),
        ("GET", "/apis/metrics.k8s.io/v1", 404, "text/plain; charset=utf-8"),
        ("GET", "/foo", 404, "text/plain; charset=utf-8"),
        ("GET", "/openapi/v3", 200, "application/json"),
        ("GET", "/openapi/v3/apis/apps/v1?hash=x", 200, "application/json"),
        ("GET", "/openapi/v3/apis/foo/v1", 404, "text/plain; charset=utf-8"),
    ],
)
def test_what_the_server_says_of_itself(call: Client, method: str, path: str, status: int, media_type: str) -> None:
    reply = call(method, path)
    assert (reply.status, reply.headers["content-type"]) == (status, media_type)


def test_aggregated_discovery_is_named_in_the_content_type(call: Client) -> None:
    aggregated = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
    reply = call("GET", "/apis", Accept=f"{aggregated},application/json")
    assert reply.headers["content-type"] == aggregated
    assert reply.body["kind"] == "APIGroupDiscoveryList"


def test_create_read_change_delete(call: Client, still: Still) -> None:
    settled = still.settled
    made = call("POST", f"{APPS}?fieldManager=me", deployment("w1"))
    assert (made.status, made.body["metadata"]["managedFields"][0]["manager"]) == (201, "me")
    assert still.settled == settled + 1
    patch = json.dumps({"spec": {"replicas": 4}}).encode()
    scale = call("PATCH", f"{APPS}/w1/scale", patch, Content_Type="application/merge-patch+json")
    assert (scale.status, scale.body["kind"], scale.body["spec"]) == (200, "Scale", {"replicas": 4})
    assert call("GET", f"{APPS}/w1").body["spec"]["replicas"] == 4
    gone = call("DELETE", f"{APPS}/w1")
    assert (gone.status, gone.body["status"]) == (200, "Success")
    assert call("GET", f"{APPS}/w1").status == 404


def test_a_manager_that_is_not_named_is_the_client(call: Client) -> None:
    made = call("POST", f"{MAPS}?dryRun=All", config_map("m"), User_Agent="other/2 (x)")
    assert [entry["manager"] for entry in made.body["metadata"]["managedFields"]] == ["other"]
    assert call("GET", f"{MAPS}/m").status == 404


def test_unknown_fields_are_warned_of_in_a_header(call: Client) -> None:
    body = {**deployment("w2"), "spec": {**deployment("w2")["spec"], "bar": 1}}
    reply = call("POST", f"{APPS}?dryRun=All", body)
    assert (reply.status, reply.headers["warning"]) == (201, '299 - "unknown field \\"spec.bar\\""')
    assert call("POST", f"{APPS}?dryRun=All&fieldValidation=Ignore", body).headers["warning"] is None
    assert call("POST", f"{APPS}?dryRun=All&fieldValidation=Strict", body).status == 400


def test_an_applied_object_is_new_once(call: Client) -> None:
    body = json.dumps(config_map("applied")).encode()
    kind = "application/apply-patch+yaml"
    first = call("PATCH", f"{MAPS}/applied?fieldManager=me", body, Content_Type=kind)
    assert (first.status, first.body["data"]) == (201, {"a": "1"})
    assert call("PATCH", f"{MAPS}/applied?fieldManager=me", body, Content_Type=kind).status == 200


def test_forms_of_a_list(call: Client) -> None:
    call("POST", MAPS, config_map("m1"))
    table = call("GET", f"{MAPS}?fieldSelector=metadata.name=m1", Accept=TABLE).body
    assert [column["name"] for column in table["columnDefinitions"]] == ["Name", "Data", "Age"]
    assert [row["cells"][:2] for row in table["rows"]] == [["m1", 1]]
    partial = call("GET", f"{MAPS}/m1", Accept=TABLE.replace("Table", "PartialObjectMetadata")).body
    assert partial.keys() == {"kind", "apiVersion", "metadata"}
    refused = call("GET", MAPS, Accept=TABLE.partition(",")[0].replace("Table", "PartialObjectMetadata"))
    assert (refused.status, refused.body["reason"]) == (406, "NotAcceptable")
    as_yaml = call("GET", f"{MAPS}/m1", Accept="application/yaml")
    assert as_yaml.raw.startswith(b"apiVersion: v1\n")
    assert call("GET", f"{MAPS}?includeObject=Foo", Accept=TABLE).status == 400
    assert call("GET", f"{MAPS}/m1", User_Agent="curl/8").raw.startswith(b'{\n  "')


def test_large_answers_are_compressed_for_those_who_can_read_it(call: Client) -> None:
    big = {**config_map("big"), "data": {"a": "x" * COMPRESSED_FROM}}
    call("POST", MAPS, big)
    plain = call("GET", f"{MAPS}/big")
    small = call("GET", f"{MAPS}/big", Accept_Encoding="gzip")
    assert plain.headers["content-encoding"] is None
    assert small.headers["content-encoding"] == "gzip"
    assert gzip.decompress(small.raw) == plain.raw
    assert call("GET", f"{MAPS}?fieldSelector=metadata.name=none", Accept_Encoding="gzip").body["items"] == []
    call("DELETE", f"{MAPS}/big")


def test_a_body_that_is_too_large(call: Client) -> None:
    reply = call("POST", MAPS, b" " * (LARGEST_BODY + 1), Content_Type="application/json")
    assert (reply.status, reply.body["message"]) == (413, f"Request entity too large: limit is {LARGEST_BODY}")


def test_the_date_is_that_of_the_cluster(call: Client) -> None:
    date = parsedate_to_datetime(call("GET", "/version").headers["date"])
    assert 0 <= (date - START).total_seconds() < 600


def test_a_defect_is_answered_without_its_words(
    call: Client, still: Still, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: Any, **__: Any) -> Json:
        raise RuntimeError("with a secret")

    monkeypatch.setattr(still.api, "get", broken)
    reply = call("GET", f"{MAPS}/x")
    assert (reply.status, reply.body["message"]) == (500, "Internal error occurred: RuntimeError")
    assert "with a secret" in caplog.text


def lines(response: http.client.HTTPResponse, count: int) -> list[Json]:
    return [json.loads(response.readline()) for _ in range(count)]


def test_a_watch_tells_what_happens(call: Client) -> None:
    version = call("GET", MAPS).body["metadata"]["resourceVersion"]
    with call.opened("GET", f"{MAPS}?watch=1&resourceVersion={version}&timeoutSeconds=5") as watch:
        call("POST", MAPS, config_map("w"))
        call("PATCH", f"{MAPS}/w", b'{"data":{"b":"2"}}', Content_Type="application/merge-patch+json")
        call("DELETE", f"{MAPS}/w")
        events = lines(watch, 3)
    assert [(event["type"], event["object"]["metadata"]["name"]) for event in events] == [
        ("ADDED", "w"), ("MODIFIED", "w"), ("DELETED", "w"),
    ]  # fmt: skip


def test_a_watch_of_tables_tells_the_columns_once(call: Client) -> None:
    call("POST", MAPS, config_map("t1"))
    call("POST", MAPS, config_map("t2"))
    selector = "fieldSelector=metadata.namespace=lab&labelSelector=!x"
    with call.opened("GET", f"{MAPS}?watch=1&timeoutSeconds=5&{selector}", Accept=TABLE) as watch:
        first, second = lines(watch, 2)
    assert first["object"]["columnDefinitions"][0]["name"] == "Name"
    assert (second["type"], second["object"]["columnDefinitions"]) == ("ADDED", None)
    assert len(second["object"]["rows"]) == 1


def test_a_watch_ends_when_its_time_is_over(call: Client) -> None:
    began = time.monotonic()
    assert call("GET", f"{MAPS}?watch=1&resourceVersion=0&timeoutSeconds=1&fieldSelector=metadata.name=no").raw == b""
    assert 0.9 < time.monotonic() - began < 5


def test_a_watch_that_asks_too_much(call: Client) -> None:
    assert call("GET", f"{MAPS}?watch=1&sendInitialEvents=true").status == 422
    assert call("GET", f"{MAPS}?watch=1&timeoutSeconds=x").status == 400


def test_hpas_in_both_versions(call: Client) -> None:
    v1 = f"/apis/autoscaling/v1/namespaces/{NAMESPACE}/horizontalpodautoscalers"
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "w"}
    spec = {"scaleTargetRef": target, "maxReplicas": 3, "targetCPUUtilizationPercentage": 50}
    made = call("POST", v1, {"metadata": {"name": "h"}, "spec": spec})
    assert (made.status, made.body["apiVersion"]) == (201, "autoscaling/v1")
    assert made.body["spec"]["targetCPUUtilizationPercentage"] == 50
    stored = call("GET", f"{v1.replace('v1/', 'v2/')}/h").body
    assert stored["spec"]["metrics"][0]["resource"]["target"] == {"type": "Utilization", "averageUtilization": 50}
    wrong = {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "i"}, "spec": spec}
    assert call("POST", v1, wrong).body["message"] == (
        "the API version in the data (autoscaling/v2) does not match the expected API version (autoscaling/v1)"
    )
