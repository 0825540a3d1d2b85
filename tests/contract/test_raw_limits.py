"""Raw exchanges that a quota, a limit range, the rights of a user or the credentials end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.exchanges import TABLE, Send, case, get, post
from tests.contract.written import APPS, MAPS, PODS, config_map, deployment, pod

if TYPE_CHECKING:
    from tests.contract.exchanges import Case
    from tests.contract.sides import Stage

pytestmark = pytest.mark.cluster

Json = dict[str, Any]

QUOTAS = "/api/v1/namespaces/{ns}/resourcequotas"
RANGES = "/api/v1/namespaces/{ns}/limitranges"
RBAC = "/apis/rbac.authorization.k8s.io/v1/namespaces/{ns}"
REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
NOBODY = {"Impersonate-User": "nobody"}
READER = {"Impersonate-User": "reader"}
FIVE = {"cpu": "100m", "memory": "64Mi"}


def quota(**hard: str) -> Json:
    return {
        "metadata": {"name": "q"},
        "spec": {"hard": {name.replace("_", "."): amount for name, amount in hard.items()}},
    }


def limit_range(kind: str = "Container", **limits: Json) -> Json:
    return {"metadata": {"name": "l"}, "spec": {"limits": [{"type": kind, **limits}]}}


def under_quota(name: str, hard: Json, *sends: Send) -> Case:
    counted = get(f"{QUOTAS}/q", until='"used":')
    return case(f"quota: {name}", post(QUOTAS, quota(**hard)), counted, *sends)


def tried(until: str, path: str, body: Json) -> Send:
    """A create in a dry run, once the quota or range of the case is known everywhere, and that of another forgotten."""
    return post(f"{path}?dryRun=All", body, until=until)


def in_range(name: str, until: str, limits: Json, body: Json) -> Case:
    return case(f"range: {name}", post(RANGES, limits), tried(until, PODS, body))


def sent(name: str, method: str, path: str, who: Json, body: Any = None) -> Case:
    return case(f"rights: {name}", Send(method, path, body, headers=who))


QUOTED = [
    under_quota("create", {"pods": "5"}),
    under_quota("too many pods", {"pods": "0"}, tried("pods=1", PODS, pod("lone"))),
    under_quota(
        "too much cpu", {"requests_cpu": "1"}, tried("requests.cpu=2", PODS, pod("lone", requests={"cpu": "2"}))
    ),
    under_quota(
        "two amounts too much",
        {"requests_cpu": "1", "requests_memory": "1Gi"},
        tried("requests.memory=2Gi", PODS, pod("lone", requests={"cpu": "2", "memory": "2Gi"})),
    ),
    under_quota("no request", {"requests_memory": "1Gi"}, tried("requests.memory for", PODS, pod("lone"))),
    under_quota(
        "no requests",
        {"requests_cpu": "1", "limits_memory": "1Gi"},
        tried("limits.memory for: model; requests.cpu for", PODS, pod("lone")),
    ),
    under_quota(
        "a pod that fits",
        {"requests_cpu": "4"},
        tried('"cpu":"3"', PODS, pod("lone", requests={"cpu": "3"})),
        get(f"{QUOTAS}/q?includeObject=None", TABLE),
    ),
    under_quota("objects", {"count/configmaps": "0"}, tried("exceeded", MAPS, config_map("m"))),
    under_quota("deployments", {"count/deployments.apps": "0"}, tried("exceeded", APPS, deployment("web"))),
    under_quota("as a Table", {"pods": "5", "requests_cpu": "3"}, get(QUOTAS, TABLE)),
    case("quota: an amount that is none", post(QUOTAS, quota(pods="many"))),
    case("quota: a negative amount", post(QUOTAS, quota(pods="-1"))),
    case("quota: a fraction of a pod", post(QUOTAS, quota(pods="500m"))),
    case("quota: an unknown resource", post(QUOTAS, quota(nosuch="1"))),
    case("quota: without anything", post(QUOTAS, {"metadata": {"name": "q"}})),
]

RANGED = [
    in_range(
        "defaults",
        '"cpu":"200m"',
        limit_range(default={"cpu": "1"}, defaultRequest={"cpu": "200m"}),
        pod("lone"),
    ),
    in_range("a default as the request", '"memory":"1Gi"', limit_range(default={"memory": "1Gi"}), pod("lone")),
    in_range("maximum", "limit is 2", limit_range(max={"cpu": "1"}), pod("lone", limits={"cpu": "2"})),
    in_range("minimum", "request is 500m", limit_range(min={"cpu": "1"}), pod("lone", requests={"cpu": "500m"})),
    in_range("maximum without a limit", "No limit", limit_range("Pod", max={"cpu": "1"}), pod("lone")),
    in_range(
        "ratio",
        "ratio",
        limit_range(maxLimitRequestRatio={"cpu": "2"}),
        pod("lone", requests={"cpu": "1"}, limits={"cpu": "4"}),
    ),
    in_range(
        "of pods",
        "per Pod is 1Gi",
        limit_range("Pod", max={"memory": "1Gi"}),
        pod("lone", requests={"memory": "1Gi"}, limits={"memory": "2Gi"}),
    ),
    case("range: create", post(RANGES, limit_range(max={"cpu": "2"}, default={"cpu": "1"}))),
    case("range: default above max", post(RANGES, limit_range(max={"cpu": "1"}, default={"cpu": "2"}))),
    case("range: min above max", post(RANGES, limit_range(max={"cpu": "1"}, min={"cpu": "2"}))),
    case("range: an unknown kind", post(RANGES, limit_range("Guess"))),
    case("range: without limits", post(RANGES, {"metadata": {"name": "l"}, "spec": {}})),
]

RIGHTS = [
    sent("get", "GET", f"{MAPS}/m", NOBODY),
    sent("list", "GET", MAPS, NOBODY),
    sent("list of all namespaces", "GET", "/apis/apps/v1/deployments", NOBODY),
    sent("watch", "GET", f"{MAPS}?watch=1", NOBODY),
    sent("create", "POST", MAPS, NOBODY, config_map("m")),
    sent("update", "PUT", f"{MAPS}/m", NOBODY, config_map("m")),
    sent("patch the scale", "PATCH", f"{APPS}/web/scale", NOBODY, {"spec": {"replicas": 1}}),
    sent("delete", "DELETE", f"{MAPS}/m", NOBODY),
    sent("delete of some", "DELETE", MAPS, NOBODY),
    sent("nodes", "GET", "/api/v1/nodes", NOBODY),
    sent("a node", "GET", "/api/v1/nodes/node-0", NOBODY),
    sent("the namespace", "GET", "/api/v1/namespaces/{ns}", NOBODY),
    sent("metrics", "GET", "/apis/metrics.k8s.io/v1beta1/namespaces/{ns}/pods", NOBODY),
    sent("HPAs", "GET", "/apis/autoscaling/v2/namespaces/{ns}/horizontalpodautoscalers", NOBODY),
    sent("a group that is not there", "GET", "/apis/nosuch.example.com/v1/namespaces/{ns}/x", NOBODY),
    sent("discovery", "GET", "/apis/apps", NOBODY),
    sent("a path", "GET", "/nosuch", NOBODY),
    sent(
        "groups that make it an administrator",
        "GET",
        f"{MAPS}/nosuch",
        {**NOBODY, "Impersonate-Group": "system:masters"},
    ),
    sent("a group without a user", "GET", MAPS, {"Impersonate-Group": "system:masters"}),
    sent("by a role, get", "GET", f"{MAPS}/nosuch", READER),
    sent("by a role, delete", "DELETE", f"{MAPS}/nosuch", READER),
    sent("by a role, another namespace", "GET", "/api/v1/namespaces/default/configmaps/nosuch", READER),
    sent("impersonation twice", "GET", MAPS, {**READER, "Impersonate-Uid": "x"}),
    case(
        "review: allowed",
        post(REVIEWS, {"spec": {"resourceAttributes": {"verb": "get", "resource": "pods", "namespace": "default"}}}),
        differs="access-reviews-name-no-field-manager",
    ),
    case(
        "review: of nobody",
        Send("POST", REVIEWS, {"spec": {"resourceAttributes": {"verb": "get", "resource": "pods"}}}, headers=NOBODY),
        differs="access-reviews-name-no-field-manager",
    ),
    case(
        "review: by a role",
        Send(
            "POST",
            REVIEWS,
            '{"spec":{"resourceAttributes":{"verb":"get","resource":"configmaps","namespace":"{ns}"}}}',
            headers=READER,
        ),
        differs="access-reviews-name-no-field-manager",
    ),
    case(
        "review: of a path",
        post(REVIEWS, {"spec": {"nonResourceAttributes": {"verb": "get", "path": "/healthz"}}}),
        differs="access-reviews-name-no-field-manager",
    ),
    case("review: of nothing", post(REVIEWS, {"spec": {}})),
    case("review: get", get(REVIEWS)),
    case(
        "token of an account that is not there",
        post("/api/v1/namespaces/{ns}/serviceaccounts/nosuch/token", {"spec": {}}),
    ),
    case("role that cannot be", post(f"{RBAC}/roles", {"metadata": {"name": "r"}, "rules": [{"verbs": []}]})),
    case("binding to nothing", post(f"{RBAC}/rolebindings", {"metadata": {"name": "r"}})),
]

CASES = [*QUOTED, *RANGED, *RIGHTS]


@pytest.fixture(scope="module", autouse=True)
def reader(stage: Stage) -> None:
    """A user who may read ConfigMaps."""
    rules = [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "list"]}]
    stage.create(f"{RBAC}/roles", {"metadata": {"name": "reader"}, "rules": rules})
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader"}
    subject = {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "reader"}
    stage.create(f"{RBAC}/rolebindings", {"metadata": {"name": "reader"}, "roleRef": reference, "subjects": [subject]})
    stage.check(case("rights are there", Send("GET", f"{MAPS}/nosuch", headers=READER, until="not found")))


@pytest.mark.parametrize("one", CASES, ids=lambda one: one.name)
def test_limit(stage: Stage, one: Case) -> None:
    stage.check(one)
