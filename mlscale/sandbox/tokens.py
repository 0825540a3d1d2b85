"""Bearer tokens: the one of the kubeconfig, those of ServiceAccounts, and acting as someone else."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import TYPE_CHECKING, Any

from mlscale.sandbox.agenda import timestamp
from mlscale.sandbox.authorization import MASTERS, User
from mlscale.sandbox.resources import SERVICEACCOUNT
from mlscale.sandbox.statuses import Cause, StatusError, invalid, not_found

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from mlscale.sandbox.store import Store

from datetime import timedelta

from mlscale.kube.kinds import Kind

Json = dict[str, Any]

ADMIN = User("kubernetes-admin", (MASTERS, "system:authenticated"))
"""Whom the kubeconfig of the sandbox names."""
ANONYMOUS = User("system:anonymous", ("system:unauthenticated",))
TOKENREQUEST = Kind("authentication.k8s.io", "v1", "TokenRequest", "tokenrequests")

_ISSUER = "https://kubernetes.default.svc.cluster.local"
_SHORTEST = 600
"""Seconds; pkg/apis/authentication/validation/validation.go."""
_LONGEST = 1 << 32
_ONE_HOUR = 3600
_SA_PREFIX = "system:serviceaccount:"


class Tokens:
    """Makes tokens and knows whose they are."""

    def __init__(self, store: Store, admin: str, key: bytes) -> None:
        """``admin`` is the administrator's token; ``key`` signs those of ServiceAccounts."""
        self._store = store
        self._admin = admin
        self._key = key

    def user(self, authorization: str | None) -> User:
        """Whom an Authorization header names; nobody in particular without a bearer token. Raises StatusError 401."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            return ANONYMOUS
        if hmac.compare_digest(token.strip().encode(), self._admin.encode()):
            return ADMIN
        account = self._account(token.strip())
        if account is None:
            raise StatusError(401, "Unauthorized", "Unauthorized")
        metadata = account["metadata"]
        return service_account(metadata["namespace"], metadata["name"], metadata["uid"])

    def request(self, namespace: str, name: str, body: Json, now: datetime) -> Json:
        """A TokenRequest for a ServiceAccount, answered. Raises StatusError 404 and 422.

        The token lasts as long as its ServiceAccount does: the hour that it says may be a second of the sandbox's
        faster clock.
        """
        account = self._store.get(SERVICEACCOUNT.resource, namespace, name)
        if account is None:
            raise not_found(SERVICEACCOUNT, name)
        spec = body.get("spec") or {}
        seconds = spec.get("expirationSeconds") or _ONE_HOUR
        _check_seconds(seconds)
        uid = account["metadata"]["uid"]
        expires = now + timedelta(seconds=seconds)
        audiences = spec.get("audiences") or [_ISSUER]
        claims = {
            "aud": audiences,
            "exp": int(expires.timestamp()),
            "iat": int(now.timestamp()),
            "iss": _ISSUER,
            "kubernetes.io": {"namespace": namespace, "serviceaccount": {"name": name, "uid": uid}},
            "nbf": int(now.timestamp()),
            "sub": f"{_SA_PREFIX}{namespace}:{name}",
        }
        metadata = {"name": name, "namespace": namespace, "uid": uid, "creationTimestamp": timestamp(now)}
        return {
            "kind": "TokenRequest",
            "apiVersion": "authentication.k8s.io/v1",
            "metadata": metadata,
            "spec": {"audiences": audiences, "expirationSeconds": seconds, "boundObjectRef": None},
            "status": {"token": self._signed(claims), "expirationTimestamp": timestamp(expires)},
        }

    def _signed(self, claims: Json) -> str:
        head = _encoded(json.dumps({"alg": "HS256", "typ": "JWT"}).encode())
        text = f"{head}.{_encoded(json.dumps(claims, separators=(',', ':')).encode())}"
        return f"{text}.{self._signature(text)}"

    def _signature(self, text: str) -> str:
        return _encoded(hmac.new(self._key, text.encode(), hashlib.sha256).digest())

    def _account(self, token: str) -> Json | None:
        """The ServiceAccount of a token of ours, if it is still the same one."""
        text, _, signature = token.rpartition(".")
        if not hmac.compare_digest(signature.encode(), self._signature(text).encode()):
            return None
        bound = json.loads(_decoded(text.partition(".")[2]))["kubernetes.io"]
        claimed = bound["serviceaccount"]
        account = self._store.get(SERVICEACCOUNT.resource, bound["namespace"], claimed["name"])
        return account if account is not None and account["metadata"]["uid"] == claimed["uid"] else None


def service_account(namespace: str, name: str, uid: str = "") -> User:
    """The user that a ServiceAccount is."""
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated")
    return User(f"{_SA_PREFIX}{namespace}:{name}", groups, uid)


def impersonated(headers: Mapping[str, str], groups: Sequence[str]) -> User | None:
    """Whom the Impersonate-User header and the Impersonate-Group headers (``groups``) name; None without any.

    Raises StatusError 400 for groups or a UID without a user.
    """
    name = headers.get("impersonate-user", "")
    uid = headers.get("impersonate-uid", "")
    if not name:
        if groups or uid:
            listed = ", ".join(f'"{group}"' for group in groups)
            who = f'Name:"", UID:"{uid}", Groups:[]string{{{listed}}}, Extra:map[string][]string(nil)'
            who = f"&user.DefaultInfo{{{who}}}"
            raise StatusError(400, "BadRequest", f"requested {who} without impersonating a user name")
        return None
    if name.startswith(_SA_PREFIX) and not groups:
        namespace, _, account = name.removeprefix(_SA_PREFIX).partition(":")
        return service_account(namespace, account, uid)
    if name == ANONYMOUS.name:
        return User(name, (*groups, "system:unauthenticated"), uid)
    return User(name, (*groups, "system:authenticated"), uid)


def _check_seconds(seconds: object) -> None:
    field = "spec.expirationSeconds"
    if not isinstance(seconds, int) or seconds < _SHORTEST:
        why = f"Invalid value: {seconds}: may not specify a duration less than 10 minutes"
        raise invalid(TOKENREQUEST, "", [Cause(field, "FieldValueInvalid", why)])
    if seconds > _LONGEST:
        why = f"Invalid value: {seconds}: may not specify a duration larger than 2^32 seconds"
        raise invalid(TOKENREQUEST, "", [Cause(field, "FieldValueInvalid", why)])


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
