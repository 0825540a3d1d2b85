"""Every kind of patch gives the object, the owners or the refusal that a real API server gave (v1.37.2)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from mlscale.sandbox.decoding import decode
from mlscale.sandbox.managed_fields import record_update, server_side_apply
from mlscale.sandbox.patches import json_patch, merge_patch
from mlscale.sandbox.statuses import StatusError
from mlscale.sandbox.strategic import strategic_merge_patch
from tests.unit.sandbox.patch_cases import APPLY, CASES, JSON_PATCH, MERGE, STRATEGIC, Case
from tests.unit.sandbox.record_patch_answers import ANSWERS, essence

if TYPE_CHECKING:
    from collections.abc import Callable

Json = dict[str, Any]

RECORDED = json.loads(ANSWERS.read_text(encoding="utf-8"))
PATCHES = {JSON_PATCH: json_patch, MERGE: merge_patch, STRATEGIC: strategic_merge_patch}
NOW = "2030-01-01T00:00:00Z"
DEFAULTED = {
    "imagePullPolicy": "IfNotPresent",
    "minReadySeconds": 0,
    "paused": False,
    "tolerations": [],
    "protocol": "TCP",
    "resources": {},
    "terminationMessagePath": "/dev/termination-log",
    "terminationMessagePolicy": "File",
    "defaultMode": 420,
}
"""What the server adds to new containers and volumes; defaults are not what is tested here."""


def undefaulted(value: Any) -> Any:
    if isinstance(value, list):
        return [undefaulted(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {key: undefaulted(item) for key, item in value.items() if DEFAULTED.get(key, ...) != item}


def patched(case: Case, live: Json) -> Json:
    if case.type == APPLY:
        return server_side_apply(live, case.body, case.manager, NOW, force=case.force)
    after = decode(PATCHES[case.type](live, case.body)).object
    return record_update(live, after, case.manager, "", NOW)


def by_name(names: Callable[[int], bool]) -> pytest.MarkDecorator:
    cases = [case for case in CASES if names(RECORDED["answers"][case.name]["code"])]
    return pytest.mark.parametrize("case", cases, ids=lambda case: case.name)


@by_name(lambda code: code < 300)
def test_what_a_patch_makes_of_an_object(case: Case) -> None:
    live = RECORDED["live"][case.target]
    before = json.dumps(live)
    made = essence(decode(patched(case, live)).object, live)
    answer = RECORDED["answers"][case.name]
    assert made["metadata"] == answer["metadata"]
    assert undefaulted(made["spec"]) == undefaulted(answer["spec"])
    assert json.dumps(live) == before


@by_name(lambda code: code < 300)
def test_who_owns_what_after_a_patch(case: Case) -> None:
    live, answer = RECORDED["live"][case.target], RECORDED["answers"][case.name]
    after = {**live, "spec": answer["spec"], "metadata": {**live["metadata"], **answer["metadata"]}}
    if case.type == APPLY:
        recorded = patched(case, live)
    else:
        sent = PATCHES[case.type](live, case.body)["metadata"].get("managedFields")
        gone = {key for key in ("annotations", "finalizers", "labels") if key not in answer["metadata"]}
        kept = {key: value for key, value in after["metadata"].items() if key not in gone}
        recorded = record_update(live, {**after, "metadata": {**kept, "managedFields": sent}}, case.manager, "", NOW)
    assert essence({**recorded, "spec": {}}, live)["owners"] == answer["owners"]


@by_name(lambda code: code >= 300)
def test_how_a_patch_is_refused(case: Case) -> None:
    answer = RECORDED["answers"][case.name]
    with pytest.raises(StatusError) as refusal:
        patched(case, RECORDED["live"][case.target])
    body = refusal.value.body()
    assert (refusal.value.code, unordered(body)) == (answer["code"], unordered(answer["body"]))


def unordered(body: Json) -> Json:
    """The server lists the conflicts of several managers in any order."""
    causes = sorted(body.get("details", {}).get("causes", []), key=json.dumps)
    return {**body, "details": {**body.get("details", {}), "causes": causes}}
