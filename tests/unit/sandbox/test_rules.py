"""Each object is completed or refused as a real API server did it (v1.37.2)."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from mlscale.kube.kinds import LIMITRANGE, RESOURCEQUOTA
from mlscale.sandbox.admission import admit
from mlscale.sandbox.defaults import set_defaults
from mlscale.sandbox.statuses import StatusError, invalid
from mlscale.sandbox.store import Store
from mlscale.sandbox.validation import validate
from tests.unit.sandbox.record_rule_answers import ANSWERS, essence
from tests.unit.sandbox.rule_base import BOUNDED, LIMITED, PLAIN, Case
from tests.unit.sandbox.rule_cases import CASES
from tests.unit.sandbox.rule_objects import LIMIT_RANGES, QUOTAS

Json = dict[str, Any]

RECORDED: Json = json.loads(ANSWERS.read_text(encoding="utf-8"))
UID = "00000000-0000-4000-8000-000000000001"


def cluster() -> Store:
    """The namespaces that the recorded server had."""
    store = Store()
    for name in (PLAIN, LIMITED, BOUNDED):
        store.put("namespaces", {"metadata": {"name": name}, "status": {"phase": "Active"}})
        store.put("serviceaccounts", {"metadata": {"name": "default", "namespace": name}})
    store.put("configmaps", {"metadata": {"name": "kube-root-ca.crt", "namespace": BOUNDED}})
    for limit_range in LIMIT_RANGES:
        store.put("limitranges", set_defaults(LIMITRANGE, placed(limit_range, LIMITED)))
    for quota in QUOTAS:
        complete = set_defaults(RESOURCEQUOTA, placed(quota, BOUNDED))
        hard = complete["spec"]["hard"]
        store.put("resourcequotas", {**complete, "status": {"hard": hard, "used": dict.fromkeys(hard, "0")}})
    return store


def placed(obj: Json, namespace: str) -> Json:
    return {**obj, "metadata": {**obj["metadata"], "namespace": namespace, "uid": UID}}


def answer(store: Store, case: Case) -> Json:
    """What the sandbox's rules say, in the order of a write."""
    kind, namespace = case.kind, case.namespace
    body = placed(case.body, namespace) if kind.namespaced else {**case.body}
    before = None
    try:
        if case.before is not None:
            before = admit(store, kind, set_defaults(kind, placed(case.before, namespace)), None)
        obj = admit(store, kind, set_defaults(kind, body), before)
        causes = validate(kind, obj, before)
        if causes:
            raise invalid(kind, obj["metadata"].get("name", ""), causes)
    except StatusError as refusal:
        return refusal.body()
    return obj


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_rules_answer_as_the_real_server(case: Case) -> None:
    sent = copy.deepcopy(case)
    assert essence(answer(cluster(), case)) == RECORDED[case.name]
    assert case == sent, "what was sent is changed"
