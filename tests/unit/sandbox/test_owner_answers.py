"""Who owns which field after a write, as a real API server had it (v1.37.2)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mlscale.sandbox.managed_fields import record_update, server_side_apply
from mlscale.sandbox.statuses import StatusError
from tests.unit.sandbox.owner_cases import HISTORY, Step
from tests.unit.sandbox.patch_cases import APPLY
from tests.unit.sandbox.record_owner_answers import ANSWERS
from tests.unit.sandbox.record_patch_answers import timeless

Json = dict[str, Any]

RECORDED = json.loads(ANSWERS.read_text(encoding="utf-8"))
NOW = "2030-01-01T00:00:00Z"
ADMITTED = ("preemptionPolicy", "priority", "serviceAccount", "serviceAccountName")
"""Of a pod what admission adds: no manager's."""
STEPS = list(zip(HISTORY, RECORDED["history"], strict=True))


def without_owners(obj: Json) -> Json:
    metadata = {key: value for key, value in obj["metadata"].items() if key != "managedFields"}
    return {**obj, "metadata": metadata}


@pytest.mark.parametrize("answer", RECORDED["created"], ids=lambda answer: answer["kind"])
def test_who_creates_owns_what_is_set_and_what_is_defaulted(answer: Json) -> None:
    obj = without_owners(answer)
    if answer["kind"] == "Pod":
        obj["spec"] = {key: value for key, value in answer["spec"].items() if key not in ADMITTED}
    recorded = record_update(None, obj, "creator", "", NOW)
    assert timeless(recorded["metadata"]["managedFields"]) == timeless(answer["metadata"]["managedFields"])
    assert recorded["metadata"]["managedFields"][0]["time"] == NOW


@pytest.mark.parametrize(
    ("step", "found"), [pair for pair in STEPS if pair[1]["code"] < 300], ids=lambda value: getattr(value, "name", "")
)
def test_the_owners_after_each_write_of_a_history(step: Step, found: Json) -> None:
    recorded = written(step, found["before"], found["after"])
    assert timeless(recorded["metadata"].get("managedFields", [])) == timeless(
        found["after"]["metadata"].get("managedFields", [])
    )


@pytest.mark.parametrize(
    ("step", "found"), [pair for pair in STEPS if pair[1]["code"] >= 300], ids=lambda value: getattr(value, "name", "")
)
def test_conflicts_with_those_that_own_the_field(step: Step, found: Json) -> None:
    with pytest.raises(StatusError) as refusal:
        written(step, found["before"], found["before"])
    assert refusal.value.body() == found["refusal"]


def written(step: Step, before: Json, after: Json) -> Json:
    if step.type == APPLY:
        config = step.body
        if step.subresource == "scale":
            head = {"apiVersion": before["apiVersion"], "kind": before["kind"], "metadata": {"name": "web"}}
            config = {**head, "spec": step.body["spec"]}
        return server_side_apply(before, config, step.manager, NOW, force=step.force, subresource=step.subresource)
    sent = without_owners(after)
    if "managedFields" in step.body.get("metadata", {}):
        sent["metadata"]["managedFields"] = step.body["metadata"]["managedFields"]
    return record_update(before, sent, step.manager, step.subresource, NOW)


def test_a_write_of_the_same_keeps_the_time() -> None:
    live = RECORDED["history"][1]["before"]
    again = record_update(live, without_owners(live), "creator", "", NOW)
    assert again == live


def test_a_write_through_scale_leaves_no_time() -> None:
    found = RECORDED["history"][1]
    recorded = written(HISTORY[1], found["before"], found["after"])
    owner = next(entry for entry in recorded["metadata"]["managedFields"] if entry["manager"] == "first")
    assert (owner["subresource"], "time" in owner) == ("scale", False)


def test_kubectl_apply_keeps_the_annotation_of_client_side_apply_true() -> None:
    step, found = next(pair for pair in STEPS if pair[0].name == "kubectl may")
    name = "kubectl.kubernetes.io/last-applied-configuration"
    recorded = written(step, found["before"], found["after"])
    assert recorded["metadata"]["annotations"][name] == found["after"]["metadata"]["annotations"][name]
