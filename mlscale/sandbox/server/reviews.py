"""Questions to the API about rights and identity, answered and not stored (pkg/registry/authorization, v1.37.2)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mlscale.sandbox.agenda import timestamp
from mlscale.sandbox.authorization import Attributes, User, decide, rules_for
from mlscale.sandbox.statuses import StatusError

if TYPE_CHECKING:
    from datetime import datetime

    from mlscale.sandbox.store import Store

Json = dict[str, Any]


def answer_review(kind: str, body: Json, namespace: str, user: User, store: Store, now: datetime) -> Json:
    """The review ``body`` of ``kind`` with its status. Raises StatusError 422."""
    if kind == "SelfSubjectReview":
        return _who(user, now)
    if kind == "SelfSubjectRulesReview":
        return _rules(body, store, user)
    spec = body.get("spec") or {}
    asked = _attributes(spec)
    if kind == "LocalSubjectAccessReview":
        asked = replace(asked, namespace=namespace)
    if kind != "SelfSubjectAccessReview":
        user = User(spec.get("user", ""), tuple(spec.get("groups") or ()), spec.get("uid", ""))
    decision = decide(store, user, asked)
    status: Json = {"allowed": decision.allowed}
    if decision.reason:
        status["reason"] = decision.reason
    return {**_typed(body), "spec": spec, "status": status}


def _typed(body: Json) -> Json:
    return {"kind": body["kind"], "apiVersion": body["apiVersion"], "metadata": body.get("metadata") or {}}


def _attributes(spec: Json) -> Attributes:
    wanted, path = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
    if wanted and path:
        raise _invalid("spec.nonResourceAttributes", "cannot be specified in combination with resourceAttributes")
    if path:
        return Attributes(path.get("verb", ""), path=path.get("path", ""))
    if not wanted:
        raise _invalid("spec", "null: exactly one of nonResourceAttributes or resourceAttributes must be specified")
    keys = ("group", "resource", "subresource", "namespace", "name")
    return Attributes(wanted.get("verb", ""), **{key: wanted.get(key, "") for key in keys})


def _invalid(field: str, why: str) -> StatusError:
    """422, with no kind, as upstream."""
    why = f"Invalid value: {why}"
    details = {"group": "authorization.k8s.io", "causes": [_cause(field, why)]}
    return StatusError(422, "Invalid", f'.authorization.k8s.io "" is invalid: {field}: {why}', details)


def _cause(field: str, why: str) -> Json:
    return {"reason": "FieldValueInvalid", "message": why, "field": field}


def _who(user: User, now: datetime) -> Json:
    info: Json = {"username": user.name}
    if user.uid:
        info["uid"] = user.uid
    metadata = {"creationTimestamp": timestamp(now)}
    typed = {"kind": "SelfSubjectReview", "apiVersion": "authentication.k8s.io/v1", "metadata": metadata}
    return {**typed, "status": {"userInfo": {**info, "groups": list(user.groups)}}}


def _rules(body: Json, store: Store, user: User) -> Json:
    rules = rules_for(store, user, (body.get("spec") or {}).get("namespace", ""))
    status = {
        "resourceRules": [rule for rule in rules if rule.get("resources")],
        "nonResourceRules": [rule for rule in rules if rule.get("nonResourceURLs")],
        "incomplete": False,
    }
    return {**_typed(body), "metadata": {}, "spec": {}, "status": status}
