"""Whose a token is, and whom a request acts as."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from datetime import UTC, datetime
from typing import Any

import pytest

from mlscale.sandbox.authorization import User
from mlscale.sandbox.resources import SERVICEACCOUNT
from mlscale.sandbox.statuses import StatusError
from mlscale.sandbox.store import Store
from mlscale.sandbox.tokens import ADMIN, ANONYMOUS, Tokens, impersonated

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
BOB = User(
    "system:serviceaccount:lab:bob",
    ("system:serviceaccounts", "system:serviceaccounts:lab", "system:authenticated"),
    "u-1",
)


@pytest.fixture
def store() -> Store:
    store = Store()
    store.put(SERVICEACCOUNT.resource, {"metadata": {"name": "bob", "namespace": "lab", "uid": "u-1"}})
    return store


@pytest.fixture
def tokens(store: Store) -> Tokens:
    return Tokens(store, "secret", b"key")


def token_of(tokens: Tokens, **spec: Any) -> str:
    token: str = tokens.request("lab", "bob", {"spec": spec}, NOW)["status"]["token"]
    return token


def test_the_administrator(tokens: Tokens) -> None:
    assert tokens.user("Bearer secret") == ADMIN


@pytest.mark.parametrize("header", [None, "", "Basic eDp5", "Bearer", "Bearer "])
def test_no_bearer_token_is_nobody_in_particular(tokens: Tokens, header: str | None) -> None:
    assert tokens.user(header) == ANONYMOUS


@pytest.mark.parametrize("header", ["Bearer x", "Bearer secre", "Bearer a.b.c", "bearer Secret", "Bearer é"])
def test_a_wrong_token_is_refused(tokens: Tokens, header: str) -> None:
    with pytest.raises(StatusError) as refused:
        tokens.user(header)
    assert refused.value.body() == {
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": "Unauthorized",
        "reason": "Unauthorized", "code": 401,
    }  # fmt: skip


def test_a_service_accounts_token(tokens: Tokens) -> None:
    assert tokens.user(f"Bearer {token_of(tokens)}") == BOB


def test_what_the_token_says(tokens: Tokens) -> None:
    head, claims, _ = token_of(tokens, expirationSeconds=700).split(".")
    said = json.loads(urlsafe_b64decode(claims + "=="))
    assert (said["sub"], said["exp"] - said["iat"]) == (BOB.name, 700)
    assert said["kubernetes.io"] == {"namespace": "lab", "serviceaccount": {"name": "bob", "uid": "u-1"}}
    assert json.loads(urlsafe_b64decode(head + "=="))["typ"] == "JWT"


def test_it_ends_with_its_account(tokens: Tokens, store: Store) -> None:
    token = token_of(tokens)
    store.put(SERVICEACCOUNT.resource, {"metadata": {"name": "bob", "namespace": "lab", "uid": "u-2"}})
    with pytest.raises(StatusError):
        tokens.user(f"Bearer {token}")


def test_a_token_signed_with_another_key_is_refused(tokens: Tokens, store: Store) -> None:
    with pytest.raises(StatusError):
        tokens.user(f"Bearer {token_of(Tokens(store, 'secret', b'other'))}")


def test_the_answer_to_a_request(tokens: Tokens) -> None:
    answer = tokens.request("lab", "bob", {}, NOW)
    assert answer["spec"] == {
        "audiences": ["https://kubernetes.default.svc.cluster.local"],
        "expirationSeconds": 3600,
        "boundObjectRef": None,
    }
    assert answer["status"]["expirationTimestamp"] == "2026-11-24T09:00:00Z"


def test_refused_requests(tokens: Tokens) -> None:
    with pytest.raises(StatusError, match='serviceaccounts "nobody" not found'):
        tokens.request("lab", "nobody", {}, NOW)
    with pytest.raises(StatusError) as refused:
        tokens.request("lab", "bob", {"spec": {"expirationSeconds": 5}}, NOW)
    assert refused.value.message == (
        'TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: Invalid value: 5: '
        "may not specify a duration less than 10 minutes"
    )


@pytest.mark.parametrize(
    ("name", "groups", "expected"),
    [
        ("jane", (), ("system:authenticated",)),
        ("jane", ("g",), ("g", "system:authenticated")),
        (BOB.name, (), BOB.groups),
        ("system:anonymous", (), ("system:unauthenticated",)),
    ],
)
def test_acting_as_someone_else(name: str, groups: tuple[str, ...], expected: tuple[str, ...]) -> None:
    user = impersonated({"impersonate-user": name}, groups)
    assert user is not None
    assert (user.name, user.groups) == (name, expected)


def test_nobody_is_acted_for() -> None:
    assert impersonated({}, ()) is None


def test_groups_need_a_user() -> None:
    with pytest.raises(StatusError) as refused:
        impersonated({}, ("x",))
    assert (refused.value.code, refused.value.message) == (
        400,
        'requested &user.DefaultInfo{Name:"", UID:"", Groups:[]string{"x"}, Extra:map[string][]string(nil)} '
        "without impersonating a user name",
    )
