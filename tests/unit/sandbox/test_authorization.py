"""RBAC: which rules hold for whom, and the words for why."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlscale.sandbox.authorization import Attributes, Decision, User, allows, decide, rules_for
from mlscale.sandbox.first_roles import first_roles
from mlscale.sandbox.resources import CLUSTERROLE, CLUSTERROLEBINDING, ROLE, ROLEBINDING
from mlscale.sandbox.store import Store

Json = dict[str, Any]

JANE = User("jane", ("devs", "system:authenticated"))
BOB = User("system:serviceaccount:lab:bob", ("system:serviceaccounts", "system:authenticated"))
GET_PODS = Attributes("get", resource="pods", namespace="lab")
READ_PODS = {"verbs": ["get", "list"], "apiGroups": [""], "resources": ["pods"]}


def role(name: str, *rules: Json, namespace: str = "") -> Json:
    metadata = {"name": name} | ({"namespace": namespace} if namespace else {})
    return {"metadata": metadata, "rules": list(rules)}


def binding(kind: str, name: str, *subjects: Json, namespace: str = "") -> Json:
    metadata = {"name": f"to-{name}"} | ({"namespace": namespace} if namespace else {})
    return {"metadata": metadata, "roleRef": {"kind": kind, "name": name}, "subjects": list(subjects)}


def store_with(*, roles: list[Json] = [], bindings: list[Json] = []) -> Store:  # noqa: B006  only read
    store = Store()
    for one in roles:
        store.put((ROLE if "namespace" in one["metadata"] else CLUSTERROLE).resource, one)
    for one in bindings:
        store.put((ROLEBINDING if "namespace" in one["metadata"] else CLUSTERROLEBINDING).resource, one)
    return store


USER = {"kind": "User", "name": "jane"}
GROUP = {"kind": "Group", "name": "devs"}
ACCOUNT = {"kind": "ServiceAccount", "name": "bob", "namespace": "lab"}


@pytest.mark.parametrize(
    ("rule", "asked", "expected"),
    [
        (READ_PODS, GET_PODS, True),
        (READ_PODS, Attributes("delete", resource="pods"), False),
        (READ_PODS, Attributes("get", resource="nodes"), False),
        (READ_PODS, Attributes("get", group="metrics.k8s.io", resource="pods"), False),
        (READ_PODS, Attributes("get", resource="pods", subresource="log"), False),
        (READ_PODS, Attributes("get", path="/pods"), False),
        ({**READ_PODS, "resources": ["pods/log"]}, Attributes("get", resource="pods", subresource="log"), True),
        ({**READ_PODS, "resources": ["*/log"]}, Attributes("get", resource="pods", subresource="log"), True),
        ({**READ_PODS, "resources": ["*/log"]}, GET_PODS, False),
        ({**READ_PODS, "resources": ["*"]}, Attributes("get", resource="pods", subresource="log"), True),
        ({**READ_PODS, "verbs": ["*"]}, Attributes("delete", resource="pods"), True),
        ({**READ_PODS, "apiGroups": ["*"]}, Attributes("get", group="apps", resource="pods"), True),
        ({**READ_PODS, "resourceNames": ["a"]}, Attributes("get", resource="pods", name="a"), True),
        ({**READ_PODS, "resourceNames": ["a"]}, Attributes("get", resource="pods", name="b"), False),
        ({**READ_PODS, "resourceNames": ["a"]}, Attributes("list", resource="pods"), False),
        ({"verbs": ["get"], "nonResourceURLs": ["/api/*"]}, Attributes("get", path="/api/v1"), True),
        ({"verbs": ["get"], "nonResourceURLs": ["/api/*"]}, Attributes("get", path="/api"), False),
        ({"verbs": ["get"], "nonResourceURLs": ["/api"]}, Attributes("get", path="/api"), True),
        ({"verbs": ["get"], "nonResourceURLs": ["*"]}, GET_PODS, False),
    ],
)
def test_one_rule(rule: Json, asked: Attributes, expected: bool) -> None:
    assert allows(rule, asked) is expected


def test_a_role_holds_in_its_namespace_only() -> None:
    store = store_with(
        roles=[role("r", READ_PODS, namespace="lab")], bindings=[binding("Role", "r", USER, namespace="lab")]
    )
    why = 'RBAC: allowed by RoleBinding "to-r/lab" of Role "r" to User "jane"'
    assert decide(store, JANE, GET_PODS) == Decision(True, why)
    assert not decide(store, JANE, Attributes("get", resource="pods", namespace="other")).allowed
    assert not decide(store, JANE, Attributes("list", resource="pods")).allowed
    assert not decide(store, BOB, GET_PODS).allowed


def test_a_cluster_role_may_be_given_in_one_namespace() -> None:
    store = store_with(roles=[role("r", READ_PODS)], bindings=[binding("ClusterRole", "r", GROUP, namespace="lab")])
    why = 'RBAC: allowed by RoleBinding "to-r/lab" of ClusterRole "r" to Group "devs"'
    assert decide(store, JANE, GET_PODS) == Decision(True, why)
    assert not decide(store, JANE, Attributes("get", resource="pods", namespace="other")).allowed


def test_a_cluster_role_binding_holds_everywhere() -> None:
    store = store_with(roles=[role("r", READ_PODS)], bindings=[binding("ClusterRole", "r", ACCOUNT)])
    why = 'RBAC: allowed by ClusterRoleBinding "to-r" of ClusterRole "r" to ServiceAccount "bob/lab"'
    assert decide(store, BOB, Attributes("list", resource="pods")) == Decision(True, why)


def test_an_account_without_a_namespace_is_of_the_bindings_own() -> None:
    subject = {"kind": "ServiceAccount", "name": "bob"}
    store = store_with(roles=[role("r", READ_PODS)], bindings=[binding("ClusterRole", "r", subject, namespace="lab")])
    assert decide(store, BOB, GET_PODS).allowed


def test_a_role_that_is_gone_gives_nothing() -> None:
    assert not decide(store_with(bindings=[binding("ClusterRole", "r", USER)]), JANE, GET_PODS).allowed


def test_masters_need_no_role() -> None:
    assert decide(Store(), User("root", ("system:masters",)), GET_PODS) == Decision(True)


@pytest.mark.parametrize(
    ("user", "asked", "expected"),
    [
        (JANE, Attributes("get", path="/apis/apps"), True),
        (JANE, Attributes("create", group="authorization.k8s.io", resource="selfsubjectaccessreviews"), True),
        (JANE, Attributes("get", path="/metrics"), False),
        (JANE, GET_PODS, False),
        (User("x", ("system:unauthenticated",)), Attributes("get", path="/version"), True),
        (User("x", ("system:unauthenticated",)), Attributes("get", path="/api"), False),
    ],
)
def test_what_everybody_may(user: User, asked: Attributes, expected: bool) -> None:
    pairs = first_roles()
    store = store_with(roles=[one for one, _ in pairs], bindings=[one for _, one in pairs if one])
    assert decide(store, user, asked).allowed is expected


@pytest.mark.parametrize(
    ("name", "verb", "expected"),
    [("view", "get", True), ("view", "patch", False), ("edit", "patch", True), ("admin", "patch", True)],
)
def test_the_roles_for_people(name: str, verb: str, expected: bool) -> None:
    store = store_with(
        roles=[one for one, _ in first_roles()], bindings=[binding("ClusterRole", name, USER, namespace="lab")]
    )
    asked = Attributes(verb, "apps", "deployments", "scale", "lab", "web")
    assert decide(store, JANE, asked).allowed is expected


rules = st.fixed_dictionaries(
    {
        "verbs": st.lists(st.sampled_from(["get", "list", "*"]), max_size=2),
        "apiGroups": st.lists(st.sampled_from(["", "apps", "*"]), max_size=2),
        "resources": st.lists(st.sampled_from(["pods", "deployments", "pods/log", "*"]), max_size=2),
    }
)
requests = st.builds(
    Attributes,
    verb=st.sampled_from(["get", "list", "delete"]),
    group=st.sampled_from(["", "apps"]),
    resource=st.sampled_from(["pods", "deployments"]),
    subresource=st.sampled_from(["", "log"]),
    namespace=st.just("lab"),
)


@given(st.lists(rules, max_size=3), st.lists(rules, max_size=3), requests)
def test_more_rules_never_forbid(held: list[Json], more: list[Json], asked: Attributes) -> None:
    def allowed(*given_rules: Json) -> bool:
        store = store_with(roles=[role("r", *given_rules)], bindings=[binding("ClusterRole", "r", USER)])
        assert rules_for(store, JANE, "lab") == list(given_rules)
        return decide(store, JANE, asked).allowed

    assert allowed(*held) <= allowed(*held, *more)
